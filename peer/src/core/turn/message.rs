//! TURN messages as a client writes and reads them (RFC 8489 §5 and §14, RFC 8656 §12 and §18).
//!
//! The walk over the attributes is the only decoder: it bounds every length before it is used,
//! and what it cannot read whole it does not read at all. It judges no answer.

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tasuki_protocol::stun::{
    CHANNEL_HEADER_BYTES, COOKIE, HEADER_BYTES, Transaction, mask_address, unmask_address,
};

const TAG_BYTES: usize = 20;
/// The value of REQUESTED-TRANSPORT: UDP's protocol number, and reserved bytes (RFC 8656 §18.8).
pub(super) const UDP: [u8; 4] = [17, 0, 0, 0];
/// A nonce has at most 128 characters (RFC 8489 §14.10), each of up to six bytes.
pub(super) const MOST_NONCE_BYTES: usize = 763;

pub(super) mod attribute {
    pub(in crate::core::turn) const USERNAME: u16 = 0x0006;
    pub(in crate::core::turn) const INTEGRITY: u16 = 0x0008;
    pub(in crate::core::turn) const ERROR_CODE: u16 = 0x0009;
    pub(in crate::core::turn) const CHANNEL: u16 = 0x000c;
    pub(in crate::core::turn) const LIFETIME: u16 = 0x000d;
    pub(in crate::core::turn) const PEER: u16 = 0x0012;
    pub(in crate::core::turn) const REALM: u16 = 0x0014;
    pub(in crate::core::turn) const NONCE: u16 = 0x0015;
    pub(in crate::core::turn) const RELAYED: u16 = 0x0016;
    pub(in crate::core::turn) const FAMILY: u16 = 0x0017;
    pub(in crate::core::turn) const TRANSPORT: u16 = 0x0019;
    pub(in crate::core::turn) const FINGERPRINT: u16 = 0x8028;
}

/// What is asked of a TURN server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Allocate,
    Refresh,
    ChannelBind,
}

impl Method {
    fn request(self) -> u16 {
        match self {
            Self::Allocate => 0x0003,
            Self::Refresh => 0x0004,
            Self::ChannelBind => 0x0009,
        }
    }

    fn of_answer(kind: u16) -> Option<(Self, Class)> {
        let class = match kind & 0x0110 {
            0x0100 => Class::Success,
            0x0110 => Class::Error,
            _ => return None,
        };
        let all = [Self::Allocate, Self::Refresh, Self::ChannelBind];
        let method = all.into_iter().find(|method| method.request() == kind & !0x0110)?;
        Some((method, class))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Success,
    Error,
}

/// The key of the long-term mechanism.
#[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub(super) struct Key(pub(super) Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// HMAC-SHA1 over what precedes the attribute, with the length that includes it (§14.5). It is
    /// what a server that offers no algorithms must be asked with (§9.2.5), ours and others' alike;
    /// the key is of 256 random bits and a minute old.
    fn mac(&self, before: &[u8]) -> Hmac<Sha1> {
        let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&self.0);
        let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
        let length = (before.len() + 4 + TAG_BYTES - HEADER_BYTES) as u16;
        mac.update(&before[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&before[4..]);
        mac
    }
}

/// A request that is being written.
#[derive(Debug)]
pub(super) struct Request(Vec<u8>);

impl Request {
    pub(super) fn new(method: Method, transaction: &Transaction) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&method.request().to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(transaction);
        Self(bytes)
    }

    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend_from_slice(&kind.to_be_bytes());
        self.0.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let length = (self.0.len() - HEADER_BYTES) as u16;
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
        self
    }

    pub(super) fn with_peer(self, peer: SocketAddr) -> Self {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.0[8..HEADER_BYTES]);
        self.with(attribute::PEER, &mask_address(peer, &transaction))
    }

    pub(super) fn sealed(self, key: &Key) -> Self {
        let tag = key.mac(&self.0).finalize().into_bytes();
        self.with(attribute::INTEGRITY, &tag)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// What a server said.
#[derive(Debug)]
pub(super) enum Heard<'a> {
    Answer(Answer<'a>),
    /// From whom the channel's number tells.
    Channel {
        number: u16,
        data: &'a [u8],
    },
}

/// An answer that was read whole; whether it is right is asked of [`Answer::is_sealed_with`].
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) method: Method,
    pub(super) transaction: Transaction,
    /// `None`: it was done.
    pub(super) error: Option<u16>,
    pub(super) realm: Option<&'a [u8]>,
    pub(super) nonce: Option<&'a [u8]>,
    pub(super) relayed: Option<SocketAddr>,
    /// Seconds.
    pub(super) lifetime: Option<u32>,
    /// What is covered, and the tag.
    seal: Option<(&'a [u8], &'a [u8])>,
}

impl Answer<'_> {
    /// In constant time.
    pub(super) fn is_sealed_with(&self, key: &Key) -> bool {
        self.seal.is_some_and(|(covered, tag)| key.mac(covered).verify_slice(tag).is_ok())
    }
}

/// The decoder, for any bytes. `None` for what deserves silence.
pub(super) fn read(bytes: &[u8]) -> Option<Heard<'_>> {
    match bytes.first()? {
        0x00..=0x03 => answer(bytes).map(Heard::Answer),
        0x40..=0x4f => channel(bytes),
        _ => None,
    }
}

fn channel(bytes: &[u8]) -> Option<Heard<'_>> {
    let (&[n1, n2, l1, l2], rest) = bytes.split_first_chunk::<CHANNEL_HEADER_BYTES>()?;
    let data = rest.get(..usize::from(u16::from_be_bytes([l1, l2])))?;
    Some(Heard::Channel { number: u16::from_be_bytes([n1, n2]), data })
}

fn answer(bytes: &[u8]) -> Option<Answer<'_>> {
    let header = bytes.first_chunk::<HEADER_BYTES>()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fits = length == bytes.len() - HEADER_BYTES && length.is_multiple_of(4);
    if !fits || header[4..8] != COOKIE {
        return None;
    }
    let (method, class) = Method::of_answer(u16::from_be_bytes([header[0], header[1]]))?;
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&header[8..]);
    let mut answer = Answer {
        method,
        transaction,
        error: None,
        realm: None,
        nonce: None,
        relayed: None,
        lifetime: None,
        seal: None,
    };
    let mut at = HEADER_BYTES;
    while at < bytes.len() && answer.seal.is_none() {
        let (kind, value) = attribute_at(bytes, at)?;
        answer.take(kind, value, &bytes[..at])?;
        at += 4 + value.len().next_multiple_of(4);
    }
    only_a_fingerprint_follows(bytes, at)?;
    let tells = match class {
        Class::Success => answer.error.is_none(),
        Class::Error => answer.error.is_some(),
    };
    tells.then_some(answer)
}

fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = rest.get(..length)?;
    let padded = length.next_multiple_of(4) <= rest.len();
    padded.then_some((u16::from_be_bytes([head[0], head[1]]), value))
}

/// What no integrity covers could have been written by anybody.
fn only_a_fingerprint_follows(bytes: &[u8], at: usize) -> Option<()> {
    if at == bytes.len() {
        return Some(());
    }
    let (kind, value) = attribute_at(bytes, at)?;
    let last = at + 4 + value.len().next_multiple_of(4) == bytes.len();
    (kind == attribute::FINGERPRINT && value.len() == 4 && last).then_some(())
}

impl<'a> Answer<'a> {
    /// Of each kind the first counts.
    fn take(&mut self, kind: u16, value: &'a [u8], before: &'a [u8]) -> Option<()> {
        match kind {
            attribute::ERROR_CODE => {
                let &[_, _, class, number] = value.first_chunk::<4>()?;
                let code = u16::from(class & 0x07) * 100 + u16::from(number);
                self.error.get_or_insert(code);
            }
            attribute::REALM => drop(self.realm.get_or_insert(value)),
            attribute::NONCE if value.len() <= MOST_NONCE_BYTES => {
                self.nonce.get_or_insert(value);
            }
            attribute::NONCE => return None,
            attribute::LIFETIME => {
                let seconds = u32::from_be_bytes(value.try_into().ok()?);
                self.lifetime.get_or_insert(seconds);
            }
            attribute::RELAYED => {
                let address = unmask_address(value, &self.transaction)?;
                self.relayed.get_or_insert(address);
            }
            attribute::INTEGRITY => {
                (value.len() == TAG_BYTES).then_some(())?;
                self.seal = Some((before, value));
            }
            _ => {}
        }
        Some(())
    }
}
