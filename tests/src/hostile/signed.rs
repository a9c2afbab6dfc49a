//! What a puppet that plays host signs: changes of rights and receipts, honest
//! ones to be altered by whoever tests.

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse;
use tasuki_protocol::grant::{Change, RightsChange};
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::message::{EndReason, EndToEnd};
use tasuki_protocol::receipt::{Ender, RECEIPT_VERSION, Receipt, Software};
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::signal::{CloseReason, ServerToAgent, ServerToOperator};

use super::puppet::Puppet;
use super::{ORGANISATION, SESSION, agent_key, operator_key};

impl Puppet {
    /// The key of the end that the puppet plays.
    pub fn own_key(&self) -> SigningKey {
        match self.role {
            Role::Operator => agent_key(),
            Role::Agent => operator_key(),
        }
    }

    /// What the agent's person is made to say of this very session.
    pub fn word(&self, answer: Answer, granted: Rights) -> Consent {
        let (transcript, manifest) = (self.transcript(), self.manifest_digest());
        Consent { transcript, manifest, shown: Digest([7; 32]), answer, granted }
    }

    pub fn say_consent(&mut self, consent: &Consent, key: &SigningKey) {
        self.say_sealed(&EndToEnd::Consent { envelope: Blob(dsse::sign(consent, key)) });
    }

    pub fn change(&self, change: Change, rights: Rights, seconds: u32) -> RightsChange {
        RightsChange {
            transcript: self.transcript(),
            manifest: self.manifest_digest(),
            number: 1,
            after_ms: 1000,
            change,
            rights,
            seconds,
            shown: Digest([7; 32]),
        }
    }

    /// The server says that the session is over.
    pub fn closed(&mut self, reason: CloseReason) {
        match self.role {
            Role::Operator => self.tell_operator(ServerToOperator::Closed { session: SESSION, reason }),
            Role::Agent => self.tell_agent(ServerToAgent::Closed { reason }),
        }
    }

    /// Of a session in which the puppet is the agent and host, and ended it.
    pub fn receipt(&self, mode: Mode) -> Receipt {
        let consent = self.word(Answer::Accepted, mode.ceiling());
        Receipt {
            v: RECEIPT_VERSION,
            session: SESSION,
            transcript: self.transcript(),
            organisation: ORGANISATION.to_owned(),
            manifest: self.manifest_envelope(),
            consent: Blob(dsse::sign(&consent, &agent_key())),
            changes: Vec::new(),
            began_at: 1_800_000_000,
            lasted_s: 1,
            screenshots: Vec::new(),
            files: Vec::new(),
            paths: Vec::new(),
            addresses: Vec::new(),
            software: Software { operator: "test 2".to_owned(), agent: "test 3".to_owned() },
            reason: EndReason::UserEnded,
            ended_by: Ender::Agent,
            omitted: 0,
        }
    }
}
