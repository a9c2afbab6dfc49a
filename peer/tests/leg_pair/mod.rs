//! Two relayed legs on a stream that the test holds. Shared by the tests of the leg.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its part")]

use std::time::{Duration, Instant};

use tasuki_peer::core::path::{IceSide, PathCommand, PathEnd, PathEvent, RelayFacts, VideoFrame};
use tasuki_peer::core::relay_leg::RelayLeg;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::Leg;

pub const OPERATOR: usize = 0;
pub const AGENT: usize = 1;

pub fn facts(side: IceSide, psk: u8, prologue: &[u8]) -> RelayFacts {
    let leg = Leg { number: 1, relay: None, turn: None, ticket: Blob::default() };
    RelayFacts { leg, psk: [psk; 32], prologue: prologue.to_vec(), side }
}

pub fn leg(side: IceSide, psk: u8, prologue: &[u8], now: Instant) -> RelayLeg {
    let seed = Seed::from_bytes([side as u8 + 1; 32]);
    RelayLeg::new(&facts(side, psk, prologue), "TLS13".into(), &seed, now)
}

pub struct Pair {
    pub now: Instant,
    pub legs: [RelayLeg; 2],
    pub events: [Vec<PathEvent>; 2],
}

impl Pair {
    pub fn new() -> Self {
        let now = Instant::now();
        let operator = leg(IceSide::Controlling, 7, b"leg", now);
        Self {
            now,
            legs: [operator, leg(IceSide::Controlled, 7, b"leg", now)],
            events: Default::default(),
        }
    }

    pub fn up() -> Self {
        let mut pair = Self::new();
        pair.pump();
        assert!(pair.is_up(OPERATOR) && pair.is_up(AGENT), "{:?}", pair.events);
        pair
    }

    pub fn collect(&mut self) {
        for end in [OPERATOR, AGENT] {
            while let Some(event) = self.legs[end].poll_event() {
                self.events[end].push(event);
            }
        }
    }

    pub fn deliver(&mut self, end: usize, bytes: &[u8]) {
        self.legs[end].handle_bytes(bytes, self.now);
        self.collect();
    }

    pub fn next(&mut self, end: usize) -> Option<Vec<u8>> {
        let bytes = self.legs[end].next_bytes(self.now);
        self.collect();
        bytes
    }

    pub fn send(&mut self, end: usize, packet: &[u8]) {
        self.command(end, PathCommand::SendPacket(packet.to_vec()));
    }

    pub fn command(&mut self, end: usize, command: PathCommand) {
        self.legs[end].handle_command(command, self.now);
        self.collect();
    }

    /// Everything waiting passes, both ways.
    pub fn pump(&mut self) {
        loop {
            let mut moved = false;
            for end in [OPERATOR, AGENT] {
                while let Some(bytes) = self.next(end) {
                    self.deliver(1 - end, &bytes);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    pub fn wait(&mut self, span: Duration) {
        self.now += span;
        for leg in &mut self.legs {
            leg.handle_timeout(self.now);
        }
        self.collect();
    }

    pub fn is_up(&self, end: usize) -> bool {
        self.events[end].iter().any(|event| matches!(event, PathEvent::Up(_)))
    }

    pub fn end_of(&self, end: usize) -> Option<&PathEnd> {
        let mut events = self.events[end].iter();
        events.find_map(|event| if let PathEvent::Down(why) = event { Some(why) } else { None })
    }

    pub fn delivered(&self, end: usize) -> usize {
        let is_content = |e: &&PathEvent| matches!(e, PathEvent::Packet(_) | PathEvent::Video(_));
        self.events[end].iter().filter(is_content).count()
    }

    pub fn assert_violated(&self, end: usize, what: &str) {
        assert!(
            matches!(self.end_of(end), Some(PathEnd::Violation(_))),
            "{what}: {:?}",
            self.events[end]
        );
        assert_eq!(self.delivered(end), 0, "{what}");
    }
}

pub fn frame(number: u32, bytes: usize) -> VideoFrame {
    VideoFrame {
        header: VideoHeader { number, kind: FrameKind::Delta },
        vp8: vec![number as u8; bytes],
    }
}
