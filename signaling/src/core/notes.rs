//! What of the rooms' life is written down, and with what beside it.
//!
//! What must be on disk before anybody hears of it goes with its row; what can only be
//! told afterwards goes alone. Floods are noted once a minute, not once a message.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tasuki_protocol::ids::{DeviceKey, Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness, clipped};
use tasuki_protocol::objection::Objection;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{CloseReason, RefusalReason, ServerToAgent, ServerToOperator};

use super::agents::AgentState;
use super::pace::{Allowance, Pace};
use super::room::Room;
use super::rooms::{ConnectionId, Now, OperatorId, Output, Rooms};

/// A flood is noted so often at most.
const FLOOD_EVERY: Duration = Duration::from_secs(60);
/// So many refusals of all agents together: strangers gain nothing by asking again.
const AGENTS: Allowance = Allowance { burst: 30, per_second: 1.0 / 60.0 };
/// So many of each operator, over all of his lines.
const OPERATOR: Allowance = Allowance { burst: 60, per_second: 1.0 / 60.0 };

/// Something that happened, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub what: What,
    pub session: Option<SessionId>,
    pub operator: Option<OperatorId>,
    /// The operator's account name.
    pub account: Option<String>,
    /// What a number was opened for, as the operator gave it.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Under this version of the policy.
    NumberOpened(Mode, u64),
    /// From here, for the so many-th time; 0 also where nobody waits under the number.
    AttemptMade(u8, Option<IpAddr>),
    /// Of the same number as when it was made.
    AttemptFailed(u8),
    /// This end turned away at the door, in that attempt.
    Objected(Witness, u8, Objection),
    Paired(DeviceKey, Option<IpAddr>),
    Over(CloseReason, Option<Witness>),
    /// An end has come back to what was over because both were lost, or to what an earlier run of the server knew.
    TakenUp,
    TooManyGuesses(Option<IpAddr>),
    /// From here, where it is not an operator who was refused.
    Refused(RefusalReason, Option<IpAddr>),
}

impl Note {
    /// As the ledger keeps it.
    pub fn entry(&self) -> Entry {
        let from = |address: Option<IpAddr>| {
            address.map_or_else(String::new, |address| address.to_canonical().to_string())
        };
        let event = match self.what {
            What::NumberOpened(mode, policy) => {
                let reason = self.reason.as_deref().map(clipped);
                Event::RoomOpened { mode, policy, reason }
            }
            What::AttemptMade(attempt, address) => Event::PairingTried { attempt, from: from(address) },
            What::AttemptFailed(attempt) => Event::PairingFailed { attempt },
            What::Objected(by, attempt, why) => Event::PairingRefused { by, attempt, why },
            What::Paired(agent, address) => Event::Paired { agent, from: from(address) },
            What::Over(reason, by) => Event::SessionClosed { reason, by },
            What::TakenUp => Event::SessionTakenUp,
            What::TooManyGuesses(address) => Event::TooManyGuesses { from: from(address) },
            What::Refused(reason, address) => Event::RequestRefused {
                reason,
                from: address.map(|address| address.to_canonical().to_string()),
            },
        };
        Entry::server(event).of(self.session, self.account.clone())
    }
}

/// When a flood was noted last.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    noted: Option<Instant>,
    /// Refusals of agents that may still be noted.
    agents: Option<Pace>,
    /// Of operators in this turn.
    refused: Vec<(OperatorId, Note)>,
    /// Those of each operator that may still be noted.
    operators: HashMap<OperatorId, Pace>,
}

impl Rooms {
    pub(crate) fn give_ledger_ticket(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        now: Now,
    ) {
        let room = self.rooms.get_mut(&session);
        let own = room.filter(|room| room.operator_seat.connection() == Some(connection));
        if own.and_then(Room::paired).is_none() {
            return self.refuse_operator(connection, RefusalReason::Session);
        }
        let ticket = self.issuer.end_ticket(session, Role::Operator, now.unix);
        self.tell_operator(connection, ServerToOperator::LedgerTicket { session, ticket });
    }

    pub(crate) fn agent_needs_ticket(&mut self, connection: ConnectionId, now: Now) {
        let state = self.agents.get(&connection).map(|agent| &agent.state);
        let Some(AgentState::Paired(session)) = state else {
            return self.refuse_agent(connection, RefusalReason::Session);
        };
        let ticket = self.issuer.end_ticket(*session, Role::Agent, now.unix);
        self.tell_agent(connection, ServerToAgent::LedgerTicket { ticket });
    }

    pub(crate) fn note(&mut self, what: What, session: Option<SessionId>) {
        let note = self.noted(what, session);
        self.put(Output::Note(note));
    }

    pub(crate) fn noted(&self, what: What, session: Option<SessionId>) -> Note {
        let room = session.and_then(|session| self.rooms.get(&session));
        let operator = room.map(|room| room.operator.id);
        let account = room.map(|room| room.operator.name.clone());
        let is_opening = matches!(what, What::NumberOpened(..));
        let reason = room.filter(|_| is_opening).and_then(|room| room.wish.reason.clone());
        Note { what, session, operator, account, reason }
    }

    /// An operator was not given what he asked for: noted at the end of this turn.
    pub(crate) fn note_refusal(&mut self, connection: ConnectionId, reason: RefusalReason) {
        let Some(desk) = self.desks.get(&connection) else { return };
        let (id, account) = (desk.operator.id, Some(desk.operator.name.clone()));
        let (what, operator) = (What::Refused(reason, None), Some(id));
        let note = Note { what, session: None, operator, account, reason: None };
        self.floods.refused.push((id, note));
    }

    /// However many lines an operator has, nobody else's notes wait behind his refusals.
    pub(crate) fn note_operators_refusals(&mut self, now: Now) {
        for (operator, note) in std::mem::take(&mut self.floods.refused) {
            let pace = self.floods.operators.entry(operator);
            if pace.or_insert_with(|| Pace::new(OPERATOR, now.instant)).take(now.instant) {
                self.put(Output::Note(note));
            }
        }
    }

    /// An agent was not given what it asked for. A wrong number has records of its own, and so has a flood of
    /// them; a version is nobody's will.
    pub(crate) fn note_agents_refusals(&mut self, now: Now) {
        let refused: Vec<(ConnectionId, RefusalReason)> = self.refusals_of_agents().collect();
        for (connection, reason) in refused {
            let agents = &mut self.floods.agents;
            let pace = agents.get_or_insert_with(|| Pace::new(AGENTS, now.instant));
            if pace.take(now.instant) {
                let from = self.agents.get(&connection).map(|agent| agent.from);
                self.note(What::Refused(reason, from), None);
            }
        }
    }

    fn refusals_of_agents(&self) -> impl Iterator<Item = (ConnectionId, RefusalReason)> + '_ {
        self.put_this_turn().filter_map(|output| {
            let Output::ToAgent { connection, message: ServerToAgent::Refused { reason } } = output
            else {
                return None;
            };
            let is_told = matches!(reason, RefusalReason::Session | RefusalReason::Message);
            is_told.then_some((*connection, *reason))
        })
    }

    pub(crate) fn note_flood(&mut self, connection: ConnectionId, now: Now) {
        let due = self.floods.noted.is_none_or(|at| at + FLOOD_EVERY <= now.instant);
        if due {
            self.floods.noted = Some(now.instant);
            let from = self.agents.get(&connection).map(|agent| agent.from);
            self.note(What::TooManyGuesses(from), None);
        }
    }

    /// Whose end `connection` is of `session`.
    pub(crate) fn witness(&self, session: SessionId, connection: ConnectionId) -> Option<Witness> {
        let room = self.rooms.get(&session)?;
        if room.operator_seat.connection() == Some(connection) {
            return Some(Witness::Operator);
        }
        (room.agent_connection() == Some(connection)).then_some(Witness::Agent)
    }
}
