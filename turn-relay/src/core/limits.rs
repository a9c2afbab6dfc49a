//! The quotas of a relay. They bound its memory; they rank nobody.

use std::time::Duration;

/// How much of everything there may be at once. Every field bounds memory.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a connection may take from its first byte to its whole ticket.
    pub present_within: Duration,
    /// How long an end waits for the other one; never beyond its ticket's
    /// expiry, because the other end's ticket was issued with it.
    pub wait: Duration,
    /// Connections that have shown no good ticket. Above it the longest-waiting gives way.
    pub arriving: usize,
    /// The same, of one address.
    pub arriving_per_address: usize,
    /// Ends that wait for their other end.
    pub waiting: usize,
    /// Legs, joined or waiting to be: who waits has its place when the other comes.
    pub pairs: usize,
    /// Connections with a good ticket from one IPv4 address or IPv6 /64.
    pub per_address: usize,
    /// Legs of one session: old paths that die while new ones start.
    pub legs_per_session: usize,
    /// Used tickets remembered, each until it expires.
    pub remembered_tickets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            present_within: Duration::from_secs(8),
            wait: Duration::from_secs(30),
            arriving: 1024,
            arriving_per_address: 128,
            waiting: 512,
            pairs: 1024,
            per_address: 256,
            legs_per_session: 4,
            remembered_tickets: 65_536,
        }
    }
}
