//! The real server's rooms in the simulated world: connections with a delay, a
//! disk that never lies, and a crash that forgets all but that disk.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_peer::core::io::{ServerMessage, ServerRequest};
use tasuki_protocol::ids::{DeviceKey, Role};
use tasuki_protocol::ledger::wire::EndTicketKey;
use tasuki_protocol::number::Locator;
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::decide::ServerLimits;
use tasuki_protocol::policy::exchange::SessionEntry;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{ServerToAgent, ServerToOperator};
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_protocol::ticket::TicketKey;
use tasuki_signaling::core::issue::Issuer;
use tasuki_signaling::core::kept::{Kept, LastSeen, Remembered};
use tasuki_signaling::core::rooms::{
    ConnectionId, Input, Now, Operator, OperatorId, Outcome, Output, Rooms, Row, Settings,
};

/// Seconds since 1970 at which every world begins.
pub const EPOCH: u64 = 1_800_000_000;

#[derive(Debug)]
pub struct Server {
    rooms: Option<Rooms>,
    facts: ServerFacts,
    began: Instant,
    starts: u64,
    connections: u64,
    /// What was written down: numbers given out, and until when they rest.
    disk: Vec<(Locator, Instant)>,
    /// Sessions that run, each with when that was written.
    running: Vec<(Kept, LastSeen, Instant)>,
}

#[derive(Debug, Clone)]
pub struct ServerFacts {
    pub tenant: tasuki_protocol::ids::TenantId,
    pub manifest_key: SigningKey,
    pub ticket_key: TicketKey,
    pub disclosure: AddressDisclosure,
    pub length_s: u64,
    pub device: DeviceKey,
    /// The envelope of the device's certificate.
    pub certificate: Vec<u8>,
    pub seed: Seed,
}

/// What the server says, to which connection.
#[derive(Debug, Clone)]
pub enum Said {
    To(ConnectionId, ServerMessage),
    HungUp(ConnectionId),
}

impl Server {
    pub fn new(facts: ServerFacts, began: Instant) -> Self {
        let (disk, running) = (Vec::new(), Vec::new());
        let mut server = Self { rooms: None, facts, began, starts: 0, connections: 0, disk, running };
        server.start(began);
        server
    }

    /// What it says then is for nobody: no end is there yet.
    pub fn start(&mut self, now: Instant) {
        let facts = &self.facts;
        let issuer = Issuer {
            tenant: facts.tenant,
            manifest_key: facts.manifest_key.clone(),
            ticket_key: Some(facts.ticket_key.clone()),
            relays: Vec::new(),
            limits: ServerLimits { address_disclosure: facts.disclosure, length_s: facts.length_s },
            policy: Policy::unwritten(facts.tenant),
            end_tickets: EndTicketKey::new(&facts.seed.child("end tickets")),
        };
        let seed = facts.seed.child(&format!("server start {}", self.starts));
        self.starts += 1;
        self.rooms = Some(Rooms::new(Settings::default(), issuer, seed, self.disk.iter().copied()));
        let starts = u32::try_from(self.starts).unwrap_or(u32::MAX);
        let remembered = |(kept, last, at): &(Kept, LastSeen, Instant)| Remembered {
            kept: kept.clone().later(now.saturating_duration_since(*at)),
            last: *last,
            starts,
            operator: Some(self.operator()),
        };
        let sessions = self.running.iter().map(remembered).collect();
        self.turn(Input::Remembered { sessions }, now);
    }

    pub fn crash(&mut self) {
        self.rooms = None;
    }

    pub fn runs(&self) -> Running {
        if self.rooms.is_some() { Running::Yes } else { Running::No }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.rooms.as_ref().and_then(Rooms::deadline)
    }

    pub fn connect(&mut self, role: Role, now: Instant) -> Option<(ConnectionId, Vec<Said>)> {
        self.rooms.as_ref()?;
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let said = self.turn(
            match role {
                Role::Operator => Input::OperatorHere { connection, operator: self.operator() },
                Role::Agent => {
                    Input::AgentHere { connection, from: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)) }
                }
            },
            now,
        );
        Some((connection, said))
    }

    pub fn hear(
        &mut self,
        connection: ConnectionId,
        request: ServerRequest,
        now: Instant,
    ) -> Vec<Said> {
        self.turn(
            match request {
                ServerRequest::Operator(message) => Input::FromOperator { connection, message },
                ServerRequest::Agent(message) => Input::FromAgent { connection, message },
            },
            now,
        )
    }

    pub fn lose(&mut self, connection: ConnectionId, now: Instant) -> Vec<Said> {
        self.turn(Input::Gone { connection }, now)
    }

    pub fn tick(&mut self, now: Instant) -> Vec<Said> {
        self.turn(Input::Tick, now)
    }

    /// As an administrator has them listed.
    pub fn sessions(&self, now: Instant) -> Vec<SessionEntry> {
        let unix = self.unix(now);
        self.rooms.iter().flat_map(|rooms| rooms.sessions(Now { instant: now, unix })).collect()
    }

    pub fn turn(&mut self, input: Input, now: Instant) -> Vec<Said> {
        let mut said = Vec::new();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let unix = self.unix(now);
            let Some(rooms) = &mut self.rooms else { return said };
            for output in rooms.turn(input, Now { instant: now, unix }) {
                match output {
                    Output::ToOperator { connection, message } => {
                        said.push(operator_said(connection, message))
                    }
                    Output::ToAgent { connection, message } => {
                        said.push(agent_said(connection, message))
                    }
                    Output::HangUp { connection } => said.push(Said::HungUp(connection)),
                    Output::Persist { write, row, .. } => {
                        if let Row::Opened { locator, .. } | Row::Attempt { locator, .. } = row {
                            self.disk.push((locator, now + Duration::from_secs(1200)));
                        }
                        inputs.push(Input::Written { write, outcome: Outcome::Durable });
                    }
                    Output::Keep { row, .. } => write(&mut self.running, row, now),
                    Output::Note(_) => {}
                }
            }
        }
        said
    }

    pub fn unix(&self, now: Instant) -> u64 {
        EPOCH + now.saturating_duration_since(self.began).as_secs()
    }

    fn operator(&self) -> Operator {
        Operator {
            id: OperatorId(1),
            name: "olivia".to_owned(),
            display_name: "Olivia Operator".to_owned(),
            modes: Mode::ALL.to_vec(),
            groups: Vec::new(),
            device: self.facts.device,
            rights: Rights::of(&Capability::ALL),
            certificate: self.facts.certificate.clone(),
            certified_until: u64::from(u32::MAX),
            confirmed_until: self.began + Duration::from_secs(365 * 24 * 3600),
            until: self.began + Duration::from_secs(365 * 24 * 3600),
        }
    }
}

fn write(running: &mut Vec<(Kept, LastSeen, Instant)>, row: Row, now: Instant) {
    let mut mark = |session, is| {
        running.iter_mut().filter(|(kept, ..)| kept.session == session).for_each(|row| row.1 = is);
    };
    match row {
        Row::Opened { .. } | Row::Attempt { .. } => {}
        Row::LetGo { session } => mark(session, LastSeen::LetGo),
        Row::TakenUp { session } => mark(session, LastSeen::Running),
        Row::Running(kept) => running.push((*kept, LastSeen::Running, now)),
        Row::Over { session } => running.retain(|(kept, ..)| kept.session != session),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    Yes,
    No,
}

fn operator_said(connection: ConnectionId, message: ServerToOperator) -> Said {
    Said::To(connection, ServerMessage::Operator(message))
}

fn agent_said(connection: ConnectionId, message: ServerToAgent) -> Said {
    Said::To(connection, ServerMessage::Agent(message))
}
