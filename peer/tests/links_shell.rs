//! Both links over real sockets on this machine; the relayed one through a real relay.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod links;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use links::{facts, frame, identity};
use rustls_pki_types::PrivateKeyDer;
use sha2::{Digest as _, Sha256};
use tasuki_peer::core::direct::REACH_WITHIN;
use tasuki_peer::core::path::{
    IceSide, PathCommand, PathEnd, PathEvent, PathId, RelayFacts, VideoFrame,
};
use tasuki_peer::shell::dial::Callee;
use tasuki_peer::shell::proxy::Proxies;
use tasuki_peer::shell::{direct, relay, tls};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Digest, Role, SessionId};
use tasuki_protocol::leg::FrameKind;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::Leg;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_protocol::ticket::{Ticket, TicketKey};
use tasuki_turn_relay::core::stun::answer;
use tasuki_turn_relay::{Relay, Settings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

struct End {
    commands: mpsc::Sender<PathCommand>,
    events: mpsc::Receiver<(PathId, PathEvent)>,
    candidates: Vec<String>,
    rooms: usize,
}

impl End {
    async fn event(&mut self) -> PathEvent {
        let (_, event) = timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap();
        if event == PathEvent::VideoRoom {
            self.rooms += 1;
        }
        event
    }

    async fn until(&mut self, wanted: impl Fn(&PathEvent) -> bool) -> PathEvent {
        loop {
            let event = self.event().await;
            if wanted(&event) {
                return event;
            }
        }
    }

    async fn say(&self, command: PathCommand) {
        self.commands.send(command).await.unwrap();
    }
}

fn is_up(event: &PathEvent) -> bool {
    matches!(event, PathEvent::Up(_))
}

fn direct_ends(disclosure: AddressDisclosure, stun: Option<SocketAddr>) -> [End; 2] {
    let (operator, agent) = (identity(1), identity(2));
    let [of_operator, of_agent] = facts(&operator, &agent);
    let start = |identity, facts, disclosure| {
        let (tell, events) = mpsc::channel(256);
        let commands = direct::spawn(
            PathId(1),
            Arc::new(identity),
            facts,
            disclosure,
            stun.into_iter().collect(),
            tell,
        );
        End { commands, events, candidates: Vec::new(), rooms: 0 }
    };
    [start(operator, of_operator, disclosure), start(agent, of_agent, AddressDisclosure::All)]
}

/// Tells each end the other's candidates until both are up.
async fn introduce(ends: &mut [End; 2]) {
    let [one, two] = ends;
    let (mut one_up, mut two_up) = (false, false);
    while !(one_up && two_up) {
        let (from, to, event) = tokio::select! {
            event = one.event() => { one_up |= is_up(&event); (0, 1, event) }
            event = two.event() => { two_up |= is_up(&event); (1, 0, event) }
        };
        assert!(!matches!(event, PathEvent::Down(_)), "{event:?}");
        if let PathEvent::LocalCandidate(line) = event {
            let ends = [&mut *one, &mut *two];
            ends[to].say(PathCommand::RemoteCandidate(line.clone())).await;
            let [one, two] = ends;
            [one, two][from].candidates.push(line);
        }
    }
}

#[tokio::test]
async fn a_direct_path_stands_on_this_machine_and_carries_packets_and_video() {
    let started = Instant::now();
    let mut ends = direct_ends(AddressDisclosure::All, None);
    introduce(&mut ends).await;
    eprintln!("direct path up after {:?}", started.elapsed());
    carries(ends).await;
}

async fn carries([mut operator, mut agent]: [End; 2]) {
    operator.say(PathCommand::SendPacket(vec![7; 2_000])).await;
    agent.until(|e| *e == PathEvent::Packet(vec![7; 2_000])).await;
    agent.say(PathCommand::SendPacket(vec![8; 90_000])).await;
    operator.until(|e| *e == PathEvent::Packet(vec![8; 90_000])).await;
    if agent.rooms == 0 {
        agent.until(|e| *e == PathEvent::VideoRoom).await;
    }
    let sent = frame(5, FrameKind::Key, 60_000);
    agent.say(PathCommand::SendVideo(sent.clone())).await;
    operator.until(|e| *e == PathEvent::Video(sent.clone())).await;
    operator.say(PathCommand::AskKeyFrame).await;
    agent.until(|e| *e == PathEvent::KeyFrameWanted).await;
    drop(operator.commands);
    let down = agent.until(|e| matches!(e, PathEvent::Down(_))).await;
    assert_eq!(down, PathEvent::Down(PathEnd::ClosedByPeer));
}

/// R1, T24: neither from a socket that a STUN server nearby sees under an address of its network, nor from any
/// other into a private network, whatever places the other end names.
#[tokio::test]
async fn r1_t24_where_only_public_addresses_may_be_seen_none_leaves_into_a_private_network() {
    for (seen, told) in [("10.0.0.9", 0), ("203.0.113.9", 1)] {
        let stun = seeing(seen.parse().unwrap()).await;
        let [mut operator, _agent] = direct_ends(AddressDisclosure::Public, Some(stun));
        let lure = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = lure.local_addr().unwrap();
        let line = format!("candidate:1 1 udp 2130706431 {} {} typ host", at.ip(), at.port());
        operator.say(PathCommand::RemoteCandidate(line)).await;
        let mut lines = BTreeSet::new();
        let end = loop {
            let event = operator.event().await;
            let PathEvent::LocalCandidate(line) = event else { break event };
            lines.insert(line);
        };
        assert_eq!(end, PathEvent::Down(PathEnd::NotReached(REACH_WITHIN)), "{seen}");
        assert!(
            lines.len() >= told && lines.iter().all(|line| told > 0 && line.contains(seen)),
            "{lines:?}"
        );
        let came = lure.try_recv_from(&mut [0; 2048]);
        assert!(came.is_err(), "{seen}: {came:?}");
    }
}

/// A STUN server to which everybody comes from this address.
async fn seeing(seen: IpAddr) -> SocketAddr {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            let reply = answer(&datagram[..length], SocketAddr::new(seen, from.port()));
            if let Some(reply) = reply {
                socket.send_to(&reply, from).await.unwrap();
            }
        }
    });
    at
}

#[tokio::test]
async fn r1_relay_only_opens_no_socket() {
    let [mut operator, _agent] = direct_ends(AddressDisclosure::RelayOnly, None);
    assert!(matches!(operator.event().await, PathEvent::Down(PathEnd::NotReached(_))));
}

struct House {
    key: TicketKey,
    server: Callee,
    proxies: Proxies,
    next: u8,
}

async fn house() -> House {
    let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()]).unwrap();
    let certificate = made.cert.der().clone();
    let parsed = rustls::server::ParsedCertificate::try_from(&certificate).unwrap();
    let pin = Digest(Sha256::digest(parsed.subject_public_key_info().as_ref()).into());
    let private = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = tasuki_turn_relay::shell::tls::server_config(vec![certificate], private).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let relay = Relay::new(Settings::default(), TicketKey::from_bytes([7; 32]));
    tokio::spawn(tasuki_turn_relay::serve(relay, None, listener, Arc::new(config), 64));
    let server = Callee { host: "127.0.0.1".into(), port, pins: vec![pin] };
    House { key: TicketKey::from_bytes([7; 32]), server, proxies: Proxies::Straight, next: 1 }
}

impl House {
    fn ticket(&mut self, role: Role) -> Vec<u8> {
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 50;
        self.next += 1;
        self.key.seal(&Ticket {
            session: SessionId([1; 16]),
            leg: 1,
            role,
            expires,
            nonce: [self.next; 16],
        })
    }

    fn open(&mut self, side: IceSide, ticket: Vec<u8>) -> End {
        let leg = Leg { number: 1, relay: None, turn: None, ticket: Blob(ticket) };
        let facts = RelayFacts { leg, psk: [3; 32], prologue: b"leg".to_vec(), side };
        let (tell, events) = mpsc::channel(256);
        let seed = Seed::from_bytes([side as u8; 32]);
        let commands =
            relay::spawn(PathId(2), facts, self.server.clone(), self.proxies.clone(), seed, tell);
        End { commands, events, candidates: Vec::new(), rooms: 0 }
    }

    fn ends(&mut self) -> [End; 2] {
        let (operator, agent) = (self.ticket(Role::Operator), self.ticket(Role::Agent));
        [self.open(IceSide::Controlling, operator), self.open(IceSide::Controlled, agent)]
    }
}

#[tokio::test]
async fn a_relayed_path_stands_through_a_real_relay_and_carries_packets_and_video() {
    let started = Instant::now();
    let mut ends = house().await.ends();
    let up = ends[0].until(is_up).await;
    ends[1].until(is_up).await;
    eprintln!("relayed path up after {:?}: {up:?}", started.elapsed());
    let words = format!("{up:?}");
    assert!(
        words.contains("TLS_AES_256_GCM_SHA384") && words.contains("Noise_NNpsk0_25519_AESGCM_SHA256")
    );
    carries(ends).await;
}

/// S84: CONNECT with a password, answered as old proxies do.
#[tokio::test]
async fn s84_a_relayed_path_stands_through_a_proxy_that_wants_a_password() {
    let mut house = house().await;
    let port = proxy("hanako:geheim").await;
    house.proxies = Proxies::parse(&format!("http://hanako:geheim@127.0.0.1:{port}")).unwrap();
    let mut ends = house.ends();
    for end in &mut ends {
        end.until(is_up).await;
    }
    carries(ends).await;
    house.proxies = Proxies::parse(&format!("http://hanako:wrong@127.0.0.1:{port}")).unwrap();
    let [mut operator, _agent] = house.ends();
    let PathEvent::Down(PathEnd::Network(why)) = operator.event().await else { panic!("it went on") };
    assert!(why.contains("name and a password") && !why.contains("wrong"), "{why}");
}

/// A proxy that takes one name and password, and answers in HTTP/1.0.
async fn proxy(sign_in: &'static str) -> u16 {
    use base64::Engine as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let wanted = base64::engine::general_purpose::STANDARD.encode(sign_in);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = near.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let place = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
            if !head.contains(&format!("Proxy-Authorization: Basic {wanted}\r\n")) {
                let no = "HTTP/1.0 407 x\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
                near.write_all(no.as_bytes()).await.unwrap();
                continue;
            }
            let mut far = tokio::net::TcpStream::connect(place).await.unwrap();
            near.write_all(b"HTTP/1.0 200 Connection established\r\n\r\n").await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    port
}

#[tokio::test]
async fn t45_a_used_ticket_is_refused() {
    let mut house = house().await;
    let ticket = house.ticket(Role::Operator);
    let mut first = house.open(IceSide::Controlling, ticket.clone());
    let agent = house.ticket(Role::Agent);
    let _agent = house.open(IceSide::Controlled, agent);
    first.until(is_up).await;
    let mut again = house.open(IceSide::Controlling, ticket);
    assert_eq!(again.event().await, PathEvent::Down(PathEnd::RelayRefused));
}

#[tokio::test]
async fn s72_a_relay_that_shows_another_key_gets_no_ticket() {
    let mut house = house().await;
    house.server.pins[0].0[0] ^= 1;
    let [mut operator, _agent] = house.ends();
    assert!(matches!(operator.event().await, PathEvent::Down(PathEnd::Violation(_))));

    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", house.server.port)).await.unwrap();
    let config = tls::client_config(&house.server.pins, tasuki_protocol::ticket::RELAY_ALPN);
    let name = rustls_pki_types::ServerName::try_from("127.0.0.1").unwrap();
    let refused = tokio_rustls::TlsConnector::from(config).connect(name, tcp).await.unwrap_err();
    assert!(tls::other_server_key(&refused).is_some(), "{refused:?}");
}

/// Figures for the notebook, not a test of anything: `cargo test -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "measures"]
async fn cost_of_four_megabits_a_second() {
    let mut ends = direct_ends(AddressDisclosure::All, None);
    introduce(&mut ends).await;
    measure("direct", ends).await;
    let mut ends = house().await.ends();
    ends[0].until(is_up).await;
    ends[1].until(is_up).await;
    measure("relayed, with its relay", ends).await;
}

async fn measure(what: &str, [mut operator, mut agent]: [End; 2]) {
    let idle = cpu();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = cpu() - idle;
    let received = tokio::spawn(async move {
        let mut bytes = 0;
        while let Ok(Some((_, event))) = timeout(Duration::from_secs(1), operator.events.recv()).await {
            if let PathEvent::Video(VideoFrame { vp8, .. }) = event {
                bytes += vp8.len();
            }
        }
        bytes
    });
    let before = cpu();
    let mut clock = tokio::time::interval(Duration::from_millis(33));
    for number in 0..300 {
        clock.tick().await;
        while let Ok((_, event)) = agent.events.try_recv() {
            if event == PathEvent::VideoRoom {
                agent.rooms += 1;
            }
        }
        let kind = if number == 0 { FrameKind::Key } else { FrameKind::Delta };
        agent.say(PathCommand::SendVideo(frame(number, kind, 16_500))).await;
    }
    let spent = cpu() - before;
    let bytes = received.await.unwrap();
    eprintln!(
        "{what}: {} ms of CPU a second for both ends at {} kbit/s; idle {} ms",
        spent * 1000.0 / 10.0,
        bytes * 8 / 10_000,
        idle * 1000.0 / 5.0
    );
}

/// Seconds of CPU that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
