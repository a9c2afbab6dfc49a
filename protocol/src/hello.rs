//! The first words of a pairing: what each end says before any key exists.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, Role};

/// The most bytes of an encoded [`Hello`].
pub const MAX_HELLO_BYTES: usize = 512;

/// Why bytes are no hello of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HelloError {
    #[error("the other end sent what is not part of the protocol")]
    Malformed,
    #[error("the other end speaks protocol version {theirs}, this one {PROTOCOL_VERSION}")]
    Version { theirs: u16 },
}

/// What one end says of itself before any key exists. Everything in it is covered
/// by the transcript. It names no person, machine or address (T61).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub version: u16,
    pub role: Role,
    pub pake: Blob,
    /// The operator's device key, or the agent's key of this run.
    pub device: DeviceKey,
    /// SHA-256 of the DTLS certificate of the direct path.
    pub dtls_fingerprint: Digest,
    /// Ephemeral X25519 key, mixed into every key of the session.
    pub exchange: DeviceKey,
    pub ice_ufrag: String,
    pub ice_pwd: String,
    /// Random in an agent's hello; zero in an operator's.
    pub challenge: Challenge,
}

impl Hello {
    /// # Errors
    /// [`HelloError::Malformed`] for bytes that are no hello of any version,
    /// [`HelloError::Version`] for one of another.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        if bytes.len() > MAX_HELLO_BYTES {
            return Err(HelloError::Malformed);
        }
        let (version, _) =
            postcard::take_from_bytes::<u16>(bytes).map_err(|_| HelloError::Malformed)?;
        if version != PROTOCOL_VERSION {
            return Err(HelloError::Version { theirs: version });
        }
        match postcard::take_from_bytes::<Self>(bytes) {
            Ok((hello, [])) => Ok(hello),
            Ok(_) | Err(_) => Err(HelloError::Malformed),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        crate::binary::encode(self)
    }
}
