//! The server's word to a relay: this bearer may be one end of this leg.
//!
//! A ticket is single-use, bound to session, leg and role, and lives at most
//! [`TICKET_LIFETIME_S`]. It says nothing of people, modes or rights: the relay
//! joins two bearers and forwards what it cannot read (T44, T45).

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{Role, SessionId};

/// Seconds from issue to expiry. T45.
pub const TICKET_LIFETIME_S: u64 = 60;
/// The most bytes a sealed ticket may have; a relay reads no further.
pub const MAX_TICKET_BYTES: usize = 256;
/// The ALPN name under which a relay is spoken to after TLS.
pub const RELAY_ALPN: &[u8] = b"tasuki-relay/1";

/// The path at which a server's relay is spoken to as well, by HTTP's Upgrade, where a
/// network lets nothing through but what browsers speak (S84).
pub const RELAY_PATH: &str = "/relay";
/// What is asked for there (RFC 9110 §7.8).
pub const RELAY_UPGRADE: &str = "tasuki-relay";

pub(crate) const TAG_BYTES: usize = 32;
const DOMAIN: &[u8] = b"tasuki-ticket-v1";

/// What a ticket says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub session: SessionId,
    /// Counts the relayed legs of a session; both ends of a leg hold the same.
    pub leg: u32,
    pub role: Role,
    /// Seconds since 1970 on the issuer's clock.
    pub expires: u64,
    pub nonce: [u8; 16],
}

/// Shared by a server and its relays; signs tickets.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TicketKey([u8; 32]);

impl std::fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketKey(..)")
    }
}

impl TicketKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The ticket as a relay accepts it: its bytes, then HMAC-SHA256 over them.
    pub fn seal(&self, ticket: &Ticket) -> Vec<u8> {
        self.seal_bytes(crate::binary::encode(ticket))
    }

    pub(crate) fn seal_bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let tag = self.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        bytes
    }

    /// # Errors
    /// The bytes are too long or short, the tag is not this key's, the content
    /// is no ticket, it is past `now` (seconds since 1970), or it would live
    /// longer than [`TICKET_LIFETIME_S`] from now.
    pub fn open(&self, sealed: &[u8], now: u64) -> Result<Ticket, TicketRefused> {
        if sealed.len() > MAX_TICKET_BYTES || sealed.len() <= TAG_BYTES {
            return Err(TicketRefused::Forged);
        }
        let (bytes, tag) = sealed.split_at(sealed.len() - TAG_BYTES);
        self.mac(bytes).verify_slice(tag).map_err(|_| TicketRefused::Forged)?;
        let (ticket, rest) =
            postcard::take_from_bytes::<Ticket>(bytes).map_err(|_| TicketRefused::Forged)?;
        if !rest.is_empty() {
            return Err(TicketRefused::Forged);
        }
        if ticket.expires <= now || ticket.expires > now + TICKET_LIFETIME_S {
            return Err(TicketRefused::Expired);
        }
        Ok(ticket)
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
        mac.update(DOMAIN);
        mac.update(bytes);
        mac
    }
}

/// Why a relay turned a bearer away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TicketRefused {
    #[error("the ticket was not issued by this relay's server")]
    Forged,
    #[error("the ticket has expired")]
    Expired,
}

/// A relay's one-byte answer to a ticket. After `Joined` every byte is the other end's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RelayAnswer {
    /// The other end is here; what follows is its bytes.
    Joined = 1,
    /// Forged, expired, used, or the place is taken: not said which (T45).
    Refused = 2,
    /// The relay is full; another may not be.
    Busy = 3,
}

impl TryFrom<u8> for RelayAnswer {
    type Error = u8;

    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            1 => Ok(Self::Joined),
            2 => Ok(Self::Refused),
            3 => Ok(Self::Busy),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(expires: u64) -> Ticket {
        Ticket { session: SessionId([3; 16]), leg: 7, role: Role::Agent, expires, nonce: [9; 16] }
    }

    #[test]
    fn t45_a_ticket_opens_under_its_key_within_its_minute_only() {
        let key = TicketKey::from_bytes([1; 32]);
        let sealed = key.seal(&ticket(1_060));
        assert_eq!(key.open(&sealed, 1_000), Ok(ticket(1_060)));
        assert_eq!(key.open(&sealed, 1_060), Err(TicketRefused::Expired));
        assert_eq!(key.open(&sealed, 999), Err(TicketRefused::Expired));
        let other = TicketKey::from_bytes([2; 32]);
        assert_eq!(other.open(&sealed, 1_000), Err(TicketRefused::Forged));
    }

    #[test]
    fn t45_every_flipped_bit_and_every_cut_is_a_forgery() {
        let key = TicketKey::from_bytes([1; 32]);
        let sealed = key.seal(&ticket(1_060));
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&bad, 1_000), Err(TicketRefused::Forged));
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..length], 1_000), Err(TicketRefused::Forged));
        }
    }
}
