//! The agent's side of the door: one number, one knock, and a manifest to judge.
//!
//! It says nothing of its machine or person. Whatever goes wrong ends it: another
//! number is another knock with fresh keys.

use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{PROTOCOL_VERSION, Role, SessionId};
use tasuki_protocol::manifest::Binding;
use tasuki_protocol::message::{self, EndReason, EndToEnd, Forwarded};
use tasuki_protocol::number::MAX_ATTEMPTS;
use tasuki_protocol::objection::Objection;
use tasuki_protocol::pairing::{
    AwaitingHello, AwaitingWelcome, Hello, PairMessage, Paired, PairingError, agent_meets,
};
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, MAX_FORWARD, RefusalReason, ResumeToken, ServerToAgent,
};

use super::{Step, introduce, own_key, verify};
use crate::core::io::{EndedBy, HumanAct, Input, Output, ServerMessage, ServerRequest, SessionEvent};
use crate::core::line::{Line, close_request, forward};
use crate::core::outbox::Outbox;
use crate::core::setup::AgentSetup;

/// How long the server and the operator's program may take for each answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(in crate::core) struct AgentDoor {
    setup: AgentSetup,
    knocks: u32,
    awaiting: Awaiting,
}

#[derive(Debug)]
enum Awaiting {
    /// Once it was lost: until when it is waited for.
    Server(Option<Instant>),
    Met {
        offer: Box<AwaitingHello>,
        until: Instant,
    },
    Welcome(Box<Met>),
}

#[derive(Debug)]
struct Met {
    welcome: AwaitingWelcome,
    own: Hello,
    session: SessionId,
    resume: ResumeToken,
    until: Instant,
}

type Next = Step<AgentDoor>;

impl AgentDoor {
    pub(in crate::core) fn new(setup: AgentSetup) -> Self {
        Self { setup, knocks: 0, awaiting: Awaiting::Server(None) }
    }

    pub(in crate::core) fn setup(&self) -> &AgentSetup {
        &self.setup
    }

    pub(in crate::core) fn deadline(&self) -> Option<Instant> {
        match &self.awaiting {
            Awaiting::Server(until) => *until,
            Awaiting::Met { until, .. } => Some(*until),
            Awaiting::Welcome(met) => Some(met.until),
        }
    }

    pub(in crate::core) fn turn(self, input: Input, now: Instant, out: &mut Outbox) -> Next {
        match input {
            Input::ServerUp => self.knock(now, out),
            Input::ServerDown => self.lose_server(now, out),
            Input::FromServer(ServerMessage::Agent(message)) => self.hear(message, now, out),
            Input::Human(HumanAct::End(reason)) => self.close(reason, EndedBy::ThisEnd, out),
            Input::Wake => self.wake(now, out),
            Input::FromServer(ServerMessage::Operator(_))
            | Input::Path(..)
            | Input::Human(_)
            | Input::Desktop(_) => Step::Waits(self),
        }
    }

    fn knock(mut self, now: Instant, out: &mut Outbox) -> Next {
        if self.setup.failed_before >= MAX_ATTEMPTS {
            out.tell(SessionEvent::WrongNumber { attempts_left: 0 });
            return Step::Over(EndReason::Violation, EndedBy::ThisEnd);
        }
        let offer = AwaitingHello::start(
            Role::Agent,
            self.setup.end.facts.clone(),
            &self.setup.number.secret,
            self.setup.end.device.clone(),
            &self.setup.end.seed.child(&format!("knock {}", self.knocks)),
        );
        self.knocks += 1;
        out.push(Output::ToServer(ServerRequest::Agent(AgentToServer::Join {
            version: PROTOCOL_VERSION,
            locator: self.setup.number.locator,
            hello: Blob(offer.hello().to_vec()),
        })));
        self.awaiting = Awaiting::Met { offer: Box::new(offer), until: now + PATIENCE };
        Step::Waits(self)
    }

    /// Before anybody was met, the shell dials again and the same number is
    /// knocked with once more; afterwards that try is spent.
    fn lose_server(mut self, now: Instant, out: &mut Outbox) -> Next {
        out.tell(SessionEvent::ServerGone);
        match self.awaiting {
            Awaiting::Server(_) | Awaiting::Met { .. } => {
                self.awaiting = Awaiting::Server(Some(now + self.setup.end.times.without_server));
                Step::Waits(self)
            }
            Awaiting::Welcome(_) => Step::Over(EndReason::ConnectionLost, EndedBy::Server),
        }
    }

    fn hear(self, message: ServerToAgent, now: Instant, out: &mut Outbox) -> Next {
        match message {
            ServerToAgent::Met { session, resume, hello } => {
                self.meet(session, resume, &hello.0, now, out)
            }
            ServerToAgent::Forwarded { body } => self.forwarded(&body, now, out),
            ServerToAgent::Closed { reason } => self.closed(reason, out),
            ServerToAgent::Refused { reason } => self.refused(reason, out),
            ServerToAgent::Leg { .. }
            | ServerToAgent::Resumed
            | ServerToAgent::Relays { .. }
            | ServerToAgent::LedgerTicket { .. }
            | ServerToAgent::OperatorPresence { .. } => Step::Waits(self),
        }
    }

    fn meet(
        mut self,
        session: SessionId,
        resume: ResumeToken,
        hello: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Next {
        let Awaiting::Met { offer, .. } = self.awaiting else { return Step::Waits(self) };
        let own = Hello::decode(offer.hello());
        let (Ok((confirm, welcome)), Ok(own)) = (agent_meets(*offer, session, hello), own) else {
            self.awaiting = Awaiting::Server(None);
            return self.wrong_number(out);
        };
        out.push(forward(Role::Agent, session, &Forwarded::Pairing(confirm)));
        let until = now + PATIENCE;
        self.awaiting = Awaiting::Welcome(Box::new(Met { welcome, own, session, resume, until }));
        Step::Waits(self)
    }

    fn forwarded(mut self, body: &Blob, now: Instant, out: &mut Outbox) -> Next {
        let Awaiting::Welcome(met) = self.awaiting else { return Step::Waits(self) };
        self.awaiting = Awaiting::Server(None);
        let Met { welcome, own, resume, .. } = *met;
        let Ok(Forwarded::Pairing(pairing)) = message::decode(&body.0, MAX_FORWARD) else {
            return self.wrong_number(out);
        };
        match welcome.welcome(&pairing) {
            Ok((ready, paired)) => self.judge(&ready, paired, &own, resume, now, out),
            Err(PairingError::TranscriptMismatch) => {
                out.tell(SessionEvent::TranscriptMismatch);
                out.push(object(Objection::TranscriptMismatch));
                Step::Over(EndReason::Violation, EndedBy::ThisEnd)
            }
            Err(PairingError::WrongSecret | PairingError::Malformed | PairingError::Version { .. }) => {
                self.wrong_number(out)
            }
        }
    }

    /// The pairing is confirmed either way, so that a refusal can be told to
    /// the operator under seal. T16: a manifest is refused whole.
    fn judge(
        self,
        ready: &PairMessage,
        paired: Paired,
        own: &Hello,
        resume: ResumeToken,
        now: Instant,
        out: &mut Outbox,
    ) -> Next {
        let end = &self.setup.end;
        let binding = Binding {
            tenant: end.facts.tenant,
            session: paired.session,
            operator_key: paired.peer.device,
            agent_key: own_key(end),
            challenge: own.challenge,
        };
        let ready = Forwarded::Pairing(ready.clone());
        out.push(forward(Role::Agent, paired.session, &ready));
        match verify(end, &paired.manifest, &binding, now) {
            Ok(manifest) => {
                Step::Through(Box::new(introduce(Role::Agent, paired, manifest, resume, out)))
            }
            Err(refused) => {
                out.tell(SessionEvent::ManifestRefused { why: refused.to_string() });
                let keys = paired.keys;
                let mut line = Line::open(
                    Role::Agent,
                    paired.session,
                    resume,
                    keys.outgoing.clone(),
                    keys.incoming,
                );
                line.say(EndToEnd::End(EndReason::ManifestRefused), out);
                line.finish();
                out.push(object(refused.into()));
                Step::Over(EndReason::ManifestRefused, EndedBy::ThisEnd)
            }
        }
    }

    fn wrong_number(self, out: &mut Outbox) -> Next {
        let failed = self.setup.failed_before.saturating_add(1);
        out.tell(SessionEvent::WrongNumber { attempts_left: MAX_ATTEMPTS.saturating_sub(failed) });
        self.close(EndReason::Violation, EndedBy::ThisEnd, out)
    }

    fn refused(self, reason: RefusalReason, out: &mut Outbox) -> Next {
        out.tell(SessionEvent::ServerRefused { reason });
        match reason {
            RefusalReason::Number => {
                let failed = self.setup.failed_before.saturating_add(1);
                let attempts_left = MAX_ATTEMPTS.saturating_sub(failed);
                out.tell(SessionEvent::WrongNumber { attempts_left });
            }
            RefusalReason::SlowDown
            | RefusalReason::Version { .. }
            | RefusalReason::Mode
            | RefusalReason::Hours
            | RefusalReason::Reason
            | RefusalReason::SignIn
            | RefusalReason::Confirm
            | RefusalReason::Session
            | RefusalReason::Unavailable
            | RefusalReason::Message => {}
        }
        Step::Over(EndReason::ServerRefused, EndedBy::Server)
    }

    fn closed(self, reason: CloseReason, out: &mut Outbox) -> Next {
        out.tell(SessionEvent::ServerClosed { reason });
        Step::Over(super::reason_of(reason), EndedBy::Server)
    }

    fn wake(self, now: Instant, out: &mut Outbox) -> Next {
        match (&self.awaiting, self.deadline()) {
            (Awaiting::Server(_), Some(until)) if now >= until => {
                Step::Over(EndReason::ConnectionLost, EndedBy::Server)
            }
            (_, Some(until)) if now >= until => {
                self.close(EndReason::NobodyAnswered, EndedBy::ThisEnd, out)
            }
            (_, Some(_) | None) => Step::Waits(self),
        }
    }

    fn close(self, reason: EndReason, by: EndedBy, out: &mut Outbox) -> Next {
        let session = match &self.awaiting {
            Awaiting::Welcome(met) => met.session,
            Awaiting::Server(_) | Awaiting::Met { .. } => SessionId([0; 16]),
        };
        if self.knocks > 0 {
            out.push(close_request(Role::Agent, session));
        }
        Step::Over(reason, by)
    }
}

/// Turns away, and says why to the server: nobody else would ever write it down.
fn object(why: Objection) -> Output {
    Output::ToServer(ServerRequest::Agent(AgentToServer::Object { why }))
}
