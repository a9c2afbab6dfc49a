//! STUN on a real UDP socket, its answers decoded by hand from RFC 8489.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use proptest::prelude::*;
use tasuki_turn_relay::core::stun::{AMPLIFICATION, answer, binding_request};
use tasuki_turn_relay::{StunRate, serve_stun};
use tokio::net::UdpSocket;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const TRANSACTION: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

fn request(attributes: &[u8]) -> Vec<u8> {
    message(0x0001, attributes)
}

fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
    bytes.extend_from_slice(&COOKIE);
    bytes.extend_from_slice(&TRANSACTION);
    bytes.extend_from_slice(attributes);
    bytes
}

/// RFC 8489 §14.2, without the library that made the answer.
fn mapped_address(reply: &[u8]) -> SocketAddr {
    assert_eq!(reply[..2], [0x01, 0x01], "Binding success");
    assert_eq!(usize::from(u16::from_be_bytes([reply[2], reply[3]])), reply.len() - 20);
    assert_eq!(reply[4..8], COOKIE);
    assert_eq!(reply[8..20], TRANSACTION);
    assert_eq!(reply[20..22], [0x00, 0x20], "XOR-MAPPED-ADDRESS");
    let port = u16::from_be_bytes([reply[26] ^ 0x21, reply[27] ^ 0x12]);
    let mask = [&COOKIE[..], &TRANSACTION[..]].concat();
    let unmask = |bytes: &[u8]| bytes.iter().zip(&mask).map(|(a, b)| a ^ b).collect::<Vec<u8>>();
    let ip: IpAddr = match (reply[25], u16::from_be_bytes([reply[22], reply[23]])) {
        (1, 8) => Ipv4Addr::from(<[u8; 4]>::try_from(unmask(&reply[28..32])).unwrap()).into(),
        (2, 20) => Ipv6Addr::from(<[u8; 16]>::try_from(unmask(&reply[28..44])).unwrap()).into(),
        other => panic!("family and length {other:?}"),
    };
    SocketAddr::new(ip, port)
}

async fn server(address: &str, rate: StunRate) -> SocketAddr {
    let socket = UdpSocket::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(serve_stun(socket, rate));
    address
}

async fn ask(client: &UdpSocket, server: SocketAddr) -> SocketAddr {
    client.send_to(&request(&[]), server).await.unwrap();
    let mut reply = [0; 100];
    let receive = client.recv_from(&mut reply);
    let (length, from) =
        tokio::time::timeout(Duration::from_secs(20), receive).await.expect("no answer").unwrap();
    assert_eq!(from, server);
    mapped_address(&reply[..length])
}

#[tokio::test]
async fn a_client_learns_its_own_address_over_ipv4_and_ipv6() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let server = server(any, StunRate::default()).await;
        let client = UdpSocket::bind(any).await.unwrap();
        assert_eq!(ask(&client, server).await, client.local_addr().unwrap());
    }
}

#[tokio::test]
async fn t49_junk_gets_no_answer_and_the_next_honest_request_does() {
    let server = server("127.0.0.1:0", StunRate::default()).await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for junk in junk() {
        client.send_to(&junk, server).await.unwrap();
    }
    assert_eq!(ask(&client, server).await, client.local_addr().unwrap());
    let mut more = [0; 100];
    let second = tokio::time::timeout(Duration::from_millis(100), client.recv_from(&mut more)).await;
    assert!(second.is_err(), "exactly one answer came");
}

fn junk() -> Vec<Vec<u8>> {
    let mut wrong_cookie = request(&[]);
    wrong_cookie[4] ^= 1;
    let mut cut = request(&[0x80, 0x22, 0, 4, b'a', b'b', b'c', b'd']);
    cut.pop();
    let mut trailing = request(&[]);
    trailing.extend_from_slice(b"more");
    let mut high_bits = request(&[]);
    high_bits[0] |= 0x80;
    let overrun = request(&[0x80, 0x22, 0xff, 0xff, 0, 0, 0, 0]);
    vec![
        Vec::new(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        wrong_cookie,
        cut,
        trailing,
        high_bits,
        overrun,
        message(0x0011, &[]),                     // Binding indication
        message(0x0101, &[]),                     // Binding success
        message(0x0111, &[]),                     // Binding error
        message(0x0003, &[]),                     // TURN Allocate
        request(&[0x00, 0x03, 0, 4, 0, 0, 0, 6]), // CHANGE-REQUEST: answer from elsewhere
        request(&[0x00, 0x25, 0, 0]),             // USE-CANDIDATE: an ICE check, not for us
        request(&[0x80, 0x28, 0, 4, 1, 2, 3, 4]), // a wrong FINGERPRINT
        vec![0; 4000],
    ]
}

#[test]
fn t49_every_kind_of_junk_is_silence_for_the_decoder_itself() {
    let from: SocketAddr = "192.0.2.7:1234".parse().unwrap();
    for junk in junk() {
        assert_eq!(answer(&junk, from), None, "{junk:02x?}");
    }
}

#[test]
fn unknown_but_optional_attributes_are_passed_over() {
    let from: SocketAddr = "192.0.2.7:1234".parse().unwrap();
    let software = request(&[0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
    let unknown = request(&[0xc0, 0x01, 0, 4, 1, 2, 3, 4]);
    assert_eq!(mapped_address(&answer(&software, from).unwrap()), from);
    assert_eq!(mapped_address(&answer(&unknown, from).unwrap()), from);
}

#[test]
fn an_ipv4_client_of_an_ipv6_socket_is_told_its_ipv4_address() {
    let reply = answer(&request(&[]), "[::ffff:192.0.2.7]:1234".parse().unwrap()).unwrap();
    assert_eq!(mapped_address(&reply), "192.0.2.7:1234".parse().unwrap());
}

#[tokio::test]
async fn t49_one_address_gets_its_burst_of_answers_and_no_more() {
    let server = server("127.0.0.1:0", StunRate { per_second: 1, burst: 5 }).await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for _ in 0..100 {
        client.send_to(&request(&[]), server).await.unwrap();
    }
    let mut answers = 0;
    let mut reply = [0; 100];
    while let Ok(received) =
        tokio::time::timeout(Duration::from_millis(300), client.recv_from(&mut reply)).await
    {
        received.unwrap();
        answers += 1;
    }
    assert!((5..=20).contains(&answers), "{answers} answers");
}

proptest! {
    #[test]
    fn t49_no_bytes_make_the_decoder_panic_or_the_answer_too_long(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        v6 in any::<bool>(),
    ) {
        check(&bytes, v6)?;
    }

    #[test]
    fn t49_no_attributes_behind_a_good_header_do_so_either(
        attributes in proptest::collection::vec(any::<u8>(), 0..100),
        kind in prop_oneof![Just(0u16), Just(0x8000), any::<u16>()],
        v6 in any::<bool>(),
    ) {
        let mut attributes = attributes;
        attributes.resize(attributes.len().div_ceil(4) * 4, 0);
        if attributes.len() >= 4 {
            let length = (attributes.len() - 4) as u16;
let kind = kind | u16::from(attributes[0]);
            attributes[..2].copy_from_slice(&kind.to_be_bytes());
            attributes[2..4].copy_from_slice(&length.to_be_bytes());
        }
        check(&request(&attributes), v6)?;
    }
}

fn check(bytes: &[u8], v6: bool) -> Result<(), TestCaseError> {
    let from = if v6 { "[2001:db8::1]:1" } else { "192.0.2.1:1" };
    let known = binding_request(bytes).is_some();
    let reply = answer(bytes, from.parse().unwrap());
    prop_assert_eq!(known, reply.is_some());
    if let Some(reply) = reply {
        prop_assert!(reply.len() + 8 <= AMPLIFICATION * (bytes.len() + 8));
    }
    Ok(())
}
