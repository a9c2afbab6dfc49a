//! TURN's rules on a virtual clock, every message written and read by `stun-rs`.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

#[path = "support/turn.rs"]
mod client;

use client::*;
use stun_rs::TransactionId;
use stun_rs::attributes::StunAttribute;
use stun_rs::attributes::stun::{Fingerprint, UnknownAttributes, XorMappedAddress};
use stun_rs::attributes::turn::{
    DontFragment, EvenPort, LifeTime, RequestedAddressFamily, RequestedTrasport, XorPeerAddress,
};
use stun_rs::methods::{ALLOCATE, CREATE_PERMMISSION, REFRESH};
use stun_rs::protocols;
use tasuki_protocol::ids::Role::{Agent, Operator};
use tasuki_turn_relay::core::turn::table::{Client, Path, TurnLimits};

const HOME: &str = "192.0.2.10:5000";
const OFFICE: &str = "198.51.100.20:6000";

#[test]
fn s84_an_end_gets_a_relayed_address_and_learns_its_own_under_either_hash() {
    for sha256 in [false, true] {
        let mut world = World::new(TurnLimits::default());
        let mut end = Asker::new(udp(HOME), credential(1, Operator, DAWN + 60));
        end.sha256 = sha256;
        let greeting = end.allocate();
        let challenge = world.ask(&mut end, &greeting).unwrap();
        assert_eq!((challenge.error, challenge.sealed), (Some(401), false));
        let request = end.allocate();
        let answer = world.ask(&mut end, &request).unwrap();
        assert!(answer.sealed && has::<Fingerprint>(&answer.message));
        let relayed = answer.relayed.unwrap();
        assert_eq!(relayed.ip(), "203.0.113.1".parse::<std::net::IpAddr>().unwrap());
        assert!(relayed.port() >= 49_152);
        let mapped = answer.message.get::<XorMappedAddress>().unwrap();
        let mapped = mapped.as_xor_mapped_address().unwrap();
        assert_eq!(*mapped.socket_address(), HOME.parse().unwrap());
        let lifetime = answer.message.get::<LifeTime>().unwrap().as_life_time().unwrap();
        assert_eq!(lifetime.as_u32(), 600);
    }
}

#[test]
fn an_ipv6_relayed_address_is_given_to_who_asks_for_one() {
    let mut world = World::new(TurnLimits::default());
    let mut end = Asker::new(udp("[2001:db8:9::5]:700"), credential(1, Agent, DAWN + 60));
    let greeting = end.allocate_v6();
    world.ask(&mut end, &greeting).unwrap();
    let request = end.allocate_v6();
    let answer = world.ask(&mut end, &request).unwrap();
    assert!(answer.relayed.unwrap().is_ipv6());
    assert_eq!(answer.relayed.unwrap().ip(), "2001:db8::1".parse::<std::net::IpAddr>().unwrap());
}

#[test]
fn an_even_port_is_given_to_who_asks_for_one() {
    let mut world = World::new(TurnLimits { per_end: 20, ..TurnLimits::default() });
    for port in 1..20 {
        let client = udp(&format!("192.0.2.10:{port}"));
        let mut end = Asker::new(client, credential(1, Operator, DAWN + 60));
        let greeting = end.allocate();
        world.ask(&mut end, &greeting).unwrap();
        let transport = StunAttribute::from(RequestedTrasport::from(protocols::UDP));
        let request = end.request(ALLOCATE, [transport, EvenPort::new(false).into()]);
        let relayed = world.ask(&mut end, &request).unwrap().relayed.unwrap();
        assert!(relayed.port().is_multiple_of(2) && relayed.port() >= 49_152);
    }
}

#[test]
fn data_pass_between_the_two_ends_by_channels_and_by_indications() {
    let mut world = World::new(TurnLimits::default());
    let mut home = world.end(HOME, 1, Operator);
    let mut office = world.end(OFFICE, 1, Agent);
    let (at_home, at_office) = (home.relayed.unwrap(), office.relayed.unwrap());

    let bind = home.bind(0x4001, at_office);
    assert_eq!(world.ask(&mut home, &bind).unwrap().error, None);
    let early = world.send(home.client, &channel_data(0x4001, b"early"));
    assert_eq!(early, None, "the office has permitted nobody yet");
    let permit = office.permit(at_home);
    assert_eq!(world.ask(&mut office, &permit).unwrap().error, None);

    let (to, bytes) = world.send(home.client, &channel_data(0x4001, b"hello")).unwrap();
    assert_eq!(to, office.client);
    assert_eq!(data_of(&bytes), (at_home, b"hello".to_vec()));

    let (to, bytes) = world.send(office.client, &send_indication(at_home, b"back")).unwrap();
    assert_eq!((to, bytes), (home.client, channel_data(0x4001, b"back")));

    let bind = office.bind(0x4777, at_home);
    assert_eq!(world.ask(&mut office, &bind).unwrap().error, None);
    let (to, bytes) = world.send(home.client, &channel_data(0x4001, b"hello")).unwrap();
    assert_eq!((to, bytes), (office.client, channel_data(0x4777, b"hello")));
    let tally = world.turn.tally();
    assert_eq!((tally.packets, tally.bytes, tally.allocations), (3, 14, 2));
}

#[test]
fn what_goes_into_a_stream_is_padded() {
    let mut world = World::new(TurnLimits::default());
    let mut home = world.end(HOME, 1, Operator);
    let client = Client { path: Path::Stream(3), address: OFFICE.parse().unwrap() };
    let mut office = Asker::new(client, credential(1, Agent, DAWN + 60));
    let at_office = world.allocated(&mut office);
    let bind = office.bind(0x4000, home.relayed.unwrap());
    world.ask(&mut office, &bind).unwrap();
    let bind = home.bind(0x4000, at_office);
    world.ask(&mut home, &bind).unwrap();
    let (to, bytes) = world.send(home.client, &channel_data(0x4000, b"12345")).unwrap();
    assert_eq!((to, &bytes[4..]), (client, &b"12345\0\0\0"[..]));
    let padded = [channel_data(0x4000, b"12345"), vec![0; 3]].concat();
    let (to, bytes) = world.send(client, &padded).unwrap();
    assert_eq!((to, bytes), (home.client, channel_data(0x4000, b"12345")));

    world.turn.closed(&client);
    assert_eq!(world.turn.tally().allocations, 1, "a stream's allocation ends with it");
    assert_eq!(world.send(home.client, &channel_data(0x4000, b"12345")), None);
}

#[test]
fn an_allocation_lives_as_long_as_it_is_refreshed_and_not_longer() {
    let mut world = World::new(TurnLimits::default());
    let mut end = world.end(HOME, 1, Operator);
    for _ in 0..3 {
        world.pass(599);
        let refresh = end.refresh(600);
        let answer = world.ask(&mut end, &refresh).unwrap();
        if answer.error == Some(438) {
            let refresh = end.refresh(600);
            assert_eq!(world.ask(&mut end, &refresh).unwrap().error, None);
        }
    }
    assert_eq!(world.turn.tally().allocations, 1, "long after its ticket's minute");
    world.pass(600);
    let refresh = end.refresh(600);
    let late = world.ask(&mut end, &refresh).unwrap();
    assert!(matches!(late.error, Some(438 | 401)), "{late:?}");
    assert_eq!(world.turn.tally().allocations, 0);
}

#[test]
fn a_refresh_to_nothing_ends_an_allocation() {
    let mut world = World::new(TurnLimits::default());
    let mut end = world.end(HOME, 1, Operator);
    let refresh = end.refresh(0);
    assert_eq!(world.ask(&mut end, &refresh).unwrap().error, None);
    assert_eq!(world.turn.tally().allocations, 0);
    let again = end.refresh(0);
    assert_eq!(world.ask(&mut end, &again).unwrap().error, Some(437));
}

#[test]
fn permissions_and_channels_end_unless_they_are_renewed() {
    let mut world = World::new(TurnLimits::default());
    let mut home = world.end(HOME, 1, Operator);
    let mut office = world.end(OFFICE, 1, Agent);
    let bind = home.bind(0x4001, office.relayed.unwrap());
    world.ask(&mut home, &bind).unwrap();
    let permit = office.permit(home.relayed.unwrap());
    world.ask(&mut office, &permit).unwrap();
    world.pass(299);
    assert!(world.send(home.client, &channel_data(0x4001, b"x")).is_some());
    world.pass(1);
    assert_eq!(world.send(home.client, &channel_data(0x4001, b"x")), None, "the permission is over");
    let permit = office.permit(home.relayed.unwrap());
    world.ask(&mut office, &permit).unwrap();
    assert!(world.send(home.client, &channel_data(0x4001, b"x")).is_some());
    for end in [&mut home, &mut office] {
        let refresh = end.refresh(600);
        world.ask(end, &refresh).unwrap();
    }
    world.pass(300);
    assert_eq!(world.send(home.client, &channel_data(0x4001, b"x")), None, "the channel is over");
}

#[test]
fn a_request_that_is_said_again_gets_the_same_answer_and_another_one_does_not() {
    let mut world = World::new(TurnLimits::default());
    let mut end = Asker::new(udp(HOME), credential(1, Operator, DAWN + 60));
    let greeting = end.allocate();
    world.ask(&mut end, &greeting).unwrap();
    let id = TransactionId::default();
    let request = end.request_again(ALLOCATE, id, [RequestedTrasport::from(protocols::UDP)]);
    let first = world.send(end.client, &request).unwrap();
    assert_eq!(world.send(end.client, &request).unwrap(), first);
    let other = end.allocate();
    assert_eq!(world.ask(&mut end, &other).unwrap().error, Some(437));
    assert_eq!(world.turn.tally().allocations, 1);
}

#[test]
fn a_request_that_lacks_something_is_told_what_kind_of_error_it_is() {
    let mut world = World::new(TurnLimits::default());
    let mut end = Asker::new(udp(HOME), credential(1, Operator, DAWN + 60));
    let greeting = end.allocate();
    world.ask(&mut end, &greeting).unwrap();
    let transport = || StunAttribute::from(RequestedTrasport::from(protocols::UDP));
    let bare = end.request::<StunAttribute>(ALLOCATE, []);
    assert_eq!(world.ask(&mut end, &bare).unwrap().error, Some(400));
    let pair = end.request(ALLOCATE, [transport(), EvenPort::new(true).into()]);
    assert_eq!(world.ask(&mut end, &pair).unwrap().error, Some(508));
    let whole = end.request(ALLOCATE, [transport(), DontFragment::default().into()]);
    let answer = world.ask(&mut end, &whole).unwrap();
    assert_eq!((answer.error, answer.sealed), (Some(420), true));
    let unknown = answer.message.get::<UnknownAttributes>().unwrap();
    assert_eq!(unknown.as_unknown_attributes().unwrap().attributes(), [0x001a]);

    let request = end.allocate();
    let own = world.ask(&mut end, &request).unwrap().relayed.unwrap();
    for (number, peer, error) in [(0x4000, own, 403), (0x3fff, own, 400), (0x8000, own, 400)] {
        let bind = end.bind(number, peer);
        assert_eq!(world.ask(&mut end, &bind).unwrap().error, Some(error), "{number:x}");
    }
    let nobody = end.request::<StunAttribute>(CREATE_PERMMISSION, []);
    assert_eq!(world.ask(&mut end, &nobody).unwrap().error, Some(400));
    let family = RequestedAddressFamily::new(stun_rs::AddressFamily::IPv6);
    let other = end.request(REFRESH, [family]);
    assert_eq!(world.ask(&mut end, &other).unwrap().error, Some(443));
    let v6 = XorPeerAddress::from("[2001:db8::1]:50000".parse::<std::net::SocketAddr>().unwrap());
    let other = end.request(CREATE_PERMMISSION, [v6]);
    assert_eq!(world.ask(&mut end, &other).unwrap().error, Some(443));
}

#[test]
fn a_channel_names_one_peer_and_a_peer_one_channel() {
    let mut world = World::new(TurnLimits::default());
    let mut home = world.end(HOME, 1, Operator);
    let office = world.end(OFFICE, 1, Agent).relayed.unwrap();
    let other = world.end("198.51.100.20:6001", 1, Agent).relayed.unwrap();
    for (number, peer, error) in [
        (0x4000, office, None),
        (0x4000, office, None),
        (0x4000, other, Some(400)),
        (0x4001, office, Some(400)),
        (0x4001, other, None),
    ] {
        let bind = home.bind(number, peer);
        assert_eq!(world.ask(&mut home, &bind).unwrap().error, error, "{number:x} {peer}");
    }
}
