//! How much longer a packet was under way than the fastest one.
//!
//! A relayed leg that hung delivers afterwards what it kept: input in it is as
//! stale as if this program had kept it (T50). The two ends' clocks need not
//! agree; only how far apart they are must hardly change.

use crate::core::arq::STALE;

/// Milliseconds for which the fastest transit counts one more: more than clocks drift.
const DRIFT_EVERY_MS: u32 = 5000;
/// When everything has been late for so long, the way has simply become longer.
const LONGER_WAY_MS: u32 = 3000;

#[derive(Debug, Default)]
pub(super) struct Lateness {
    fastest: Option<Fastest>,
    /// Since when everything is late, and the fastest of it.
    late: Option<(u32, Fastest)>,
}

#[derive(Debug, Clone, Copy)]
struct Fastest {
    /// Difference of the two clocks plus the transit.
    transit_ms: i64,
    at_ms: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Freshness {
    Fresh,
    /// Kept on the way for longer than input may wait.
    Late,
}

impl Lateness {
    pub(super) fn judge(&mut self, sent_ms: u32, own_ms: u32) -> Freshness {
        let transit_ms = i64::from(own_ms) - i64::from(sent_ms);
        let expected = self.fastest.map_or(transit_ms, |fastest| {
            let passed = own_ms.saturating_sub(fastest.at_ms) / DRIFT_EVERY_MS;
            fastest.transit_ms + i64::from(passed)
        });
        let this = Fastest { transit_ms, at_ms: own_ms };
        if transit_ms <= expected {
            self.fastest = Some(this);
        }
        let stale = i64::try_from(STALE.as_millis()).unwrap_or(i64::MAX);
        if transit_ms <= expected + stale {
            self.late = None;
            return Freshness::Fresh;
        }
        let (since, least) = self.late.unwrap_or((own_ms, this));
        let least = if transit_ms < least.transit_ms { this } else { least };
        self.late = Some((since, least));
        if own_ms >= since.saturating_add(LONGER_WAY_MS) {
            self.fastest = Some(least);
            self.late = None;
        }
        Freshness::Late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t50_what_was_kept_on_the_way_for_more_than_half_a_second_is_late_whatever_the_clocks_say() {
        for ahead in [0, 1_000_000] {
            let mut lateness = Lateness::default();
            assert_eq!(lateness.judge(1000, ahead + 1040), Freshness::Fresh);
            assert_eq!(lateness.judge(2000, ahead + 2020), Freshness::Fresh);
            assert_eq!(lateness.judge(3000, ahead + 3520), Freshness::Fresh);
            assert_eq!(lateness.judge(4000, ahead + 4521), Freshness::Late);
            assert_eq!(lateness.judge(5000, ahead + 5030), Freshness::Fresh);
        }
    }

    #[test]
    fn a_way_that_has_become_longer_for_good_is_late_for_three_seconds_only() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.judge(0, 20), Freshness::Fresh);
        for ms in (1000..=4000).step_by(100) {
            assert_eq!(lateness.judge(ms, ms + 700), Freshness::Late);
        }
        assert_eq!(lateness.judge(4100, 4800), Freshness::Fresh);
    }

    #[test]
    fn a_clock_that_drifts_by_a_second_in_eight_hours_makes_nothing_late() {
        let mut lateness = Lateness::default();
        for second in 0..8 * 3600u32 {
            let drift = second / 30;
            assert_eq!(lateness.judge(second * 1000, second * 1000 + 20 + drift), Freshness::Fresh);
        }
    }
}
