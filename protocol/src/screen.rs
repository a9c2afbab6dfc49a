//! What a host tells of its screen beside the picture: monitors and the cursor.
//!
//! No names of monitors, windows or machines: the picture is all a viewer gets
//! to know (S10, S17, S20).

use serde::{Deserialize, Serialize};

/// The widest picture that a decoder accepts, in pixels. T68a.
pub const MAX_WIDTH: u16 = 7680;
/// The tallest picture that a decoder accepts, in pixels. T68a.
pub const MAX_HEIGHT: u16 = 4320;
/// The longest edge of a cursor, in pixels.
pub const MAX_CURSOR_EDGE: u16 = 256;
/// The most monitors a layout may name.
pub const MAX_MONITORS: usize = 16;

/// A monitor's place in the current [`Layout`], counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MonitorId(pub u8);

/// One monitor, in pixels of the host's desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    pub id: MonitorId,
    pub x: i32,
    pub y: i32,
    pub width: u16,
    pub height: u16,
    pub primary: bool,
}

/// All monitors, and the one whose picture is being sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    pub monitors: Vec<Monitor>,
    pub shown: MonitorId,
}

impl Layout {
    pub fn shown_monitor(&self) -> Option<&Monitor> {
        self.monitors.iter().find(|m| m.id == self.shown)
    }

    /// Whether a viewer may lay out windows by it: 1 to [`MAX_MONITORS`]
    /// monitors, none empty or beyond the decoder's cap, the shown one among them.
    pub fn is_sane(&self) -> bool {
        (1..=MAX_MONITORS).contains(&self.monitors.len())
            && self.shown_monitor().is_some()
            && self
                .monitors
                .iter()
                .all(|m| (1..=MAX_WIDTH).contains(&m.width) && (1..=MAX_HEIGHT).contains(&m.height))
    }
}

/// A cursor's look. `rgba` is width x height x 4 bytes, premultiplied alpha.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorShape {
    pub width: u16,
    pub height: u16,
    pub hot_x: u16,
    pub hot_y: u16,
    pub rgba: Vec<u8>,
}

impl CursorShape {
    pub fn is_sane(&self) -> bool {
        self.width <= MAX_CURSOR_EDGE
            && self.height <= MAX_CURSOR_EDGE
            && self.hot_x <= self.width
            && self.hot_y <= self.height
            && self.rgba.len() == usize::from(self.width) * usize::from(self.height) * 4
    }
}

/// Where the cursor's hot spot stands, in pixels of the shown monitor;
/// `None` when it is on another monitor or hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorPosition(pub Option<(u16, u16)>);
