//! The stream of a relayed leg: TCP, TLS to the relay, the ticket, then bytes in
//! both directions. Decides nothing of what passes.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tasuki_protocol::http_answer::Answer;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::ticket::{RELAY_ALPN, RELAY_PATH, RELAY_UPGRADE, RelayAnswer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::client::TlsStream;

use super::dial::{self, Callee, HTTP_ALPN, Stream};
use super::fault::Fault;
use super::interfaces;
use super::proxy::{self, Proxies};
use super::{system, tls};
use crate::core::path::{PathCommand, PathEnd, PathEvent, PathId, RelayFacts};
use crate::core::relay_leg::RelayLeg;

/// Commands that may wait for a path.
const COMMANDS: usize = 256;
/// From the first packet to the other end's arrival.
const JOINED_WITHIN: Duration = Duration::from_secs(15);
/// How long an orderly end may take to leave.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// Bytes in the kernel that are not yet on the wire: what a key stroke may wait behind.
const NOT_SENT: u32 = 16 * 1024;
const READ_BYTES: usize = 32 * 1024;

/// Starts a relayed path; it ends with [`PathEvent::Down`], or silently once
/// nobody listens. Dropping the sender closes it. `server` has the relay where the
/// leg names none.
pub fn spawn(
    path: PathId,
    facts: RelayFacts,
    server: Callee,
    proxies: Proxies,
    seed: Seed,
    events: mpsc::Sender<(PathId, PathEvent)>,
) -> mpsc::Sender<PathCommand> {
    let (commands, mut receiver) = mpsc::channel(COMMANDS);
    tokio::spawn(async move {
        let joined = tokio::select! {
            joined = timeout(JOINED_WITHIN, join(&facts, server, &proxies)) => {
                joined.unwrap_or(Err(PathEnd::NotReached(JOINED_WITHIN)))
            }
            () = closed(&mut receiver) => Err(PathEnd::ClosedHere),
        };
        match joined {
            Ok(stream) => {
                let suite = stream.get_ref().1.negotiated_cipher_suite();
                let tls = suite.map(tls::suite_name).unwrap_or_default();
                let local = stream.get_ref().0.local_addr().map(|local| local.ip()).ok();
                let leg = RelayLeg::new(&facts, tls, &seed, Instant::now());
                let (reader, writer) = tokio::io::split(stream);
                let outgoing = Outgoing { writer, bytes: Vec::new(), written: 0 };
                let carrier = Carrier {
                    path,
                    local,
                    leg,
                    reader,
                    outgoing,
                    commands: receiver,
                    events,
                    held: None,
                };
                carrier.run().await;
            }
            // Nobody left to tell is no fault of the path.
            Err(why) => drop(events.send((path, PathEvent::Down(why))).await),
        }
    });
    commands
}

/// Commands before the leg stands mean nothing but its end.
async fn closed(commands: &mut mpsc::Receiver<PathCommand>) {
    loop {
        match commands.recv().await {
            None | Some(PathCommand::Close) => return,
            Some(
                PathCommand::SendPacket(_)
                | PathCommand::SendVideo(_)
                | PathCommand::RemoteCandidate(_)
                | PathCommand::UseRelay(_)
                | PathCommand::AskKeyFrame,
            ) => {}
        }
    }
}

async fn join(
    facts: &RelayFacts,
    server: Callee,
    proxies: &Proxies,
) -> Result<TlsStream<TcpStream>, PathEnd> {
    let relay = facts.leg.relay.as_ref();
    let callee = relay.map_or(server, |relay| Callee {
        host: relay.host.clone(),
        port: relay.port,
        pins: vec![relay.pin],
    });
    let network = |error: io::Error| PathEnd::Network(error.to_string());
    let mut stream = connect(&callee, proxies).await.map_err(|why| path_end(&why))?;
    system::keep_little_unsent(stream.get_ref().0, NOT_SENT);
    show_ticket(&mut stream, &facts.leg.ticket.0).await.map_err(network)?;
    let answer = stream.read_u8().await.map_err(network)?;
    match RelayAnswer::try_from(answer) {
        Ok(RelayAnswer::Joined) => Ok(stream),
        Ok(RelayAnswer::Refused | RelayAnswer::Busy) | Err(_) => Err(PathEnd::RelayRefused),
    }
}

/// A stream to the relay, before the ticket: by the relay's own name in ALPN, and where
/// a network cuts that off, as a browser would come.
///
/// # Errors
/// Neither way leads there. Another key ends it at once.
pub(super) async fn connect(callee: &Callee, proxies: &Proxies) -> Result<Stream, Fault> {
    let tcp = dial::reach(callee, proxies).await?;
    match dial::secure(callee, tcp, RELAY_ALPN).await {
        Ok(stream) => return Ok(stream),
        Err(why @ (Fault::WrongServerKey { .. } | Fault::Inspected { .. })) => return Err(why),
        Err(why) => tracing::debug!(%why, "the relay is tried as a path of the web server"),
    }
    let tcp = dial::reach(callee, proxies).await?;
    let mut stream = dial::secure(callee, tcp, HTTP_ALPN).await?;
    let request = format!(
        "GET {RELAY_PATH} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: {RELAY_UPGRADE}\r\n\r\n",
        callee.address()
    );
    match proxy::ask(&mut stream, request.as_bytes()).await {
        Ok(Answer::Switched) => Ok(stream),
        Ok(_) | Err(_) => Err(Fault::NotTasuki { address: callee.address() }),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of all that stops a program these are attacks")]
fn path_end(why: &Fault) -> PathEnd {
    match why {
        Fault::WrongServerKey { .. } | Fault::Inspected { .. } => {
            PathEnd::Violation("the relay does not show its pinned key")
        }
        other => PathEnd::Network(other.to_string()),
    }
}

/// The length (u16, big-endian), then the ticket.
async fn show_ticket(stream: &mut TlsStream<TcpStream>, ticket: &[u8]) -> io::Result<()> {
    let length = u16::try_from(ticket.len()).map_err(io::Error::other)?;
    let frame = [&length.to_be_bytes(), ticket].concat();
    stream.write_all(&frame).await?;
    stream.flush().await
}

struct Carrier {
    path: PathId,
    /// The address of this machine that the stream comes from.
    local: Option<IpAddr>,
    leg: RelayLeg,
    reader: ReadHalf<TlsStream<TcpStream>>,
    outgoing: Outgoing,
    commands: mpsc::Receiver<PathCommand>,
    events: mpsc::Sender<(PathId, PathEvent)>,
    /// An event that the session has no room for at the moment.
    held: Option<PathEvent>,
}

impl Carrier {
    async fn run(mut self) {
        let mut buffer = vec![0; READ_BYTES];
        let events = self.events.clone();
        let gone = interfaces::gone(self.local.into_iter().collect());
        let mut gone = std::pin::pin!(gone);
        loop {
            self.outgoing.refill(&mut self.leg);
            self.tell();
            if self.leg.is_over() || self.leg.deadline().is_none() {
                break;
            }
            let deadline = self.leg.deadline().unwrap_or_else(Instant::now);
            tokio::select! {
                command = self.commands.recv() => {
                    self.leg.handle_command(command.unwrap_or(PathCommand::Close), Instant::now());
                }
                room = events.reserve(), if self.held.is_some() => {
                    let Ok(room) = room else { break };
                    if let Some(event) = self.held.take() {
                        room.send((self.path, event));
                    }
                }
                read = self.reader.read(&mut buffer), if self.held.is_none() => match read {
                    Ok(0) | Err(_) => self.leg.handle_end(),
                    Ok(length) => self.leg.handle_bytes(&buffer[..length], Instant::now()),
                },
                written = self.outgoing.write(), if self.outgoing.is_busy() => {
                    if written.is_err() {
                        self.leg.handle_end();
                    }
                }
                () = sleep_until(deadline.into()) => self.leg.handle_timeout(Instant::now()),
                () = &mut gone => self.leg.handle_end(),
            }
        }
        self.finish().await;
    }

    fn tell(&mut self) {
        while self.held.is_none() {
            let Some(event) = self.leg.poll_event() else { return };
            match self.events.try_send((self.path, event)) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
                Err(mpsc::error::TrySendError::Full((_, event))) => self.held = Some(event),
            }
        }
    }

    async fn finish(mut self) {
        while let Some(event) = self.held.take().or_else(|| self.leg.poll_event()) {
            if self.events.send((self.path, event)).await.is_err() {
                break;
            }
        }
        // What cannot leave in time is a cut at the other end, which it must stand anyway.
        timeout(CLOSE_WITHIN, self.outgoing.drain(&mut self.leg)).await.ok();
    }
}

struct Outgoing {
    writer: WriteHalf<TlsStream<TcpStream>>,
    bytes: Vec<u8>,
    written: usize,
}

impl Outgoing {
    fn is_busy(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn refill(&mut self, leg: &mut RelayLeg) {
        if !self.is_busy()
            && let Some(bytes) = leg.next_bytes(Instant::now())
        {
            self.bytes = bytes;
            self.written = 0;
        }
    }

    /// One step; cancel-safe, for nothing is counted before it is done.
    async fn write(&mut self) -> io::Result<()> {
        if self.written < self.bytes.len() {
            self.written += self.writer.write(&self.bytes[self.written..]).await?;
            return Ok(());
        }
        self.writer.flush().await?;
        self.bytes.clear();
        Ok(())
    }

    async fn drain(&mut self, leg: &mut RelayLeg) -> io::Result<()> {
        self.refill(leg);
        while self.is_busy() {
            self.write().await?;
            self.refill(leg);
        }
        self.writer.shutdown().await
    }
}
