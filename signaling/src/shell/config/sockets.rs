//! How many connections and requests there may be, and how long one may say nothing.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct SocketRules {
    pub connections: usize,
    /// From one IPv4 address or IPv6 /64.
    pub connections_per_address: usize,
    /// Requests over HTTP in a minute, and at once, from one IPv4 address or IPv6 /64. T59.
    pub requests_per_address: u32,
    /// As `requests_per_address`, of those that time a line.
    pub speed_per_address: u32,
    pub handshake: Duration,
    /// A request's head, its body, a WebSocket's first message: each.
    pub first_message: Duration,
    pub ping_every: Duration,
    pub silence: Duration,
}

impl Default for SocketRules {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 256,
            requests_per_address: 600,
            speed_per_address: 240,
            handshake: Duration::from_secs(10),
            first_message: Duration::from_secs(10),
            ping_every: Duration::from_secs(20),
            silence: Duration::from_secs(60),
        }
    }
}
