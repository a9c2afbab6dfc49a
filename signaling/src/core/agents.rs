//! What agents ask, and what they are told.
//!
//! A join is answered the same way at the same time whether its number lives or
//! not: written down, met with a hello, refused after a fixed span. Only a pairing
//! makes a difference (T6).

use std::net::IpAddr;
use std::time::Instant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::hello::{Hello, HelloError};
use tasuki_protocol::ids::{Challenge, DeviceKey, PROTOCOL_VERSION, Role, SessionId};
use tasuki_protocol::number::Locator;
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, MAX_FORWARD, Presence, RefusalReason, ResumeToken, ServerToAgent,
    ServerToOperator,
};

use super::agenda::Reminder;
use super::guesses::Place;
use super::notes::What;
use super::pace::Pace;
use super::resume::ResumeSum;
use super::room::{Meeting, Stage, Terms, Whereabouts};
use super::rooms::{Awaited, ConnectionId, Now, Outcome, Output, Rooms, Row};

/// Messages that an end may have forwarded before the server hears that it is paired: its part of the
/// pairing, an answer that comes at once, what it says of itself, and one to spare.
pub(crate) const PAIRING_MESSAGES: u8 = 6;

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) from: IpAddr,
    pub(crate) place: Place,
    pub(crate) pace: Pace,
    pub(crate) state: AgentState,
}

#[derive(Debug)]
pub(crate) enum AgentState {
    Idle,
    /// Its join is being written down.
    Knocking(Box<Knock>),
    Answered(Answered),
    Paired(SessionId),
}

#[derive(Debug)]
pub(crate) struct Knock {
    /// Whom it meets; nobody if the number is dead.
    pub(crate) session: Option<SessionId>,
    device: DeviceKey,
    joined: Instant,
    token: ResumeSum,
    met: ServerToAgent,
    /// For the operator.
    arrival: Option<Arrival>,
}

#[derive(Debug)]
struct Arrival {
    attempt: u8,
    message: ServerToOperator,
    terms: Terms,
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) session: Option<SessionId>,
    pub(crate) joined: Instant,
    pub(crate) answer_at: Instant,
    said: u8,
}

impl Rooms {
    pub(crate) fn agent_here(&mut self, connection: ConnectionId, from: IpAddr, now: Now) {
        let agent = Agent {
            from,
            place: from.into(),
            pace: Pace::new(self.settings.messages, now.instant),
            state: AgentState::Idle,
        };
        self.agents.insert(connection, agent);
    }

    /// It has said more than its allowance.
    pub(crate) fn stop_agent(&mut self, connection: ConnectionId) {
        self.refuse_agent(connection, RefusalReason::SlowDown);
        self.put(Output::HangUp { connection });
    }

    pub(crate) fn agent_says(&mut self, connection: ConnectionId, message: AgentToServer, now: Now) {
        let Some(agent) = self.agents.get_mut(&connection) else { return };
        if !agent.pace.take(now.instant) {
            return self.stop_agent(connection);
        }
        match message {
            AgentToServer::Join { version, locator, hello } => {
                self.join(connection, version, locator, &hello, now);
            }
            AgentToServer::Resume { session, token } => {
                self.agent_resumes(connection, session, token);
            }
            AgentToServer::Forward { body } => self.agent_forwards(connection, body),
            AgentToServer::RelayTimes { times } => self.agent_measured(connection, times),
            AgentToServer::NeedLedgerTicket => self.agent_needs_ticket(connection, now),
            AgentToServer::Object { why } => self.agent_objects(connection, why, now),
            AgentToServer::Close => self.agent_closes(connection, now),
        }
    }

    pub(crate) fn agent_gone(&mut self, connection: ConnectionId, now: Now) {
        let Some(agent) = self.agents.remove(&connection) else { return };
        match agent.state {
            AgentState::Idle => {}
            AgentState::Knocking(knock) => {
                if let Some(session) = knock.session {
                    self.fail_attempt(session, now);
                }
            }
            AgentState::Answered(answered) => {
                if let Some(session) = answered.session {
                    self.fail_attempt(session, now);
                }
            }
            AgentState::Paired(session) => self.agent_away(session, now),
        }
    }

    fn join(
        &mut self,
        connection: ConnectionId,
        version: u16,
        locator: Locator,
        hello: &Blob,
        now: Now,
    ) {
        if version != PROTOCOL_VERSION {
            let reason = RefusalReason::Version { server: PROTOCOL_VERSION };
            return self.refuse_agent(connection, reason);
        }
        let theirs = match Hello::decode(&hello.0) {
            Ok(theirs) if theirs.role == Role::Agent => theirs,
            Err(HelloError::Version { .. }) => {
                let reason = RefusalReason::Version { server: PROTOCOL_VERSION };
                return self.refuse_agent(connection, reason);
            }
            Ok(_) | Err(_) => return self.refuse_agent(connection, RefusalReason::Message),
        };
        let Some(agent) = self.agents.get(&connection) else { return };
        if !matches!(agent.state, AgentState::Idle) {
            return self.refuse_agent(connection, RefusalReason::Message);
        }
        if !self.guesses.admit(agent.place, now.instant) {
            self.note_flood(connection, now);
            return self.refuse_agent(connection, RefusalReason::SlowDown);
        }
        self.knock(connection, locator, hello, &theirs, now);
    }

    /// Both branches do the same work and write the same row.
    fn knock(
        &mut self,
        connection: ConnectionId,
        locator: Locator,
        hello: &Blob,
        theirs: &Hello,
        now: Now,
    ) {
        let seed = self.fresh_seed();
        let token = ResumeToken(Challenge(seed.derive("agent resume")));
        let devices: Vec<DeviceKey> = self.desks.values().map(|desk| desk.operator.device).collect();
        self.resting.wake(now.instant);
        let (session, offered, arrival) = match self.take_hello(locator, now) {
            Some((session, offered, attempt)) => {
                let arrival = self.arrival(session, attempt, hello, theirs, now);
                (session, offered, arrival)
            }
            None => {
                let tenant = self.issuer.tenant;
                let persona = match self.locators.get(&locator).and_then(|s| self.rooms.get(s)) {
                    Some(room) => room.persona.clone(),
                    None => {
                        let seed = seed.child("persona");
                        self.resting.persona(locator, tenant, &devices, &seed, now.instant)
                    }
                };
                (persona.session, persona.hello(&seed.child("hello")), None)
            }
        };
        let live = arrival.is_some().then_some(session);
        if let Some(room) = live.and_then(|s| self.rooms.get_mut(&s)) {
            room.stage = Stage::Burning(connection);
        }
        let met = ServerToAgent::Met { session, resume: token, hello: Blob(offered) };
        let attempt = arrival.as_ref().map_or(0, |arrival| arrival.attempt);
        let from = self.agents.get(&connection).map(|agent| agent.from);
        let note = self.noted(What::AttemptMade(attempt, from), live);
        let device = theirs.device;
        let knock = Knock {
            session: live,
            device,
            joined: now.instant,
            token: ResumeSum::of(token),
            met,
            arrival,
        };
        if let Some(agent) = self.agents.get_mut(&connection) {
            agent.state = AgentState::Knocking(Box::new(knock));
        }
        let row = Row::Attempt { session, locator, at: now.unix };
        self.persist(row, note, Awaited::Knock(connection));
    }

    /// One of the operator's hellos, if somebody waits under `locator`.
    fn take_hello(&mut self, locator: Locator, now: Now) -> Option<(SessionId, Vec<u8>, u8)> {
        let session = *self.locators.get(&locator)?;
        let room = self.rooms.get_mut(&session)?;
        let waits = matches!(room.stage, Stage::Waiting) && now.instant < room.expires;
        if !waits || room.operator_seat.connection().is_none() || room.hellos.is_empty() {
            return None;
        }
        let attempt = room.used;
        room.used += 1;
        Some((session, room.hellos.remove(0), attempt))
    }

    /// `None` where the policy no longer allows it: the attempt goes on as one at a dead number.
    fn arrival(
        &mut self,
        session: SessionId,
        attempt: u8,
        hello: &Blob,
        theirs: &Hello,
        now: Now,
    ) -> Option<Arrival> {
        let room = self.rooms.get(&session)?;
        let mut grant = self.issuer.decide(&room.operator, room.wish.mode, now.unix).outcome.ok()?;
        // No manifest outlives what it stands on: at its end the host ends by itself.
        let left = room.operator.until.saturating_duration_since(now.instant);
        grant.length_s = grant.length_s.min(left.as_secs());
        if grant.length_s == 0 {
            return None;
        }
        let manifest =
            self.issuer.manifest(session, &room.operator, &room.wish, &grant, theirs, now.unix);
        let (hello, manifest) = (hello.clone(), Blob(manifest));
        let message = ServerToOperator::Arrived { session, attempt, hello, manifest };
        let ends = now.instant + std::time::Duration::from_secs(grant.length_s);
        Some(Arrival { attempt, message, terms: Terms { grant, issued: now.unix, ends } })
    }

    pub(crate) fn knock_written(&mut self, connection: ConnectionId, outcome: Outcome, now: Now) {
        let Some(agent) = self.agents.get_mut(&connection) else { return };
        let state = std::mem::replace(&mut agent.state, AgentState::Idle);
        let AgentState::Knocking(knock) = state else {
            agent.state = state;
            return;
        };
        if outcome == Outcome::Failed {
            if let Some(session) = knock.session {
                self.fail_attempt(session, now);
            }
            return self.refuse_agent(connection, RefusalReason::Unavailable);
        }
        let answer_at = knock.joined + self.settings.answer_after;
        let session = knock.session;
        agent.state =
            AgentState::Answered(Answered { session, joined: knock.joined, answer_at, said: 0 });
        self.agenda.remind(answer_at, Reminder::Agent(connection));
        self.tell_agent(connection, knock.met);
        let (Some(session), Some(arrival)) = (session, knock.arrival) else { return };
        let Arrival { attempt, message, terms } = arrival;
        let room = self.rooms.get(&session);
        if room.is_some_and(|room| !self.still_allows(room, &terms)) {
            // Narrowed while it was written down: it goes on as one at a dead number.
            return self.fail_attempt(session, now);
        }
        let Some(room) = self.rooms.get_mut(&session) else { return };
        let (device, token) = (knock.device, knock.token);
        room.stage =
            Stage::Meeting(Meeting { agent: connection, device, attempt, token, replies: 0, terms });
        if let Some(operator) = room.operator_seat.connection() {
            self.tell_operator(operator, message);
        }
    }

    /// The fixed span after a join is over and no pairing came of it.
    pub(crate) fn answer_is_due(&mut self, connection: ConnectionId, now: Now) {
        let Some(agent) = self.agents.get_mut(&connection) else { return };
        let AgentState::Answered(answered) = &agent.state else { return };
        let at = answered.answer_at;
        if at > now.instant {
            return self.agenda.remind(at, Reminder::Agent(connection));
        }
        let session = answered.session;
        agent.state = AgentState::Idle;
        if let Some(session) = session {
            self.fail_attempt(session, now);
        }
        self.refuse_agent(connection, RefusalReason::Number);
    }

    fn agent_forwards(&mut self, connection: ConnectionId, body: Blob) {
        if body.0.len() > MAX_FORWARD {
            self.refuse_agent(connection, RefusalReason::Message);
            return self.put(Output::HangUp { connection });
        }
        let Some(agent) = self.agents.get_mut(&connection) else { return };
        let session = match &mut agent.state {
            AgentState::Idle | AgentState::Knocking(_) => {
                return self.refuse_agent(connection, RefusalReason::Session);
            }
            AgentState::Answered(answered) => {
                answered.said += 1;
                if answered.said > PAIRING_MESSAGES {
                    self.refuse_agent(connection, RefusalReason::Message);
                    return self.put(Output::HangUp { connection });
                }
                answered.session
            }
            AgentState::Paired(session) => Some(*session),
        };
        let Some(session) = session else { return };
        let operator = self.rooms.get(&session).and_then(|room| room.operator_seat.connection());
        if let Some(operator) = operator {
            self.tell_operator(operator, ServerToOperator::Forwarded { session, body });
        }
    }

    pub(crate) fn agent_closes(&mut self, connection: ConnectionId, now: Now) {
        let Some(agent) = self.agents.get_mut(&connection) else { return };
        match &mut agent.state {
            AgentState::Idle | AgentState::Knocking(_) => {}
            AgentState::Answered(answered) => {
                if let Some(session) = answered.session.take() {
                    self.fail_attempt(session, now);
                }
            }
            AgentState::Paired(session) => {
                let session = *session;
                self.end_room(session, CloseReason::OtherEnd, Some(connection), now);
            }
        }
    }

    fn agent_away(&mut self, session: SessionId, now: Now) {
        let until = now.instant + self.settings.resume_grace;
        let Some(room) = self.rooms.get_mut(&session) else { return };
        let Some(paired) = room.paired() else { return };
        paired.agent_seat.place = Whereabouts::Gone { until };
        let operator = room.operator_seat.connection();
        self.agenda.remind(until, Reminder::Room(session));
        if let Some(operator) = operator {
            let presence = Presence::Gone;
            self.tell_operator(operator, ServerToOperator::AgentPresence { session, presence });
        }
    }

    fn agent_resumes(&mut self, connection: ConnectionId, session: SessionId, token: ResumeToken) {
        let idle = self.agents.get(&connection).is_some_and(|a| matches!(a.state, AgentState::Idle));
        let seat = self.rooms.get_mut(&session).and_then(|room| {
            let operator = room.operator_seat.place;
            room.paired().map(|paired| (&mut paired.agent_seat, operator))
        });
        let right = seat.filter(|(seat, _)| idle && seat.token.is_of(token));
        let Some((seat, operator)) = right else {
            // What it comes back to is over, and it was not here to hear of it.
            return match self.farewells.to(session, token).filter(|_| idle) {
                Some(reason) => self.tell_agent(connection, ServerToAgent::Closed { reason }),
                None => self.refuse_agent(connection, RefusalReason::Session),
            };
        };
        let before = seat.place;
        seat.place = Whereabouts::Here(connection);
        if let Some(agent) = self.agents.get_mut(&connection) {
            agent.state = AgentState::Paired(session);
        }
        if let Whereabouts::Here(before) = before {
            self.agents.remove(&before);
            self.put(Output::HangUp { connection: before });
        }
        self.take_up(session);
        self.tell_agent(connection, ServerToAgent::Resumed);
        let presence = Presence::Here;
        match operator {
            Whereabouts::Here(operator) => {
                self.tell_operator(operator, ServerToOperator::AgentPresence { session, presence });
            }
            Whereabouts::Gone { .. } => {
                let presence = Presence::Gone;
                self.tell_agent(connection, ServerToAgent::OperatorPresence { presence });
            }
        }
    }
}
