//! Which tickets have been presented before (T45: single use).
//!
//! A ticket is known by its expiry and nonce together, so that what may be
//! forgotten is always the front of one ordered set. It judges no signature.

use std::collections::BTreeSet;

use tasuki_protocol::ticket::Ticket;

/// The memory of presented tickets, as long as they could be presented again.
#[derive(Debug)]
pub struct UsedTickets {
    seen: BTreeSet<(u64, [u8; 16])>,
    /// The latest expiry ever forgotten. A clock set back must not revive
    /// a ticket whose use is no longer remembered.
    forgotten: u64,
    limit: usize,
}

/// What the memory says of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    Fresh,
    Before,
    /// No room to remember it, so that it cannot be accepted.
    MemoryFull,
}

impl UsedTickets {
    /// Remembers at most `limit` tickets.
    pub fn new(limit: usize) -> Self {
        Self { seen: BTreeSet::new(), forgotten: 0, limit }
    }

    #[must_use]
    pub fn look_up(&self, ticket: &Ticket) -> Presented {
        if ticket.expires <= self.forgotten || self.seen.contains(&(ticket.expires, ticket.nonce)) {
            return Presented::Before;
        }
        if self.seen.len() >= self.limit {
            return Presented::MemoryFull;
        }
        Presented::Fresh
    }

    pub fn burn(&mut self, ticket: &Ticket) {
        self.seen.insert((ticket.expires, ticket.nonce));
    }

    /// Drops what has expired at `unix` (seconds since 1970).
    pub fn forget(&mut self, unix: u64) {
        while let Some(&(expires, nonce)) = self.seen.first()
            && expires <= unix
        {
            self.seen.remove(&(expires, nonce));
            self.forgotten = self.forgotten.max(expires);
        }
    }

    pub fn len(&self) -> usize {
        self.seen.len()
    }

    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::ids::{Role, SessionId};

    fn ticket(expires: u64, nonce: u8) -> Ticket {
        Ticket { session: SessionId([0; 16]), leg: 0, role: Role::Agent, expires, nonce: [nonce; 16] }
    }

    #[test]
    fn t45_a_ticket_is_remembered_until_it_expires() {
        let mut used = UsedTickets::new(10);
        used.burn(&ticket(100, 1));
        used.forget(99);
        assert_eq!(used.look_up(&ticket(100, 1)), Presented::Before);
        assert_eq!(used.look_up(&ticket(100, 2)), Presented::Fresh);
        used.forget(100);
        assert!(used.is_empty());
    }

    #[test]
    fn t45_a_clock_set_back_revives_nothing_that_was_forgotten() {
        let mut used = UsedTickets::new(10);
        used.burn(&ticket(100, 1));
        used.forget(90_000);
        assert_eq!(used.look_up(&ticket(100, 1)), Presented::Before);
        assert_eq!(used.look_up(&ticket(101, 1)), Presented::Fresh);
    }

    #[test]
    fn a_full_memory_accepts_nothing_rather_than_forget() {
        let mut used = UsedTickets::new(1);
        used.burn(&ticket(100, 1));
        assert_eq!(used.look_up(&ticket(100, 2)), Presented::MemoryFull);
        assert_eq!(used.look_up(&ticket(100, 1)), Presented::Before);
    }
}
