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
const FIRST_ESTIMATE: u64 = 3_000_000;
const LEAST: u64 = 100_000;
const MOST: u64 = 40_000_000;
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Pace {
    on_the_way: VecDeque<OnTheWay>,
    shortest: Option<Duration>,
    last_seen: Option<Instant>,
    /// Bits per second of late, as seen: what did not try a line does not show its width.
    throughput: u64,
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
        Self {
            on_the_way: VecDeque::new(),
            shortest: None,
            last_seen: None,
            throughput: 0,
            estimate: FIRST_ESTIMATE,
        }
    }

    /// Bits per second.
    pub(super) fn estimate(&self) -> u64 {
        self.estimate
    }

    pub(super) fn begin(&mut self, number: u32, bytes: usize, now: Instant) {
        self.on_the_way.push_back(OnTheWay { number, bytes, begun: now });
    }

    pub(super) fn has_room(&self, now: Instant) -> bool {
        if self.on_the_way.len() < ALWAYS {
            return true;
        }
        let (Some(oldest), Some(shortest)) = (self.on_the_way.front(), self.shortest) else {
            return false;
        };
        let bytes: usize = self.on_the_way.iter().map(|frame| frame.bytes).sum();
        let bits = self.estimate as f64 * (shortest + TOLERATED).as_secs_f64();
        !self.is_queued(now - oldest.begun) && (bytes as f64) * 8.0 < bits
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
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8);
        let since_last = self.last_seen.map_or(took, |last| now - last);
        self.throughput = (self.throughput * 7 + rate(bits, since_last)) / 8;
        if self.is_queued(took) {
            let since = self.last_seen.map_or(begun, |last| last.max(begun));
            let sample = rate(bits, now - since);
            self.estimate = ((self.estimate * 7 + sample * 3) / 10).clamp(LEAST, MOST);
        } else if self.throughput > self.estimate / 2 {
            self.estimate = (self.estimate + self.estimate / 16).min(MOST);
        }
    }
}

/// Bits per second, at most [`MOST`].
fn rate(bits: u64, interval: Duration) -> u64 {
    let micros = u64::try_from(interval.max(SHORTEST_INTERVAL).as_micros()).unwrap_or(u64::MAX);
    (bits.saturating_mul(1_000_000) / micros).min(MOST)
}
