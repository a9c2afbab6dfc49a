//! How a world begins: keys, plans, and two ends that know each other's server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_peer::core::direct_identity::DirectIdentity;
use tasuki_peer::core::{
    AgentSetup, EndSetup, OperatorSetup, PathPolicy, Peer, RecordFacts, SessionTimes,
};
use tasuki_protocol::certificate::{Authorities, Certificate};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, Role, TenantId};
use tasuki_protocol::manifest::Abilities;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_protocol::ticket::TicketKey;

use super::World;
use super::dice::Dice;
use super::end::End;
use super::model::Model;
use super::network::Network;
use super::server::{EPOCH, Server, ServerFacts};
use super::wires::Wires;

/// What paths are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// Their events alone.
    Told,
    /// The ends' and the relay's own cores, over simulated networks.
    Real,
}

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub mode: Mode,
    pub disclosure: AddressDisclosure,
    pub operator_paths: PathPolicy,
    pub agent_paths: PathPolicy,
    /// The host machine's own maximum.
    pub host_local: Rights,
    pub consent_time_out: Duration,
    /// Seconds that a manifest lasts.
    pub length_s: u64,
    pub wiring: Wiring,
    pub times: SessionTimes,
    /// The moment at which both wall clocks say 1,800,000,000.
    pub began: Instant,
}

impl Plan {
    pub fn new(seed: u64, mode: Mode) -> Self {
        Self {
            seed,
            mode,
            disclosure: AddressDisclosure::All,
            operator_paths: PathPolicy::default(),
            agent_paths: PathPolicy::default(),
            host_local: everything(),
            consent_time_out: Duration::from_secs(120),
            length_s: 4 * 3600,
            wiring: Wiring::Told,
            times: SessionTimes::default(),
            began: Instant::now(),
        }
    }

    fn secret(&self, label: &str) -> Seed {
        Seed::from_bytes(Dice::new(self.seed).bytes()).child(label)
    }

    fn key(&self, label: &str) -> SigningKey {
        SigningKey::from_bytes(&self.secret(label).derive("signing key"))
    }

    fn end(
        &self,
        label: &str,
        identity: Option<&DirectIdentity>,
        seed: Seed,
        paths: PathPolicy,
    ) -> EndSetup {
        let facts = match identity {
            Some(identity) => Facts {
                tenant: TenantId([3; 8]),
                dtls_fingerprint: identity.fingerprint(),
                ice_ufrag: identity.ufrag().to_owned(),
                ice_pwd: identity.pwd().to_owned(),
            },
            None => Facts {
                tenant: TenantId([3; 8]),
                dtls_fingerprint: Digest(self.secret(label).derive("fingerprint")),
                ice_ufrag: format!("{label}-ufrag"),
                ice_pwd: format!("{label}-password-of-twenty-two"),
            },
        };
        EndSetup {
            organisation: "Example Help Desk".to_owned(),
            authorities: self.authorities(),
            device: self.key(label),
            seed,
            facts,
            local: self.host_local,
            maximum: LocalMaximum::default(),
            abilities: Abilities { application_selection: false, recording: false },
            paths,
            times: self.times,
            record: RecordFacts {
                software: label.to_owned(),
                moment: self.began,
                unix_s: 1_800_000_000,
            },
        }
    }

    /// What the ends show of themselves on a direct path, where paths are real.
    fn identities(&self) -> Option<[Arc<DirectIdentity>; 2]> {
        let of = |label| {
            let made = DirectIdentity::generate(&self.secret(label));
            Arc::new(made.expect("the library makes keys"))
        };
        match self.wiring {
            Wiring::Told => None,
            Wiring::Real => Some([of("operator's face"), of("agent's face")]),
        }
    }

    fn authorities(&self) -> Authorities {
        Authorities {
            tenant: TenantId([3; 8]),
            manifest_keys: vec![DeviceKey(self.key("server").verifying_key().to_bytes())],
            lock_keys: vec![DeviceKey(self.key("lock").verifying_key().to_bytes())],
            revoked: Vec::new(),
            unix: EPOCH,
        }
    }

    fn certificate(&self) -> Vec<u8> {
        let certificate = Certificate {
            v: PROTOCOL_VERSION,
            tenant: TenantId([3; 8]),
            operator: "olivia".to_owned(),
            display_name: "Olivia Operator".to_owned(),
            device: DeviceKey(self.key("operator").verifying_key().to_bytes()),
            modes: Mode::ALL.to_vec(),
            rights: everything(),
            not_before: EPOCH,
            not_after: EPOCH + 86_400,
        };
        dsse::sign(&certificate, &self.key("lock"))
    }

    fn operator(&self, identity: Option<&DirectIdentity>) -> Peer {
        let seed = self.secret("operator's chance");
        let end = self.end("operator", identity, seed, self.operator_paths);
        Peer::operator(OperatorSetup { end, mode: self.mode, reason: None })
    }
}

pub(super) fn everything() -> Rights {
    Rights::of(&Capability::ALL)
}

/// Each run of the agent's program has its own chance.
pub(super) fn agent(
    plan: &Plan,
    identity: Option<&DirectIdentity>,
    number: SessionNumber,
    failed_before: u8,
) -> Peer {
    let seed = plan.secret(&format!("agent's chance {failed_before}"));
    let end = plan.end("agent", identity, seed, plan.agent_paths);
    let consent_time_out = plan.consent_time_out;
    Peer::agent(AgentSetup { end, number, failed_before, consent_time_out })
}

pub(super) fn build(plan: Plan) -> World {
    let now = Instant::now();
    let ticket_key = TicketKey::from_bytes(plan.secret("tickets").derive("key"));
    let device = DeviceKey(plan.key("operator").verifying_key().to_bytes());
    let facts = ServerFacts {
        tenant: TenantId([3; 8]),
        manifest_key: plan.key("server"),
        ticket_key: ticket_key.clone(),
        disclosure: plan.disclosure,
        length_s: plan.length_s,
        certificate: plan.certificate(),
        device,
        seed: plan.secret("server"),
    };
    let identities = plan.identities();
    let face = identities.as_ref().map(|both| &*both[Role::Operator as usize]);
    let operator = End::new(Role::Operator, Some(plan.operator(face)));
    let wires = identities
        .clone()
        .map(|both| Wires::new(both, plan.disclosure, ticket_key.clone(), plan.secret("relayed legs")));
    let agent = End::new(Role::Agent, None);
    World {
        now,
        began: now,
        operator,
        agent,
        server: Server::new(facts, now),
        network: Network::new(ticket_key),
        wires,
        identities,
        model: Model::new(plan.mode, plan.host_local),
        number: None,
        withheld: |_| false,
        dice: Dice::new(plan.seed ^ 0x5EED),
        agenda: BTreeMap::new(),
        sequence: 0,
        held: Vec::new(),
        next_typed: 0,
        idle_turns: 0,
        plan,
    }
}
