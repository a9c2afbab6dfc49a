//! Sockets for a direct path: addresses, datagrams, time. Decides only which of
//! this machine's addresses the path may use (R1).

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tasuki_protocol::terms::AddressDisclosure;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::dial::Places;
use super::interfaces;
use super::stun::Binding;
use crate::core::direct::{DirectLink, LocalAddress, Transmit};
use crate::core::direct_identity::DirectIdentity;
use crate::core::path::{DirectFacts, PathCommand, PathEnd, PathEvent, PathId};

/// Commands that may wait for a path.
const COMMANDS: usize = 256;
/// What a burst of key frame needs while the other side is not scheduled.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
const MAX_SOCKETS: usize = 8;
const MAX_DATAGRAM: usize = 2048;
/// Datagrams read before other things get their turn.
const BATCH: usize = 64;
const STUN_TRIES: u32 = 5;
const STUN_FIRST_WAIT: Duration = Duration::from_millis(250);

/// Starts a direct path; it ends with [`PathEvent::Down`], or silently once
/// nobody listens. Dropping the sender closes it.
pub fn spawn(
    path: PathId,
    identity: Arc<DirectIdentity>,
    facts: DirectFacts,
    disclosure: AddressDisclosure,
    stun: Places,
    events: mpsc::Sender<(PathId, PathEvent)>,
) -> mpsc::Sender<PathCommand> {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    tokio::spawn(async move {
        let sockets = match disclosure {
            AddressDisclosure::RelayOnly => Vec::new(),
            AddressDisclosure::Public | AddressDisclosure::All => bind_all(),
        };
        if sockets.is_empty() {
            // Nobody left to tell is no fault of the path.
            events.send((path, PathEvent::Down(PathEnd::NotReached(Duration::ZERO)))).await.ok();
            return;
        }
        let link = DirectLink::new(&identity, facts, Instant::now());
        let mut carrier = Carrier {
            path,
            link,
            sockets,
            questions: BTreeMap::new(),
            commands: receiver,
            events,
            held: None,
            heard: Heard::Nothing,
            candidates: 0,
        };
        carrier.gather(disclosure, stun);
        carrier.run(stun).await;
    });
    commands
}

struct Bound {
    address: SocketAddr,
    socket: UdpSocket,
}

fn bind_all() -> Vec<Bound> {
    let addresses = interface_addresses();
    addresses.into_iter().filter_map(|ip| bind(SocketAddr::new(ip, 0)).ok()).take(MAX_SOCKETS).collect()
}

/// Without any other address, loopback: both ends may be on this machine.
fn interface_addresses() -> Vec<IpAddr> {
    let all: Vec<IpAddr> = interfaces::addresses()
        .into_iter()
        .filter(|interface| !interface.is_link_local())
        .map(|interface| interface.ip())
        .collect();
    let outward: Vec<IpAddr> = all.iter().copied().filter(|ip| !ip.is_loopback()).collect();
    if outward.is_empty() { all } else { outward }
}

fn bind(address: SocketAddr) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel may give less; a small buffer costs throughput only.
    socket.set_recv_buffer_size(SOCKET_BUFFER).ok();
    socket.set_send_buffer_size(SOCKET_BUFFER).ok();
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    let address = socket.local_addr()?;
    let buffers = socket2::SockRef::from(&socket);
    tracing::debug!(
        receive = buffers.recv_buffer_size().unwrap_or_default(),
        send = buffers.send_buffer_size().unwrap_or_default(),
        "a socket for a direct path"
    );
    Ok(Bound { address, socket })
}

struct Carrier {
    path: PathId,
    link: DirectLink,
    sockets: Vec<Bound>,
    /// Not yet answered, by the socket that asked.
    questions: BTreeMap<usize, Binding>,
    commands: mpsc::Receiver<PathCommand>,
    events: mpsc::Sender<(PathId, PathEvent)>,
    /// An event that the session has no room for at the moment.
    held: Option<PathEvent>,
    heard: Heard,
    /// How many places of the other end were told: with none, silence says nothing of UDP.
    candidates: usize,
}

/// Whether any datagram has come, from whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
}

impl Carrier {
    fn gather(&mut self, disclosure: AddressDisclosure, stun: Places) {
        let now = Instant::now();
        for (index, bound) in self.sockets.iter().enumerate() {
            let local = match disclosure {
                AddressDisclosure::All => LocalAddress::Host(bound.address),
                AddressDisclosure::Public | AddressDisclosure::RelayOnly => {
                    LocalAddress::Untold(bound.address)
                }
            };
            self.link.add_local(local, now);
            let mut transaction = [0; 12];
            if stun.of_family(bound.address).is_some()
                && getrandom::fill(&mut transaction).is_ok()
                && let Some(question) = Binding::new(transaction)
            {
                self.questions.insert(index, question);
            }
        }
    }

    async fn run(&mut self, stun: Places) {
        let mut asking = Asking { servers: stun, tries: 0, next: Instant::now() };
        let mut buffer = vec![0; MAX_DATAGRAM];
        let events = self.events.clone();
        let gone = interfaces::gone(self.sockets.iter().map(|bound| bound.address.ip()).collect());
        let mut gone = std::pin::pin!(gone);
        loop {
            asking.ask(&self.questions, &self.sockets);
            self.transmit();
            self.tell();
            let Some(deadline) = self.link.deadline() else { break };
            let deadline = asking.deadline(&self.questions).map_or(deadline, |ask| ask.min(deadline));
            tokio::select! {
                command = self.commands.recv() => {
                    let Some(command) = command else { break };
                    self.candidates += usize::from(matches!(command, PathCommand::RemoteCandidate(_)));
                    self.link.handle_command(command, Instant::now());
                }
                room = events.reserve(), if self.held.is_some() => {
                    let Ok(room) = room else { break };
                    if let Some(event) = self.held.take() {
                        room.send((self.path, event));
                    }
                }
                index = readable(&self.sockets), if self.held.is_none() => {
                    self.receive(index, asking.servers, &mut buffer);
                }
                () = sleep_until(deadline.into()) => self.link.handle_timeout(Instant::now()),
                // The session gathers afresh on a new path.
                () = &mut gone => break,
            }
        }
        self.leave().await;
    }

    fn receive(&mut self, index: usize, stun: Places, buffer: &mut [u8]) {
        let local = self.sockets[index].address;
        for _ in 0..BATCH {
            let Ok((length, source)) = self.sockets[index].socket.try_recv_from(buffer) else { return };
            let now = Instant::now();
            self.heard = Heard::Something;
            let datagram = &buffer[..length];
            if stun.contains(source)
                && let Some(seen) = self.questions.get(&index).and_then(|asked| asked.answer(datagram))
            {
                self.questions.remove(&index);
                self.link.add_local(LocalAddress::ServerReflexive { seen, base: local }, now);
            } else {
                self.link.handle_datagram(source, local, datagram, now);
            }
            self.transmit();
        }
    }

    fn transmit(&mut self) {
        while let Some(Transmit { local, destination, bytes }) = self.link.poll_transmit() {
            let Some(bound) = self.sockets.iter().find(|bound| bound.address == local) else {
                continue;
            };
            // A full buffer or an unreachable host loses the datagram, as the network would.
            bound.socket.try_send_to(&bytes, destination).ok();
        }
    }

    fn next_event(&mut self) -> Option<PathEvent> {
        let event = self.link.poll_event()?;
        let not_reached = matches!(event, PathEvent::Down(PathEnd::NotReached(_)));
        let silent = not_reached && self.heard == Heard::Nothing && self.candidates > 0;
        Some(if silent { PathEvent::Down(PathEnd::NoUdp) } else { event })
    }

    fn tell(&mut self) {
        while self.held.is_none() {
            let Some(event) = self.next_event() else { return };
            match self.events.try_send((self.path, event)) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
                Err(mpsc::error::TrySendError::Full((_, event))) => self.held = Some(event),
            }
        }
    }

    /// Says goodbye, if that is still to be said, and what the session has yet to hear.
    async fn leave(&mut self) {
        self.link.handle_command(PathCommand::Close, Instant::now());
        self.transmit();
        while let Some(event) = self.held.take().or_else(|| self.next_event()) {
            if self.events.send((self.path, event)).await.is_err() {
                return;
            }
        }
    }
}

struct Asking {
    servers: Places,
    tries: u32,
    next: Instant,
}

impl Asking {
    fn deadline(&self, open: &BTreeMap<usize, Binding>) -> Option<Instant> {
        (!open.is_empty() && self.tries < STUN_TRIES).then_some(self.next)
    }

    fn ask(&mut self, open: &BTreeMap<usize, Binding>, sockets: &[Bound]) {
        if self.deadline(open).is_none_or(|next| Instant::now() < next) {
            return;
        }
        for (index, question) in open {
            let bound = &sockets[*index];
            let Some(server) = self.servers.of_family(bound.address) else { continue };
            // Lost questions are asked again.
            bound.socket.try_send_to(&question.bytes, server).ok();
        }
        self.next = Instant::now() + STUN_FIRST_WAIT * 2u32.pow(self.tries);
        self.tries += 1;
    }
}

/// The first socket with something to read. Cancel-safe.
async fn readable(sockets: &[Bound]) -> usize {
    poll_fn(|context| {
        for (index, bound) in sockets.iter().enumerate() {
            if bound.socket.poll_recv_ready(context).is_ready() {
                return Poll::Ready(index);
            }
        }
        Poll::Pending
    })
    .await
}
