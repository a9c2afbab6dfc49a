//! The simulated world: both ends' cores, the server's and a relay on one
//! virtual clock and one seed. What it decides is only how the world between
//! them behaves; what must hold stands in [`model`]. Paths are told of in one word each
//! ([`network`], cheap), or are the real cores on simulated networks ([`wires`]).

pub mod desktop;
pub mod dice;
pub mod end;
pub mod model;
pub mod network;
mod people;
pub mod script;
pub mod server;
mod setup;
mod traffic;
pub mod wires;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasuki_peer::core::direct_identity::DirectIdentity;
use tasuki_peer::core::io::{
    DesktopEvent, EndedBy, Input, Output, ServerMessage, ServerRequest, SessionEvent,
};
use tasuki_peer::core::path::{PathEvent, PathId, PathKind};
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::signal::OperatorToServer;
use tasuki_signaling::core::rooms::{ConnectionId, Input as RoomsInput};

use dice::Dice;
use end::End;
use model::Model;
use network::{Nat, Network};
use server::{Running, Said, Server};
pub use setup::{Plan, Wiring};
use wires::Wires;
use wires::nat::NatKind;

/// Stands in everything that no third party may ever read.
pub const MARKER: &[u8] = b"tasuki-secret-marker";
/// One way between an end and the server.
const SERVER_LATENCY: Duration = Duration::from_millis(10);
const REDIAL: Duration = Duration::from_millis(500);
const CAPTURE_TIME: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub struct World {
    pub now: Instant,
    pub began: Instant,
    pub plan: Plan,
    pub operator: End,
    pub agent: End,
    pub server: Server,
    pub network: Network,
    /// In place of `network`'s paths, where the plan wants them real.
    pub wires: Option<Wires>,
    identities: Option<[Arc<DirectIdentity>; 2]>,
    pub model: Model,
    /// The number as the operator's program told it; the newest.
    pub number: Option<SessionNumber>,
    /// What the operator's program keeps from the server.
    pub withheld: fn(&ServerRequest) -> bool,
    dice: Dice,
    agenda: BTreeMap<(Instant, u64), Due>,
    sequence: u64,
    held: Vec<(Role, PathId, PathEvent)>,
    next_typed: u32,
    idle_turns: u32,
}

#[derive(Debug)]
pub(crate) enum Due {
    Dial(Role),
    ServerUp(Role, ConnectionId),
    ToServer(ConnectionId, ServerRequest),
    Gone(ConnectionId),
    FromServer(Role, ConnectionId, ServerMessage),
    Path(Role, PathId, PathEvent),
    Desktop(Role, DesktopEvent),
    Met(PathId, PathId),
}

impl World {
    pub fn new(plan: Plan) -> Self {
        let mut world = setup::build(plan);
        world.plan_at(Duration::ZERO, Due::Dial(Role::Operator));
        world
    }

    pub fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Operator => &mut self.operator,
            Role::Agent => &mut self.agent,
        }
    }

    pub fn host(&mut self) -> &mut End {
        let host = self.plan.mode.host();
        self.end(host)
    }

    pub fn viewer(&mut self) -> &mut End {
        let viewer = self.plan.mode.viewer();
        self.end(viewer)
    }

    pub(crate) fn plan_at(&mut self, after: Duration, due: Due) {
        self.sequence += 1;
        self.agenda.insert((self.now + after, self.sequence), due);
    }

    /// Lets the world go on for so long.
    pub fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(next) = self.next_moment().filter(|next| *next <= until) {
            self.advance(next);
        }
        self.now = until;
    }

    /// Lets the world go on until `done`, at most for `span`; whether it came.
    pub fn run_until(&mut self, span: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let until = self.now + span;
        while !done(self) {
            let Some(next) = self.next_moment().filter(|next| *next <= until) else {
                self.now = until;
                return done(self);
            };
            self.advance(next);
        }
        true
    }

    fn next_moment(&self) -> Option<Instant> {
        let peers =
            [&self.operator, &self.agent].into_iter().filter_map(|end| end.peer.as_ref()?.deadline());
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let wires = self.wires.as_ref().and_then(|wires| wires.deadline(self.now));
        let next = peers.chain(agenda).chain(self.server.deadline()).chain(wires).min();
        next.map(|at| at.max(self.now))
    }

    fn advance(&mut self, to: Instant) {
        self.idle_turns = if to > self.now { 0 } else { self.idle_turns + 1 };
        assert!(self.idle_turns < 20_000, "the world spins without time passing");
        self.now = to;
        if let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= to) {
            let due = entry.remove();
            return self.happen(due);
        }
        for role in [Role::Operator, Role::Agent] {
            let due = self.end(role).peer.as_ref().and_then(|peer| peer.deadline());
            if due.is_some_and(|due| due <= to) {
                self.input(role, Input::Wake);
            }
        }
        if self.server.deadline().is_some_and(|due| due <= to) {
            let said = self.server.tick(to);
            self.spread(said);
        }
        self.let_wires_work();
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Dial(role) => self.dial(role),
            Due::ServerUp(role, connection) => {
                if self.end(role).connection == Some(connection) {
                    self.input(role, Input::ServerUp);
                }
            }
            Due::ToServer(connection, request) => {
                let said = self.server.hear(connection, request, self.now);
                self.spread(said);
            }
            Due::Gone(connection) => {
                let said = self.server.lose(connection, self.now);
                self.spread(said);
            }
            Due::FromServer(role, connection, message) => {
                if self.end(role).connection == Some(connection) {
                    self.input(role, Input::FromServer(message));
                }
            }
            Due::Path(role, id, event) => self.path_event(role, id, event),
            Due::Desktop(role, event) => self.input(role, Input::Desktop(event)),
            Due::Met(operators, agents) => self.met(operators, agents),
        }
    }

    fn dial(&mut self, role: Role) {
        if self.end(role).connection.is_some() || self.end(role).peer.is_none() {
            return;
        }
        let Some((connection, said)) = self.server.connect(role, self.now) else {
            return self.plan_at(REDIAL, Due::Dial(role));
        };
        self.end(role).connection = Some(connection);
        self.plan_at(SERVER_LATENCY, Due::ServerUp(role, connection));
        self.spread(said);
    }

    fn spread(&mut self, said: Vec<Said>) {
        for said in said {
            match said {
                Said::To(connection, message) => {
                    let role = match &message {
                        ServerMessage::Operator(_) => Role::Operator,
                        ServerMessage::Agent(_) => Role::Agent,
                    };
                    self.plan_at(SERVER_LATENCY, Due::FromServer(role, connection, message));
                }
                Said::HungUp(connection) => {
                    for role in [Role::Operator, Role::Agent] {
                        if self.end(role).connection == Some(connection) {
                            self.lose_server(role);
                        }
                    }
                }
            }
        }
    }

    /// The end's connection to the server breaks; its shell dials again.
    pub fn lose_server(&mut self, role: Role) {
        let Some(connection) = self.end(role).connection.take() else { return };
        let said = self.server.lose(connection, self.now);
        self.spread(said);
        self.plan_at(REDIAL, Due::Dial(role));
        self.input(role, Input::ServerDown);
    }

    /// The operator's program is not the one that everybody has: it leaves the server, for good, and keeps its paths.
    pub fn operator_deserts(&mut self) {
        let Some(connection) = self.operator.connection.take() else { return };
        let said = self.server.lose(connection, self.now);
        self.spread(said);
    }

    /// As [`Self::operator_deserts`]: it says this to the server, and does not keep to it.
    pub fn operator_pretends(&mut self, message: OperatorToServer) {
        let connection = self.operator.connection.expect("it is here");
        let said = self.server.hear(connection, ServerRequest::Operator(message), self.now);
        self.spread(said);
    }

    /// What an administrator does comes to the rooms.
    pub fn decree(&mut self, input: RoomsInput) {
        let said = self.server.turn(input, self.now);
        self.spread(said);
    }

    pub fn crash_server(&mut self) {
        if self.server.runs() == Running::No {
            return;
        }
        self.server.crash();
        for role in [Role::Operator, Role::Agent] {
            self.lose_server(role);
        }
    }

    pub fn restart_server(&mut self) {
        if self.server.runs() == Running::No {
            self.server.start(self.now);
        }
    }

    /// The end's process is killed: nothing more comes from it or reaches it.
    pub fn kill(&mut self, role: Role) {
        self.end(role).peer = None;
        self.cut_wires_of(role);
        for id in self.network.ids(role) {
            self.close_path(role, id);
        }
        if let Some(connection) = self.end(role).connection.take() {
            let said = self.server.lose(connection, self.now);
            self.spread(said);
        }
    }

    pub fn input(&mut self, role: Role, input: Input) {
        let now = self.now;
        let Some(mut peer) = self.end(role).peer.take() else { return };
        let outputs: Vec<Output> = peer.turn(input, now).collect();
        let over = peer.is_over();
        self.end(role).turns += 1;
        self.end(role).peer = Some(peer);
        for output in outputs {
            self.model.check(role, &output, now);
            self.act(role, output);
        }
        if over && let Some(connection) = self.end(role).connection.take() {
            self.plan_at(SERVER_LATENCY, Due::Gone(connection));
        }
    }

    fn act(&mut self, role: Role, output: Output) {
        match output {
            Output::ToServer(request) if role == Role::Operator && (self.withheld)(&request) => {}
            Output::ToServer(request) => {
                if let Some(connection) = self.end(role).connection {
                    self.plan_at(SERVER_LATENCY, Due::ToServer(connection, request));
                }
            }
            Output::AskConsent(question) => self.end(role).question = Some(question),
            Output::WithdrawQuestion => self.end(role).question = None,
            Output::AskPerson(question) => self.end(role).asked = Some(question),
            Output::WithdrawPersonQuestion(_) => self.end(role).asked = None,
            Output::Keep(envelope) => self.end(role).receipt = Some(envelope.0),
            Output::OpenDirect(id, facts) => self.open_direct(role, id, facts),
            Output::OpenRelay(id, facts) => self.open_relay(role, id, facts),
            Output::Path(id, command) => self.path_command(role, id, command),
            Output::Desktop(command) => {
                for event in self.end(role).desktop.act(command) {
                    self.plan_at(CAPTURE_TIME, Due::Desktop(role, event));
                }
            }
            Output::Picture(command) => self.end(role).show(command),
            Output::Tell(event) => self.tell(role, event),
        }
    }

    fn tell(&mut self, role: Role, event: SessionEvent) {
        if let SessionEvent::Number { number, .. } = &event {
            self.number = Some(number.0.clone());
        }
        let now = self.now;
        self.end(role).events.push((now, event));
    }

    /// From nothing to an accepted session, as everything goes well.
    pub fn reach_consent(&mut self, granted: Rights) {
        assert!(self.run_until(Duration::from_secs(5), |w| w.number.is_some()), "a number is given");
        let number = self.number.clone().expect("just seen");
        self.join(number);
        assert!(self.run_until(Duration::from_secs(5), |w| w.agent.question.is_some()), "it is asked");
        self.accept(granted);
    }

    /// A session in `mode`, all granted, with a picture at the viewer.
    pub fn session(mode: Mode) -> Self {
        Self::session_of(Plan::new(1, mode))
    }

    pub fn session_of(plan: Plan) -> Self {
        let mut world = Self::new(plan);
        let all = world.plan.mode.ceiling();
        world.reach_consent(all);
        let pictured = world.run_until(Duration::from_secs(5), |w| !w.viewer().seen.is_empty());
        assert!(pictured, "a picture comes: {:?} {:?}", world.agent.events, world.operator.events);
        world
    }

    /// The ends move to networks of these kinds.
    pub fn set_nat(&mut self, kinds: [NatKind; 2]) {
        let passes = kinds == [NatKind::Open; 2];
        self.network.nat = if passes { Nat::Open } else { Nat::Closed };
        if let Some(wires) = &mut self.wires {
            wires.set_nat(Role::Operator, kinds[0]);
            wires.set_nat(Role::Agent, kinds[1]);
        }
    }

    /// The kind of path that carries the session at this end.
    pub fn path(&mut self, role: Role) -> Option<PathKind> {
        self.end(role).peer.as_ref().and_then(|peer| peer.stats().path)
    }

    /// How the session ended at this end, if it has.
    pub fn ended(&mut self, role: Role) -> Option<(EndReason, EndedBy)> {
        self.end(role).events.iter().find_map(|(_, event)| {
            let SessionEvent::Ended { reason, by } = event else { return None };
            Some((*reason, *by))
        })
    }
}
