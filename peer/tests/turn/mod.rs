//! Two ends of one session and the relay's own TURN server, on a virtual clock.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::hash::RandomState;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tasuki_peer::core::turn::{Place, TurnClient, TurnEnd, TurnEvent, TurnSetup};
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::ticket::{Ticket, TicketKey};
use tasuki_protocol::turn::TurnCredential;
use tasuki_turn_relay::core::bucket::AddressRate;
use tasuki_turn_relay::core::lobby::Now;
use tasuki_turn_relay::core::turn::table::{Client, Path, TurnLimits};
use tasuki_turn_relay::core::turn::{Turn, TurnSetup as ServerSetup};

/// When the world begins, in seconds since 1970.
pub const DAWN: u64 = 1_000_000;
pub const OPERATOR: usize = 0;
pub const AGENT: usize = 1;
const SERVER: &str = "203.0.113.10:443";
const HOMES: [&str; 2] = ["192.0.2.10:5000", "198.51.100.20:6000"];

pub fn credential(role: Role, expires: u64) -> TurnCredential {
    let ticket = Ticket { session: SessionId([1; 16]), leg: 0, role, expires, nonce: [role as u8; 16] };
    TurnCredential::of(&TicketKey::from_bytes([7; 32]).seal(&ticket)).unwrap()
}

pub fn place(end: usize) -> Place {
    Place { local: HOMES[end].parse().unwrap(), server: SERVER.parse().unwrap() }
}

pub fn client(end: usize, credential: TurnCredential, now: Instant) -> TurnClient {
    let seed = Seed::from_bytes([end as u8; 32]);
    TurnClient::new(TurnSetup { place: place(end), credential, own: vec![place(end).local], seed }, now)
        .unwrap()
}

pub struct World {
    pub turn: Turn,
    pub now: Now,
    pub ends: [TurnClient; 2],
    pub events: [Vec<TurnEvent>; 2],
    /// What came through the relay: from whom, and what.
    pub carried: [Vec<(SocketAddr, Vec<u8>)>; 2],
    /// How many datagrams each end sent.
    pub sent: [usize; 2],
    pub server: Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Runs,
    Dead,
}

impl World {
    pub fn new(own: &str) -> Self {
        let instant = Instant::now();
        let turn = Turn::new(
            ServerSetup {
                ticket_key: TicketKey::from_bytes([7; 32]),
                limits: TurnLimits::default(),
                own: own.parse().unwrap(),
                rates: AddressRate::new(RandomState::new(), 20, 60, instant),
                seed: [5; 32],
            },
            instant,
        );
        let expires = DAWN + 50;
        Self {
            turn,
            now: Now { instant, since_1970: Duration::from_secs(DAWN) },
            ends: [
                client(OPERATOR, credential(Role::Operator, expires), instant),
                client(AGENT, credential(Role::Agent, expires), instant),
            ],
            events: Default::default(),
            carried: Default::default(),
            sent: [0; 2],
            server: Server::Runs,
        }
    }

    /// Both ends have an address, and each was told the other's.
    pub fn met(own: &str) -> Self {
        let mut world = Self::new(own);
        world.settle();
        let [operator, agent] = [OPERATOR, AGENT].map(|end| world.relayed(end).unwrap());
        world.ends[OPERATOR].heed(agent, world.now.instant);
        world.ends[AGENT].heed(operator, world.now.instant);
        world.settle();
        world
    }

    pub fn relayed(&self, end: usize) -> Option<SocketAddr> {
        self.ends[end].relayed()
    }

    /// What an end has to send, all of it.
    pub fn outgoing(&mut self, end: usize) -> Vec<Vec<u8>> {
        let all: Vec<_> = std::iter::from_fn(|| self.ends[end].poll_transmit()).collect();
        self.sent[end] += all.len();
        all
    }

    /// The server gets one datagram of an end; whom it reaches in turn.
    pub fn deliver(&mut self, end: usize, bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
        if self.server == Server::Dead {
            return None;
        }
        let from = Client { path: Path::Datagram(0), address: place(end).local };
        let out = self.turn.receive(from, bytes, self.now)?;
        let answer = [out.head.as_slice(), &bytes[out.body.clone()], &[0; 3][..out.padding]].concat();
        let to = [OPERATOR, AGENT].into_iter().find(|end| place(*end).local == out.to.address)?;
        Some((to, answer))
    }

    pub fn hear(&mut self, end: usize, bytes: &[u8]) {
        if let Some((peer, data)) = self.ends[end].handle_datagram(bytes, self.now.instant) {
            self.carried[end].push((peer, data.to_vec()));
        }
        self.events[end].extend(std::iter::from_fn(|| self.ends[end].poll_event()));
    }

    /// Everything that is on its way arrives.
    pub fn settle(&mut self) {
        loop {
            let both = [OPERATOR, AGENT].map(|end| self.outgoing(end));
            if both.iter().all(Vec::is_empty) {
                return;
            }
            for (end, all) in both.into_iter().enumerate() {
                for bytes in all {
                    if let Some((to, answer)) = self.deliver(end, &bytes) {
                        self.hear(to, &answer);
                    }
                }
            }
        }
    }

    pub fn say(&mut self, from: usize, data: &[u8]) {
        let peer = self.relayed(1 - from).unwrap();
        if let Some(bytes) = self.ends[from].wrap(peer, data)
            && let Some((to, answer)) = self.deliver(from, &bytes)
        {
            self.hear(to, &answer);
        }
    }

    /// Lets time pass, with everything that falls due.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now.instant + time;
        loop {
            self.settle();
            let due = self.ends.iter().filter_map(TurnClient::deadline).min();
            let next = due.map_or(until, |due| due.min(until)).max(self.now.instant);
            self.now.since_1970 += next - self.now.instant;
            self.now.instant = next;
            for end in [OPERATOR, AGENT] {
                self.ends[end].handle_timeout(next);
                self.events[end].extend(std::iter::from_fn(|| self.ends[end].poll_event()));
            }
            if next == until {
                return self.settle();
            }
        }
    }

    pub fn gone(&self, end: usize) -> Option<TurnEnd> {
        self.events[end].iter().find_map(|event| match event {
            TurnEvent::Gone(why) => Some(*why),
            TurnEvent::Allocated(_) => None,
        })
    }
}
