//! The one place where the server asks the clocks and the system's generator.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tasuki_protocol::seed::Seed;

use super::fault::Fault;
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
