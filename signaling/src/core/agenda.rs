//! When something must be looked at again.
//!
//! An entry is a reminder, not a fact: whoever is reminded checks its own times, and asks for
//! another where they are later. One for each, the earliest: however often its times change, none pile up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tasuki_protocol::ids::SessionId;

use super::rooms::ConnectionId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reminder {
    Agent(ConnectionId),
    Room(SessionId),
}

#[derive(Debug, Default)]
pub struct Agenda {
    due: BTreeSet<(Instant, Reminder)>,
    /// The same, by whom they remind.
    at: BTreeMap<Reminder, Instant>,
}

impl Agenda {
    /// At `at`, or when it is reminded before.
    pub fn remind(&mut self, at: Instant, of: Reminder) {
        if let Some(before) = self.at.get(&of).copied() {
            if before <= at {
                return;
            }
            self.due.remove(&(before, of));
        }
        self.at.insert(of, at);
        self.due.insert((at, of));
    }

    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next reminder that is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Reminder> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        let (_, reminder) = self.due.pop_first()?;
        self.at.remove(&reminder);
        Some(reminder)
    }
}
