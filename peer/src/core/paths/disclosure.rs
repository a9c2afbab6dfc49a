//! Which of its own addresses an operator's end tells. R1, T24.
//!
//! Narrower than what the machine gathered: a private address, an interface or
//! a host name goes out only where the manifest says `all`.

use std::net::IpAddr;

use tasuki_protocol::ids::Role;
use tasuki_protocol::manifest::AddressDisclosure;

/// The longest candidate line. See [`tasuki_protocol::message::EndToEnd::Candidate`].
pub(super) const MAX_LINE: usize = 256;

/// The line as it may be told to the other end, if at all.
pub(super) fn tellable(line: &str, role: Role, disclosure: AddressDisclosure) -> Option<String> {
    if line.len() > MAX_LINE {
        return None;
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
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let address: IpAddr = words.get(4)?.parse().ok()?;
    if !is_public(address) {
        return None;
    }
    let nowhere = if address.is_ipv4() { "0.0.0.0" } else { "::" };
    for place in 8..words.len().saturating_sub(1) {
        if words[place] == "raddr" {
            words[place + 1] = nowhere;
        } else if words[place] == "rport" {
            words[place + 1] = "9";
        }
    }
    Some(words.join(" "))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local();
            !(special || shared || v4.is_unspecified() || v4.is_broadcast() || a == 0)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let special = v6.is_loopback() || v6.is_unspecified();
                !(special || v6.is_unique_local() || v6.is_unicast_link_local())
            }
        },
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
        for hidden in ["127.0.0.1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1", "a.local"] {
            assert_eq!(told(&PRIVATE.replace("192.168.1.7", hidden)), None);
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
