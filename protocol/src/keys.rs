//! The tenant's keys between the administrator's machine and the server: what the
//! server shows, what it is given, and what it keeps wrapped.
//!
//! The server gets public halves and wrapped blobs only. Nothing here unwraps:
//! that is the administrator's program's alone (R9, S49, S50).

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::blob::Blob;
use crate::ids::{DeviceKey, Digest, TenantId};
use crate::log_key::LogPublicKey;
use crate::signal;

/// `GET` → [`ServerKeys`].
pub const SERVER_KEYS_PATH: &str = "/v1/admin/keys";
/// `POST` [`PrepareKey`] → [`ServerKeys`]: the server makes a key that a later bundle may name.
pub const PREPARE_KEY_PATH: &str = "/v1/admin/keys/prepare";
/// `POST` [`PublishBundle`] → nothing.
pub const PUBLISH_PATH: &str = "/v1/admin/bundle";
/// `GET` → [`WrappedLogKeys`].
pub const LOG_KEYS_PATH: &str = "/v1/admin/log-keys";

/// What a bundle says of the server itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerKeys {
    pub tenant: TenantId,
    pub organisation: String,
    pub host: String,
    pub port: u16,
    pub server_pin: Digest,
    pub manifest_key: DeviceKey,
    pub checkpoint_key: DeviceKey,
    /// Made and not in use yet.
    pub prepared: PreparedKeys,
    /// The newest bundle's envelope, once there is one.
    pub bundle: Option<Blob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedKeys {
    pub server_pin: Option<Digest>,
    pub manifest_key: Option<DeviceKey>,
    pub checkpoint_key: Option<DeviceKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareKey {
    pub kind: ServerKeyKind,
}

/// A key that the server makes and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerKeyKind {
    /// Manifest and checkpoint key together; in use from the bundle on that names them first.
    Manifest,
    /// The TLS key; in use from the bundle on that names its pin first.
    Server,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishBundle {
    /// A [`crate::bundle::Bundle`]'s envelope, of a higher version than the one before.
    pub bundle: Blob,
    /// Every log key there ever was, wrapped anew; empty where none changed.
    pub log_keys: Vec<WrappedLogKey>,
    /// Bundles by which the root changed and which the server has lost, for it came back from before
    /// them: oldest first, the first of them signed by the root that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Blob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedLogKeys {
    pub log_keys: Vec<WrappedLogKey>,
}

impl WrappedLogKeys {
    /// As [`digest_of_wrapped`], of the form in which the server keeps and shows them.
    pub fn digest(keys: &[WrappedLogKey]) -> Digest {
        let written: Vec<String> = keys.iter().map(signal::encode).collect();
        digest_of_wrapped(written.iter().map(String::as_bytes))
    }
}

/// SHA-256 over wrapped log keys as they are written, each behind its length: what a bundle signs for.
pub fn digest_of_wrapped<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Digest {
    let mut hasher = Sha256::new_with_prefix(b"tasuki-wrapped-log-keys-v1");
    for key in keys {
        hasher.update((key.len() as u64).to_be_bytes());
        hasher.update(key);
    }
    Digest(hasher.finalize().into())
}

/// The private half of a log key, readable with the passphrase or with the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedLogKey {
    pub v: u16,
    pub tenant: TenantId,
    pub public: LogPublicKey,
    /// Unix seconds.
    pub created_at: u64,
    pub by_passphrase: Wrapped,
    /// Under a key derived from the master key, so that recovery shares open it too.
    pub by_master: Wrapped,
}

/// The administrator's own file: the master key, from which the tenant root and the lock
/// keys grow, wrapped by the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    pub v: u16,
    pub tenant: TenantId,
    /// How often the lock key was changed.
    pub lock_generation: u32,
    pub master: Wrapped,
}

/// 32 bytes under AES-256-GCM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapped {
    /// How a passphrase becomes the key; `None`: the key is no passphrase.
    pub kdf: Option<Kdf>,
    /// 12 bytes.
    pub nonce: Blob,
    /// Ciphertext and tag: 48 bytes.
    pub sealed: Blob,
}

/// Argon2id (RFC 9106) with its costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kdf {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// 16 bytes.
    pub salt: Blob,
}

impl Kdf {
    /// Whether the costs are such as this program would ever write: a document from
    /// elsewhere must neither weaken the key nor exhaust the machine.
    pub fn is_sane(&self) -> bool {
        (19 * 1024..=256 * 1024).contains(&self.memory_kib)
            && (1..=8).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
            && self.salt.0.len() == 16
    }
}
