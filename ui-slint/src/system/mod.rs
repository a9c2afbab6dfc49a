//! How two programs of one person meet on this computer, and what a thread costs, in each system's own way.
//!
//! The rest of this crate asks here and knows no system. Decides nothing of what they say to each other.

#[cfg(any(not(unix), test))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;
