//! All rooms of a server: who waits under which number, who has met whom.
//!
//! Time, randomness and messages are handed in; what must happen comes out. An
//! attempt is written down before its hello is given out, so that no crash gives
//! a guesser a fourth try (T4, F1). It refuses to know sockets and files, and
//! cannot read what the two ends say.

use std::collections::vec_deque::Drain;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use ed25519_dalek::SigningKey;
use tasuki_protocol::ids::{DeviceKey, SessionId};
use tasuki_protocol::number::Locator;
use tasuki_protocol::policy::Policy;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};

use super::agenda::{Agenda, Reminder};
use super::agents::Agent;
use super::decoy::Resting;
use super::endings::Farewells;
use super::guesses::Guesses;
use super::issue::Issuer;
use super::kept::{Kept, LastSeen, Remembered};
use super::notes::{Floods, Note};
use super::operators::Desk;
use super::pace::Pace;
use super::room::Room;
pub use super::settings::Settings;

/// A WebSocket, for as long as it lives. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// An operator's account, as its row is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorId(pub i64);

/// Something that the shell was asked to write down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub instant: Instant,
    /// Seconds since 1970; goes into documents, decides nothing here.
    pub unix: u64,
}

/// Who proved to be at an operator's connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub id: OperatorId,
    pub name: String,
    pub display_name: String,
    /// Those of the account that the certificate has too.
    pub modes: Vec<Mode>,
    /// Names of the groups that the account is in; a policy speaks to them.
    pub groups: Vec<String>,
    pub device: DeviceKey,
    /// The most that the certificate lets a manifest allow.
    pub rights: Rights,
    /// The certificate's envelope, as it travels with manifests.
    pub certificate: Vec<u8>,
    /// When his certificate or the hours of his account end, and with them what he has running.
    pub until: Instant,
    /// When the certificate ends, in unix seconds.
    pub certified_until: u64,
    /// Until when the person counts as having shown that it is he.
    pub confirmed_until: Instant,
}

#[derive(Debug)]
pub enum Input {
    /// An operator's device has proved itself.
    OperatorHere {
        connection: ConnectionId,
        operator: Operator,
    },
    FromOperator {
        connection: ConnectionId,
        message: OperatorToServer,
    },
    AgentHere {
        connection: ConnectionId,
        from: IpAddr,
    },
    FromAgent {
        connection: ConnectionId,
        message: AgentToServer,
    },
    /// A text that is no message of the protocol, or of another version; of who was withdrawn meanwhile it is nobody's.
    NotUnderstood {
        connection: ConnectionId,
        reason: RefusalReason,
    },
    /// A frame that says nothing: a ping, or the answer to one.
    Pinged {
        connection: ConnectionId,
    },
    Gone {
        connection: ConnectionId,
    },
    /// Signed out, disabled or removed: everything of this operator ends. T17, T55.
    Withdrawn {
        operator: OperatorId,
    },
    /// An administrator ends one session.
    Ended {
        session: SessionId,
    },
    /// Another policy is in force: what is wider ends. T17.
    PolicyChanged {
        policy: Box<Policy>,
    },
    /// An account's groups or a device's certificate are others now: what is wider ends. T17.
    OperatorChanged {
        operator: Box<Operator>,
    },
    /// A device was revoked: everything of it ends. T17.
    DeviceWithdrawn {
        device: DeviceKey,
    },
    /// The person at a device has shown again that it is he.
    Confirmed {
        device: DeviceKey,
        until: Instant,
    },
    Written {
        write: WriteId,
        outcome: Outcome,
    },
    /// Sessions that an earlier run knew; comes before anybody is here, and not too many at once:
    /// each may have something to be written down.
    Remembered {
        sessions: Vec<Remembered>,
    },
    /// What began is not in the ledger, and must not go on (T65).
    Unrecorded {
        session: SessionId,
    },
    /// The deadline has come.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Durable,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    ToOperator {
        connection: ConnectionId,
        message: ServerToOperator,
    },
    ToAgent {
        connection: ConnectionId,
        message: ServerToAgent,
    },
    HangUp {
        connection: ConnectionId,
    },
    /// Must be answered by [`Input::Written`] once it is durable, or is known not to be.
    Persist {
        write: WriteId,
        row: Row,
        note: Note,
    },
    Note(Note),
    /// With its record, where there is one, or not at all. If a [`Row::Running`] cannot be written,
    /// [`Input::Unrecorded`] must follow (T65); the others must be made up for.
    Keep {
        row: Row,
        note: Option<Note>,
    },
}

/// What must survive a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A number is given out.
    Opened {
        session: SessionId,
        locator: Locator,
        until: u64,
    },
    /// A hello is given out. The same for a number that lives and for one that does not.
    Attempt {
        session: SessionId,
        locator: Locator,
        at: u64,
    },
    /// A session runs from here on, until it is [`Self::Over`].
    Running(Box<Kept>),
    /// Both of its ends have been away for long.
    LetGo {
        session: SessionId,
    },
    /// An end is back.
    TakenUp {
        session: SessionId,
    },
    Over {
        session: SessionId,
    },
}

/// Whose word a write waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Awaited {
    Opening(SessionId),
    Knock(ConnectionId),
}

#[derive(Debug)]
pub struct Rooms {
    pub(crate) settings: Settings,
    pub(crate) issuer: Issuer,
    seed: Seed,
    drawn: u64,
    pub(crate) guesses: Guesses,
    pub(crate) resting: Resting,
    pub(crate) agenda: Agenda,
    pub(crate) rooms: BTreeMap<SessionId, Room>,
    pub(crate) locators: BTreeMap<Locator, SessionId>,
    pub(crate) desks: BTreeMap<ConnectionId, Desk>,
    pub(crate) openings: BTreeMap<OperatorId, Pace>,
    pub(crate) agents: BTreeMap<ConnectionId, Agent>,
    pub(crate) writes: BTreeMap<WriteId, Awaited>,
    pub(crate) floods: Floods,
    pub(crate) farewells: Farewells,
    outputs: VecDeque<Output>,
}

impl Rooms {
    /// `resting` are locators that an earlier run gave out, each with the moment until
    /// which nobody may get it again (T5).
    pub fn new(
        settings: Settings,
        issuer: Issuer,
        seed: Seed,
        resting: impl IntoIterator<Item = (Locator, Instant)>,
    ) -> Self {
        let mut places = Resting::default();
        for (locator, until) in resting {
            places.rest(locator, until, None);
        }
        Self {
            guesses: Guesses::new(settings.guesses),
            settings,
            issuer,
            seed,
            drawn: 0,
            resting: places,
            agenda: Agenda::default(),
            rooms: BTreeMap::new(),
            locators: BTreeMap::new(),
            desks: BTreeMap::new(),
            openings: BTreeMap::new(),
            agents: BTreeMap::new(),
            writes: BTreeMap::new(),
            floods: Floods::default(),
            farewells: Farewells::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input; the outputs are to be acted on in order, all of them.
    pub fn turn(&mut self, input: Input, now: Now) -> Drain<'_, Output> {
        self.be_reminded(now);
        match input {
            Input::OperatorHere { connection, operator } => {
                self.operator_here(connection, operator, now);
            }
            Input::FromOperator { connection, message } => {
                self.operator_says(connection, message, now);
            }
            Input::AgentHere { connection, from } => self.agent_here(connection, from, now),
            Input::FromAgent { connection, message } => self.agent_says(connection, message, now),
            Input::NotUnderstood { connection, reason } => {
                if self.desks.contains_key(&connection) {
                    self.refuse_operator(connection, reason);
                } else if self.agents.contains_key(&connection) {
                    self.refuse_agent(connection, reason);
                }
            }
            Input::Pinged { connection } => self.pinged(connection, now),
            Input::Gone { connection } => {
                self.operator_gone(connection, now);
                self.agent_gone(connection, now);
            }
            Input::Ended { session } | Input::Unrecorded { session } => {
                if self.rooms.contains_key(&session) {
                    self.end_room(session, CloseReason::Withdrawn, None, now);
                }
            }
            Input::Remembered { sessions } => {
                for (place, session) in sessions.into_iter().enumerate() {
                    self.remember(session, place, now);
                }
            }
            Input::Tick => {}
            Input::PolicyChanged { policy } => self.adopt(*policy, now),
            Input::OperatorChanged { operator } => self.renew(&operator, now),
            Input::Withdrawn { operator } => self.withdraw(|whose| whose.id == operator, now),
            Input::DeviceWithdrawn { device } => {
                self.withdraw(|whose| whose.device == device, now);
            }
            Input::Confirmed { device, until } => self.confirm(device, until),
            Input::Written { write, outcome } => self.written(write, outcome, now),
        }
        self.note_agents_refusals(now);
        self.note_operators_refusals(now);
        self.outputs.drain(..)
    }

    /// Manifests are signed with this key from now on.
    pub fn sign_with(&mut self, manifest_key: SigningKey) {
        self.issuer.manifest_key = manifest_key;
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.agenda.next()
    }

    /// Sessions that live, paired or waiting.
    pub fn occupancy(&self) -> usize {
        self.rooms.values().filter(|room| room.is_held()).count()
    }

    /// As its row should have it; `None`: it is over.
    pub fn last_seen(&self, session: SessionId) -> Option<LastSeen> {
        let is_held = self.rooms.get(&session).map(Room::is_held)?;
        Some(if is_held { LastSeen::Running } else { LastSeen::LetGo })
    }

    /// What this turn has brought about so far.
    pub(crate) fn put_this_turn(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter()
    }

    pub(crate) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn tell_operator(&mut self, connection: ConnectionId, message: ServerToOperator) {
        self.put(Output::ToOperator { connection, message });
    }

    pub(crate) fn tell_agent(&mut self, connection: ConnectionId, message: ServerToAgent) {
        self.put(Output::ToAgent { connection, message });
    }

    pub(crate) fn refuse_agent(&mut self, connection: ConnectionId, reason: RefusalReason) {
        self.tell_agent(connection, ServerToAgent::Refused { reason });
    }

    pub(crate) fn persist(&mut self, row: Row, note: Note, awaited: Awaited) {
        self.drawn += 1;
        let write = WriteId(self.drawn);
        self.writes.insert(write, awaited);
        self.put(Output::Persist { write, row, note });
    }

    /// A seed that was never used before.
    pub(crate) fn fresh_seed(&mut self) -> Seed {
        self.drawn += 1;
        self.seed.child(&format!("draw {}", self.drawn))
    }

    fn written(&mut self, write: WriteId, outcome: Outcome, now: Now) {
        match self.writes.remove(&write) {
            Some(Awaited::Opening(session)) => self.opening_written(session, outcome, now),
            Some(Awaited::Knock(connection)) => self.knock_written(connection, outcome, now),
            None => {}
        }
    }

    fn be_reminded(&mut self, now: Now) {
        while let Some(reminder) = self.agenda.pop_due(now.instant) {
            match reminder {
                Reminder::Agent(connection) => self.answer_is_due(connection, now),
                Reminder::Room(session) => match self.rooms.get(&session).and_then(Room::end) {
                    Some((at, _)) if at > now.instant => self.agenda.remind(at, reminder),
                    Some((_, CloseReason::Lost)) => self.let_go(session, now),
                    Some((_, reason)) => self.end_room(session, reason, None, now),
                    None => {}
                },
            }
        }
    }
}
