//! The first words of a pairing: what each end says before any key exists.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, Role};
use crate::pairing::PairingError;

/// The most bytes of an encoded [`Hello`].
pub const MAX_HELLO_BYTES: usize = 512;

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
    /// [`PairingError::Malformed`] for bytes that are no hello of any version,
    /// [`PairingError::Version`] for one of another.
    pub fn decode(bytes: &[u8]) -> Result<Self, PairingError> {
        if bytes.len() > MAX_HELLO_BYTES {
            return Err(PairingError::Malformed);
        }
        let (version, _) =
            postcard::take_from_bytes::<u16>(bytes).map_err(|_| PairingError::Malformed)?;
        if version != PROTOCOL_VERSION {
            return Err(PairingError::Version { theirs: version });
        }
        match postcard::take_from_bytes::<Self>(bytes) {
            Ok((hello, [])) => Ok(hello),
            Ok(_) | Err(_) => Err(PairingError::Malformed),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }
}
