//! When each datagram of video leaves: spread out, so that a large frame does not
//! fill the queues of a narrow line at once, and nothing else waits behind it.
//!
//! Told what the path carries. Knows nothing of frames or of how that is judged.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::direct_address::Transmit;

/// A frame leaves faster than the path's estimate, so that it is through before the next.
const HASTE: f64 = 1.5;
/// What may leave at once: the frame of a key stroke, whole.
const BURST_BYTES: f64 = 16.0 * 1200.0;
const BURST: Duration = Duration::from_millis(5);
/// Datagrams leave in little heaps, so that waking costs less than sending.
const HEAP: Duration = Duration::from_millis(4);
/// What may wait: more than the largest frame and everything that is sent again.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Pace {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    next: u64,
    /// When all that left would be through, at the rate of then.
    through_at: Instant,
}

/// A datagram and its place in the count of all.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) number: u64,
    pub(super) transmit: Transmit,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { waiting: VecDeque::new(), waiting_bytes: 0, next: 0, through_at: now }
    }

    /// In the order in which the library made them, without leaving any out.
    pub(super) fn push(&mut self, transmit: Transmit) {
        let number = self.next;
        self.next += 1;
        if self.waiting_bytes + transmit.bytes.len() <= MAX_WAITING_BYTES {
            self.waiting_bytes += transmit.bytes.len();
            self.waiting.push_back(Waiting { number, transmit });
        }
    }

    /// Of the next datagram that will be pushed.
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    /// The next datagram that may leave now, over a path of `bits` per second.
    pub(super) fn pop(&mut self, bits: u64, now: Instant) -> Option<Waiting> {
        if self.through_at > now + burst(bits) {
            return None;
        }
        let next = self.waiting.pop_front()?;
        let bytes = next.transmit.bytes.len();
        self.waiting_bytes -= bytes;
        self.through_at = self.through_at.max(now) + takes(bytes as f64, bits);
        Some(next)
    }

    /// When [`Self::pop`] is to be asked again.
    pub(super) fn deadline(&self, bits: u64) -> Option<Instant> {
        let waits = !self.waiting.is_empty();
        waits.then(|| self.through_at.checked_sub(burst(bits)).unwrap_or(self.through_at) + HEAP)
    }

    /// Whether what waits will have left after `time`.
    pub(super) fn drains_within(&self, time: Duration, bits: u64) -> bool {
        takes(self.waiting_bytes as f64, bits) <= time
    }
}

fn burst(bits: u64) -> Duration {
    BURST.max(takes(BURST_BYTES, bits))
}

fn takes(bytes: f64, bits: u64) -> Duration {
    Duration::from_secs_f64(bytes * 8.0 / (bits.max(1) as f64 * HASTE))
}
