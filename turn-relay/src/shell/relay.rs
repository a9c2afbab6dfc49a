//! Serves relay connections: reads the ticket, asks the lobby, answers, forwards.
//!
//! Embeddable: whoever owns the TLS listener hands over accepted streams. It opens
//! no connection of its own, ever (T49), and logs no session, ticket or key.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tasuki_protocol::ticket::{RelayAnswer, TicketKey};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio_rustls::server::TlsStream;

use super::arrival::{farewell, listen_ahead, read_ticket};
use super::clock;
use super::pair::{End, Ended, Terms, forward};
use super::sockets;
use crate::core::limits::Limits;
use crate::core::lobby::{ConnectionId, Input, Lobby, Occupancy, Output};
use crate::core::refusal::Refusal;

/// A connection after TLS.
pub type Stream = TlsStream<TcpStream>;

/// How long a connection may take to hear an answer.
const FAREWELL: Duration = Duration::from_secs(2);

/// What an owner may set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub limits: Limits,
    /// A pair through which nothing passes for so long ends.
    pub idle: Duration,
    /// Bytes per second of one pair, both directions together.
    pub rate: Option<u64>,
    /// The window offered to each sender, in bytes; see [`sockets`].
    pub receive_buffer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            idle: Duration::from_secs(120),
            rate: None,
            receive_buffer: 192 * 1024,
        }
    }
}

/// What a relay has done and holds. Counters start at zero with the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub now: Occupancy,
    pub joined: u64,
    pub refused: u64,
    pub busy: u64,
    /// Late or displaced before any good ticket.
    pub dropped: u64,
    /// Plain bytes forwarded, both directions of every pair.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct Counters {
    joined: AtomicU64,
    refused: AtomicU64,
    busy: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
}

/// What the lobby decided about one connection.
#[derive(Debug)]
enum Verdict {
    /// The other end comes through here; drive the pair.
    Lead(oneshot::Receiver<Guest>),
    /// Hand yourself over to the one who drives.
    Follow(oneshot::Sender<Guest>),
    Refused(Refusal),
}

#[derive(Debug)]
struct Guest {
    end: End<Stream>,
    /// Dropped when the pair has ended; closed when the guest's own task has.
    over: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Desk {
    lobby: Lobby,
    verdicts: HashMap<ConnectionId, oneshot::Sender<Verdict>>,
    last: u64,
}

/// One relay. Cheap to share; dies with its last user.
#[derive(Debug)]
pub struct Relay {
    settings: Settings,
    desk: Mutex<Desk>,
    deadline_moved: Arc<Notify>,
    counters: Counters,
}

impl Relay {
    /// Starts the relay's timekeeper; must be called inside a tokio runtime.
    pub fn new(settings: Settings, key: TicketKey) -> Arc<Self> {
        let lobby = Lobby::new(key, settings.limits.clone());
        let relay = Arc::new(Self {
            settings,
            desk: Mutex::new(Desk { lobby, verdicts: HashMap::new(), last: 0 }),
            deadline_moved: Arc::new(Notify::new()),
            counters: Counters::default(),
        });
        tokio::spawn(keep_time(Arc::downgrade(&relay), Arc::clone(&relay.deadline_moved)));
        relay
    }

    /// Serves one connection from after its TLS handshake to its end. Whoever
    /// calls has seen that ALPN chose `tasuki-relay/1`. Dropping the future
    /// closes the connection, and its other end if it is joined.
    pub async fn serve_connection(self: &Arc<Self>, stream: Stream, peer: SocketAddr) {
        let admission = self.admit(peer);
        self.serve_admitted(admission, stream).await;
    }

    /// Counts a connection from its accept, before TLS. The lobby may drop it
    /// at any time until it shows a ticket: watch [`Admission::dropped`].
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> Admission {
        let (send, verdict) = oneshot::channel();
        let connection = {
            let mut desk = self.desk();
            desk.last += 1;
            let connection = ConnectionId(desk.last);
            desk.verdicts.insert(connection, send);
            connection
        };
        self.turn(Input::Opened { connection, from: peer.ip().into() });
        Admission { relay: Arc::clone(self), connection, verdict }
    }

    /// The rest of [`serve_connection`](Self::serve_connection).
    pub async fn serve_admitted(self: &Arc<Self>, mut admission: Admission, stream: Stream) {
        if sockets::prepare(stream.get_ref().0, self.settings.receive_buffer).is_err() {
            return;
        }
        let mut end = End { stream, early: Vec::new() };
        match admission.decide(&mut end).await {
            Some(Verdict::Lead(other)) => {
                if let Ok(guest) = other.await {
                    self.drive(end, guest).await;
                }
            }
            Some(Verdict::Follow(leader)) => {
                let (over, ended) = oneshot::channel();
                if leader.send(Guest { end, over }).is_ok() {
                    ended.await.ok();
                }
            }
            Some(Verdict::Refused(why)) => self.turn_away(end.stream, why).await,
            None => {}
        }
    }

    pub fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            now: self.desk().lobby.occupancy(),
            joined: read(&self.counters.joined),
            refused: read(&self.counters.refused),
            busy: read(&self.counters.busy),
            dropped: read(&self.counters.dropped),
            bytes: read(&self.counters.bytes),
        }
    }

    async fn drive(&self, mut end: End<Stream>, mut guest: Guest) {
        let started = Instant::now();
        let terms = Terms { idle: self.settings.idle, rate: self.settings.rate };
        let pair = async {
            let joined = say_joined(&mut end, &mut guest.end);
            match tokio::time::timeout(FAREWELL, joined).await {
                Ok(Ok(())) => forward(&mut end, &mut guest.end, &terms, &self.counters.bytes).await,
                Ok(Err(_)) | Err(_) => (Ended::Broken, 0),
            }
        };
        let (ended, bytes) = tokio::select! {
            result = pair => result,
            () = guest.over.closed() => (Ended::Broken, 0),
        };
        let seconds = started.elapsed().as_secs();
        tracing::info!(?ended, bytes, seconds, "a pair has ended");
    }

    async fn turn_away(&self, mut stream: Stream, why: Refusal) {
        if let Some(answer) = why.answer() {
            tokio::time::timeout(FAREWELL, farewell(&mut stream, answer)).await.ok();
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, input: Input<'_>) {
        let mut desk = self.desk();
        let Desk { lobby, verdicts, .. } = &mut *desk;
        let before = lobby.deadline();
        for output in lobby.turn(input, clock::now()) {
            self.act(output, verdicts);
        }
        if lobby.deadline() != before {
            self.deadline_moved.notify_one();
        }
    }

    fn act(&self, output: Output, verdicts: &mut HashMap<ConnectionId, oneshot::Sender<Verdict>>) {
        let mut tell = |connection, verdict| {
            if let Some(send) = verdicts.remove(&connection) {
                send.send(verdict).ok();
            }
        };
        match output {
            Output::Join { operator, agent } => {
                let (send, receive) = oneshot::channel();
                tell(operator, Verdict::Lead(receive));
                tell(agent, Verdict::Follow(send));
                self.counters.joined.fetch_add(1, Ordering::Relaxed);
            }
            Output::Refuse { connection, why } => {
                tracing::debug!(connection = connection.0, %why, "turned away");
                self.count_refusal(why);
                tell(connection, Verdict::Refused(why));
            }
            Output::Close { connection } => drop(verdicts.remove(&connection)),
        }
    }

    fn count_refusal(&self, why: Refusal) {
        let counter = match why.answer() {
            Some(RelayAnswer::Busy) => &self.counters.busy,
            Some(RelayAnswer::Refused | RelayAnswer::Joined) => &self.counters.refused,
            None => &self.counters.dropped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection's place in the lobby; given back when dropped.
#[derive(Debug)]
pub struct Admission {
    relay: Arc<Relay>,
    connection: ConnectionId,
    verdict: oneshot::Receiver<Verdict>,
}

impl Admission {
    /// Resolves when the lobby gives the place to another or patience ended.
    /// To be raced against the TLS handshake.
    pub async fn dropped(&mut self) {
        (&mut self.verdict).await.ok();
    }

    async fn decide(&mut self, end: &mut End<Stream>) -> Option<Verdict> {
        tokio::select! {
            verdict = &mut self.verdict => return verdict.ok(),
            sealed = read_ticket(end) => {
                let connection = self.connection;
                self.relay.turn(Input::Presented { connection, sealed: &sealed? });
            }
        }
        loop {
            tokio::select! {
                verdict = &mut self.verdict => return verdict.ok(),
                alive = listen_ahead(end) => alive?,
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.relay.turn(Input::Closed { connection: self.connection });
        self.relay.desk().verdicts.remove(&self.connection);
    }
}

async fn say_joined(one: &mut End<Stream>, other: &mut End<Stream>) -> io::Result<()> {
    for end in [one, other] {
        end.stream.write_all(&[RelayAnswer::Joined as u8]).await?;
        end.stream.flush().await?;
    }
    Ok(())
}

async fn keep_time(relay: Weak<Relay>, deadline_moved: Arc<Notify>) {
    loop {
        let Some(deadline) = relay.upgrade().map(|relay| relay.desk().lobby.deadline()) else {
            return;
        };
        match deadline {
            Some(deadline) => {
                tokio::select! {
                    () = tokio::time::sleep_until(deadline.into()) => {}
                    () = deadline_moved.notified() => continue,
                }
            }
            None => {
                deadline_moved.notified().await;
                continue;
            }
        }
        let Some(relay) = relay.upgrade() else { return };
        relay.turn(Input::Tick);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.deadline_moved.notify_one();
    }
}
