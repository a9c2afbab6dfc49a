//! Token buckets: how much may pass now, and when more may.
//!
//! Two uses: bytes of one pair, and STUN answers to one address. It decides
//! amounts only; who waits and how is the shell's business.

use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use super::address::AddressBlock;

/// Fills at a steady rate up to a bound, and is emptied by what passes.
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: f64,
    capacity: f64,
    level: f64,
    told: Instant,
}

impl Bucket {
    /// A full bucket. `per_second` and `capacity` are at least 1.
    pub fn new(per_second: u64, capacity: u64, now: Instant) -> Self {
        let capacity = capacity.max(1) as f64;
        Self { per_second: per_second.max(1) as f64, capacity, level: capacity, told: now }
    }

    /// Whether anything may pass now.
    ///
    /// # Errors
    /// The bucket is empty until the instant returned.
    pub fn ready(&mut self, now: Instant) -> Result<(), Instant> {
        self.fill(now);
        if self.level < 1.0 {
            let missing = (1.0 - self.level) / self.per_second;
            return Err(now + Duration::from_secs_f64(missing.min(3600.0)));
        }
        Ok(())
    }

    /// Notes what passed after [`ready`](Self::ready); the debt of a large
    /// amount delays the next one.
    pub fn spend(&mut self, amount: u64) {
        self.level -= amount as f64;
    }

    /// [`ready`](Self::ready) and [`spend`](Self::spend) in one.
    ///
    /// # Errors
    /// The bucket is empty until the instant returned.
    pub fn take(&mut self, amount: u64, now: Instant) -> Result<(), Instant> {
        self.ready(now)?;
        self.spend(amount);
        Ok(())
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.told).as_secs_f64();
        self.level = (self.level + elapsed * self.per_second).min(self.capacity);
        self.told = self.told.max(now);
    }
}

const SLOTS: usize = 4096;

/// A rate for each address in memory that never grows: addresses are hashed
/// with a secret seed into 4096 buckets. A stranger cannot choose whose bucket
/// it shares, and a flood from forged sources cannot make the table larger.
#[derive(Debug)]
pub struct AddressRate<S> {
    seed: S,
    buckets: Vec<Bucket>,
}

impl<S: BuildHasher> AddressRate<S> {
    pub fn new(seed: S, per_second: u64, burst: u64, now: Instant) -> Self {
        Self { seed, buckets: vec![Bucket::new(per_second, burst, now); SLOTS] }
    }

    /// Whether one more answer may go to `block` now.
    #[must_use]
    pub fn allows(&mut self, block: AddressBlock, now: Instant) -> bool {
        let mut hasher = self.seed.build_hasher();
        std::hash::Hash::hash(&block, &mut hasher);
        let slot = (hasher.finish() % SLOTS as u64) as usize;
        self.buckets[slot].take(1, now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasherDefault, DefaultHasher};

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 5, start);
        let passed = (0..20).filter(|_| bucket.take(1, start).is_ok()).count();
        assert_eq!(passed, 5);

        let later = start + Duration::from_secs(1);
        let passed = (0..20).filter(|_| bucket.take(1, later).is_ok()).count();
        assert_eq!(passed, 5, "never more than the capacity");
    }

    #[test]
    fn an_empty_bucket_says_when_it_is_worth_asking_again() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1000, 1000, start);
        bucket.take(3000, start).unwrap();
        let again = bucket.take(1, start).unwrap_err();
        assert!(again > start + Duration::from_millis(1999));
        assert!(bucket.take(1, again + Duration::from_millis(1)).is_ok());
    }

    #[test]
    fn a_clock_that_is_told_backwards_gives_nothing_away() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut bucket = Bucket::new(1, 1, start);
        bucket.take(1, start).unwrap();
        assert!(bucket.take(1, start - Duration::from_secs(50)).is_err());
        assert!(bucket.take(1, start).is_err());
    }

    #[test]
    fn one_address_that_asks_too_often_leaves_the_others_alone() {
        let now = Instant::now();
        let seed = BuildHasherDefault::<DefaultHasher>::default();
        let mut rate = AddressRate::new(seed, 10, 5, now);
        let loud = AddressBlock::V6(1);
        assert_eq!((0..100).filter(|_| rate.allows(loud, now)).count(), 5);
        assert!(rate.allows(AddressBlock::V6(2), now));
    }
}
