//! Log keys: rows are sealed to the public half, and the private half sleeps
//! wrapped in a passphrase.
//!
//! HPKE (RFC 9180) with X-Wing (ML-KEM-768 and X25519), HKDF-SHA256, AES-256-GCM.
//! A server holds public halves and wrapped blobs; neither opens a row (T63).

use std::convert::Infallible;

use aes_gcm::aead::{Aead as _, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::blob::Blob;
use crate::dsse::{DocumentRefused, strict_json};
use crate::ids::{Digest, LogKid, TenantId};
use crate::seed::Seed;

/// Bytes of a log key's public half.
pub const LOG_PUBLIC_BYTES: usize = 1216;
/// Bytes of what X-Wing sends along.
const ENCAPPED_BYTES: usize = 1120;
/// The most log keys that a row is sealed to: the one in use, its successor, a spare.
pub const MAX_LOG_KEYS: usize = 4;

const INFO: &[u8] = b"tasuki-log-key-v1";
const WRAP_VERSION: u16 = 1;

/// What a wrapped key costs to open: 1.6 s on the machine of `docs/bench.md`.
pub const WRAP_COST: WrapCost = WrapCost { memory_kib: 256 * 1024, passes: 4, lanes: 4 };
/// The most that a blob may ask of the machine that opens it.
const WRAP_MOST: WrapCost = WrapCost { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };

/// The half that everybody may hold.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Blob", into = "Blob")]
pub struct LogPublicKey(Vec<u8>);

impl LogPublicKey {
    pub fn kid(&self) -> LogKid {
        kid_of(&self.0)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parsed(&self) -> Option<<XWing as Kem>::PublicKey> {
        <XWing as Kem>::PublicKey::from_bytes(&self.0).ok()
    }
}

impl std::fmt::Debug for LogPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogPublicKey({})", self.kid())
    }
}

impl TryFrom<Blob> for LogPublicKey {
    type Error = NotALogKey;

    fn try_from(blob: Blob) -> Result<Self, NotALogKey> {
        let key = Self(blob.0);
        if key.0.len() != LOG_PUBLIC_BYTES || key.parsed().is_none() {
            return Err(NotALogKey);
        }
        Ok(key)
    }
}

impl From<LogPublicKey> for Blob {
    fn from(key: LogPublicKey) -> Self {
        Self(key.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the public half of a log key")]
pub struct NotALogKey;

/// The half that opens rows. Exists in the administrator's program alone (R9).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct LogSecretKey([u8; 32]);

impl std::fmt::Debug for LogSecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogSecretKey(..)")
    }
}

impl LogSecretKey {
    /// A new key pair's private half.
    pub fn new(seed: &Seed) -> Self {
        Self(seed.derive("log key"))
    }

    /// As recovery shares give it back.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For recovery shares.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn public(&self) -> LogPublicKey {
        let Ok(key) = <XWing as Kem>::PrivateKey::from_bytes(&self.0) else {
            unreachable!("32 bytes are an X-Wing seed")
        };
        LogPublicKey(XWing::sk_to_pk(&key).to_bytes().to_vec())
    }

    /// The data key in `envelope`, if one of its seals is to this key.
    pub fn open(&self, envelope: &Envelope, tenant: TenantId) -> Option<DataKey> {
        let kid = self.public().kid();
        let seal = envelope.0.iter().find(|seal| seal.to == kid)?;
        let secret = <XWing as Kem>::PrivateKey::from_bytes(&self.0).ok()?;
        let encapped = <XWing as Kem>::EncappedKey::from_bytes(&seal.encapped.0).ok()?;
        let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &secret,
            &encapped,
            INFO,
            &seal.sealed.0,
            &tenant.0,
        );
        let opened = Zeroizing::new(opened.ok()?);
        opened.as_slice().try_into().ok().map(DataKey)
    }
}

/// The key of some rows: fresh, short-lived, forgotten by who seals with it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DataKey(pub(crate) [u8; 32]);

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
    /// None or more than [`MAX_LOG_KEYS`] recipients: a row that nobody could open is not written.
    pub fn seal(
        &self,
        to: &[LogPublicKey],
        tenant: TenantId,
        seed: &Seed,
    ) -> Result<Envelope, NotALogKey> {
        if to.is_empty() || to.len() > MAX_LOG_KEYS {
            return Err(NotALogKey);
        }
        let mut rng = Stretched { seed: seed.child("encapsulate"), drawn: 0 };
        let seals = to.iter().map(|key| {
            let public = key.parsed().ok_or(NotALogKey)?;
            let (encapped, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
                &OpModeS::Base,
                &public,
                INFO,
                &self.0,
                &tenant.0,
                &mut rng,
            )
            .map_err(|_| NotALogKey)?;
            Ok(SealedKey {
                to: key.kid(),
                encapped: encapped.to_bytes().to_vec().into(),
                sealed: sealed.into(),
            })
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
    /// X-Wing's ciphertext, 1120 bytes.
    pub encapped: Blob,
    /// The data key under HPKE: 32 bytes and a tag.
    pub sealed: Blob,
}

impl Envelope {
    /// Which log keys open it.
    pub fn recipients(&self) -> impl Iterator<Item = LogKid> {
        self.0.iter().map(|seal| seal.to)
    }

    /// As rows name it.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for seal in &self.0 {
            hasher.update(seal.to.0);
            hasher.update(&seal.encapped.0);
            hasher.update(&seal.sealed.0);
        }
        Digest(hasher.finalize().into())
    }
}

impl TryFrom<Vec<SealedKey>> for Envelope {
    type Error = NotALogKey;

    fn try_from(seals: Vec<SealedKey>) -> Result<Self, NotALogKey> {
        let sound = |seal: &SealedKey| {
            seal.encapped.0.len() == ENCAPPED_BYTES && seal.sealed.0.len() == 32 + 16
        };
        if seals.is_empty() || seals.len() > MAX_LOG_KEYS || !seals.iter().all(sound) {
            return Err(NotALogKey);
        }
        Ok(Self(seals))
    }
}

impl From<Envelope> for Vec<SealedKey> {
    fn from(envelope: Envelope) -> Self {
        envelope.0
    }
}

/// What Argon2id (RFC 9106) is asked to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrapCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// A log key's private half under a passphrase, as a server keeps it (S50).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    pub v: u16,
    pub tenant: TenantId,
    pub public: LogPublicKey,
    pub cost: WrapCost,
    /// 16 random bytes, used once.
    pub salt: Blob,
    /// AES-256-GCM under Argon2id's output; the nonce is zero, as the salt makes every key new.
    pub sealed: Blob,
}

/// Why a wrapped key stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    #[error("the passphrase is wrong, or the key was altered")]
    WrongPassphrase,
    #[error("the wrapped key is not in the form of one")]
    Malformed,
    #[error("the wrapped key is of another tenant")]
    OtherTenant,
}

impl WrappedKey {
    /// Wraps `secret`. Spends `cost`: seconds, and hundreds of MiB.
    ///
    /// # Errors
    /// [`UnwrapError::Malformed`] for a cost that no blob may ask.
    pub fn wrap(
        secret: &LogSecretKey,
        tenant: TenantId,
        passphrase: &str,
        cost: WrapCost,
        seed: &Seed,
    ) -> Result<Self, UnwrapError> {
        let salt: [u8; 16] = seed.derive("wrap salt");
        let public = secret.public();
        let mut wrapped = Self {
            v: WRAP_VERSION,
            tenant,
            public,
            cost,
            salt: Blob(salt.to_vec()),
            sealed: Blob::default(),
        };
        let payload = Payload { msg: &secret.0, aad: &wrapped.bound() };
        let sealed = wrapped.cipher(passphrase)?.encrypt(&Nonce::default(), payload);
        wrapped.sealed = Blob(sealed.map_err(|_| UnwrapError::Malformed)?);
        Ok(wrapped)
    }

    /// # Errors
    /// See [`UnwrapError`]. Spends the blob's cost, within bounds.
    pub fn unwrap(&self, tenant: TenantId, passphrase: &str) -> Result<LogSecretKey, UnwrapError> {
        if self.tenant != tenant {
            return Err(UnwrapError::OtherTenant);
        }
        let payload = Payload { msg: &self.sealed.0, aad: &self.bound() };
        let opened = self.cipher(passphrase)?.decrypt(&Nonce::default(), payload);
        let opened = Zeroizing::new(opened.map_err(|_| UnwrapError::WrongPassphrase)?);
        let secret: [u8; 32] = opened.as_slice().try_into().map_err(|_| UnwrapError::Malformed)?;
        let secret = LogSecretKey(secret);
        if secret.public() == self.public { Ok(secret) } else { Err(UnwrapError::Malformed) }
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// # Errors
    /// Not strict JSON of a wrapped key.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentRefused> {
        strict_json(bytes)
    }

    fn cipher(&self, passphrase: &str) -> Result<Aes256Gcm, UnwrapError> {
        let WrapCost { memory_kib, passes, lanes } = self.cost;
        let bearable = memory_kib <= WRAP_MOST.memory_kib
            && passes <= WRAP_MOST.passes
            && lanes <= WRAP_MOST.lanes;
        if self.v != WRAP_VERSION || !bearable || self.salt.0.len() != 16 {
            return Err(UnwrapError::Malformed);
        }
        let params = Params::new(memory_kib, passes, lanes, Some(32));
        let params = params.map_err(|_| UnwrapError::Malformed)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Zeroizing::new([0; 32]);
        argon
            .hash_password_into(passphrase.as_bytes(), &self.salt.0, &mut *key)
            .map_err(|_| UnwrapError::Malformed)?;
        Ok(Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)))
    }

    /// What the seal binds beside the secret.
    fn bound(&self) -> Vec<u8> {
        let WrapCost { memory_kib, passes, lanes } = self.cost;
        let cost = [memory_kib, passes, lanes].map(u32::to_be_bytes).concat();
        [b"tasuki-wrap-v1".as_slice(), &self.tenant.0, &self.public.kid().0, &cost].concat()
    }
}

fn kid_of(public: &[u8]) -> LogKid {
    let digest: [u8; 32] = Sha256::digest(public).into();
    let mut kid = [0; LogKid::LEN];
    kid.copy_from_slice(&digest[..LogKid::LEN]);
    LogKid(kid)
}

/// A seed as the generator that the HPKE crate asks for.
struct Stretched {
    seed: Seed,
    drawn: u64,
}

impl TryRng for Stretched {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.drawn += 1;
        Ok(u32::from_be_bytes(self.seed.derive(&format!("draw {}", self.drawn))))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.drawn += 1;
        Ok(u64::from_be_bytes(self.seed.derive(&format!("draw {}", self.drawn))))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.drawn += 1;
            let drawn: [u8; 32] = self.seed.derive(&format!("draw {}", self.drawn));
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Stretched {}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId([1; 8]);
    const CHEAP: WrapCost = WrapCost { memory_kib: 64, passes: 1, lanes: 1 };

    fn key(byte: u8) -> LogSecretKey {
        LogSecretKey::new(&Seed::from_bytes([byte; 32]))
    }

    #[test]
    fn t63_a_data_key_opens_with_each_recipients_key_and_with_no_other() {
        let data = DataKey::new(&Seed::from_bytes([9; 32]));
        let to = [key(1).public(), key(2).public()];
        let envelope = data.seal(&to, TENANT, &Seed::from_bytes([8; 32])).unwrap();
        assert_eq!(key(1).open(&envelope, TENANT), Some(data.clone()));
        assert_eq!(key(2).open(&envelope, TENANT), Some(data));
        assert_eq!(key(3).open(&envelope, TENANT), None);
        assert_eq!(key(1).open(&envelope, TenantId([2; 8])), None);
    }

    #[test]
    fn no_row_is_sealed_to_nobody() {
        let data = DataKey::new(&Seed::from_bytes([9; 32]));
        assert_eq!(data.seal(&[], TENANT, &Seed::from_bytes([8; 32])), Err(NotALogKey));
    }

    #[test]
    fn s50_a_wrapped_key_opens_with_its_passphrase_only() {
        let seed = Seed::from_bytes([3; 32]);
        let wrapped = WrappedKey::wrap(&key(1), TENANT, "eight good words", CHEAP, &seed).unwrap();
        let wrapped = WrappedKey::decode(&wrapped.encode()).unwrap();
        let opened = wrapped.unwrap(TENANT, "eight good words").unwrap();
        assert_eq!(opened.bytes(), key(1).bytes());
        let refused = |wrapped: &WrappedKey, tenant, passphrase| {
            wrapped.unwrap(tenant, passphrase).map(|_| ()).unwrap_err()
        };
        assert_eq!(refused(&wrapped, TENANT, "eight bad words"), UnwrapError::WrongPassphrase);
        assert_eq!(refused(&wrapped, TenantId([2; 8]), "eight good words"), UnwrapError::OtherTenant);
        let mut other = wrapped.clone();
        other.public = key(2).public();
        assert_eq!(refused(&other, TENANT, "eight good words"), UnwrapError::WrongPassphrase);
        let mut dear = wrapped.clone();
        dear.cost.memory_kib = u32::MAX;
        assert_eq!(refused(&dear, TENANT, "eight good words"), UnwrapError::Malformed);
        let mut cheaper = wrapped;
        cheaper.cost.passes += 1;
        assert_eq!(refused(&cheaper, TENANT, "eight good words"), UnwrapError::WrongPassphrase);
    }
}
