//! What the server signs and seals: manifests and relay tickets.
//!
//! A manifest says what the policy grants, and the policy grants at most a mode's ceiling.

use std::num::NonZeroU16;

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{PROTOCOL_VERSION, Role, SessionId, TenantId};
use tasuki_protocol::ledger::wire::{EndTicket, EndTicketKey};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::decide::{Grant, ServerLimits};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{Leg, NotARelay, RelayAddress};
use tasuki_protocol::ticket::{TICKET_LIFETIME_S, Ticket, TicketKey};

use super::rooms::Operator;

/// Seconds from the manifest's receipt within which the user must have accepted.
pub const START_WITHIN_S: u64 = 600;
/// By how much a relay's clock may be behind the server's: it refuses what lives too long.
const CLOCK_SKEW_S: u64 = 10;
/// How long after its session an end may still deliver records, in seconds.
const DELIVER_WITHIN_S: u64 = 24 * 3600;

/// Who issues, with what.
#[derive(Debug)]
pub struct Issuer {
    pub tenant: TenantId,
    pub manifest_key: SigningKey,
    /// `None`: there is no relay to send anybody to.
    pub ticket_key: Option<TicketKey>,
    /// Legs go to each of them in turn, the nearest first ([`super::distances`]), so that a session
    /// whose relay died finds another;
    /// none: the relay is in the server itself, and speaks no TURN.
    pub relays: Vec<RelayPlace>,
    /// What `server.toml` says beside the policy.
    pub limits: ServerLimits,
    /// The one in force.
    pub policy: Policy,
    /// Lets ends deliver records.
    pub end_tickets: EndTicketKey,
}

/// Where legs are joined, as both ends of one are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayPlace {
    /// `None`: in the server itself.
    pub address: Option<RelayAddress>,
    /// Its UDP port for TURN.
    pub turn: Option<u16>,
}

impl RelayPlace {
    /// In the server, which speaks TURN at `port`.
    pub fn inside(port: u16) -> Self {
        Self { address: None, turn: Some(port) }
    }
}

impl std::str::FromStr for RelayPlace {
    type Err = NotARelay;

    /// `HOST:PORT/PIN`, and `/UDP-PORT` behind it where the relay speaks TURN.
    fn from_str(text: &str) -> Result<Self, NotARelay> {
        let (address, turn) = match text.splitn(3, '/').collect::<Vec<_>>()[..] {
            [place, pin, turn] => {
                let port: NonZeroU16 = turn.parse().map_err(|_| NotARelay)?;
                (format!("{place}/{pin}"), Some(port.get()))
            }
            _ => (text.to_owned(), None),
        };
        Ok(Self { address: Some(address.parse()?), turn })
    }
}

/// What an operator asked for when he opened a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub mode: Mode,
    pub reason: Option<String>,
}

impl Issuer {
    /// The signed manifest of one attempt: bound to both keys and the challenge (T13).
    pub fn manifest(
        &self,
        session: SessionId,
        operator: &Operator,
        wish: &Wish,
        grant: &Grant,
        agent: &Hello,
        unix: u64,
    ) -> Vec<u8> {
        let manifest = Manifest {
            v: PROTOCOL_VERSION,
            tenant: self.tenant,
            session,
            operator: operator.name.clone(),
            operator_name: operator.display_name.clone(),
            operator_key: operator.device,
            agent_key: agent.device,
            challenge: agent.challenge,
            mode: wish.mode,
            capabilities: grant.rights,
            files: grant.files,
            application_selection: grant.application_selection,
            recording: grant.recording,
            address_disclosure: grant.address_disclosure,
            issued_at: unix,
            start_within: START_WITHIN_S,
            length: grant.length_s,
            policy_version: self.policy.version,
            reason: wish.reason.clone(),
            certificate: Blob(operator.certificate.clone()),
        };
        dsse::sign(&manifest, &self.manifest_key)
    }

    /// Lets one end of a session deliver its records, for a day after the session must be over.
    pub fn end_ticket(&self, session: SessionId, role: Role, unix: u64) -> Blob {
        let expires = unix + self.limits.length_s + DELIVER_WITHIN_S;
        Blob(self.end_tickets.seal(&EndTicket { session, role, expires }))
    }

    /// The leg for one end, at the relay of that place in the list; `None` without a relay.
    pub fn leg(
        &self,
        (session, number, relay): (SessionId, u32, usize),
        role: Role,
        nonce: [u8; 16],
        unix: u64,
    ) -> Option<Leg> {
        let key = self.ticket_key.as_ref()?;
        let expires = unix + TICKET_LIFETIME_S - CLOCK_SKEW_S;
        let ticket = Ticket { session, leg: number, role, expires, nonce };
        let RelayPlace { address: relay, turn } =
            self.relays.get(relay).cloned().unwrap_or(RelayPlace { address: None, turn: None });
        Some(Leg { number, relay, turn, ticket: Blob(key.seal(&ticket)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::terms::AddressDisclosure;

    #[test]
    fn f3_a_leg_names_the_relay_that_was_chosen_for_it_to_both_ends() {
        let pin = "ab".repeat(32);
        let relay = |port: u16| format!("relay.example:{port}/{pin}/{}", port + 9).parse().unwrap();
        let issuer = Issuer {
            tenant: TenantId([1; 8]),
            manifest_key: SigningKey::from_bytes(&[1; 32]),
            ticket_key: Some(TicketKey::from_bytes([2; 32])),
            relays: vec![relay(1), relay(2)],
            limits: ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: 60 },
            policy: Policy::unwritten(TenantId([1; 8])),
            end_tickets: EndTicketKey::new(&tasuki_protocol::seed::Seed::from_bytes([7; 32])),
        };
        let port = |number, role| {
            let at = (SessionId([3; 16]), number, number as usize - 1);
            let leg = issuer.leg(at, role, [4; 16], 1_000).unwrap();
            assert_eq!(leg.turn, leg.relay.as_ref().map(|relay| relay.port + 9));
            leg.relay.unwrap().port
        };
        for role in [Role::Operator, Role::Agent] {
            assert_eq!([1, 2].map(|number| port(number, role)), [1, 2]);
        }
    }

    #[test]
    fn a_relay_is_named_with_its_pin_and_where_it_speaks_turn_with_that_port() {
        let pin = "ab".repeat(32);
        let read = |text: String| text.parse::<RelayPlace>();
        assert_eq!(read(format!("[2001:db8::1]:443/{pin}")).unwrap().turn, None);
        assert_eq!(read(format!("relay.example:443/{pin}/3478")).unwrap().turn, Some(3478));
        for bad in [format!("relay.example:443/{pin}/"), format!("relay.example:443/{pin}/3478/1")] {
            assert_eq!(read(bad), Err(NotARelay));
        }
        for port in ["0", "70000"] {
            assert_eq!(read(format!("relay.example:443/{pin}/{port}")), Err(NotARelay));
        }
        assert_eq!(read("relay.example:443".to_owned()), Err(NotARelay));
    }
}
