//! How often numbers may be tried: from one address, and in all (T6).
//!
//! A window slides over the joins that were let in; refused ones do not count, so
//! that the memory is bounded by the overall limit. A try that led to a
//! pairing was no guess and is given back.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The span of [`Limits::per_address`].
pub const ADDRESS_WINDOW: Duration = Duration::from_secs(600);
/// The span of [`Limits::overall`].
pub const OVERALL_WINDOW: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Tries from one IPv4 address or IPv6 /64 in [`ADDRESS_WINDOW`].
    pub per_address: usize,
    /// Tries in all in [`OVERALL_WINDOW`].
    pub overall: usize,
}

/// What counts as one place: an IPv4 address (also in its IPv6 clothes) or an IPv6 /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Place {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => Self::V6(u64::try_from(v6.to_bits() >> 64).unwrap_or_default()),
        }
    }
}

#[derive(Debug)]
pub struct Guesses {
    limits: Limits,
    overall: VecDeque<Instant>,
    places: BTreeMap<Place, VecDeque<Instant>>,
}

impl Guesses {
    pub fn new(limits: Limits) -> Self {
        Self { limits, overall: VecDeque::new(), places: BTreeMap::new() }
    }

    /// Counts a try from `place`, if it is within both limits.
    #[must_use]
    pub fn admit(&mut self, place: Place, now: Instant) -> bool {
        self.forget(now);
        let from_here = self.places.get(&place).map_or(0, VecDeque::len);
        if from_here >= self.limits.per_address || self.overall.len() >= self.limits.overall {
            return false;
        }
        self.overall.push_back(now);
        self.places.entry(place).or_default().push_back(now);
        true
    }

    /// The latest try from `place` led to a pairing.
    pub fn give_back(&mut self, place: Place) {
        if let Some(times) = self.places.get_mut(&place) {
            times.pop_back();
        }
        self.overall.pop_back();
    }

    fn forget(&mut self, now: Instant) {
        forget(&mut self.overall, OVERALL_WINDOW, now);
        self.places.retain(|_, times| {
            forget(times, ADDRESS_WINDOW, now);
            !times.is_empty()
        });
    }
}

fn forget(times: &mut VecDeque<Instant>, window: Duration, now: Instant) {
    while times.front().is_some_and(|at| now.saturating_duration_since(*at) >= window) {
        times.pop_front();
    }
}
