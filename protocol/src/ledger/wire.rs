//! What programs and the server say to each other about the ledger: JSON over HTTPS.
//!
//! Ends deliver what they sealed under a ticket, also after their session; operators'
//! programs and administrators ask for the newest checkpoint and a proof that it grew
//! out of the one they know (T64, T67).

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::keys::Envelope;
use super::record::{EndSealed, Row};
use super::tree::Hash;
use super::words::ReadPurpose;
use crate::blob::Blob;
use crate::ids::{Role, SessionId};
use crate::message;
use crate::seed::Seed;

/// `POST` [`EndRows`] → [`EndRowsTaken`]; the ticket says whose they are.
pub const END_ROWS_PATH: &str = "/v1/ledger/rows";
/// `POST` [`AskCheckpoint`] with an operator's token → [`CheckpointAnswer`].
pub const CHECKPOINT_PATH: &str = "/v1/ledger/checkpoint";
/// `POST` [`AskCheckpoint`] by an administrator → [`CheckpointAnswer`].
pub const ADMIN_CHECKPOINT_PATH: &str = "/v1/admin/ledger/checkpoint";
/// `POST` [`OpenLedger`] → [`LedgerOpened`]. The reading itself is a record (S56).
pub const OPEN_LEDGER_PATH: &str = "/v1/admin/ledger/open";
/// `POST` [`ReadRows`] → [`RowsPage`].
pub const READ_ROWS_PATH: &str = "/v1/admin/ledger/rows";
/// `POST` [`Review`] → nothing (S92).
pub const REVIEW_PATH: &str = "/v1/admin/ledger/review";
/// `POST` [`Decree`] of a [`super::audit::Tombstone`] → nothing.
pub const PRUNE_PATH: &str = "/v1/admin/ledger/prune";
/// `POST` [`Decree`] of a [`super::audit::Acknowledgement`] → nothing.
pub const ACKNOWLEDGE_PATH: &str = "/v1/admin/ledger/acknowledge";

/// The most records of one [`EndRows`].
pub const MAX_END_ROWS: usize = 16;
/// The most records that one end of one session may deliver.
pub const MAX_END_NUMBER: u64 = 2_100;
/// The most bytes that the records of one end of one session may take, as [`EndRow::bytes`] counts
/// them: enough for all that an end writes, and no place to store things.
pub const MAX_END_BYTES: u64 = 16 * 1024 * 1024;
/// The most records of one [`RowsPage`].
pub const MAX_PAGE: u64 = 1_000;
/// The most characters of a reason or note.
pub const MAX_REASON_CHARS: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRows {
    /// As given when the ends were paired.
    pub ticket: Blob,
    /// The size of the newest checkpoint that this end keeps; 0 for none.
    pub known: u64,
    /// In the order of their numbers.
    pub rows: Vec<EndRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRow {
    pub number: u64,
    pub sealed: EndSealed,
}

impl EndRow {
    /// What it takes on the server's disk, without what the server puts around it.
    pub fn bytes(&self) -> u64 {
        u64::try_from(message::encode(&self.sealed).len()).unwrap_or(u64::MAX)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRowsTaken {
    /// Everything before this number is on disk.
    pub next: u64,
    pub checkpoint: CheckpointAnswer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskCheckpoint {
    pub known: u64,
}

/// The newest checkpoint, and that it grew out of the one that the asker knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointAnswer {
    /// `None`: nothing was ever recorded.
    pub note: Option<String>,
    pub proof: Vec<Hash>,
    /// Signed [`super::audit::Acknowledgement`]s of restores, oldest first.
    pub acknowledgements: Vec<Blob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenLedger {
    pub purpose: ReadPurpose,
    pub from: u64,
    /// Exclusive; more than there are means all.
    pub to: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerOpened {
    /// Names this reading in [`ReadRows`]; good for an hour.
    pub reading: Blob,
    /// What may be read: up to the newest checkpoint.
    pub from: u64,
    pub to: u64,
    /// The leaf before `from`.
    pub before: Hash,
    pub note: String,
    pub tombstones: Vec<Blob>,
    pub acknowledgements: Vec<Blob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRows {
    pub reading: Blob,
    pub from: u64,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsPage {
    pub rows: Vec<StoredRow>,
    /// Every data key that the rows name.
    pub keys: Vec<Envelope>,
    /// Notes of sizes above the page's first record, up to its end.
    pub notes: Vec<String>,
}

/// A row with its leaf. Without a row: its content was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredRow {
    pub leaf: Hash,
    pub row: Option<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub up_to: u64,
    pub note: String,
}

/// A document that the tenant's root key signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decree {
    pub envelope: Blob,
}

/// Makes and checks the tickets under which ends deliver records. The server's alone.
#[derive(Clone)]
pub struct EndTicketKey([u8; 32]);

impl std::fmt::Debug for EndTicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndTicketKey(..)")
    }
}

/// Whose records a ticket lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTicket {
    pub session: SessionId,
    pub role: Role,
    /// Unix seconds.
    pub expires: u64,
}

const TICKET_BYTES: usize = SessionId::LEN + 1 + 8;

impl EndTicketKey {
    pub fn new(seed: &Seed) -> Self {
        Self(seed.derive("end tickets"))
    }

    pub fn seal(&self, ticket: &EndTicket) -> Vec<u8> {
        let body = body(ticket);
        let tag = self.mac(&body).finalize().into_bytes();
        [body.as_slice(), &tag].concat()
    }

    /// The ticket, if this key made it and it still counts.
    pub fn open(&self, sealed: &[u8], unix: u64) -> Option<EndTicket> {
        let (body, tag) = sealed.split_at_checked(TICKET_BYTES)?;
        self.mac(body).verify_slice(tag).ok()?;
        let session = SessionId(body[..SessionId::LEN].try_into().ok()?);
        let role = match body[SessionId::LEN] {
            0 => Role::Operator,
            1 => Role::Agent,
            2.. => return None,
        };
        let expires = u64::from_be_bytes(body[SessionId::LEN + 1..].try_into().ok()?);
        (expires > unix).then_some(EndTicket { session, role, expires })
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
        mac.update(b"tasuki-end-ticket-v1");
        mac.update(body);
        mac
    }
}

fn body(ticket: &EndTicket) -> Vec<u8> {
    let role = match ticket.role {
        Role::Operator => 0,
        Role::Agent => 1,
    };
    [ticket.session.0.as_slice(), &[role], &ticket.expires.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_its_sessions_ends_and_times_alone() {
        let key = EndTicketKey::new(&Seed::from_bytes([1; 32]));
        let ticket = EndTicket { session: SessionId([2; 16]), role: Role::Agent, expires: 100 };
        let sealed = key.seal(&ticket);
        assert_eq!(key.open(&sealed, 99), Some(ticket));
        assert_eq!(key.open(&sealed, 100), None);
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert_eq!(key.open(&other, 99), None, "byte {at}");
        }
        assert_eq!(key.open(&sealed[..40], 99), None);
        let other = EndTicketKey::new(&Seed::from_bytes([2; 32]));
        assert_eq!(other.open(&sealed, 99), None);
    }
}
