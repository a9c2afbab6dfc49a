//! Which addresses the relay gives to others as its own.
//!
//! Public ones, as the relay is seen from outside; behind a translation they are on no interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// At most one address in each family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    pub v4: Option<Ipv4Addr>,
    pub v6: Option<Ipv6Addr>,
}

/// The text is no such pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be one IPv4 address, one IPv6 address, or both with a comma, without a port")]
pub struct NoOwnAddresses;

impl OwnAddresses {
    pub fn is_empty(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }
}

impl FromStr for OwnAddresses {
    type Err = NoOwnAddresses;

    fn from_str(text: &str) -> Result<Self, NoOwnAddresses> {
        let mut own = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let address: IpAddr = part.parse().map_err(|_| NoOwnAddresses)?;
            let twice = match address {
                IpAddr::V4(address) => own.v4.replace(address).is_some(),
                IpAddr::V6(address) => own.v6.replace(address).is_some(),
            };
            let nobodys =
                address.to_canonical() != address || address.is_unspecified() || address.is_multicast();
            if twice || nobodys {
                return Err(NoOwnAddresses);
            }
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_of_each_family_is_taken_and_what_reaches_nobody_is_not() {
        let both: OwnAddresses = "203.0.113.1, 2001:db8::1".parse().unwrap();
        assert!(both.v4.is_some() && both.v6.is_some());
        assert!("".parse::<OwnAddresses>().unwrap().is_empty());
        for bad in ["203.0.113.1,203.0.113.2", "0.0.0.0", "::", "224.0.0.1", "::ffff:1.2.3.4", "host"] {
            assert_eq!(bad.parse::<OwnAddresses>(), Err(NoOwnAddresses), "{bad}");
        }
    }
}
