//! The one place where the relay asks the clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::core::lobby::Now;

pub(crate) fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Now { instant: Instant::now(), unix }
}
