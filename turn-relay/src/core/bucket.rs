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
        let since = now.saturating_duration_since(self.told).as_secs_f64();
        self.level = (self.level + since * self.per_second).min(self.capacity);
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
