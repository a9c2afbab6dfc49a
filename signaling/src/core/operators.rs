//! What operators ask, and what they are told.
//!
//! An operator reaches its own rooms only; another's answers exactly as one that
//! does not exist (T56).

use std::time::Instant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::hello::{Hello, HelloError};
use tasuki_protocol::ids::{Challenge, DeviceKey, PROTOCOL_VERSION, Role, SessionId};
use tasuki_protocol::number::{Locator, MAX_ATTEMPTS};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{
    CloseReason, MAX_FORWARD, OperatorToServer, Presence, RefusalReason, ResumeToken, ServerToAgent,
    ServerToOperator,
};

use super::agenda::Reminder;
use super::agents::{AgentState, PAIRING_MESSAGES};
use super::decoy::{Persona, REST, Shape};
use super::distances::Distances;
use super::issue::Wish;
use super::notes::What;
use super::pace::Pace;
use super::resume::ResumeSum;
use super::room::{Held, Meeting, Paired, Room, Seat, Stage, Whereabouts};
use super::rooms::{Awaited, ConnectionId, Now, Operator, Outcome, Output, Rooms, Row};

/// Draws for a free locator before the server counts as full.
const DRAWS: u32 = 64;

/// An operator's connection.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) operator: Operator,
    pub(crate) pace: Pace,
}

impl Rooms {
    pub(crate) fn operator_here(&mut self, connection: ConnectionId, operator: Operator, now: Now) {
        let pace = Pace::new(self.settings.messages, now.instant);
        let certified_until = operator.certified_until;
        self.desks.insert(connection, Desk { operator, pace });
        self.tell_operator(connection, ServerToOperator::Ready { certified_until });
    }

    /// It has said more than its allowance.
    pub(crate) fn stop_operator(&mut self, connection: ConnectionId) {
        self.refuse_operator(connection, RefusalReason::SlowDown);
        self.put(Output::HangUp { connection });
    }

    pub(crate) fn operator_says(
        &mut self,
        connection: ConnectionId,
        message: OperatorToServer,
        now: Now,
    ) {
        let Some(desk) = self.desks.get_mut(&connection) else { return };
        if !desk.pace.take(now.instant) {
            return self.stop_operator(connection);
        }
        match message {
            OperatorToServer::Prove { .. } => {
                self.refuse_operator(connection, RefusalReason::Message);
            }
            OperatorToServer::OpenRoom { mode, hellos, reason } => {
                let wish = Wish { mode, reason };
                if let Err(reason) = self.open_room(connection, wish, hellos, now) {
                    self.refuse_operator(connection, reason);
                }
            }
            OperatorToServer::Resume { session, token } => {
                self.operator_resumes(connection, session, token);
            }
            OperatorToServer::Forward { session, body } => {
                self.operator_forwards(connection, session, body);
            }
            OperatorToServer::PairingFailed { session, attempt } => {
                self.pairing_failed(connection, session, attempt, now);
            }
            OperatorToServer::Paired { session } => self.pair(connection, session, now),
            OperatorToServer::NeedLeg { session } => self.give_leg(connection, session, now),
            OperatorToServer::RelayTimes { session, times } => {
                self.operator_measured(connection, session, times);
            }
            OperatorToServer::NeedLedgerTicket { session } => {
                self.give_ledger_ticket(connection, session, now);
            }
            OperatorToServer::Object { session, attempt, why } => {
                self.operator_objects(connection, session, attempt, why, now);
            }
            OperatorToServer::Close { session } => {
                if self.own(connection, session).is_some() {
                    self.end_room(session, CloseReason::OtherEnd, Some(connection), now);
                }
            }
        }
    }

    /// Numbers die with their operator's connection; sessions wait for it (T5).
    pub(crate) fn operator_gone(&mut self, connection: ConnectionId, now: Now) {
        if self.desks.remove(&connection).is_none() {
            return;
        }
        let until = now.instant + self.settings.resume_grace;
        for session in self.rooms_at(connection) {
            let Some(room) = self.rooms.get_mut(&session) else { continue };
            room.operator_seat.place = Whereabouts::Gone { until };
            let agent = room.paired().map(|paired| paired.agent_seat.place);
            match agent {
                None => self.end_room(session, CloseReason::Withdrawn, None, now),
                Some(place) => {
                    self.agenda.remind(until, Reminder::Room(session));
                    self.operator_presence(place, Presence::Gone);
                }
            }
        }
    }

    pub(crate) fn confirm(&mut self, device: DeviceKey, until: Instant) {
        for desk in self.desks.values_mut().filter(|desk| desk.operator.device == device) {
            desk.operator.confirmed_until = until;
        }
    }

    pub(crate) fn withdraw(&mut self, is_whose: impl Fn(&Operator) -> bool, now: Now) {
        let own = self.rooms.values().filter(|room| is_whose(&room.operator));
        let sessions: Vec<SessionId> = own.map(|room| room.session).collect();
        for session in sessions {
            self.end_room(session, CloseReason::Withdrawn, None, now);
        }
        let desks = self.desks.iter().filter(|(_, desk)| is_whose(&desk.operator));
        let connections: Vec<ConnectionId> = desks.map(|(connection, _)| *connection).collect();
        for connection in connections {
            self.desks.remove(&connection);
            self.put(Output::HangUp { connection });
        }
    }

    pub(crate) fn refuse_operator(&mut self, connection: ConnectionId, reason: RefusalReason) {
        self.note_refusal(connection, reason);
        self.tell_operator(connection, ServerToOperator::Refused { reason });
    }

    /// The room, if it is this connection's.
    pub(crate) fn own(&mut self, connection: ConnectionId, session: SessionId) -> Option<&mut Room> {
        let at = Some(connection);
        self.rooms.get_mut(&session).filter(|room| room.operator_seat.connection() == at)
    }

    fn rooms_at(&self, connection: ConnectionId) -> Vec<SessionId> {
        let here = |room: &&Room| room.operator_seat.connection() == Some(connection);
        self.rooms.values().filter(here).map(|room| room.session).collect()
    }

    fn open_room(
        &mut self,
        connection: ConnectionId,
        wish: Wish,
        hellos: Vec<Blob>,
        now: Now,
    ) -> Result<(), RefusalReason> {
        let desk = self.desks.get(&connection).ok_or(RefusalReason::SignIn)?;
        let operator = desk.operator.clone();
        self.issuer.may_open(&operator, &wish, now.unix)?;
        let mode = wish.mode;
        // What outlives this moment asks that the person is still the one who signed in.
        if mode == Mode::Manage && now.instant >= operator.confirmed_until {
            return Err(RefusalReason::Confirm);
        }
        let first = check_hellos(&hellos, &operator)?;
        let open = self
            .rooms
            .values()
            .filter(|room| room.operator.id == operator.id && !matches!(room.stage, Stage::Paired(_)));
        let pace = self.openings.entry(operator.id);
        let pace = pace.or_insert_with(|| Pace::new(self.settings.openings, now.instant));
        if open.count() >= self.settings.open_numbers || !pace.take(now.instant) {
            return Err(RefusalReason::SlowDown);
        }
        let seed = self.fresh_seed();
        let locator = self.free_locator(&seed, now).ok_or(RefusalReason::Unavailable)?;
        let session = SessionId(seed.derive("session"));
        let expires = now.instant + self.settings.number_lifetime;
        self.resting.shape = Shape { ufrag: first.ice_ufrag.len(), pwd: first.ice_pwd.len() };
        let token = ResumeToken(Challenge(seed.derive("operator resume")));
        let room = Room {
            session,
            locator,
            operator,
            operator_seat: Seat { token: ResumeSum::of(token), place: Whereabouts::Here(connection) },
            wish,
            hellos: hellos.into_iter().map(|hello| hello.0).collect(),
            used: 0,
            expires,
            since: now.instant,
            persona: Persona::of_hello(session, self.issuer.tenant, &first),
            stage: Stage::Opening(token),
        };
        self.rooms.insert(session, room);
        self.locators.insert(locator, session);
        self.agenda.remind(expires, Reminder::Room(session));
        let until = now.unix + (self.settings.number_lifetime + REST).as_secs();
        let note = self.noted(What::NumberOpened(mode, self.issuer.policy.version), Some(session));
        self.persist(Row::Opened { session, locator, until }, note, Awaited::Opening(session));
        Ok(())
    }

    fn free_locator(&mut self, seed: &Seed, now: Now) -> Option<Locator> {
        self.resting.wake(now.instant);
        let draws = (0..DRAWS).filter_map(|draw| {
            let digits = seed.digits(&format!("locator {draw}"), 5);
            Locator::try_from(u32::try_from(digits).ok()?).ok()
        });
        let is_free = |l: &Locator| !self.locators.contains_key(l) && !self.resting.is_resting(*l);
        draws.into_iter().find(is_free)
    }

    pub(crate) fn opening_written(&mut self, session: SessionId, outcome: Outcome, now: Now) {
        let Some(room) = self.rooms.get_mut(&session) else { return };
        let Some(connection) = room.operator_seat.connection() else { return };
        if outcome == Outcome::Failed {
            self.refuse_operator(connection, RefusalReason::Unavailable);
            return self.end_room(session, CloseReason::Withdrawn, Some(connection), now);
        }
        let Stage::Opening(resume) = room.stage else { return };
        room.stage = Stage::Waiting;
        let opened = ServerToOperator::RoomOpened {
            session,
            locator: room.locator,
            resume,
            expires_in: room.expires.saturating_duration_since(now.instant).as_secs(),
        };
        self.tell_operator(connection, opened);
    }

    fn operator_forwards(&mut self, connection: ConnectionId, session: SessionId, body: Blob) {
        if body.0.len() > MAX_FORWARD {
            self.refuse_operator(connection, RefusalReason::Message);
            return self.put(Output::HangUp { connection });
        }
        let within = self.settings.pairing_within;
        let Some(room) = self.own(connection, session) else {
            return self.refuse_operator(connection, RefusalReason::Session);
        };
        let agent = match &mut room.stage {
            // The attempt was over before this came; the operator learns that otherwise.
            Stage::Opening(_) | Stage::Waiting | Stage::Burning(_) => return,
            Stage::Meeting(meeting) => {
                meeting.replies += 1;
                if meeting.replies > PAIRING_MESSAGES {
                    self.refuse_operator(connection, RefusalReason::Message);
                    return self.put(Output::HangUp { connection });
                }
                let agent = meeting.agent;
                self.prolong(agent, within);
                Some(agent)
            }
            Stage::Paired(paired) => paired.agent_seat.connection(),
        };
        if let Some(agent) = agent {
            self.tell_agent(agent, ServerToAgent::Forwarded { body });
        }
    }

    /// The agent's proof was right: nothing is left to hide from it, and a slow
    /// line may take its time.
    fn prolong(&mut self, connection: ConnectionId, within: std::time::Duration) {
        let Some(agent) = self.agents.get_mut(&connection) else { return };
        if let AgentState::Answered(answered) = &mut agent.state {
            answered.answer_at = answered.answer_at.max(answered.joined + within);
            self.agenda.remind(answered.answer_at, Reminder::Agent(connection));
        }
    }

    fn pairing_failed(&mut self, connection: ConnectionId, session: SessionId, attempt: u8, now: Now) {
        let Some(room) = self.own(connection, session) else {
            return self.refuse_operator(connection, RefusalReason::Session);
        };
        let current = matches!(&room.stage, Stage::Meeting(meeting) if meeting.attempt == attempt);
        if current {
            self.fail_attempt(session, now);
        }
    }

    fn pair(&mut self, connection: ConnectionId, session: SessionId, now: Now) {
        let legs = Pace::new(self.settings.legs, now.instant);
        let Some(room) = self.own(connection, session) else {
            return self.refuse_operator(connection, RefusalReason::Session);
        };
        let Stage::Meeting(Meeting { agent, device, token, terms, .. }) = room.stage else {
            if room.paired().is_none() {
                // The server gave the attempt up before its end: no half of a session stays.
                self.end_room(session, CloseReason::Lost, None, now);
            }
            return;
        };
        let agent_seat = Seat { token, place: Whereabouts::Here(agent) };
        let distances = Distances::default();
        let (legs, leg_pace, held) = (0, legs, Held::Here);
        let paired = Paired { agent_seat, legs, leg_pace, terms, distances, held };
        room.stage = Stage::Paired(Box::new(paired));
        // Nobody is given one any more.
        room.hellos = Vec::new();
        let ends = terms.ends.min(room.operator.until);
        let (locator, persona) = (room.locator, room.persona.clone());
        self.locators.remove(&locator);
        self.resting.rest(locator, now.instant + REST, Some(persona));
        let mut from = None;
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.state = AgentState::Paired(session);
            from = Some(agent.from);
            self.guesses.give_back(agent.place);
        }
        self.agenda.remind(ends, Reminder::Room(session));
        self.keep_begun(session, What::Paired(device, from), now);
        self.ask_how_far(connection, agent, session);
    }

    fn give_leg(&mut self, connection: ConnectionId, session: SessionId, now: Now) {
        let (seed, relays) = (self.fresh_seed(), self.issuer.relays.len());
        let paired = self.own(connection, session).and_then(Room::paired);
        let Some(paired) = paired else {
            return self.refuse_operator(connection, RefusalReason::Session);
        };
        if !paired.leg_pace.take(now.instant) {
            return self.refuse_operator(connection, RefusalReason::SlowDown);
        }
        paired.legs += 1;
        let (number, agent) = (paired.legs, paired.agent_seat.connection());
        let relay = paired.distances.relay_of(number, relays);
        let for_end =
            |role, label| self.issuer.leg((session, number, relay), role, seed.derive(label), now.unix);
        let legs = (for_end(Role::Operator, "operator leg"), for_end(Role::Agent, "agent leg"));
        let (Some(own), Some(theirs)) = legs else {
            return self.refuse_operator(connection, RefusalReason::Unavailable);
        };
        self.tell_operator(connection, ServerToOperator::Leg { session, leg: own });
        if let Some(agent) = agent {
            self.tell_agent(agent, ServerToAgent::Leg { leg: theirs });
        }
    }

    fn operator_resumes(&mut self, connection: ConnectionId, session: SessionId, token: ResumeToken) {
        let Some(desk) = self.desks.get(&connection) else { return };
        let (id, device) = (desk.operator.id, desk.operator.device);
        let room = self.rooms.get_mut(&session).filter(|room| {
            let own = room.operator.id == id && room.operator.device == device;
            own && room.operator_seat.token.is_of(token)
        });
        let agent = room.and_then(|room| {
            let place = room.paired()?.agent_seat.place;
            room.operator_seat.place = Whereabouts::Here(connection);
            Some(place)
        });
        let Some(agent) = agent else {
            return self.refuse_operator(connection, RefusalReason::Session);
        };
        self.take_up(session);
        self.tell_operator(connection, ServerToOperator::Resumed { session });
        match agent {
            Whereabouts::Here(_) => self.operator_presence(agent, Presence::Here),
            Whereabouts::Gone { .. } => {
                let presence = Presence::Gone;
                self.tell_operator(connection, ServerToOperator::AgentPresence { session, presence });
            }
        }
    }

    fn operator_presence(&mut self, agent: Whereabouts, presence: Presence) {
        if let Whereabouts::Here(agent) = agent {
            self.tell_agent(agent, ServerToAgent::OperatorPresence { presence });
        }
    }
}

/// One hello for each attempt, of this operator's own device; gives the first.
fn check_hellos(hellos: &[Blob], operator: &Operator) -> Result<Hello, RefusalReason> {
    if hellos.len() != usize::from(MAX_ATTEMPTS) {
        return Err(RefusalReason::Message);
    }
    let mut decoded = Vec::with_capacity(hellos.len());
    for hello in hellos {
        let hello = Hello::decode(&hello.0).map_err(|error| match error {
            HelloError::Version { .. } => RefusalReason::Version { server: PROTOCOL_VERSION },
            HelloError::Malformed => RefusalReason::Message,
        })?;
        if hello.role != Role::Operator || hello.device != operator.device {
            return Err(RefusalReason::Message);
        }
        decoded.push(hello);
    }
    decoded.into_iter().next().ok_or(RefusalReason::Message)
}
