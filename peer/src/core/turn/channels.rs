//! Which addresses of the other end at its relay a client has a channel to.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub const MOST_CHANNELS: usize = 8;
const FIRST_NUMBER: u16 = 0x4000;
/// A permission lasts 300 s (RFC 8656 §9), its channel 600 s (§12).
const BIND_AGAIN: Duration = Duration::from_secs(240);

#[derive(Debug, Default)]
pub(super) struct Channels(Vec<Channel>);

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    state: Binding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    Wanted,
    Bound { again: Instant },
    Refused,
}

impl Channels {
    /// The number of a new channel; `None` where there is one, or there are too many. One that
    /// the server refused gives way.
    pub(super) fn add(&mut self, peer: SocketAddr) -> Option<u16> {
        if self.0.iter().any(|channel| channel.peer == peer) {
            return None;
        }
        if self.0.len() == MOST_CHANNELS {
            let refused = self.0.iter().position(|channel| channel.state == Binding::Refused)?;
            self.0.remove(refused);
        }
        let mut numbers = FIRST_NUMBER..FIRST_NUMBER + MOST_CHANNELS as u16;
        let number = numbers.find(|number| self.peer_of(*number).is_none())?;
        self.0.push(Channel { number, peer, state: Binding::Wanted });
        Some(number)
    }

    pub(super) fn numbers(&self) -> Vec<u16> {
        self.0.iter().map(|channel| channel.number).collect()
    }

    pub(super) fn peer_of(&self, number: u16) -> Option<SocketAddr> {
        self.0.iter().find(|channel| channel.number == number).map(|channel| channel.peer)
    }

    /// The channel that leads to `peer` now.
    pub(super) fn bound_to(&self, peer: SocketAddr) -> Option<u16> {
        let bound =
            |channel: &&Channel| channel.peer == peer && matches!(channel.state, Binding::Bound { .. });
        self.0.iter().find(bound).map(|channel| channel.number)
    }

    pub(super) fn bound(&mut self, number: u16, now: Instant) {
        self.set(number, Binding::Bound { again: now + BIND_AGAIN });
    }

    pub(super) fn refused(&mut self, number: u16) {
        self.set(number, Binding::Refused);
    }

    fn set(&mut self, number: u16, state: Binding) {
        if let Some(channel) = self.0.iter_mut().find(|channel| channel.number == number) {
            channel.state = state;
        }
    }

    /// Those to be bound again by now.
    pub(super) fn due(&self, now: Instant) -> Vec<u16> {
        let due = self.0.iter().filter(|channel| channel.again().is_some_and(|again| now >= again));
        due.map(|channel| channel.number).collect()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(Channel::again).min()
    }
}

impl Channel {
    fn again(&self) -> Option<Instant> {
        match self.state {
            Binding::Bound { again } => Some(again),
            Binding::Wanted | Binding::Refused => None,
        }
    }
}
