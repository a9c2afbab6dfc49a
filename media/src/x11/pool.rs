//! Lending spare keys to characters that the keyboard map lacks.
//!
//! A program looks up what a key means when it reads the key, not when it was
//! pressed: a key lent to the next character too early turns the earlier one
//! into it (enigo loses half of all kanji so). Hence: lend in batches, let them
//! settle, and lend a key again only long after its last stroke. Pure: decides
//! who gets which key and when; X is asked elsewhere.

use std::time::{Duration, Instant};

use super::keymap::Keysym;

/// What programs need to read a changed keyboard map.
pub(super) const SETTLE: Duration = Duration::from_millis(50);
/// What a slow program may take to read a key, before the key means something else.
const REUSE: Duration = Duration::from_millis(400);
/// More keys make no difference that a hand would notice.
const MOST_KEYS: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Pool {
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    keycode: u8,
    lent: Option<Keysym>,
    struck: Option<Instant>,
}

/// Keys to lend anew, and when that may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lending {
    pub(super) loans: Vec<(u8, Keysym)>,
    pub(super) not_before: Option<Instant>,
}

impl Pool {
    /// Takes in the keys that are spare now, up to a fixed number.
    pub(super) fn admit(&mut self, spare: &[u8]) {
        for keycode in spare {
            let known = self.slots.iter().any(|slot| slot.keycode == *keycode);
            if !known && self.slots.len() < MOST_KEYS {
                self.slots.push(Slot { keycode: *keycode, lent: None, struck: None });
            }
        }
    }

    /// Drops the keys that somebody else has given a meaning.
    pub(super) fn keep(&mut self, still_ours: impl Fn(u8, Option<Keysym>) -> bool) {
        self.slots.retain(|slot| still_ours(slot.keycode, slot.lent));
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn key_of(&self, keysym: Keysym) -> Option<u8> {
        self.slots.iter().find(|slot| slot.lent == Some(keysym)).map(|slot| slot.keycode)
    }

    /// Lends keys to all of `wanted` (distinct, at most [`Pool::capacity`]), those
    /// unused for longest first.
    pub(super) fn lend(&mut self, wanted: &[Keysym]) -> Lending {
        let missing: Vec<Keysym> =
            wanted.iter().copied().filter(|keysym| self.key_of(*keysym).is_none()).collect();
        let mut free: Vec<&mut Slot> = self
            .slots
            .iter_mut()
            .filter(|slot| slot.lent.is_none_or(|lent| !wanted.contains(&lent)))
            .collect();
        free.sort_by_key(|slot| slot.struck);
        let mut lending = Lending { loans: Vec::new(), not_before: None };
        for (slot, keysym) in free.into_iter().zip(missing) {
            lending.not_before = lending.not_before.max(slot.struck.map(|at| at + REUSE));
            slot.lent = Some(keysym);
            lending.loans.push((slot.keycode, keysym));
        }
        lending.loans.sort_unstable();
        lending
    }

    pub(super) fn struck(&mut self, keycode: u8, now: Instant) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.keycode == keycode) {
            slot.struck = Some(now);
        }
    }

    /// The keys that are lent, to be given back.
    pub(super) fn lent(&self) -> impl Iterator<Item = (u8, Keysym)> {
        self.slots.iter().filter_map(|slot| Some((slot.keycode, slot.lent?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(keys: &[u8]) -> Pool {
        let mut pool = Pool::default();
        pool.admit(keys);
        pool
    }

    #[test]
    fn a_character_keeps_its_key_and_needs_no_second_lending() {
        let mut pool = pool(&[200, 201]);
        assert_eq!(pool.lend(&[7, 8]).loans, vec![(200, 7), (201, 8)]);
        assert_eq!(pool.lend(&[8, 7]), Lending { loans: Vec::new(), not_before: None });
        assert_eq!(pool.key_of(8), Some(201));
    }

    #[test]
    fn a_struck_key_is_lent_again_last_and_late() {
        let mut pool = pool(&[200, 201]);
        let start = Instant::now();
        let _ = pool.lend(&[7, 8]);
        pool.struck(200, start);
        let one = pool.lend(&[9]);
        assert_eq!(one, Lending { loans: vec![(201, 9)], not_before: None });
        let two = pool.lend(&[9, 10]);
        assert_eq!(two, Lending { loans: vec![(200, 10)], not_before: Some(start + REUSE) });
    }

    #[test]
    fn the_pool_is_bounded_and_forgets_keys_that_others_took() {
        let all: Vec<u8> = (100..200).collect();
        let mut pool = pool(&all);
        assert_eq!(pool.capacity(), MOST_KEYS);
        pool.keep(|keycode, _| keycode != 100);
        assert_eq!(pool.capacity(), MOST_KEYS - 1);
    }
}
