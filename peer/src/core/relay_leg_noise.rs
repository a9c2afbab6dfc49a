//! The records of a relayed leg under Noise: handshake, sealing, opening, renewal
//! of keys. The first failure consumes everything: the library would take the next
//! good record after a bad one, and no caller here can offer it one (T44).

use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver, FallbackResolver, RingResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState, TransportState};
use tasuki_protocol::leg::{LegRecord, MAX_RECORD_BYTES, NOISE_PATTERN, REKEY_AFTER};
use tasuki_protocol::seed::Seed;

use super::path::{IceSide, RelayFacts};

/// What was received is not what the other end of this leg sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

const HANDSHAKE: Broken = Broken("the relayed handshake did not hold");
const RECORD: Broken = Broken("a record was altered, repeated or out of order");
const CONTENT: Broken = Broken("a record says what no version sends");
const STALE_KEY: Broken = Broken("the other end does not renew its key");
const KEYS_SPENT: Broken = Broken("the keys are spent");

/// A handshake of one message each way (Noise §7.4, NNpsk0).
pub(super) struct Opening {
    state: Box<HandshakeState>,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

impl Opening {
    pub(super) fn start(facts: &RelayFacts, seed: &Seed) -> Result<Self, Broken> {
        let params = NOISE_PATTERN.parse().map_err(|_| HANDSHAKE)?;
        let builder = Builder::with_resolver(params, Box::new(Seeded::new(seed)))
            .psk(0, &facts.psk)
            .and_then(|builder| builder.prologue(&facts.prologue))
            .map_err(|_| HANDSHAKE)?;
        let state = match facts.side {
            IceSide::Controlling => builder.build_initiator(),
            IceSide::Controlled => builder.build_responder(),
        };
        Ok(Self { state: Box::new(state.map_err(|_| HANDSHAKE)?) })
    }

    /// This end's message, framed.
    pub(super) fn write(&mut self) -> Result<Vec<u8>, Broken> {
        let mut message = [0; 256];
        let length = self.state.write_message(&[], &mut message).map_err(|_| HANDSHAKE)?;
        framed(&message[..length])
    }

    pub(super) fn read(&mut self, message: &[u8]) -> Result<(), Broken> {
        let mut payload = [0; MAX_RECORD_BYTES];
        match self.state.read_message(message, &mut payload) {
            Ok(0) => Ok(()),
            Ok(_) | Err(_) => Err(HANDSHAKE),
        }
    }

    pub(super) fn finish(self) -> Result<Records, Broken> {
        let state = self.state.into_transport_mode().map_err(|_| HANDSHAKE)?;
        Ok(Records { state: Box::new(state), sealed: 0, opened: 0 })
    }
}

/// Both directions of a leg after its handshake.
pub(super) struct Records {
    state: Box<TransportState>,
    /// Under the key now in use, of each direction.
    sealed: u64,
    opened: u64,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("sealed", &self.sealed).field("opened", &self.opened).finish()
    }
}

impl Records {
    /// The record, framed; before it the one that renews the key, if that is due.
    pub(super) fn seal(&mut self, record: &LegRecord) -> Result<Vec<u8>, Broken> {
        if self.sealed < REKEY_AFTER {
            return self.seal_one(record);
        }
        let mut bytes = self.seal_one(&LegRecord::Rekey)?;
        self.state.rekey_outgoing();
        self.sealed = 0;
        bytes.extend(self.seal_one(record)?);
        Ok(bytes)
    }

    fn seal_one(&mut self, record: &LegRecord) -> Result<Vec<u8>, Broken> {
        let plain = tasuki_protocol::message::encode(record);
        let mut message = [0; MAX_RECORD_BYTES];
        let length = self.state.write_message(&plain, &mut message).map_err(|_| KEYS_SPENT)?;
        self.sealed += 1;
        framed(&message[..length])
    }

    /// What the next message of the wire says, with `self` to read the one after it.
    pub(super) fn open(mut self, message: &[u8]) -> Result<(Self, LegRecord), Broken> {
        let mut plain = [0; MAX_RECORD_BYTES];
        let length = self.state.read_message(message, &mut plain).map_err(|_| RECORD)?;
        let record = tasuki_protocol::message::decode(&plain[..length], MAX_RECORD_BYTES)
            .map_err(|_| CONTENT)?;
        self.opened += 1;
        if record == LegRecord::Rekey {
            self.state.rekey_incoming();
            self.opened = 0;
        } else if self.opened > REKEY_AFTER {
            return Err(STALE_KEY);
        }
        Ok((self, record))
    }
}

/// The length before the message, big-endian.
fn framed(message: &[u8]) -> Result<Vec<u8>, Broken> {
    let length = u16::try_from(message.len()).map_err(|_| KEYS_SPENT)?;
    Ok([&length.to_be_bytes(), message].concat())
}

/// Noise with ephemeral keys from the seed handed in, so that a run replays.
struct Seeded {
    primitives: FallbackResolver,
    seed: Seed,
}

impl Seeded {
    fn new(seed: &Seed) -> Self {
        let primitives = FallbackResolver::new(Box::new(RingResolver), Box::new(DefaultResolver));
        Self { primitives, seed: seed.child("relayed leg") }
    }
}

impl CryptoResolver for Seeded {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom { seed: self.seed.clone(), drawn: 0 }))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        self.primitives.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        self.primitives.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        self.primitives.resolve_cipher(choice)
    }
}

struct SeededRandom {
    seed: Seed,
    drawn: u64,
}

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        for block in dest.chunks_mut(32) {
            let fresh: [u8; 32] = self.seed.derive(&format!("noise {}", self.drawn));
            self.drawn += 1;
            block.copy_from_slice(&fresh[..block.len()]);
        }
        Ok(())
    }
}
