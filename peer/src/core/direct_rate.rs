//! What a direct path carries, judged from when its datagrams of video arrived.
//!
//! Told what was sent, and what transport-wide feedback says of it
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01). Judges by the least delay of a
//! tenth of a second and not by its trend: a busy machine delivers some datagrams
//! late, a queue delays them all. Knows nothing of frames, nor when they leave.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bits per second, before any feedback.
const FIRST: u64 = 3_000_000;
const LEAST: u64 = 100_000;
/// Beyond it a screen gains nothing.
const MOST: u64 = 20_000_000;
/// Feedback is judged in portions of so much time, with at least so many datagrams.
const WINDOW: Duration = Duration::from_millis(100);
const ENOUGH: u32 = 5;
/// How much longer than ever the luckiest datagram of a window may take.
const TOLERATED: i64 = 30_000;
/// A queue of this length is believed at once, a shorter one when it lasts.
const LONG: i64 = 150_000;
/// Loss below which the estimate may rise: a radio link loses so much by itself.
const LIGHT_LOSS: f64 = 0.05;
/// Loss above which it must fall (as in draft-ietf-rmcat-gcc-02, section 6).
const HEAVY_LOSS: f64 = 0.10;
/// The shortest delay is forgotten after twice this, because clocks drift and routes change.
const BASE_LASTS: Duration = Duration::from_secs(10);
/// Without feedback for so long nothing more is sent, and after twice that tried again.
const BLIND_AFTER: Duration = Duration::from_secs(1);
/// Datagrams without feedback that are remembered: two seconds at [`MOST`].
const REMEMBERED: usize = 8192;

#[derive(Debug)]
pub(super) struct Rate {
    /// Where both clocks are counted from, in microseconds.
    zero: Instant,
    unreported: VecDeque<Sent>,
    window: Window,
    last_arrival: Option<i64>,
    base: Option<Base>,
    loss: f64,
    suspicion: Suspicion,
    /// Until when feedback speaks of what was sent before the last fall.
    settles: Instant,
    /// What arrived when a queue was last seen: the line's width, about.
    ceiling: Option<u64>,
    estimate: u64,
    feedback: Feedback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feedback {
    /// The other end may be one that sends none.
    NeverSeen,
    Comes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suspicion {
    None,
    /// The last window found a queue.
    OfQueue,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    bytes: u64,
    at: Instant,
}

#[derive(Debug)]
struct Window {
    opened: Instant,
    bytes: u64,
    arrived: u32,
    lost: u32,
    least_delay: i64,
    last_arrival: i64,
    round_trip: Duration,
}

impl Window {
    fn open(now: Instant) -> Self {
        Self {
            opened: now,
            bytes: 0,
            arrived: 0,
            lost: 0,
            least_delay: i64::MAX,
            last_arrival: i64::MIN,
            round_trip: Duration::ZERO,
        }
    }

    fn is_full(&self, now: Instant) -> bool {
        let open_for = now.saturating_duration_since(self.opened);
        let enough = self.arrived + self.lost >= ENOUGH;
        self.arrived > 0 && (enough && open_for >= WINDOW || open_for >= WINDOW * 5)
    }
}

/// The shortest delay of late: of the running period and of the one before.
#[derive(Debug, Clone, Copy)]
struct Base {
    since: Instant,
    least: i64,
    before: i64,
}

impl Base {
    fn least(self) -> i64 {
        self.least.min(self.before)
    }
}

impl Rate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            zero: now,
            unreported: VecDeque::new(),
            window: Window::open(now),
            last_arrival: None,
            base: None,
            loss: 0.0,
            suspicion: Suspicion::None,
            settles: now,
            ceiling: None,
            estimate: FIRST,
            feedback: Feedback::NeverSeen,
        }
    }

    /// Bits per second.
    pub(super) fn estimate(&self) -> u64 {
        self.estimate
    }

    /// From where the arrivals of [`Self::report`] are counted.
    pub(super) fn zero(&self) -> Instant {
        self.zero
    }

    /// `number` counts every datagram of video without gaps, as the feedback does.
    pub(super) fn sent(&mut self, number: u64, bytes: usize, now: Instant) {
        if self.unreported.len() == REMEMBERED {
            self.unreported.pop_front();
        }
        self.unreported.push_back(Sent { number, bytes: bytes as u64, at: now });
    }

    /// What the other end says of datagrams: when each came, or that it did not.
    pub(super) fn report(
        &mut self,
        arrivals: impl Iterator<Item = (u64, Option<Instant>)>,
        now: Instant,
    ) {
        self.feedback = Feedback::Comes;
        for (number, arrived) in arrivals {
            let Some(sent) = self.take(number) else { continue };
            match arrived {
                Some(at) => self.arrived(sent, self.micros(at), now),
                None => self.window.lost += 1,
            }
        }
        if self.window.is_full(now) {
            let window = std::mem::replace(&mut self.window, Window::open(now));
            self.judge(&window, now);
        }
    }

    /// Datagrams that no report speaks of: the report was lost, they probably were not.
    fn take(&mut self, number: u64) -> Option<Sent> {
        while let Some(skipped) = self.unreported.pop_front_if(|sent| sent.number < number) {
            self.window.bytes += skipped.bytes;
        }
        self.unreported.pop_front_if(|sent| sent.number == number)
    }

    fn arrived(&mut self, sent: Sent, arrival: i64, now: Instant) {
        let delay = arrival - self.micros(sent.at);
        self.window.bytes += sent.bytes;
        self.window.arrived += 1;
        self.window.least_delay = self.window.least_delay.min(delay);
        self.window.last_arrival = self.window.last_arrival.max(arrival);
        self.window.round_trip = now.saturating_duration_since(sent.at);
    }

    fn micros(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.zero).as_micros()).unwrap_or(i64::MAX)
    }

    fn judge(&mut self, window: &Window, now: Instant) {
        let since = self.last_arrival.replace(window.last_arrival);
        let queued = window.least_delay - self.learn_base(window.least_delay, now);
        let lost = f64::from(window.lost) / f64::from(window.lost + window.arrived);
        self.loss += (lost - self.loss) * 0.3;
        let Some(span) = since.map(|since| window.last_arrival - since).filter(|span| *span > 0) else {
            return;
        };
        let delivered = (window.bytes * 8).saturating_mul(1_000_000) / span.unsigned_abs();
        let suspicion = std::mem::replace(&mut self.suspicion, Suspicion::None);
        if queued > TOLERATED {
            self.suspicion = Suspicion::OfQueue;
            if queued > LONG {
                self.fall(delivered, 0.7, window, now);
            } else if suspicion == Suspicion::OfQueue {
                self.fall(delivered, 0.85, window, now);
            }
        } else if self.loss > HEAVY_LOSS {
            self.fall(delivered, 1.0 - self.loss / 2.0, window, now);
        } else if self.loss < LIGHT_LOSS && queued < TOLERATED / 2 && delivered > self.estimate / 2 {
            // What did not try the line does not show its width.
            self.rise();
        }
    }

    fn learn_base(&mut self, delay: i64, now: Instant) -> i64 {
        let base = self.base.get_or_insert(Base { since: now, least: delay, before: delay });
        if now >= base.since + BASE_LASTS {
            *base = Base { since: now, least: delay, before: base.least };
        }
        base.least = base.least.min(delay);
        base.least()
    }

    fn fall(&mut self, delivered: u64, share: f64, window: &Window, now: Instant) {
        if now < self.settles {
            return;
        }
        self.settles = now + window.round_trip + WINDOW;
        self.ceiling = Some(delivered);
        let lower = (delivered as f64 * share) as u64;
        self.estimate = self.estimate.min(lower).max(LEAST);
    }

    /// Fast where nothing is known of the line's width, slowly near it.
    fn rise(&mut self) {
        let of_ceiling = self.ceiling.map(|width| self.estimate as f64 / width.max(1) as f64);
        let steps = match of_ceiling {
            Some(share) if share <= 0.8 => 20,
            Some(share) if share <= 1.2 => 100,
            // The line has become wider.
            Some(_) | None => {
                self.ceiling = None;
                8
            }
        };
        self.estimate = (self.estimate + self.estimate / steps).min(MOST);
    }

    /// Whether feedback stays out: what is sent now may go nowhere.
    pub(super) fn is_blind(&mut self, now: Instant) -> bool {
        while self.unreported.pop_front_if(|sent| now >= sent.at + BLIND_AFTER * 2).is_some() {
            // Forgotten, so that one more frame may try.
        }
        self.sees_again_at().is_some_and(|at| now + BLIND_AFTER >= at)
    }

    /// When, if nothing is heard, [`Self::is_blind`] may have changed.
    pub(super) fn sees_again_at(&self) -> Option<Instant> {
        let oldest = self.unreported.front().filter(|_| self.feedback == Feedback::Comes);
        oldest.map(|sent| sent.at + BLIND_AFTER * 2)
    }
}
