//! What each system has its own way for: how two programs of one person meet on this computer, how finished pixels come
//! into a window, and what a thread costs.
//!
//! The rest of this crate asks here and knows no system. Decides nothing of what is said or shown.

#[cfg(not(target_os = "linux"))]
mod no_pane;
#[cfg(any(not(unix), test))]
mod other;
#[cfg(target_os = "linux")]
mod pane;
#[cfg(unix)]
mod unix;

#[cfg(not(target_os = "linux"))]
pub(crate) use no_pane::{Pane, name_of};
#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(target_os = "linux")]
pub(crate) use pane::{Pane, name_of};
#[cfg(unix)]
pub(crate) use unix::*;
