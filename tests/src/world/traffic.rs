//! What the ends' paths do in the world: meet, carry, lose, hang, break.

use std::time::Duration;

use tasuki_peer::core::io::Input;
use tasuki_peer::core::path::{
    Ciphers, DirectFacts, PathCommand, PathEnd, PathEvent, PathId, PathKind, RelayFacts,
};
use tasuki_protocol::ids::Role;

use super::network::{Admission, Fate, Sender, Whose};
use super::wires::{Air, Wires};
use super::{Due, MARKER, World};

/// From both attempts to a path that is up.
const HANDSHAKE: Duration = Duration::from_millis(80);
/// How long a frame keeps a path busy.
const FRAME_TIME: Duration = Duration::from_millis(8);
const NOT_REACHED: Duration = Duration::from_secs(10);
/// What a relayed path keeps back while the way is cut.
const MOST_HELD: usize = 4096;

impl World {
    /// Real paths, if the plan wants them, and the air that they breathe.
    fn wires(&mut self) -> Option<(&mut Wires, Air<'_>)> {
        let wires = self.wires.as_mut()?;
        Some((wires, self.network.air(self.now, &mut self.dice)))
    }

    pub(super) fn let_wires_work(&mut self) {
        let Some((wires, mut air)) = self.wires() else { return };
        wires.advance(&mut air);
        while let Some((role, id, event)) = self.wires.as_mut().and_then(Wires::next_event) {
            self.input(role, Input::Path(id, event));
        }
    }

    pub(super) fn cut_wires_of(&mut self, role: Role) {
        if let Some((wires, mut air)) = self.wires() {
            wires.kill(role, &mut air);
        }
    }

    pub(super) fn open_direct(&mut self, role: Role, id: PathId, facts: DirectFacts) {
        if let Some((wires, mut air)) = self.wires() {
            return wires.open_direct(role, id, facts, &mut air);
        }
        self.network.open_direct(role, id, facts);
        let line = format!("1 1 udp 2130706431 198.51.100.{} 50000 typ host {}", role as u8, marker());
        self.plan_at(Duration::from_millis(2), Due::Path(role, id, PathEvent::LocalCandidate(line)));
        let end = PathEnd::NotReached(NOT_REACHED);
        self.plan_at(NOT_REACHED, Due::Path(role, id, PathEvent::Down(end)));
        self.meet();
    }

    pub(super) fn open_relay(&mut self, role: Role, id: PathId, facts: RelayFacts) {
        if let Some((wires, mut air)) = self.wires() {
            return wires.open_relay(role, id, facts, &mut air);
        }
        let unix = self.server.unix(self.now);
        match self.network.open_relay(role, id, facts, unix) {
            Admission::Waits => self.meet(),
            Admission::Refused => {
                let down = PathEvent::Down(PathEnd::RelayRefused);
                self.plan_at(self.network.weather.latency, Due::Path(role, id, down));
            }
        }
    }

    /// Whoever can meet now does.
    pub fn meet(&mut self) {
        for (operators, agents) in self.network.meet() {
            self.plan_at(HANDSHAKE + self.network.weather.latency, Due::Met(operators, agents));
        }
    }

    pub(super) fn met(&mut self, operators: PathId, agents: PathId) {
        if self.network.peer(Role::Operator, operators) != Some(agents) {
            return;
        }
        for (role, id) in [(Role::Operator, operators), (Role::Agent, agents)] {
            let ciphers = match self.network.kind(role, id) {
                Some(PathKind::Direct) => Ciphers::Direct {
                    dtls: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".to_owned(),
                    srtp: "AEAD_AES_256_GCM".to_owned(),
                },
                Some(PathKind::Relayed) => Ciphers::Relayed {
                    noise: tasuki_protocol::leg::NOISE_PATTERN.to_owned(),
                    tls: "TLS13_AES_256_GCM_SHA384".to_owned(),
                },
                None => return,
            };
            self.input(role, Input::Path(id, PathEvent::Up(ciphers)));
            self.input(role, Input::Path(id, PathEvent::VideoRoom));
        }
    }

    /// Only what still exists is told; an attempt that met is not given up.
    pub(super) fn path_event(&mut self, role: Role, id: PathId, event: PathEvent) {
        if let PathEvent::Down(end) = event {
            let met = self.network.peer(role, id).is_some();
            if !(met && matches!(end, PathEnd::NotReached(_))) {
                self.network.close(role, id);
                self.input(role, Input::Path(id, PathEvent::Down(end)));
            }
            return;
        }
        if self.network.kind(role, id).is_some() {
            self.input(role, Input::Path(id, event));
        }
    }

    pub(super) fn path_command(&mut self, role: Role, id: PathId, command: PathCommand) {
        if let Some((wires, mut air)) = self.wires() {
            return wires.command(role, id, command, &mut air);
        }
        match command {
            PathCommand::SendPacket(packet) => self.carry(role, id, PathEvent::Packet(packet)),
            PathCommand::SendVideo(frame) => {
                self.plan_at(FRAME_TIME, Due::Path(role, id, PathEvent::VideoRoom));
                self.carry(role, id, PathEvent::Video(frame));
            }
            PathCommand::AskKeyFrame => self.carry(role, id, PathEvent::KeyFrameWanted),
            PathCommand::RemoteCandidate(line) => assert!(line.contains(&marker()), "{line}"),
            PathCommand::UseRelay(_) => panic!("no relay of this world speaks TURN"),
            PathCommand::Close => self.close_path(role, id),
        }
    }

    fn carry(&mut self, role: Role, id: PathId, event: PathEvent) {
        let Some(kind) = self.network.kind(role, id) else { return };
        let Some(peer) = self.network.peer(role, id) else { return };
        let other = role.other();
        match self.network.fate(role, kind, &mut self.dice) {
            Fate::After(delay) => self.plan_at(delay, Due::Path(other, peer, event)),
            Fate::Twice(one, two) => {
                self.plan_at(one, Due::Path(other, peer, event.clone()));
                self.plan_at(two, Due::Path(other, peer, event));
            }
            Fate::Lost => {}
            Fate::Held => {
                if self.held.len() < MOST_HELD {
                    self.held.push((other, peer, event));
                }
            }
        }
    }

    pub(super) fn close_path(&mut self, role: Role, id: PathId) {
        let Some(kind) = self.network.kind(role, id) else { return };
        let cut = self.network.cut.contains(&Sender { operator: Whose::of(role), kind });
        let latency = self.network.weather.latency + self.network.weather.jitter;
        if let Some(peer) = self.network.close(role, id)
            && !cut
        {
            let down = PathEvent::Down(PathEnd::ClosedByPeer);
            self.plan_at(latency, Due::Path(role.other(), peer, down));
        }
    }

    pub fn cut(&mut self, operator: Whose, kind: PathKind) {
        self.network.cut.insert(Sender { operator, kind });
    }

    /// The way is free again: what reliable paths kept arrives now.
    pub fn heal(&mut self) {
        self.network.cut.clear();
        if let Some((wires, mut air)) = self.wires() {
            wires.heal(&mut air);
        }
        for (role, id, event) in std::mem::take(&mut self.held) {
            self.plan_at(self.network.weather.latency, Due::Path(role, id, event));
        }
        self.meet();
    }

    pub fn kill_relay(&mut self) {
        if let Some((wires, mut air)) = self.wires() {
            wires.kill_relay(&mut air);
        }
        for (role, id) in self.network.relay_dies() {
            let down = PathEvent::Down(PathEnd::Network("reset".to_owned()));
            self.input(role, Input::Path(id, down));
        }
    }

    pub fn restart_relay(&mut self) {
        self.network.relay = super::network::RelayState::Runs;
        if let Some(wires) = &mut self.wires {
            wires.restart_relay();
        }
        self.meet();
    }
}

fn marker() -> String {
    String::from_utf8_lossy(MARKER).into_owned()
}
