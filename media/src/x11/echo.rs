//! Telling our own injected acts from a human's (T2, T32).
//!
//! X tells that an event is synthetic, not whose: the assistive programs of the
//! person at the desk are synthetic as well. So the injector leaves a note of
//! each act, and an act without a note is a human's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The display tells an act within a few milliseconds; a note older than this
/// belongs to an act that it never told.
const LIFETIME: Duration = Duration::from_secs(2);
const MOST_NOTES: usize = 4096;

/// What a display tells of a hand. Numbers are X's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    KeyPress(u8),
    ButtonPress(u8),
    Motion,
}

/// The notes, shared by an injector and the watcher of the same display.
#[derive(Debug, Clone, Default)]
pub struct Echo(Arc<Mutex<VecDeque<Note>>>);

#[derive(Debug, Clone, Copy)]
struct Note {
    act: Act,
    written: Instant,
}

impl Echo {
    /// To be called before the display gets the act.
    pub(super) fn expect(&self, act: Act, now: Instant) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() == MOST_NOTES {
            notes.pop_front();
        }
        notes.push_back(Note { act, written: now });
    }

    /// Whether an act is ours; each note stands for one act.
    pub(super) fn recognise(&self, act: Act, now: Instant) -> bool {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.retain(|note| now.saturating_duration_since(note.written) < LIFETIME);
        let Some(place) = notes.iter().position(|note| note.act == act) else {
            return false;
        };
        notes.remove(place);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_stands_for_one_act_of_its_kind() {
        let (echo, now) = (Echo::default(), Instant::now());
        echo.expect(Act::KeyPress(38), now);
        assert!(!echo.recognise(Act::KeyPress(39), now));
        assert!(!echo.recognise(Act::ButtonPress(38), now));
        assert!(echo.recognise(Act::KeyPress(38), now));
        assert!(!echo.recognise(Act::KeyPress(38), now), "the second one is a human's");
    }

    #[test]
    fn an_old_note_excuses_nobody() {
        let (echo, now) = (Echo::default(), Instant::now());
        echo.expect(Act::Motion, now);
        assert!(!echo.recognise(Act::Motion, now + LIFETIME));
    }

    #[test]
    fn the_notes_are_bounded() {
        let (echo, now) = (Echo::default(), Instant::now());
        for _ in 0..2 * MOST_NOTES {
            echo.expect(Act::Motion, now);
        }
        let ours = (0..2 * MOST_NOTES).filter(|_| echo.recognise(Act::Motion, now)).count();
        assert_eq!(ours, MOST_NOTES);
    }
}
