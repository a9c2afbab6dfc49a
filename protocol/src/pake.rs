//! The password-authenticated key exchange that the session number keys.
//!
//! Behind a trait, because the crate in use was never audited: another PAKE is
//! another type and another [`crate::ids::PROTOCOL_VERSION`]. Confirmation and
//! channel binding are not its business; [`crate::pairing`] does both.

use rand_core_06::{CryptoRng, Error, RngCore};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{Role, TenantId};
use crate::number::SessionSecret;
use crate::seed::Seed;

/// Bytes of one PAKE message.
pub const PAKE_BYTES: usize = 33;

/// One end of a balanced PAKE: one message each way, then a key that is equal
/// only if the secrets were.
pub trait Pake: Sized {
    fn start(
        role: Role,
        tenant: TenantId,
        secret: &SessionSecret,
        seed: &Seed,
    ) -> (Self, [u8; PAKE_BYTES]);

    /// # Errors
    /// The peer's message is no element of the group, or is this end's own.
    fn finish(self, peer: &[u8; PAKE_BYTES]) -> Result<PakeKey, MalformedPake>;
}

/// What a peer that follows the protocol cannot send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end sent a malformed key exchange")]
pub struct MalformedPake;

/// Equal at both ends exactly if the secrets were equal; says nothing else.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PakeKey(Vec<u8>);

impl PakeKey {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PakeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PakeKey(..)")
    }
}

/// SPAKE2 (RFC 9382's construction) over Ed25519's group.
pub struct Spake2Ed25519(Spake2<Ed25519Group>);

impl std::fmt::Debug for Spake2Ed25519 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spake2Ed25519(..)")
    }
}

impl Pake for Spake2Ed25519 {
    fn start(
        role: Role,
        tenant: TenantId,
        secret: &SessionSecret,
        seed: &Seed,
    ) -> (Self, [u8; PAKE_BYTES]) {
        let password = Password::new(secret.digits());
        let operator = Identity::new(format!("tasuki/operator/1|{tenant}").as_bytes());
        let agent = Identity::new(format!("tasuki/agent/1|{tenant}").as_bytes());
        let rng = SeedRng::new(seed);
        let (state, message) = match role {
            Role::Operator => Spake2::start_a_with_rng(&password, &operator, &agent, rng),
            Role::Agent => Spake2::start_b_with_rng(&password, &operator, &agent, rng),
        };
        let Ok(message) = message.try_into() else { unreachable!("SPAKE2 messages have 33 bytes") };
        (Self(state), message)
    }

    fn finish(self, peer: &[u8; PAKE_BYTES]) -> Result<PakeKey, MalformedPake> {
        self.0.finish(peer).map(PakeKey).map_err(|_| MalformedPake)
    }
}

/// A generator that a seed determines; the `spake2` crate asks for one.
struct SeedRng {
    seed: Seed,
    blocks: u64,
}

impl SeedRng {
    fn new(seed: &Seed) -> Self {
        Self { seed: seed.child("spake2"), blocks: 0 }
    }
}

impl CryptoRng for SeedRng {}

impl RngCore for SeedRng {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(64) {
            let block: [u8; 64] = self.seed.derive(&format!("block {}", self.blocks));
            self.blocks += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(out);
        Ok(())
    }
}
