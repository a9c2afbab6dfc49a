//! Counterparts with no manners, built from `protocol`: a server that lies, and
//! an end that keeps none of the rules that the real one keeps.
//!
//! They face a real [`Peer`] and decide nothing about it; tests read its outputs.

pub mod middle;
pub mod puppet;
pub mod signed;
pub mod vocabulary;

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_peer::core::{
    AgentSetup, EndSetup, OperatorSetup, PathPolicy, Peer, RecordFacts, SessionTimes,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::{Authorities, Certificate};
use tasuki_protocol::dsse;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, SessionId, TenantId};
use tasuki_protocol::manifest::{Abilities, Manifest};
use tasuki_protocol::number::{Locator, SessionNumber, SessionSecret};
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::ResumeToken;
use tasuki_protocol::terms::{AddressDisclosure, Approval, FileRules, Requirement};

pub const ORGANISATION: &str = "Example Help Desk";
pub const TENANT: TenantId = TenantId([3; 8]);
pub const SESSION: SessionId = SessionId([5; 16]);
/// Seconds since 1970 at every end.
pub const NOW: u64 = 1_800_000_000;
pub const RESUME: ResumeToken = ResumeToken(Challenge([6; 32]));

pub fn key(of: u8) -> SigningKey {
    SigningKey::from_bytes(&[of; 32])
}

pub fn server_key() -> SigningKey {
    key(1)
}

pub fn operator_key() -> SigningKey {
    key(2)
}

pub fn agent_key() -> SigningKey {
    key(3)
}

pub fn public(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}

pub fn locator() -> Locator {
    Locator::try_from(12345).expect("five digits")
}

pub fn facts(of: u8) -> Facts {
    Facts {
        tenant: TENANT,
        dtls_fingerprint: Digest([of; 32]),
        ice_ufrag: format!("ufrag{of}"),
        ice_pwd: format!("password-of-end-{of:04}"),
    }
}

fn lock_key() -> SigningKey {
    key(4)
}

fn authorities() -> Authorities {
    Authorities {
        tenant: TENANT,
        manifest_keys: vec![public(&server_key())],
        lock_keys: vec![public(&lock_key())],
        revoked: Vec::new(),
        unix: NOW,
    }
}

/// Of a device that may do everything.
pub fn certificate(operator: DeviceKey) -> Blob {
    let certificate = Certificate {
        v: PROTOCOL_VERSION,
        tenant: TENANT,
        operator: "olivia".to_owned(),
        display_name: "Olivia Operator".to_owned(),
        device: operator,
        modes: Mode::ALL.to_vec(),
        rights: Rights::of(&Capability::ALL),
        not_before: NOW,
        not_after: NOW + 86_400,
    };
    Blob(dsse::sign(&certificate, &lock_key()))
}

fn end(of: u8, device: SigningKey) -> EndSetup {
    EndSetup {
        organisation: ORGANISATION.to_owned(),
        authorities: authorities(),
        device,
        seed: Seed::from_bytes([of; 32]),
        facts: facts(of),
        local: Rights::of(&Capability::ALL),
        maximum: LocalMaximum::default(),
        abilities: Abilities { application_selection: false, recording: false },
        paths: PathPolicy::default(),
        times: SessionTimes::default(),
        record: record(of),
    }
}

pub fn record(of: u8) -> RecordFacts {
    let software = format!("test {of}");
    RecordFacts { software, moment: Instant::now(), unix_s: 1_800_000_000 }
}

pub fn operator(mode: Mode) -> Peer {
    Peer::operator(OperatorSetup { end: end(2, operator_key()), mode, reason: None })
}

pub fn agent(secret: SessionSecret) -> Peer {
    Peer::agent(AgentSetup {
        end: end(3, agent_key()),
        number: SessionNumber { locator: locator(), secret },
        failed_before: 0,
        consent_time_out: Duration::from_secs(120),
    })
}

/// As wide as the mode can be, bound to both hellos' keys.
pub fn manifest(mode: Mode, operator: DeviceKey, agent: &Hello) -> Manifest {
    Manifest {
        v: PROTOCOL_VERSION,
        tenant: TENANT,
        session: SESSION,
        operator: "olivia".to_owned(),
        operator_name: "Olivia Operator".to_owned(),
        operator_key: operator,
        agent_key: agent.device,
        challenge: agent.challenge,
        mode,
        capabilities: mode.ceiling(),
        files: FileRules::of(mode.ceiling(), Approval::Ask),
        application_selection: Requirement::Off,
        recording: Requirement::Off,
        address_disclosure: AddressDisclosure::All,
        issued_at: NOW,
        start_within: 600,
        length: 2 * 3600,
        policy_version: 1,
        reason: None,
        certificate: certificate(operator),
    }
}

pub fn signed(manifest: &Manifest) -> Vec<u8> {
    dsse::sign(manifest, &server_key())
}
