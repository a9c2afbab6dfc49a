//! Data keys: fresh, short-lived, sealed to every log key, and forgotten by who seals
//! with them.
//!
//! Who breaks in later finds nothing that opens an older row (T63); who holds a log
//! key's private half opens the envelope that stands beside the rows.

use aes_gcm::aead::KeyInit;
use aes_gcm::{Aes256Gcm, Key};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::blob::Blob;
use crate::ids::{Digest, LogKid, TenantId};
use crate::log_key::{LOG_SEAL_OVERHEAD, LogPublicKey, LogSecretKey, NotLogSealed};
use crate::seed::Seed;

/// The most log keys that a row is sealed to: the one in use, its successor, spares.
pub const MAX_LOG_KEYS: usize = 4;

const LABEL: &[u8] = b"tasuki-data-key-v1";
const KEY_BYTES: usize = 32;

/// The key of some rows.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; KEY_BYTES]);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    pub fn new(seed: &Seed) -> Self {
        Self(seed.derive("data key"))
    }

    /// This key for every one of `to`.
    ///
    /// # Errors
    /// None or more than [`MAX_LOG_KEYS`] recipients, or one that is no key: a row that
    /// nobody could open is not written.
    pub fn seal(
        &self,
        to: &[LogPublicKey],
        tenant: TenantId,
        seed: &Seed,
    ) -> Result<Envelope, NotLogSealed> {
        if to.is_empty() || to.len() > MAX_LOG_KEYS {
            return Err(NotLogSealed);
        }
        let seals = to.iter().map(|key| {
            let to = kid(key);
            let seed = seed.child(&format!("envelope to {to}"));
            let sealed = key.seal(LABEL, &tenant.0, &self.0, &seed)?;
            Ok(SealedKey { to, sealed: Blob(sealed) })
        });
        seals.collect::<Result<Vec<_>, _>>().map(Envelope)
    }

    pub(crate) fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(self.0))
    }
}

/// A data key, sealed once for each log key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<SealedKey>", into = "Vec<SealedKey>")]
pub struct Envelope(Vec<SealedKey>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedKey {
    pub to: LogKid,
    /// The data key under [`LogPublicKey::seal`].
    pub sealed: Blob,
}

impl Envelope {
    /// Whether whoever holds one of these opens it, if nobody has altered it.
    pub fn is_to_any(&self, keys: &[LogPublicKey]) -> bool {
        keys.iter().any(|key| self.0.iter().any(|seal| seal.to == kid(key)))
    }

    /// The data key, for the holder of one of the log keys.
    ///
    /// # Errors
    /// No seal is to this key, or it was altered.
    pub fn open(&self, secret: &LogSecretKey, tenant: TenantId) -> Result<DataKey, NotLogSealed> {
        let own = kid(&secret.public());
        let seal = self.0.iter().find(|seal| seal.to == own).ok_or(NotLogSealed)?;
        let opened = Zeroizing::new(secret.open(LABEL, &tenant.0, &seal.sealed.0)?);
        opened.as_slice().try_into().map(DataKey).map_err(|_| NotLogSealed)
    }

    /// Which log keys open it.
    pub fn recipients(&self) -> impl Iterator<Item = LogKid> {
        self.0.iter().map(|seal| seal.to)
    }

    /// As rows name it.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for seal in &self.0 {
            hasher.update(seal.to.0);
            hasher.update(&seal.sealed.0);
        }
        Digest(hasher.finalize().into())
    }
}

impl TryFrom<Vec<SealedKey>> for Envelope {
    type Error = NotLogSealed;

    fn try_from(seals: Vec<SealedKey>) -> Result<Self, NotLogSealed> {
        let sound = |seal: &SealedKey| seal.sealed.0.len() == KEY_BYTES + LOG_SEAL_OVERHEAD;
        if seals.is_empty() || seals.len() > MAX_LOG_KEYS || !seals.iter().all(sound) {
            return Err(NotLogSealed);
        }
        Ok(Self(seals))
    }
}

impl From<Envelope> for Vec<SealedKey> {
    fn from(envelope: Envelope) -> Self {
        envelope.0
    }
}

/// A log key's short name in envelopes.
pub fn kid(key: &LogPublicKey) -> LogKid {
    let digest: [u8; 32] = Sha256::digest(&key.0.0).into();
    let mut kid = [0; LogKid::LEN];
    kid.copy_from_slice(&digest[..LogKid::LEN]);
    LogKid(kid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId([1; 8]);

    fn key(byte: u8) -> LogSecretKey {
        LogSecretKey::from_bytes([byte; 32])
    }

    fn seed(byte: u8) -> Seed {
        Seed::from_bytes([byte; 32])
    }

    #[test]
    fn t63_a_data_key_opens_with_each_recipients_key_and_with_no_other() {
        let data = DataKey::new(&seed(9));
        let to = [key(1).public(), key(2).public()];
        let envelope = data.seal(&to, TENANT, &seed(8)).unwrap();
        assert_eq!(envelope.open(&key(1), TENANT), Ok(data.clone()));
        assert_eq!(envelope.open(&key(2), TENANT), Ok(data));
        assert_eq!(envelope.open(&key(3), TENANT), Err(NotLogSealed));
        assert_eq!(envelope.open(&key(1), TenantId([2; 8])), Err(NotLogSealed));
    }

    #[test]
    fn no_row_is_sealed_to_nobody() {
        let data = DataKey::new(&seed(9));
        assert_eq!(data.seal(&[], TENANT, &seed(8)), Err(NotLogSealed));
    }
}
