//! Two direct links in a simulated network.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod links;

use std::time::{Duration, Instant};

use links::other::Other;
use links::{AGENT, OPERATOR, Weather, World, address, facts, frame, identity};
use str0m::config::DtlsVersion;
use tasuki_peer::core::direct::{DirectLink, LocalAddress};
use tasuki_peer::core::path::{Ciphers, PathCommand, PathEnd, PathEvent};
use tasuki_protocol::leg::FrameKind;

const SECOND: Duration = Duration::from_secs(1);

fn up(weather: Weather) -> World {
    let mut world = World::new(weather);
    let both = world.run_until(10 * SECOND, |w| w.is_up(OPERATOR) && w.is_up(AGENT));
    assert!(both, "{:?}", world.events);
    world
}

#[test]
fn t47_both_ends_come_up_with_aes_256_for_data_and_media() {
    let world = up(Weather::fair());
    let expected =
        Ciphers::Direct { dtls: "TLS_AES_256_GCM_SHA384".into(), srtp: "SRTP_AEAD_AES_256_GCM".into() };
    for end in [OPERATOR, AGENT] {
        assert!(world.events[end].contains(&PathEvent::Up(expected.clone())));
    }
    eprintln!("up after {:?}", world.now - world.start);
}

#[test]
fn packets_small_and_large_arrive_as_they_were() {
    let mut world = up(Weather::fair());
    let packets: Vec<Vec<u8>> =
        [1, 100, 3_000, 5_000, 16_384, 70_000, 300 * 1024].iter().map(|n| vec![*n as u8; *n]).collect();
    for packet in &packets {
        world.command(OPERATOR, PathCommand::SendPacket(packet.clone()));
        let count = world.packets(AGENT).len() + 1;
        assert!(world.run_until(20 * SECOND, |w| w.packets(AGENT).len() == count), "{}", packet.len());
    }
    assert_eq!(world.packets(AGENT), packets.iter().collect::<Vec<_>>());
}

#[test]
fn video_arrives_byte_for_byte_with_number_and_kind() {
    let mut world = up(Weather::fair());
    for number in 0..30u32 {
        let kind = if number == 0 { FrameKind::Key } else { FrameKind::Delta };
        let sent = frame(number + 4_000_000_000, kind, 8_000);
        let rooms = |w: &World| w.count(AGENT, |e| *e == PathEvent::VideoRoom);
        assert!(world.run_until(5 * SECOND, |w| rooms(w) > number as usize));
        world.command(AGENT, PathCommand::SendVideo(sent.clone()));
        assert!(world.run_until(5 * SECOND, |w| w.frames(OPERATOR).last() == Some(&&sent)), "{number}");
    }
    assert_eq!(world.frames(OPERATOR).len(), 30);
}

/// One of our links and another's, with a network that loses nothing, until our end is told.
fn meets(side: usize, make: impl Fn(Instant) -> Other) -> (Vec<PathEvent>, bool) {
    let mut now = Instant::now();
    let own = identity(1);
    let mut facts = facts(&own, &own)[side].clone();
    let mut other = make(now);
    other.meet(&mut facts, &own);
    let mut link = DirectLink::new(&own, facts, now);
    link.add_local(LocalAddress::Host(address(0)), now);
    let theirs =
        format!("candidate:1 1 udp 2130706175 {} {} typ host", address(1).ip(), address(1).port());
    link.handle_command(PathCommand::RemoteCandidate(theirs), now);
    other.candidates(address(1), address(0));
    let (mut events, mut to_other) = (Vec::new(), Vec::new());
    for _ in 0..6_000 {
        for datagram in other.step(now, &to_other, address(0)) {
            link.handle_datagram(address(1), address(0), &datagram.bytes, now);
        }
        link.handle_timeout(now);
        to_other = std::iter::from_fn(|| link.poll_transmit()).collect();
        events.extend(std::iter::from_fn(|| link.poll_event()));
        if matches!(events.last(), Some(PathEvent::Down(_))) {
            break;
        }
        now += Duration::from_millis(2);
    }
    (events, other.connected)
}

#[test]
fn t47_a_peer_that_offers_only_aes_128_is_refused_in_either_role_and_version() {
    for side in [OPERATOR, AGENT] {
        for version in [DtlsVersion::Dtls12, DtlsVersion::Dtls13] {
            let (events, connected) = meets(side, |now| Other::weak(version, now));
            assert!(!events.iter().any(|e| matches!(e, PathEvent::Up(_))), "{side} {version}");
            let down = events.last();
            assert!(
                matches!(down, Some(PathEvent::Down(PathEnd::Violation(_)))),
                "{side} {version}: {down:?}"
            );
            assert!(!connected, "{side} {version}");
        }
    }
}

#[test]
fn t47_a_stock_peer_without_dtls_1_3_is_refused() {
    for side in [OPERATOR, AGENT] {
        let (events, _) = meets(side, Other::stock);
        let down = events.last();
        assert!(matches!(down, Some(PathEvent::Down(PathEnd::Violation(_)))), "{side}: {down:?}");
    }
}

#[test]
fn on_a_line_that_loses_one_in_twenty_packets_and_video_still_arrive() {
    let weather = Weather { lost_of_1000: 50, ..Weather::fair() };
    let mut world = up(weather);
    let large = vec![9; 100_000];
    world.command(OPERATOR, PathCommand::SendPacket(large.clone()));
    let mut number = 0;
    let (mut rooms, mut keys) = (0, 0);
    let start = world.now;
    for tick in 1..=300u32 {
        world.command(OPERATOR, PathCommand::SendPacket(tick.to_be_bytes().to_vec()));
        let until = start + tick * Duration::from_millis(33);
        while world.now < until {
            world.step();
        }
        let offered = world.count(AGENT, |e| *e == PathEvent::VideoRoom);
        let wanted = world.count(AGENT, |e| *e == PathEvent::KeyFrameWanted);
        if offered > rooms {
            rooms = offered;
            let kind = if number == 0 || wanted > keys { FrameKind::Key } else { FrameKind::Delta };
            keys = wanted;
            world.command(AGENT, PathCommand::SendVideo(frame(number, kind, 6_000)));
            number += 1;
        }
    }
    world.run_until(2 * SECOND, |_| false);
    let small = world.packets(AGENT).iter().filter(|p| p.len() == 4).count();
    assert!(small > 250, "{small} of 300 packets");
    assert!(world.packets(AGENT).contains(&&large));
    let frames = world.frames(OPERATOR);
    assert!(frames.len() as u32 > number * 8 / 10, "{} of {number} frames", frames.len());
    let mut last: Option<u32> = None;
    for got in &frames {
        assert_eq!(**got, frame(got.header.number, got.header.kind, 6_000));
        let follows =
            got.header.kind == FrameKind::Key || last.map(|n| n + 1) == Some(got.header.number);
        assert!(follows, "{last:?} then {:?}", got.header);
        last = Some(got.header.number);
    }
    eprintln!("{small} of 300 packets, {} of {number} frames, {keys} key frames wanted", frames.len());
    assert_eq!((world.end_of(OPERATOR), world.end_of(AGENT)), (None, None));
}

#[test]
fn a_viewer_that_asks_gets_its_wish_for_a_key_frame_to_the_sender() {
    let mut world = up(Weather::fair());
    world.run_until(SECOND, |w| w.count(AGENT, |e| *e == PathEvent::VideoRoom) > 0);
    world.command(AGENT, PathCommand::SendVideo(frame(0, FrameKind::Key, 3_000)));
    assert!(world.run_until(5 * SECOND, |w| w.frames(OPERATOR).len() == 1));
    world.command(OPERATOR, PathCommand::AskKeyFrame);
    assert!(world.run_until(5 * SECOND, |w| w.count(AGENT, |e| *e == PathEvent::KeyFrameWanted) > 0));
}

#[test]
fn t46_a_wrong_fingerprint_ends_the_path_before_anything_is_said() {
    let (operator, agent) = (identity(1), identity(2));
    let mut facts = facts(&operator, &agent);
    facts[OPERATOR].remote_fingerprint.0[0] ^= 1;
    let mut world = World::of([operator, agent], facts, Weather::fair());
    world.run_until(12 * SECOND, |w| w.end_of(OPERATOR).is_some() && w.end_of(AGENT).is_some());
    assert!(matches!(world.end_of(OPERATOR), Some(PathEnd::Violation(_))), "{:?}", world.events);
    assert!(!world.is_up(OPERATOR) && !world.is_up(AGENT));
}

#[test]
fn t7_a_wrong_proof_ends_the_path_before_anything_is_delivered() {
    let (operator, agent) = (identity(1), identity(2));
    let mut facts = facts(&operator, &agent);
    facts[OPERATOR].peer_proof.0[31] ^= 1;
    let mut world = World::of([operator, agent], facts, Weather::fair());
    world.run_until(12 * SECOND, |w| w.end_of(OPERATOR).is_some() && w.end_of(AGENT).is_some());
    assert!(matches!(world.end_of(OPERATOR), Some(PathEnd::Violation(_))), "{:?}", world.events);
    assert!(!world.is_up(OPERATOR));
    assert_eq!(world.packets(OPERATOR).len(), 0);
}

/// What somebody off the path may send: alerts, hellos, junk of each kind.
fn spoofed(round: u32) -> Vec<u8> {
    let alert = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
    let close = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0];
    let mut hello =
        vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48];
    hello.extend([0xfe, 0xfd]);
    hello.extend([round as u8; 46]);
    let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    stun.extend([round as u8; 12]);
    let junk: Vec<u8> = (0..round % 300).map(|i| (i * 37 + round * 101) as u8).collect();
    let srtp = [[0x80, 96].as_slice(), &[round as u8; 60]].concat();
    let rtcp = [[0x81, 203].as_slice(), &[round as u8; 40]].concat();
    let sealed =
        [[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 40].as_slice(), &[round as u8; 40]].concat();
    let kinds = [alert, close, hello, stun, junk, srtp, rtcp, sealed];
    kinds[round as usize % kinds.len()].clone()
}

#[test]
fn t48_a_thousand_spoofed_datagrams_neither_prevent_nor_end_a_session() {
    let mut world = World::new(Weather::fair());
    let mut round = 0;
    let mut spoof = |world: &mut World, count: u32| {
        for _ in 0..count {
            let stranger =
                std::net::SocketAddr::from(([203, 0, 113, (round % 250) as u8], 1000 + round as u16));
            world.inject(round as usize % 2, stranger, &spoofed(round));
            round += 1;
        }
    };
    while !(world.is_up(OPERATOR) && world.is_up(AGENT)) {
        assert!(world.now < world.start + 5 * SECOND, "{:?}", world.events);
        spoof(&mut world, 8);
        world.step();
    }
    spoof(&mut world, 1_000);
    world.command(OPERATOR, PathCommand::SendPacket(b"after".to_vec()));
    assert!(world.run_until(5 * SECOND, |w| !w.packets(AGENT).is_empty()));
    assert_eq!((world.end_of(OPERATOR), world.end_of(AGENT)), (None, None));
    assert_eq!(world.packets(AGENT).len(), 1);
}

#[test]
fn t48_junk_that_names_the_other_ends_own_address_does_not_end_a_session() {
    let mut world = up(Weather::fair());
    for round in 0..1_000 {
        // Without keys nobody can make a datagram that DTLS or SRTP takes, whatever its source says.
        world.inject(OPERATOR, address(AGENT), &spoofed(round));
    }
    world.command(AGENT, PathCommand::SendPacket(b"after".to_vec()));
    assert!(world.run_until(5 * SECOND, |w| !w.packets(OPERATOR).is_empty()), "{:?}", world.events);
    assert_eq!((world.end_of(OPERATOR), world.end_of(AGENT)), (None, None));
}

#[test]
fn a_close_reaches_the_other_end_and_silence_is_noticed() {
    let mut world = up(Weather::fair());
    world.command(OPERATOR, PathCommand::Close);
    assert!(world.run_until(5 * SECOND, |w| w.end_of(AGENT).is_some()));
    assert_eq!(world.end_of(OPERATOR), Some(&PathEnd::ClosedHere));
    assert_eq!(world.end_of(AGENT), Some(&PathEnd::ClosedByPeer));

    let mut world = up(Weather::fair());
    world.weather.lost_of_1000 = 1_000;
    let cut = world.now;
    assert!(
        world.run_until(60 * SECOND, |w| w.end_of(AGENT).is_some() && w.end_of(OPERATOR).is_some())
    );
    assert_eq!(world.end_of(AGENT), Some(&PathEnd::Silent));
    assert!(world.now - cut < 10 * SECOND);
}

#[test]
fn an_idle_path_lives_and_costs_little_before_and_after_video() {
    let mut world = up(Weather::fair());
    assert_is_quiet(&mut world);
    for number in 0..60 {
        let kind = if number == 0 { FrameKind::Key } else { FrameKind::Delta };
        world.command(AGENT, PathCommand::SendVideo(frame(number, kind, 10_000)));
        world.run_until(Duration::from_millis(33), |_| false);
    }
    assert!(world.frames(OPERATOR).len() > 50, "{}", world.frames(OPERATOR).len());
    world.run_until(5 * SECOND, |_| false);
    assert_is_quiet(&mut world);
}

fn assert_is_quiet(world: &mut World) {
    let before = world.sent;
    let mut steps = 0;
    let until = world.now + 60 * SECOND;
    while world.now < until {
        world.step();
        steps += 1;
    }
    eprintln!("{steps} steps");
    assert_eq!((world.end_of(OPERATOR), world.end_of(AGENT)), (None, None));
    let in_a_minute = [0, 1].map(|end| world.sent[end] - before[end]);
    eprintln!("idle: {in_a_minute:?} datagrams a minute");
    assert!(in_a_minute.iter().all(|n| *n < 300), "{in_a_minute:?}");
}

#[test]
fn the_estimate_follows_a_narrow_line() {
    let weather = Weather { bits_per_second: Some(1_500_000), ..Weather::fair() };
    let mut world = up(weather);
    let (mut rooms, mut number) = (0, 0);
    let until = world.now + 20 * SECOND;
    while world.now < until {
        world.step();
        let offered = world.count(AGENT, |e| *e == PathEvent::VideoRoom);
        if offered > rooms {
            rooms = offered;
            let kind = if number % 30 == 0 { FrameKind::Key } else { FrameKind::Delta };
            world.command(AGENT, PathCommand::SendVideo(frame(number, kind, 5_000)));
            number += 1;
        }
    }
    let last = world.events[AGENT]
        .iter()
        .rev()
        .find_map(|e| if let PathEvent::Capacity(bits) = e { Some(*bits) } else { None });
    eprintln!("estimate {last:?}, {} of {number} frames", world.frames(OPERATOR).len());
    assert!(last.is_some_and(|bits| (400_000..2_200_000).contains(&bits)), "{last:?}");
    assert!(world.frames(OPERATOR).len() as u32 > number / 2);
}

#[test]
fn an_address_that_only_a_stun_server_saw_is_enough_and_its_base_stays_untold() {
    let (operator, agent) = (identity(1), identity(2));
    let facts = facts(&operator, &agent);
    let now = Instant::now();
    let [of_operator, of_agent] = facts;
    let links = [DirectLink::new(&operator, of_operator, now), DirectLink::new(&agent, of_agent, now)];
    let mut world = World::bare(links, now, Weather::fair());
    let seen = address(OPERATOR);
    world.links[OPERATOR].add_local(LocalAddress::Untold(seen), now);
    world.links[OPERATOR].add_local(LocalAddress::ServerReflexive { seen, base: seen }, now);
    world.links[AGENT].add_local(LocalAddress::Host(address(AGENT)), now);
    assert!(
        world.run_until(10 * SECOND, |w| w.is_up(OPERATOR) && w.is_up(AGENT)),
        "{:?}",
        world.events
    );
    let told: Vec<_> = world.events[OPERATOR]
        .iter()
        .filter_map(
            |e| if let PathEvent::LocalCandidate(line) = e { Some(line.as_str()) } else { None },
        )
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("typ srflx raddr 0.0.0.0"), "{told:?}");
}
