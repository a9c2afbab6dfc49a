//! A real desktop: its picture, its cursor, its keyboard and mouse, and VP8 between two of them.
//!
//! Decides what changed on a screen, what of it is worth encoding and when, and
//! how an act of a viewer's hand becomes one of the host's. Knows nothing of
//! sessions, rights or networks, and starts no thread: whoever calls decides
//! on which one it runs.

pub mod blocks;
#[cfg(any(target_os = "linux", feature = "portable"))]
mod canvas;
pub mod desktop;
pub mod fake;
pub mod i420;
pub mod input;
pub mod keys;
mod lanes;
#[cfg(feature = "portable")]
pub mod portable;
pub mod refine;
mod scaling;
pub mod screen;
pub mod tiling;
pub mod video;
pub mod vp8;
#[cfg(any(target_os = "linux", feature = "portable"))]
mod wheel;
#[cfg(target_os = "linux")]
pub mod x11;
