//! The receiving half: puts messages back in order and drops what came before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tasuki_protocol::message::{Numbered, SessionMessage};

use super::{MAX_FLYING, MAX_FLYING_BYTES, PeerMisbehaved, size_of};

/// How long an acknowledgement waits for something to travel with.
const ACK_DELAY: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
pub(in crate::core) struct Incoming {
    next: u64,
    early: BTreeMap<u64, (SessionMessage, usize)>,
    early_bytes: usize,
    ack_due: Option<Instant>,
    repeated: bool,
}

impl Incoming {
    /// Every message numbered below this has been received.
    pub(in crate::core) fn acked(&self) -> u64 {
        self.next
    }

    pub(in crate::core) fn ack_due(&self) -> Option<Instant> {
        self.ack_due
    }

    /// Whether the other end repeated what had long arrived: its own path does
    /// not hear this end, and an answer should take every path.
    pub(in crate::core) fn was_repeated(&self) -> bool {
        self.repeated
    }

    pub(in crate::core) fn ack_sent(&mut self) {
        self.ack_due = None;
        self.repeated = false;
    }

    /// The messages that are now in order, each given once.
    ///
    /// # Errors
    /// The peer broke the order or the window.
    pub(in crate::core) fn accept(
        &mut self,
        items: Vec<Numbered>,
        now: Instant,
    ) -> Result<Vec<SessionMessage>, PeerMisbehaved> {
        if items.windows(2).any(|pair| pair[0].number >= pair[1].number) {
            return Err(PeerMisbehaved::Order);
        }
        if !items.is_empty() {
            self.ack_due.get_or_insert(now + ACK_DELAY);
            self.repeated |= items.iter().all(|item| item.number < self.next);
        }
        let mut ready = Vec::new();
        for Numbered { number, message } in items {
            if number == self.next {
                self.next += 1;
                ready.push(message);
                self.release(&mut ready);
            } else if number > self.next {
                self.keep(number, message)?;
            }
        }
        Ok(ready)
    }

    fn keep(&mut self, number: u64, message: SessionMessage) -> Result<(), PeerMisbehaved> {
        if number - self.next >= MAX_FLYING as u64 {
            return Err(PeerMisbehaved::Window);
        }
        let size = size_of(&message);
        if let Some((_, old)) = self.early.insert(number, (message, size)) {
            self.early_bytes -= old;
        }
        self.early_bytes += size;
        if self.early_bytes > MAX_FLYING_BYTES { Err(PeerMisbehaved::Window) } else { Ok(()) }
    }

    fn release(&mut self, ready: &mut Vec<SessionMessage>) {
        while let Some((message, size)) = self.early.remove(&self.next) {
            self.early_bytes -= size;
            self.next += 1;
            ready.push(message);
        }
    }
}
