//! Counterparts with no manners, built from `protocol`: a server that lies, and
//! an end that keeps none of the rules that the real one keeps.
//!
//! They face a real [`Peer`] and decide nothing about it; tests read its outputs.

pub mod middle;
pub mod puppet;

use std::time::Duration;

use ed25519_dalek::SigningKey;
use tasuki_peer::core::{AgentSetup, EndSetup, OperatorSetup, PathPolicy, Peer};
use tasuki_protocol::dsse;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, SessionId, TenantId};
use tasuki_protocol::manifest::{
    Abilities, AddressDisclosure, Approval, FileRules, Manifest, Requirement,
};
use tasuki_protocol::number::{Locator, SessionNumber, SessionSecret};
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::ResumeToken;

pub const TENANT: TenantId = TenantId([3; 8]);
pub const SESSION: SessionId = SessionId([5; 16]);
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

fn end(of: u8, device: SigningKey) -> EndSetup {
    EndSetup {
        organisation: "Example Help Desk".to_owned(),
        manifest_keys: vec![public(&server_key())],
        device,
        seed: Seed::from_bytes([of; 32]),
        facts: facts(of),
        local: Rights::of(&Capability::ALL),
        maximum: LocalMaximum::default(),
        abilities: Abilities { application_selection: false, recording: false },
        paths: PathPolicy::default(),
    }
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
        issued_at: 1_800_000_000,
        start_within: 600,
        length: 3600,
        policy_version: 1,
        reason: None,
    }
}

pub fn signed(manifest: &Manifest) -> Vec<u8> {
    dsse::sign(manifest, &server_key())
}
