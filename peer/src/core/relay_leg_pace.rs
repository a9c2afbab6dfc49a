//! When the next video frame may enter a relayed leg, and what the leg carries.
//!
//! A relay between two TCP connections hides a queue of its own, so room is judged
//! end to end: the receiver says which frames it has, and how long a frame takes
//! beyond the shortest that one ever took is time spent in queues. Knows nothing of
//! records or of what frames show.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Queueing that a frame may meet before the next has to wait.
const TOLERATED: Duration = Duration::from_millis(40);
/// Frames that may be on the way however long they take: one goes while one comes.
const ALWAYS: usize = 2;
/// Frames that may be on the way at most.
const AT_MOST: usize = 30;
const FIRST_ESTIMATE: u64 = 3_000_000;
const LEAST: u64 = 100_000;
const MOST: u64 = 40_000_000;
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Pace {
    on_the_way: VecDeque<OnTheWay>,
    shortest: Option<Duration>,
    last_seen: Option<Instant>,
    estimate: u64,
}

#[derive(Debug, Clone, Copy)]
struct OnTheWay {
    number: u32,
    bytes: usize,
    begun: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { on_the_way: VecDeque::new(), shortest: None, last_seen: None, estimate: FIRST_ESTIMATE }
    }

    /// Bits per second.
    pub(super) fn estimate(&self) -> u64 {
        self.estimate
    }

    pub(super) fn begin(&mut self, number: u32, bytes: usize, now: Instant) {
        self.on_the_way.push_back(OnTheWay { number, bytes, begun: now });
    }

    pub(super) fn has_room(&self, now: Instant) -> bool {
        let Some(oldest) = self.on_the_way.front() else { return true };
        let waiting = self.on_the_way.len();
        waiting < ALWAYS || (waiting < AT_MOST && !self.is_queued(now - oldest.begun))
    }

    fn is_queued(&self, took: Duration) -> bool {
        took > self.shortest.unwrap_or(took).mul_f32(1.25) + TOLERATED
    }

    /// The other end has the frame `number` and all before it. An unknown number changes nothing.
    pub(super) fn seen(&mut self, number: u32, now: Instant) {
        let Some(at) = self.on_the_way.iter().position(|frame| frame.number == number) else { return };
        let seen: Vec<OnTheWay> = self.on_the_way.drain(..=at).collect();
        let bytes: usize = seen.iter().map(|frame| frame.bytes).sum();
        let Some(newest) = seen.last() else { return };
        let took = now - newest.begun;
        self.shortest = Some(self.shortest.map_or(took, |shortest| shortest.min(took)));
        self.learn(bytes, took, newest.begun, now);
        self.last_seen = Some(now);
    }

    fn learn(&mut self, bytes: usize, took: Duration, begun: Instant, now: Instant) {
        if !self.is_queued(took) {
            self.estimate = (self.estimate + self.estimate / 16).min(MOST);
            return;
        }
        let since = self.last_seen.map_or(begun, |last| last.max(begun));
        let interval = (now - since).max(SHORTEST_INTERVAL);
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8);
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let sample = bits.saturating_mul(1_000_000) / micros;
        self.estimate = ((self.estimate * 7 + sample.min(MOST) * 3) / 10).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 10_000;

    /// A line of `rate` bits per second and 20 ms; returns the estimate after `frames`.
    fn run(rate: f64, frames: u32) -> (u64, Duration) {
        let mut pace = Pace::new();
        let mut now = Instant::now();
        let mut free = now;
        let mut arrivals: VecDeque<(Instant, u32)> = VecDeque::new();
        let mut longest = Duration::ZERO;
        let mut begun = Vec::new();
        let mut number = 0;
        while number < frames {
            while arrivals.front().is_some_and(|(at, _)| *at <= now) {
                let (at, seen) = arrivals.pop_front().unwrap();
                longest = longest.max(at - begun[seen as usize]);
                pace.seen(seen, at);
            }
            if pace.has_room(now) {
                pace.begin(number, FRAME, now);
                begun.push(now);
                free = free.max(now) + Duration::from_secs_f64(FRAME as f64 * 8.0 / rate);
                arrivals.push_back((free + Duration::from_millis(40), number));
                number += 1;
            }
            now += Duration::from_millis(1);
        }
        (pace.estimate(), longest)
    }

    #[test]
    fn the_estimate_comes_near_a_narrow_line_and_its_queue_stays_short() {
        let (estimate, longest) = run(1_000_000.0, 100);
        assert!((700_000..1_500_000).contains(&estimate), "{estimate}");
        assert!(longest < Duration::from_millis(400), "{longest:?}");
    }

    #[test]
    fn a_wide_line_is_used() {
        let (estimate, _) = run(50_000_000.0, 200);
        assert!(estimate > 8_000_000, "{estimate}");
    }

    #[test]
    fn what_was_never_sent_and_seen_twice_changes_nothing() {
        let mut pace = Pace::new();
        let now = Instant::now();
        pace.seen(7, now);
        pace.begin(1, 10, now);
        pace.seen(1, now);
        pace.seen(1, now);
        assert!(pace.has_room(now));
    }
}
