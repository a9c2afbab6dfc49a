//! When a kind of path is tried again.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(500);
/// The longest pause while nothing else carries the session.
const ALONE: Duration = Duration::from_secs(4);
/// The longest pause while another path does.
const BESIDE_ANOTHER: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Retry {
    failures: u32,
    last_end: Option<Instant>,
}

impl Retry {
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(super) fn ended(&mut self, now: Instant) {
        self.failures += 1;
        self.last_end = Some(now);
    }

    /// At once the first time; later and later while another path carries the session.
    pub(super) fn due(&self, others: Others) -> Option<Instant> {
        let pause = FIRST * 2u32.pow(self.failures.saturating_sub(1).min(8));
        let most = match others {
            Others::Carry => BESIDE_ANOTHER,
            Others::None => ALONE,
        };
        self.last_end.map(|at| at + pause.min(most))
    }
}

/// Whether another path carries the session meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Carry,
    None,
}
