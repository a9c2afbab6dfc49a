//! The keys of a paired session: one for each direction and purpose.
//!
//! All come from the pairing's secret and transcript, under labels of their own;
//! none is ever derived from another or used in both directions.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{Digest, Role};
use crate::sealing::SealKey;
use crate::seed::expand;

/// Everything that a session derives its protection from.
#[derive(Debug)]
pub struct SessionKeys {
    /// Seals what this end says through the server.
    pub outgoing: SealKey,
    /// Opens what the other end says through the server.
    pub incoming: SealKey,
    /// Pre-shared key of a relayed leg, one for each leg number.
    legs: LegSecret,
    bind: LegSecret,
    transcript: Digest,
}

impl SessionKeys {
    pub(crate) fn from_pairing(prk: &Hkdf<Sha256>, role: Role, transcript: Digest) -> Self {
        let operator = SealKey::from_bytes(expand(prk, b"operator to agent"));
        let agent = SealKey::from_bytes(expand(prk, b"agent to operator"));
        let (outgoing, incoming) = match role {
            Role::Operator => (operator, agent),
            Role::Agent => (agent, operator),
        };
        Self {
            outgoing,
            incoming,
            legs: LegSecret(expand(prk, b"relayed legs")),
            bind: LegSecret(expand(prk, b"direct path")),
            transcript,
        }
    }

    /// The Noise pre-shared key of relayed leg `leg`. Threats B4.
    pub fn leg_psk(&self, leg: u32) -> [u8; 32] {
        mac(&self.legs.0, &[b"relay psk", &leg.to_be_bytes()])
    }

    /// The Noise prologue of relayed leg `leg`.
    pub fn leg_prologue(&self, leg: u32) -> Vec<u8> {
        [b"tasuki-leg-v1".as_slice(), &self.transcript.0, &leg.to_be_bytes()].concat()
    }

    /// The first message on a direct path, by which each end proves that it is in
    /// this session (threats B3).
    pub fn path_proof(&self, role: Role) -> Digest {
        Digest(mac(&self.bind.0, &[b"dc", role_label(role), &self.transcript.0]))
    }
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct LegSecret([u8; 32]);

impl std::fmt::Debug for LegSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LegSecret(..)")
    }
}

pub(crate) fn role_label(role: Role) -> &'static [u8] {
    match role {
        Role::Operator => b"operator",
        Role::Agent => b"agent",
    }
}

pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
