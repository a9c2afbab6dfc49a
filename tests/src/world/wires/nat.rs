//! What an address translator does to datagrams: the kinds of RFC 4787, and none.
//!
//! Knows addresses and what was sent before, not what a datagram says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use tasuki_protocol::ids::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// None: the end has an address of its own.
    Open,
    /// One port for a socket, open to everybody.
    FullCone,
    /// One port for a socket, open to whom it has written.
    PortRestricted,
    /// A port for each pair of socket and destination, open to that destination.
    Symmetric,
    /// No UDP passes at all.
    UdpBlocked,
}

impl NatKind {
    pub const ALL: [Self; 5] =
        [Self::Open, Self::FullCone, Self::PortRestricted, Self::Symmetric, Self::UdpBlocked];
}

/// The way out of one end's network.
#[derive(Debug)]
pub struct Gateway {
    kind: NatKind,
    public: IpAddr,
    next_port: u16,
    /// By socket, and by destination where the kind tells them apart.
    ports: BTreeMap<(SocketAddr, Option<SocketAddr>), u16>,
    written_to: BTreeSet<(u16, SocketAddr)>,
}

impl Gateway {
    pub fn new(kind: NatKind, public: IpAddr) -> Self {
        let (ports, written_to) = Default::default();
        Self { kind, public, next_port: 20_000, ports, written_to }
    }

    /// The network is another one now; nothing of the old one's state is left.
    pub fn become_kind(&mut self, kind: NatKind) {
        if self.kind != kind {
            self.kind = kind;
            self.ports.clear();
            self.written_to.clear();
        }
    }

    /// What the machine itself calls its address: a private one wherever there is a translator.
    pub fn inside(&self, role: Role) -> IpAddr {
        match self.kind {
            NatKind::Open => [192, 0, 2, 10 + role as u8].into(),
            NatKind::UdpBlocked | NatKind::FullCone | NatKind::PortRestricted | NatKind::Symmetric => {
                [10, 0, role as u8, 2].into()
            }
        }
    }

    /// The source that the world sees; `None` when the datagram does not get out.
    pub fn outbound(&mut self, socket: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let key = match self.kind {
            NatKind::Open => return Some(socket),
            NatKind::UdpBlocked => return None,
            NatKind::FullCone | NatKind::PortRestricted => (socket, None),
            NatKind::Symmetric => (socket, Some(to)),
        };
        let port = *self.ports.entry(key).or_insert_with(|| {
            self.next_port += 1;
            self.next_port
        });
        self.written_to.insert((port, to));
        Some(SocketAddr::new(self.public, port))
    }

    /// The socket that a datagram from outside reaches.
    pub fn inbound(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        match self.kind {
            NatKind::Open => return Some(to),
            NatKind::UdpBlocked => return None,
            NatKind::FullCone | NatKind::PortRestricted | NatKind::Symmetric => {}
        }
        let open = self.kind == NatKind::FullCone || self.written_to.contains(&(to.port(), from));
        if to.ip() != self.public || !open {
            return None;
        }
        let mut mapped = self.ports.iter();
        mapped.find_map(|((socket, _), port)| (*port == to.port()).then_some(*socket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_kind_lets_in_what_it_is_named_for() {
        let (socket, friend, stranger) = (at("10.0.0.2:9"), at("192.0.2.1:1"), at("192.0.2.1:2"));
        let passes = |kind, from| {
            let mut gateway = Gateway::new(kind, [198, 51, 100, 1].into());
            let seen = gateway.outbound(socket, friend)?;
            gateway.inbound(from, seen)
        };
        for (kind, to_friend, to_stranger) in [
            (NatKind::Open, Some(socket), Some(socket)),
            (NatKind::FullCone, Some(socket), Some(socket)),
            (NatKind::PortRestricted, Some(socket), None),
            (NatKind::Symmetric, Some(socket), None),
            (NatKind::UdpBlocked, None, None),
        ] {
            assert_eq!(passes(kind, friend), to_friend, "{kind:?}");
            assert_eq!(passes(kind, stranger), to_stranger, "{kind:?}");
        }
        let mut symmetric = Gateway::new(NatKind::Symmetric, [198, 51, 100, 1].into());
        assert_ne!(symmetric.outbound(socket, friend), symmetric.outbound(socket, stranger));
    }
}
