//! The faces that locators show, so that a dead one looks like a live one (T6).
//!
//! An operator's hellos share what belongs to the operator and the number: device
//! key, certificate fingerprint, ICE names, session. A dead locator needs the same
//! steadiness, so each gets a persona that it keeps as long as anybody could
//! compare; a live one leaves its own behind when it dies.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{DeviceKey, Digest, Role, SessionId, TenantId};
use tasuki_protocol::number::{Locator, SessionSecret};
use tasuki_protocol::pairing::{AwaitingHello, Facts};
use tasuki_protocol::seed::Seed;

/// How long a locator that was used or tried is not given out.
pub const REST: Duration = Duration::from_secs(600);
/// The letters of which operators' programs make ICE names: any other tells a decoy at once.
const ICE_CHARS: &[u8] = b"0123456789abcdef";

/// What all hellos at one locator have in common.
#[derive(Debug, Clone)]
pub struct Persona {
    pub session: SessionId,
    pub facts: Facts,
    pub device: DeviceKey,
}

impl Persona {
    /// The face of a live number.
    pub fn of_hello(session: SessionId, tenant: TenantId, hello: &Hello) -> Self {
        let facts = Facts {
            tenant,
            dtls_fingerprint: hello.dtls_fingerprint,
            ice_ufrag: hello.ice_ufrag.clone(),
            ice_pwd: hello.ice_pwd.clone(),
        };
        Self { session, facts, device: hello.device }
    }

    fn invent(tenant: TenantId, shape: Shape, device: Option<DeviceKey>, seed: &Seed) -> Self {
        let own = SigningKey::from_bytes(&seed.derive("device")).verifying_key();
        let facts = Facts {
            tenant,
            dtls_fingerprint: Digest(seed.derive("fingerprint")),
            ice_ufrag: ice_text(&seed.child("ufrag"), shape.ufrag),
            ice_pwd: ice_text(&seed.child("pwd"), shape.pwd),
        };
        Self {
            session: SessionId(seed.derive("session")),
            facts,
            device: device.unwrap_or(DeviceKey(own.to_bytes())),
        }
    }

    /// A hello that only somebody with the secret could tell from an operator's:
    /// SPAKE2's real first message under digits that nobody knows.
    pub fn hello(&self, seed: &Seed) -> Vec<u8> {
        let secret = SessionSecret::draw(&seed.child("secret"));
        let device = SigningKey::from_bytes(&seed.derive("key"));
        let start = AwaitingHello::start(Role::Operator, self.facts.clone(), &secret, device, seed);
        match Hello::decode(start.hello()) {
            Ok(hello) => Hello { device: self.device, ..hello }.encode(),
            Err(_) => Vec::new(),
        }
    }
}

/// How long the ICE names are in the hellos that operators' programs send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub ufrag: usize,
    pub pwd: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { ufrag: 12, pwd: 32 }
    }
}

/// Locators at rest, and the personas of those that were tried.
#[derive(Debug, Default)]
pub struct Resting {
    places: BTreeMap<Locator, (Instant, Option<Persona>)>,
    pub shape: Shape,
}

impl Resting {
    /// Keeps `locator` out of use until `until`.
    pub fn rest(&mut self, locator: Locator, until: Instant, persona: Option<Persona>) {
        self.places.insert(locator, (until, persona));
    }

    pub fn is_resting(&self, locator: Locator) -> bool {
        self.places.contains_key(&locator)
    }

    /// The face of a dead `locator`, invented at the first look.
    pub fn persona(
        &mut self,
        locator: Locator,
        tenant: TenantId,
        devices: &[DeviceKey],
        seed: &Seed,
        now: Instant,
    ) -> Persona {
        let place = self.places.entry(locator).or_insert((now + REST, None));
        let shape = self.shape;
        let invent = || {
            let pick = usize::from(u16::from_be_bytes(seed.derive("pick")));
            let device = devices.get(pick % devices.len().max(1)).copied();
            Persona::invent(tenant, shape, device, seed)
        };
        place.1.get_or_insert_with(invent).clone()
    }

    pub fn wake(&mut self, now: Instant) {
        self.places.retain(|_, (until, _)| *until > now);
    }
}

fn ice_text(seed: &Seed, length: usize) -> String {
    let bytes: [u8; 256] = seed.derive("ice");
    let letter = |byte: &u8| char::from(ICE_CHARS[usize::from(*byte) % ICE_CHARS.len()]);
    bytes.iter().take(length).map(letter).collect()
}
