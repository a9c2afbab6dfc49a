//! The chord that ends everything, wherever the focus is (T32): Ctrl+Alt+Shift+E.
//!
//! Decides which keys of a keyboard it is made with, and tells whether the display gave them: another
//! program may hold them already. Decides nothing of what is stopped.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, KeyButMask, ModMask};
use x11rb::wrapper::ConnectionExt as _;

use tasuki_protocol::input::PhysicalKey;

use super::connection::{Desktop, lost, refused};
use crate::desktop::StopKey;
use crate::keys;
use crate::screen::ScreenError;

/// The keysym of `e`, for "end".
const KEYSYM: u32 = 0x65;
/// Where a keyboard has it whose layout has no Latin letters.
const PLACE: PhysicalKey = PhysicalKey(0x08);
/// With and without Caps Lock and Num Lock.
const LOCKS: [u16; 4] = [0, 1 << 1, 1 << 4, 1 << 1 | 1 << 4];

/// The keys that were asked for, and what came of it.
#[derive(Debug)]
pub(super) struct Grip {
    keys: Vec<u8>,
    pub(super) state: StopKey,
}

impl Grip {
    pub(super) fn take(desktop: &Desktop) -> Result<Self, ScreenError> {
        let keys = keys(desktop)?;
        let state = grab(desktop, &keys)?;
        Ok(Self { keys, state })
    }

    /// After the layout may have changed: the chord is the same letter.
    pub(super) fn renew(&mut self, desktop: &Desktop) -> Result<(), ScreenError> {
        let keys = keys(desktop)?;
        if keys != self.keys || self.state == StopKey::Missing {
            release(desktop)?;
            self.state = grab(desktop, &keys)?;
            self.keys = keys;
        }
        Ok(())
    }

    /// Whoever comes next gets it: the display has heard of it when this returns.
    pub(super) fn let_go(desktop: &Desktop) {
        // A display that is gone holds nothing.
        let _ = release(desktop);
        let _ = desktop.connection.sync();
    }
}

fn release(desktop: &Desktop) -> Result<(), ScreenError> {
    const ANY_KEY: u8 = 0;
    let released = desktop.connection.ungrab_key(ANY_KEY, desktop.root, ModMask::ANY);
    released.map_err(lost)?.ignore_error();
    Ok(())
}

/// Held where each of the keys is, whatever locks are on: which layout counts is for the person to say.
fn grab(desktop: &Desktop, keys: &[u8]) -> Result<StopKey, ScreenError> {
    let c = &desktop.connection;
    let modifiers =
        u16::from(KeyButMask::CONTROL) | u16::from(KeyButMask::SHIFT) | u16::from(KeyButMask::MOD1);
    let mut asked = Vec::new();
    for key in keys {
        for locks in LOCKS {
            let chord = ModMask::from(modifiers | locks);
            let (mode, root) = (GrabMode::ASYNC, desktop.root);
            asked.push(c.grab_key(false, root, chord, *key, mode, mode).map_err(lost)?);
        }
    }
    let granted: Vec<bool> = asked.into_iter().map(|asked| asked.check().is_ok()).collect();
    let held = !granted.is_empty() && granted.iter().all(|granted| *granted);
    c.flush().map_err(lost)?;
    Ok(if held { StopKey::Held } else { StopKey::Missing })
}

fn keys(desktop: &Desktop) -> Result<Vec<u8>, ScreenError> {
    let c = &desktop.connection;
    let (first, last) = (c.setup().min_keycode, c.setup().max_keycode);
    let map = c.get_keyboard_mapping(first, last - first + 1).map_err(lost)?;
    let map = map.reply().map_err(refused("keyboard map"))?;
    Ok(keys_of(first, map.keysyms_per_keycode.into(), &map.keysyms))
}

/// Every key that is an E in any of the layouts between which the person switches.
fn keys_of(first: u8, width: usize, keysyms: &[u32]) -> Vec<u8> {
    let rows = keysyms.chunks(width.max(1)).zip(first..=u8::MAX);
    let found: Vec<u8> = rows.filter(|(row, _)| row.contains(&KEYSYM)).map(|(_, key)| key).collect();
    if found.is_empty() { keys::keycode(PLACE).into_iter().collect() } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYRILLIC_U: u32 = 0x6d5;

    #[test]
    fn t32_the_stop_key_is_the_letter_in_whatever_layout_has_it_and_else_its_place() {
        let plain = [0x64, 0x44, 0x65, 0x45, 0x66, 0x46];
        assert_eq!(keys_of(25, 2, &plain), [26]);
        let second = [CYRILLIC_U, 0x6f5, 0x65, 0x45];
        assert_eq!(keys_of(26, 4, &second), [26], "Latin letters are the second layout");
        assert_eq!(keys_of(26, 4, &[CYRILLIC_U, 0x6f5, 0, 0]), [26], "there are none");
        assert_eq!(keys_of(8, 0, &[]), [26]);
    }
}
