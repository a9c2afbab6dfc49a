//! When the next frame may go: no faster than the eye, no more than the link carries.
//!
//! VP8's constant bitrate does not hold its target on scrolling text, so frames
//! are held back by what the earlier ones cost; and where coding one takes long, the
//! person's own programs come first. Pure: is told the time.

use std::time::Duration;

use crate::vp8::Bitrate;

/// After a small change the next one may follow at once, nearly.
const AFTER_SMALL: Duration = Duration::from_millis(8);
/// After a large one: 30 frames a second.
const AFTER_LARGE: Duration = Duration::from_millis(33);
/// Of the time from one large frame to the next, coding takes at most half.
const REST_AFTER_CODING: f64 = 2.0;
/// Though one key frame took longer.
const LONGEST: Duration = Duration::from_millis(100);
/// What may be on the way beyond the link's rate: a key frame, mostly.
const BURST: Duration = Duration::from_millis(150);

/// How much of the picture a frame changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// A line of typing, a menu: under a twelfth.
    Small,
    Large,
}

impl Extent {
    pub(super) fn of(changed: usize, total: usize) -> Self {
        if changed * 12 < total { Self::Small } else { Self::Large }
    }
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    carried_by: Duration,
    ready: Duration,
}

impl Pace {
    /// A frame was coded from `now` on, in so much time.
    pub(super) fn sent(
        &mut self,
        now: Duration,
        coding: Duration,
        bytes: usize,
        bitrate: Bitrate,
        extent: Extent,
    ) {
        let seconds = bytes as f64 * 8.0 / f64::from(bitrate.0.max(1000));
        self.carried_by = self.carried_by.max(now) + Duration::from_secs_f64(seconds.min(10.0));
        let gap = match extent {
            Extent::Small => AFTER_SMALL,
            Extent::Large => AFTER_LARGE.max(coding.mul_f64(REST_AFTER_CODING)).min(LONGEST),
        };
        self.ready = (now + gap).max(self.carried_by.saturating_sub(BURST));
    }

    /// From when on another frame may go.
    pub(super) fn ready(&self) -> Duration {
        self.ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(5);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn frames_never_exceed_the_link_by_more_than_the_burst() {
        let (mut pace, bitrate) = (Pace::default(), Bitrate(8_000_000));
        let (mut now, mut bytes) = (at(0), 0);
        while now < at(10_000) {
            pace.sent(now, QUICK, 100_000, bitrate, Extent::Large);
            bytes += 100_000;
            now = pace.ready();
        }
        assert!(bytes <= 10_000_000 + 300_000, "{bytes} bytes in ten seconds of a megabyte each");
        assert!(bytes >= 9_000_000, "{bytes}");
    }

    #[test]
    fn a_small_frame_lets_the_next_one_follow_at_once() {
        let mut pace = Pace::default();
        assert_eq!(pace.ready(), at(0));
        pace.sent(at(1000), QUICK, 500, Bitrate(8_000_000), Extent::Small);
        assert_eq!(pace.ready(), at(1008));
        pace.sent(at(2000), QUICK, 500, Bitrate(8_000_000), Extent::Large);
        assert_eq!(pace.ready(), at(2033));
    }

    #[test]
    fn where_coding_takes_long_large_frames_leave_the_computer_to_its_person() {
        let mut pace = Pace::default();
        for (coding, extent, ready) in
            [(20, Extent::Large, 1040), (20, Extent::Small, 2008), (90, Extent::Large, 3100)]
        {
            let now = at(ready / 1000 * 1000);
            pace.sent(now, at(coding), 500, Bitrate(8_000_000), extent);
            assert_eq!(pace.ready(), at(ready));
        }
    }
}
