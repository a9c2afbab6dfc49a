//! The relay inside a server that owns the listener: hand over, stats, abort.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::sync::Arc;

use support::{Door, PATIENCE, answer, is_closed, key, sealed, tls_of_server};
use tasuki_protocol::ids::Role;
use tasuki_protocol::ticket::{RELAY_ALPN, RelayAnswer};
use tasuki_turn_relay::{Relay, Settings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// Accepts as a server would, and hands out a handle for each service.
async fn server() -> (Arc<Relay>, Door, mpsc::Receiver<AbortHandle>) {
    let (config, certificate) = tls_of_server();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let relay = Relay::new(Settings::default(), key());
    let (handles, served) = mpsc::channel(8);
    let serving = Arc::clone(&relay);
    tokio::spawn(async move {
        loop {
            let (tcp, peer) = listener.accept().await.unwrap();
            let stream = acceptor.accept(tcp).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(RELAY_ALPN));
            let relay = Arc::clone(&serving);
            let service = tokio::spawn(async move { relay.serve_connection(stream, peer).await });
            handles.send(service.abort_handle()).await.unwrap();
        }
    });
    (relay, Door { address, certificate }, served)
}

#[tokio::test]
async fn aborting_the_service_of_either_end_closes_both() {
    for doomed in 0..2 {
        let (relay, door, mut served) = server().await;
        let mut operator = door.present(&sealed(1, 0, Role::Operator)).await;
        let mut agent = door.present(&sealed(1, 0, Role::Agent)).await;
        assert_eq!(answer(&mut operator).await, Some(RelayAnswer::Joined));
        assert_eq!(answer(&mut agent).await, Some(RelayAnswer::Joined));
        let services = [served.recv().await.unwrap(), served.recv().await.unwrap()];

        services[doomed].abort();
        assert!(is_closed(&mut operator).await, "service {doomed}");
        assert!(is_closed(&mut agent).await, "service {doomed}");
        let both_over = async {
            while relay.stats().now.connections > 0 || services.iter().any(|s| !s.is_finished()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, both_over).await.expect("a service lives on");
    }
}

#[tokio::test]
async fn a_service_ends_when_its_pair_has_and_the_stats_tell_what_passed() {
    let (relay, door, mut served) = server().await;
    let (operator, agent) = door.join(1, 0).await;
    assert_eq!((relay.stats().joined, relay.stats().now.pairs), (1, 1));
    drop((operator, agent));
    for _ in 0..2 {
        let service = served.recv().await.unwrap();
        let over = async {
            while !service.is_finished() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, over).await.expect("the service lives on");
    }
    assert_eq!(relay.stats().now.connections, 0);
}
