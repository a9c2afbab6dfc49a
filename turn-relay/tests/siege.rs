//! Half-open connections, floods, wrong TLS: what they cost and whom they hurt.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use support::{PATIENCE, answer, house, house_with_sockets, is_closed, sealed};
use tasuki_protocol::ids::Role;
use tasuki_protocol::ticket::RelayAnswer;
use tasuki_turn_relay::{Limits, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn impatient() -> Settings {
    let limits = Limits { present_within: Duration::from_secs(2), ..Limits::default() };
    Settings { limits, ..Settings::default() }
}

async fn closed_by_relay(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 64];
    let reading = async {
        while let Ok(read) = stream.read(&mut bytes).await {
            if read == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.is_ok()
}

#[tokio::test]
async fn f15_silence_at_any_stage_ends_and_others_are_unaffected() {
    let house = house(impatient()).await;
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let mut half_hello = TcpStream::connect(house.address).await.unwrap();
    half_hello.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    let mut no_ticket = house.connect().await;
    let mut half_ticket = house.connect().await;
    half_ticket.write_all(&[0, 100, 1, 2, 3]).await.unwrap();

    house.join(1, 0).await;
    assert!(closed_by_relay(&mut silent).await);
    assert!(closed_by_relay(&mut half_hello).await);
    assert!(is_closed(&mut no_ticket).await);
    assert!(is_closed(&mut half_ticket).await);
}

#[tokio::test]
async fn f15_a_flood_of_silent_connections_is_bounded_and_a_good_pair_still_joins() {
    let limits = Limits { arriving_per_address: 20, ..Limits::default() };
    let house = house(Settings { limits, ..Settings::default() }).await;
    let mut flood = Vec::new();
    for _ in 0..300 {
        flood.push(TcpStream::connect(house.address).await.unwrap());
    }
    house.until(|stats| stats.dropped >= 280).await;
    assert!(house.relay.stats().now.arriving <= 20);
    house.join(1, 0).await;
}

#[tokio::test]
async fn sockets_above_the_bound_are_closed_at_accept() {
    let house = house_with_sockets(Settings::default(), 2).await;
    let _pair = house.join(1, 0).await;
    let mut third = TcpStream::connect(house.address).await.unwrap();
    assert!(closed_by_relay(&mut third).await);
    assert_eq!(house.relay.stats().now.connections, 2);
}

#[tokio::test]
async fn a_relay_whose_waiting_room_is_full_says_busy() {
    let limits = Limits { waiting: 1, ..Limits::default() };
    let house = house(Settings { limits, ..Settings::default() }).await;
    let _waiting = house.present(&sealed(1, 0, Role::Operator)).await;
    house.until(|stats| stats.now.waiting == 1).await;
    let mut second = house.present(&sealed(2, 0, Role::Operator)).await;
    assert_eq!(answer(&mut second).await, Some(RelayAnswer::Busy));
}

#[tokio::test]
async fn junk_and_impossible_lengths_instead_of_a_ticket_just_close() {
    let house = house(Settings::default()).await;
    for junk in [&[0xff_u8; 600][..], &[0, 0, 1], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut client = house.connect().await;
        client.write_all(junk).await.unwrap();
        assert!(is_closed(&mut client).await);
    }
    house.join(1, 0).await;
}

/// Both directions' buffers, both TLS stacks' and both kernels': a few hundred
/// kilobytes and no more, however much the sender would like to send.
#[tokio::test]
async fn a_reader_that_sleeps_stops_the_sender_and_the_relay_does_not_swell() {
    let house = house(Settings::default()).await;
    let (mut operator, mut agent) = house.join(1, 0).await;
    let sending = tokio::spawn(async move {
        let chunk = vec![5; 64 * 1024];
        for _ in 0..1600 {
            operator.write_all(&chunk).await.unwrap();
        }
        operator.shutdown().await.unwrap();
        operator
    });
    let stalled = stalled_at(&house).await;
    assert!(stalled < 16 << 20, "{stalled} bytes taken for a reader who reads nothing");
    assert!(!sending.is_finished());

    let mut heard = Vec::new();
    agent.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard.len(), 1600 * 64 * 1024);
    sending.await.unwrap();
}

/// Waits until nothing is forwarded any more; gives the bytes forwarded so far.
async fn stalled_at(house: &support::House) -> u64 {
    let mut last = 0;
    let mut still = 0;
    while still < 10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let bytes = house.relay.stats().bytes;
        still = if bytes == last && bytes > 0 { still + 1 } else { 0 };
        last = bytes;
    }
    last
}

fn only(suites: &[rustls::SupportedCipherSuite]) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { cipher_suites: suites.to_vec(), ..aws_lc_rs::default_provider() })
}

#[tokio::test]
async fn t47_a_client_without_aes_256_gcm_is_refused() {
    let house = house(Settings::default()).await;
    for suites in [
        &[cipher_suite::TLS13_AES_128_GCM_SHA256][..],
        &[cipher_suite::TLS13_CHACHA20_POLY1305_SHA256],
        &[cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
        &[cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256],
    ] {
        let refused = house.connect_with(house.client_config(only(suites))).await;
        assert!(refused.is_err(), "{suites:?}");
    }
}

#[tokio::test]
async fn t47_both_tls_versions_with_aes_256_gcm_are_spoken_and_nothing_else_is_chosen() {
    let house = house(Settings::default()).await;
    for suites in [
        &[cipher_suite::TLS13_AES_256_GCM_SHA384][..],
        &[cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
        aws_lc_rs::ALL_CIPHER_SUITES,
    ] {
        let client = house.connect_with(house.client_config(only(suites))).await.unwrap();
        let chosen = client.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        assert!(format!("{chosen:?}").contains("AES_256_GCM"), "{chosen:?}");
    }
}

#[tokio::test]
async fn another_or_no_alpn_name_is_closed_without_an_answer() {
    let house = house(Settings::default()).await;
    let mut other = house.client_config(tasuki_turn_relay::shell::tls::provider());
    other.alpn_protocols = vec![b"http/1.1".to_vec()];
    assert!(house.connect_with(other).await.is_err());

    let mut none = house.client_config(tasuki_turn_relay::shell::tls::provider());
    none.alpn_protocols.clear();
    let mut client = house.connect_with(none).await.unwrap();
    assert!(is_closed(&mut client).await);
}
