//! When something must be looked at again.
//!
//! Entries are reminders, not facts: whoever is reminded checks its own times, so
//! that a reminder that came too early does nothing.

use std::collections::BTreeSet;
use std::time::Instant;

use tasuki_protocol::ids::SessionId;

use super::rooms::ConnectionId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reminder {
    Agent(ConnectionId),
    Room(SessionId),
}

#[derive(Debug, Default)]
pub struct Agenda(BTreeSet<(Instant, Reminder)>);

impl Agenda {
    pub fn remind(&mut self, at: Instant, of: Reminder) {
        self.0.insert((at, of));
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The next reminder that is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Reminder> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, reminder)| reminder)
    }
}
