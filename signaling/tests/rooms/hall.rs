//! Rooms with a clock that the test turns, and a database that says yes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, Role, SessionId, TenantId};
use tasuki_protocol::ledger::wire::EndTicketKey;
use tasuki_protocol::number::{Locator, SessionSecret};
use tasuki_protocol::pairing::{AwaitingHello, Facts};
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::decide::ServerLimits;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{AgentToServer, OperatorToServer, ServerToAgent, ServerToOperator};
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_protocol::ticket::TicketKey;
use tasuki_signaling::core::issue::{Issuer, RelayPlace};
use tasuki_signaling::core::kept::{Kept, LastSeen, Remembered};
use tasuki_signaling::core::notes::What;
use tasuki_signaling::core::rooms::{
    ConnectionId, Input, Now, Operator, OperatorId, Outcome, Output, Rooms, Row, Settings,
};

pub(crate) const TENANT: TenantId = TenantId([5; 8]);
pub(crate) const LENGTH_S: u64 = 3600;
/// When everybody's certificate ends, in unix seconds.
pub(crate) const CERTIFIED_UNTIL: u64 = 1_800_000_000;

pub(crate) struct Hall {
    pub(crate) rooms: Rooms,
    /// Sessions that run, as the database has them: each since when, and with how many starts since.
    pub(crate) rows: Vec<(Kept, LastSeen, Instant, u32)>,
    /// In force when the server starts again.
    pub(crate) policy: Policy,
    /// When this began, in seconds since 1970.
    pub(crate) began: u64,
    start: Instant,
    pub(crate) now: Instant,
    last: u64,
    /// What the database answers; `None`: not yet.
    pub(crate) database: Option<Outcome>,
}

pub(crate) type Room = (SessionId, Locator);

impl Hall {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), [])
    }

    /// With relays of these names outside the server.
    pub(crate) fn with_relays(names: &[&str]) -> Self {
        let pin = "ab".repeat(32);
        let place = |name: &&str| format!("{name}:443/{pin}").parse().unwrap();
        Self::at(Settings::default(), [], names.iter().map(place).collect())
    }

    pub(crate) fn with(
        settings: Settings,
        resting: impl IntoIterator<Item = (Locator, Duration)>,
    ) -> Self {
        Self::at(settings, resting, Vec::new())
    }

    fn at(
        settings: Settings,
        resting: impl IntoIterator<Item = (Locator, Duration)>,
        relays: Vec<RelayPlace>,
    ) -> Self {
        let (start, policy) = (Instant::now(), Policy::unwritten(TENANT));
        let resting = resting.into_iter().map(|(locator, rest)| (locator, start + rest));
        let issuer = issuer(relays, policy.clone());
        let rooms = Rooms::new(settings, issuer, Seed::from_bytes([1; 32]), resting);
        let (rows, database) = (Vec::new(), Some(Outcome::Durable));
        Self { rooms, rows, policy, began: 1_000, start, now: start, last: 0, database }
    }

    /// The server is killed, and started again after a while; `who` tells what his rows say of an operator then.
    pub(crate) fn restart(
        &mut self,
        down: Duration,
        who: impl Fn(&Self, &Kept) -> Option<Operator>,
    ) -> Vec<Output> {
        self.now += down;
        self.last += 1;
        let seed = Seed::from_bytes([1; 32]).child(&format!("start {}", self.last));
        self.rooms = Rooms::new(Settings::default(), issuer(Vec::new(), self.policy.clone()), seed, []);
        let now = self.now;
        self.rows.iter_mut().for_each(|(_, _, _, starts)| *starts += 1);
        let remembered = self.rows.iter().map(|(kept, last, at, starts)| Remembered {
            kept: kept.clone().later(now - *at),
            last: *last,
            starts: *starts,
            operator: who(self, kept),
        });
        let sessions = remembered.collect();
        self.turn(Input::Remembered { sessions })
    }

    fn write(&mut self, row: &Row) {
        let mut mark = |session: &SessionId, is: LastSeen| {
            let row = self.rows.iter_mut().find(|(kept, ..)| kept.session == *session);
            row.expect("a row").1 = is;
        };
        match row {
            Row::Opened { .. } | Row::Attempt { .. } => {}
            Row::Running(kept) => {
                self.rows.push((Kept::clone(kept), LastSeen::Running, self.now, 0));
            }
            Row::LetGo { session } => mark(session, LastSeen::LetGo),
            Row::TakenUp { session } => mark(session, LastSeen::Running),
            Row::Over { session } => self.rows.retain(|(kept, ..)| kept.session != *session),
        }
    }

    pub(crate) fn turn(&mut self, input: Input) -> Vec<Output> {
        let now = Now { instant: self.now, unix: self.unix() };
        let mut outputs: Vec<Output> = self.rooms.turn(input, now).collect();
        for output in &outputs {
            if let Output::Keep { row, .. } = output {
                self.write(row);
            }
        }
        let writes: Vec<_> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Persist { write, .. } => Some(*write),
                Output::ToOperator { .. }
                | Output::ToAgent { .. }
                | Output::HangUp { .. }
                | Output::Keep { .. }
                | Output::Note(_) => None,
            })
            .collect();
        if let Some(outcome) = self.database {
            for write in writes {
                outputs.extend(self.turn(Input::Written { write, outcome }));
            }
        }
        outputs
    }

    /// Seconds since 1970, as the rooms are told.
    pub(crate) fn unix(&self) -> u64 {
        self.began + (self.now - self.start).as_secs()
    }

    /// Lets time pass, waking at every deadline in between.
    pub(crate) fn wait(&mut self, span: Duration) -> Vec<Output> {
        let until = self.now + span;
        let mut outputs = Vec::new();
        while let Some(at) = self.rooms.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            outputs.extend(self.turn(Input::Tick));
        }
        self.now = until;
        outputs
    }

    pub(crate) fn connection(&mut self) -> ConnectionId {
        self.last += 1;
        ConnectionId(self.last)
    }

    pub(crate) fn operator(&mut self, id: u8) -> ConnectionId {
        let connection = self.connection();
        let operator = self.as_operator(id);
        let outputs = self.turn(Input::OperatorHere { connection, operator });
        assert_eq!(
            to_operator(&outputs, connection),
            [ServerToOperator::Ready { certified_until: CERTIFIED_UNTIL }]
        );
        connection
    }

    pub(crate) fn as_operator(&self, id: u8) -> Operator {
        Operator {
            id: OperatorId(id.into()),
            name: format!("op{id}"),
            display_name: format!("Operator {id}"),
            modes: vec![Mode::Control, Mode::View],
            groups: Vec::new(),
            device: device(id),
            rights: Rights::of(&Capability::ALL),
            certificate: b"certificate".to_vec(),
            confirmed_until: self.now,
            until: self.now + seconds(365 * 24 * 3600),
            certified_until: CERTIFIED_UNTIL,
        }
    }

    pub(crate) fn say(&mut self, connection: ConnectionId, message: OperatorToServer) -> Vec<Output> {
        self.turn(Input::FromOperator { connection, message })
    }

    pub(crate) fn ask(&mut self, connection: ConnectionId, message: AgentToServer) -> Vec<Output> {
        self.turn(Input::FromAgent { connection, message })
    }

    pub(crate) fn open(&mut self, connection: ConnectionId, id: u8) -> Room {
        let message =
            OperatorToServer::OpenRoom { mode: Mode::Control, hellos: hellos(id), reason: None };
        let outputs = self.say(connection, message);
        match to_operator(&outputs, connection).as_slice() {
            [ServerToOperator::RoomOpened { session, locator, .. }] => (*session, *locator),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn agent(&mut self, address: u32) -> ConnectionId {
        let connection = self.connection();
        let from = IpAddr::V4(Ipv4Addr::from_bits(address));
        self.turn(Input::AgentHere { connection, from });
        connection
    }

    /// A new agent that knocks at `locator`.
    pub(crate) fn knock(&mut self, address: u32, locator: Locator) -> (ConnectionId, Vec<Output>) {
        let agent = self.agent(address);
        let outputs = self.ask(agent, join(locator));
        (agent, outputs)
    }

    /// An agent that knocks and is let in.
    pub(crate) fn pair(&mut self, operator: ConnectionId, room: Room, address: u32) -> ConnectionId {
        let (agent, _) = self.knock(address, room.1);
        self.say(operator, OperatorToServer::Paired { session: room.0 });
        agent
    }
}

fn issuer(relays: Vec<RelayPlace>, policy: Policy) -> Issuer {
    Issuer {
        tenant: TENANT,
        manifest_key: SigningKey::from_bytes(&[8; 32]),
        ticket_key: Some(TicketKey::from_bytes([9; 32])),
        relays,
        limits: ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: LENGTH_S },
        policy,
        end_tickets: EndTicketKey::new(&Seed::from_bytes([7; 32])),
    }
}

/// What is written down, in its order.
pub(crate) fn noted(outputs: &[Output]) -> Vec<What> {
    let what = |output: &Output| match output {
        Output::Note(note) | Output::Keep { note: Some(note), .. } => Some(note.what),
        Output::ToOperator { .. }
        | Output::ToAgent { .. }
        | Output::HangUp { .. }
        | Output::Keep { note: None, .. }
        | Output::Persist { .. } => None,
    };
    outputs.iter().filter_map(what).collect()
}

pub(crate) fn device(id: u8) -> DeviceKey {
    DeviceKey(SigningKey::from_bytes(&[id; 32]).verifying_key().to_bytes())
}

pub(crate) fn facts(mark: u8) -> Facts {
    Facts {
        tenant: TENANT,
        dtls_fingerprint: Digest([mark; 32]),
        ice_ufrag: "u".repeat(16),
        ice_pwd: "p".repeat(22),
    }
}

pub(crate) fn hellos(id: u8) -> Vec<Blob> {
    let hello = |attempt: u8| {
        let seed = Seed::from_bytes([id ^ (attempt << 6); 32]);
        let secret = SessionSecret::draw(&seed);
        let key = SigningKey::from_bytes(&[id; 32]);
        let offer = AwaitingHello::start(Role::Operator, facts(id), &secret, key, &seed);
        Blob(offer.hello().to_vec())
    };
    (1..=3).map(hello).collect()
}

pub(crate) fn join(locator: Locator) -> AgentToServer {
    static HELLO: std::sync::OnceLock<Blob> = std::sync::OnceLock::new();
    let hello = HELLO.get_or_init(|| {
        let seed = Seed::from_bytes([77; 32]);
        let (secret, key) = (SessionSecret::draw(&seed), SigningKey::from_bytes(&[78; 32]));
        Blob(AwaitingHello::start(Role::Agent, facts(3), &secret, key, &seed).hello().to_vec())
    });
    AgentToServer::Join { version: PROTOCOL_VERSION, locator, hello: hello.clone() }
}

pub(crate) fn to_operator(outputs: &[Output], to: ConnectionId) -> Vec<ServerToOperator> {
    let message = |output: &Output| match output {
        Output::ToOperator { connection, message } if *connection == to => Some(message.clone()),
        Output::ToOperator { .. }
        | Output::ToAgent { .. }
        | Output::HangUp { .. }
        | Output::Persist { .. }
        | Output::Keep { .. }
        | Output::Note(_) => None,
    };
    outputs.iter().filter_map(message).collect()
}

pub(crate) fn to_agent(outputs: &[Output], to: ConnectionId) -> Vec<ServerToAgent> {
    let message = |output: &Output| match output {
        Output::ToAgent { connection, message } if *connection == to => Some(message.clone()),
        Output::ToOperator { .. }
        | Output::ToAgent { .. }
        | Output::HangUp { .. }
        | Output::Persist { .. }
        | Output::Keep { .. }
        | Output::Note(_) => None,
    };
    outputs.iter().filter_map(message).collect()
}

/// Exactly one message.
pub(crate) fn only<T: std::fmt::Debug>(messages: Vec<T>) -> T {
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.into_iter().next().unwrap()
}

pub(crate) fn hung_up(outputs: &[Output], on: ConnectionId) -> bool {
    outputs.contains(&Output::HangUp { connection: on })
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
