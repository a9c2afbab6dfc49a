//! Pairing: how two programs that share a spoken number come to share keys,
//! through a server that may lie.
//!
//! ```text
//! operator                      server                         agent
//!   hello x3 ──────────────────▶ (keeps)
//!                                      ◀──────────── locator, hello
//!   hello, manifest ◀─────────── ───────────────────▶ hello
//!                     ◀──────────────────────────── AgentConfirm
//!   OperatorWelcome ───────────────────────────────▶          (manifest sealed inside)
//!                     ◀──────────────────────────── AgentReady
//! ```
//!
//! The agent confirms first, so that whoever guesses at a number learns nothing
//! before the operator's program has counted the attempt. Every state is a type
//! named for what it awaits and is consumed by it; any failure burns the attempt
//! (T4). The transcript covers all that either end said and the manifest's exact
//! bytes (T7); keys come from the PAKE and an ephemeral X25519 exchange together.

pub use crate::hello::{Hello, HelloError, MAX_HELLO_BYTES};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::blob::Blob;
use crate::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, Role, SessionId, TenantId};
use crate::number::SessionSecret;
use crate::pake::{PAKE_BYTES, Pake, PakeKey, Spake2Ed25519};
use crate::sealing::{Opener, SealKey, Sealer};
use crate::seed::{Seed, expand};
use crate::session_keys::{SessionKeys, mac, role_label};

/// What an end brings to the pairing, the same for every attempt at a number.
#[derive(Debug, Clone)]
pub struct Facts {
    pub tenant: TenantId,
    pub dtls_fingerprint: Digest,
    pub ice_ufrag: String,
    pub ice_pwd: String,
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PairingError {
    #[error("the other end sent what is not part of the protocol")]
    Malformed,
    #[error("the other end speaks protocol version {theirs}, this one {PROTOCOL_VERSION}")]
    Version { theirs: u16 },
    /// A mistyped number, a guess, or somebody in the middle.
    #[error("the secret part of the number is not the same at both ends")]
    WrongSecret,
    /// The PAKE agreed, and what was said did not: the server altered something.
    #[error("what the two ends saw of each other is not the same")]
    TranscriptMismatch,
}

impl From<HelloError> for PairingError {
    fn from(why: HelloError) -> Self {
        match why {
            HelloError::Malformed => Self::Malformed,
            HelloError::Version { theirs } => Self::Version { theirs },
        }
    }
}

/// A message of the pairing, carried by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PairMessage {
    AgentConfirm {
        tag: Digest,
    },
    /// Sealed: manifest envelope, tag and signature over the transcript.
    OperatorWelcome {
        sealed: Blob,
    },
    AgentReady {
        tag: Digest,
        signature: Blob,
    },
}

#[derive(Serialize, Deserialize)]
struct Welcome {
    manifest: Blob,
    tag: Digest,
    signature: Blob,
}

/// An end that has said hello and waits for the other's.
pub struct AwaitingHello {
    role: Role,
    facts: Facts,
    pake: Spake2Ed25519,
    exchange: StaticSecret,
    device: SigningKey,
    hello: Vec<u8>,
}

impl std::fmt::Debug for AwaitingHello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwaitingHello").field("role", &self.role).finish_non_exhaustive()
    }
}

impl AwaitingHello {
    /// Each attempt takes a seed of its own.
    pub fn start(
        role: Role,
        facts: Facts,
        secret: &SessionSecret,
        device: SigningKey,
        seed: &Seed,
    ) -> Self {
        let (pake, message) = Spake2Ed25519::start(role, facts.tenant, secret, seed);
        let exchange = StaticSecret::from(seed.derive("pairing x25519"));
        let challenge = match role {
            Role::Operator => Challenge([0; 32]),
            Role::Agent => Challenge(seed.derive("pairing challenge")),
        };
        let hello = Hello {
            version: PROTOCOL_VERSION,
            role,
            pake: Blob(message.to_vec()),
            device: DeviceKey(device.verifying_key().to_bytes()),
            dtls_fingerprint: facts.dtls_fingerprint,
            exchange: DeviceKey(PublicKey::from(&exchange).to_bytes()),
            ice_ufrag: facts.ice_ufrag.clone(),
            ice_pwd: facts.ice_pwd.clone(),
            challenge,
        };
        Self { role, facts, pake, exchange, device, hello: hello.encode() }
    }

    /// This end's hello, as the other end must receive it.
    pub fn hello(&self) -> &[u8] {
        &self.hello
    }

    /// # Errors
    /// The hello is malformed, of another version, or of this end's own role.
    fn meet(self, session: SessionId, theirs: &[u8]) -> Result<Met, PairingError> {
        let peer = Hello::decode(theirs)?;
        if peer.role != self.role.other() {
            return Err(PairingError::Malformed);
        }
        let message: [u8; PAKE_BYTES] =
            peer.pake.0.as_slice().try_into().map_err(|_| PairingError::Malformed)?;
        let key = self.pake.finish(&message).map_err(|_| PairingError::Malformed)?;
        let shared = self.exchange.diffie_hellman(&PublicKey::from(peer.exchange.0));
        if !shared.was_contributory() {
            return Err(PairingError::Malformed);
        }
        let (operator, agent) = match self.role {
            Role::Operator => (self.hello.as_slice(), theirs),
            Role::Agent => (theirs, self.hello.as_slice()),
        };
        let opening = Sha256::new()
            .chain_update(b"tasuki-pair-v1")
            .chain_update(lp(&PROTOCOL_VERSION.to_be_bytes()))
            .chain_update(lp(&self.facts.tenant.0))
            .chain_update(lp(&session.0))
            .chain_update(lp(operator))
            .chain_update(lp(agent))
            .finalize()
            .into();
        let secret = SharedSecret::join(&key, shared.as_bytes());
        Ok(Met { session, peer, device: self.device, secret, opening })
    }
}

/// The operator's first step: an agent has arrived with its hello.
///
/// # Errors
/// As the hello deserves; the attempt counts.
pub fn operator_meets(
    offer: AwaitingHello,
    session: SessionId,
    agent_hello: &[u8],
    manifest: Vec<u8>,
) -> Result<AwaitingAgentConfirm, PairingError> {
    offer.meet(session, agent_hello).map(|met| AwaitingAgentConfirm { met, manifest })
}

/// The agent's first step: the server has answered with an operator's hello.
///
/// # Errors
/// As the hello deserves; the attempt counts.
pub fn agent_meets(
    offer: AwaitingHello,
    session: SessionId,
    operator_hello: &[u8],
) -> Result<(PairMessage, AwaitingWelcome), PairingError> {
    let met = offer.meet(session, operator_hello)?;
    let tag = met.opening_tag();
    Ok((PairMessage::AgentConfirm { tag }, AwaitingWelcome { met }))
}

/// The operator waits for proof that the agent knows the number.
#[derive(Debug)]
pub struct AwaitingAgentConfirm {
    met: Met,
    manifest: Vec<u8>,
}

impl AwaitingAgentConfirm {
    /// # Errors
    /// [`PairingError::WrongSecret`]: the attempt counts towards the number's death.
    pub fn confirm(self, message: &PairMessage) -> Result<(PairMessage, AwaitingReady), PairingError> {
        let PairMessage::AgentConfirm { tag } = message else {
            return Err(PairingError::Malformed);
        };
        if !same(tag, &self.met.opening_tag()) {
            return Err(PairingError::WrongSecret);
        }
        let key = self.met.welcome_key();
        let paired = self.met.pair(self.manifest);
        let welcome = Welcome {
            manifest: Blob(paired.manifest.clone()),
            tag: paired.tag(Role::Operator),
            signature: Blob(paired.sign(Role::Operator)),
        };
        let plain = crate::binary::encode(&welcome);
        let sealed = Sealer::new(key).seal(b"welcome", &plain);
        Ok((PairMessage::OperatorWelcome { sealed: Blob(sealed) }, AwaitingReady { paired }))
    }
}

/// The agent waits for the operator's proof and the manifest.
#[derive(Debug)]
pub struct AwaitingWelcome {
    met: Met,
}

impl AwaitingWelcome {
    /// # Errors
    /// [`PairingError::WrongSecret`] if the welcome does not open,
    /// [`PairingError::TranscriptMismatch`] if it says something else than was seen.
    pub fn welcome(self, message: &PairMessage) -> Result<(PairMessage, Paired), PairingError> {
        let PairMessage::OperatorWelcome { sealed } = message else {
            return Err(PairingError::Malformed);
        };
        let plain = Opener::new(self.met.welcome_key())
            .open(b"welcome", &sealed.0)
            .map_err(|_| PairingError::WrongSecret)?;
        let welcome: Welcome = postcard::from_bytes(&plain).map_err(|_| PairingError::Malformed)?;
        let paired = self.met.pair(welcome.manifest.0);
        paired.check(Role::Operator, &welcome.tag, &welcome.signature)?;
        let ready = PairMessage::AgentReady {
            tag: paired.tag(Role::Agent),
            signature: Blob(paired.sign(Role::Agent)),
        };
        Ok((ready, paired.finish(Role::Agent)))
    }
}

/// The operator waits for the agent's proof over the whole transcript.
#[derive(Debug)]
pub struct AwaitingReady {
    paired: Unconfirmed,
}

impl AwaitingReady {
    /// # Errors
    /// [`PairingError::TranscriptMismatch`].
    pub fn ready(self, message: &PairMessage) -> Result<Paired, PairingError> {
        let PairMessage::AgentReady { tag, signature } = message else {
            return Err(PairingError::Malformed);
        };
        self.paired.check(Role::Agent, tag, signature)?;
        Ok(self.paired.finish(Role::Operator))
    }
}

/// Both ends have proven the number and the same view of everything said.
#[derive(Debug)]
pub struct Paired {
    pub session: SessionId,
    pub transcript: Digest,
    pub peer: Hello,
    /// The manifest's envelope, bytes as both ends saw them. Not yet verified.
    pub manifest: Vec<u8>,
    pub keys: SessionKeys,
}

#[derive(Debug)]
struct Met {
    session: SessionId,
    peer: Hello,
    device: SigningKey,
    secret: SharedSecret,
    opening: [u8; 32],
}

impl Met {
    fn opening_keys(&self) -> Hkdf<Sha256> {
        Hkdf::new(Some(&self.opening), &self.secret.0)
    }

    fn opening_tag(&self) -> Digest {
        let key: [u8; 32] = expand(&self.opening_keys(), b"agent confirm");
        Digest(mac(&key, &[&self.opening]))
    }

    fn welcome_key(&self) -> SealKey {
        SealKey::from_bytes(expand(&self.opening_keys(), b"welcome"))
    }

    fn pair(self, manifest: Vec<u8>) -> Unconfirmed {
        let transcript: [u8; 32] =
            Sha256::new().chain_update(self.opening).chain_update(lp(&manifest)).finalize().into();
        let prk = Hkdf::new(Some(&transcript), &self.secret.0);
        Unconfirmed {
            session: self.session,
            peer: self.peer,
            device: self.device,
            prk,
            transcript: Digest(transcript),
            manifest,
        }
    }
}

struct Unconfirmed {
    session: SessionId,
    peer: Hello,
    device: SigningKey,
    prk: Hkdf<Sha256>,
    transcript: Digest,
    manifest: Vec<u8>,
}

impl std::fmt::Debug for Unconfirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unconfirmed").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Unconfirmed {
    fn tag(&self, role: Role) -> Digest {
        let key: [u8; 32] = expand(&self.prk, &[role_label(role), b" confirm"].concat());
        Digest(mac(&key, &[&self.transcript.0]))
    }

    fn signed_bytes(&self, role: Role) -> Vec<u8> {
        [b"tasuki-pair-v1 ", role_label(role), &self.transcript.0].concat()
    }

    fn sign(&self, role: Role) -> Vec<u8> {
        self.device.sign(&self.signed_bytes(role)).to_bytes().to_vec()
    }

    fn check(&self, role: Role, tag: &Digest, signature: &Blob) -> Result<(), PairingError> {
        let mismatch = |_| PairingError::TranscriptMismatch;
        if !same(tag, &self.tag(role)) {
            return Err(PairingError::TranscriptMismatch);
        }
        let key = VerifyingKey::from_bytes(&self.peer.device.0).map_err(mismatch)?;
        let signature = Signature::from_slice(&signature.0).map_err(mismatch)?;
        key.verify_strict(&self.signed_bytes(role), &signature).map_err(mismatch)
    }

    fn finish(self, role: Role) -> Paired {
        let keys = SessionKeys::from_pairing(&self.prk, role, self.transcript);
        Paired {
            session: self.session,
            transcript: self.transcript,
            peer: self.peer,
            manifest: self.manifest,
            keys,
        }
    }
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct SharedSecret(Vec<u8>);

impl SharedSecret {
    fn join(pake: &PakeKey, exchange: &[u8; 32]) -> Self {
        Self([lp(pake.bytes()).as_slice(), &lp(exchange)].concat())
    }
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

fn lp(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), bytes].concat()
}

fn same(left: &Digest, right: &Digest) -> bool {
    subtle::ConstantTimeEq::ct_eq(left.0.as_slice(), right.0.as_slice()).into()
}
