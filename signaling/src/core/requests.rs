//! How often one address may ask over HTTP (T59): a bucket for each that refills with time.
//!
//! It refuses to know what is asked. Who has asked for nothing longer than it takes to fill a bucket is forgotten, and
//! of more addresses than are kept at a time those that asked first are, so that memory is bounded: an
//! attacker with so many addresses gains nothing by one that starts with a full bucket again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::guesses::Place;
use super::pace::{Allowance, Pace};

/// So many addresses are kept, twice at most: those of now, and those of just before.
pub const KEPT: usize = 1 << 15;
/// The span of a [`Requests::new`]'s `per_minute`, after which a bucket is full again.
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Requests {
    allowance: Allowance,
    now: BTreeMap<Place, Pace>,
    before: BTreeMap<Place, Pace>,
    since: Instant,
}

impl Requests {
    /// So many at once from one address, and in each minute.
    pub fn new(per_minute: u32, now: Instant) -> Self {
        let allowance = Allowance { burst: per_minute, per_second: f64::from(per_minute) / 60.0 };
        Self { allowance, now: BTreeMap::new(), before: BTreeMap::new(), since: now }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// It is one too many; after so long there is room for the next.
    pub fn admit(&mut self, place: Place, now: Instant) -> Result<(), Duration> {
        if self.now.len() >= KEPT || now.saturating_duration_since(self.since) >= MINUTE {
            self.before = std::mem::take(&mut self.now);
            self.since = now;
        }
        let (allowance, before) = (self.allowance, &mut self.before);
        let known = || before.remove(&place).unwrap_or_else(|| Pace::new(allowance, now));
        let pace = self.now.entry(place).or_insert_with(known);
        if pace.take(now) { Ok(()) } else { Err(pace.wait()) }
    }

    /// So many addresses are remembered.
    pub fn kept(&self) -> usize {
        self.now.len() + self.before.len()
    }
}
