//! When the next frame may go: no faster than the eye, no more than the link carries.
//!
//! VP8's constant bitrate does not hold its target on scrolling text, so frames
//! are held back by what the earlier ones cost. Pure: is told the time.

use std::time::Duration;

use crate::vp8::Bitrate;

/// After a small change the next one may follow at once, nearly.
const AFTER_SMALL: Duration = Duration::from_millis(8);
/// After a large one: 30 frames a second.
const AFTER_LARGE: Duration = Duration::from_millis(33);
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
    pub(super) fn sent(&mut self, now: Duration, bytes: usize, bitrate: Bitrate, extent: Extent) {
        let seconds = bytes as f64 * 8.0 / f64::from(bitrate.0.max(1000));
        self.carried_by = self.carried_by.max(now) + Duration::from_secs_f64(seconds.min(10.0));
        let gap = match extent {
            Extent::Small => AFTER_SMALL,
            Extent::Large => AFTER_LARGE,
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

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn frames_never_exceed_the_link_by_more_than_the_burst() {
        let (mut pace, bitrate) = (Pace::default(), Bitrate(8_000_000));
        let (mut now, mut bytes) = (at(0), 0);
        while now < at(10_000) {
            pace.sent(now, 100_000, bitrate, Extent::Large);
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
        pace.sent(at(1000), 500, Bitrate(8_000_000), Extent::Small);
        assert_eq!(pace.ready(), at(1008));
        pace.sent(at(2000), 500, Bitrate(8_000_000), Extent::Large);
        assert_eq!(pace.ready(), at(2033));
    }
}
