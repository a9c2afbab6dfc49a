//! The back ends meant for Windows, macOS and Wayland, by `xcap` and `enigo`.
//!
//! Compiled and tried on Linux; no shipped program switches them on yet.
//! Slower than X11's own: whole still pictures a few times a second, compared
//! block by block. Neither the cursor's shape nor local input is known here.

mod inject;
mod screen;

pub use inject::PortableInjector;
pub use screen::PortableScreen;
