//! An end that is paired and consented to, and then says whatever it is told to.

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_peer::core::Peer;
use tasuki_peer::core::io::{
    DesktopCommand as D, HumanAct, Input, Output, ServerMessage, ServerRequest, SessionEvent,
};
use tasuki_peer::core::line::SEALED_CONTEXT;
use tasuki_peer::core::path::{Ciphers, PathCommand, PathEvent, PathId, VideoFrame};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::consent::Answer;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::message::{
    self, EndToEnd, Forwarded, MAX_PACKET_BYTES, Numbered, Packet, SessionMessage,
};
use tasuki_protocol::number::SessionSecret;
use tasuki_protocol::pairing::{AwaitingHello, PairMessage, Paired, agent_meets, operator_meets};
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::sealing::{Opener, Sealer};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{
    AgentToServer, MAX_FORWARD, OperatorToServer, ServerToAgent, ServerToOperator,
};

use super::{
    RESUME, SESSION, agent, agent_key, facts, manifest, operator, operator_key, public, signed,
};

/// The real end and everything it ever did, faced by a puppet of the other role.
#[derive(Debug)]
pub struct Puppet {
    pub peer: Peer,
    /// The real end's role.
    pub role: Role,
    pub now: Instant,
    pub log: Vec<Output>,
    pub path: Option<PathId>,
    sealer: Option<Sealer>,
    opener: Option<Opener>,
    transcript: Digest,
    /// The manifest as signed.
    envelope: Vec<u8>,
    next: u64,
    received: u64,
    clock_ms: u32,
}

/// What the puppet's manifest says instead of the honest one.
pub type Alter<'a> = &'a dyn Fn(&mut Manifest);

impl Puppet {
    fn facing(role: Role, peer: Peer) -> Self {
        Self {
            peer,
            role,
            now: Instant::now(),
            log: Vec::new(),
            path: None,
            sealer: None,
            opener: None,
            transcript: Digest([0; 32]),
            envelope: Vec::new(),
            next: 0,
            received: 0,
            clock_ms: 0,
        }
    }

    /// A real end of `role` in an accepted session with one path up.
    pub fn accepted(role: Role, mode: Mode, granted: Rights) -> Self {
        let mut puppet = match role {
            Role::Operator => Self::as_agent(mode, &|_| {}),
            Role::Agent => Self::as_operator(mode, &|_| {}),
        };
        puppet.consent(Answer::Accepted, granted);
        puppet.come_up();
        puppet
    }

    /// Paired with a real operator's end; its person was never asked.
    pub fn as_agent(mode: Mode, alter: Alter<'_>) -> Self {
        Self::as_agent_of(8, mode, alter)
    }

    /// As [`Self::as_agent`]; this run of its program draws its keys from `seed`.
    pub fn as_agent_of(seed: u8, mode: Mode, alter: Alter<'_>) -> Self {
        let mut puppet = Self::facing(Role::Operator, operator(mode));
        puppet.turn(Input::ServerUp);
        let hello = puppet.operator_hello();
        puppet.tell_operator(ServerToOperator::RoomOpened {
            session: SESSION,
            locator: super::locator(),
            resume: RESUME,
            expires_in: 600,
        });
        let offer = own_offer(Role::Agent, agent_key(), &puppet.secret(), seed);
        let own = Hello::decode(offer.hello()).expect("own hello");
        let mut document = manifest(mode, public(&operator_key()), &own);
        alter(&mut document);
        puppet.envelope = signed(&document);
        puppet.tell_operator(ServerToOperator::Arrived {
            session: SESSION,
            attempt: 0,
            hello: Blob(offer.hello().to_vec()),
            manifest: puppet.manifest_envelope(),
        });
        let (confirm, awaiting) = agent_meets(offer, SESSION, &hello).expect("an honest hello");
        puppet.forward(Forwarded::Pairing(confirm));
        let Some(welcome) = puppet.last_pairing() else { return puppet };
        let (ready, paired) = awaiting.welcome(&welcome).expect("an honest welcome");
        puppet.forward(Forwarded::Pairing(ready));
        puppet.keep(paired);
        puppet
    }

    /// Paired with a real agent's end, whose person is asked now.
    pub fn as_operator(mode: Mode, alter: Alter<'_>) -> Self {
        let secret = SessionSecret::draw(&Seed::from_bytes([9; 32]));
        let mut puppet = Self::facing(Role::Agent, agent(secret.clone()));
        puppet.turn(Input::ServerUp);
        let hello = puppet.agent_hello();
        let offer = own_offer(Role::Operator, operator_key(), &secret, 8);
        puppet.tell_agent(ServerToAgent::Met {
            session: SESSION,
            resume: RESUME,
            hello: Blob(offer.hello().to_vec()),
        });
        let mut document =
            manifest(mode, public(&operator_key()), &Hello::decode(&hello).expect("its hello"));
        alter(&mut document);
        puppet.envelope = signed(&document);
        let met = operator_meets(offer, SESSION, &hello, signed(&document)).expect("its hello");
        let confirm = puppet.last_pairing().expect("it confirms");
        let (welcome, awaiting) = met.confirm(&confirm).expect("it knows the number");
        puppet.forward(Forwarded::Pairing(welcome));
        let Some(ready) = puppet.last_pairing() else { return puppet };
        let paired = awaiting.ready(&ready).expect("it saw the same");
        puppet.keep(paired);
        puppet
    }

    fn keep(&mut self, paired: Paired) {
        self.transcript = paired.transcript;
        self.sealer = Some(Sealer::new(paired.keys.outgoing));
        self.opener = Some(Opener::new(paired.keys.incoming));
    }

    /// The click: by the real agent's person, or signed by the puppet.
    pub fn consent(&mut self, answer: Answer, granted: Rights) {
        if self.role == Role::Agent {
            let shown = Digest([7; 32]);
            self.turn(Input::Human(match answer {
                Answer::Accepted => HumanAct::Accept { granted, shown },
                Answer::Refused | Answer::Silent => HumanAct::Refuse { shown },
            }));
            return;
        }
        let consent = self.word(answer, granted);
        self.say_consent(&consent, &agent_key());
    }

    pub fn transcript(&self) -> Digest {
        self.transcript
    }

    pub fn manifest_digest(&self) -> Digest {
        use sha2::Digest as _;
        Digest(sha2::Sha256::digest(&self.envelope).into())
    }

    pub fn manifest_envelope(&self) -> Blob {
        Blob(self.envelope.clone())
    }

    pub fn say_sealed(&mut self, message: &EndToEnd) {
        if let Some(body) = self.seal(message) {
            self.forward(body);
        }
    }

    /// A body for the real end, to be said as often as one likes; `None` before the pairing.
    pub fn seal(&mut self, message: &EndToEnd) -> Option<Forwarded> {
        let sealed = self.sealer.as_mut()?.seal(SEALED_CONTEXT, &message::encode(message));
        Some(Forwarded::Sealed(Blob(sealed)))
    }

    /// What the real end has said under seal.
    pub fn heard_sealed(&mut self) -> Vec<EndToEnd> {
        let Some(mut opener) = self.opener.take() else { return Vec::new() };
        let bodies = self.forwarded();
        let sealed = bodies.into_iter().filter_map(|forwarded| match forwarded {
            Forwarded::Sealed(sealed) => Some(sealed),
            Forwarded::Pairing(_) => None,
        });
        sealed
            .filter_map(|sealed| opener.open(SEALED_CONTEXT, &sealed.0).ok())
            .filter_map(|plain| message::decode(&plain, MAX_FORWARD).ok())
            .collect()
    }

    fn come_up(&mut self) {
        let opened = self.log.iter().find_map(|output| {
            let Output::OpenDirect(id, _) = output else { return None };
            Some(*id)
        });
        let id = opened.expect("an accepted session opens a direct path");
        self.path = Some(id);
        let ciphers = Ciphers::Direct {
            dtls: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".to_owned(),
            srtp: "AEAD_AES_256_GCM".to_owned(),
        };
        self.turn(Input::Path(id, PathEvent::Up(ciphers)));
        self.turn(Input::Path(id, PathEvent::VideoRoom));
    }

    /// Says one message on the path, numbered as an honest end would; what it caused.
    pub fn say(&mut self, message: SessionMessage) -> Vec<Output> {
        let item = Numbered { number: self.next, message };
        self.next += 1;
        self.say_items(vec![item])
    }

    pub fn say_items(&mut self, items: Vec<Numbered>) -> Vec<Output> {
        self.wait(Duration::from_millis(20));
        self.note_received();
        let packet = Packet { acked: self.received, sent_ms: self.clock_ms, echo: None, items };
        self.say_packet(&packet)
    }

    pub fn say_packet(&mut self, packet: &Packet) -> Vec<Output> {
        self.say_bytes(message::encode(packet))
    }

    pub fn say_bytes(&mut self, bytes: Vec<u8>) -> Vec<Output> {
        let Some(path) = self.path else { return Vec::new() };
        self.turn(Input::Path(path, PathEvent::Packet(bytes)))
    }

    pub fn show(&mut self, frame: VideoFrame) -> Vec<Output> {
        let Some(path) = self.path else { return Vec::new() };
        self.turn(Input::Path(path, PathEvent::Video(frame)))
    }

    /// Every message that the real end has sent on its path, once each, in order.
    pub fn heard(&self) -> Vec<SessionMessage> {
        let mut by_number = std::collections::BTreeMap::new();
        for output in &self.log {
            if let Output::Path(_, PathCommand::SendPacket(bytes)) = output {
                let packet: Packet = message::decode(bytes, MAX_PACKET_BYTES).expect("a packet");
                by_number.extend(packet.items.into_iter().map(|item| (item.number, item.message)));
            }
        }
        by_number.into_values().collect()
    }

    fn note_received(&mut self) {
        self.received = self.heard().len() as u64;
    }

    pub fn events(&self) -> Vec<SessionEvent> {
        events(&self.log)
    }

    pub fn wait(&mut self, span: Duration) {
        self.now += span;
        self.clock_ms += u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
        if self.peer.deadline().is_some_and(|due| due <= self.now) {
            self.turn(Input::Wake);
        }
    }

    pub fn turn(&mut self, input: Input) -> Vec<Output> {
        let before = self.log.len();
        self.log.extend(self.peer.turn(input, self.now));
        self.log[before..].iter().map(copy).collect()
    }

    pub fn forward(&mut self, body: Forwarded) {
        let body = Blob(message::encode(&body));
        match self.role {
            Role::Operator => {
                self.tell_operator(ServerToOperator::Forwarded { session: SESSION, body });
            }
            Role::Agent => self.tell_agent(ServerToAgent::Forwarded { body }),
        }
    }

    pub(super) fn tell_operator(&mut self, message: ServerToOperator) {
        self.turn(Input::FromServer(ServerMessage::Operator(message)));
    }

    pub(super) fn tell_agent(&mut self, message: ServerToAgent) {
        self.turn(Input::FromServer(ServerMessage::Agent(message)));
    }

    fn forwarded(&self) -> Vec<Forwarded> {
        let body = |output: &Output| {
            let (Output::ToServer(ServerRequest::Operator(OperatorToServer::Forward { body, .. }))
            | Output::ToServer(ServerRequest::Agent(AgentToServer::Forward { body }))) = output
            else {
                return None;
            };
            message::decode(&body.0, MAX_FORWARD).ok()
        };
        self.log.iter().filter_map(body).collect()
    }

    fn last_pairing(&self) -> Option<PairMessage> {
        self.forwarded().into_iter().rev().find_map(|forwarded| match forwarded {
            Forwarded::Pairing(message) => Some(message),
            Forwarded::Sealed(_) => None,
        })
    }

    fn operator_hello(&self) -> Vec<u8> {
        let hello = self.log.iter().find_map(|output| {
            let Output::ToServer(ServerRequest::Operator(OperatorToServer::OpenRoom {
                hellos, ..
            })) = output
            else {
                return None;
            };
            hellos.first().map(|hello| hello.0.clone())
        });
        hello.expect("the operator opens a room")
    }

    fn agent_hello(&self) -> Vec<u8> {
        let hello = self.log.iter().find_map(|output| {
            let Output::ToServer(ServerRequest::Agent(AgentToServer::Join { hello, .. })) = output
            else {
                return None;
            };
            Some(hello.0.clone())
        });
        hello.expect("the agent knocks")
    }

    fn secret(&self) -> SessionSecret {
        let number = self.events().into_iter().find_map(|event| {
            let SessionEvent::Number { number, .. } = event else { return None };
            Some(number.0.secret)
        });
        number.expect("the operator has a number")
    }
}

pub fn events(outputs: &[Output]) -> Vec<SessionEvent> {
    let told = outputs.iter().filter_map(|output| {
        let Output::Tell(event) = output else { return None };
        Some(event.clone())
    });
    told.collect()
}

/// Commands that hold a permit are not to be had twice; what they were is.
fn copy(output: &Output) -> Output {
    match output {
        Output::Tell(event) => Output::Tell(event.clone()),
        Output::Path(id, command) => Output::Path(*id, command.clone()),
        Output::Picture(command) => Output::Picture(command.clone()),
        Output::ToServer(request) => Output::ToServer(request.clone()),
        Output::AskConsent(question) => Output::AskConsent(question.clone()),
        Output::WithdrawQuestion => Output::WithdrawQuestion,
        Output::OpenDirect(id, facts) => Output::OpenDirect(*id, facts.clone()),
        Output::OpenRelay(id, facts) => Output::OpenRelay(*id, facts.clone()),
        Output::AskPerson(question) => Output::AskPerson(question.clone()),
        Output::WithdrawPersonQuestion(what) => Output::WithdrawPersonQuestion(*what),
        Output::Keep(envelope) => Output::Keep(envelope.clone()),
        Output::Desktop(command) => Output::Desktop(copy_command(command)),
    }
}

fn copy_command(command: &D) -> D {
    match command {
        D::StartCapture(permit) => D::StartCapture(*permit),
        D::StartInjector(permit) => D::StartInjector(*permit),
        D::Demand(demand) => D::Demand(*demand),
        D::ShowMonitor(id) => D::ShowMonitor(*id),
        D::Inject(permit, event) => D::Inject(*permit, event.clone()),
        D::ReleaseAll => D::ReleaseAll,
        D::Stop => D::Stop,
    }
}

fn own_offer(role: Role, device: SigningKey, secret: &SessionSecret, seed: u8) -> AwaitingHello {
    AwaitingHello::start(role, facts(7), secret, device, &Seed::from_bytes([seed; 32]))
}
