//! The TURN client against the relay's own server, on a virtual clock.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod turn;

use std::net::SocketAddr;
use std::time::Duration;

use tasuki_peer::core::turn::{
    Allocations, DEAD_AFTER, MOST_CHANNELS, Place, Received, TurnEnd, TurnEvent,
};
use tasuki_protocol::ids::Role;
use tasuki_protocol::seed::Seed;
use turn::*;

const BOTH: &str = "203.0.113.1,2001:db8::1";

#[test]
fn s28_two_ends_get_an_address_each_and_what_one_sends_to_the_others_arrives_from_its_own() {
    let mut world = World::met(BOTH);
    let [operator, agent] = [OPERATOR, AGENT].map(|end| world.relayed(end).unwrap());
    assert_eq!(operator.ip(), "203.0.113.1".parse::<std::net::IpAddr>().unwrap());
    world.say(OPERATOR, b"picture");
    world.say(AGENT, b"key");
    assert_eq!(world.carried[AGENT], [(operator, b"picture".to_vec())]);
    assert_eq!(world.carried[OPERATOR], [(agent, b"key".to_vec())]);
    assert_eq!(world.events[OPERATOR], [TurnEvent::Allocated(operator)]);
}

#[test]
fn a_relay_without_ipv4_gives_an_address_of_the_other_family() {
    let mut world = World::met("2001:db8::1");
    assert!(world.relayed(OPERATOR).unwrap().is_ipv6());
    world.say(OPERATOR, b"picture");
    assert_eq!(world.carried[AGENT].len(), 1);
}

/// The ticket's minute is long over, nonces became stale, permissions and channels would have ended.
#[test]
fn an_allocation_lives_as_long_as_it_is_used_and_an_unused_one_too() {
    let mut world = World::met(BOTH);
    for hour in 1..=2 {
        world.pass(Duration::from_secs(3600));
        world.say(OPERATOR, b"still here");
        assert_eq!(world.carried[AGENT].len(), hour, "{:?}", world.events);
    }
    assert_eq!(world.gone(OPERATOR), None);
}

#[test]
fn while_data_come_only_what_would_expire_is_asked_for_again() {
    let mut world = World::met(BOTH);
    let before = world.sent[AGENT];
    for _ in 0..600 {
        world.pass(Duration::from_secs(1));
        world.say(OPERATOR, b"beat");
        world.say(AGENT, b"beat");
    }
    // Two refreshes, two channels, and a challenge or two between.
    assert!(world.sent[AGENT] - before <= 8, "{}", world.sent[AGENT] - before);
}

#[test]
fn f3_a_relay_that_died_is_told_five_seconds_after_it_was_asked() {
    let mut world = World::met(BOTH);
    world.server = Server::Dead;
    world.pass(DEAD_AFTER);
    assert_eq!(world.gone(OPERATOR), None);
    world.pass(DEAD_AFTER);
    assert_eq!([OPERATOR, AGENT].map(|end| world.gone(end)), [Some(TurnEnd::Silent); 2]);
    assert!(world.ends.iter().all(|end| end.deadline().is_none()), "nothing runs on");
}

#[test]
fn a_server_that_never_answers_is_asked_five_times_and_then_let_be() {
    let mut world = World::new(BOTH);
    world.server = Server::Dead;
    world.pass(DEAD_AFTER * 4);
    assert_eq!(world.gone(OPERATOR), Some(TurnEnd::Silent));
    assert_eq!(world.sent[OPERATOR], 5);
}

#[test]
fn lost_datagrams_are_asked_for_again() {
    let mut world = World::new(BOTH);
    world.outgoing(OPERATOR);
    world.outgoing(AGENT);
    world.pass(Duration::from_secs(1));
    assert!(world.relayed(OPERATOR).is_some() && world.relayed(AGENT).is_some());
}

#[test]
fn an_address_is_given_back_at_the_end() {
    let mut world = World::met(BOTH);
    assert_eq!(world.turn.tally().allocations, 2);
    for end in &mut world.ends {
        end.close(world.now.instant);
    }
    world.settle();
    assert_eq!(world.turn.tally().allocations, 0);
    assert!(world.ends.iter().all(|end| end.deadline().is_none()));
}

#[test]
fn t45_a_ticket_whose_minute_is_over_gets_no_address() {
    let mut world = World::new(BOTH);
    let expired = credential(Role::Operator, DAWN - 1);
    world.ends[OPERATOR] = client(OPERATOR, expired, world.now.instant);
    world.settle();
    assert_eq!(world.gone(OPERATOR), Some(TurnEnd::Refused(401)));
}

#[test]
fn an_address_that_is_nobodys_of_the_session_gets_no_channel_and_gives_way_to_one_that_is() {
    let mut world = World::new(BOTH);
    world.settle();
    let agent = world.relayed(AGENT).unwrap();
    for port in 1..=MOST_CHANNELS as u16 {
        world.ends[OPERATOR].heed(SocketAddr::new(agent.ip(), port), world.now.instant);
    }
    world.settle();
    assert_eq!(world.ends[OPERATOR].wrap(SocketAddr::new(agent.ip(), 1), b"x"), None);
    world.ends[OPERATOR].heed(agent, world.now.instant);
    world.settle();
    assert!(world.ends[OPERATOR].wrap(agent, b"x").is_some());
    assert_eq!(world.gone(OPERATOR), None);
}

#[test]
fn of_several_sockets_the_first_that_is_answered_goes_on_alone() {
    let mut world = World::new(BOTH);
    let now = world.now.instant;
    let mut all = Allocations::default();
    let deaf = Place { local: "10.0.0.1:1".parse().unwrap(), ..place(OPERATOR) };
    let ticket = credential(Role::Operator, DAWN + 50);
    all.begin([deaf, place(OPERATOR)], &ticket, &Seed::from_bytes([8; 32]), now);
    let mut asked = Vec::new();
    while let Some(sent) = all.poll_transmit() {
        asked.push(sent.local);
        if sent.local == place(OPERATOR).local {
            let (_, answer) = world.deliver(OPERATOR, &sent.bytes).unwrap();
            all.receive(sent.destination, sent.local, &answer, now);
        }
    }
    assert_eq!(asked.iter().filter(|local| **local == deaf.local).count(), 1);
    let (at, event) = all.poll_event().unwrap();
    assert_eq!(at, place(OPERATOR));
    assert!(matches!(event, TurnEvent::Allocated(_)));
    assert_eq!(all.receive(deaf.server, deaf.local, b"late", now), Received::Foreign);
}

/// T48: what does not come from the server that was asked is not the relay's.
#[test]
fn t48_a_datagram_from_another_place_is_never_the_relays() {
    let world = World::new(BOTH);
    let now = world.now.instant;
    let mut all = Allocations::default();
    let ticket = credential(Role::Operator, DAWN + 50);
    all.begin([place(OPERATOR)], &ticket, &Seed::from_bytes([8; 32]), now);
    let asked = all.poll_transmit().unwrap();
    for stranger in ["203.0.113.10:444", "203.0.113.11:443", "[::ffff:203.0.113.10]:443"] {
        let stranger: SocketAddr = stranger.parse().unwrap();
        assert_eq!(all.receive(stranger, asked.local, &asked.bytes, now), Received::Foreign);
    }
}
