//! The one place where the relay asks the clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::core::lobby::Now;

pub(crate) fn now() -> Now {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), since_1970 }
}
