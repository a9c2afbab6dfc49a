//! The one place where the server asks the clocks and the system's generator.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tasuki_protocol::seed::Seed;

use super::fault::Fault;
use crate::core::anchor::Anchor;
use crate::core::rooms::Now;

pub(crate) fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// As SQLite stores it.
pub(crate) fn unix_row() -> i64 {
    i64::try_from(unix()).unwrap_or(i64::MAX)
}

pub(crate) fn now() -> Now {
    Now { instant: Instant::now(), unix: unix() }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Fault::NoRandomness)?;
    Ok(bytes)
}

pub(crate) fn seed() -> Result<Seed, Fault> {
    random().map(Seed::from_bytes)
}

/// Seconds since the machine was started, time spent suspended included.
pub(crate) fn up() -> i64 {
    clock_gettime(ClockId::Boottime).tv_sec
}

/// The kernel's name for this boot.
pub(crate) fn boot() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Seconds for lockouts, tokens and codes: no step of the wall clock moves them. F12.
#[derive(Debug, Clone)]
pub(crate) struct Steady(pub(crate) Anchor);

impl Steady {
    pub(crate) fn now(&self) -> i64 {
        self.0.at(up())
    }
}
