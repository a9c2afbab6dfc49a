//! What strangers and bad ends try at the TURN server: every attempt is refused, counted, bounded.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

#[path = "support/turn.rs"]
mod client;

use std::net::SocketAddr;
use std::time::Instant;

use client::*;
use proptest::prelude::*;
use stun_rs::attributes::StunAttribute;
use stun_rs::methods::ALLOCATE;
use tasuki_protocol::ids::Role::{Agent, Operator};
use tasuki_protocol::ticket::TicketKey;
use tasuki_protocol::turn::TurnCredential;
use tasuki_turn_relay::core::turn::message;
use tasuki_turn_relay::core::turn::nonce::{NONCE_BYTES, NONCE_LIFETIME, Nonces};
use tasuki_turn_relay::core::turn::table::{Client, Path, TurnLimits};

const HOME: &str = "192.0.2.10:5000";
const OFFICE: &str = "198.51.100.20:6000";

fn refused(world: &mut World, credential: TurnCredential) -> Option<u16> {
    let mut end = Asker::new(udp(HOME), credential);
    let greeting = end.allocate();
    world.ask(&mut end, &greeting).unwrap();
    let request = end.allocate();
    let answer = world.ask(&mut end, &request).unwrap();
    assert!(answer.relayed.is_none());
    answer.error
}

#[test]
fn t45_forged_expired_and_foreign_credentials_get_no_allocation() {
    let mut world = World::new(TurnLimits::default());
    let good = credential(1, Operator, DAWN + 60);
    let foreign = TicketKey::from_bytes([8; 32]).seal(&ticket(1, Operator, DAWN + 60));
    let wrong_password = TurnCredential { name: good.name.clone(), password: "guess".into() };
    let other_session = TurnCredential {
        name: credential(2, Operator, DAWN + 60).name.clone(),
        password: good.password.clone(),
    };
    for bad in [
        credential(1, Operator, DAWN),
        credential(1, Operator, DAWN + 61),
        TurnCredential::of(&foreign).unwrap(),
        wrong_password,
        other_session,
        TurnCredential { name: "1700000000:alice".into(), password: "x".into() },
    ] {
        assert_eq!(refused(&mut world, bad), Some(401));
    }
    assert_eq!(world.turn.tally().allocations, 0);
    world.pass(60);
    assert_eq!(refused(&mut world, good), Some(401), "its minute is over");
}

#[test]
fn t49_a_replayed_request_from_another_address_makes_no_allocation() {
    let mut world = World::new(TurnLimits::default());
    let mut end = Asker::new(udp(HOME), credential(1, Operator, DAWN + 60));
    let greeting = end.allocate();
    world.ask(&mut end, &greeting).unwrap();
    let request = end.allocate();
    for thief in ["192.0.2.10:5001", "192.0.2.99:5000", "[2001:db8:f::1]:5000"] {
        let mut thief = Asker::new(udp(thief), end.credential.clone());
        assert_eq!(world.ask(&mut thief, &request).unwrap().error, Some(438));
    }
    assert_eq!(world.turn.tally().allocations, 0);
}

#[test]
fn t49_a_nonce_is_good_at_its_own_address_for_its_time() {
    let born = Instant::now();
    let nonces = Nonces::new([1; 32], born);
    let client: SocketAddr = "192.0.2.1:5000".parse().unwrap();
    let nonce = nonces.make(client, born);
    assert!(nonces.knows(&nonce, client, born));
    let mapped = "[::ffff:192.0.2.1]:5000".parse().unwrap();
    assert!(nonces.knows(&nonce, mapped, born), "the same address, written otherwise");
    for other in ["192.0.2.1:5001", "192.0.2.2:5000", "[2001:db8::1]:5000"] {
        assert!(!nonces.knows(&nonce, other.parse().unwrap(), born));
    }
    assert!(!nonces.knows(&nonce, client, born + NONCE_LIFETIME));
    assert!(!Nonces::new([2; 32], born).knows(&nonce, client, born));
    for at in 0..NONCE_BYTES {
        let mut bad = nonce;
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        assert!(!nonces.knows(&bad, client, born));
    }
}

#[test]
fn t45_an_allocation_obeys_the_credential_that_made_it_alone() {
    let mut world = World::new(TurnLimits::default());
    let mut end = world.end(HOME, 1, Operator);
    end.credential = credential(2, Agent, DAWN + 60);
    let refresh = end.refresh(0);
    let (_, answer) = world.send(end.client, &refresh).unwrap();
    assert_eq!(end.read(&answer).error, Some(441));
    assert_eq!(world.turn.tally().allocations, 1);
}

/// Every way to write an address that is not the relay's own.
const ELSEWHERE: [&str; 22] = [
    "127.0.0.1:22",
    "127.8.9.1:22",
    "0.0.0.0:22",
    "0.1.2.3:22",
    "10.0.0.1:22",
    "172.16.0.1:22",
    "192.168.1.1:22",
    "169.254.169.254:80",
    "100.64.0.1:22",
    "224.0.0.1:5353",
    "255.255.255.255:9",
    "8.8.8.8:53",
    "192.0.2.10:5000",
    "[::1]:22",
    "[::]:22",
    "[::ffff:127.0.0.1]:22",
    "[::ffff:203.0.113.1]:50000",
    "[::127.0.0.1]:22",
    "[64:ff9b::7f00:1]:22",
    "[2002:7f00:1::]:22",
    "[fe80::1]:22",
    "[fc00::1]:22",
];

#[test]
fn t49_no_form_of_any_other_address_is_permitted_bound_or_sent_to() {
    for v6 in [false, true] {
        let mut world = World::new(TurnLimits::default());
        let mut end = Asker::new(udp(HOME), credential(1, Operator, DAWN + 60));
        let greeting = end.allocate();
        world.ask(&mut end, &greeting).unwrap();
        let request = if v6 { end.allocate_v6() } else { end.allocate() };
        let own = world.ask(&mut end, &request).unwrap().relayed.unwrap();
        let permit = end.permit(own);
        assert_eq!(world.ask(&mut end, &permit).unwrap().error, None);
        for peer in ELSEWHERE {
            let peer: SocketAddr = peer.parse().unwrap();
            let wanted = if peer.is_ipv6() == v6 { 403 } else { 443 };
            let permit = end.permit(peer);
            assert_eq!(world.ask(&mut end, &permit).unwrap().error, Some(wanted), "{peer}");
            let bind = end.bind(0x4000, peer);
            assert_eq!(world.ask(&mut end, &bind).unwrap().error, Some(wanted), "{peer}");
            assert_eq!(world.send(end.client, &send_indication(peer, b"x")), None, "{peer}");
        }
    }
}

#[test]
fn t49_the_relays_own_ports_are_no_peers() {
    let mut world = World::new(TurnLimits::default());
    let mut end = world.end(HOME, 1, Operator);
    let permit = end.permit(end.relayed.unwrap());
    world.ask(&mut end, &permit).unwrap();
    for port in (0..=1023).chain([3478, 5349, 8080]).chain(49_152..=65_535) {
        let peer = SocketAddr::new(end.relayed.unwrap().ip(), port);
        assert_eq!(world.send(end.client, &send_indication(peer, b"x")), None, "{peer}");
    }
    for port in [443, 3478, 50_000] {
        let bind = end.bind(0x4000, SocketAddr::new(end.relayed.unwrap().ip(), port));
        assert_eq!(world.ask(&mut end, &bind).unwrap().error, Some(403));
    }
}

#[test]
fn t49_the_ends_of_another_session_are_out_of_reach() {
    let mut world = World::new(TurnLimits::default());
    let mut thief = world.end(HOME, 1, Operator);
    let mut victim = world.end(OFFICE, 2, Agent);
    let target = victim.relayed.unwrap();
    let permit = victim.permit(thief.relayed.unwrap());
    world.ask(&mut victim, &permit).unwrap();
    let permit = thief.permit(target);
    world.ask(&mut thief, &permit).unwrap();
    assert_eq!(world.send(thief.client, &send_indication(target, b"x")), None);
    let bind = thief.bind(0x4000, target);
    assert_eq!(world.ask(&mut thief, &bind).unwrap().error, Some(403));
}

#[test]
fn t49_a_stranger_who_knows_a_channel_sends_nothing_through_it() {
    let mut world = World::new(TurnLimits::default());
    let mut home = world.end(HOME, 1, Operator);
    let mut office = world.end(OFFICE, 1, Agent);
    let bind = home.bind(0x4001, office.relayed.unwrap());
    world.ask(&mut home, &bind).unwrap();
    let bind = office.bind(0x4001, home.relayed.unwrap());
    world.ask(&mut office, &bind).unwrap();
    assert!(world.send(home.client, &channel_data(0x4001, b"x")).is_some());
    for stranger in [
        udp("192.0.2.10:5001"),
        udp("192.0.2.11:5000"),
        Client { path: Path::Datagram(1), ..home.client },
        Client { path: Path::Stream(0), ..home.client },
    ] {
        assert_eq!(world.send(stranger, &channel_data(0x4001, b"x")), None);
        let indication = send_indication(office.relayed.unwrap(), b"x");
        assert_eq!(world.send(stranger, &indication), None);
    }
}

#[test]
fn t49_a_flood_of_allocations_ends_at_each_quota() {
    let limits = TurnLimits { allocations: 12, per_address: 5, per_end: 3, rate: None };
    let mut world = World::new(limits);
    let mut made = [0; 3];
    let mut errors = std::collections::BTreeSet::new();
    let mut knock = |world: &mut World, address: String, session| {
        let mut end = Asker::new(udp(&address), credential(session, Operator, DAWN + 60));
        let greeting = end.allocate();
        world.ask(&mut end, &greeting).unwrap();
        let request = end.allocate();
        let answer = world.ask(&mut end, &request).unwrap();
        errors.extend(answer.error);
        usize::from(answer.relayed.is_some())
    };
    for port in 1..50 {
        made[0] += knock(&mut world, format!("192.0.2.1:{port}"), 1);
        made[1] += knock(&mut world, format!("192.0.2.2:{port}"), port as u8 + 1);
        made[2] += knock(&mut world, format!("192.0.2.{}:1", port + 100), port as u8 + 100);
    }
    assert_eq!(made, [3, 5, 4], "one end, one address, all");
    assert_eq!(errors, [486, 508].into());
    assert_eq!(world.turn.tally().allocations, 12);
}

#[test]
fn an_allocation_sends_no_faster_than_its_quota() {
    let limits = TurnLimits { rate: Some(1000), ..TurnLimits::default() };
    let mut world = World::new(limits);
    let mut home = world.end(HOME, 1, Operator);
    let mut office = world.end(OFFICE, 1, Agent);
    let bind = home.bind(0x4001, office.relayed.unwrap());
    world.ask(&mut home, &bind).unwrap();
    let bind = office.bind(0x4001, home.relayed.unwrap());
    world.ask(&mut office, &bind).unwrap();
    let burst = |world: &mut World, from| {
        (0..50).filter(|_| world.send(from, &channel_data(0x4001, &[0; 100])).is_some()).count()
    };
    assert_eq!(burst(&mut world, home.client), 10);
    assert_eq!(burst(&mut world, office.client), 10, "the other end has a quota of its own");
    world.pass(1);
    assert_eq!(burst(&mut world, home.client), 10);
}

#[test]
fn t49_a_stranger_is_told_at_most_twice_what_it_said() {
    let mut world = World::new(TurnLimits::default());
    let asker = Asker::new(udp(HOME), credential(1, Operator, DAWN + 60));
    let with_fingerprint = asker.allocate();
    let mut plain = with_fingerprint[..28].to_vec();
    plain[3] = 8;
    let mut bare = plain[..20].to_vec();
    bare[3] = 0;
    for request in [&with_fingerprint, &plain, &bare] {
        let answer = world.send(asker.client, request);
        let told = answer.as_ref().map_or(0, |(_, bytes)| bytes.len() + 8);
        assert!(told <= 2 * (request.len() + 8), "{told} for {}", request.len());
        assert_eq!(answer.is_some(), request.len() > 20, "what is too short to answer gets silence");
    }
    let spoofed = asker.request::<StunAttribute>(ALLOCATE, []);
    for length in 0..spoofed.len() {
        assert_eq!(world.send(asker.client, &spoofed[..length]), None);
    }
}

#[derive(Debug, Clone)]
enum Act {
    Allocate(usize),
    Refresh(usize, bool),
    Permit(usize, usize),
    Bind(usize, u16, usize),
    Channel(usize, u16),
    Send(usize, usize),
    Pass(u64),
    Junk(usize, Vec<u8>),
}

fn act() -> impl Strategy<Value = Act> {
    let end = || 0..4_usize;
    let number = || 0x4000..0x4004_u16;
    prop_oneof![
        end().prop_map(Act::Allocate),
        (end(), any::<bool>()).prop_map(|(end, zero)| Act::Refresh(end, zero)),
        (end(), end()).prop_map(|(end, peer)| Act::Permit(end, peer)),
        (end(), number(), end()).prop_map(|(end, number, peer)| Act::Bind(end, number, peer)),
        (end(), number()).prop_map(|(end, number)| Act::Channel(end, number)),
        (end(), end()).prop_map(|(end, peer)| Act::Send(end, peer)),
        (1..400_u64).prop_map(Act::Pass),
        (end(), proptest::collection::vec(any::<u8>(), 0..80))
            .prop_map(|(end, junk)| Act::Junk(end, junk)),
    ]
}

/// Two sessions of two ends each: 0 and 1, 2 and 3.
fn ends() -> [Asker; 4] {
    std::array::from_fn(|index| {
        let role = if index % 2 == 0 { Operator } else { Agent };
        let client = udp(&format!("192.0.2.{}:7000", index + 1));
        Asker::new(client, credential(index as u8 / 2, role, DAWN + 60))
    })
}

fn bytes_of(act: &Act, ends: &[Asker; 4]) -> Option<(usize, Vec<u8>)> {
    let nowhere: SocketAddr = "203.0.113.1:49152".parse().unwrap();
    let at = |peer: usize| ends[peer].relayed.unwrap_or(nowhere);
    Some(match act {
        Act::Allocate(end) => (*end, ends[*end].allocate()),
        Act::Refresh(end, zero) => (*end, ends[*end].refresh(if *zero { 0 } else { 600 })),
        Act::Permit(end, peer) => (*end, ends[*end].permit(at(*peer))),
        Act::Bind(end, number, peer) => (*end, ends[*end].bind(*number, at(*peer))),
        Act::Channel(end, number) => (*end, channel_data(*number, b"data")),
        Act::Send(end, peer) => (*end, send_indication(at(*peer), b"data")),
        Act::Junk(end, junk) => (*end, junk.clone()),
        Act::Pass(_) => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn t49_whatever_ends_do_data_stay_within_their_session(acts in proptest::collection::vec(act(), 1..120)) {
        let mut world = World::new(TurnLimits { allocations: 6, per_address: 2, per_end: 1, rate: None });
        let mut ends = ends();
        for act in &acts {
            if let Act::Pass(seconds) = act {
                world.pass(*seconds);
            }
            let Some((from, bytes)) = bytes_of(act, &ends) else { continue };
            let out = world.send(ends[from].client, &bytes);
            prop_assert!(world.turn.tally().allocations <= 4);
            let Some((to, bytes)) = out else { continue };
            let receiver = ends.iter().position(|end| end.client == to).expect("one of the ends");
            if matches!(act, Act::Channel(..) | Act::Send(..)) {
                prop_assert_eq!(receiver / 2, from / 2, "data crossed from one session to another");
            } else {
                prop_assert_eq!(receiver, from);
                if !matches!(act, Act::Junk(..)) {
                    let answer = ends[from].read(&bytes);
                    ends[from].relayed = answer.relayed.or(ends[from].relayed);
                }
            }
        }
    }

    #[test]
    fn t59_no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..10_u8) {
        let mut framed = vec![0, kind, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        framed.extend_from_slice(&[0; 12]);
        framed.extend_from_slice(&bytes);
        let length = (bytes.len() as u16).to_be_bytes();
        framed[2..4].copy_from_slice(&length);
        for bytes in [&bytes, &framed] {
            if let Some(message) = message::read(bytes) {
                prop_assert!(message.data.is_none_or(|data| data.end <= bytes.len()));
            }
        }
    }
}
