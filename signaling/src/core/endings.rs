//! How attempts, numbers and sessions end, and what an end that was away then is told of it when it comes back.
//!
//! The customer's end decides with the server whether a session goes on, and nobody else: whatever the
//! operator's program does, a session is known here for as long as an agent may come back to it, so that
//! what is withdrawn ends there (T17, T55).

use std::collections::VecDeque;
use std::time::Instant;

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::number::MAX_ATTEMPTS;
use tasuki_protocol::signal::{CloseReason, ResumeToken, ServerToAgent, ServerToOperator};

use super::agenda::Reminder;
use super::agents::AgentState;
use super::decoy::REST;
use super::notes::What;
use super::resume::ResumeSum;
use super::room::{Held, Meeting, Room, Stage, Whereabouts};
use super::rooms::{ConnectionId, Now, OperatorId, Output, Rooms, Row};

/// Sessions of one operator that both ends may have left and can come back to. More end the oldest.
const LET_GO: usize = 32;

/// Of what is over, what an agent is told that comes back to it.
#[derive(Debug, Default)]
pub(crate) struct Farewells(VecDeque<Farewell>);

#[derive(Debug)]
struct Farewell {
    session: SessionId,
    token: ResumeSum,
    reason: CloseReason,
    /// When its manifest is over at the agent, too.
    until: Instant,
}

impl Farewells {
    /// At most `most`: more push out the oldest.
    fn keep(&mut self, farewell: Farewell, most: usize, now: Instant) {
        while self.0.front().is_some_and(|oldest| oldest.until <= now || self.0.len() >= most) {
            self.0.pop_front();
        }
        self.0.push_back(farewell);
    }

    pub(crate) fn to(&self, session: SessionId, token: ResumeToken) -> Option<CloseReason> {
        let told = self.0.iter().find(|told| told.session == session && told.token.is_of(token));
        told.map(|told| told.reason)
    }
}

impl Rooms {
    /// The attempt at `session`'s number did not lead to a pairing.
    pub(crate) fn fail_attempt(&mut self, session: SessionId, now: Now) {
        let Some(room) = self.rooms.get_mut(&session) else { return };
        if let Some(agent) = room.agent_connection() {
            let stage = std::mem::replace(&mut room.stage, Stage::Waiting);
            if let Stage::Meeting(meeting) = stage {
                self.bid_farewell_to_half_a_pair(session, &meeting, now);
            }
            self.detach(agent);
        }
        let Some(room) = self.rooms.get(&session) else { return };
        let (used, expired) = (room.used, room.expires <= now.instant);
        self.note(What::AttemptFailed(used.saturating_sub(1)), Some(session));
        if used >= MAX_ATTEMPTS {
            self.end_room(session, CloseReason::TooManyAttempts, None, now);
        } else if expired {
            self.end_room(session, CloseReason::Expired, None, now);
        }
    }

    /// Both ends know the number, and the operator's never said so here: the agent may have begun what is no session
    /// of this server's. Before he answered its proof there is nothing that it could have begun (T6).
    fn bid_farewell_to_half_a_pair(&mut self, session: SessionId, meeting: &Meeting, now: Now) {
        if meeting.replies > 0 {
            let (token, until) = (meeting.token, meeting.terms.ends);
            let farewell = Farewell { session, token, reason: CloseReason::Withdrawn, until };
            self.farewells.keep(farewell, self.settings.farewells, now.instant);
        }
    }

    /// Ends a room for good and tells both ends, but not the one `who` asked for it. A
    /// guesser in mid-attempt is told nothing: its answer comes when it always comes.
    pub(crate) fn end_room(
        &mut self,
        session: SessionId,
        reason: CloseReason,
        who: Option<ConnectionId>,
        now: Now,
    ) {
        self.note_over(session, reason, who);
        let Some(room) = self.rooms.remove(&session) else { return };
        // The number of what runs for long may be another's by now.
        if self.locators.get(&room.locator) == Some(&session) {
            self.locators.remove(&room.locator);
            self.resting.rest(room.locator, now.instant + REST, Some(room.persona.clone()));
        }
        if let Whereabouts::Here(operator) = room.operator_seat.place
            && who != Some(operator)
            && !matches!(room.stage, Stage::Opening(_))
        {
            self.tell_operator(operator, ServerToOperator::Closed { session, reason });
        }
        let agent = room.agent_connection();
        match &room.stage {
            Stage::Opening(_) | Stage::Waiting => {}
            Stage::Burning(agent) => self.detach(*agent),
            Stage::Meeting(meeting) if meeting.replies == 0 => self.detach(meeting.agent),
            Stage::Meeting(meeting) => {
                self.bid_farewell_to_half_a_pair(session, meeting, now);
                self.set_idle(meeting.agent);
                self.tell_agent(meeting.agent, ServerToAgent::Closed { reason });
            }
            // It asked for it itself.
            Stage::Paired(_) if agent.is_some() && agent == who => {
                agent.inspect(|agent| self.set_idle(*agent));
            }
            Stage::Paired(paired) => {
                // Also where its connection seems to stand: it may have broken unnoticed.
                let (token, until) = (paired.agent_seat.token, paired.terms.ends);
                let farewell = Farewell { session, token, reason, until };
                self.farewells.keep(farewell, self.settings.farewells, now.instant);
                if let Some(agent) = agent {
                    self.set_idle(agent);
                    self.tell_agent(agent, ServerToAgent::Closed { reason });
                }
            }
        }
    }

    /// Once; and what was written down as running is so no more.
    fn note_over(&mut self, session: SessionId, reason: CloseReason, who: Option<ConnectionId>) {
        let Some(room) = self.rooms.get(&session) else { return };
        let (is_held, ran) = (room.is_held(), matches!(room.stage, Stage::Paired(_)));
        let by = who.and_then(|who| self.witness(session, who));
        let note = is_held.then(|| self.noted(What::Over(reason, by), Some(session)));
        match (ran, note) {
            (true, note) => self.put(Output::Keep { row: Row::Over { session }, note }),
            (false, Some(note)) => self.put(Output::Note(note)),
            (false, None) => {}
        }
    }

    /// Both ends have been away for long. The record says that it is over; should either come back, it goes on,
    /// and what was taken away meanwhile ends it then.
    pub(crate) fn let_go(&mut self, session: SessionId, now: Now) {
        let note = Some(self.noted(What::Over(CloseReason::Lost, None), Some(session)));
        self.put(Output::Keep { row: Row::LetGo { session }, note });
        let Some(room) = self.rooms.get_mut(&session) else { return };
        let operator = room.operator.id;
        if let Some(paired) = room.paired() {
            paired.held = Held::LetGo;
        }
        // Its length and its operator's hours end it all the same.
        if let Some((at, _)) = room.end() {
            self.agenda.remind(at, Reminder::Room(session));
        }
        let mut left = self.left_by(operator);
        left.sort_unstable();
        for (_, oldest) in left.into_iter().rev().skip(LET_GO) {
            self.end_room(oldest, CloseReason::Withdrawn, None, now);
        }
    }

    fn left_by(&self, operator: OperatorId) -> Vec<(Instant, SessionId)> {
        let rooms = self.rooms.values().filter(|room| room.operator.id == operator && !room.is_held());
        rooms.map(|room| (room.since, room.session)).collect()
    }

    /// An end has come back to it.
    pub(crate) fn take_up(&mut self, session: SessionId) {
        let Some(paired) = self.rooms.get_mut(&session).and_then(Room::paired) else { return };
        if paired.held != Held::Here {
            paired.held = Held::Here;
            let note = Some(self.noted(What::TakenUp, Some(session)));
            self.put(Output::Keep { row: Row::TakenUp { session }, note });
        }
    }

    /// The agent's attempt goes on as one at a dead number.
    fn detach(&mut self, agent: ConnectionId) {
        match self.agents.get_mut(&agent).map(|agent| &mut agent.state) {
            Some(AgentState::Knocking(knock)) => knock.session = None,
            Some(AgentState::Answered(answered)) => answered.session = None,
            Some(AgentState::Idle | AgentState::Paired(_)) | None => {}
        }
    }

    fn set_idle(&mut self, agent: ConnectionId) {
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.state = AgentState::Idle;
        }
    }
}
