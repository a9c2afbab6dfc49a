//! Checkpoints: what the ledger was at one moment, signed for everybody to keep.
//!
//! A C2SP signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint): origin, size
//! and root, an extension line with the time, and an Ed25519 signature. Who keeps one
//! sees later whether anything of it was taken away (T64, T67).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::tree::Hash;
use crate::ids::{DeviceKey, Digest, TenantId};

/// The most bytes of a note.
pub const MAX_NOTE_BYTES: usize = 2048;
/// In a key's id: Ed25519, as the standard numbers it.
const ED25519: u8 = 1;
const SIGNATURE_MARK: &str = "\u{2014} ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub tenant: TenantId,
    /// Records in all.
    pub size: u64,
    pub root: Hash,
    /// Unix seconds.
    pub at: u64,
}

/// Why a checkpoint counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoteRefused {
    #[error("the checkpoint is not in the form of one")]
    Malformed,
    #[error("the checkpoint is of another ledger")]
    OtherLog,
    #[error("no trusted key has signed the checkpoint")]
    Forged,
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let public = DeviceKey(key.verifying_key().to_bytes());
        let signature = key.sign(text.as_bytes()).to_bytes();
        let signed = [key_id(&origin(self.tenant), &public).as_slice(), &signature].concat();
        format!("{text}\n{SIGNATURE_MARK}{} {}\n", origin(self.tenant), STANDARD.encode(signed))
    }

    /// The checkpoint in `note`, once one of `trusted` is known to have signed it.
    ///
    /// # Errors
    /// See [`NoteRefused`]; each is final.
    pub fn open(note: &str, tenant: TenantId, trusted: &[DeviceKey]) -> Result<Self, NoteRefused> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteRefused::Malformed);
        }
        let (body, signatures) = note.rsplit_once("\n\n").ok_or(NoteRefused::Malformed)?;
        let text = format!("{body}\n");
        let checkpoint = Self::parse(&text, tenant)?;
        let is_signed = signatures
            .lines()
            .any(|line| trusted.iter().any(|key| signs(line, &origin(tenant), key, text.as_bytes())));
        if is_signed { Ok(checkpoint) } else { Err(NoteRefused::Forged) }
    }

    /// The checkpoint in a note that was opened with [`Self::open`] before it was kept: it counts
    /// for ever, also when the key that signed it was replaced since.
    ///
    /// # Errors
    /// [`NoteRefused::Malformed`], [`NoteRefused::OtherLog`].
    pub fn of_kept(note: &str, tenant: TenantId) -> Result<Self, NoteRefused> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteRefused::Malformed);
        }
        let (body, _) = note.rsplit_once("\n\n").ok_or(NoteRefused::Malformed)?;
        Self::parse(&format!("{body}\n"), tenant)
    }

    fn text(&self) -> String {
        let Self { tenant, size, root, at } = self;
        format!("{}\n{size}\n{}\ntime {at}\n", origin(*tenant), STANDARD.encode(root.0))
    }

    fn parse(text: &str, tenant: TenantId) -> Result<Self, NoteRefused> {
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or(NoteRefused::Malformed);
        if line()? != origin(tenant) {
            return Err(NoteRefused::OtherLog);
        }
        let size = decimal(line()?)?;
        let root = STANDARD.decode(line()?).ok().and_then(|root| root.try_into().ok());
        let root = Digest(root.ok_or(NoteRefused::Malformed)?);
        let at = decimal(line()?.strip_prefix("time ").ok_or(NoteRefused::Malformed)?)?;
        let checkpoint = Self { tenant, size, root, at };
        // One form only, so that two notes of one checkpoint are equal.
        if checkpoint.text() == text { Ok(checkpoint) } else { Err(NoteRefused::Malformed) }
    }
}

/// A ledger's name in its checkpoints.
pub fn origin(tenant: TenantId) -> String {
    format!("tasuki.ledger/{tenant}")
}

fn decimal(text: &str) -> Result<u64, NoteRefused> {
    text.parse().map_err(|_| NoteRefused::Malformed)
}

fn key_id(name: &str, key: &DeviceKey) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update([b'\n', ED25519]);
    hasher.update(key.0);
    let digest: [u8; 32] = hasher.finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn signs(line: &str, name: &str, key: &DeviceKey, text: &[u8]) -> bool {
    let signed = line.strip_prefix(SIGNATURE_MARK).and_then(|rest| rest.strip_prefix(name));
    let signed = signed.and_then(|rest| rest.strip_prefix(' '));
    let Some(Ok(signed)) = signed.map(|signed| STANDARD.decode(signed)) else { return false };
    let Some((id, signature)) = signed.split_first_chunk::<4>() else { return false };
    let (Ok(key_of), Ok(signature)) =
        (VerifyingKey::from_bytes(&key.0), Signature::from_slice(signature))
    else {
        return false;
    };
    *id == key_id(name, key) && key_of.verify_strict(text, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId([1; 8]);

    fn checkpoint() -> Checkpoint {
        Checkpoint { tenant: TENANT, size: 41, root: Digest([7; 32]), at: 1_700_000_000 }
    }

    fn public(key: &SigningKey) -> DeviceKey {
        DeviceKey(key.verifying_key().to_bytes())
    }

    #[test]
    fn a_note_opens_with_its_signers_key_and_has_the_standards_form() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let note = checkpoint().sign(&key);
        assert_eq!(Checkpoint::open(&note, TENANT, &[public(&key)]), Ok(checkpoint()));
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(lines[..2], ["tasuki.ledger/0101010101010101", "41"]);
        assert_eq!(lines[3..5], ["time 1700000000", ""]);
        assert!(lines[5].starts_with("\u{2014} tasuki.ledger/0101010101010101 "));
    }

    #[test]
    fn t67_a_kept_note_counts_when_its_key_is_replaced_and_of_its_own_ledger_alone() {
        let note = checkpoint().sign(&SigningKey::from_bytes(&[5; 32]));
        assert_eq!(Checkpoint::of_kept(&note, TENANT), Ok(checkpoint()));
        assert_eq!(Checkpoint::of_kept(&note, TenantId([2; 8])), Err(NoteRefused::OtherLog));
        for cut in 0..note.len() {
            let Some(begin) = note.get(..cut) else { continue };
            let kept = Checkpoint::of_kept(begin, TENANT);
            assert!(kept.is_err() || kept == Ok(checkpoint()), "cut at {cut}");
        }
    }

    #[test]
    fn t64_a_note_of_another_key_log_or_with_any_bit_changed_is_refused() {
        let (key, other) = (SigningKey::from_bytes(&[5; 32]), SigningKey::from_bytes(&[6; 32]));
        let note = checkpoint().sign(&key);
        let open = |note: &str, tenant, key| Checkpoint::open(note, tenant, &[public(key)]);
        assert_eq!(open(&note, TENANT, &other), Err(NoteRefused::Forged));
        assert_eq!(open(&note, TenantId([2; 8]), &key), Err(NoteRefused::OtherLog));
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                assert_ne!(open(&changed, TENANT, &key), Ok(checkpoint()), "byte {at}, bit {bit}");
            }
        }
    }
}
