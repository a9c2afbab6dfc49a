//! Which allocations there are, whose they are, and until when.
//!
//! Pure bookkeeping, bounded by [`TurnLimits`]: each count that a quota asks for is kept beside
//! what it counts. It answers no message.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::stun::Transaction;

use super::integrity::LongTermKey;
use crate::core::address::AddressBlock;
use crate::core::bucket::Bucket;

/// How much there may be at once.
#[derive(Debug, Clone)]
pub struct TurnLimits {
    /// Allocations in all.
    pub allocations: usize,
    /// Of one IPv4 address or IPv6 /64.
    pub per_address: usize,
    /// Of one end of one session: UDP and TCP, IPv4 and IPv6, an old path that dies while a new one starts.
    pub per_end: usize,
    /// Bytes a second that one allocation may send; `None` is unlimited.
    pub rate: Option<u64>,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self { allocations: 4096, per_address: 512, per_end: 8, rate: None }
    }
}

/// Channels of one allocation: the other end has few addresses here.
pub const MOST_CHANNELS: usize = 8;

/// How a client reaches the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Path {
    /// The listener of that number.
    Datagram(u16),
    /// A TCP or TLS connection of that number.
    Stream(u64),
}

/// RFC 8656's 5-tuple: who asks, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client {
    pub path: Path,
    pub address: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Channel {
    pub(crate) number: u16,
    pub(crate) peer: SocketAddr,
    pub(crate) until: Instant,
}

#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) client: Client,
    pub(crate) relayed: SocketAddr,
    pub(crate) session: SessionId,
    pub(crate) role: Role,
    pub(crate) name: Box<[u8]>,
    pub(crate) key: LongTermKey,
    /// Of the request that made it: the same one again gets the same answer.
    pub(crate) transaction: Transaction,
    pub(crate) until: Instant,
    /// Until when data of the session's other relayed addresses may come in; all of them have
    /// one IP address, which is what permissions count.
    pub(crate) permitted: Option<Instant>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) quota: Option<Bucket>,
}

impl Allocation {
    pub(crate) fn channel(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        self.bound(now).find(|channel| channel.number == number).map(|channel| channel.peer)
    }

    pub(crate) fn channel_to(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        self.bound(now).find(|channel| channel.peer == peer).map(|channel| channel.number)
    }

    fn bound(&self, now: Instant) -> impl Iterator<Item = &Channel> {
        self.channels.iter().filter(move |channel| channel.until > now)
    }
}

/// A place in the table; meaningless once its allocation is gone.
pub(crate) type Slot = u32;

/// Every allocation, found by client and by relayed address.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Option<Allocation>>,
    free: Vec<Slot>,
    by_client: HashMap<Client, Slot>,
    by_relayed: HashMap<SocketAddr, Slot>,
    ends: HashMap<(SessionId, Role), usize>,
    blocks: HashMap<AddressBlock, usize>,
    deadlines: BTreeSet<(Instant, Slot)>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.by_client.len()
    }

    pub(crate) fn of_end(&self, session: SessionId, role: Role) -> usize {
        self.ends.get(&(session, role)).copied().unwrap_or(0)
    }

    pub(crate) fn of_block(&self, block: AddressBlock) -> usize {
        self.blocks.get(&block).copied().unwrap_or(0)
    }

    pub(crate) fn slot_of(&self, client: &Client) -> Option<Slot> {
        self.by_client.get(client).copied()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Allocation> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Allocation> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn of_client(&self, client: &Client) -> Option<&Allocation> {
        self.get(self.slot_of(client)?)
    }

    pub(crate) fn at(&self, relayed: &SocketAddr) -> Option<&Allocation> {
        self.get(*self.by_relayed.get(relayed)?)
    }

    pub(crate) fn add(&mut self, allocation: Allocation) {
        let slot = self.free.pop().unwrap_or(self.slots.len() as Slot);
        self.by_client.insert(allocation.client, slot);
        self.by_relayed.insert(allocation.relayed, slot);
        *self.ends.entry((allocation.session, allocation.role)).or_default() += 1;
        *self.blocks.entry(allocation.client.address.ip().into()).or_default() += 1;
        self.deadlines.insert((allocation.until, slot));
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(allocation),
            None => self.slots.push(Some(allocation)),
        }
    }

    pub(crate) fn keep(&mut self, slot: Slot, until: Instant) {
        if let Some(Some(allocation)) = self.slots.get_mut(slot as usize) {
            self.deadlines.remove(&(allocation.until, slot));
            allocation.until = until;
            self.deadlines.insert((until, slot));
        }
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(allocation) = self.slots.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(slot);
        self.by_client.remove(&allocation.client);
        self.by_relayed.remove(&allocation.relayed);
        self.deadlines.remove(&(allocation.until, slot));
        one_less(&mut self.ends, (allocation.session, allocation.role));
        one_less(&mut self.blocks, allocation.client.address.ip().into());
    }

    /// Removes what nobody refreshed.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(&(until, slot)) = self.deadlines.first()
            && until <= now
        {
            self.remove(slot);
        }
    }
}

fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}
