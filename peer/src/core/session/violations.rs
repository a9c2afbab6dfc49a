//! What the other end tried and may not: counted always, told at most once a
//! second for each right, so that a flood is no flood here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tasuki_protocol::rights::Capability;

const TOLD_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Violations {
    total: u64,
    told: BTreeMap<Capability, (u64, Instant)>,
}

impl Violations {
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Counts one; the count for this right, if it is to be told now.
    pub(super) fn count(&mut self, wanted: Capability, now: Instant) -> Option<u64> {
        self.total += 1;
        match self.told.get_mut(&wanted) {
            None => {
                self.told.insert(wanted, (1, now));
                Some(1)
            }
            Some((count, told)) => {
                *count += 1;
                (now >= *told + TOLD_EVERY).then(|| {
                    *told = now;
                    *count
                })
            }
        }
    }
}
