//! Any order of anything that anybody may do, decoded from bytes, and what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::number::Locator;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AgentToServer, OperatorToServer, ResumeToken, ServerToAgent, ServerToOperator,
};
use tasuki_signaling::core::guesses::Limits;
use tasuki_signaling::core::notes::What;
use tasuki_signaling::core::rooms::{ConnectionId, Input, OperatorId, Outcome, Output, Settings};

use crate::hall::{Hall, hellos, join, to_agent};

const DESKS: usize = 2;
const CALLERS: usize = 4;

/// What the outside knows of the rooms, kept beside them.
struct World {
    hall: Hall,
    desks: Vec<ConnectionId>,
    callers: Vec<ConnectionId>,
    locators: Vec<Locator>,
    sessions: Vec<SessionId>,
    tokens: Vec<(SessionId, ResumeToken)>,
    /// The operator and the agent of each session, as the server told them.
    owner: BTreeMap<SessionId, ConnectionId>,
    partner: BTreeMap<SessionId, ConnectionId>,
    opened: BTreeMap<SessionId, (Locator, Instant)>,
    attempts: BTreeMap<SessionId, u8>,
    paired: BTreeSet<SessionId>,
    over: BTreeMap<SessionId, Instant>,
    /// What the agent that was let in may come back with.
    agent_tokens: BTreeMap<SessionId, ResumeToken>,
    /// What is being tried in this step.
    resuming: Option<(SessionId, ResumeToken)>,
    marks: u32,
}

impl World {
    fn new() -> Self {
        let guesses = Limits { per_address: 100, overall: 1_000 };
        let mut hall = Hall::with(Settings { guesses, ..Settings::default() }, []);
        let desks = (1..).take(DESKS).map(|id| hall.operator(id)).collect();
        let callers = (0..).take(CALLERS).map(|address| hall.agent(address)).collect();
        Self {
            hall,
            desks,
            callers,
            locators: vec![Locator::try_from(1).unwrap()],
            sessions: vec![SessionId([0; 16])],
            tokens: Vec::new(),
            owner: BTreeMap::new(),
            partner: BTreeMap::new(),
            opened: BTreeMap::new(),
            attempts: BTreeMap::new(),
            paired: BTreeSet::new(),
            over: BTreeMap::new(),
            agent_tokens: BTreeMap::new(),
            resuming: None,
            marks: 0,
        }
    }

    fn step(&mut self, what: u8, who: u8, which: u8) {
        let desk = usize::from(who) % DESKS;
        let caller = usize::from(who) % CALLERS;
        let id = u8::try_from(desk + 1).unwrap();
        let session = self.sessions[self.sessions.len() - 1 - usize::from(which) % self.sessions.len()];
        let locator = self.locators[self.locators.len() - 1 - usize::from(which) % self.locators.len()];
        let (operator, agent) = (self.desks[desk], self.callers[caller]);
        self.marks += 1;
        let body = Blob(self.marks.to_be_bytes().to_vec());
        let say = |message| Input::FromOperator { connection: operator, message };
        let ask = |message| Input::FromAgent { connection: agent, message };
        let input = match what % 16 {
            0 | 1 => say(OperatorToServer::OpenRoom {
                mode: Mode::Control,
                hellos: hellos(id),
                reason: None,
            }),
            2..=4 => ask(join(locator)),
            5 => ask(AgentToServer::Forward { body: body.clone() }),
            6 => say(OperatorToServer::Forward { session, body: body.clone() }),
            7 => say(OperatorToServer::Paired { session }),
            8 => say(OperatorToServer::PairingFailed { session, attempt: which % 3 }),
            9 => say(OperatorToServer::NeedLeg { session }),
            10 => match self.tokens.get(usize::from(which) % self.tokens.len().max(1)).copied() {
                Some((session, token)) if who.is_multiple_of(2) => {
                    self.resuming = Some((session, token));
                    ask(AgentToServer::Resume { session, token })
                }
                Some((session, token)) => say(OperatorToServer::Resume { session, token }),
                None => Input::Tick,
            },
            11 => ask(AgentToServer::Close),
            12 => say(OperatorToServer::Close { session }),
            13 => {
                self.hang_up(who, desk, caller);
                return;
            }
            14 => {
                self.hall.database = match which % 8 {
                    0 => Some(Outcome::Failed),
                    _ => Some(Outcome::Durable),
                };
                Input::Withdrawn {
                    operator: OperatorId(if which.is_multiple_of(5) { id.into() } else { 99 }),
                }
            }
            _ => {
                let span = Duration::from_millis(u64::from(which) * u64::from(which) * 10);
                let outputs = self.hall.wait(span);
                self.check(&outputs, None, None);
                return;
            }
        };
        let from = match what % 16 {
            5 => Some((agent, body)),
            6 => Some((operator, body)),
            _ => None,
        };
        let outputs = self.hall.turn(input);
        self.check(&outputs, from, Some(agent));
    }

    fn hang_up(&mut self, who: u8, desk: usize, caller: usize) {
        if who.is_multiple_of(2) {
            let outputs = self.hall.turn(Input::Gone { connection: self.callers[caller] });
            self.check(&outputs, None, None);
            self.callers[caller] = self.hall.agent(u32::try_from(caller).unwrap());
        } else {
            let outputs = self.hall.turn(Input::Gone { connection: self.desks[desk] });
            self.check(&outputs, None, None);
            self.desks[desk] = self.hall.operator(u8::try_from(desk + 1).unwrap());
        }
    }

    fn check(
        &mut self,
        outputs: &[Output],
        from: Option<(ConnectionId, Blob)>,
        asker: Option<ConnectionId>,
    ) {
        let mut hung_up = Vec::new();
        for output in outputs {
            match output {
                Output::ToOperator { connection, message } => {
                    self.check_operator(*connection, message, from.as_ref());
                }
                Output::ToAgent { connection, message } => {
                    self.check_agent(*connection, message, from.as_ref());
                }
                Output::HangUp { connection } => hung_up.push(*connection),
                Output::Note(note) | Output::Keep { note: Some(note), .. } => {
                    let session = note.session;
                    match note.what {
                        What::Paired(..) => {
                            assert!(self.paired.insert(session.unwrap()), "paired twice");
                        }
                        What::Over(..) => {
                            assert_eq!(self.over.insert(session.unwrap(), self.hall.now), None);
                        }
                        What::TakenUp => {
                            let before = self.over.remove(&session.unwrap());
                            assert!(before.is_some(), "taken up, and was never over");
                        }
                        What::NumberOpened(..)
                        | What::AttemptMade(..)
                        | What::AttemptFailed(_)
                        | What::TooManyGuesses(_)
                        | What::Refused(..)
                        | What::Objected(..) => {}
                    }
                }
                Output::Persist { .. } | Output::Keep { note: None, .. } => {}
            }
        }
        let arrived = outputs.iter().find_map(|output| {
            let Output::ToOperator { message, .. } = output else { return None };
            let ServerToOperator::Arrived { session, .. } = message else { return None };
            Some(*session)
        });
        if let (Some(session), Some(agent)) = (arrived, asker) {
            self.partner.insert(session, agent);
            let met = to_agent(outputs, agent).into_iter().find_map(|message| {
                let ServerToAgent::Met { resume, .. } = message else { return None };
                Some(resume)
            });
            self.agent_tokens.insert(session, met.expect("only one end was told"));
        }
        for connection in hung_up {
            self.hall.turn(Input::Gone { connection });
            for place in 0..CALLERS {
                if self.callers[place] == connection {
                    self.callers[place] = self.hall.agent(u32::try_from(place).unwrap());
                }
            }
            for place in 0..DESKS {
                if self.desks[place] == connection {
                    self.desks[place] = self.hall.operator(u8::try_from(place + 1).unwrap());
                }
            }
        }
    }

    fn check_operator(
        &mut self,
        to: ConnectionId,
        message: &ServerToOperator,
        from: Option<&(ConnectionId, Blob)>,
    ) {
        match message {
            ServerToOperator::RoomOpened { session, locator, resume, .. } => {
                for (other, (taken, at)) in &self.opened {
                    let rests = match self.over.get(other) {
                        Some(over) => self.hall.now - *over < Duration::from_secs(600),
                        None => self.hall.now - *at < Duration::from_secs(600),
                    };
                    assert!(taken != locator || !rests, "a burned locator revived");
                }
                self.opened.insert(*session, (*locator, self.hall.now));
                self.owner.insert(*session, to);
                self.sessions.push(*session);
                self.locators.push(*locator);
                self.tokens.push((*session, *resume));
            }
            ServerToOperator::Arrived { session, attempt, .. } => {
                assert_eq!(self.owner.get(session), Some(&to));
                assert!(!self.paired.contains(session), "an agent came into a session");
                assert!(!self.over.contains_key(session), "an agent came to a dead number");
                let made = self.attempts.entry(*session).or_default();
                // One that could not be written down is used up without an arrival.
                assert!(*attempt >= *made, "an attempt was given twice");
                *made = attempt + 1;
                assert!(*made <= 3, "a fourth attempt");
            }
            ServerToOperator::Forwarded { session, body } => {
                let (sender, sent) = from.expect("nobody said anything");
                assert_eq!(self.owner.get(session), Some(&to), "forwarded to a stranger");
                assert_eq!(self.partner.get(session), Some(sender), "forwarded across rooms");
                assert_eq!(body, sent);
                assert!(!self.over.contains_key(session));
            }
            ServerToOperator::Resumed { session } => {
                self.owner.insert(*session, to);
            }
            ServerToOperator::Closed { session, .. }
            | ServerToOperator::Relays { session, .. }
            | ServerToOperator::Leg { session, .. } => {
                assert_eq!(self.owner.get(session), Some(&to));
            }
            ServerToOperator::AgentPresence { .. }
            | ServerToOperator::LedgerTicket { .. }
            | ServerToOperator::Challenge { .. }
            | ServerToOperator::Ready { .. }
            | ServerToOperator::OutsideHours { .. }
            | ServerToOperator::Refused { .. } => {}
        }
    }

    fn check_agent(
        &mut self,
        to: ConnectionId,
        message: &ServerToAgent,
        from: Option<&(ConnectionId, Blob)>,
    ) {
        match message {
            ServerToAgent::Met { session, resume, .. } => self.tokens.push((*session, *resume)),
            ServerToAgent::Forwarded { body } => {
                let (sender, sent) = from.expect("nobody said anything");
                let session = self
                    .partner
                    .iter()
                    .find(|(session, agent)| **agent == to && self.owner.get(*session) == Some(sender));
                assert!(session.is_some(), "forwarded across rooms");
                assert_eq!(body, sent);
            }
            ServerToAgent::Resumed => {
                let (session, token) = self.resuming.expect("nobody asked");
                assert!(self.paired.contains(&session), "resumed what was never paired");
                assert_eq!(
                    self.agent_tokens.get(&session),
                    Some(&token),
                    "resumed with a stranger's token"
                );
                self.partner.insert(session, to);
            }
            ServerToAgent::Leg { .. }
            | ServerToAgent::Relays { .. }
            | ServerToAgent::LedgerTicket { .. }
            | ServerToAgent::OperatorPresence { .. }
            | ServerToAgent::Closed { .. }
            | ServerToAgent::Refused { .. } => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn t5_t6_nobody_comes_into_anothers_room_and_nothing_burned_revives(
        script in proptest::collection::vec(any::<(u8, u8, u8)>(), 1..250)
    ) {
        let mut world = World::new();
        for (what, who, which) in script {
            world.step(what, who, which);
        }
    }
}
