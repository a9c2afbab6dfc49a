//! The operator's side of the door: a room, a number to read out, three tries.
//!
//! It never sends the secret half of the number, takes each of its three hellos
//! for one try only, and believes the server nothing that it did not see proved.

use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::manifest::{Binding, ManifestRefused, VerifiedManifest};
use tasuki_protocol::message::{self, EndReason, Forwarded};
use tasuki_protocol::number::{Locator, MAX_ATTEMPTS, NUMBER_LIFETIME_S, SessionNumber, SessionSecret};
use tasuki_protocol::objection::Objection;
use tasuki_protocol::pairing::{
    AwaitingAgentConfirm, AwaitingHello, AwaitingReady, Hello, PairMessage, Paired, PairingError,
    operator_meets,
};
use tasuki_protocol::signal::{
    CloseReason, MAX_FORWARD, OperatorToServer, ResumeToken, ServerToOperator,
};

use super::{Step, introduce, own_key, verify};
use crate::core::io::{
    EndedBy, HumanAct, Input, Output, ServerMessage, ServerRequest, SessionEvent, SpokenNumber,
};
use crate::core::line::{close_request, forward};
use crate::core::outbox::Outbox;
use crate::core::setup::OperatorSetup;

/// How long the server may take to open a room, and a caller to prove himself.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(in crate::core) struct OperatorDoor {
    setup: OperatorSetup,
    rooms: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Once it was lost: until when it is waited for.
    AwaitingServer(Option<Instant>),
    AwaitingRoom(Offer, Instant),
    Ringing(Room),
    Confirming(Room, Box<Confirming>),
    Finishing(Room, Box<AwaitingReady>),
}

/// One number's secret and what is said to each who tries it.
#[derive(Debug)]
struct Offer {
    secret: SessionSecret,
    hellos: [Option<AwaitingHello>; MAX_ATTEMPTS as usize],
}

#[derive(Debug)]
struct Room {
    session: SessionId,
    resume: ResumeToken,
    hellos: [Option<AwaitingHello>; MAX_ATTEMPTS as usize],
    /// Tries that began, and the newest of them.
    tried: u8,
    attempt: u8,
    dies: Instant,
    /// The caller at the door must have proved himself by then.
    answer_by: Option<Instant>,
}

#[derive(Debug)]
struct Confirming {
    confirm: AwaitingAgentConfirm,
    envelope: Vec<u8>,
    agent: Hello,
}

type Next = Step<OperatorDoor>;

impl OperatorDoor {
    pub(in crate::core) fn new(setup: OperatorSetup) -> Self {
        Self { setup, rooms: 0, state: State::AwaitingServer(None) }
    }

    pub(in crate::core) fn setup(&self) -> &OperatorSetup {
        &self.setup
    }

    pub(in crate::core) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::AwaitingServer(until) => *until,
            State::AwaitingRoom(_, until) => Some(*until),
            State::Ringing(room) | State::Confirming(room, _) | State::Finishing(room, _) => {
                Some(room.answer_by.map_or(room.dies, |by| by.min(room.dies)))
            }
        }
    }

    pub(in crate::core) fn turn(self, input: Input, now: Instant, out: &mut Outbox) -> Next {
        match input {
            Input::ServerUp => self.open_room(now, out),
            Input::ServerDown => self.lose_server(now, out),
            Input::FromServer(ServerMessage::Operator(message)) => self.hear(message, now, out),
            Input::Human(HumanAct::End(reason)) => self.close(reason, EndedBy::ThisEnd, out),
            Input::Wake => self.wake(now, out),
            Input::FromServer(ServerMessage::Agent(_))
            | Input::Path(..)
            | Input::Human(_)
            | Input::Desktop(_) => Step::Waits(self),
        }
    }

    fn open_room(mut self, now: Instant, out: &mut Outbox) -> Next {
        let seed = self.setup.end.seed.child(&format!("room {}", self.rooms));
        self.rooms += 1;
        let secret = SessionSecret::draw(&seed);
        let hellos: [AwaitingHello; MAX_ATTEMPTS as usize] = std::array::from_fn(|attempt| {
            AwaitingHello::start(
                Role::Operator,
                self.setup.end.facts.clone(),
                &secret,
                self.setup.end.device.clone(),
                &seed.child(&format!("attempt {attempt}")),
            )
        });
        let said = hellos.iter().map(|hello| Blob(hello.hello().to_vec())).collect();
        let request = OperatorToServer::OpenRoom {
            mode: self.setup.mode,
            hellos: said,
            reason: self.setup.reason.clone(),
        };
        out.push(Output::ToServer(ServerRequest::Operator(request)));
        let offer = Offer { secret, hellos: hellos.map(Some) };
        self.state = State::AwaitingRoom(offer, now + PATIENCE);
        Step::Waits(self)
    }

    /// A room does not outlive its operator's connection; a new one gets a new number (T5).
    fn lose_server(mut self, now: Instant, out: &mut Outbox) -> Next {
        out.tell(SessionEvent::ServerGone);
        self.state = State::AwaitingServer(Some(now + self.setup.end.times.without_server));
        Step::Waits(self)
    }

    fn hear(self, message: ServerToOperator, now: Instant, out: &mut Outbox) -> Next {
        match message {
            ServerToOperator::RoomOpened { session, locator, resume, expires_in } => {
                self.ring(session, locator, resume, Duration::from_secs(expires_in), now, out)
            }
            ServerToOperator::Arrived { session, attempt, hello, manifest } => {
                self.arrive(session, attempt, &hello.0, manifest.0, now, out)
            }
            ServerToOperator::Forwarded { session, body } => self.forwarded(session, &body, now, out),
            ServerToOperator::Closed { session, reason } => self.closed(session, reason, out),
            ServerToOperator::Refused { reason } => {
                out.tell(SessionEvent::ServerRefused { reason });
                if matches!(self.state, State::AwaitingRoom(..)) {
                    return Step::Over(EndReason::ServerRefused, EndedBy::Server);
                }
                Step::Waits(self)
            }
            ServerToOperator::Challenge { .. }
            | ServerToOperator::Ready { .. }
            | ServerToOperator::OutsideHours { .. }
            | ServerToOperator::Leg { .. }
            | ServerToOperator::Resumed { .. }
            | ServerToOperator::Relays { .. }
            | ServerToOperator::LedgerTicket { .. }
            | ServerToOperator::AgentPresence { .. } => Step::Waits(self),
        }
    }

    fn ring(
        mut self,
        session: SessionId,
        locator: Locator,
        resume: ResumeToken,
        expires_in: Duration,
        now: Instant,
        out: &mut Outbox,
    ) -> Next {
        let State::AwaitingRoom(offer, _) = self.state else { return Step::Waits(self) };
        let lifetime = expires_in.min(Duration::from_secs(NUMBER_LIFETIME_S));
        let number = SpokenNumber(SessionNumber { locator, secret: offer.secret });
        out.tell(SessionEvent::Number { number, expires_in: lifetime.as_secs() });
        self.state = State::Ringing(Room {
            session,
            resume,
            hellos: offer.hellos,
            tried: 0,
            attempt: 0,
            dies: now + lifetime,
            answer_by: None,
        });
        Step::Waits(self)
    }

    /// Whoever arrives takes one hello; a hello is never said twice (T4).
    fn arrive(
        mut self,
        session: SessionId,
        attempt: u8,
        hello: &[u8],
        envelope: Vec<u8>,
        now: Instant,
        out: &mut Outbox,
    ) -> Next {
        let (State::Ringing(mut room) | State::Confirming(mut room, _)) = self.state else {
            return Step::Waits(self);
        };
        let offer = room.hellos.get_mut(usize::from(attempt)).and_then(Option::take);
        let Some(offer) = offer.filter(|_| room.session == session) else {
            self.state = State::Ringing(room);
            return Step::Waits(self);
        };
        room.tried += 1;
        room.attempt = attempt;
        room.answer_by = Some(now + PATIENCE);
        out.tell(SessionEvent::AtTheDoor { attempt });
        let met = operator_meets(offer, session, hello, envelope.clone());
        let (Ok(confirm), Ok(agent)) = (met, Hello::decode(hello)) else {
            self.state = State::Ringing(room);
            return self.fail_attempt(out);
        };
        self.state = State::Confirming(room, Box::new(Confirming { confirm, envelope, agent }));
        Step::Waits(self)
    }

    fn forwarded(self, session: SessionId, body: &Blob, now: Instant, out: &mut Outbox) -> Next {
        let Ok(Forwarded::Pairing(pairing)) = message::decode(&body.0, MAX_FORWARD) else {
            return Step::Waits(self);
        };
        if self.session() != Some(session) {
            return Step::Waits(self);
        }
        match self.state {
            State::Confirming(room, confirming) => Self { state: State::AwaitingServer(None), ..self }
                .confirm(room, *confirming, &pairing, now, out),
            State::Finishing(room, finishing) => Self { state: State::AwaitingServer(None), ..self }
                .finish(room, *finishing, &pairing, now, out),
            State::AwaitingServer(_) | State::AwaitingRoom(..) | State::Ringing(_) => Step::Waits(self),
        }
    }

    /// The manifest is judged only once the caller has proved the number: a
    /// guesser learns nothing of it.
    fn confirm(
        mut self,
        room: Room,
        confirming: Confirming,
        pairing: &PairMessage,
        now: Instant,
        out: &mut Outbox,
    ) -> Next {
        let Confirming { confirm, envelope, agent } = confirming;
        let Ok((welcome, ready)) = confirm.confirm(pairing) else {
            self.state = State::Ringing(room);
            return self.fail_attempt(out);
        };
        let session = room.session;
        if let Err(refused) = self.judge(session, &agent, &envelope, now) {
            return refuse_manifest(&room, refused, out);
        }
        out.push(forward(Role::Operator, session, &Forwarded::Pairing(welcome)));
        self.state = State::Finishing(room, Box::new(ready));
        Step::Waits(self)
    }

    fn finish(
        self,
        room: Room,
        finishing: AwaitingReady,
        pairing: &PairMessage,
        now: Instant,
        out: &mut Outbox,
    ) -> Next {
        match finishing.ready(pairing) {
            Ok(paired) => self.introduce(room, paired, now, out),
            Err(
                PairingError::TranscriptMismatch
                | PairingError::WrongSecret
                | PairingError::Malformed
                | PairingError::Version { .. },
            ) => {
                out.tell(SessionEvent::TranscriptMismatch);
                out.push(object(&room, Objection::TranscriptMismatch));
                Step::Over(EndReason::Violation, EndedBy::ThisEnd)
            }
        }
    }

    fn introduce(self, room: Room, paired: Paired, now: Instant, out: &mut Outbox) -> Next {
        let session = room.session;
        let manifest = match self.judge(session, &paired.peer, &paired.manifest, now) {
            Ok(manifest) => manifest,
            Err(refused) => return refuse_manifest(&room, refused, out),
        };
        out.push(Output::ToServer(ServerRequest::Operator(OperatorToServer::Paired { session })));
        Step::Through(Box::new(introduce(Role::Operator, paired, manifest, room.resume, out)))
    }

    fn judge(
        &self,
        session: SessionId,
        agent: &Hello,
        envelope: &[u8],
        now: Instant,
    ) -> Result<VerifiedManifest, ManifestRefused> {
        let binding = Binding {
            tenant: self.setup.end.facts.tenant,
            session,
            operator_key: own_key(&self.setup.end),
            agent_key: agent.device,
            challenge: agent.challenge,
        };
        let manifest = verify(&self.setup.end, envelope, &binding, now)?;
        if manifest.manifest().mode == self.setup.mode {
            Ok(manifest)
        } else {
            Err(ManifestRefused::Binding)
        }
    }

    fn fail_attempt(mut self, out: &mut Outbox) -> Next {
        let State::Ringing(room) = &mut self.state else { return Step::Waits(self) };
        room.answer_by = None;
        let attempts_left = MAX_ATTEMPTS - room.tried.min(MAX_ATTEMPTS);
        let (session, attempt) = (room.session, room.attempt);
        out.tell(SessionEvent::WrongNumber { attempts_left });
        let failed = OperatorToServer::PairingFailed { session, attempt };
        out.push(Output::ToServer(ServerRequest::Operator(failed)));
        if attempts_left == 0 {
            return self.close(EndReason::Violation, EndedBy::OtherEnd, out);
        }
        Step::Waits(self)
    }

    fn wake(mut self, now: Instant, out: &mut Outbox) -> Next {
        match self.state {
            State::AwaitingServer(Some(until)) | State::AwaitingRoom(_, until) if now >= until => {
                Step::Over(EndReason::ConnectionLost, EndedBy::Server)
            }
            State::Ringing(ref room)
            | State::Confirming(ref room, _)
            | State::Finishing(ref room, _)
                if now >= room.dies =>
            {
                // The server would say so at about the same moment.
                out.tell(SessionEvent::ServerClosed { reason: CloseReason::Expired });
                self.close(EndReason::NobodyAnswered, EndedBy::ThisEnd, out)
            }
            State::Confirming(room, _) | State::Finishing(room, _)
                if room.answer_by.is_some_and(|by| now >= by) =>
            {
                self.state = State::Ringing(room);
                self.fail_attempt(out)
            }
            State::AwaitingServer(_)
            | State::AwaitingRoom(..)
            | State::Ringing(_)
            | State::Confirming(..)
            | State::Finishing(..) => Step::Waits(self),
        }
    }

    fn closed(self, session: SessionId, reason: CloseReason, out: &mut Outbox) -> Next {
        if self.session() != Some(session) {
            return Step::Waits(self);
        }
        out.tell(SessionEvent::ServerClosed { reason });
        Step::Over(super::reason_of(reason), EndedBy::Server)
    }

    fn session(&self) -> Option<SessionId> {
        match &self.state {
            State::AwaitingServer(_) | State::AwaitingRoom(..) => None,
            State::Ringing(room) | State::Confirming(room, _) | State::Finishing(room, _) => {
                Some(room.session)
            }
        }
    }

    fn close(self, reason: EndReason, by: EndedBy, out: &mut Outbox) -> Next {
        if let Some(session) = self.session() {
            out.push(close_request(Role::Operator, session));
        }
        Step::Over(reason, by)
    }
}

fn refuse_manifest(room: &Room, refused: ManifestRefused, out: &mut Outbox) -> Next {
    out.tell(SessionEvent::ManifestRefused { why: refused.to_string() });
    out.push(object(room, refused.into()));
    Step::Over(EndReason::ManifestRefused, EndedBy::ThisEnd)
}

/// Turns away, and says why to the server: nobody else would ever write it down.
fn object(room: &Room, why: Objection) -> Output {
    let (session, attempt) = (room.session, room.attempt);
    Output::ToServer(ServerRequest::Operator(OperatorToServer::Object { session, attempt, why }))
}
