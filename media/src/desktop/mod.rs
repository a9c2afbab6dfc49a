//! This computer's own desktop, as its system has it: what is shown of it, who acts on it, and what stands above it.
//!
//! Whoever shows a desktop asks here and knows no system. Where a system's part is not written yet, opening it is
//! refused with a sentence, and its types have no value: what cannot be opened cannot be used by mistake.

pub mod elsewhere;

use std::time::Duration;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{
    Hands, LocalInput, OwnScreen, Sentinel, Witness, check, hands_were_at_rest, monitors, named,
    serve_when_asked,
};

#[cfg(target_os = "linux")]
pub use crate::x11::{
    LocalInput, Sentinel, Witness, X11Injector as Hands, X11Screen as OwnScreen, check,
    hands_were_at_rest, monitors, named, serve_when_asked,
};

/// Whether a hand at this computer is told from a program here. Without that nobody can consent in a window (T2).
pub const TELLS_HANDS: bool = cfg!(target_os = "linux");

/// What the person at the desk touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    Mouse,
    Keyboard,
}

/// What a window received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Click,
    Key,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doer {
    Hand,
    /// Injected, sent by a program, stale, or not told apart from these.
    Nobody,
}

/// What a witness says of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub by: Doer,
    /// A window that is slow hears of it later than it was done.
    pub ago: Duration,
}

/// What has happened to windows that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Ctrl+Alt+Shift+E.
    StopKey,
    /// Whether that does anything; told once at the beginning, and when it changes.
    StopKeyIs(StopKey),
    /// A watched window was destroyed, or cannot be kept up.
    Gone,
    /// The monitors may be others than those that the windows stand on; told once at the beginning too.
    Monitors,
}

/// Whether the chord that ends everything does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKey {
    Held,
    /// Another program holds it.
    Missing,
}

/// A window of this program by its number, and where it stands on the display, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub window: u32,
    pub left: i16,
    pub top: i16,
    pub width: u16,
    pub height: u16,
}
