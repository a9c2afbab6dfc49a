//! How fast one connection may talk: a bucket that refills with time.
//!
//! Whoever empties it misbehaves; what happens then is the caller's decision.

use std::time::{Duration, Instant};

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
}
