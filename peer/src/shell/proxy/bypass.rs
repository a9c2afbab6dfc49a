//! Which hosts are reached without a proxy: the lists of NO_PROXY and of desktops.

use std::net::{IpAddr, Ipv6Addr};

/// Entries beyond this are not read: no person wrote them.
const MAX_ENTRIES: usize = 256;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bypass(Vec<Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name and all below it.
    Below(String),
    Network {
        bits: u128,
        prefix: u8,
    },
}

impl Bypass {
    /// Commas or blanks between names, addresses, networks and `*`.
    pub(super) fn parse(list: &str) -> Self {
        let words = list.split([',', ' ', ';']).filter(|word| !word.is_empty());
        Self(words.take(MAX_ENTRIES).filter_map(entry).collect())
    }

    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        self.0
            .iter()
            .any(|entry| entry.port.is_none_or(|own| own == port) && entry.hosts.has(&host, address))
    }
}

impl Hosts {
    fn has(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Below(name) => {
                host == name || host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            Self::Network { bits, prefix } => {
                let shift = 128 - u32::from(*prefix);
                let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                address.is_some_and(|address| cut(to_bits(address)) == cut(*bits))
            }
        }
    }
}

fn entry(word: &str) -> Option<Entry> {
    if word == "*" {
        return Some(Entry { hosts: Hosts::All, port: None });
    }
    if let Some((address, prefix)) = word.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        let (more, most) = if address.is_ipv4() { (96, 32) } else { (0, 128) };
        let hosts = Hosts::Network { bits: to_bits(address), prefix: prefix + more };
        return (prefix <= most).then_some(Entry { hosts, port: None });
    }
    let bare = word.trim_matches(['[', ']']);
    let exactly = |address| Hosts::Network { bits: to_bits(address), prefix: 128 };
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(Entry { hosts: exactly(address), port: None });
    }
    let (name, port) = match word.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok()?)),
        None => (word, None),
    };
    if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some(Entry { hosts: exactly(address), port });
    }
    let name = name.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
    (!name.is_empty()).then_some(Entry { hosts: Hosts::Below(name), port })
}

/// IPv4 in its mapped form, so that both spellings are one.
fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// What no proxy can reach for this program: this machine itself.
pub(super) fn is_this_machine(host: &str) -> bool {
    let loopback = |v6: Ipv6Addr| v6.is_loopback();
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| match address.to_canonical() {
            IpAddr::V4(v4) => v4.is_loopback(),
            IpAddr::V6(v6) => loopback(v6),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cover_what_is_below_them_and_nothing_that_only_ends_alike() {
        let list = Bypass::parse("example.com, .Intern.example *.lan;host:8443");
        for host in ["example.com", "a.EXAMPLE.com", "example.com.", "x.intern.example", "printer.lan"]
        {
            assert!(list.covers(host, 443), "{host}");
        }
        for host in ["badexample.com", "example.com.evil.net", "com", ""] {
            assert!(!list.covers(host, 443), "{host}");
        }
        assert!(list.covers("host", 8443) && !list.covers("host", 443));
        assert!(Bypass::parse("*").covers("anything", 1));
    }

    #[test]
    fn networks_cover_their_addresses_in_every_spelling() {
        let list = Bypass::parse("10.0.0.0/8,2001:db8::/32,[fd00::1],192.0.2.7,0.0.0.0/33,1.2.3.4/x");
        for host in ["10.255.0.1", "::ffff:10.0.0.1", "2001:db8:1::9", "fd00::1", "192.0.2.7"] {
            assert!(list.covers(host, 443), "{host}");
        }
        for host in ["11.0.0.1", "2001:db9::1", "fd00::2", "192.0.2.8", "1.2.3.4"] {
            assert!(!list.covers(host, 443), "{host}");
        }
        assert!(Bypass::parse("::/0").covers("192.0.2.1", 443));
    }
}
