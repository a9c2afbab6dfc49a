//! One TCP port: admits, counts, shakes hands, and gives each connection to whom
//! its ALPN names: the HTTP server or the relay.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::set_tcp_user_timeout;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tasuki_protocol::login::LOGIN_EXPORTER;
use tasuki_protocol::ticket::RELAY_ALPN;
use tasuki_protocol::turn::TURN_ALPN;
use tasuki_turn_relay::{Relay, TurnServer, serve_stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tower_service::Service;

use super::acme::{ACME_ALPN, Challenge};
use super::config::SocketRules;
use super::metrics::Metrics;
use super::relay_path::Switch;
use super::renewal::{Renewable, Renewal};
use super::tls::Tls;
use super::turnstile::{BriefTurn, Turnstile};
use crate::core::guesses::Place;

/// How long to leave the listener alone when the system has no more sockets.
const BREATH: Duration = Duration::from_millis(100);
/// For how long, in milliseconds, an end may take nothing of what was sent to it (TCP_USER_TIMEOUT):
/// longer than a gap that a session survives.
const UNTAKEN_MS: u32 = 30_000;
/// How long anybody may take to come in while others wait: there and back around the world.
const TURN: Duration = Duration::from_millis(500);
/// The most bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// A connection that was let in, for as long as anything of it lives.
/// How often the certificate's files are looked at: a renewal has weeks.
const LOOK_EVERY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub(crate) peer: SocketAddr,
    /// What the two ends of this connection know and nobody else (RFC 5705): what is signed
    /// over it is worth nothing on another.
    pub(crate) exporter: [u8; 32],
    _stay: Arc<Stay>,
}

pub(crate) struct Door {
    pub(crate) rules: SocketRules,
    pub(crate) tls: SharedTls,
    pub(crate) challenge: Challenge,
    pub(crate) router: Router,
    pub(crate) relay: Option<Arc<Relay>>,
    pub(crate) turn: Option<Arc<TurnServer>>,
    pub(crate) guests: Arc<Guests>,
    pub(crate) metrics: Arc<Metrics>,
    /// True once the server stops: who is being answered is answered, and then no more.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The TLS key and certificate in use, which an administrator or an authority may change while
/// the server runs.
#[derive(Debug, Clone)]
pub(crate) struct SharedTls(Arc<RwLock<Tls>>);

impl SharedTls {
    pub(crate) fn new(tls: Tls) -> Self {
        Self(Arc::new(RwLock::new(tls)))
    }

    pub(crate) fn replace(&self, tls: Tls) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    /// Takes into use what the certificate's file holds now.
    pub(crate) fn renew(&self) -> Renewal {
        self.0.read().unwrap_or_else(PoisonError::into_inner).certificate.renew()
    }

    /// Takes newer files into use until the future is dropped.
    pub(crate) async fn keep_fresh(self) {
        let mut known = self.certificate().written();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let certificate = self.certificate();
            let now = certificate.written();
            // A new key came with files of its own, which are in use already.
            if now != known && now.pin == known.pin {
                certificate.take_newer();
            }
            known = now;
        }
    }

    fn certificate(&self) -> Arc<Renewable> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).certificate)
    }

    fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).config)
    }
}

impl std::fmt::Debug for Guests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guests").finish_non_exhaustive()
    }
}

/// Who is inside, by place, and who comes in next.
pub(crate) struct Guests {
    most: usize,
    most_per_place: usize,
    seats: Arc<Semaphore>,
    places: Mutex<HashMap<Place, usize>>,
    turnstile: Arc<Turnstile>,
}

impl Guests {
    pub(crate) fn new(rules: &SocketRules) -> Arc<Self> {
        Arc::new(Self {
            most: rules.connections,
            most_per_place: rules.connections_per_address,
            seats: Arc::new(Semaphore::new(rules.connections)),
            places: Mutex::new(HashMap::new()),
            turnstile: Turnstile::of_this_machine(),
        })
    }

    pub(crate) fn inside(&self) -> usize {
        self.most.saturating_sub(self.seats.available_permits())
    }

    fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Guest> {
        let seat = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        let place = Place::from(peer.ip());
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let here = places.entry(place).or_default();
        if *here >= self.most_per_place {
            return None;
        }
        *here += 1;
        let stay = Stay { _seat: seat, place, guests: Arc::clone(self) };
        Some(Guest { peer, exporter: [0; 32], _stay: Arc::new(stay) })
    }

    /// Waits until everybody has left, at most `patience`.
    pub(crate) async fn all_gone(&self, patience: Duration) {
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        timeout(patience, self.seats.acquire_many(all)).await.ok();
    }
}

struct Stay {
    _seat: OwnedSemaphorePermit,
    place: Place,
    guests: Arc<Guests>,
}

impl std::fmt::Debug for Stay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stay").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut places = self.guests.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = places.get_mut(&self.place) {
            *here -= 1;
            if *here == 0 {
                places.remove(&self.place);
            }
        }
    }
}

/// Accepts until the server stops, then waits for what is being answered; dropped, closes
/// what is not a WebSocket.
pub(crate) async fn accept(listener: TcpListener, door: Arc<Door>) {
    let mut serving = JoinSet::new();
    let mut stopping = door.stopping.clone();
    loop {
        while serving.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop(&mut stopping) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Some(guest) = door.guests.admit(peer) else {
            Metrics::add(&door.metrics.turned_away);
            tracing::debug!(%peer, "too many connections: closed at accept");
            continue;
        };
        let door = Arc::clone(&door);
        serving.spawn(async move { serve(&door, guest, stream).await });
    }
    drop(listener);
    while serving.join_next().await.is_some() {}
}

async fn serve(door: &Door, guest: Guest, stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let (stream, turn) = match timeout(door.rules.handshake, shake_hands(door, stream)).await {
        Ok(Ok(shaken)) => shaken,
        Ok(Err(error)) => {
            Metrics::add(&door.metrics.handshakes_failed);
            return tracing::debug!(peer = %guest.peer, %error, "TLS failed");
        }
        Err(_) => {
            Metrics::add(&door.metrics.handshakes_failed);
            return tracing::debug!(peer = %guest.peer, "TLS took too long");
        }
    };
    match stream.get_ref().1.alpn_protocol() {
        Some(RELAY_ALPN) => {
            drop(turn);
            if let Some(relay) = &door.relay {
                relay.serve_connection(stream, guest.peer).await;
            }
        }
        Some(TURN_ALPN) => {
            drop(turn);
            if let Some(turn) = &door.turn {
                serve_stream(Arc::clone(turn), stream, guest.peer).await;
            }
        }
        // An authority has seen what it came for (RFC 8737 §3).
        Some(ACME_ALPN) => {}
        Some(_) | None => speak_http(door, guest, stream, turn).await,
    }
}

async fn shake_hands(
    door: &Door,
    stream: TcpStream,
) -> std::io::Result<(TlsStream<TcpStream>, BriefTurn)> {
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let is_authority =
        begun.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == ACME_ALPN));
    let challenge = is_authority.then(|| door.challenge.shown()).flatten();
    // Who has not even said hello holds no turn, and who stalls behind it holds none for long.
    let turn = door.guests.turnstile.enter().await.for_at_most(TURN);
    let stream = begun.into_stream(challenge.unwrap_or_else(|| door.tls.config())).await?;
    Ok((stream, turn))
}

async fn speak_http(door: &Door, mut guest: Guest, stream: TlsStream<TcpStream>, turn: BriefTurn) {
    let peer = guest.peer;
    let exporter = stream.get_ref().1.export_keying_material([0; 32], LOGIN_EXPORTER, None);
    let Ok(exporter) = exporter else { return tracing::debug!(%peer, "TLS exports nothing") };
    // An answer that nobody takes holds no place for ever.
    if let Err(error) = set_tcp_user_timeout(stream.get_ref().0, UNTAKEN_MS) {
        return tracing::debug!(%peer, %error, "the system takes no time-out");
    }
    guest.exporter = exporter;
    let stays = guest.clone();
    let router = door.router.clone();
    let switch = door.relay.as_ref().map(|_| Switch::default());
    let asked = switch.clone();
    // Until the first answer: what a request costs the database is part of coming in.
    let turn = Cell::new(Some(turn));
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(guest.clone());
        let switched = asked.as_ref().and_then(|switch| switch.answer(&mut request));
        let (guest, router, turn) = (guest.clone(), router.clone(), turn.take());
        async move {
            match switched {
                Some(switched) => Ok(switched),
                // What is begun is carried through, with its seat, though who asked hang up meanwhile:
                // a record and what it puts in force are one act.
                None => {
                    tokio::spawn(async move {
                        let answer = answered(router, request).await;
                        drop((guest, turn));
                        answer
                    })
                    .await
                }
            }
        }
    });
    let connection =
        http(door.rules.first_message).serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut stopping = door.stopping.clone();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        return tracing::debug!(%peer, %error, "an HTTP connection ended");
    }
    if let (Some(relay), Some(switch)) = (&door.relay, switch)
        && let Some(stream) = switch.stream().await
    {
        relay.serve_connection(stream, peer).await;
    }
    drop(stays);
}

async fn answered(mut router: Router, request: Request<Incoming>) -> axum::response::Response {
    match router.call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// Until the server stops.
async fn stop(stopping: &mut watch::Receiver<bool>) {
    stopping.wait_for(|stop| *stop).await.ok();
}

/// One connection without TLS; for the loopback only.
pub(crate) async fn plain_http(stream: TcpStream, router: Router, patience: Duration) {
    let service =
        hyper::service::service_fn(move |request: Request<Incoming>| router.clone().call(request));
    let connection = http(patience).serve_connection(TokioIo::new(stream), service);
    connection.await.ok();
}

fn http(patience: Duration) -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD_BYTES);
    builder
}
