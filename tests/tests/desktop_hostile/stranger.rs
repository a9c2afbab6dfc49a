//! An end of a session with no manners, as `docs/testing-from-outside.md` describes it: it signs in,
//! pairs and dials like an honest one, and then says whatever it is told to. What it says is made
//! from `protocol`; its wires are the product's, and none of the product's decisions is in it.

use std::iter;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_peer::core::io::{ServerMessage, ServerRequest};
use tasuki_peer::core::line::SEALED_CONTEXT;
use tasuki_peer::core::path::{IceSide, PathCommand, PathEvent, PathId, RelayFacts};
use tasuki_peer::shell::dial::Callee;
use tasuki_peer::shell::profile::Profile;
use tasuki_peer::shell::proxy::Proxies;
use tasuki_peer::shell::relay;
use tasuki_peer::shell::server::{Entrance, ServerEvent, ServerLink};
use tasuki_peer::shell::trust::Trust;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{Digest, PROTOCOL_VERSION, Role, SessionId};
use tasuki_protocol::message::{
    self, EndToEnd, Forwarded, MAX_PACKET_BYTES, Numbered, Packet, SessionMessage, ViewerToHost,
};
use tasuki_protocol::number::{SessionNumber, SessionSecret};
use tasuki_protocol::pairing::{
    AwaitingHello, Facts, PairMessage, Paired, agent_meets, operator_meets,
};
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::sealing::{Opener, Sealer};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{
    AgentToServer, Leg, MAX_FORWARD, OperatorToServer, ServerToAgent, ServerToOperator,
};
use tasuki_tests::desktop::Desktop;
use tasuki_tests::running::{Mark, PATIENCE, Process};
use tasuki_tests::stack::{House, an_answer_counts, start_agent};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) struct Stranger {
    /// Dropped, the server would take the session for left.
    link: ServerLink,
    opener: Opener,
    commands: mpsc::Sender<PathCommand>,
    events: mpsc::Receiver<(PathId, PathEvent)>,
    began: Instant,
    next: u64,
    received: u64,
    pub(crate) heard: Vec<SessionMessage>,
    /// Every packet as it came.
    pub(crate) bytes: Vec<u8>,
    pub(crate) frames: usize,
}

/// An operator's end that has told the server that it is paired, and the real agent that has judged the manifest.
pub(crate) struct AtTheDoor {
    link: ServerLink,
    trust: Trust,
    session: SessionId,
    paired: Paired,
    pub(crate) agent: Process,
}

impl AtTheDoor {
    /// In `mode`, signed in as the operator whose `profile` it is. It shows a manifest to the agent that an honest
    /// program would not.
    pub(crate) async fn with(house: &House, profile: &Path, desk: &Desktop, mode: Mode) -> Self {
        let profile = Profile::at(profile);
        let trust = Trust::load(Some(&house.bundle()), &profile).unwrap();
        let device = profile.device_key().unwrap();
        let entrance = Entrance::Operator {
            sign_in: profile.sign_in().unwrap(),
            device: Box::new(device.clone()),
        };
        let mut link = ServerLink::connect(trust.clone(), Proxies::Straight, entrance).await.unwrap();
        let secret = SessionSecret::draw(&drawn());
        let mut offers: Vec<AwaitingHello> =
            (0..3).map(|_| offer(Role::Operator, &trust, &secret, device.clone())).collect();
        let hellos = offers.iter().map(|offer| Blob(offer.hello().to_vec())).collect();
        ask_operators(&link, OperatorToServer::OpenRoom { mode, hellos, reason: None });
        let ServerToOperator::RoomOpened { session, locator, .. } = operators_word(&mut link).await
        else {
            panic!("no room")
        };
        let mut agent = start_agent(house, desk).unwrap();
        agent.say(&SessionNumber { locator, secret }.to_string()).unwrap();
        let ServerToOperator::Arrived { hello, manifest, .. } = operators_word(&mut link).await else {
            panic!("nobody came")
        };
        let met = operator_meets(offers.remove(0), session, &hello.0, manifest.0).unwrap();
        let (welcome, awaiting) = met.confirm(&pairing(operators_body(&mut link).await)).unwrap();
        let body = Blob(message::encode(&Forwarded::Pairing(welcome)));
        ask_operators(&link, OperatorToServer::Forward { session, body });
        let paired = awaiting.ready(&pairing(operators_body(&mut link).await)).unwrap();
        ask_operators(&link, OperatorToServer::Paired { session });
        Self { link, trust, session, paired, agent }
    }

    /// Whether the server still gives it a way to the agent.
    pub(crate) async fn has_a_way(&mut self) -> bool {
        ask_operators(&self.link, OperatorToServer::NeedLeg { session: self.session });
        loop {
            let word = operators_word(&mut self.link).await;
            if matches!(word, ServerToOperator::Leg { .. } | ServerToOperator::Refused { .. }) {
                return matches!(word, ServerToOperator::Leg { .. });
            }
        }
    }
}

impl Stranger {
    /// An operator's end in `mode`, and the real agent whose person has said yes to it.
    pub(crate) async fn as_operator(house: &House, desk: &Desktop, mode: Mode) -> (Self, Process) {
        let door = AtTheDoor::with(house, &house.profile(), desk, mode).await;
        Self::admitted(door).await
    }

    /// The agent's person says yes to it.
    pub(crate) async fn admitted(door: AtTheDoor) -> (Self, Process) {
        let AtTheDoor { mut link, trust, session, paired, mut agent } = door;
        agent.event(Mark::default(), "question", |e| e["event"] == "question").unwrap();
        an_answer_counts(&agent, Mark::default()).unwrap();
        agent.say("yes").unwrap();
        agent.event(Mark::default(), "consent", |e| e["event"] == "consent").unwrap();
        ask_operators(&link, OperatorToServer::NeedLeg { session });
        let leg = loop {
            if let ServerToOperator::Leg { leg, .. } = operators_word(&mut link).await {
                break leg;
            }
        };
        (Self::join(link, &trust, &paired, leg, IceSide::Controlling).await, agent)
    }

    /// An agent's end that comes with the number which `operator` shows, and whose program says
    /// yes by itself. It tells these as its own places, of which a direct path could be made.
    pub(crate) async fn as_agent(
        house: &House,
        operator: &Process,
        granted: Rights,
        places: &[SocketAddr],
    ) -> Self {
        let (told, _) = operator.event(Mark::default(), "number", |e| e["event"] == "number").unwrap();
        let number: SessionNumber = told["number"].as_str().unwrap().parse().unwrap();
        let profile = Profile::at(&house.folder().join("stranger"));
        let trust = Trust::load(Some(&house.bundle()), &profile).unwrap();
        let mut link =
            ServerLink::connect(trust.clone(), Proxies::Straight, Entrance::Agent).await.unwrap();
        let device = SigningKey::from_bytes(&drawn().derive("device"));
        let offer = offer(Role::Agent, &trust, &number.secret, device.clone());
        let hello = Blob(offer.hello().to_vec());
        let (version, locator) = (PROTOCOL_VERSION, number.locator);
        ask_agents(&link, AgentToServer::Join { version, locator, hello });
        let ServerToAgent::Met { session, hello, .. } = agents_word(&mut link).await else {
            panic!("nobody was met")
        };
        let (confirm, awaiting) = agent_meets(offer, session, &hello.0).unwrap();
        agents_forward(&link, &Forwarded::Pairing(confirm));
        let ServerToAgent::Forwarded { body } = agents_word(&mut link).await else {
            panic!("no welcome")
        };
        let (ready, paired) = awaiting.welcome(&pairing(body)).unwrap();
        agents_forward(&link, &Forwarded::Pairing(ready));
        let consent = Consent {
            transcript: paired.transcript,
            manifest: digest(&paired.manifest),
            shown: Digest([7; 32]),
            answer: Answer::Accepted,
            granted,
        };
        let consent = EndToEnd::Consent { envelope: Blob(dsse::sign(&consent, &device)) };
        let mut sealer = Sealer::new(paired.keys.outgoing.clone());
        let candidates = places.iter().map(|at| {
            let line = format!("candidate:1 1 udp 2130706431 {} {} typ host", at.ip(), at.port());
            EndToEnd::Candidate { line }
        });
        for word in iter::once(consent).chain(candidates) {
            let sealed = sealer.seal(SEALED_CONTEXT, &message::encode(&word));
            agents_forward(&link, &Forwarded::Sealed(Blob(sealed)));
        }
        let leg = loop {
            if let ServerToAgent::Leg { leg } = agents_word(&mut link).await {
                break leg;
            }
        };
        Self::join(link, &trust, &paired, leg, IceSide::Controlled).await
    }

    async fn join(link: ServerLink, trust: &Trust, paired: &Paired, leg: Leg, side: IceSide) -> Self {
        let (psk, prologue) = (paired.keys.leg_psk(leg.number), paired.keys.leg_prologue(leg.number));
        let facts = RelayFacts { leg, psk, prologue, side };
        let (tell, mut events) = mpsc::channel(256);
        let (server, id) = (Callee::of(trust), PathId(1));
        let commands = relay::spawn(id, facts, server, Proxies::Straight, drawn(), tell);
        loop {
            let event = timeout(PATIENCE, events.recv()).await.unwrap().unwrap().1;
            assert!(!matches!(event, PathEvent::Down(_)), "no relayed path: {event:?}");
            if let PathEvent::Up(_) = event {
                break;
            }
        }
        let began = Instant::now();
        let opener = Opener::new(paired.keys.incoming.clone());
        Self {
            link,
            opener,
            commands,
            events,
            began,
            next: 0,
            received: 0,
            heard: Vec::new(),
            bytes: Vec::new(),
            frames: 0,
        }
    }

    /// What the other end has told through the server, under seal, and still tells for so long.
    pub(crate) async fn told_through_the_server(&mut self, span: Duration) -> Vec<EndToEnd> {
        let end = Instant::now() + span;
        let mut told = Vec::new();
        while let Ok(event) =
            timeout(end.saturating_duration_since(Instant::now()), self.link.next()).await
        {
            let body = match event {
                ServerEvent::Message(ServerMessage::Agent(ServerToAgent::Forwarded { body })) => body,
                ServerEvent::Message(_) | ServerEvent::Up => continue,
                ServerEvent::Down => break,
            };
            let Forwarded::Sealed(sealed) = message::decode(&body.0, MAX_FORWARD).unwrap() else {
                panic!("paired twice")
            };
            let plain = self.opener.open(SEALED_CONTEXT, &sealed.0).unwrap();
            told.push(message::decode(&plain, MAX_FORWARD).unwrap());
        }
        told
    }

    pub(crate) async fn act(&mut self, act: ViewerToHost) {
        self.say(SessionMessage::ViewerToHost(act)).await;
    }

    /// Says one message, numbered and acknowledged as an honest end would, and listens a moment.
    pub(crate) async fn say(&mut self, message: SessionMessage) {
        let item = Numbered { number: self.next, message };
        self.next += 1;
        self.send(vec![item]).await;
        self.listen(Duration::from_millis(50)).await;
    }

    async fn send(&mut self, items: Vec<Numbered>) {
        let sent_ms = u32::try_from(self.began.elapsed().as_millis()).unwrap();
        let packet = Packet { acked: self.received, sent_ms, echo: None, items };
        let _ = self.commands.send(PathCommand::SendPacket(message::encode(&packet))).await;
    }

    /// Takes what comes for so long, and acknowledges it, so that the path lives.
    pub(crate) async fn listen(&mut self, span: Duration) {
        let until = Instant::now() + span;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            while let Ok(Some((_, event))) =
                timeout(left.min(Duration::from_millis(50)), self.events.recv()).await
            {
                self.hear(event);
                if Instant::now() > until {
                    break;
                }
            }
            self.send(Vec::new()).await;
            if Instant::now() >= until {
                return;
            }
        }
    }

    fn hear(&mut self, event: PathEvent) {
        match event {
            PathEvent::Packet(bytes) => {
                let packet: Packet = message::decode(&bytes, MAX_PACKET_BYTES).unwrap();
                self.bytes.extend(bytes);
                for item in packet.items {
                    if item.number >= self.received {
                        self.received = item.number + 1;
                        self.heard.push(item.message);
                    }
                }
            }
            PathEvent::Video(_) => self.frames += 1,
            PathEvent::Up(_)
            | PathEvent::Routed(_)
            | PathEvent::LocalCandidate(_)
            | PathEvent::VideoRoom
            | PathEvent::KeyFrameWanted
            | PathEvent::Capacity(_)
            | PathEvent::Down(_) => {}
        }
    }

    /// Listens until `done`.
    pub(crate) async fn until(&mut self, awaited: &str, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "{awaited}: did not come; heard {:?}", self.heard);
            self.listen(Duration::from_millis(100)).await;
        }
    }
}

fn drawn() -> Seed {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    Seed::from_bytes(bytes)
}

fn offer(role: Role, trust: &Trust, secret: &SessionSecret, device: SigningKey) -> AwaitingHello {
    let facts = Facts {
        tenant: trust.bundle.tenant,
        dtls_fingerprint: Digest([9; 32]),
        ice_ufrag: "stranger".to_owned(),
        ice_pwd: "no way leads to this address".replace(' ', "-"),
    };
    AwaitingHello::start(role, facts, secret, device, &drawn())
}

fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest(bytes).into())
}

fn pairing(body: Blob) -> PairMessage {
    match message::decode(&body.0, MAX_FORWARD).unwrap() {
        Forwarded::Pairing(message) => message,
        Forwarded::Sealed(_) => panic!("sealed before the pairing was over"),
    }
}

async fn word(link: &mut ServerLink) -> ServerMessage {
    loop {
        match timeout(PATIENCE, link.next()).await.expect("the server says nothing") {
            ServerEvent::Message(message) => return message,
            ServerEvent::Up => {}
            ServerEvent::Down => panic!("the server hung up"),
        }
    }
}

async fn operators_word(link: &mut ServerLink) -> ServerToOperator {
    match word(link).await {
        ServerMessage::Operator(message) => message,
        ServerMessage::Agent(message) => panic!("{message:?}"),
    }
}

async fn operators_body(link: &mut ServerLink) -> Blob {
    let word = operators_word(link).await;
    let ServerToOperator::Forwarded { body, .. } = word else { panic!("{word:?}") };
    body
}

async fn agents_word(link: &mut ServerLink) -> ServerToAgent {
    match word(link).await {
        ServerMessage::Agent(message) => message,
        ServerMessage::Operator(message) => panic!("{message:?}"),
    }
}

fn ask_operators(link: &ServerLink, request: OperatorToServer) {
    link.send(ServerRequest::Operator(request));
}

fn ask_agents(link: &ServerLink, request: AgentToServer) {
    link.send(ServerRequest::Agent(request));
}

fn agents_forward(link: &ServerLink, body: &Forwarded) {
    ask_agents(link, AgentToServer::Forward { body: Blob(message::encode(body)) });
}
