//! The other computer's screen in a window of ours: painted off-thread, operated by hand.
//!
//! [`frame`], [`hands`] and [`capture`] decide and are pure; [`paint`] and [`grab`] have a
//! thread each; [`past`] takes what was painted to the screen while nothing lies over it; [`screen`] joins them to a
//! window.

pub mod capture;
pub mod frame;
#[cfg(target_os = "linux")]
pub mod grab;
pub mod hands;
pub mod keys;
pub mod made_up;
pub mod paint;
pub mod past;
pub mod screen;
pub mod sheets;
pub mod watching;
