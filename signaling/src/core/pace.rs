//! How fast one connection may talk: a bucket that refills with time.
//!
//! Whoever empties it misbehaves; what happens then is the caller's decision.

use std::time::{Duration, Instant};

use super::rooms::{ConnectionId, Now, Rooms};

/// `burst` things at once, `per_second` in the long run.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    pub burst: u32,
    pub per_second: f64,
}

#[derive(Debug, Clone)]
pub struct Pace {
    allowance: Allowance,
    left: f64,
    at: Instant,
}

impl Pace {
    pub fn new(allowance: Allowance, now: Instant) -> Self {
        Self { allowance, left: f64::from(allowance.burst), at: now }
    }

    /// Takes one, if there is one.
    #[must_use]
    pub fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).max(Duration::ZERO);
        self.at = self.at.max(now);
        let refilled = self.left + passed.as_secs_f64() * self.allowance.per_second;
        self.left = refilled.min(f64::from(self.allowance.burst));
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }

    /// The one that was taken was not needed.
    pub fn give_back(&mut self) {
        self.left = (self.left + 1.0).min(f64::from(self.allowance.burst));
    }

    /// How long until there is one again, as of the last [`Self::take`].
    #[must_use]
    pub fn wait(&self) -> Duration {
        Duration::from_secs_f64(((1.0 - self.left) / self.allowance.per_second).clamp(0.0, 3600.0))
    }
}

impl Rooms {
    /// A frame that says nothing takes of the same allowance as a message (T59).
    pub(crate) fn pinged(&mut self, connection: ConnectionId, now: Now) {
        let agent = self.agents.get_mut(&connection).map(|agent| &mut agent.pace);
        if agent.is_some_and(|pace| !pace.take(now.instant)) {
            return self.stop_agent(connection);
        }
        let operator = self.desks.get_mut(&connection).map(|desk| &mut desk.pace);
        if operator.is_some_and(|pace| !pace.take(now.instant)) {
            self.stop_operator(connection);
        }
    }
}
