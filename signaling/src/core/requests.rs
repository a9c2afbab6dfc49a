//! How often one address may ask over HTTP (T59), or be wrong as a stranger (R5): a bucket for each that refills with time.
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
#[derive(Debug)]
pub struct Requests {
    allowance: Allowance,
    /// After which a bucket is full again.
    span: Duration,
    now: BTreeMap<Place, Pace>,
    before: BTreeMap<Place, Pace>,
    since: Instant,
}

impl Requests {
    /// So many at once from one address, and in each `span`.
    pub fn new(most: u32, span: Duration, now: Instant) -> Self {
        let allowance = Allowance { burst: most, per_second: f64::from(most) / span.as_secs_f64() };
        Self { allowance, span, now: BTreeMap::new(), before: BTreeMap::new(), since: now }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// It is one too many; after so long there is room for the next.
    pub fn admit(&mut self, place: Place, now: Instant) -> Result<(), Duration> {
        if self.now.len() >= KEPT || now.saturating_duration_since(self.since) >= self.span {
            self.before = std::mem::take(&mut self.now);
            self.since = now;
        }
        let (allowance, before) = (self.allowance, &mut self.before);
        let known = || before.remove(&place).unwrap_or_else(|| Pace::new(allowance, now));
        let pace = self.now.entry(place).or_insert_with(known);
        if pace.take(now) { Ok(()) } else { Err(pace.wait()) }
    }

    /// One of those that [`Self::admit`] counted was none that counts.
    pub fn give_back(&mut self, place: Place) {
        let known = self.now.get_mut(&place).or_else(|| self.before.get_mut(&place));
        known.map(Pace::give_back);
    }

    /// So many addresses are remembered.
    pub fn kept(&self) -> usize {
        self.now.len() + self.before.len()
    }
}
