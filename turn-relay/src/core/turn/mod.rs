//! Decides what a TURN client is told, and between whom data pass (RFC 8656).
//!
//! Data pass between the allocations of one session and nowhere else. A relayed address is a
//! name inside this relay: no socket stands behind it, so that nothing that a client says can
//! make the relay send to a host that did not itself ask for an allocation with a ticket of
//! that session (T49). It refuses to know what it forwards (T44) and what a session is.

pub mod fault;
pub mod integrity;
pub mod message;
pub mod nonce;
pub mod own;
mod requests;
pub mod stream;
pub mod table;
pub mod written;

use std::hash::RandomState;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use tasuki_protocol::stun::{CHANNEL_HEADER_BYTES, Transaction};
use tasuki_protocol::ticket::TicketKey;

use self::message::{DATA_INDICATION, Method, attribute};
use self::nonce::Nonces;
use self::own::OwnAddresses;
use self::table::{Allocation, Client, Path, Slot, Table, TurnLimits};
use self::written::Written;
use super::bucket::AddressRate;
use super::lobby::Now;
use super::stun;

/// The numbers of relayed addresses' ports (RFC 8656 §5).
const FIRST_PORT: u16 = 49_152;

/// What a TURN server is given once, at its birth.
#[derive(Debug)]
pub struct TurnSetup {
    pub ticket_key: TicketKey,
    pub limits: TurnLimits,
    /// In each family that it relays.
    pub own: OwnAddresses,
    /// How many requests without an allocation one address may make.
    pub rates: AddressRate<RandomState>,
    /// Random and secret.
    pub seed: [u8; 32],
}

/// What to send, and to whom: `head`, then those bytes of what was received, then `padding` zeros.
#[derive(Debug)]
pub struct Outgoing {
    pub to: Client,
    pub head: Written,
    pub body: Range<usize>,
    pub padding: usize,
}

/// What a TURN server has done and holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub allocations: usize,
    pub allocated: u64,
    pub refused: u64,
    /// Forwarded, and the bytes of data in them.
    pub packets: u64,
    pub bytes: u64,
    /// Data that had nowhere to go, or came faster than the quota.
    pub dropped: u64,
}

/// A TURN server for the ends of sessions.
#[derive(Debug)]
pub struct Turn {
    ticket_key: TicketKey,
    limits: TurnLimits,
    own: OwnAddresses,
    rates: AddressRate<RandomState>,
    nonces: Nonces,
    table: Table,
    dice: u64,
    tally: Tally,
}

impl Turn {
    pub fn new(setup: TurnSetup, now: Instant) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = setup.seed;
        Self {
            ticket_key: setup.ticket_key,
            limits: setup.limits,
            own: setup.own,
            rates: setup.rates,
            nonces: Nonces::new(setup.seed, now),
            table: Table::default(),
            dice: u64::from_le_bytes([a, b, c, d, e, f, g, h]) | 1,
            tally: Tally::default(),
        }
    }

    /// Takes in one datagram, or one message of a stream; gives what goes out for it.
    #[must_use = "what is not sent is lost"]
    pub fn receive(&mut self, from: Client, bytes: &[u8], now: Now) -> Option<Outgoing> {
        self.table.expire(now.instant);
        match bytes.first()? {
            0x40..=0x7f => self.on_channel(from, bytes, now.instant),
            0x00..=0x03 => self.on_message(from, bytes, now),
            _ => None,
        }
    }

    /// A stream has ended: its allocation ends with it (RFC 8656 §3.1).
    pub fn closed(&mut self, client: &Client) {
        if let Some(slot) = self.table.slot_of(client) {
            self.table.remove(slot);
        }
    }

    /// Whether the client holds an allocation.
    pub fn holds(&mut self, client: &Client, now: Instant) -> bool {
        self.table.expire(now);
        self.table.slot_of(client).is_some()
    }

    pub fn tally(&self) -> Tally {
        Tally { allocations: self.table.len(), ..self.tally }
    }

    fn on_message(&mut self, from: Client, bytes: &[u8], now: Now) -> Option<Outgoing> {
        if bytes.first_chunk() == Some(&stun::BINDING_REQUEST) {
            let answer = stun::answer(bytes, from.address)?;
            let allowed = self.rates.allows(from.address.ip().into(), now.instant);
            return allowed.then(|| Some(answer_to(from, Written::copy(&answer)?)))?;
        }
        let message = message::read(bytes)?;
        match message.method {
            Method::Send => {
                if !message.unknown().is_empty() {
                    return None;
                }
                let (peer, data) = (message.peers().next()?, message.data.clone()?);
                let slot = self.table.slot_of(&from)?;
                let permitted = self.table.get(slot)?.permitted.is_some_and(|at| at > now.instant);
                if !permitted {
                    self.tally.dropped += 1;
                    return None;
                }
                self.forward(slot, peer, data, now.instant)
            }
            Method::Allocate | Method::Refresh | Method::CreatePermission | Method::ChannelBind => {
                let strange = self.table.slot_of(&from).is_none();
                if strange && !self.rates.allows(from.address.ip().into(), now.instant) {
                    return None;
                }
                Some(answer_to(from, self.answer(from, &message, now)?))
            }
        }
    }

    fn on_channel(&mut self, from: Client, bytes: &[u8], now: Instant) -> Option<Outgoing> {
        let [n1, n2, l1, l2] = *bytes.first_chunk::<CHANNEL_HEADER_BYTES>()?;
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        let data = CHANNEL_HEADER_BYTES..CHANNEL_HEADER_BYTES + length;
        if data.end > bytes.len() {
            return None;
        }
        let slot = self.table.slot_of(&from)?;
        let peer = self.table.get(slot)?.channel(u16::from_be_bytes([n1, n2]), now)?;
        self.forward(slot, peer, data, now)
    }

    /// From one allocation of a session to another one, or nowhere.
    fn forward(
        &mut self,
        from: Slot,
        to: SocketAddr,
        data: Range<usize>,
        now: Instant,
    ) -> Option<Outgoing> {
        let transaction = self.transaction();
        let outgoing = self.forwarded(from, to, &data, transaction, now);
        if outgoing.is_some() {
            self.tally.packets += 1;
            self.tally.bytes += data.len() as u64;
        } else {
            self.tally.dropped += 1;
        }
        outgoing
    }

    fn forwarded(
        &mut self,
        from: Slot,
        to: SocketAddr,
        data: &Range<usize>,
        transaction: Transaction,
        now: Instant,
    ) -> Option<Outgoing> {
        let sender = self.table.get_mut(from)?;
        if let Some(quota) = &mut sender.quota {
            quota.take(data.len() as u64, now).ok()?;
        }
        let (source, session) = (sender.relayed, sender.session);
        let receiver = self.table.at(&to)?;
        if receiver.session != session || receiver.relayed == source {
            return None;
        }
        let head = head_of(receiver, source, data.len(), transaction, now)?;
        let needs_padding = match receiver.client.path {
            Path::Stream(_) => true,
            Path::Datagram(_) => head.as_slice().len() > CHANNEL_HEADER_BYTES,
        };
        let padding = if needs_padding { data.len().next_multiple_of(4) - data.len() } else { 0 };
        Some(Outgoing { to: receiver.client, head, body: data.clone(), padding })
    }

    fn transaction(&mut self) -> Transaction {
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.draw().to_le_bytes());
        transaction
    }

    /// Not secret: it spreads ports and tells indications apart.
    fn draw(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }
}

fn answer_to(to: Client, head: Written) -> Outgoing {
    Outgoing { to, head, body: 0..0, padding: 0 }
}

/// What stands in front of data: a channel's number where the receiver bound one to the
/// sender, a Data indication where it permitted the sender's address, else nothing passes.
fn head_of(
    receiver: &Allocation,
    source: SocketAddr,
    length: usize,
    transaction: Transaction,
    now: Instant,
) -> Option<Written> {
    if let Some(number) = receiver.channel_to(source, now) {
        return Some(Written::channel(number, length as u16));
    }
    receiver.permitted.filter(|&until| until > now)?;
    let mut head = Written::message(DATA_INDICATION, &transaction);
    head.address(attribute::PEER, source);
    head.data_follows(length);
    Some(head)
}
