//! Typing text: with the desktop's own keys where they make it, with lent keys where not.
//!
//! Decides the order of strokes and waits. Which key is lent to what is the
//! pool's matter; rights and lengths are the injector's.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask};

use super::connection::{lost, refused};
use super::hands::{Hands, as_inject_error};
use super::keymap::{Group, Keymap, Keysym, Level, Stroke, has_case, keysym_of};
use super::pool::{Pool, SETTLE};
use crate::input::{InjectError, Leave};
use crate::screen::ScreenError;

/// How often a wait looks whether it was interrupted.
const GLANCE: Duration = Duration::from_millis(10);
/// So many letters are struck between two looks at whether the rest may follow.
const AT_ONCE: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Typist {
    pool: Pool,
}

/// The keyboard as it is now.
struct Keyboard {
    keymap: Keymap,
    group: Group,
    shift: Option<u8>,
    caps_lock: bool,
}

#[derive(Debug, Clone, Copy)]
enum Letter {
    Native(Stroke, Keysym),
    Foreign(Keysym),
}

impl Typist {
    /// `may_go_on` is asked again and again while it lasts: before every few letters.
    pub(super) fn type_text(
        &mut self,
        hands: &Hands,
        text: &str,
        leave: &Leave,
        may_go_on: &mut dyn FnMut() -> Result<(), InjectError>,
    ) -> Result<(), InjectError> {
        let keysyms: Option<Vec<Keysym>> = text.chars().filter(|c| *c != '\r').map(keysym_of).collect();
        let keysyms = keysyms.ok_or(InjectError::ControlCharacter)?;
        let keyboard = Keyboard::read(hands).map_err(as_inject_error)?;
        let letters: Vec<Letter> = keysyms.into_iter().map(|sym| keyboard.letter(sym)).collect();
        if letters.iter().any(|letter| matches!(letter, Letter::Foreign(_))) {
            self.stock(&keyboard.keymap)?;
        }
        for batch in batches(&letters, self.pool.capacity()) {
            self.prepare(hands, batch, leave)?;
            for letters in batch.chunks(AT_ONCE) {
                may_go_on()?;
                for letter in letters {
                    self.strike(hands, &keyboard, *letter)?;
                }
                hands.flush()?;
            }
        }
        Ok(())
    }

    /// Gives back every lent key that still means what it was lent for.
    pub(super) fn restore(&mut self, hands: &Hands) {
        let Ok(keymap) = read_keymap(hands) else {
            return;
        };
        let lent: Vec<(u8, Keysym)> = self.pool.lent().collect();
        for (keycode, _) in lent.into_iter().filter(|(code, sym)| keymap.holds(*code, *sym)) {
            // The display may be gone already; then there is nothing to give back.
            let _ = remap(hands, &[(keycode, 0)]);
        }
        self.pool = Pool::default();
    }

    fn stock(&mut self, keymap: &Keymap) -> Result<(), InjectError> {
        let spare = keymap.spare();
        self.pool.keep(|keycode, lent| match lent {
            Some(keysym) => keymap.holds(keycode, keysym),
            None => spare.contains(&keycode),
        });
        self.pool.admit(&spare);
        if self.pool.capacity() == 0 { Err(InjectError::NoSpareKey) } else { Ok(()) }
    }

    fn prepare(&mut self, hands: &Hands, batch: &[Letter], leave: &Leave) -> Result<(), InjectError> {
        let lending = self.pool.lend(&foreign(batch));
        if let Some(moment) = lending.not_before {
            wait_until(moment, leave)?;
        }
        if lending.loans.is_empty() {
            return leave.check();
        }
        for run in contiguous(&lending.loans) {
            remap(hands, run)?;
        }
        hands.flush()?;
        wait_until(Instant::now() + SETTLE, leave)
    }

    fn strike(
        &mut self,
        hands: &Hands,
        keyboard: &Keyboard,
        letter: Letter,
    ) -> Result<(), InjectError> {
        match letter {
            Letter::Native(stroke, keysym) => keyboard.strike(hands, stroke, keysym),
            Letter::Foreign(keysym) => {
                let keycode = self.pool.key_of(keysym).ok_or(InjectError::NoSpareKey)?;
                self.pool.struck(keycode, Instant::now());
                hands.press_key(keycode)?;
                hands.release_key(keycode)
            }
        }
    }
}

impl Keyboard {
    fn read(hands: &Hands) -> Result<Self, ScreenError> {
        let c = &hands.desktop.connection;
        let pointer = c.query_pointer(hands.desktop.root).map_err(lost)?;
        let modifiers = c.get_modifier_mapping().map_err(lost)?;
        let keymap = read_keymap(hands)?;
        let modifiers = modifiers.reply().map_err(refused("modifier keys"))?;
        let per_modifier = usize::from(modifiers.keycodes_per_modifier());
        let shift = modifiers.keycodes.iter().take(per_modifier).find(|code| **code != 0).copied();
        let mask = pointer.reply().map_err(refused("keyboard state"))?.mask;
        let caps_lock = mask.contains(KeyButMask::LOCK);
        Ok(Self { keymap, group: read_group(hands)?, shift, caps_lock })
    }

    fn letter(&self, keysym: Keysym) -> Letter {
        match self.keymap.stroke(keysym, self.group) {
            Some(stroke) => Letter::Native(stroke, keysym),
            None => Letter::Foreign(keysym),
        }
    }

    fn strike(&self, hands: &Hands, stroke: Stroke, keysym: Keysym) -> Result<(), InjectError> {
        let turned = self.caps_lock && has_case(keysym);
        let (shifted, altgr) = match stroke.level {
            Level::Plain => (turned, false),
            Level::Shift => (!turned, false),
            Level::AltGr => (turned, true),
            Level::ShiftAltGr => (!turned, true),
        };
        let held: Vec<u8> =
            [if shifted { self.shift } else { None }, if altgr { self.keymap.level3() } else { None }]
                .into_iter()
                .flatten()
                .collect();
        for modifier in &held {
            hands.press_key(*modifier)?;
        }
        hands.press_key(stroke.keycode)?;
        hands.release_key(stroke.keycode)?;
        held.iter().rev().try_for_each(|modifier| hands.release_key(*modifier))
    }
}

fn read_keymap(hands: &Hands) -> Result<Keymap, ScreenError> {
    let c = &hands.desktop.connection;
    let (first, last) = (c.setup().min_keycode, c.setup().max_keycode);
    let map = c
        .get_keyboard_mapping(first, last - first + 1)
        .map_err(lost)?
        .reply()
        .map_err(refused("keyboard map"))?;
    Ok(Keymap { first, columns: map.keysyms_per_keycode.into(), keysyms: map.keysyms })
}

fn read_group(hands: &Hands) -> Result<Group, ScreenError> {
    if !hands.desktop.has(xkb::X11_EXTENSION_NAME)? {
        return Ok(Group::First);
    }
    let c = &hands.desktop.connection;
    c.xkb_use_extension(1, 0).map_err(lost)?.reply().map_err(refused("XKB version"))?;
    let state = c
        .xkb_get_state(xkb::ID::USE_CORE_KBD.into())
        .map_err(lost)?
        .reply()
        .map_err(refused("keyboard state"))?;
    Ok(match u8::from(state.group) {
        0 => Group::First,
        1 => Group::Second,
        _ => Group::Other,
    })
}

/// Neighbouring keycodes in one request: each request makes every program read the map again.
fn remap(hands: &Hands, loans: &[(u8, Keysym)]) -> Result<(), InjectError> {
    let Some((first, _)) = loans.first() else {
        return Ok(());
    };
    let keysyms: Vec<Keysym> = loans.iter().flat_map(|(_, sym)| [*sym, *sym]).collect();
    hands
        .desktop
        .connection
        .change_keyboard_mapping(loans.len() as u8, *first, 2, &keysyms)
        .map_err(|_| InjectError::Lost)?
        .ignore_error();
    Ok(())
}

fn contiguous(loans: &[(u8, Keysym)]) -> impl Iterator<Item = &[(u8, Keysym)]> {
    loans.chunk_by(|(one, _), (next, _)| u16::from(*one) + 1 == u16::from(*next))
}

/// Cuts the letters so that no batch has more distinct foreign ones than `capacity`.
fn batches(letters: &[Letter], capacity: usize) -> Vec<&[Letter]> {
    let mut batches = Vec::new();
    let mut start = 0;
    for end in 1..=letters.len() {
        if end - start > 1 && foreign(&letters[start..end]).len() > capacity {
            batches.push(&letters[start..end - 1]);
            start = end - 1;
        }
    }
    if start < letters.len() {
        batches.push(&letters[start..]);
    }
    batches
}

fn foreign(letters: &[Letter]) -> Vec<Keysym> {
    let mut distinct = Vec::new();
    for letter in letters {
        match letter {
            Letter::Foreign(keysym) if !distinct.contains(keysym) => distinct.push(*keysym),
            Letter::Foreign(_) | Letter::Native(..) => {}
        }
    }
    distinct
}

fn wait_until(moment: Instant, leave: &Leave) -> Result<(), InjectError> {
    loop {
        leave.check()?;
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_never_needs_more_keys_than_there_are() {
        let native = Letter::Native(Stroke { keycode: 9, level: Level::Plain }, 65);
        let letters = [1, 2, 1, 3, 2, 4, 5, 5].map(Letter::Foreign);
        let mut mixed = vec![native, native];
        mixed.extend(letters);
        let cut = batches(&mixed, 2);
        assert_eq!(cut.iter().map(|b| b.len()).collect::<Vec<_>>(), vec![5, 2, 3]);
        assert!(cut.iter().all(|b| foreign(b).len() <= 2));
        assert!(batches(&[], 2).is_empty());
    }

    #[test]
    fn neighbouring_keys_are_lent_in_one_request() {
        let loans = [(200, 1), (201, 2), (205, 3)];
        let runs: Vec<usize> = contiguous(&loans).map(<[_]>::len).collect();
        assert_eq!(runs, vec![2, 1]);
    }
}
