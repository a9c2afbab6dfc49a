//! Sockets for a direct path: addresses, datagrams, time. Decides only when it
//! needs no address at a relay.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasuki_protocol::seed::Seed;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_protocol::turn::TurnCredential;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::dial::{self, Callee, Places};
use super::direct_sockets::{Bound, bind_all, readable};
use super::interfaces;
use super::stun::Binding;
use crate::core::direct::{DirectLink, LocalAddress, Transmit, at_relay};
use crate::core::direct_identity::DirectIdentity;
use crate::core::exposure::Exposure;
use crate::core::path::{DirectFacts, PathCommand, PathEnd, PathEvent, PathId, Route, TurnFacts};
use crate::core::turn::{Allocations, Place, Received, TurnEvent};

/// Commands that may wait for a path.
const COMMANDS: usize = 256;
const MAX_DATAGRAM: usize = 2048;
/// Datagrams read before other things get their turn.
const BATCH: usize = 64;
const STUN_TRIES: u32 = 5;
const STUN_FIRST_WAIT: Duration = Duration::from_millis(250);
/// For how long an address at a relay is kept beside a way that does without.
const SPARE: Duration = Duration::from_secs(5);
/// What a datagram begins with that is no STUN (RFC 7983 §7).
const FIRST_DTLS: u8 = 20;

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
        let sockets = bind_all();
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
            exposure: Exposure::new(disclosure),
            server: stun,
            relay: Allocations::default(),
            finding: None,
            route: Route::Straight,
            spare: None,
        };
        carrier.gather();
        carrier.run().await;
    });
    commands
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
    exposure: Exposure,
    /// Where STUN is asked.
    server: Places,
    relay: Allocations,
    /// A relay whose name is being looked up.
    finding: Option<Finding>,
    route: Route,
    /// When the address at the relay is given back, unless it is needed until then.
    spare: Option<Instant>,
}

struct Finding {
    credential: TurnCredential,
    places: JoinHandle<Places>,
}

/// Whether any datagram has come, from whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
}

impl Carrier {
    fn gather(&mut self) {
        let now = Instant::now();
        for (index, bound) in self.sockets.iter().enumerate() {
            if let Some(local) = self.exposure.bound(bound.address) {
                self.link.add_local(local, now);
            }
            let mut transaction = [0; 12];
            if self.server.of_family(bound.address).is_some()
                && getrandom::fill(&mut transaction).is_ok()
                && let Some(question) = Binding::new(transaction)
            {
                self.questions.insert(index, question);
            }
        }
    }

    async fn run(&mut self) {
        let mut asking = Asking { servers: self.server, tries: 0, next: Instant::now() };
        let mut buffer = vec![0; MAX_DATAGRAM];
        let events = self.events.clone();
        let gone = interfaces::gone(self.sockets.iter().map(|bound| bound.address.ip()).collect());
        let mut gone = std::pin::pin!(gone);
        loop {
            asking.ask(&self.questions, &self.sockets);
            self.hear_relay();
            self.transmit();
            self.tell();
            let Some(deadline) = self.link.deadline() else { break };
            let others = [asking.deadline(&self.questions), self.relay.deadline(), self.spare];
            let deadline = others.into_iter().flatten().fold(deadline, Instant::min);
            tokio::select! {
                command = self.commands.recv() => {
                    let Some(command) = command else { break };
                    self.obey(command);
                }
                room = events.reserve(), if self.held.is_some() => {
                    let Ok(room) = room else { break };
                    if let Some(event) = self.held.take() {
                        room.send((self.path, event));
                    }
                }
                index = readable(&self.sockets), if self.held.is_none() => {
                    self.receive(index, &mut buffer);
                }
                (credential, places) = found(&mut self.finding) => self.ask_relay(&credential, places),
                () = sleep_until(deadline.into()) => self.wake(),
                // The session gathers afresh on a new path.
                () = &mut gone => break,
            }
        }
        self.leave().await;
    }

    fn obey(&mut self, command: PathCommand) {
        let now = Instant::now();
        match &command {
            PathCommand::RemoteCandidate(line) => {
                self.candidates += 1;
                if let Some(peer) = at_relay(line) {
                    self.relay.heed(peer, now);
                }
            }
            PathCommand::UseRelay(facts) => self.use_relay(facts),
            PathCommand::SendPacket(_)
            | PathCommand::SendVideo(_)
            | PathCommand::AskKeyFrame
            | PathCommand::Close => {}
        }
        self.link.handle_command(command, now);
    }

    fn use_relay(&mut self, facts: &TurnFacts) {
        let TurnFacts { host, port, credential } = facts.clone();
        let Some(host) = host else {
            return self.ask_relay(&credential, self.server.at_port(port));
        };
        let callee = Callee { host, port, pins: Vec::new() };
        let places = tokio::spawn(async move {
            dial::resolve(&callee).await.unwrap_or_default().into_iter().collect()
        });
        self.finding = Some(Finding { credential, places });
    }

    fn ask_relay(&mut self, credential: &TurnCredential, servers: Places) {
        let mut seed = [0; 32];
        if getrandom::fill(&mut seed).is_err() {
            return;
        }
        let places = self.sockets.iter().filter_map(|bound| {
            let server = servers.of_family(bound.address)?;
            Some(Place { local: bound.address, server })
        });
        self.relay.begin(places, credential, &Seed::from_bytes(seed), Instant::now());
    }

    fn hear_relay(&mut self) {
        while let Some((place, event)) = self.relay.poll_event() {
            match event {
                TurnEvent::Allocated(at) => {
                    let address = LocalAddress::Relayed { at, base: place.local };
                    self.link.add_local(address, Instant::now());
                }
                TurnEvent::Gone(why) => {
                    tracing::info!(path = self.path.0, %why, "no address at the relay");
                    if self.route == Route::ByRelay {
                        self.link.lose();
                    }
                }
            }
        }
    }

    fn wake(&mut self) {
        let now = Instant::now();
        self.link.handle_timeout(now);
        self.relay.handle_timeout(now);
        if self.spare.is_some_and(|spare| now >= spare) {
            self.spare = None;
            self.relay.close(now);
        }
    }

    fn receive(&mut self, index: usize, buffer: &mut [u8]) {
        let local = self.sockets[index].address;
        for _ in 0..BATCH {
            let Ok((length, source)) = self.sockets[index].socket.try_recv_from(buffer) else { return };
            let now = Instant::now();
            self.heard = Heard::Something;
            let datagram = &buffer[..length];
            if self.server.contains(source)
                && let Some(seen) = self.questions.get(&index).and_then(|asked| asked.answer(datagram))
            {
                self.questions.remove(&index);
                for address in self.exposure.reflexive(seen, local) {
                    self.link.add_local(address, now);
                }
            } else {
                match self.relay.receive(source, local, datagram, now) {
                    Received::Data { peer, local, data } => {
                        // The other end may change its way later than this one.
                        if datagram[data.clone()].first().is_some_and(|first| *first >= FIRST_DTLS) {
                            self.spare = self.spare.map(|_| now + SPARE);
                        }
                        self.link.handle_datagram(peer, local, &datagram[data], now);
                    }
                    Received::Foreign if self.exposure.admits(local, source.ip()) => {
                        self.link.handle_datagram(source, local, datagram, now);
                    }
                    Received::Foreign | Received::Taken => {}
                }
            }
            self.transmit();
        }
    }

    fn transmit(&mut self) {
        while let Some(transmit) = self.link.poll_transmit() {
            let admitted = self.relay.is_at_relay(transmit.local)
                || self.exposure.admits(transmit.local, transmit.destination.ip());
            if admitted && let Some(transmit) = self.relay.send(transmit) {
                self.put(&transmit);
            }
        }
        while let Some(transmit) = self.relay.poll_transmit() {
            self.put(&transmit);
        }
    }

    /// A full buffer or an unreachable host loses the datagram, as the network would; so is one
    /// lost that comes from an address at a relay which is gone.
    fn put(&self, transmit: &Transmit) {
        if let Some(bound) = self.sockets.iter().find(|bound| bound.address == transmit.local) {
            bound.socket.try_send_to(&transmit.bytes, transmit.destination).ok();
        }
    }

    fn next_event(&mut self) -> Option<PathEvent> {
        let event = self.link.poll_event()?;
        if let PathEvent::Routed(route) = &event {
            self.route = *route;
        }
        if matches!(event, PathEvent::Up(_) | PathEvent::Routed(_)) {
            let straight = self.route == Route::Straight;
            self.spare = straight.then(|| Instant::now() + SPARE);
        }
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
        let now = Instant::now();
        self.link.handle_command(PathCommand::Close, now);
        self.transmit();
        self.relay.close(now);
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

/// Where the relay is that was being looked up. Cancel-safe.
async fn found(finding: &mut Option<Finding>) -> (TurnCredential, Places) {
    let Some(looked) = finding else { return std::future::pending().await };
    let places = (&mut looked.places).await.unwrap_or_default();
    let credential = looked.credential.clone();
    *finding = None;
    (credential, places)
}
