//! What each TURN request is answered: who may ask, and for what.
//!
//! Nothing is kept for a request before its credential and its return path are proven; what
//! is said to a stranger over UDP is at most twice what the stranger said (T49).

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use tasuki_protocol::ticket::Ticket;
use tasuki_protocol::turn::TURN_REALM;

use super::fault::Fault;
use super::integrity::{self, LongTermKey};
use super::message::{Hash, Message, Method, attribute};
use super::table::{Allocation, Channel, Client, MOST_CHANNELS, Path};
use super::written::Written;
use super::{FIRST_PORT, Turn};
use crate::core::bucket::Bucket;
use crate::core::lobby::Now;
use crate::core::stun::{AMPLIFICATION, UDP_HEADER_BYTES};

/// Of every allocation, from its last refresh on; RFC 8656's default, and here also the most.
const ALLOCATION_LIFETIME: Duration = Duration::from_secs(600);
/// RFC 8656 §9.
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// RFC 8656 §12.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// RFC 5766's range, of which RFC 8656 uses a quarter: clients of both are about.
const CHANNELS: RangeInclusive<u16> = 0x4000..=0x7fff;
const UDP: u8 = 17;
/// Ports that are tried before a relay with almost all of them taken says that it is full.
const PORT_TRIES: usize = 64;

/// A credential that the request's integrity has proven.
struct Proof {
    key: LongTermKey,
    hash: Hash,
    /// `None` where the client's allocation is what it was proven by.
    ticket: Option<Ticket>,
}

impl Turn {
    pub(super) fn answer(&mut self, from: Client, message: &Message<'_>, now: Now) -> Option<Written> {
        let proof = match self.prove(from, message, now) {
            Ok(proof) => proof,
            Err(fault) => return self.turn_away(from, message, fault, now),
        };
        let outcome = match (message.unknown(), message.method) {
            ([_, ..], _) => Err(Fault::UnknownAttribute),
            (_, Method::Allocate) => self.allocate(from, message, &proof, now),
            (_, Method::Refresh) => self.refresh(from, message, now.instant),
            (_, Method::CreatePermission) => self.permit(from, message, now.instant),
            (_, Method::ChannelBind) => self.bind(from, message, now.instant),
            (_, Method::Send) => return None,
        };
        let mut answer = outcome.unwrap_or_else(|fault| {
            self.tally.refused += 1;
            refusal(message, fault)
        });
        proof.key.seal(&mut answer, proof.hash);
        Some(marked(answer, message))
    }

    /// RFC 8489 §9.2.4, with the return path asked before the credential.
    fn prove(&self, from: Client, message: &Message<'_>, now: Now) -> Result<Proof, Fault> {
        let integrity = message.integrity.ok_or(Fault::Unauthorized)?;
        let (Some(name), Some(realm), Some(nonce)) = (message.name, message.realm, message.nonce)
        else {
            return Err(Fault::BadRequest);
        };
        if !self.nonces.knows(nonce, from.address, now.instant) {
            return Err(Fault::StaleNonce);
        }
        if realm != TURN_REALM.as_bytes() {
            return Err(Fault::Unauthorized);
        }
        let (key, ticket) = match self.table.of_client(&from) {
            Some(allocation) if *allocation.name != *name => return Err(Fault::WrongCredentials),
            Some(allocation) => (allocation.key.clone(), None),
            None => {
                let opened = self.ticket_key.open_turn(name, now.unix());
                let (ticket, credential) = opened.map_err(|_| Fault::Unauthorized)?;
                (LongTermKey::of(&credential), Some(ticket))
            }
        };
        let made = key.made(message, &integrity);
        made.then_some(Proof { key, hash: integrity.hash, ticket }).ok_or(Fault::Unauthorized)
    }

    /// An answer without an integrity, or silence where it would be too long for a stranger.
    fn turn_away(
        &mut self,
        from: Client,
        message: &Message<'_>,
        fault: Fault,
        now: Now,
    ) -> Option<Written> {
        self.tally.refused += 1;
        let mut answer = refusal(message, fault);
        if fault.challenges() {
            answer.attribute(attribute::REALM, TURN_REALM.as_bytes());
            answer.attribute(attribute::NONCE, &self.nonces.make(from.address, now.instant));
        }
        let answer = marked(answer, message);
        let most = match from.path {
            Path::Datagram(_) => AMPLIFICATION * (message.bytes.len() + UDP_HEADER_BYTES),
            Path::Stream(_) => usize::MAX,
        };
        (answer.as_slice().len() + UDP_HEADER_BYTES <= most).then_some(answer)
    }

    fn allocate(
        &mut self,
        from: Client,
        message: &Message<'_>,
        proof: &Proof,
        now: Now,
    ) -> Result<Written, Fault> {
        if let Some(allocation) = self.table.of_client(&from) {
            let again = allocation.transaction == message.transaction;
            return again.then(|| allocated(message, allocation)).ok_or(Fault::Mismatch);
        }
        let ticket = proof.ticket.as_ref().ok_or(Fault::Unauthorized)?;
        match message.transport {
            Some(UDP) => {}
            Some(_) => return Err(Fault::TransportNotSupported),
            None => return Err(Fault::BadRequest),
        }
        let own = match message.family {
            None | Some(1) => self.own.v4.map(IpAddr::V4),
            Some(2) => self.own.v6.map(IpAddr::V6),
            Some(_) => None,
        };
        let own = own.ok_or(Fault::FamilyNotSupported)?;
        // A pair of ports, for RTP and RTCP apart, is nothing that an end here needs.
        if message.even_port == Some(true) {
            return Err(Fault::InsufficientCapacity);
        }
        self.check_quotas(from, ticket)?;
        let relayed =
            self.free_address(own, message.even_port.is_some()).ok_or(Fault::InsufficientCapacity)?;
        let rate = self.limits.rate;
        let allocation = Allocation {
            client: from,
            relayed,
            session: ticket.session,
            role: ticket.role,
            name: message.name.unwrap_or_default().into(),
            key: proof.key.clone(),
            transaction: message.transaction,
            until: now.instant + ALLOCATION_LIFETIME,
            permitted: None,
            channels: Vec::new(),
            quota: rate.map(|rate| Bucket::new(rate, rate, now.instant)),
        };
        let answer = allocated(message, &allocation);
        self.table.add(allocation);
        self.tally.allocated += 1;
        Ok(answer)
    }

    fn check_quotas(&self, from: Client, ticket: &Ticket) -> Result<(), Fault> {
        if self.table.of_end(ticket.session, ticket.role) >= self.limits.per_end
            || self.table.of_block(from.address.ip().into()) >= self.limits.per_address
        {
            return Err(Fault::QuotaReached);
        }
        if self.table.len() >= self.limits.allocations {
            return Err(Fault::InsufficientCapacity);
        }
        Ok(())
    }

    fn free_address(&mut self, own: IpAddr, even: bool) -> Option<SocketAddr> {
        (0..PORT_TRIES).find_map(|_| {
            let port = (FIRST_PORT | (self.draw() >> 24) as u16) & if even { !1 } else { !0 };
            let address = SocketAddr::new(own, port);
            self.table.at(&address).is_none().then_some(address)
        })
    }

    fn refresh(&mut self, from: Client, message: &Message<'_>, now: Instant) -> Result<Written, Fault> {
        let slot = self.table.slot_of(&from).ok_or(Fault::Mismatch)?;
        let relayed = self.table.get(slot).ok_or(Fault::Mismatch)?.relayed;
        if message.family.is_some_and(|family| (family == 1) != relayed.is_ipv4()) {
            return Err(Fault::FamilyMismatch);
        }
        let mut answer = Written::message(message.method.success(), &message.transaction);
        if message.lifetime == Some(0) {
            self.table.remove(slot);
            answer.attribute(attribute::LIFETIME, &0_u32.to_be_bytes());
        } else {
            self.table.keep(slot, now + ALLOCATION_LIFETIME);
            lifetime(&mut answer);
        }
        Ok(answer)
    }

    /// A permission counts IP addresses, and the only ones in this relay are its own.
    fn permit(&mut self, from: Client, message: &Message<'_>, now: Instant) -> Result<Written, Fault> {
        let slot = self.table.slot_of(&from).ok_or(Fault::Mismatch)?;
        let allocation = self.table.get_mut(slot).ok_or(Fault::Mismatch)?;
        let mut peers = message.peers().peekable();
        peers.peek().ok_or(Fault::BadRequest)?;
        for peer in peers {
            if peer.is_ipv4() != allocation.relayed.is_ipv4() {
                return Err(Fault::FamilyMismatch);
            }
            if peer.ip() != allocation.relayed.ip() {
                return Err(Fault::Forbidden);
            }
        }
        allocation.permitted = Some(now + PERMISSION_LIFETIME);
        Ok(Written::message(message.method.success(), &message.transaction))
    }

    fn bind(&mut self, from: Client, message: &Message<'_>, now: Instant) -> Result<Written, Fault> {
        let slot = self.table.slot_of(&from).ok_or(Fault::Mismatch)?;
        let own = self.table.get(slot).ok_or(Fault::Mismatch)?;
        let number = message.channel.filter(|number| CHANNELS.contains(number));
        let number = number.ok_or(Fault::BadRequest)?;
        let peer = message.peers().next().ok_or(Fault::BadRequest)?;
        if peer.is_ipv4() != own.relayed.is_ipv4() {
            return Err(Fault::FamilyMismatch);
        }
        let of_session = self.table.at(&peer).is_some_and(|other| other.session == own.session);
        if !of_session || peer == own.relayed {
            return Err(Fault::Forbidden);
        }
        let allocation = self.table.get_mut(slot).ok_or(Fault::Mismatch)?;
        allocation.channels.retain(|channel| channel.until > now);
        let same = |channel: &Channel| (channel.number == number, channel.peer == peer);
        match allocation.channels.iter().position(|channel| same(channel) != (false, false)) {
            Some(at) if same(&allocation.channels[at]) == (true, true) => {
                allocation.channels[at].until = now + CHANNEL_LIFETIME;
            }
            Some(_) => return Err(Fault::BadRequest),
            None if allocation.channels.len() >= MOST_CHANNELS => {
                return Err(Fault::InsufficientCapacity);
            }
            None => {
                let until = now + CHANNEL_LIFETIME;
                allocation.channels.push(Channel { number, peer, until });
            }
        }
        allocation.permitted = Some(now + PERMISSION_LIFETIME);
        Ok(Written::message(message.method.success(), &message.transaction))
    }
}

fn allocated(message: &Message<'_>, allocation: &Allocation) -> Written {
    let mut answer = Written::message(message.method.success(), &message.transaction);
    answer.address(attribute::RELAYED, allocation.relayed);
    let seen = allocation.client.address;
    answer.address(attribute::MAPPED, SocketAddr::new(seen.ip().to_canonical(), seen.port()));
    lifetime(&mut answer);
    answer
}

fn lifetime(answer: &mut Written) {
    let seconds = ALLOCATION_LIFETIME.as_secs() as u32;
    answer.attribute(attribute::LIFETIME, &seconds.to_be_bytes());
}

fn refusal(message: &Message<'_>, fault: Fault) -> Written {
    let mut answer = Written::message(message.method.error(), &message.transaction);
    let [class, number] = [(fault.code() / 100) as u8, (fault.code() % 100) as u8];
    answer.attribute(attribute::ERROR_CODE, &[0, 0, class, number]);
    if fault == Fault::UnknownAttribute {
        let kinds: Vec<u8> = message.unknown().iter().flat_map(|kind| kind.to_be_bytes()).collect();
        answer.attribute(attribute::UNKNOWN, &kinds);
    }
    answer
}

fn marked(mut answer: Written, message: &Message<'_>) -> Written {
    if message.fingerprint {
        integrity::mark(&mut answer);
    }
    answer
}
