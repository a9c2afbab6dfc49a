//! Which family an address at a relay is asked of, and which address is taken for one.

use std::net::SocketAddr;

use super::Place;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    /// The value of REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.6).
    pub(super) fn requested(self) -> [u8; 4] {
        match self {
            Self::V4 => [1, 0, 0, 0],
            Self::V6 => [2, 0, 0, 0],
        }
    }

    /// Whether a relay may give this address away. What is sent to one of this end's own sockets, or
    /// to this computer, would never reach a relay.
    pub(super) fn may_give(self, given: SocketAddr, place: Place, own: &[SocketAddr]) -> bool {
        let ip = given.ip();
        let near = ip.is_loopback() && !place.server.ip().is_loopback();
        let names_a_place = given.port() != 0 && !ip.is_unspecified() && !ip.is_multicast();
        let asked_for = given.is_ipv4() == (self == Self::V4);
        asked_for && names_a_place && !near && given != place.local && !own.contains(&given)
    }
}
