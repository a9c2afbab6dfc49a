//! Which of this end's sockets the other end may come to see: whoever is sent a datagram reads
//! where it comes from, whatever was told of it. R1, T24.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tasuki_protocol::terms::AddressDisclosure;

use super::direct_address::LocalAddress;

/// Of one direct path.
#[derive(Debug)]
pub struct Exposure {
    disclosure: AddressDisclosure,
    /// Sockets of whose datagrams the other end sees no more than it is told.
    open: BTreeSet<SocketAddr>,
    /// As whom the Internet sees this end.
    seen: BTreeSet<IpAddr>,
}

impl Exposure {
    pub fn new(disclosure: AddressDisclosure) -> Self {
        Self { disclosure, open: BTreeSet::new(), seen: BTreeSet::new() }
    }

    /// A socket was bound to this address of an interface.
    pub fn bound(&mut self, base: SocketAddr) -> Option<LocalAddress> {
        match self.disclosure {
            AddressDisclosure::All => {
                self.open.insert(base);
                Some(LocalAddress::Host(base))
            }
            // Not before it is known what the Internet sees of it.
            AddressDisclosure::Public => None,
            // Nothing leaves from here but to a relay.
            AddressDisclosure::RelayOnly => None,
        }
    }

    /// A STUN server saw the socket bound to `base` as `seen`.
    pub fn reflexive(&mut self, seen: SocketAddr, base: SocketAddr) -> Vec<LocalAddress> {
        let address = LocalAddress::ServerReflexive { seen, base };
        match self.disclosure {
            AddressDisclosure::All => vec![address],
            AddressDisclosure::Public if is_public(seen.ip()) => {
                self.open.insert(base);
                self.seen.insert(seen.ip().to_canonical());
                vec![LocalAddress::Untold(base), address]
            }
            AddressDisclosure::Public | AddressDisclosure::RelayOnly => Vec::new(),
        }
    }

    /// Whether datagrams may pass straight between the socket bound to `base` and this place. Under
    /// `public` none does inside a private network, where no translation hides the socket's address, nor to a place
    /// behind one's own router, which may bring it there untranslated (against REQ-9 of RFC 4787).
    pub fn admits(&self, base: SocketAddr, other: IpAddr) -> bool {
        let far = is_public(other) && !self.seen.contains(&other.to_canonical());
        self.open.contains(&base) && (far || self.disclosure == AddressDisclosure::All)
    }
}

/// Whether the address is one that the whole Internet sees anyway, and says nothing of
/// the machine behind it.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The registry of RFC 6890, without the ranges for documentation, which nobody has.
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = (a, b, c) == (192, 0, 0);
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let special = v4.is_private() || v4.is_loopback() || v4.is_link_local();
    !(special || shared || protocols || benchmarks || a == 0 || a >= 224)
}

/// Global unicast only, and neither an IPv4 address in disguise that is private nor an
/// interface's hardware address (S10).
fn is_public_v6(v6: Ipv6Addr) -> bool {
    if let Some(v4) = v6.to_ipv4_mapped().or_else(|| embedded(v6)) {
        return is_public_v4(v4);
    }
    let segments = v6.segments();
    let global = segments[0] & 0xe000 == 0x2000;
    // RFC 4291, appendix A: ff:fe in the middle of what was a MAC address.
    let hardware = segments[5] & 0x00ff == 0x00ff && segments[6] & 0xff00 == 0xfe00;
    global && !hardware
}

/// Of 6to4 (RFC 3056 §2) and of NAT64's well-known prefix (RFC 6052 §2.1).
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = v6.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0x2002, high, low, ..] => Some(join(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "192.168.1.7:50000";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn r1_t24_under_public_a_socket_is_used_once_the_internets_view_of_it_is_known_and_only_towards_it()
    {
        let mut exposure = Exposure::new(AddressDisclosure::Public);
        assert_eq!(exposure.bound(at(BASE)), None);
        assert!(!exposure.admits(at(BASE), at("198.51.100.4:1").ip()), "before anything is told");
        assert_eq!(exposure.reflexive(at("10.0.0.9:1"), at(BASE)), []);
        assert!(!exposure.admits(at(BASE), at("198.51.100.4:1").ip()), "seen by a server nearby");
        let seen = at("203.0.113.9:40000");
        assert_eq!(
            exposure.reflexive(seen, at(BASE)),
            [LocalAddress::Untold(at(BASE)), LocalAddress::ServerReflexive { seen, base: at(BASE) }]
        );
        assert!(exposure.admits(at(BASE), at("198.51.100.4:1").ip()));
        for near in
            ["192.168.1.9:1", "127.0.0.1:1", "[fe80::1]:1", "[fd00::1]:1", "[::ffff:10.0.0.1]:1"]
        {
            assert!(!exposure.admits(at(BASE), at(near).ip()), "{near}");
        }
        for own in ["203.0.113.9:50001", "[::ffff:203.0.113.9]:1"] {
            assert!(!exposure.admits(at(BASE), at(own).ip()), "{own}, behind one's own router");
        }
        assert!(!exposure.admits(at("172.16.0.7:50000"), at("198.51.100.4:1").ip()), "another socket");
    }

    #[test]
    fn r1_under_all_a_socket_is_used_at_once_and_under_relay_only_never() {
        let mut all = Exposure::new(AddressDisclosure::All);
        assert_eq!(all.bound(at(BASE)), Some(LocalAddress::Host(at(BASE))));
        assert!(all.admits(at(BASE), at("192.168.1.9:1").ip()));
        let mut none = Exposure::new(AddressDisclosure::RelayOnly);
        assert_eq!(none.bound(at(BASE)), None);
        assert_eq!(none.reflexive(at("203.0.113.9:40000"), at(BASE)), []);
        assert!(!none.admits(at(BASE), at("198.51.100.4:1").ip()));
    }
}
