//! The customer's log key: whoever holds the public half seals, and only the
//! administrator's program, once it has unwrapped the private half, opens.
//!
//! HPKE (RFC 9180), base mode, X-Wing (ML-KEM-768 and X25519), HKDF-SHA256,
//! AES-256-GCM: what is recorded today stays closed to a quantum computer too.

use std::convert::Infallible;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::{TryCryptoRng, TryRng};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::blob::Blob;
use crate::seed::Seed;

/// Bytes of a public half.
pub const LOG_PUBLIC_BYTES: usize = 1216;
/// Bytes that sealing adds: the encapsulated key and the tag.
pub const LOG_SEAL_OVERHEAD: usize = ENCAPSULATED_BYTES + 16;
const ENCAPSULATED_BYTES: usize = 1120;

/// The public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPublicKey(pub Blob);

/// The private half, as the 32 bytes that it grows from.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct LogSecretKey([u8; 32]);

impl std::fmt::Debug for LogSecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogSecretKey(..)")
    }
}

type Private = <XWing as Kem>::PrivateKey;
type Public = <XWing as Kem>::PublicKey;
type Encapsulated = <XWing as Kem>::EncappedKey;

impl LogPublicKey {
    /// Seals `plain` for the holder of the private half. `label` says what for, `context` is
    /// authenticated and not sent; `seed` must be fresh.
    ///
    /// # Errors
    /// The key is not one.
    pub fn seal(
        &self,
        label: &[u8],
        context: &[u8],
        plain: &[u8],
        seed: &Seed,
    ) -> Result<Vec<u8>, NotLogSealed> {
        let public = Public::from_bytes(&self.0.0).map_err(|_| NotLogSealed)?;
        let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
            &OpModeS::Base,
            &public,
            label,
            plain,
            context,
            &mut Stream { seed, drawn: 0 },
        )
        .map_err(|_| NotLogSealed)?;
        Ok([encapsulated.to_bytes().as_slice(), &sealed].concat())
    }
}

impl LogSecretKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    pub fn public(&self) -> LogPublicKey {
        let (_, public) = self.pair();
        LogPublicKey(Blob(public.to_bytes().to_vec()))
    }

    /// # Errors
    /// It was not sealed to this key under `label` and `context`.
    pub fn open(&self, label: &[u8], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotLogSealed> {
        let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED_BYTES).ok_or(NotLogSealed)?;
        let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| NotLogSealed)?;
        let (private, _) = self.pair();
        hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            label,
            sealed,
            context,
        )
        .map_err(|_| NotLogSealed)
    }

    fn pair(&self) -> (Private, Public) {
        XWing::derive_keypair(&self.0)
    }
}

/// The seed as the library wants randomness; one encapsulation draws 64 bytes.
struct Stream<'a> {
    seed: &'a Seed,
    drawn: u64,
}

impl Stream<'_> {
    fn draw<const N: usize>(&mut self) -> [u8; N] {
        self.drawn += 1;
        self.seed.derive(&format!("encapsulation {}", self.drawn))
    }
}

impl TryRng for Stream<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.draw()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.draw()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for piece in bytes.chunks_mut(32) {
            let drawn = self.draw::<32>();
            piece.copy_from_slice(&drawn[..piece.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Stream<'_> {}

/// Tampering, or another key: not said which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed record did not open")]
pub struct NotLogSealed;

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(n: u8) -> LogSecretKey {
        LogSecretKey::from_bytes([n; 32])
    }

    fn sealed() -> Vec<u8> {
        let seed = Seed::from_bytes([9; 32]);
        secret(1).public().seal(b"label", b"context", b"a record", &seed).unwrap()
    }

    #[test]
    fn a_record_opens_with_its_key_label_and_context_only() {
        let sealed = sealed();
        assert_eq!(sealed.len(), b"a record".len() + LOG_SEAL_OVERHEAD);
        assert_eq!(secret(1).open(b"label", b"context", &sealed).unwrap(), b"a record");
        assert_eq!(secret(2).open(b"label", b"context", &sealed), Err(NotLogSealed));
        assert_eq!(secret(1).open(b"other", b"context", &sealed), Err(NotLogSealed));
        assert_eq!(secret(1).open(b"label", b"other", &sealed), Err(NotLogSealed));
        assert_eq!(secret(1).open(b"label", b"context", &sealed[..100]), Err(NotLogSealed));
        assert_eq!(secret(1).public().0.0.len(), LOG_PUBLIC_BYTES);
    }

    #[test]
    fn a_key_of_the_wrong_length_seals_nothing() {
        let short = LogPublicKey(Blob(vec![1; 100]));
        assert_eq!(short.seal(b"", b"", b"x", &Seed::from_bytes([1; 32])), Err(NotLogSealed));
    }
}
