//! STUN and TURN messages (RFC 8489 §5 and §14, RFC 8656 §18), read without a copy.
//!
//! The walk over the attributes is the only decoder: it bounds every length before it is used,
//! and what it cannot read whole it does not read at all. It judges no credential and no address.

use std::net::SocketAddr;
use std::ops::Range;

use tasuki_protocol::stun::{COOKIE, HEADER_BYTES, Transaction, unmask_address};

use super::integrity;

/// Unknown attributes that one error names at most.
const MOST_UNKNOWN: usize = 4;

pub(crate) mod attribute {
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN: u16 = 0x000a;
    pub(crate) const CHANNEL: u16 = 0x000c;
    pub(crate) const LIFETIME: u16 = 0x000d;
    pub(crate) const PEER: u16 = 0x0012;
    pub(crate) const DATA: u16 = 0x0013;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const RELAYED: u16 = 0x0016;
    pub(crate) const FAMILY: u16 = 0x0017;
    pub(crate) const EVEN_PORT: u16 = 0x0018;
    pub(crate) const TRANSPORT: u16 = 0x0019;
    pub(crate) const INTEGRITY_SHA256: u16 = 0x001c;
    pub(crate) const MAPPED: u16 = 0x0020;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
    pub(crate) const FIRST_OPTIONAL: u16 = 0x8000;
}

/// What a client may ask, and the one thing that it may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Allocate,
    Refresh,
    CreatePermission,
    ChannelBind,
    /// An indication: no answer, no credential.
    Send,
}

impl Method {
    fn of(kind: u16) -> Option<Self> {
        match kind {
            0x0003 => Some(Self::Allocate),
            0x0004 => Some(Self::Refresh),
            0x0008 => Some(Self::CreatePermission),
            0x0009 => Some(Self::ChannelBind),
            0x0016 => Some(Self::Send),
            _ => None,
        }
    }

    pub(crate) fn success(self) -> u16 {
        self.request() | 0x0100
    }

    pub(crate) fn error(self) -> u16 {
        self.request() | 0x0110
    }

    fn request(self) -> u16 {
        match self {
            Self::Allocate => 0x0003,
            Self::Refresh => 0x0004,
            Self::CreatePermission => 0x0008,
            Self::ChannelBind => 0x0009,
            Self::Send => 0x0016,
        }
    }
}

pub(crate) const DATA_INDICATION: u16 = 0x0017;

/// Which hash keys a MESSAGE-INTEGRITY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
}

/// A message integrity that is there; whether it is right is [`integrity`]'s question.
#[derive(Debug, Clone, Copy)]
pub struct Integrity<'a> {
    pub hash: Hash,
    /// Where its attribute begins: what is before it is covered.
    pub at: usize,
    pub tag: &'a [u8],
}

/// A message that was read whole.
#[derive(Debug)]
pub struct Message<'a> {
    pub bytes: &'a [u8],
    pub method: Method,
    pub transaction: Transaction,
    pub name: Option<&'a [u8]>,
    pub realm: Option<&'a [u8]>,
    pub nonce: Option<&'a [u8]>,
    pub integrity: Option<Integrity<'a>>,
    /// Seconds.
    pub lifetime: Option<u32>,
    /// An IP protocol's number.
    pub transport: Option<u8>,
    /// 1 is IPv4, 2 is IPv6; others are refused by whoever asks.
    pub family: Option<u8>,
    pub channel: Option<u16>,
    /// Whether the port after an even one is wanted too.
    pub even_port: Option<bool>,
    /// Where the data stand in `bytes`.
    pub data: Option<Range<usize>>,
    pub fingerprint: bool,
    unknown: Unknown,
}

/// Attributes that must be understood and are not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unknown {
    kinds: [u16; MOST_UNKNOWN],
    count: usize,
}

impl Unknown {
    fn note(&mut self, kind: u16) {
        if let Some(place) = self.kinds.get_mut(self.count) {
            *place = kind;
            self.count += 1;
        }
    }

    pub(crate) fn kinds(&self) -> &[u16] {
        &self.kinds[..self.count]
    }
}

/// The decoder, for any bytes. `None` for what deserves silence: no TURN of a client, a broken
/// length, an attribute of the wrong size, a wrong FINGERPRINT.
pub fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let header = bytes.first_chunk::<HEADER_BYTES>()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fits = length == bytes.len() - HEADER_BYTES && length.is_multiple_of(4);
    let method = Method::of(u16::from_be_bytes([header[0], header[1]]))?;
    if !fits || header[4..8] != COOKIE {
        return None;
    }
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&header[8..]);
    let mut message = Message {
        bytes,
        method,
        transaction,
        name: None,
        realm: None,
        nonce: None,
        integrity: None,
        lifetime: None,
        transport: None,
        family: None,
        channel: None,
        even_port: None,
        data: None,
        fingerprint: false,
        unknown: Unknown::default(),
    };
    for attribute in attributes(bytes) {
        message.take(&attribute?)?;
    }
    Some(message)
}

struct Attribute<'a> {
    kind: u16,
    at: usize,
    value: &'a [u8],
}

/// Yields `None` where an attribute goes beyond the message.
fn attributes(bytes: &[u8]) -> impl Iterator<Item = Option<Attribute<'_>>> {
    let mut at = HEADER_BYTES;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let attribute = attribute_at(bytes, at);
        at = attribute.as_ref().map_or(bytes.len(), |a| at + 4 + a.value.len().next_multiple_of(4));
        Some(attribute)
    })
}

fn attribute_at(bytes: &[u8], at: usize) -> Option<Attribute<'_>> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = rest.get(..length)?;
    (length.next_multiple_of(4) <= rest.len()).then_some(Attribute {
        kind: u16::from_be_bytes([head[0], head[1]]),
        at,
        value,
    })
}

impl<'a> Message<'a> {
    /// Of each kind the first counts; behind an integrity only a second one and a fingerprint do
    /// (RFC 8489 §14.5).
    fn take(&mut self, a: &Attribute<'a>) -> Option<()> {
        if self.fingerprint {
            return None;
        }
        match a.kind {
            attribute::FINGERPRINT => {
                let right = a.value == integrity::fingerprint(&self.bytes[..a.at]).to_be_bytes();
                self.fingerprint = right;
                return right.then_some(());
            }
            attribute::INTEGRITY if self.integrity.is_none() => {
                self.sealed(Hash::Sha1, a, 20)?;
            }
            attribute::INTEGRITY_SHA256 if !self.sealed_with(Hash::Sha256) => {
                self.sealed(Hash::Sha256, a, 32)?;
            }
            _ if self.integrity.is_some() => {}
            kind => self.take_open(kind, a)?,
        }
        Some(())
    }

    fn sealed_with(&self, hash: Hash) -> bool {
        self.integrity.is_some_and(|integrity| integrity.hash == hash)
    }

    fn sealed(&mut self, hash: Hash, a: &Attribute<'a>, length: usize) -> Option<()> {
        self.integrity = Some(Integrity { hash, at: a.at, tag: a.value });
        (a.value.len() == length).then_some(())
    }

    fn take_open(&mut self, kind: u16, a: &Attribute<'a>) -> Option<()> {
        let word = || <[u8; 4]>::try_from(a.value).ok();
        match kind {
            attribute::USERNAME => first(&mut self.name, a.value),
            attribute::REALM => first(&mut self.realm, a.value),
            attribute::NONCE => first(&mut self.nonce, a.value),
            attribute::LIFETIME => first(&mut self.lifetime, u32::from_be_bytes(word()?)),
            attribute::TRANSPORT => first(&mut self.transport, word()?[0]),
            attribute::FAMILY => first(&mut self.family, word()?[0]),
            attribute::EVEN_PORT => first(&mut self.even_port, a.value.first()? & 0x80 != 0),
            attribute::CHANNEL => {
                let [high, low, ..] = word()?;
                first(&mut self.channel, u16::from_be_bytes([high, low]));
            }
            attribute::DATA => first(&mut self.data, a.at + 4..a.at + 4 + a.value.len()),
            // Read again by those who want it.
            attribute::PEER => drop(unmask_address(a.value, &self.transaction)?),
            kind if kind < attribute::FIRST_OPTIONAL => self.unknown.note(kind),
            _ => {}
        }
        Some(())
    }

    /// Every XOR-PEER-ADDRESS that an integrity covers, or of a message without one. An IPv4
    /// address that is written as an IPv6 one stays what it was written as.
    pub fn peers(&self) -> impl Iterator<Item = SocketAddr> {
        let end = self.integrity.map_or(self.bytes.len(), |integrity| integrity.at);
        let before = attributes(self.bytes).flatten().take_while(move |a| a.at < end);
        before
            .filter(|a| a.kind == attribute::PEER)
            .filter_map(|a| unmask_address(a.value, &self.transaction))
    }

    /// The comprehension-required attributes that nobody here understands, the first few.
    pub fn unknown(&self) -> &[u16] {
        self.unknown.kinds()
    }
}

fn first<T>(place: &mut Option<T>, value: T) {
    if place.is_none() {
        *place = Some(value);
    }
}
