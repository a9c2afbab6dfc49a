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
const KEPT: usize = 1 << 15;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: u32) -> Place {
        Place::V4(address)
    }

    #[test]
    fn t59_an_address_has_its_burst_and_its_rate_and_takes_from_no_other() {
        let begun = Instant::now();
        let mut requests = Requests::new(60, begun);
        let served = |requests: &mut Requests, of, now| {
            (0..200).filter(|_| requests.admit(at(of), now).is_ok()).count()
        };
        assert_eq!(served(&mut requests, 1, begun), 60);
        assert_eq!(requests.admit(at(1), begun), Err(Duration::from_secs(1)));
        assert_eq!(served(&mut requests, 2, begun), 60);
        // While generations pass, too: who goes on asking has what the time has given, and no more.
        let mut in_ten_minutes = 0;
        for half_seconds in 1..=1200 {
            let now = begun + Duration::from_millis(500 * half_seconds);
            in_ten_minutes += usize::from(requests.admit(at(1), now).is_ok());
        }
        assert_eq!(in_ten_minutes, 600);
    }

    #[test]
    fn t59_addresses_without_number_take_up_no_memory_without_bound() {
        let begun = Instant::now();
        let mut requests = Requests::new(60, begun);
        for place in 0..400_000 {
            requests.admit(at(place), begun).ok();
        }
        assert!(requests.now.len() + requests.before.len() <= 2 * KEPT);
        let later = begun + 3 * MINUTE;
        for place in [1, 2] {
            requests.admit(at(place), later + MINUTE * place).ok();
        }
        assert_eq!(requests.now.len() + requests.before.len(), 2);
    }
}
