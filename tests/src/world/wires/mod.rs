//! The ends' real paths on a simulated network: [`DirectLink`] over datagrams through
//! address translators, [`RelayLeg`] over streams that the relay's own lobby joins.
//!
//! Everything happens on the world's clock. Keys of DTLS come from the cryptographic
//! library, so that bytes differ from run to run; what is decided does not.

pub mod nat;
mod streams;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasuki_peer::core::direct::DirectLink;
use tasuki_peer::core::direct_identity::DirectIdentity;
use tasuki_peer::core::exposure::Exposure;
use tasuki_peer::core::path::{
    DirectFacts, PathCommand, PathEnd, PathEvent, PathId, PathKind, RelayFacts,
};
use tasuki_protocol::ids::Role;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_protocol::ticket::TicketKey;

use super::dice::{Chance, Dice};
use super::network::{Sender, Weather, Whose};
use nat::{Gateway, NatKind};
use streams::Streams;

/// Where both ends ask for their address as the world sees it.
const STUN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)), 3478);

/// What the network between the ends is like at this moment.
#[derive(Debug)]
pub struct Air<'a> {
    pub now: Instant,
    pub weather: Weather,
    pub cut: &'a BTreeSet<Sender>,
    pub dice: &'a mut Dice,
}

impl Air<'_> {
    fn is_cut(&self, role: Role, kind: PathKind) -> bool {
        self.cut.contains(&Sender { operator: Whose::of(role), kind })
    }

    fn late(&mut self) -> Duration {
        let jitter = u64::try_from(self.weather.jitter.as_micros()).unwrap_or_default();
        self.weather.latency + Duration::from_micros(self.dice.below(jitter))
    }
}

#[derive(Debug)]
pub struct Wires {
    identities: [Arc<DirectIdentity>; 2],
    disclosure: AddressDisclosure,
    gateways: [Gateway; 2],
    links: Vec<Line>,
    streams: Streams,
    agenda: BTreeMap<(Instant, u64), Due>,
    sequence: u64,
    next_port: u16,
    events: VecDeque<(Role, PathId, PathEvent)>,
}

#[derive(Debug)]
struct Line {
    role: Role,
    id: PathId,
    address: SocketAddr,
    exposure: Exposure,
    link: DirectLink,
}

#[derive(Debug)]
enum Due {
    Datagram {
        to: Role,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A STUN server has answered.
    Reflexive {
        role: Role,
        id: PathId,
        seen: SocketAddr,
    },
}

impl Wires {
    pub fn new(
        identities: [Arc<DirectIdentity>; 2],
        disclosure: AddressDisclosure,
        ticket_key: TicketKey,
        seed: Seed,
    ) -> Self {
        Self {
            identities,
            disclosure,
            gateways: [
                Gateway::new(NatKind::Open, [198, 51, 100, 7].into()),
                Gateway::new(NatKind::Open, [203, 0, 113, 7].into()),
            ],
            links: Vec::new(),
            streams: Streams::new(ticket_key, seed),
            agenda: BTreeMap::new(),
            sequence: 0,
            next_port: 40_000,
            events: VecDeque::new(),
        }
    }

    pub fn set_nat(&mut self, role: Role, kind: NatKind) {
        self.gateways[role as usize].become_kind(kind);
    }

    /// What the paths have to tell, in order.
    pub fn next_event(&mut self) -> Option<(Role, PathId, PathEvent)> {
        self.events.pop_front()
    }

    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let links = self.links.iter().filter_map(|line| line.link.deadline());
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let told = (!self.events.is_empty()).then_some(now);
        links.chain(agenda).chain(self.streams.deadline()).chain(told).min()
    }

    /// Does what is due by now.
    pub fn advance(&mut self, air: &mut Air<'_>) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= air.now) {
            match entry.remove() {
                Due::Datagram { to, source, destination, bytes } => {
                    self.arrive(to, source, destination, &bytes, air);
                }
                Due::Reflexive { role, id, seen } => self.reflexive(role, id, seen, air),
            }
        }
        let is_due = |line: &Line| line.link.deadline().is_some_and(|due| due <= air.now);
        let due: Vec<(Role, PathId)> =
            self.links.iter().filter(|line| is_due(line)).map(|line| (line.role, line.id)).collect();
        for (role, id) in due {
            self.with_link(role, id, air, |link, now| link.handle_timeout(now));
        }
        self.streams.advance(air, &mut self.events);
    }

    pub fn open_direct(&mut self, role: Role, id: PathId, facts: DirectFacts, air: &mut Air<'_>) {
        // R1 binds the operator's addresses; the user's are his own to tell.
        let disclosure = match role {
            Role::Operator => self.disclosure,
            Role::Agent => AddressDisclosure::All,
        };
        self.next_port += 1;
        let address = SocketAddr::new(self.gateways[role as usize].inside(role), self.next_port);
        if disclosure == AddressDisclosure::RelayOnly {
            let end = PathEnd::NotReached(Duration::ZERO);
            return self.events.push_back((role, id, PathEvent::Down(end)));
        }
        let link = DirectLink::new(&self.identities[role as usize], facts, air.now);
        let mut exposure = Exposure::new(disclosure);
        let local = exposure.bound(address);
        self.links.push(Line { role, id, address, exposure, link });
        if let Some(local) = local {
            self.with_link(role, id, air, |link, now| link.add_local(local, now));
        }
        if let Some(seen) = self.gateways[role as usize].outbound(address, STUN) {
            let answered = air.late() + air.late();
            self.plan(air.now + answered, Due::Reflexive { role, id, seen });
        }
    }

    fn reflexive(&mut self, role: Role, id: PathId, seen: SocketAddr, air: &mut Air<'_>) {
        let Some(line) = self.links.iter_mut().find(|line| (line.role, line.id) == (role, id)) else {
            return;
        };
        for local in line.exposure.reflexive(seen, line.address) {
            self.with_link(role, id, air, |link, now| link.add_local(local, now));
        }
    }

    pub fn open_relay(&mut self, role: Role, id: PathId, facts: RelayFacts, air: &mut Air<'_>) {
        self.streams.dial(role, id, facts, air, &mut self.events);
    }

    pub fn command(&mut self, role: Role, id: PathId, command: PathCommand, air: &mut Air<'_>) {
        if self.links.iter().any(|line| (line.role, line.id) == (role, id)) {
            self.with_link(role, id, air, |link, now| link.handle_command(command, now));
        } else {
            self.streams.command(role, id, command, air, &mut self.events);
        }
    }

    /// The end's process is gone: its sockets close without a word of its own.
    pub fn kill(&mut self, role: Role, air: &mut Air<'_>) {
        self.links.retain(|line| line.role != role);
        self.streams.kill(role, air, &mut self.events);
        self.events.retain(|(of, _, _)| *of != role);
    }

    /// What streams kept while the way was cut goes on.
    pub fn heal(&mut self, air: &mut Air<'_>) {
        self.streams.heal(air);
    }

    pub fn kill_relay(&mut self, air: &mut Air<'_>) {
        self.streams.kill_relay(air, &mut self.events);
    }

    pub fn restart_relay(&mut self) {
        self.streams.restart_relay();
    }

    fn plan(&mut self, at: Instant, due: Due) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), due);
    }

    /// Each change of a link is followed by taking what it has to send and to tell.
    fn with_link(
        &mut self,
        role: Role,
        id: PathId,
        air: &mut Air<'_>,
        change: impl FnOnce(&mut DirectLink, Instant),
    ) {
        let Some(place) = self.links.iter().position(|line| (line.role, line.id) == (role, id)) else {
            return;
        };
        let Line { link, exposure, .. } = &mut self.links[place];
        change(link, air.now);
        let leaving = std::iter::from_fn(|| link.poll_transmit());
        let leaving: Vec<_> =
            leaving.filter(|t| exposure.admits(t.local, t.destination.ip())).collect();
        let told: Vec<_> = std::iter::from_fn(|| link.poll_event()).collect();
        let over = link.deadline().is_none();
        self.events.extend(told.into_iter().map(|event| (role, id, event)));
        for datagram in leaving {
            self.fly(role, datagram.local, datagram.destination, datagram.bytes, air);
        }
        if over {
            self.links.remove(place);
        }
    }

    fn fly(
        &mut self,
        role: Role,
        socket: SocketAddr,
        destination: SocketAddr,
        bytes: Vec<u8>,
        air: &mut Air<'_>,
    ) {
        let Some(source) = self.gateways[role as usize].outbound(socket, destination) else { return };
        let lost = air.dice.happens(air.weather.loss_percent) == Chance::Happens;
        if lost || air.is_cut(role, PathKind::Direct) {
            return;
        }
        let copies = match air.dice.happens(air.weather.repeat_percent) {
            Chance::Happens => 2,
            Chance::DoesNot => 1,
        };
        for _ in 0..copies {
            let (to, bytes) = (role.other(), bytes.clone());
            self.plan(air.now + air.late(), Due::Datagram { to, source, destination, bytes });
        }
    }

    fn arrive(
        &mut self,
        to: Role,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
        air: &mut Air<'_>,
    ) {
        let Some(socket) = self.gateways[to as usize].inbound(source, destination) else { return };
        let reached = |line: &&Line| line.role == to && line.address == socket;
        let admitted = |line: &&Line| line.exposure.admits(socket, source.ip());
        let Some(id) = self.links.iter().find(reached).filter(admitted).map(|line| line.id) else {
            return;
        };
        self.with_link(to, id, air, |link, now| link.handle_datagram(source, socket, bytes, now));
    }
}
