//! What a third party on the line has of whole real sessions: with every packet taken, and the
//! server's keys stolen later (S46, S51); and what the programs open to the network (S46, S90).

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Size},
    running::{Mark, PATIENCE, listening_of},
    stack::{Desks, House, Session, Way},
    tapping::{Hellos, TLS_13, Taken, Tap, encodings, hellos},
};

const SIZE: Size = Size::new(640, 480);
const CHAT: &str = "canary-words-of-the-chat";
const TYPED: &str = "canary-what-was-typed";
/// The picture's first bytes after a key frame's tag: its mark and its size (RFC 6386 §9.1).
const KEY_FRAME: [u8; 7] = [0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];
/// In every STUN message (RFC 8489 §5).
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// `TLS_AES_256_GCM_SHA384` (RFC 8446 §B.4).
const AES_256: u16 = 0x1302;
/// Less than any session puts on the line, and more than a handshake.
const A_SESSION: usize = 20_000;

fn desks() -> Desks {
    let [operator, user] = [(); 2].map(|()| Desktop::start(SIZE).unwrap());
    Desks { operator, user }
}

/// What must stand nowhere in the open.
fn canaries(house: &House, numbers: &[String]) -> Vec<Vec<u8>> {
    let sign_in = fs::read_to_string(house.profile().join("sign-in.json")).unwrap();
    let sign_in: serde_json::Value = serde_json::from_str(&sign_in).unwrap();
    let mut secrets =
        vec![CHAT.to_owned(), TYPED.to_owned(), "Hanako Sato".to_owned(), "hanako".to_owned()];
    secrets.push(sign_in["token"].as_str().unwrap().to_owned());
    secrets.extend(house.secrets().map(str::to_owned));
    for number in numbers {
        secrets.push(number.clone());
        secrets.push(number.chars().filter(char::is_ascii_digit).collect());
    }
    let texts = secrets.iter().map(String::as_bytes);
    let mut all: Vec<Vec<u8>> = texts.flat_map(encodings).collect();
    all.push(b"hanako".to_vec());
    all.push(KEY_FRAME.to_vec());
    all
}

fn stands_in(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// One whole session from sign-in to end; gives its number.
fn hold(house: &House, desks: &Desks, way: Way) -> String {
    house.sign_in().unwrap();
    let mut session = Session::start(house, desks, Mode::Control, way).unwrap();
    session.operator.say(&format!("chat {CHAT}")).unwrap();
    session.operator.say(&format!("type {TYPED}")).unwrap();
    let agent = &session.agent;
    agent.event(Mark::default(), "the chat", |e| e.to_string().contains(CHAT)).unwrap();
    let number = session.number().to_owned();
    session.end().unwrap();
    number
}

/// Both directions of every connection to `port`.
fn connections(taken: &Taken, port: u16) -> Vec<[&[u8]; 2]> {
    let there = taken.streams.iter().filter(|stream| stream.to.port() == port);
    let back = |to: SocketAddr| taken.streams.iter().filter(move |stream| stream.to == to);
    let both = there.filter_map(|stream| {
        let answer = back(stream.from).next()?;
        Some([stream.bytes.as_slice(), answer.bytes.as_slice()])
    });
    // Whoever only looks whether the port is there says nothing.
    both.filter(|[client, _]| !client.is_empty()).collect()
}

#[test]
fn s46_s51_who_takes_every_packet_reads_nothing_and_stolen_keys_open_nothing_later() {
    if !Tap::is_possible() {
        eprintln!("SKIPPED: listening to the line needs root");
        return;
    }
    let house = House::set_up().unwrap();
    let desks = desks();
    let tap = Tap::start(&format!("tcp port {} or (udp and not port 53)", house.port())).unwrap();
    let numbers = [Way::Relayed, Way::Direct].map(|way| hold(&house, &desks, way));
    let taken = tap.finish().unwrap();

    let connections = connections(&taken, house.port());
    let said = |both: &&[&[u8]; 2]| both[0].len() + both[1].len() > A_SESSION;
    assert!(connections.len() >= 8, "two sessions are more than {} connections", connections.len());
    assert!(connections.iter().any(|both| said(&both)), "the relayed session was not taken");
    let datagrams: usize = taken.datagrams.iter().map(Vec::len).sum();
    assert!(datagrams > A_SESSION, "the direct session was not taken: {datagrams} bytes");

    // What is not hidden, and is found: the search below can find.
    let is_stun = |datagram: &Vec<u8>| stands_in(datagram, &STUN_COOKIE);
    assert!(taken.datagrams.iter().any(is_stun), "no STUN message was taken");

    for [client, server] in &connections {
        let open = hellos(client, server).unwrap();
        let strong = Hellos { version: TLS_13, suite: AES_256, is_forward_secret: true };
        assert_eq!(open, strong);
    }
    for needle in canaries(&house, &numbers) {
        let text = String::from_utf8_lossy(&needle);
        for [client, server] in &connections {
            assert!(!stands_in(client, &needle) && !stands_in(server, &needle), "{text:?} is readable");
        }
        for datagram in &taken.datagrams {
            assert!(!stands_in(datagram, &needle), "{text:?} is readable in a datagram");
        }
    }
}

/// What a place answers to somebody who speaks without encryption.
fn answer_in_the_open(place: SocketAddr) -> Vec<u8> {
    let mut stream = TcpStream::connect(place).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is an answer as good as an end.
    stream.read_to_end(&mut answer).ok();
    answer
}

#[test]
fn s46_s90_no_port_answers_without_encryption_and_the_ends_open_none() {
    let house = House::set_up().unwrap();
    let desks = desks();
    let session = Session::start(&house, &desks, Mode::Control, Way::Direct).unwrap();
    for end in [&session.operator, &session.agent] {
        assert!(listening_of(end.id()).is_empty(), "{} waits for connections (T36)", end.name());
    }
    let places = listening_of(house.server.id());
    assert!(places.iter().any(|place| place.port() == house.port()), "{places:?}");
    for place in places {
        let answer = answer_in_the_open(place);
        if answer.starts_with(b"HTTP/") {
            // What counts and names nobody, for this machine alone (S76).
            assert!(
                place.ip().is_loopback() && place.port() != house.port(),
                "{place} speaks in the open"
            );
            let metrics = String::from_utf8_lossy(&answer).into_owned();
            assert!(!metrics.contains("hanako"), "{metrics}");
        } else {
            let is_alert = answer.is_empty() || answer[0] == 21;
            assert!(is_alert, "{place} said {:?}", String::from_utf8_lossy(&answer));
        }
    }
}
