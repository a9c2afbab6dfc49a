//! Two real ends and a server between them that alters what passes (T7).

use std::time::{Duration, Instant};

use tasuki_peer::core::Peer;
use tasuki_peer::core::io::{Input, Output, ServerMessage, ServerRequest, SessionEvent};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AgentToServer, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};

use super::{RESUME, SESSION, agent, locator, manifest, operator, operator_key, public, signed};

/// What the lying server does to what passes through it.
#[derive(Clone, Copy)]
pub struct Lies<'a> {
    pub operator_hello: &'a dyn Fn(&mut Hello),
    pub agent_hello: &'a dyn Fn(&mut Hello),
    /// The session as the agent is told it.
    pub session_at_agent: SessionId,
    pub manifest: &'a dyn Fn(&mut Manifest),
    /// Bytes of the pairing, by sender and how many came before from it.
    pub pairing: &'a dyn Fn(Role, usize, &mut Vec<u8>),
    pub news: News,
}

/// What an agent hears when the operator's end has given its attempt up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// That its number counts no more, as from an honest server.
    Told,
    /// Nothing at all.
    KeptBack,
}

impl std::fmt::Debug for Lies<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lies(..)")
    }
}

impl Lies<'_> {
    pub const NONE: Lies<'static> = Lies {
        operator_hello: &|_| {},
        agent_hello: &|_| {},
        session_at_agent: SESSION,
        manifest: &|_| {},
        pairing: &|_, _, _| {},
        news: News::Told,
    };
}

#[derive(Debug)]
pub struct Middle<'a> {
    pub operator: Peer,
    pub agent: Option<Peer>,
    pub operator_log: Vec<Output>,
    pub agent_log: Vec<Output>,
    lies: Lies<'a>,
    mode: Mode,
    now: Instant,
    hellos: Vec<Vec<u8>>,
    forwarded: [usize; 2],
}

impl<'a> Middle<'a> {
    /// Both ends start; the right number is typed; everything passes until nothing moves.
    pub fn run(mode: Mode, lies: Lies<'a>) -> Self {
        let mut middle = Self {
            operator: operator(mode),
            agent: None,
            operator_log: Vec::new(),
            agent_log: Vec::new(),
            lies,
            mode,
            now: Instant::now(),
            hellos: Vec::new(),
            forwarded: [0; 2],
        };
        middle.input(Role::Operator, Input::ServerUp);
        let number = middle.number().expect("a number was given");
        middle.agent = Some(agent(number.secret));
        middle.input(Role::Agent, Input::ServerUp);
        middle
    }

    fn number(&self) -> Option<SessionNumber> {
        self.operator_log.iter().find_map(|output| {
            let Output::Tell(SessionEvent::Number { number, .. }) = output else { return None };
            Some(number.0.clone())
        })
    }

    /// Nobody says anything for so long.
    pub fn wait(&mut self, span: Duration) {
        self.now += span;
        for role in [Role::Operator, Role::Agent] {
            let deadline = match role {
                Role::Operator => self.operator.deadline(),
                Role::Agent => self.agent.as_ref().and_then(Peer::deadline),
            };
            if deadline.is_some_and(|due| due <= self.now) {
                self.input(role, Input::Wake);
            }
        }
    }

    pub fn log(&self, role: Role) -> &[Output] {
        match role {
            Role::Operator => &self.operator_log,
            Role::Agent => &self.agent_log,
        }
    }

    fn input(&mut self, role: Role, input: Input) {
        let now = self.now;
        let outputs: Vec<Output> = match (role, &mut self.agent) {
            (Role::Operator, _) => self.operator.turn(input, now).collect(),
            (Role::Agent, Some(agent)) => agent.turn(input, now).collect(),
            (Role::Agent, None) => Vec::new(),
        };
        for output in outputs {
            let request = request_in(&output);
            match role {
                Role::Operator => self.operator_log.push(output),
                Role::Agent => self.agent_log.push(output),
            }
            match request {
                Some(ServerRequest::Operator(message)) => self.hear_operator(message),
                Some(ServerRequest::Agent(message)) => self.hear_agent(message),
                None => {}
            }
        }
    }

    fn tell_operator(&mut self, message: ServerToOperator) {
        self.input(Role::Operator, Input::FromServer(ServerMessage::Operator(message)));
    }

    fn tell_agent(&mut self, message: ServerToAgent) {
        self.input(Role::Agent, Input::FromServer(ServerMessage::Agent(message)));
    }

    fn hear_operator(&mut self, message: OperatorToServer) {
        match message {
            OperatorToServer::OpenRoom { hellos, .. } => {
                self.hellos = hellos.into_iter().map(|hello| hello.0).collect();
                let (session, resume) = (SESSION, RESUME);
                let opened = ServerToOperator::RoomOpened {
                    session,
                    locator: locator(),
                    resume,
                    expires_in: 600,
                };
                self.tell_operator(opened);
            }
            OperatorToServer::Forward { body, .. } => {
                let body = self.altered(Role::Operator, body);
                self.tell_agent(ServerToAgent::Forwarded { body });
            }
            OperatorToServer::PairingFailed { .. }
            | OperatorToServer::Object { .. }
            | OperatorToServer::Close { .. } => {
                if self.lies.news == News::Told {
                    self.tell_agent(ServerToAgent::Refused { reason: RefusalReason::Number });
                }
            }
            OperatorToServer::Prove { .. }
            | OperatorToServer::Resume { .. }
            | OperatorToServer::Paired { .. }
            | OperatorToServer::NeedLeg { .. }
            | OperatorToServer::RelayTimes { .. }
            | OperatorToServer::NeedLedgerTicket { .. } => {}
        }
    }

    fn hear_agent(&mut self, message: AgentToServer) {
        match message {
            AgentToServer::Join { hello, .. } => self.introduce(&hello.0),
            AgentToServer::Forward { body } => {
                let body = self.altered(Role::Agent, body);
                self.tell_operator(ServerToOperator::Forwarded { session: SESSION, body });
            }
            AgentToServer::Resume { .. }
            | AgentToServer::RelayTimes { .. }
            | AgentToServer::NeedLedgerTicket
            | AgentToServer::Object { .. }
            | AgentToServer::Close => {}
        }
    }

    fn introduce(&mut self, agent_hello: &[u8]) {
        let mut theirs = Hello::decode(agent_hello).expect("an honest hello");
        (self.lies.agent_hello)(&mut theirs);
        let mut document = manifest(self.mode, public(&operator_key()), &theirs);
        (self.lies.manifest)(&mut document);
        let mut own = Hello::decode(&self.hellos[0]).expect("an honest hello");
        (self.lies.operator_hello)(&mut own);
        self.tell_operator(ServerToOperator::Arrived {
            session: SESSION,
            attempt: 0,
            hello: Blob(theirs.encode()),
            manifest: Blob(signed(&document)),
        });
        let session = self.lies.session_at_agent;
        self.tell_agent(ServerToAgent::Met { session, resume: RESUME, hello: Blob(own.encode()) });
    }

    fn altered(&mut self, from: Role, mut body: Blob) -> Blob {
        let count = &mut self.forwarded[from as usize];
        (self.lies.pairing)(from, *count, &mut body.0);
        *count += 1;
        body
    }
}

fn request_in(output: &Output) -> Option<ServerRequest> {
    let Output::ToServer(request) = output else { return None };
    Some(request.clone())
}
