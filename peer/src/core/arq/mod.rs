//! Messages in order, each once, over paths that lose, repeat and reorder.
//!
//! Numbers outlive paths: what one path lost, another brings. Everything is
//! bounded, and a peer that leaves the bounds breaks the protocol. It knows
//! nothing of rights; of meaning only what is stale (T50) and what the next of
//! its kind replaces.

mod incoming;
mod outgoing;

use std::time::Duration;

pub(super) use incoming::Incoming;
pub(super) use outgoing::{Full, Outgoing, Reach, without_input};

/// Messages that may be under way at once, in either direction.
const MAX_FLYING: usize = 2048;
/// Bytes that may be under way at once, in either direction.
const MAX_FLYING_BYTES: usize = 1024 * 1024;
/// Input that was not acknowledged for so long is withdrawn. T50.
pub(super) const STALE: Duration = Duration::from_millis(500);

/// What no peer that follows the protocol sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PeerMisbehaved {
    #[error("it acknowledged what was never sent")]
    Acknowledged,
    #[error("its messages are not in rising order")]
    Order,
    #[error("it sent further ahead than the window")]
    Window,
}

fn size_of(message: &tasuki_protocol::message::SessionMessage) -> usize {
    tasuki_protocol::message::encode(message).len()
}
