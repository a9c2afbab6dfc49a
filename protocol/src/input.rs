//! What a viewer asks a host's desktop to do: pointer, buttons, wheel, keys, text.
//!
//! Keys are physical: the position on the keyboard, not the letter. What a
//! position means is decided by the host's own keyboard map, as if the viewer
//! sat there. Text is for what no key of the host can produce.

use serde::{Deserialize, Serialize};

use crate::screen::MonitorId;

/// The longest text one event may carry, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 4096;

/// One act of the viewer's hand. S2, S14, S19, S24.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputEvent {
    /// Pixels from the top left corner of `monitor`, clamped to it by the host.
    PointerMove {
        monitor: MonitorId,
        x: u16,
        y: u16,
    },
    Button {
        button: PointerButton,
        action: KeyAction,
    },
    /// In 1/120 of a wheel detent; positive is right and down.
    Wheel {
        dx: i16,
        dy: i16,
    },
    Key {
        key: PhysicalKey,
        action: KeyAction,
    },
    /// At most [`MAX_TEXT_BYTES`]; a host refuses more.
    Text(String),
    /// Every key and button that the viewer holds is let go. T50.
    ReleaseAll,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyAction {
    Press,
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PointerButton {
    Left,
    Middle,
    Right,
    Back,
    Forward,
}

/// A key's position: a usage of page 0x07 of the USB HID Usage Tables 1.5
/// (`0x04` is the key that bears A on a US keyboard, `0xE0` left Control).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PhysicalKey(pub u16);

impl PhysicalKey {
    pub const ENTER: Self = Self(0x28);
    pub const ESCAPE: Self = Self(0x29);
    pub const BACKSPACE: Self = Self(0x2A);
    pub const TAB: Self = Self(0x2B);
    pub const SPACE: Self = Self(0x2C);
    pub const LEFT_CONTROL: Self = Self(0xE0);
    pub const LEFT_SHIFT: Self = Self(0xE1);
    pub const LEFT_ALT: Self = Self(0xE2);
    pub const LEFT_META: Self = Self(0xE3);
    pub const RIGHT_CONTROL: Self = Self(0xE4);
    pub const RIGHT_SHIFT: Self = Self(0xE5);
    pub const RIGHT_ALT: Self = Self(0xE6);
    pub const RIGHT_META: Self = Self(0xE7);
}
