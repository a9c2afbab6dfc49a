//! When this program's hands were last at work: what a person types is told from what they typed by
//! that, wherever it arrived (T2).
//!
//! Decides nothing. One program has one pair of hands at most, so this is the program's.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
};

static DEEDS: Mutex<Deeds> = Mutex::new(Deeds { last: None, held: BTreeSet::new() });

#[derive(Debug)]
struct Deeds {
    last: Option<Instant>,
    /// Keys and buttons that are down: what is held repeats, and what is let go pastes.
    held: BTreeSet<(u8, u8)>,
}

impl Deeds {
    fn note(&mut self, kind: u8, detail: u8, now: Instant) {
        match kind {
            KEY_PRESS_EVENT | BUTTON_PRESS_EVENT => drop(self.held.insert((kind, detail))),
            KEY_RELEASE_EVENT => drop(self.held.remove(&(KEY_PRESS_EVENT, detail))),
            BUTTON_RELEASE_EVENT => drop(self.held.remove(&(BUTTON_PRESS_EVENT, detail))),
            _ => return,
        }
        self.last = Some(now);
    }

    fn were_at_rest(&self, since: Instant) -> bool {
        self.held.is_empty() && self.last.is_none_or(|last| last < since)
    }
}

/// An act of X's `kind`; a motion types nothing.
pub(super) fn note(kind: u8, detail: u8) {
    DEEDS.lock().unwrap_or_else(PoisonError::into_inner).note(kind, detail, Instant::now());
}

/// Whether nothing was pressed, held or let go by this program's injector from `since` until now.
pub fn hands_were_at_rest(since: Instant) -> bool {
    DEEDS.lock().unwrap_or_else(PoisonError::into_inner).were_at_rest(since)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn t2_hands_rest_when_nothing_is_held_and_the_last_act_is_long_ago() {
        let mut deeds = Deeds { last: None, held: BTreeSet::new() };
        let begin = Instant::now();
        assert!(deeds.were_at_rest(begin));
        deeds.note(KEY_PRESS_EVENT, 36, begin);
        let later = begin + Duration::from_secs(60);
        assert!(!deeds.were_at_rest(later), "a held key repeats");
        deeds.note(KEY_RELEASE_EVENT, 36, later);
        assert!(!deeds.were_at_rest(later));
        assert!(deeds.were_at_rest(later + Duration::from_nanos(1)));
        deeds.note(BUTTON_RELEASE_EVENT, 2, later + Duration::from_secs(1));
        assert!(!deeds.were_at_rest(later + Duration::from_millis(500)), "a release pastes");
    }
}
