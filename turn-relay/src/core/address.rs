//! Whose quota a connection counts against: an IPv4 address, or an IPv6 /64.
//!
//! One household or one machine holds a whole IPv6 /64, so that counting single
//! IPv6 addresses would count nothing. Ports are refused knowledge.

use std::net::{IpAddr, Ipv4Addr};

/// What one subscriber can be expected to own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressBlock {
    V4(Ipv4Addr),
    /// The upper 64 bits.
    V6(u64),
}

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4),
            IpAddr::V6(v6) => Self::V6((u128::from(v6) >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn an_ipv6_neighbour_in_the_same_64_shares_the_quota() {
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:2:ffff::9"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_address_counts_alone_also_when_it_is_written_as_ipv6() {
        assert_eq!(block("192.0.2.1"), block("::ffff:192.0.2.1"));
        assert_ne!(block("192.0.2.1"), block("192.0.2.2"));
    }
}
