//! The form of STUN and TURN messages that both sides of them have in common (RFC 8489 §5 and §14,
//! RFC 8656 §12): the header, and addresses as they stand in attributes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub const HEADER_BYTES: usize = 20;
/// In every header, and part of what addresses are masked with.
pub const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// In front of the data of a channel: number and length.
pub const CHANNEL_HEADER_BYTES: usize = 4;

/// Ties an answer to its question.
pub type Transaction = [u8; 12];

/// The value of an XOR-…-ADDRESS attribute (RFC 8489 §14.2).
pub fn mask_address(address: SocketAddr, transaction: &Transaction) -> Vec<u8> {
    let port = address.port().to_be_bytes();
    let port = [port[0] ^ COOKIE[0], port[1] ^ COOKIE[1]];
    match address.ip() {
        IpAddr::V4(ip) => [&[0, 1], &port[..], &masked::<4>(&ip.octets(), transaction)].concat(),
        IpAddr::V6(ip) => [&[0, 2], &port[..], &masked::<16>(&ip.octets(), transaction)].concat(),
    }
}

/// What [`mask_address`] wrote; `None` for bytes that are no such value. An IPv4 address that is
/// written as an IPv6 one stays what it was written as.
pub fn unmask_address(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let (head, ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([head[2] ^ COOKIE[0], head[3] ^ COOKIE[1]]);
    let ip = match (head[1], ip.len()) {
        (1, 4) => IpAddr::V4(Ipv4Addr::from(masked::<4>(ip, transaction))),
        (2, 16) => IpAddr::V6(Ipv6Addr::from(masked::<16>(ip, transaction))),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn masked<const N: usize>(bytes: &[u8], transaction: &Transaction) -> [u8; N] {
    let mut out = [0; N];
    let mask = COOKIE.iter().chain(transaction);
    for ((out, byte), mask) in out.iter_mut().zip(bytes).zip(mask) {
        *out = byte ^ mask;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction and the addresses of RFC 5769 §2.2 and §2.3.
    const ID: Transaction = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    #[test]
    fn addresses_are_masked_as_in_the_vectors_of_rfc_5769() {
        let v4: SocketAddr = "192.0.2.1:32853".parse().unwrap();
        let v6: SocketAddr = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(mask_address(v4, &ID), [0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let written = mask_address(v6, &ID);
        assert_eq!(written[..8], [0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa]);
        assert_eq!(unmask_address(&mask_address(v4, &ID), &ID), Some(v4));
        assert_eq!(unmask_address(&written, &ID), Some(v6));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for bad in [&[][..], &[0, 1, 0], &[0, 1, 0, 0, 1, 2, 3], &[0, 2, 0, 0, 1, 2, 3, 4], &[0; 24]] {
            assert_eq!(unmask_address(bad, &ID), None, "{bad:?}");
        }
    }
}
