//! A server for tests that does as it is told: one room, no accounts, no database.
//!
//! Speaks the protocol well enough for two programs to meet. What a real server
//! decides (limits, policy, rooms) is not here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use futures_util::{SinkExt, StreamExt};
use rcgen::PublicKeyData;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{Problem, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, TrustNews};
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::dsse;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, SessionId, TenantId};
use tasuki_protocol::ledger::wire::CheckpointAnswer;
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::login::{LoginAnswer, LoginResponse};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::number::Locator;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{
    self, AgentToServer, CloseReason, OperatorToServer, RefusalReason, ResumeToken, ServerToAgent,
    ServerToOperator,
};
use tasuki_protocol::terms::{AddressDisclosure, Approval, FileRules, Requirement};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;

pub(super) const TENANT: TenantId = TenantId([7; 8]);
const SESSION: SessionId = SessionId([5; 16]);
const MANIFEST_KEY: [u8; 32] = [11; 32];
pub(super) const ROOT_KEY: [u8; 32] = [12; 32];
pub(super) const LOCK_KEY: [u8; 32] = [13; 32];
pub(crate) const LOCATOR: u32 = 12_345;

/// What this server does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Kind,
    /// Kind, and its numbers live for one second.
    ShortLivedNumbers,
    /// Refuses every sign-in for this.
    RefusesSignIn(ProblemCode),
    /// Refuses every agent for this.
    RefusesAgents(RefusalReason),
}

/// Runs on a thread of its own until the test's end.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) pin: Digest,
    /// What it says is newer in what programs trust; nothing, until a test has it say something.
    pub(crate) news: Arc<Mutex<Option<TrustNews>>>,
    pub(crate) death: oneshot::Sender<()>,
}

#[derive(Default)]
struct Room {
    mode: Option<Mode>,
    hellos: VecDeque<Blob>,
    operator: Option<mpsc::Sender<String>>,
    agent: Option<mpsc::Sender<String>>,
    attempt: u8,
}

type Shared = Arc<Mutex<Room>>;

impl Server {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let pin = Digest(Sha256::digest(certified.signing_key.subject_public_key_info()).into());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (death, dies) = oneshot::channel();
        let news: Arc<Mutex<Option<TrustNews>>> = Arc::default();
        let told = Arc::clone(&news);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, acceptor, behaviour, told) => {}
                    // A forgotten server lives on.
                    Ok(()) = dies => {}
                }
            });
        });
        Self { port, pin, news, death }
    }

    /// The key that signs its organisation's file.
    pub(crate) fn root(&self) -> DeviceKey {
        public(ROOT_KEY)
    }

    /// Closes its port and every connection, without a word.
    pub(crate) fn die(self) {
        self.death.send(()).unwrap();
    }

    /// The bundle by which programs find this server.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        self.bundle_with(self.pin, "localhost", PROTOCOL_VERSION)
    }

    pub(crate) fn bundle_with(&self, server_pin: Digest, host: &str, v: u16) -> Vec<u8> {
        let bundle = self.first_bundle(server_pin, host, v);
        dsse::sign(&bundle, &SigningKey::from_bytes(&ROOT_KEY))
    }

    pub(super) fn first_bundle(&self, server_pin: Digest, host: &str, v: u16) -> Bundle {
        Bundle {
            v,
            version: 1,
            tenant: TENANT,
            organisation: "Example Help Desk".to_owned(),
            host: host.to_owned(),
            port: self.port,
            root: public(ROOT_KEY),
            server_pins: vec![server_pin],
            manifest_keys: vec![public(MANIFEST_KEY)],
            checkpoint_keys: vec![public(MANIFEST_KEY)],
            lock_keys: vec![public(LOCK_KEY)],
            log_keys: vec![LogSecretKey::from_bytes([14; 32]).public()],
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
            issued_at: 0,
            expires_at: u64::MAX,
        }
    }
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    behaviour: Behaviour,
    news: Arc<Mutex<Option<TrustNews>>>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    let room = Shared::default();
    while let Ok((tcp, _)) = listener.accept().await {
        let (acceptor, room, news) =
            (acceptor.clone(), Arc::clone(&room), news.lock().unwrap().clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(tcp).await {
                serve(stream, behaviour, room, news).await;
            }
        });
    }
}

async fn serve(
    mut stream: TlsStream<TcpStream>,
    behaviour: Behaviour,
    room: Shared,
    news: Option<TrustNews>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    if text.starts_with("GET /v1/trust ") {
        if let Some(news) = news {
            return answer(stream, "200 OK", &signal::encode(&news)).await;
        }
        // No news: programs go on with the bundle that they have.
        let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        return;
    }
    if text.starts_with("POST /v1/login ") {
        return log_in(stream, &text, behaviour).await;
    }
    if text.starts_with("POST /v1/ledger/checkpoint ") {
        // Nothing was ever recorded here.
        let (note, proof, acknowledgements) = (None, Vec::new(), Vec::new());
        let nothing = CheckpointAnswer { note, proof, acknowledgements };
        take_body(&mut stream, &text).await;
        return answer(stream, "200 OK", &signal::encode(&nothing)).await;
    }
    let (read, write) = tokio::io::split(stream);
    let stream = tokio::io::join(std::io::Cursor::new(head).chain(read), write);
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (mut sink, mut messages) = socket.split();
    let (say, mut said) = mpsc::channel::<String>(64);
    let operator = text.starts_with("GET /v1/operator ");
    if operator {
        let challenge = Challenge([1; 32]);
        say.try_send(signal::encode(&ServerToOperator::Challenge { challenge })).unwrap();
    }
    loop {
        tokio::select! {
            Some(line) = said.recv() => {
                if sink.send(Message::text(line)).await.is_err() {
                    return;
                }
            }
            message = messages.next() => match message {
                Some(Ok(Message::Text(line))) if operator => from_operator(&line, &say, &room, behaviour),
                Some(Ok(Message::Text(line))) => from_agent(&line, &say, &room, behaviour),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }
}

async fn log_in(mut stream: TlsStream<TcpStream>, head: &str, behaviour: Behaviour) {
    take_body(&mut stream, head).await;
    let (status, body) = match behaviour {
        Behaviour::RefusesSignIn(code) => ("401 Unauthorized", signal::encode(&Problem { code })),
        Behaviour::Kind | Behaviour::ShortLivedNumbers | Behaviour::RefusesAgents(_) => {
            let response = LoginResponse {
                token: "token".to_owned(),
                expires_in: 3600,
                tenant: TENANT,
                organisation: "Example Help Desk".to_owned(),
                display_name: "Hanako Sato".to_owned(),
                modes: Mode::ALL.to_vec(),
                reason: Requirement::Optional,
                certified_until: None,
            };
            ("200 OK", signal::encode(&LoginAnswer::SignedIn(response)))
        }
    };
    answer(stream, status, &body).await;
}

async fn take_body(stream: &mut TlsStream<TcpStream>, head: &str) {
    let length = head.lines().find_map(|line| {
        line.to_lowercase().strip_prefix("content-length: ").map(|l| l.parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
}

async fn answer(mut stream: TlsStream<TcpStream>, status: &str, body: &str) {
    let length = body.len();
    let response =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn from_operator(line: &str, say: &mpsc::Sender<String>, room: &Shared, behaviour: Behaviour) {
    let mut room = room.lock().unwrap();
    match signal::decode::<OperatorToServer>(line).unwrap() {
        OperatorToServer::Prove { .. } => {
            let certified_until = u64::from(u32::MAX);
            say.try_send(signal::encode(&ServerToOperator::Ready { certified_until })).unwrap()
        }
        OperatorToServer::OpenRoom { mode, hellos, .. } => {
            *room = Room {
                mode: Some(mode),
                hellos: hellos.into(),
                operator: Some(say.clone()),
                ..Room::default()
            };
            let opened = ServerToOperator::RoomOpened {
                session: SESSION,
                locator: Locator::try_from(LOCATOR).unwrap(),
                resume: ResumeToken(Challenge([2; 32])),
                expires_in: if behaviour == Behaviour::ShortLivedNumbers { 1 } else { 600 },
            };
            say.try_send(signal::encode(&opened)).unwrap();
        }
        OperatorToServer::Forward { body, .. } => {
            tell(&room.agent, &ServerToAgent::Forwarded { body });
        }
        OperatorToServer::PairingFailed { attempt, .. } => {
            room.attempt = attempt + 1;
            tell(&room.agent.take(), &ServerToAgent::Closed { reason: CloseReason::OtherEnd });
        }
        OperatorToServer::Close { .. } | OperatorToServer::Object { .. } => {
            tell(&room.agent.take(), &ServerToAgent::Closed { reason: CloseReason::OtherEnd });
        }
        OperatorToServer::Resume { .. }
        | OperatorToServer::Paired { .. }
        | OperatorToServer::NeedLeg { .. }
        | OperatorToServer::RelayTimes { .. }
        | OperatorToServer::NeedLedgerTicket { .. } => {}
    }
}

fn from_agent(line: &str, say: &mpsc::Sender<String>, room: &Shared, behaviour: Behaviour) {
    let mut room = room.lock().unwrap();
    match signal::decode::<AgentToServer>(line).unwrap() {
        AgentToServer::Join { .. } if matches!(behaviour, Behaviour::RefusesAgents(_)) => {
            let Behaviour::RefusesAgents(reason) = behaviour else { return };
            say.try_send(signal::encode(&ServerToAgent::Refused { reason })).unwrap();
        }
        AgentToServer::Join { hello, .. } => {
            let offered = room.hellos.pop_front();
            let (Some(operator_hello), Some(mode)) = (offered, room.mode) else {
                let reason = RefusalReason::Number;
                return say.try_send(signal::encode(&ServerToAgent::Refused { reason })).unwrap();
            };
            room.agent = Some(say.clone());
            let manifest = manifest(mode, &operator_hello, &hello);
            let attempt = room.attempt;
            let arrived = ServerToOperator::Arrived { session: SESSION, attempt, hello, manifest };
            tell(&room.operator, &arrived);
            let resume = ResumeToken(Challenge([3; 32]));
            tell(&room.agent, &ServerToAgent::Met { session: SESSION, resume, hello: operator_hello });
        }
        AgentToServer::Forward { body } => {
            tell(&room.operator, &ServerToOperator::Forwarded { session: SESSION, body });
        }
        AgentToServer::Close | AgentToServer::Object { .. } => {
            let reason = CloseReason::OtherEnd;
            tell(&room.operator, &ServerToOperator::Closed { session: SESSION, reason });
        }
        AgentToServer::Resume { .. }
        | AgentToServer::RelayTimes { .. }
        | AgentToServer::NeedLedgerTicket => {}
    }
}

fn tell<M: serde::Serialize>(whom: &Option<mpsc::Sender<String>>, message: &M) {
    if let Some(whom) = whom {
        let _ = whom.try_send(signal::encode(message));
    }
}

fn manifest(mode: Mode, operator: &Blob, agent: &Blob) -> Blob {
    let (operator, agent) = (Hello::decode(&operator.0).unwrap(), Hello::decode(&agent.0).unwrap());
    let manifest = Manifest {
        v: PROTOCOL_VERSION,
        tenant: TENANT,
        session: SESSION,
        operator: "hanako".to_owned(),
        operator_name: "Hanako Sato".to_owned(),
        operator_key: operator.device,
        agent_key: agent.device,
        challenge: agent.challenge,
        mode,
        capabilities: mode.ceiling(),
        files: FileRules::of(mode.ceiling(), Approval::Ask),
        application_selection: Requirement::Off,
        recording: Requirement::Off,
        address_disclosure: AddressDisclosure::All,
        issued_at: 0,
        start_within: 600,
        length: 3600,
        policy_version: 1,
        reason: None,
        certificate: certificate(operator.device),
    };
    Blob(dsse::sign(&manifest, &SigningKey::from_bytes(&MANIFEST_KEY)))
}

fn certificate(device: DeviceKey) -> Blob {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let certificate = Certificate {
        v: PROTOCOL_VERSION,
        tenant: TENANT,
        operator: "hanako".to_owned(),
        display_name: "Hanako Sato".to_owned(),
        device,
        modes: Mode::ALL.to_vec(),
        rights: Rights::of(&Capability::ALL),
        not_before: now,
        not_after: now + 86_400,
    };
    Blob(dsse::sign(&certificate, &SigningKey::from_bytes(&LOCK_KEY)))
}

pub(super) fn public(key: [u8; 32]) -> DeviceKey {
    DeviceKey(SigningKey::from_bytes(&key).verifying_key().to_bytes())
}
