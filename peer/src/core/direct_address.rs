//! Where datagrams of a direct path come from and go to, and which of its own
//! addresses an end tells.

use std::net::SocketAddr;

use str0m::Candidate;
use str0m::net::Protocol;

/// An address of this end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalAddress {
    /// Of an interface; told to the other end.
    Host(SocketAddr),
    /// Of an interface; used, and not told (R1).
    Untold(SocketAddr),
    /// As a STUN server saw what was sent from `base`; `base` stays untold (R1).
    ServerReflexive { seen: SocketAddr, base: SocketAddr },
}

impl LocalAddress {
    pub(super) fn candidate(self) -> Option<Candidate> {
        let candidate = match self {
            Self::Host(addr) | Self::Untold(addr) => Candidate::host(addr, Protocol::Udp),
            Self::ServerReflexive { seen, base } => {
                Candidate::server_reflexive(seen, base, Protocol::Udp)
            }
        };
        candidate.ok()
    }
}

/// A datagram to send from the socket bound to `local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub local: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: Vec<u8>,
}
