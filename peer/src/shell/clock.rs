//! Time that counts what the machine slept through (T12, F10).
//!
//! `Instant` stands still while a Linux machine is suspended; a right must not.
//! Decides nothing: it reads the boot-time clock and wakes a waiting loop.

use std::time::{Duration, Instant};

use super::system;

/// Gives [`Instant`]s that advance through suspension.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    read: fn() -> Duration,
    first: Duration,
}

impl Clock {
    pub fn start() -> Self {
        Self::reading(system::since_boot)
    }

    /// A clock that believes `read`, which never goes back, how long the machine has been up.
    pub fn reading(read: fn() -> Duration) -> Self {
        Self { origin: Instant::now(), read, first: read() }
    }

    pub fn now(&self) -> Instant {
        self.origin + (self.read)().saturating_sub(self.first)
    }
}

/// The runtime's timers stand still in a sleep of the machine: a longer wait is
/// looked at again after this much waking time.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Clock {
    /// Sleeps until `deadline`; for ever without one. Cancel-safe. Up to
    /// [`LOOK_AGAIN`] late after the machine slept; rights are asked by [`Clock::now`]
    /// for every act and are never late.
    pub async fn until(&self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        loop {
            let left = deadline.saturating_duration_since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK_AGAIN)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn a_wait_ends_when_its_time_has_come_and_not_before() {
        let clock = Clock::start();
        let deadline = clock.now() + Duration::from_millis(5);
        clock.until(Some(deadline)).await;
        assert!(clock.now() >= deadline);
        let far = clock.now() + Duration::from_secs(3600);
        let waiting = clock.until(Some(far));
        assert!(tokio::time::timeout(Duration::from_millis(5), waiting).await.is_err());
    }

    static ASLEEP_S: AtomicU64 = AtomicU64::new(0);

    /// F10: a wait that was to last for eight hours is over after nine of sleep.
    #[tokio::test]
    async fn f10_what_the_machine_slept_through_has_passed() {
        let clock = Clock::reading(|| Duration::from_secs(ASLEEP_S.load(Ordering::Relaxed)));
        let before = clock.now();
        let deadline = before + Duration::from_secs(8 * 3600);
        ASLEEP_S.store(9 * 3600, Ordering::Relaxed);
        assert_eq!(clock.now(), before + Duration::from_secs(9 * 3600));
        let over = tokio::time::timeout(Duration::from_secs(30), clock.until(Some(deadline)));
        assert!(over.await.is_ok());
    }
}
