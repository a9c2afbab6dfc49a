//! Two direct links in a simulated network: virtual time, delay, loss. Shared by
//! the tests of the links; decides nothing about them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its part")]

pub mod other;

use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tasuki_peer::core::direct::{DirectLink, LocalAddress, Transmit};
use tasuki_peer::core::direct_identity::DirectIdentity;
use tasuki_peer::core::path::{DirectFacts, IceSide, PathCommand, PathEvent, VideoFrame, VideoRole};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::seed::Seed;

pub const OPERATOR: usize = 0;
pub const AGENT: usize = 1;

pub fn identity(byte: u8) -> DirectIdentity {
    DirectIdentity::generate(&Seed::from_bytes([byte; 32])).unwrap()
}

/// The facts of the operator, who views, and of the agent, who sends its screen.
pub fn facts(operator: &DirectIdentity, agent: &DirectIdentity) -> [DirectFacts; 2] {
    let of = |side, remote: &DirectIdentity, own: u8, peer: u8, video| DirectFacts {
        side,
        remote_fingerprint: remote.fingerprint(),
        remote_ufrag: remote.ufrag().into(),
        remote_pwd: remote.pwd().into(),
        own_proof: Digest([own; 32]),
        peer_proof: Digest([peer; 32]),
        video,
    };
    [
        of(IceSide::Controlling, agent, 1, 2, VideoRole::Receives),
        of(IceSide::Controlled, operator, 2, 1, VideoRole::Sends),
    ]
}

/// A frame that looks like VP8 as far as a link cares: the key-frame bit and some bytes.
pub fn frame(number: u32, kind: FrameKind, bytes: usize) -> VideoFrame {
    let mut vp8: Vec<u8> =
        (0..bytes).map(|i| (i as u32).wrapping_mul(31).wrapping_add(number) as u8).collect();
    vp8[0] = match kind {
        FrameKind::Key => 0x10,
        FrameKind::Delta => 0x11,
    };
    VideoFrame { header: VideoHeader { number, kind }, vp8 }
}

/// What the network does to datagrams.
pub struct Weather {
    pub delay: Duration,
    /// Of 1000 datagrams, so many are lost.
    pub lost_of_1000: u32,
    pub bits_per_second: Option<u64>,
}

impl Weather {
    pub fn fair() -> Self {
        Self { delay: Duration::from_millis(10), lost_of_1000: 0, bits_per_second: None }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InFlight {
    at: std::cmp::Reverse<(Instant, u64)>,
    to: usize,
    source: SocketAddr,
    local: SocketAddr,
    bytes: Vec<u8>,
}

pub struct World {
    pub now: Instant,
    pub start: Instant,
    pub links: [DirectLink; 2],
    pub events: [Vec<PathEvent>; 2],
    pub weather: Weather,
    pub sent: [u64; 2],
    free_at: [Instant; 2],
    flying: BinaryHeap<InFlight>,
    count: u64,
    dice: u64,
}

pub fn address(end: usize) -> SocketAddr {
    [SocketAddr::from(([10, 0, 0, 1], 4000)), SocketAddr::from(([10, 0, 0, 2], 4000))][end]
}

impl World {
    pub fn new(weather: Weather) -> Self {
        let (operator, agent) = (identity(1), identity(2));
        let facts = facts(&operator, &agent);
        Self::of([operator, agent], facts, weather)
    }

    pub fn of(identities: [DirectIdentity; 2], facts: [DirectFacts; 2], weather: Weather) -> Self {
        let now = Instant::now();
        let [operator, agent] = facts;
        let links = [
            DirectLink::new(&identities[0], operator, now),
            DirectLink::new(&identities[1], agent, now),
        ];
        Self::with_links(links, now, weather)
    }

    pub fn with_links(links: [DirectLink; 2], now: Instant, weather: Weather) -> Self {
        let mut world = Self::bare(links, now, weather);
        for end in [OPERATOR, AGENT] {
            world.links[end].add_local(LocalAddress::Host(address(end)), now);
        }
        world
    }

    /// Without any address yet.
    pub fn bare(links: [DirectLink; 2], now: Instant, weather: Weather) -> Self {
        Self {
            now,
            start: now,
            links,
            events: [Vec::new(), Vec::new()],
            weather,
            sent: [0; 2],
            free_at: [now; 2],
            flying: BinaryHeap::new(),
            count: 0,
            dice: 0x9E37_79B9_7F4A_7C15,
        }
    }

    fn roll(&mut self) -> u32 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 33) as u32 % 1000
    }

    /// Something from nowhere, arriving now.
    pub fn inject(&mut self, to: usize, source: SocketAddr, bytes: &[u8]) {
        let now = self.now;
        self.links[to].handle_datagram(source, address(to), bytes, now);
    }

    pub fn command(&mut self, end: usize, command: PathCommand) {
        let now = self.now;
        self.links[end].handle_command(command, now);
        self.collect();
    }

    fn collect(&mut self) {
        for end in [OPERATOR, AGENT] {
            while let Some(event) = self.links[end].poll_event() {
                if let PathEvent::LocalCandidate(line) = &event {
                    let now = self.now;
                    self.links[1 - end].handle_command(PathCommand::RemoteCandidate(line.clone()), now);
                }
                self.events[end].push(event);
            }
            while let Some(transmit) = self.links[end].poll_transmit() {
                self.fly(end, transmit);
            }
        }
    }

    fn fly(&mut self, from: usize, transmit: Transmit) {
        self.sent[from] += 1;
        if self.roll() < self.weather.lost_of_1000 {
            return;
        }
        let mut leaves = self.now;
        if let Some(rate) = self.weather.bits_per_second {
            let takes = Duration::from_secs_f64(transmit.bytes.len() as f64 * 8.0 / rate as f64);
            leaves = self.free_at[from].max(self.now);
            if leaves > self.now + Duration::from_millis(300) {
                return;
            }
            self.free_at[from] = leaves + takes;
        }
        self.count += 1;
        self.flying.push(InFlight {
            at: std::cmp::Reverse((leaves + self.weather.delay, self.count)),
            to: 1 - from,
            source: transmit.local,
            local: transmit.destination,
            bytes: transmit.bytes,
        });
    }

    /// The next thing happens.
    pub fn step(&mut self) {
        self.step_until(self.now + Duration::from_millis(100));
    }

    /// The next thing happens, or nothing until then.
    pub fn step_until(&mut self, latest: Instant) {
        self.collect();
        let deadlines = [0, 1].map(|end| self.links[end].deadline());
        let arrival = self.flying.peek().map(|flight| flight.at.0.0);
        let next = deadlines.into_iter().flatten().chain(arrival).min();
        let next = next.map_or(latest, |next| next.min(latest));
        self.now = self.now.max(next);
        while self.flying.peek().is_some_and(|flight| flight.at.0.0 <= self.now) {
            let flight = self.flying.pop().unwrap();
            self.links[flight.to].handle_datagram(flight.source, flight.local, &flight.bytes, self.now);
        }
        for end in [OPERATOR, AGENT] {
            if self.links[end].deadline().is_some_and(|deadline| deadline <= self.now) {
                self.links[end].handle_timeout(self.now);
            }
        }
        self.collect();
    }

    pub fn run_until(&mut self, longest: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let until = self.now + longest;
        while self.now < until {
            if done(self) {
                return true;
            }
            self.step();
        }
        done(self)
    }

    pub fn is_up(&self, end: usize) -> bool {
        self.events[end].iter().any(|event| matches!(event, PathEvent::Up(_)))
    }

    pub fn packets(&self, end: usize) -> Vec<&Vec<u8>> {
        let mut found = Vec::new();
        for event in &self.events[end] {
            if let PathEvent::Packet(bytes) = event {
                found.push(bytes);
            }
        }
        found
    }

    pub fn frames(&self, end: usize) -> Vec<&VideoFrame> {
        let mut found = Vec::new();
        for event in &self.events[end] {
            if let PathEvent::Video(frame) = event {
                found.push(frame);
            }
        }
        found
    }

    pub fn count(&self, end: usize, wanted: impl Fn(&PathEvent) -> bool) -> usize {
        self.events[end].iter().filter(|event| wanted(event)).count()
    }

    pub fn end_of(&self, end: usize) -> Option<&tasuki_peer::core::path::PathEnd> {
        let mut events = self.events[end].iter();
        events.find_map(|event| if let PathEvent::Down(why) = event { Some(why) } else { None })
    }
}
