//! The receipt that both ends keep of a session: who, what was allowed, what was
//! done, and how it ended (S97, S99, T10).
//!
//! What was said and signed during the session stands in it as it was signed:
//! the server's manifest, the agent's consent, the host's changes of rights. So
//! whoever holds a receipt can check it without either end. Signed by both ends
//! where both could, by one where the other was gone.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::blob::Blob;
use crate::consent::{Answer, Consent};
use crate::dsse::{self, Document, DocumentRefused};
use crate::grant::RightsChange;
use crate::ids::{DeviceKey, Digest, Role, SessionId};
use crate::manifest::Manifest;
use crate::message::EndReason;
use crate::showable::is_showable_name;

/// The version of the document and of its rendering.
pub const RECEIPT_VERSION: u16 = 1;
/// The most bytes of a receipt's payload.
pub const MAX_RECEIPT_BYTES: usize = 96 * 1024;
/// The most entries of each of its lists; what is beyond is counted in [`Receipt::omitted`].
pub const MAX_ENTRIES: usize = 32;
/// The longest free word in it (a software's version, an address, a cipher), in bytes.
pub const MAX_WORD_BYTES: usize = 80;
/// The longest name of a file or organisation, in bytes.
pub const MAX_NAME_BYTES: usize = 400;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub v: u16,
    pub session: SessionId,
    pub transcript: Digest,
    /// As the ends know it from their signed file.
    pub organisation: String,
    /// The envelope that the server signed.
    pub manifest: Blob,
    /// The envelope that the agent's end signed.
    pub consent: Blob,
    /// The envelopes that the host's end signed, in order.
    pub changes: Vec<Blob>,
    /// Seconds since 1970 on the drafting end's clock, at the consent.
    pub began_at: u64,
    /// Seconds from the consent to the end.
    pub lasted_s: u64,
    /// When still pictures were kept, in seconds since the consent.
    pub screenshots: Vec<u64>,
    pub files: Vec<ReceiptFile>,
    pub paths: Vec<ReceiptPath>,
    pub addresses: Vec<ReceiptAddress>,
    pub software: Software,
    pub reason: EndReason,
    pub ended_by: Ender,
    /// Entries that found no room in the lists.
    pub omitted: u32,
}

impl Document for Receipt {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.receipt.v1+json";
    const MAX_BYTES: usize = MAX_RECEIPT_BYTES;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    pub after_s: u64,
    /// The end that it was copied to.
    pub to: Role,
    pub name: String,
    pub bytes: u64,
    pub sha256: Digest,
}

/// A path that carried, or could have carried, the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptPath {
    pub after_s: u64,
    pub kind: ReceiptPathKind,
    /// Names as in [`crate::leg::NOISE_PATTERN`] and the IANA registries.
    pub ciphers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptPathKind {
    Direct,
    Relayed,
}

/// An address of one end that the other learnt (R1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAddress {
    pub of: Role,
    pub address: String,
}

/// Versions; empty where an end did not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Software {
    pub operator: String,
    pub agent: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ender {
    Operator,
    Agent,
    Server,
    /// Its time, or the connection, ended it.
    Nobody,
}

/// A receipt that holds, with everything that was signed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedReceipt {
    pub receipt: Receipt,
    pub manifest: Manifest,
    pub consent: Consent,
    pub changes: Vec<RightsChange>,
    /// Which ends signed the receipt: one, or both.
    pub signed_by: Vec<Role>,
    /// The key that signed the manifest; whether it is an organisation's is for the caller to ask.
    pub server_key: DeviceKey,
}

impl CheckedReceipt {
    /// # Errors
    /// See [`ReceiptRefused`]; nothing of the receipt may be believed.
    pub fn open(envelope: &[u8]) -> Result<Self, ReceiptRefused> {
        let (receipt, signers) = dsse::open_cosigned::<Receipt>(envelope)?;
        let (manifest, server_key) = dsse::open_self_signed::<Manifest>(&receipt.manifest.0)?;
        let ends = [(manifest.operator_key, Role::Operator), (manifest.agent_key, Role::Agent)];
        let role = |key: &DeviceKey| ends.iter().find(|(end, _)| end == key).map(|(_, role)| *role);
        let signed_by: Option<Vec<Role>> = signers.iter().map(role).collect();
        let signed_by = signed_by.ok_or(ReceiptRefused::Stranger)?;
        let consent = dsse::open::<Consent>(&receipt.consent.0, &[manifest.agent_key])?;
        let host = match manifest.mode.host() {
            Role::Operator => manifest.operator_key,
            Role::Agent => manifest.agent_key,
        };
        let opened = receipt.changes.iter().map(|change| dsse::open(&change.0, &[host]));
        let changes: Vec<RightsChange> = opened.collect::<Result<_, _>>()?;
        let checked = Self { receipt, manifest, consent, changes, signed_by, server_key };
        if checked.hangs_together() { Ok(checked) } else { Err(ReceiptRefused::Parts) }
    }

    /// All parts are of one session, and everything in it can be shown.
    fn hangs_together(&self) -> bool {
        let Self { receipt, manifest, consent, changes, .. } = self;
        let digest = Digest(Sha256::digest(&receipt.manifest.0).into());
        let of_session = receipt.v == RECEIPT_VERSION
            && receipt.session == manifest.session
            && consent.manifest == digest
            && consent.transcript == receipt.transcript
            && consent.answer == Answer::Accepted;
        let in_order = changes.iter().zip(1..).all(|(change, number)| {
            change.number == number
                && change.manifest == digest
                && change.transcript == receipt.transcript
        });
        let names = [&manifest.operator, &manifest.operator_name];
        of_session
            && in_order
            && names.into_iter().all(|name| is_showable_name(name))
            && self.is_bounded()
    }

    fn is_bounded(&self) -> bool {
        let receipt = &self.receipt;
        let lengths = [
            receipt.changes.len(),
            receipt.screenshots.len(),
            receipt.files.len(),
            receipt.paths.len(),
            receipt.addresses.len(),
        ];
        let ciphers = receipt.paths.iter().flat_map(|path| &path.ciphers);
        let addresses = receipt.addresses.iter().map(|address| &address.address);
        let software = [&receipt.software.operator, &receipt.software.agent];
        let mut words = ciphers.chain(addresses).chain(software);
        let mut names = receipt.files.iter().map(|file| &file.name).chain([&receipt.organisation]);
        lengths.into_iter().all(|length| length <= MAX_ENTRIES)
            && words.all(|word| word.len() <= MAX_WORD_BYTES)
            && names.all(|name| name.len() <= MAX_NAME_BYTES)
    }
}

/// Why a receipt counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReceiptRefused {
    #[error(transparent)]
    Document(#[from] DocumentRefused),
    #[error("the receipt was signed by somebody who was not in the session")]
    Stranger,
    #[error("the parts of the receipt are not of one session")]
    Parts,
}
