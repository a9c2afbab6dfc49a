//! What a ticket is worth at a TURN server: a user name and a password for its minute.
//!
//! The form is RFC 8489's long-term credential. The name is the ticket without its tag, readable
//! by whoever listens; the password is derived from the tag one way, so that neither tells
//! anybody the ticket that a relay takes over TCP (T45).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ticket::{TAG_BYTES, Ticket, TicketKey, TicketRefused};

/// The realm of every relay.
pub const TURN_REALM: &str = "tasuki";
/// The ALPN name of TURN over TLS (RFC 7443).
pub const TURN_ALPN: &[u8] = b"stun.turn";
/// The most bytes that a name made of a ticket can have.
pub const MAX_TURN_NAME_BYTES: usize = 96;

const DOMAIN: &[u8] = b"tasuki-turn-v1";

/// Name and password, both ASCII.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TurnCredential {
    pub name: String,
    pub password: String,
}

impl std::fmt::Debug for TurnCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnCredential").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TurnCredential {
    /// What the holder of a sealed ticket shows to a TURN server; `None` where the bytes are
    /// too short to be a ticket.
    pub fn of(sealed: &[u8]) -> Option<Self> {
        let (body, tag) = sealed.split_at(sealed.len().checked_sub(TAG_BYTES + 1)? + 1);
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(tag);
        let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
        mac.update(DOMAIN);
        let password = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Some(Self { name: URL_SAFE_NO_PAD.encode(body), password })
    }
}

impl TicketKey {
    /// The ticket that a name stands for, and the password that proves it.
    ///
    /// # Errors
    /// The name is of no ticket, or of one that is not valid at `now` (seconds since 1970).
    pub fn open_turn(&self, name: &[u8], now: u64) -> Result<(Ticket, TurnCredential), TicketRefused> {
        if name.len() > MAX_TURN_NAME_BYTES {
            return Err(TicketRefused::Forged);
        }
        let body = URL_SAFE_NO_PAD.decode(name).map_err(|_| TicketRefused::Forged)?;
        let sealed = self.seal_bytes(body);
        let ticket = self.open(&sealed, now)?;
        let credential = TurnCredential::of(&sealed).ok_or(TicketRefused::Forged)?;
        Ok((ticket, credential))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Role, SessionId};

    fn ticket() -> Ticket {
        Ticket {
            session: SessionId([3; 16]),
            leg: u32::MAX,
            role: Role::Agent,
            expires: u64::MAX - 60,
            nonce: [9; 16],
        }
    }

    #[test]
    fn t45_bearer_and_relay_derive_the_same_password_and_only_under_one_key() {
        let key = TicketKey::from_bytes([1; 32]);
        let credential = TurnCredential::of(&key.seal(&ticket())).unwrap();
        assert!(credential.name.len() <= MAX_TURN_NAME_BYTES, "the longest ticket fits");
        let now = u64::MAX - 100;
        let opened = key.open_turn(credential.name.as_bytes(), now).unwrap();
        assert_eq!(opened, (ticket(), credential.clone()));
        let other = TicketKey::from_bytes([2; 32]).open_turn(credential.name.as_bytes(), now);
        assert_ne!(other.unwrap().1.password, credential.password);
    }

    #[test]
    fn t45_the_name_ends_with_its_ticket_and_junk_is_of_no_ticket() {
        let key = TicketKey::from_bytes([1; 32]);
        let name =
            TurnCredential::of(&key.seal(&Ticket { expires: 1_060, ..ticket() })).unwrap().name.clone();
        assert!(key.open_turn(name.as_bytes(), 1_000).is_ok());
        assert_eq!(key.open_turn(name.as_bytes(), 1_060), Err(TicketRefused::Expired));
        assert_eq!(key.open_turn(name.as_bytes(), 900), Err(TicketRefused::Expired));
        for junk in [&b""[..], b"alice", b"1700000000:alice", &[b'A'; 97], &[0xff; 40]] {
            assert_eq!(key.open_turn(junk, 1_000), Err(TicketRefused::Forged));
        }
    }

    #[test]
    fn t45_neither_name_nor_password_holds_the_tickets_tag() {
        let key = TicketKey::from_bytes([1; 32]);
        let sealed = key.seal(&ticket());
        let credential = TurnCredential::of(&sealed).unwrap();
        let tag = URL_SAFE_NO_PAD.encode(&sealed[sealed.len() - TAG_BYTES..]);
        assert_ne!(credential.password, tag);
        assert!(!format!("{credential:?}").contains(&credential.password));
        assert_eq!(TurnCredential::of(&[0; TAG_BYTES]), None);
    }
}
