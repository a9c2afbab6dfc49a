//! Two relayed legs on a stream that the test holds: what is said arrives, and
//! nothing else ever does.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod leg_pair;

use std::time::{Duration, Instant};

use leg_pair::{AGENT, OPERATOR, Pair, facts, frame, leg};
use tasuki_peer::core::path::{Ciphers, IceSide, PathCommand, PathEnd, PathEvent};
use tasuki_peer::core::relay_leg::RelayLeg;
use tasuki_protocol::leg::REKEY_AFTER;
use tasuki_protocol::seed::Seed;

#[test]
fn both_ends_come_up_and_name_their_ciphers() {
    let pair = Pair::up();
    let noise = "Noise_NNpsk0_25519_AESGCM_SHA256".to_owned();
    let expected = PathEvent::Up(Ciphers::Relayed { noise, tls: "TLS13".into() });
    for end in [OPERATOR, AGENT] {
        assert_eq!(pair.events[end][0], expected);
    }
}

#[test]
fn the_responder_is_not_up_before_a_record_shows_that_the_initiator_lives() {
    let mut pair = Pair::new();
    let first = pair.next(OPERATOR).unwrap();
    pair.deliver(AGENT, &first);
    assert!(pair.next(AGENT).is_some());
    assert!(!pair.is_up(AGENT), "a replayed first message must not make a path");
}

#[test]
fn packets_and_frames_of_all_sizes_arrive_as_they_were() {
    let mut pair = Pair::up();
    for bytes in [1, 59, 60, 61, 127, 128, 4096, 16_319, 16_320, 16_321, 100_000, 300 * 1024] {
        let packet = vec![bytes as u8; bytes];
        pair.send(OPERATOR, &packet);
        let picture = frame(bytes as u32, bytes);
        pair.command(AGENT, PathCommand::SendVideo(picture.clone()));
        pair.pump();
        assert!(pair.events[AGENT].contains(&PathEvent::Packet(packet)), "{bytes}");
        assert!(pair.events[OPERATOR].contains(&PathEvent::Video(picture)), "{bytes}");
    }
    pair.command(OPERATOR, PathCommand::AskKeyFrame);
    pair.pump();
    assert!(pair.events[AGENT].contains(&PathEvent::KeyFrameWanted));
}

/// The bytes of one step, each bit flipped in a run of its own.
fn flip_every_bit(what: &str, prepare: impl Fn(&mut Pair) -> (usize, Vec<u8>)) {
    let length = prepare(&mut Pair::new()).1.len();
    for bit in 0..length * 8 {
        let mut pair = Pair::new();
        let (to, mut bytes) = prepare(&mut pair);
        bytes[bit / 8] ^= 1 << (bit % 8);
        pair.deliver(to, &bytes);
        pair.pump();
        pair.send(1 - to, b"after");
        pair.pump();
        pair.wait(Duration::from_secs(2));
        if pair.end_of(to).is_none() {
            pair.wait(Duration::from_secs(10));
            assert!(matches!(pair.end_of(to), Some(PathEnd::NotReached(_))), "{what} {bit}");
            assert_eq!(pair.delivered(to), 0);
        } else {
            pair.assert_violated(to, &format!("{what}, bit {bit}"));
        }
    }
}

#[test]
fn t44_every_flipped_bit_of_the_handshake_ends_the_leg() {
    flip_every_bit("first message", |pair| (AGENT, pair.next(OPERATOR).unwrap()));
    flip_every_bit("second message", |pair| {
        let first = pair.next(OPERATOR).unwrap();
        pair.deliver(AGENT, &first);
        (OPERATOR, pair.next(AGENT).unwrap())
    });
}

#[test]
fn t44_every_flipped_bit_of_a_record_ends_the_leg_within_two_seconds() {
    for from in [OPERATOR, AGENT] {
        flip_every_bit("record", |pair| {
            pair.pump();
            pair.send(from, b"a key stroke");
            (1 - from, pair.next(from).unwrap())
        });
    }
}

#[test]
fn t44_a_good_record_after_a_bad_one_is_not_taken() {
    let mut pair = Pair::up();
    pair.send(OPERATOR, b"one");
    let one = pair.next(OPERATOR).unwrap();
    let mut bad = one.clone();
    *bad.last_mut().unwrap() ^= 1;
    pair.deliver(AGENT, &[bad, one].concat());
    pair.assert_violated(AGENT, "good after bad");
}

#[test]
fn t44_replay_reorder_and_reflection_end_the_leg() {
    let mut replayed = Pair::up();
    replayed.send(OPERATOR, b"one");
    let one = replayed.next(OPERATOR).unwrap();
    replayed.deliver(AGENT, &[one.clone(), one].concat());
    assert!(matches!(replayed.end_of(AGENT), Some(PathEnd::Violation(_))));
    assert_eq!(replayed.delivered(AGENT), 1);

    let mut reordered = Pair::up();
    reordered.send(OPERATOR, b"one");
    reordered.send(OPERATOR, b"two");
    let (one, two) = (reordered.next(OPERATOR).unwrap(), reordered.next(OPERATOR).unwrap());
    reordered.deliver(AGENT, &[two, one].concat());
    reordered.assert_violated(AGENT, "reordered");

    let mut reflected = Pair::up();
    reflected.send(OPERATOR, b"one");
    let one = reflected.next(OPERATOR).unwrap();
    reflected.deliver(OPERATOR, &one);
    reflected.assert_violated(OPERATOR, "reflected");
}

#[test]
fn t44_a_cut_is_told_apart_from_a_close() {
    let mut closed = Pair::up();
    closed.command(OPERATOR, PathCommand::Close);
    closed.pump();
    closed.legs[AGENT].handle_end();
    assert_eq!(closed.end_of(OPERATOR), Some(&PathEnd::ClosedHere));
    assert_eq!(closed.end_of(AGENT), Some(&PathEnd::ClosedByPeer));
    assert!(closed.legs.iter().all(RelayLeg::is_over));

    let mut cut = Pair::up();
    cut.legs[AGENT].handle_end();
    cut.collect();
    assert!(matches!(cut.end_of(AGENT), Some(PathEnd::Network(_))));

    let mut truncated = Pair::up();
    truncated.send(OPERATOR, b"one");
    let one = truncated.next(OPERATOR).unwrap();
    truncated.deliver(AGENT, &one[..one.len() - 1]);
    truncated.wait(Duration::from_secs(2));
    truncated.assert_violated(AGENT, "truncated");
}

#[test]
fn t45_legs_of_two_sessions_cannot_be_spliced() {
    for (psk, prologue) in [(8, b"leg".as_slice()), (7, b"gel")] {
        let mut pair = Pair::new();
        pair.legs[AGENT] = leg(IceSide::Controlled, psk, prologue, pair.now);
        pair.pump();
        pair.assert_violated(AGENT, "spliced");
        assert!(!pair.is_up(OPERATOR));
    }
}

/// What was taken on the way, given to a leg that has the shared key and `seed` for its own.
fn opened_later(taken: &[Vec<u8>], seed: u8) -> usize {
    let now = Instant::now();
    let facts = facts(IceSide::Controlled, 7, b"leg");
    let mut thief = RelayLeg::new(&facts, "TLS13".into(), &Seed::from_bytes([seed; 32]), now);
    let mut read = 0;
    for bytes in taken {
        thief.handle_bytes(bytes, now);
        while thief.next_bytes(now).is_some() {}
        while let Some(event) = thief.poll_event() {
            read += usize::from(matches!(event, PathEvent::Packet(_)));
        }
    }
    read
}

#[test]
fn s51_who_took_the_bytes_and_comes_by_the_shared_key_later_reads_nothing() {
    let mut pair = Pair::new();
    let mut taken = Vec::new();
    for round in 0..8 {
        if round == 4 {
            pair.send(OPERATOR, b"what was said");
        }
        while let Some(bytes) = pair.next(OPERATOR) {
            pair.deliver(AGENT, &bytes);
            taken.push(bytes);
        }
        while let Some(bytes) = pair.next(AGENT) {
            pair.deliver(OPERATOR, &bytes);
        }
    }
    assert_eq!(pair.delivered(AGENT), 1);
    let of_the_agent = IceSide::Controlled as u8 + 1;
    assert_eq!(opened_later(&taken, of_the_agent), 1, "the leg's own key opens what was taken");
    assert_eq!(opened_later(&taken, 99), 0, "that key is gone with the session");
}

#[test]
fn keys_are_renewed_and_nothing_is_lost_over_it() {
    let mut pair = Pair::up();
    let rounds = 2 * REKEY_AFTER + 10;
    for round in 0..rounds {
        pair.send(OPERATOR, &round.to_be_bytes());
        pair.pump();
        let last = pair.events[AGENT].pop();
        assert_eq!(last, Some(PathEvent::Packet(round.to_be_bytes().to_vec())), "{round}");
    }
    pair.send(AGENT, b"the other way");
    pair.pump();
    assert_eq!(pair.delivered(OPERATOR), 1);
}

#[test]
fn a_key_stroke_passes_a_picture_that_is_being_sent() {
    let mut pair = Pair::up();
    pair.command(AGENT, PathCommand::SendVideo(frame(1, 500_000)));
    for _ in 0..3 {
        let piece = pair.next(AGENT).unwrap();
        pair.deliver(OPERATOR, &piece);
    }
    pair.send(AGENT, b"urgent");
    let next = pair.next(AGENT).unwrap();
    pair.deliver(OPERATOR, &next);
    assert!(pair.events[OPERATOR].contains(&PathEvent::Packet(b"urgent".to_vec())));
    pair.pump();
    assert!(pair.events[OPERATOR].contains(&PathEvent::Video(frame(1, 500_000))));
}

#[test]
fn without_room_frames_are_dropped_and_packets_are_bounded() {
    let mut pair = Pair::up();
    for number in 0..100 {
        pair.command(AGENT, PathCommand::SendVideo(frame(number, 50_000)));
        pair.send(AGENT, &vec![0; 100_000]);
    }
    let mut bytes = 0;
    while let Some(next) = pair.next(AGENT) {
        bytes += next.len();
    }
    assert!(bytes < 700_000, "{bytes}");
}

#[test]
fn silence_and_a_peer_that_never_answers_end_a_leg() {
    let mut pair = Pair::new();
    pair.wait(Duration::from_secs(11));
    assert!(matches!(pair.end_of(OPERATOR), Some(PathEnd::NotReached(_))));

    let mut pair = Pair::up();
    for _ in 0..10 {
        pair.wait(Duration::from_secs(1));
        while pair.next(OPERATOR).is_some() {}
    }
    assert_eq!(pair.end_of(AGENT), Some(&PathEnd::Silent));
}

#[test]
fn an_idle_leg_lives_on_its_own() {
    let mut pair = Pair::up();
    for _ in 0..60 {
        pair.wait(Duration::from_secs(1));
        pair.pump();
    }
    assert_eq!((pair.end_of(OPERATOR), pair.end_of(AGENT)), (None, None));
    assert_eq!((pair.delivered(OPERATOR), pair.delivered(AGENT)), (0, 0));
}

#[test]
fn no_bytes_make_a_leg_panic_or_deliver() {
    let mut dice: u64 = 0x1234_5678_9abc_def1;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    for round in 0..2_000 {
        let mut pair = if round % 2 == 0 { Pair::new() } else { Pair::up() };
        for _ in 0..roll() % 4 + 1 {
            let mut bytes: Vec<u8> = (0..roll() % 200).map(|_| roll() as u8).collect();
            if let Some(first) = bytes.first_mut() {
                *first &= 0x3f;
            }
            pair.deliver((roll() % 2) as usize, &bytes);
        }
        pair.wait(Duration::from_secs(3));
        assert_eq!((pair.delivered(OPERATOR), pair.delivered(AGENT)), (0, 0));
    }
}
