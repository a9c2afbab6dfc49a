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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn however_often_something_is_put_off_or_brought_forward_it_is_reminded_once() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        let (room, agent) = (Reminder::Room(SessionId([1; 16])), Reminder::Agent(ConnectionId(1)));
        let at = |second| now + Duration::from_secs(second);
        agenda.remind(at(900), agent);
        for second in (500..1000).chain(100..600) {
            agenda.remind(at(second), room);
        }
        assert_eq!((agenda.due.len(), agenda.next()), (2, Some(at(100))));
        assert_eq!((agenda.pop_due(at(99)), agenda.pop_due(at(100))), (None, Some(room)));
        assert_eq!((agenda.pop_due(at(2000)), agenda.pop_due(at(2000))), (Some(agent), None));
        agenda.remind(at(3000), room);
        assert_eq!(agenda.next(), Some(at(3000)), "and again, where it asks for it");
    }
}
