//! How often numbers may be tried: from one address, and in all (T6).
//!
//! A window slides over the joins that were let in; refused ones do not count, so
//! that the memory is bounded by the overall limit. A try that led to a
//! pairing was no guess and is given back. Places that have tried already share one half of
//! the overall limit, so that a few of them cannot spend it for those who come for the first
//! time: that takes as many places as the limit has tries.

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
    /// Tries in all in [`OVERALL_WINDOW`]; at most half of them are another try of a place.
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

/// Whether a place had tried before, within [`ADDRESS_WINDOW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    First,
    Another,
}

#[derive(Debug)]
pub struct Guesses {
    limits: Limits,
    firsts: VecDeque<Instant>,
    others: VecDeque<Instant>,
    places: BTreeMap<Place, VecDeque<(Instant, Try)>>,
}

impl Guesses {
    pub fn new(limits: Limits) -> Self {
        Self { limits, firsts: VecDeque::new(), others: VecDeque::new(), places: BTreeMap::new() }
    }

    /// Counts a try from `place`, if it is within both limits.
    #[must_use]
    pub fn admit(&mut self, place: Place, now: Instant) -> bool {
        self.forget(now);
        let from_here = self.places.get(&place).map_or(0, VecDeque::len);
        let of = if from_here == 0 { Try::First } else { Try::Another };
        let is_full = self.firsts.len() + self.others.len() >= self.limits.overall;
        let is_shared_out = of == Try::Another && self.others.len() >= self.limits.overall.div_ceil(2);
        if from_here >= self.limits.per_address || is_full || is_shared_out {
            return false;
        }
        self.all(of).push_back(now);
        self.places.entry(place).or_default().push_back((now, of));
        true
    }

    fn all(&mut self, of: Try) -> &mut VecDeque<Instant> {
        match of {
            Try::First => &mut self.firsts,
            Try::Another => &mut self.others,
        }
    }

    /// The latest try from `place` led to a pairing.
    pub fn give_back(&mut self, place: Place) {
        let last = self.places.get_mut(&place).and_then(VecDeque::pop_back);
        if let Some((_, of)) = last {
            self.all(of).pop_back();
        }
    }

    fn forget(&mut self, now: Instant) {
        let is_over = |at: Instant, window| now.saturating_duration_since(at) >= window;
        for times in [&mut self.firsts, &mut self.others] {
            while times.front().is_some_and(|at| is_over(*at, OVERALL_WINDOW)) {
                times.pop_front();
            }
        }
        self.places.retain(|_, times| {
            while times.front().is_some_and(|(at, _)| is_over(*at, ADDRESS_WINDOW)) {
                times.pop_front();
            }
            !times.is_empty()
        });
    }
}
