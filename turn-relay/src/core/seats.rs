//! Which connections are here, at what stage, and until when.
//!
//! Pure bookkeeping: every count that a quota asks for is kept beside the map
//! it counts, so that no quota costs a walk. It decides nobody's admission.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use tasuki_protocol::ids::SessionId;

use super::address::AddressBlock;

/// A connection's name inside one relay. Later connections have larger names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// One relayed leg of one session: what two tickets must agree in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Leg {
    pub(crate) session: SessionId,
    pub(crate) number: u32,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// Has shown no good ticket yet.
    Arriving {
        until: Instant,
    },
    /// Alone on its leg.
    Waiting {
        leg: Leg,
        until: Instant,
    },
    Joined {
        leg: Leg,
        with: ConnectionId,
    },
}

impl Stage {
    fn until(self) -> Option<Instant> {
        match self {
            Self::Arriving { until } | Self::Waiting { until, .. } => Some(until),
            Self::Joined { .. } => None,
        }
    }

    fn is_arriving(self) -> bool {
        matches!(self, Self::Arriving { .. })
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) block: AddressBlock,
    pub(crate) stage: Stage,
}

#[derive(Debug, Default)]
struct Block {
    arriving: BTreeSet<ConnectionId>,
    proven: usize,
}

/// Every connection and the counts about them.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    all: HashMap<ConnectionId, Seat>,
    arriving: BTreeSet<ConnectionId>,
    blocks: HashMap<AddressBlock, Block>,
    deadlines: BTreeSet<(Instant, ConnectionId)>,
}

impl Seats {
    pub(crate) fn seat(&self, connection: ConnectionId) -> Option<Seat> {
        self.all.get(&connection).copied()
    }

    pub(crate) fn arriving(&self) -> usize {
        self.arriving.len()
    }

    pub(crate) fn arriving_from(&self, block: AddressBlock) -> usize {
        self.blocks.get(&block).map_or(0, |b| b.arriving.len())
    }

    pub(crate) fn proven_from(&self, block: AddressBlock) -> usize {
        self.blocks.get(&block).map_or(0, |b| b.proven)
    }

    pub(crate) fn longest_arriving(&self) -> Option<ConnectionId> {
        self.arriving.first().copied()
    }

    pub(crate) fn longest_arriving_from(&self, block: AddressBlock) -> Option<ConnectionId> {
        self.blocks.get(&block)?.arriving.first().copied()
    }

    /// When the next connection's patience ends.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(until, _)| until)
    }

    pub(crate) fn overdue(&self, now: Instant) -> Option<ConnectionId> {
        let &(until, connection) = self.deadlines.first()?;
        (until <= now).then_some(connection)
    }

    pub(crate) fn put(&mut self, connection: ConnectionId, seat: Seat) {
        self.remove(connection);
        let block = self.blocks.entry(seat.block).or_default();
        if seat.stage.is_arriving() {
            block.arriving.insert(connection);
            self.arriving.insert(connection);
        } else {
            block.proven += 1;
        }
        if let Some(until) = seat.stage.until() {
            self.deadlines.insert((until, connection));
        }
        self.all.insert(connection, seat);
    }

    pub(crate) fn remove(&mut self, connection: ConnectionId) -> Option<Seat> {
        let seat = self.all.remove(&connection)?;
        if let Some(until) = seat.stage.until() {
            self.deadlines.remove(&(until, connection));
        }
        self.arriving.remove(&connection);
        if let Some(block) = self.blocks.get_mut(&seat.block) {
            if seat.stage.is_arriving() {
                block.arriving.remove(&connection);
            } else {
                block.proven -= 1;
            }
            if block.proven == 0 && block.arriving.is_empty() {
                self.blocks.remove(&seat.block);
            }
        }
        Some(seat)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
