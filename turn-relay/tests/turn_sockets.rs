//! The TURN server on real sockets: UDP, TCP and TLS, and floods of connections.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

#[path = "support/turn.rs"]
mod client;
#[path = "support/turn_house.rs"]
mod house;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::{Asker, channel_data, credential, data_of};
use house::{House, house, settings};
use support::{PATIENCE, unix};
use tasuki_protocol::ids::Role::{self, Agent, Operator};
use tasuki_protocol::turn::TURN_ALPN;
use tasuki_turn_relay::core::turn::table::{Client, Path};
use tasuki_turn_relay::shell::tls;
use tasuki_turn_relay::{TurnLimits, TurnSettings};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;

/// One end on whatever carries messages.
enum Wire {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct End {
    wire: Wire,
    asker: Asker,
}

impl End {
    fn new(wire: Wire, local: SocketAddr, role: Role) -> Self {
        let client = Client { path: Path::Datagram(0), address: local };
        Self { wire, asker: Asker::new(client, credential(1, role, unix() + 50)) }
    }

    async fn over_udp(house: &House, role: Role) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(house.udp).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self::new(Wire::Datagrams(socket), local, role)
    }

    async fn over_tcp(house: &House, role: Role) -> Self {
        let stream = TcpStream::connect(house.tcp).await.unwrap();
        let local = stream.local_addr().unwrap();
        Self::new(Wire::Stream(Box::new(stream)), local, role)
    }

    /// On TCP, and its system keeps little for it.
    async fn taking_little(house: &House, role: Role) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(house.tcp).await.unwrap();
        let local = stream.local_addr().unwrap();
        Self::new(Wire::Stream(Box::new(stream)), local, role)
    }

    async fn over_tls(house: &House, address: SocketAddr, alpn: &[&[u8]], role: Role) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let local = stream.local_addr().unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(house.certificate.clone()).unwrap();
        let mut config = rustls::ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let name = rustls_pki_types::ServerName::try_from("relay.test").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        Self::new(Wire::Stream(Box::new(stream)), local, role)
    }

    async fn say(&mut self, bytes: &[u8]) {
        match &mut self.wire {
            Wire::Datagrams(socket) => drop(socket.send(bytes).await.unwrap()),
            Wire::Stream(stream) => {
                stream.write_all(bytes).await.unwrap();
                stream
                    .write_all(&[0; 3][..bytes.len().next_multiple_of(4) - bytes.len()])
                    .await
                    .unwrap();
                stream.flush().await.unwrap();
            }
        }
    }

    async fn hear(&mut self) -> Vec<u8> {
        let hearing = async {
            match &mut self.wire {
                Wire::Datagrams(socket) => {
                    let mut bytes = vec![0; 2048];
                    let length = socket.recv(&mut bytes).await.unwrap();
                    bytes.truncate(length);
                    bytes
                }
                Wire::Stream(stream) => {
                    let mut bytes = vec![0; 4];
                    stream.read_exact(&mut bytes).await.unwrap();
                    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
                    let rest = if bytes[0] < 4 { 16 + length } else { length.next_multiple_of(4) };
                    bytes.resize(4 + rest, 0);
                    stream.read_exact(&mut bytes[4..]).await.unwrap();
                    if bytes[0] >= 0x40 {
                        bytes.truncate(4 + length);
                    }
                    bytes
                }
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("nothing came")
    }

    async fn ask(&mut self, request: Vec<u8>) -> client::Answer {
        self.say(&request).await;
        let answer = self.hear().await;
        self.asker.read(&answer)
    }

    async fn allocated(&mut self) -> SocketAddr {
        assert_eq!(self.ask(self.asker.allocate()).await.error, Some(401));
        let answer = self.ask(self.asker.allocate()).await;
        answer.relayed.unwrap_or_else(|| panic!("{answer:?}"))
    }
}

async fn speak(mut one: End, mut other: End) {
    let (first, second) = (one.allocated().await, other.allocated().await);
    assert_eq!(one.ask(one.asker.bind(0x4001, second)).await.error, None);
    assert_eq!(other.ask(other.asker.permit(first)).await.error, None);
    one.say(&channel_data(0x4001, b"hello")).await;
    assert_eq!(data_of(&other.hear().await), (first, b"hello".to_vec()));
    other.say(&client::send_indication(first, b"and back")).await;
    assert_eq!(one.hear().await, channel_data(0x4001, b"and back"));
}

#[tokio::test]
async fn s84_two_ends_speak_over_every_kind_of_connection() {
    let house = house(settings()).await;
    speak(End::over_udp(&house, Operator).await, End::over_udp(&house, Agent).await).await;
    speak(End::over_udp(&house, Operator).await, End::over_tcp(&house, Agent).await).await;
    let tls = End::over_tls(&house, house.tcp, &[], Operator).await;
    speak(tls, End::over_udp(&house, Agent).await).await;
    let beside_the_relay = End::over_tls(&house, house.relay, &[TURN_ALPN], Operator).await;
    speak(beside_the_relay, End::over_tcp(&house, Agent).await).await;
    assert_eq!(house.turn.tally().packets, 8);
}

#[tokio::test]
async fn a_burst_of_datagrams_arrives_whole_and_in_order() {
    let house = house(settings()).await;
    let mut one = End::over_udp(&house, Operator).await;
    let mut other = End::over_udp(&house, Agent).await;
    let (first, second) = (one.allocated().await, other.allocated().await);
    one.ask(one.asker.bind(0x4001, second)).await;
    other.ask(other.asker.bind(0x4002, first)).await;
    for round in 0..20_u8 {
        for number in 0..100_u8 {
            one.say(&channel_data(0x4001, &[round, number, 7])).await;
        }
        for number in 0..100_u8 {
            assert_eq!(other.hear().await, channel_data(0x4002, &[round, number, 7]));
        }
    }
}

/// Whoever is sent to without a pause, and takes it slowly, is heard all the same (T59). By then all that lies between is full.
#[tokio::test]
async fn t59_an_end_on_tcp_is_heard_while_it_is_sent_to_without_a_pause() {
    let house = house(settings()).await;
    let mut slow = End::taking_little(&house, Operator).await;
    let (mut flooder, mut other) =
        (End::over_udp(&house, Agent).await, End::over_udp(&house, Agent).await);
    let (of_slow, of_flooder) = (slow.allocated().await, flooder.allocated().await);
    let of_other = other.allocated().await;
    assert_eq!(slow.ask(slow.asker.permit(of_flooder)).await.error, None);
    assert_eq!(slow.ask(slow.asker.bind(0x4001, of_other)).await.error, None);
    assert_eq!(flooder.ask(flooder.asker.bind(0x4002, of_slow)).await.error, None);
    assert_eq!(other.ask(other.asker.permit(of_slow)).await.error, None);
    let flood = async {
        loop {
            flooder.say(&channel_data(0x4002, &[7; 1000])).await;
            tokio::task::yield_now().await;
        }
    };
    let reading_slowly = async {
        for heard in 0_u32.. {
            slow.hear().await;
            if heard > 500 && heard % 10 == 0 {
                slow.say(&channel_data(0x4001, b"still here")).await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let heard = async {
        for _ in 0..5 {
            assert_eq!(data_of(&other.hear().await).1, b"still here");
        }
    };
    tokio::select! {
        () = flood => {}
        () = reading_slowly => {}
        () = heard => {}
    }
}

async fn until(what: &str, met: impl Fn() -> bool) {
    let waiting = async {
        while !met() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn t49_half_open_connections_are_closed_and_take_no_place_of_others() {
    let limits = TurnLimits { per_address: 8, ..TurnLimits::default() };
    let house =
        house(TurnSettings { limits, patience: Duration::from_millis(300), ..settings() }).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(house.tcp).await.unwrap());
    }
    let mut bytes = [0];
    for mut stream in silent {
        let end = tokio::time::timeout(PATIENCE, stream.read(&mut bytes)).await.expect("still open");
        assert!(matches!(end, Ok(0) | Err(_)));
    }
    until("all places are free", || house.turn.connections() == 0).await;
    speak(End::over_tcp(&house, Operator).await, End::over_tcp(&house, Agent).await).await;
}

#[tokio::test]
async fn t59_junk_in_a_stream_ends_it_and_its_allocation_only() {
    let house = house(settings()).await;
    let mut one = End::over_tcp(&house, Operator).await;
    let mut other = End::over_udp(&house, Agent).await;
    one.allocated().await;
    other.allocated().await;
    one.say(b"GET / HTTP/1.1\r\n\r\n").await;
    until("the stream's allocation is gone", || house.turn.tally().allocations == 1).await;
    until("the stream is closed", || house.turn.connections() == 0).await;
}

#[tokio::test]
async fn an_owner_who_drops_the_service_frees_its_socket() {
    let mut house = house(settings()).await;
    house.serving.shutdown().await;
    let address = house.udp;
    drop(house);
    until("the port is free again", || std::net::UdpSocket::bind(address).is_ok()).await;
}
