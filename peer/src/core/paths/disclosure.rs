//! Which of its own addresses an operator's end tells. R1, T24.
//!
//! Narrower than what the machine gathered: a private address, an interface or
//! a host name goes out only where the manifest says `all`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tasuki_protocol::ids::Role;
use tasuki_protocol::terms::AddressDisclosure;

/// The longest candidate line. See [`tasuki_protocol::message::EndToEnd::Candidate`].
pub(super) const MAX_LINE: usize = 256;

/// Whether a line names an address at a relay, which says nothing of whoever has it.
pub(super) fn is_relays(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace().skip(6);
    words.next() == Some("typ") && words.next() == Some("relay")
}

/// The line as it may be told to the other end, if at all.
pub(super) fn tellable(line: &str, role: Role, disclosure: AddressDisclosure) -> Option<String> {
    if line.len() > MAX_LINE {
        return None;
    }
    if is_relays(line) {
        return Some(without_base(line));
    }
    match (role, disclosure) {
        (_, AddressDisclosure::RelayOnly) => None,
        (Role::Agent, AddressDisclosure::Public | AddressDisclosure::All)
        | (Role::Operator, AddressDisclosure::All) => Some(line.to_owned()),
        (Role::Operator, AddressDisclosure::Public) => public_part(line),
    }
}

/// RFC 8839 §5.1: foundation, component, transport, priority, address, port,
/// `typ`, type, then pairs, of which `raddr` and `rport` name the private base.
fn public_part(line: &str) -> Option<String> {
    let address = address_of(line)?;
    is_public(address).then(|| without_base(line))
}

fn without_base(line: &str) -> String {
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let v4 = address_of(line).is_some_and(|address| address.is_ipv4());
    let nowhere = if v4 { "0.0.0.0" } else { "::" };
    for place in 8..words.len().saturating_sub(1) {
        if words[place] == "raddr" {
            words[place + 1] = nowhere;
        } else if words[place] == "rport" {
            words[place + 1] = "9";
        }
    }
    words.join(" ")
}

/// What a line tells: its address (RFC 8839 §5.1), for whoever keeps account of it.
pub(super) fn address_of(line: &str) -> Option<IpAddr> {
    line.split_ascii_whitespace().nth(4)?.parse().ok()
}

/// Whether the address is one that the whole Internet sees anyway, and says nothing of
/// the machine behind it.
fn is_public(address: IpAddr) -> bool {
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

    const PRIVATE: &str = "1 1 udp 2130706431 192.168.1.7 50000 typ host";
    const REFLEXIVE: &str =
        "2 1 udp 1694498815 203.0.113.9 40000 typ srflx raddr 192.168.1.7 rport 50000";

    #[test]
    fn r1_public_disclosure_tells_no_private_address_not_even_as_the_base_of_a_public_one() {
        let told = |line: &str| tellable(line, Role::Operator, AddressDisclosure::Public);
        assert_eq!(told(PRIVATE), None);
        assert_eq!(
            told(REFLEXIVE).as_deref(),
            Some("2 1 udp 1694498815 203.0.113.9 40000 typ srflx raddr 0.0.0.0 rport 9")
        );
        for hidden in [
            "127.0.0.1",
            "0.1.2.3",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "100.64.0.1",
            "a.local",
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "2002:a00:1::1",
            "64:ff9b::a00:1",
        ] {
            assert_eq!(told(&PRIVATE.replace("192.168.1.7", hidden)), None, "{hidden}");
        }
    }

    #[test]
    fn s10_an_ipv6_address_made_of_a_hardware_address_stays_at_home_and_a_random_one_is_told() {
        let told = |address: &str| {
            let line = PRIVATE.replace("192.168.1.7", address);
            tellable(&line, Role::Operator, AddressDisclosure::Public).is_some()
        };
        assert!(!told("2400:4050:1:2:21f:16ff:fe1a:2b3c"));
        assert!(told("2400:4050:1:2:8c7e:91d2:33ab:10f4"));
        assert!(told("2002:cb00:7109::1") && told("64:ff9b::cb00:7109"));
    }

    #[test]
    fn r1_what_was_told_is_accounted_for_by_its_address() {
        assert_eq!(address_of(REFLEXIVE), Some(IpAddr::from([203, 0, 113, 9])));
        assert_eq!(address_of("1 1 udp 5"), None);
    }

    #[test]
    fn r1_relay_only_tells_an_address_at_a_relay_without_its_base_and_no_address_dressed_as_one() {
        let told = |line: &str| tellable(line, Role::Operator, AddressDisclosure::RelayOnly);
        let relayed = "3 1 udp 37748735 10.9.8.7 50000 typ relay raddr 192.168.1.7 rport 5000";
        assert_eq!(
            told(relayed).as_deref(),
            Some("3 1 udp 37748735 10.9.8.7 50000 typ relay raddr 0.0.0.0 rport 9")
        );
        assert!(is_relays(relayed));
        for line in [PRIVATE, REFLEXIVE, &format!("{PRIVATE} x typ relay"), "typ relay", ""] {
            assert!(!is_relays(line) && told(line).is_none(), "{line}");
        }
    }

    #[test]
    fn t24_relay_only_tells_nothing_and_all_tells_everything() {
        for line in [PRIVATE, REFLEXIVE] {
            assert_eq!(tellable(line, Role::Operator, AddressDisclosure::RelayOnly), None);
            assert_eq!(tellable(line, Role::Operator, AddressDisclosure::All).as_deref(), Some(line));
        }
    }
}
