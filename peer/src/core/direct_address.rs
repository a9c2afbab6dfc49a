//! Where datagrams of a direct path come from and go to, and which of its own
//! addresses an end tells.

use std::net::SocketAddr;

use str0m::Candidate;
use str0m::CandidateKind;
use str0m::net::Protocol;

use super::path::Route;

/// An address of this end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalAddress {
    /// Of an interface; told to the other end.
    Host(SocketAddr),
    /// Of an interface; used, and not told (R1).
    Untold(SocketAddr),
    /// As a STUN server saw what was sent from `base`; `base` stays untold (R1).
    ServerReflexive { seen: SocketAddr, base: SocketAddr },
    /// At a relay, which is asked from `base`; `base` stays untold (R1).
    Relayed { at: SocketAddr, base: SocketAddr },
}

impl LocalAddress {
    pub(super) fn candidate(self) -> Option<Candidate> {
        let candidate = match self {
            Self::Host(addr) | Self::Untold(addr) => Candidate::host(addr, Protocol::Udp),
            Self::ServerReflexive { seen, base } => {
                Candidate::server_reflexive(seen, base, Protocol::Udp)
            }
            Self::Relayed { at, base } => Candidate::relayed(at, base, Protocol::Udp),
        };
        candidate.ok()
    }
}

/// The address that a candidate's line names, if it is at a relay.
pub fn at_relay(line: &str) -> Option<SocketAddr> {
    let candidate = Candidate::from_sdp_string(line).ok()?;
    let relayed = candidate.kind() == CandidateKind::Relayed && candidate.proto() == Protocol::Udp;
    relayed.then(|| candidate.addr())
}

/// A datagram to send from the socket bound to `local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub local: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: Vec<u8>,
}

/// By which way a link's datagrams go, as its own show it.
#[derive(Debug)]
pub(super) struct Routes {
    relayed: Vec<SocketAddr>,
    current: Route,
}

impl Default for Routes {
    fn default() -> Self {
        Self { relayed: Vec::new(), current: Route::Straight }
    }
}

impl Routes {
    pub(super) fn learn(&mut self, address: LocalAddress) {
        if let LocalAddress::Relayed { at, .. } = address {
            self.relayed.push(at);
        }
    }

    /// The new way, if the datagram goes by another than those before. STUN goes by every way at
    /// once and shows nothing (RFC 7983 §7).
    pub(super) fn show(&mut self, transmit: &Transmit) -> Option<Route> {
        if transmit.bytes.first().is_none_or(|first| *first < 20) {
            return None;
        }
        let by_relay = self.relayed.contains(&transmit.local);
        let route = if by_relay { Route::ByRelay } else { Route::Straight };
        let changed = route != self.current;
        self.current = route;
        changed.then_some(route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_data_shows_the_way_and_what_only_asks_does_not() {
        let [home, relay]: [SocketAddr; 2] =
            ["192.0.2.1:1", "203.0.113.1:50000"].map(|address| address.parse().unwrap());
        let mut routes = Routes::default();
        routes.learn(LocalAddress::Untold(home));
        routes.learn(LocalAddress::Relayed { at: relay, base: home });
        let sent = |local, first| Transmit { local, destination: home, bytes: vec![first; 30] };
        assert_eq!(routes.show(&sent(relay, 0)), None, "a check");
        assert_eq!(routes.show(&sent(home, 22)), None, "as it was");
        assert_eq!(routes.show(&sent(relay, 128)), Some(Route::ByRelay));
        assert_eq!(routes.show(&sent(relay, 22)), None);
        assert_eq!(routes.show(&sent(home, 1)), None);
        assert_eq!(routes.show(&sent(home, 128)), Some(Route::Straight));
    }
}
