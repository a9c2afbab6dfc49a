//! One row: padded, sealed, bound to its place, and its leaf of the tree.
//!
//! The seal is AES-256-GCM under a data key with the row's number as nonce; what it
//! binds besides are log, number, time, class and the leaf before (threats B6). What the
//! ends report is sealed there first, so that the server holds it closed (T43, T63).

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use serde::{Deserialize, Serialize};

use super::event::{Class, Entry, MAX_ENTRY_BYTES};
use super::keys::{DataKey, Envelope};
use super::tree::{Hash, leaf_hash};
use crate::blob::Blob;
use crate::ids::{Role, SessionId, TenantId};
use crate::log_key::{LogPublicKey, LogSecretKey};
use crate::seed::Seed;

/// Lengths are hidden up to a multiple of this.
pub const BUCKET_BYTES: usize = 256;
/// The most bytes of one row's sealed part.
pub const MAX_SEALED_BYTES: usize = MAX_ROW_PLAIN + 16;
/// An end's sealed entry and what the server writes around it.
const MAX_ROW_PLAIN: usize = 32 * 1024;
const TAG_BYTES: usize = 16;

/// Where and when a row stands; everything about it that is not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Counts from 0 without a gap.
    pub seq: u64,
    /// Milliseconds since 1970, by the server's clock.
    pub at: u64,
    pub class: Class,
}

/// A row as it is stored and exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub place: Place,
    /// [`Envelope::digest`] of the data key that sealed it.
    pub key: Hash,
    pub sealed: Blob,
}

impl Row {
    /// This row's leaf. It covers every byte of the row and the log's name.
    pub fn leaf(&self, tenant: TenantId) -> Hash {
        leaf_hash(&[
            LOG_LABEL,
            &tenant.0,
            &self.place.seq.to_be_bytes(),
            &self.place.at.to_be_bytes(),
            &[self.place.class as u8],
            &self.key.0,
            &self.sealed.0,
        ])
    }
}

const LOG_LABEL: &[u8] = b"tasuki-ledger-v1";

/// What one row holds, once it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Entry(Entry),
    /// An end's own seal, still closed to who holds no log key.
    FromEnd(FromEnd),
}

/// An entry that an end sealed, as the server received it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromEnd {
    pub session: SessionId,
    pub role: Role,
    /// Counts from 0 for each end of each session; a gap is a missing record.
    pub number: u64,
    pub sealed: EndSealed,
}

/// Sealed at an end, under a data key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndSealed {
    pub key: Envelope,
    pub sealed: Blob,
}

/// Why a row does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowRefused {
    #[error("the record is sealed to another log key")]
    OtherKey,
    #[error("the record was altered or stands in another place")]
    Altered,
    #[error("the record opens, and holds no entry of this version")]
    Malformed,
    #[error("the record is too large")]
    TooLarge,
}

/// The row at `place` after the leaf `before`.
///
/// # Errors
/// [`RowRefused::TooLarge`].
pub fn seal(
    opened: &Opened,
    place: Place,
    before: Hash,
    key: &DataKey,
    key_digest: Hash,
    tenant: TenantId,
) -> Result<Row, RowRefused> {
    let plain = encode(opened)?;
    let bound = bound(tenant, place, before);
    let payload = Payload { msg: &plain, aad: &bound };
    let sealed = key.cipher().encrypt(&nonce(place.seq), payload);
    let sealed = Blob(sealed.map_err(|_| RowRefused::TooLarge)?);
    Ok(Row { place, key: key_digest, sealed })
}

/// What `row` holds, if it stands where it was written, after `before`.
///
/// # Errors
/// See [`RowRefused`].
pub fn open(row: &Row, before: Hash, key: &DataKey, tenant: TenantId) -> Result<Opened, RowRefused> {
    if row.sealed.0.len() > MAX_SEALED_BYTES {
        return Err(RowRefused::TooLarge);
    }
    let bound = bound(tenant, row.place, before);
    let payload = Payload { msg: &row.sealed.0, aad: &bound };
    let plain = key.cipher().decrypt(&nonce(row.place.seq), payload);
    decode(&plain.map_err(|_| RowRefused::Altered)?)
}

/// An end seals what it saw, for the log keys alone.
///
/// # Errors
/// No usable key, or an entry that is too large.
pub fn seal_at_end(
    entry: &Entry,
    (session, role, number): (SessionId, Role, u64),
    to: &[LogPublicKey],
    tenant: TenantId,
    seed: &Seed,
) -> Result<EndSealed, RowRefused> {
    let key = DataKey::new(seed);
    let envelope = key.seal(to, tenant, seed).map_err(|_| RowRefused::OtherKey)?;
    let plain = pad(&entry.encode().map_err(|_| RowRefused::TooLarge)?);
    let bound = end_bound(tenant, session, role, number);
    let payload = Payload { msg: &plain, aad: &bound };
    let sealed = key.cipher().encrypt(&nonce(number), payload);
    Ok(EndSealed { key: envelope, sealed: Blob(sealed.map_err(|_| RowRefused::TooLarge)?) })
}

impl FromEnd {
    /// The entry, for the holder of a log key.
    ///
    /// # Errors
    /// See [`RowRefused`].
    pub fn open(&self, secret: &LogSecretKey, tenant: TenantId) -> Result<Entry, RowRefused> {
        let key = self.sealed.key.open(secret, tenant).map_err(|_| RowRefused::OtherKey)?;
        let bound = end_bound(tenant, self.session, self.role, self.number);
        let payload = Payload { msg: &self.sealed.sealed.0, aad: &bound };
        let plain = key.cipher().decrypt(&nonce(self.number), payload);
        let plain = plain.map_err(|_| RowRefused::Altered)?;
        Entry::decode(unpad(&plain)?).map_err(|_| RowRefused::Malformed)
    }

    /// Whether it has the form and size of one; all that a server can check.
    pub fn is_sound(&self) -> bool {
        let length = self.sealed.sealed.0.len();
        let most = padded_length(MAX_ENTRY_BYTES) + TAG_BYTES;
        length > TAG_BYTES && length <= most && (length - TAG_BYTES).is_multiple_of(BUCKET_BYTES)
    }
}

const ENTRY: u8 = 1;
const FROM_END: u8 = 2;

fn encode(opened: &Opened) -> Result<Vec<u8>, RowRefused> {
    let (kind, body) = match opened {
        Opened::Entry(entry) => (ENTRY, entry.encode().map_err(|_| RowRefused::TooLarge)?),
        Opened::FromEnd(from_end) => {
            (FROM_END, postcard::to_stdvec(from_end).map_err(|_| RowRefused::TooLarge)?)
        }
    };
    let plain = pad(&[&[kind], body.as_slice()].concat());
    if plain.len() > MAX_ROW_PLAIN { Err(RowRefused::TooLarge) } else { Ok(plain) }
}

fn decode(plain: &[u8]) -> Result<Opened, RowRefused> {
    let (kind, body) = unpad(plain)?.split_first().ok_or(RowRefused::Malformed)?;
    match *kind {
        ENTRY => Entry::decode(body).map(Opened::Entry).map_err(|_| RowRefused::Malformed),
        FROM_END => match postcard::take_from_bytes(body) {
            Ok((from_end, [])) => Ok(Opened::FromEnd(from_end)),
            Ok(_) | Err(_) => Err(RowRefused::Malformed),
        },
        0 | 3.. => Err(RowRefused::Malformed),
    }
}

/// The length in four bytes, the content, zeros up to a whole bucket.
fn pad(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(padded_length(content.len()));
    out.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(content);
    out.resize(padded_length(content.len()), 0);
    out
}

fn padded_length(content: usize) -> usize {
    (content + 4).next_multiple_of(BUCKET_BYTES)
}

fn unpad(plain: &[u8]) -> Result<&[u8], RowRefused> {
    let (length, rest) = plain.split_first_chunk::<4>().ok_or(RowRefused::Malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| RowRefused::Malformed)?;
    let (content, padding) = rest.split_at_checked(length).ok_or(RowRefused::Malformed)?;
    let canonical = plain.len() == padded_length(length) && padding.iter().all(|byte| *byte == 0);
    if canonical { Ok(content) } else { Err(RowRefused::Malformed) }
}

fn nonce(number: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce.into()
}

fn bound(tenant: TenantId, place: Place, before: Hash) -> Vec<u8> {
    let (seq, at) = (place.seq.to_be_bytes(), place.at.to_be_bytes());
    [LOG_LABEL, &tenant.0, &seq, &at, &[place.class as u8], &before.0].concat()
}

fn end_bound(tenant: TenantId, session: SessionId, role: Role, number: u64) -> Vec<u8> {
    let role = match role {
        Role::Operator => b"op",
        Role::Agent => b"ag",
    };
    [b"tasuki-end-v1".as_slice(), &tenant.0, &session.0, role, &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::event::{Event, Witness};
    use super::*;
    use crate::ids::Digest;

    const TENANT: TenantId = TenantId([1; 8]);
    const BEFORE: Hash = Digest([3; 32]);

    fn seed(byte: u8) -> Seed {
        Seed::from_bytes([byte; 32])
    }

    fn chat(line: &str) -> Entry {
        let event = Event::ChatLine { line: line.to_owned() };
        Entry { by: Witness::Agent, session: None, operator: None, event }
    }

    fn sealed(line: &str) -> (Row, DataKey) {
        let key = DataKey::new(&seed(1));
        let place = Place { seq: 5, at: 1_000, class: Class::Content };
        let opened = Opened::Entry(chat(line));
        (seal(&opened, place, BEFORE, &key, Digest([4; 32]), TENANT).unwrap(), key)
    }

    #[test]
    fn a_row_opens_where_it_was_written() {
        let (row, key) = sealed("こんにちは");
        assert_eq!(open(&row, BEFORE, &key, TENANT), Ok(Opened::Entry(chat("こんにちは"))));
    }

    #[test]
    fn t64_a_row_opens_in_no_other_place() {
        let (row, key) = sealed("x");
        let altered = |change: fn(&mut Row)| {
            let mut other = row.clone();
            change(&mut other);
            assert_ne!(other.leaf(TENANT), row.leaf(TENANT));
            open(&other, BEFORE, &key, TENANT)
        };
        assert_eq!(altered(|row| row.place.seq += 1), Err(RowRefused::Altered));
        assert_eq!(altered(|row| row.place.at += 1), Err(RowRefused::Altered));
        assert_eq!(altered(|row| row.place.class = Class::Admin), Err(RowRefused::Altered));
        assert_eq!(altered(|row| row.sealed.0[9] ^= 1), Err(RowRefused::Altered));
        assert_eq!(open(&row, Digest([5; 32]), &key, TENANT), Err(RowRefused::Altered));
        assert_eq!(open(&row, BEFORE, &key, TenantId([2; 8])), Err(RowRefused::Altered));
    }

    #[test]
    fn t62_a_rows_length_tells_a_bucket_and_no_more() {
        let length = |line: &str| sealed(line).0.sealed.0.len();
        assert_eq!(length("a"), length(&"a".repeat(150)));
        assert_eq!(length(&"a".repeat(300)), 512 + TAG_BYTES);
    }

    #[test]
    fn t43_what_an_end_sealed_opens_with_the_log_key_alone() {
        let secret = LogSecretKey::from_bytes([2; 32]);
        let (session, number) = (SessionId([6; 16]), 3);
        let at = (session, Role::Agent, number);
        let sealed = seal_at_end(&chat("secret"), at, &[secret.public()], TENANT, &seed(3)).unwrap();
        let from_end = FromEnd { session, role: Role::Agent, number, sealed };
        assert!(from_end.is_sound());
        let key = DataKey::new(&seed(1));
        let place = Place { seq: 0, at: 0, class: Class::Content };
        let opened = Opened::FromEnd(from_end.clone());
        let row = seal(&opened, place, BEFORE, &key, Digest([4; 32]), TENANT).unwrap();
        assert_eq!(open(&row, BEFORE, &key, TENANT), Ok(opened));
        assert_eq!(from_end.open(&secret, TENANT), Ok(chat("secret")));
        let other = LogSecretKey::from_bytes([9; 32]);
        assert_eq!(from_end.open(&other, TENANT), Err(RowRefused::OtherKey));
        let moved = FromEnd { number: 4, ..from_end };
        assert_eq!(moved.open(&secret, TENANT), Err(RowRefused::Altered));
    }

    #[test]
    fn an_entry_that_is_too_large_is_not_cut_in_silence() {
        let entry = chat(&"x".repeat(MAX_ENTRY_BYTES));
        let key = DataKey::new(&seed(1));
        let place = Place { seq: 0, at: 0, class: Class::Content };
        let row = seal(&Opened::Entry(entry), place, BEFORE, &key, Digest([4; 32]), TENANT);
        assert_eq!(row, Err(RowRefused::TooLarge));
    }
}
