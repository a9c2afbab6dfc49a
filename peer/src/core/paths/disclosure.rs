//! Which of its own addresses an operator's end tells. R1, T24.
//!
//! Narrower than what the machine gathered: a private address, an interface or
//! a host name goes out only where the manifest says `all`.

use std::net::IpAddr;

use tasuki_protocol::ids::Role;
use tasuki_protocol::terms::AddressDisclosure;

use crate::core::exposure::is_public;

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
