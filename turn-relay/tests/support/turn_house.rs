//! A relay that speaks TURN, inside the test.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::net::SocketAddr;
use std::sync::Arc;

use tasuki_turn_relay::{
    OwnAddresses, Relay, Settings, StunRate, TurnServer, TurnSettings, serve_datagrams, serve_streams,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{key, tls_of_server};

/// A TURN server on loopback, with every kind of listener.
pub struct House {
    pub turn: Arc<TurnServer>,
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    pub relay: SocketAddr,
    pub certificate: rustls_pki_types::CertificateDer<'static>,
    pub serving: JoinSet<()>,
}

pub fn settings() -> TurnSettings {
    let own: OwnAddresses = "127.0.0.1,::1".parse().unwrap();
    let rate = StunRate { per_second: 10_000, burst: 10_000 };
    TurnSettings { own, rate, ..TurnSettings::default() }
}

pub async fn house(settings: TurnSettings) -> House {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = socket.local_addr().unwrap();
    let turn = TurnServer::new(settings, key(), vec![socket]).unwrap();
    let (config, certificate) = tls_of_server();
    let config = Arc::new(config);
    let (streams, relayed) = (listener().await, listener().await);
    let (tcp, relay) = (streams.local_addr().unwrap(), relayed.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving.spawn(serve_datagrams(Arc::clone(&turn), 0));
    serving.spawn(serve_streams(Arc::clone(&turn), streams, Arc::clone(&config)));
    let door = Relay::new(Settings::default(), key());
    serving.spawn(tasuki_turn_relay::serve(door, Some(Arc::clone(&turn)), relayed, config, 100));
    House { turn, udp, tcp, relay, certificate, serving }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
