//! Time that counts what the machine slept through (T12, F10).
//!
//! `Instant` stands still while a Linux machine is suspended; a right must not.
//! Decides nothing: it reads the boot-time clock and wakes a waiting loop.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Gives [`Instant`]s that advance through suspension.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    boot: Duration,
}

impl Clock {
    pub fn start() -> Self {
        Self { origin: Instant::now(), boot: since_boot() }
    }

    pub fn now(&self) -> Instant {
        self.origin + since_boot().saturating_sub(self.boot)
    }
}

/// One alarm on the boot-time clock: it rings at once after a sleep it fell into.
#[derive(Debug)]
pub struct Alarm {
    timer: AsyncFd<OwnedFd>,
    set: Option<Instant>,
}

impl Alarm {
    /// # Errors
    /// The kernel gives no timer. Must be called inside a tokio runtime.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        Ok(Self { timer: AsyncFd::new(timer)?, set: None })
    }

    /// Sleeps until `deadline` on `clock`; for ever without one. Cancel-safe.
    pub async fn until(&mut self, clock: &Clock, deadline: Option<Instant>) {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        if self.set != Some(deadline) {
            let after = deadline.saturating_duration_since(clock.now());
            if self.arm(after).is_err() {
                return tokio::time::sleep(after).await;
            }
            self.set = Some(deadline);
        }
        let _ = self.rung().await;
        self.set = None;
    }

    fn arm(&self, after: Duration) -> io::Result<()> {
        // Zero would disarm the timer.
        let after = after.max(Duration::from_nanos(1));
        let once = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(after) };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    async fn rung(&self) -> io::Result<()> {
        loop {
            let mut ready = self.timer.readable().await?;
            let mut count = [0; 8];
            match rustix::io::read(self.timer.get_ref(), &mut count) {
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Ok(_) => return Ok(()),
                Err(fault) => return Err(fault.into()),
            }
        }
    }
}

fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanos)
}

fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_after_its_deadline_and_again_for_the_next() {
        let clock = Clock::start();
        let mut alarm = Alarm::new().unwrap();
        for _ in 0..2 {
            let deadline = clock.now() + Duration::from_millis(5);
            alarm.until(&clock, Some(deadline)).await;
            assert!(clock.now() >= deadline);
        }
    }

    #[tokio::test]
    async fn an_alarm_given_up_and_set_earlier_rings_at_the_earlier_time() {
        let clock = Clock::start();
        let mut alarm = Alarm::new().unwrap();
        let late = clock.now() + Duration::from_secs(3600);
        let waiting = alarm.until(&clock, Some(late));
        assert!(tokio::time::timeout(Duration::from_millis(5), waiting).await.is_err());
        alarm.until(&clock, Some(clock.now())).await;
        assert!(clock.now() < late);
    }
}
