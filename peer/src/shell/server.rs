//! One end's connection to the server: TLS under the pinned key, a WebSocket, and
//! dialling again when it is lost.
//!
//! Decides how long to wait and which failure is called what. Does not know
//! rooms, numbers or sessions: messages pass through.

use std::time::{Duration, Instant};

use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::signal::{
    self, AGENT_PATH, DEVICE_PROOF, MAX_MESSAGE, OPERATOR_PATH, OperatorToServer, RefusalReason,
    ServerToAgent, ServerToOperator,
};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::dial::{self, Connection, Places, Stream};
use super::fault::Fault;
use super::interfaces;
use super::login::hours_over;
use super::profile::SignIn;
use super::proxy::Proxies;
use super::reasons::of_io;
use super::relay_times;
use super::trust::Trust;
use crate::core::io::{ServerMessage, ServerRequest};

/// Messages that may wait in either direction.
const QUEUE: usize = 64;
/// A quiet connection is asked after this whether it lives.
const PING_AFTER: Duration = Duration::from_secs(20);
/// A connection that says nothing for this long is lost.
const SILENT: Duration = Duration::from_secs(60);
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const HANDSHAKE: Duration = Duration::from_secs(15);

/// Who stands at the server's door.
#[derive(Debug, Clone)]
pub enum Entrance {
    Agent,
    Operator { sign_in: SignIn, device: Box<SigningKey> },
}

#[derive(Debug)]
pub enum ServerEvent {
    Up,
    Message(ServerMessage),
    Down,
}

/// A connection that keeps itself up until it is dropped.
#[derive(Debug)]
pub struct ServerLink {
    requests: mpsc::Sender<ServerRequest>,
    events: mpsc::Receiver<ServerEvent>,
    task: tokio::task::JoinHandle<()>,
    places: Places,
}

impl ServerLink {
    /// # Errors
    /// The first dial's failure; later ones are retried in silence.
    pub async fn connect(trust: Trust, proxies: Proxies, entrance: Entrance) -> Result<Self, Fault> {
        let caller = Caller { trust, proxies, entrance };
        let Answered { socket, places, .. } = caller.dial().await?;
        let (requests, wanted) = mpsc::channel(QUEUE);
        let (told, events) = mpsc::channel(QUEUE);
        let task = tokio::spawn(keep_up(caller, socket, wanted, told));
        Ok(Self { requests, events, task, places })
    }

    /// Where the server is, as far as this end knows.
    pub fn places(&self) -> Places {
        self.places
    }

    /// What happened next; for ever silent after the link's end.
    pub async fn next(&mut self) -> ServerEvent {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// Sends, or drops while the connection is down: whoever asks hears
    /// [`ServerEvent::Up`] and asks again.
    pub fn send(&self, request: ServerRequest) {
        if self.requests.try_send(request).is_err() {
            tracing::warn!("a message to the server was dropped: too many wait");
        }
    }

    /// Lets what was sent leave, and ends.
    pub async fn close(self) {
        drop(self.requests);
        drop(self.events);
        let _ = tokio::time::timeout(Duration::from_secs(1), self.task).await;
    }
}

type Socket = WebSocketStream<Stream>;

/// What a dial comes to.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) socket: Socket,
    places: Places,
    /// When the certificate of an operator's device ends, in unix seconds.
    pub(super) certified_until: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Caller {
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
    pub(super) entrance: Entrance,
}

impl Caller {
    pub(super) async fn dial(&self) -> Result<Answered, Fault> {
        let Connection { stream, places } = dial::open(&self.trust, &self.proxies).await?;
        let late = |_| Fault::Unreachable {
            address: dial::address(&self.trust),
            why: "it does not answer".into(),
        };
        let greeted = tokio::time::timeout(HANDSHAKE, self.greet(stream)).await.map_err(late)?;
        let (socket, certified_until) = greeted?;
        Ok(Answered { socket, places, certified_until })
    }

    async fn greet(&self, stream: Stream) -> Result<(Socket, Option<u64>), Fault> {
        let (path, bearer) = match &self.entrance {
            Entrance::Agent => (AGENT_PATH, None),
            Entrance::Operator { sign_in, .. } => (OPERATOR_PATH, Some(&sign_in.token)),
        };
        let mut request = format!("wss://{}{path}", dial::address(&self.trust))
            .into_client_request()
            .map_err(|_| Fault::UnknownHost { host: self.trust.bundle.host.clone() })?;
        if let Some(token) = bearer {
            let value = format!("Bearer {token}").parse().map_err(|_| Fault::SignInOver)?;
            request.headers_mut().insert("authorization", value);
        }
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE))
            .write_buffer_size(0)
            .max_write_buffer_size(4 * MAX_MESSAGE);
        let upgraded = tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await;
        let (mut socket, _) = upgraded.map_err(|why| self.upgrade_fault(why))?;
        let certified_until = match &self.entrance {
            Entrance::Operator { sign_in, device } => {
                Some(self.prove(&mut socket, &sign_in.token, device).await?)
            }
            Entrance::Agent => None,
        };
        Ok((socket, certified_until))
    }

    /// Until when the device is certified.
    async fn prove(&self, socket: &mut Socket, token: &str, device: &SigningKey) -> Result<u64, Fault> {
        let ServerToOperator::Challenge { challenge } = self.hear(socket).await? else {
            return Err(Fault::Misunderstood);
        };
        let digest = Sha256::digest(token.as_bytes());
        let signed = [DEVICE_PROOF, &challenge.0, digest.as_slice()].concat();
        let signature = Blob(device.sign(&signed).to_bytes().to_vec());
        let proof = signal::encode(&OperatorToServer::Prove { signature });
        socket.send(Message::text(proof)).await.map_err(|_| Fault::ServerGone)?;
        match self.hear(socket).await? {
            ServerToOperator::Ready { certified_until } => Ok(certified_until),
            ServerToOperator::OutsideHours { opens, zone } => Err(hours_over(opens, &zone)),
            ServerToOperator::Refused { reason } => Err(refusal(reason)),
            ServerToOperator::Challenge { .. }
            | ServerToOperator::RoomOpened { .. }
            | ServerToOperator::Arrived { .. }
            | ServerToOperator::Forwarded { .. }
            | ServerToOperator::Leg { .. }
            | ServerToOperator::Resumed { .. }
            | ServerToOperator::Relays { .. }
            | ServerToOperator::LedgerTicket { .. }
            | ServerToOperator::AgentPresence { .. }
            | ServerToOperator::Closed { .. } => Err(Fault::Misunderstood),
        }
    }

    async fn hear(&self, socket: &mut Socket) -> Result<ServerToOperator, Fault> {
        while let Some(message) = socket.next().await {
            match message {
                Ok(Message::Text(text)) => {
                    return signal::decode(&text).map_err(|_| Fault::Misunderstood);
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Binary(_) | Message::Close(_)) | Err(_) => break,
            }
        }
        Err(Fault::ServerGone)
    }

    fn upgrade_fault(&self, why: tungstenite::Error) -> Fault {
        let address = dial::address(&self.trust);
        if let tungstenite::Error::Io(why) = why {
            return Fault::Unreachable { address, why: of_io(&why).to_owned() };
        }
        let tungstenite::Error::Http(response) = why else {
            return Fault::NotTasuki { address };
        };
        match response.status().as_u16() {
            401 | 403 => Fault::SignInOver,
            429 => Fault::TooOften,
            500..=599 => Fault::Unavailable,
            _ => Fault::NotTasuki { address },
        }
    }

    fn read(&self, text: &str) -> Option<ServerMessage> {
        match &self.entrance {
            Entrance::Agent => signal::decode::<ServerToAgent>(text).ok().map(ServerMessage::Agent),
            Entrance::Operator { .. } => {
                signal::decode::<ServerToOperator>(text).ok().map(ServerMessage::Operator)
            }
        }
    }
}

/// What a refusal means when it is final.
pub fn refusal(reason: RefusalReason) -> Fault {
    match reason {
        RefusalReason::Number => Fault::NumberRefused,
        RefusalReason::SlowDown => Fault::SlowDown,
        RefusalReason::Version { server } => Fault::OtherVersion { theirs: server },
        RefusalReason::Mode => Fault::ModeNotAllowed { mode: String::new() },
        RefusalReason::Hours => Fault::OutsideHours,
        RefusalReason::Reason => Fault::ReasonNeeded,
        RefusalReason::SignIn => Fault::SignInOver,
        RefusalReason::Confirm => Fault::NotConfirmed,
        RefusalReason::Session => Fault::ConnectionLost,
        RefusalReason::Unavailable => Fault::Unavailable,
        RefusalReason::Message => Fault::Misunderstood,
    }
}

async fn keep_up(
    caller: Caller,
    first: Socket,
    mut wanted: mpsc::Receiver<ServerRequest>,
    told: mpsc::Sender<ServerEvent>,
) {
    let mut socket = first;
    loop {
        if told.send(ServerEvent::Up).await.is_err() {
            return;
        }
        if let Ended::ByUs = converse(&caller, &mut socket, &mut wanted, &told).await {
            let _ = tokio::time::timeout(FIRST_PAUSE, socket.close(None)).await;
            return;
        }
        if told.send(ServerEvent::Down).await.is_err() {
            return;
        }
        let Some(again) = dial_again(&caller, &mut wanted).await else { return };
        socket = again;
    }
}

pub(super) enum Ended {
    ByUs,
    ByNetwork,
}

pub(super) async fn converse(
    caller: &Caller,
    socket: &mut Socket,
    wanted: &mut mpsc::Receiver<ServerRequest>,
    told: &mpsc::Sender<ServerEvent>,
) -> Ended {
    let mut heard = Instant::now();
    let (measured, mut times) = mpsc::channel(1);
    let mut measuring = Some(measured);
    let local = socket.get_ref().get_ref().0.local_addr().map(|local| local.ip());
    let mut gone = std::pin::pin!(interfaces::gone(local.into_iter().collect()));
    loop {
        tokio::select! {
            () = &mut gone => return Ended::ByNetwork,
            request = wanted.recv() => {
                let Some(request) = request else { return Ended::ByUs };
                if send(socket, Message::text(text_of(&request))).await.is_err() {
                    return Ended::ByNetwork;
                }
            }
            Some(request) = times.recv() => {
                if send(socket, Message::text(text_of(&request))).await.is_err() {
                    return Ended::ByNetwork;
                }
            }
            message = socket.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => {
                        let Some(message) = caller.read(&text) else { return Ended::ByNetwork };
                        if let Some(question) = relay_times::question(&message)
                            && let Some(answer) = measuring.take()
                        {
                            tokio::spawn(relay_times::answer(question, caller.proxies.clone(), answer));
                        }
                        if told.send(ServerEvent::Message(message)).await.is_err() {
                            // Nobody listens any more; what was asked still leaves.
                            return flush(socket, wanted).await;
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => {
                        return Ended::ByNetwork;
                    }
                }
            }
            () = tokio::time::sleep(PING_AFTER) => {
                let asked = send(socket, Message::Ping(Default::default())).await;
                if asked.is_err() || heard.elapsed() > SILENT {
                    return Ended::ByNetwork;
                }
            }
        }
    }
}

async fn flush(socket: &mut Socket, wanted: &mut mpsc::Receiver<ServerRequest>) -> Ended {
    while let Some(request) = wanted.recv().await {
        if send(socket, Message::text(text_of(&request))).await.is_err() {
            break;
        }
    }
    Ended::ByUs
}

async fn send(socket: &mut Socket, message: Message) -> Result<(), ()> {
    let sent = tokio::time::timeout(HANDSHAKE, socket.send(message)).await;
    sent.map_err(|_| ())?.map_err(|_| ())
}

/// Full jitter: a uniform part of a pause that doubles, so that a thousand ends
/// do not come back in one moment (F14).
async fn dial_again(caller: &Caller, wanted: &mut mpsc::Receiver<ServerRequest>) -> Option<Socket> {
    let mut ceiling = FIRST_PAUSE;
    loop {
        let until = tokio::time::Instant::now() + ceiling.mul_f64(unit_random());
        loop {
            tokio::select! {
                request = wanted.recv() => { request?; }
                () = tokio::time::sleep_until(until) => break,
            }
        }
        match caller.dial().await {
            Ok(Answered { socket, .. }) => {
                // What was asked of a connection that is gone is asked again by the core.
                while wanted.try_recv().is_ok() {}
                return Some(socket);
            }
            Err(why) => tracing::info!(why = %why, "the server is not reached yet"),
        }
        if wanted.is_closed() {
            return None;
        }
        ceiling = (ceiling * 2).min(LONGEST_PAUSE);
    }
}

fn text_of(request: &ServerRequest) -> String {
    match request {
        ServerRequest::Operator(message) => signal::encode(message),
        ServerRequest::Agent(message) => signal::encode(message),
    }
}

pub(super) fn unit_random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the longest pause is the polite one.
    if getrandom::fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
