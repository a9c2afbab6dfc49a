//! A TURN client among forgers: what a server or somebody on the way could say to it.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod turn;

use std::time::Duration;

use tasuki_peer::core::turn::TurnEnd;
use tasuki_protocol::ids::Role;
use tasuki_protocol::stun::mask_address;
use tasuki_protocol::turn::TURN_REALM;
use turn::*;

const OWN: &str = "203.0.113.1";
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// An answer that nobody sealed, to the request whose bytes are given.
fn forged(request: &[u8], kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = [&kind.to_be_bytes()[..], &[0, 0], &COOKIE, &request[8..20]].concat();
    for (kind, value) in attributes {
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let length = (bytes.len() - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn error(code: u16) -> [u8; 4] {
    [0, 0, (code / 100) as u8, (code % 100) as u8]
}

/// 198.51.100.66:666, masked.
const ELSEWHERE: [u8; 8] = [0, 1, 0x23, 0x88, 0xe7, 0x21, 0xc0, 0x00];

/// The world with the operator's Allocate under way for the second time, and that request.
fn allocating() -> (World, Vec<u8>) {
    let mut world = World::new(OWN);
    let greeting = world.outgoing(OPERATOR).remove(0);
    let (_, challenge) = world.deliver(OPERATOR, &greeting).unwrap();
    world.hear(OPERATOR, &challenge);
    let request = world.outgoing(OPERATOR).remove(0);
    (world, request)
}

#[test]
fn t48_an_address_that_nobody_sealed_or_somebody_else_did_is_not_taken_and_the_right_one_still_is() {
    let (mut world, request) = allocating();
    let unsealed = forged(&request, 0x0103, &[(0x16, &ELSEWHERE), (0x0d, &[0, 0, 2, 88])]);
    let other = forged(&request, 0x0103, &[(0x16, &ELSEWHERE), (0x08, &[7; 20])]);
    for lie in [unsealed, other] {
        world.hear(OPERATOR, &lie);
        assert_eq!(world.relayed(OPERATOR), None);
    }
    let (_, answer) = world.deliver(OPERATOR, &request).unwrap();
    for flipped in 0..answer.len() {
        let mut altered = answer.clone();
        altered[flipped] ^= 1;
        world.hear(OPERATOR, &altered);
        assert_eq!(world.relayed(OPERATOR), None, "byte {flipped}");
    }
    let behind = [&answer[..], &[0, 0x16, 0, 8], &ELSEWHERE].concat();
    let mut counted = behind.clone();
    let length = (behind.len() - 20) as u16;
    counted[2..4].copy_from_slice(&length.to_be_bytes());
    for lie in [behind, counted, answer[..answer.len() - 4].to_vec()] {
        world.hear(OPERATOR, &lie);
        assert_eq!(world.relayed(OPERATOR), None);
    }
    world.hear(OPERATOR, &answer);
    assert!(world.relayed(OPERATOR).is_some());
}

/// As the relay of the world would seal it: a relay that is an enemy has its tickets' keys.
fn sealed(mut answer: Vec<u8>, end: usize) -> Vec<u8> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let role = [Role::Operator, Role::Agent][end];
    let given = credential(role, DAWN + 50);
    let md5 = stun_rs::Algorithm::from(stun_rs::AlgorithmId::MD5);
    let key = stun_rs::HMACKey::new_long_term(&given.name, TURN_REALM, &given.password, md5).unwrap();
    let length = (answer.len() - 20 + 24) as u16;
    answer[2..4].copy_from_slice(&length.to_be_bytes());
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(&answer);
    let tag = mac.finalize().into_bytes();
    [&answer[..], &[0, 8, 0, 20], &tag].concat()
}

#[test]
fn t48_a_relay_gives_away_no_socket_of_this_end_and_nothing_on_this_computer() {
    let lifetime: (u16, &[u8]) = (0x0d, &[0, 0, 2, 88]);
    for (address, taken) in
        [("192.0.2.10:5000", false), ("127.0.0.1:22", false), ("203.0.113.1:9", true)]
    {
        let (mut world, request) = allocating();
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&request[8..20]);
        let masked = mask_address(address.parse().unwrap(), &transaction);
        let lie = sealed(forged(&request, 0x0103, &[(0x16, &masked), lifetime]), OPERATOR);
        world.hear(OPERATOR, &lie);
        assert_eq!(world.relayed(OPERATOR).is_some(), taken, "{address}");
        assert_eq!(world.gone(OPERATOR), (!taken).then_some(TurnEnd::Nonsense), "{address}");
    }
}

#[test]
fn t48_what_stands_is_ended_by_no_401_that_nobody_sealed() {
    let mut world = World::met(OWN);
    world.server = Server::Dead;
    world.pass(Duration::from_secs(5));
    let now = world.now.instant;
    world.ends[OPERATOR].handle_timeout(now + Duration::from_secs(1));
    let refresh = world.outgoing(OPERATOR).pop().expect("it asks whether the relay is there");
    world.hear(OPERATOR, &forged(&refresh, 0x0114, &[(0x09, &error(401))]));
    assert_eq!(world.gone(OPERATOR), None);
    assert!(world.relayed(OPERATOR).is_some());
}

#[test]
fn t48_an_error_that_a_server_would_have_sealed_ends_nothing_without_a_seal() {
    let (mut world, request) = allocating();
    for code in [300, 400, 403, 437, 441, 442, 486, 500, 508] {
        world.hear(OPERATOR, &forged(&request, 0x0113, &[(0x09, &error(code))]));
    }
    assert_eq!(world.gone(OPERATOR), None);
    let (_, answer) = world.deliver(OPERATOR, &request).unwrap();
    world.hear(OPERATOR, &answer);
    assert!(world.relayed(OPERATOR).is_some());
}

#[test]
fn answers_to_another_question_or_to_one_that_was_answered_change_nothing() {
    let (mut world, request) = allocating();
    let (_, answer) = world.deliver(OPERATOR, &request).unwrap();
    let mut other = request.clone();
    other[8] ^= 1;
    world.hear(OPERATOR, &forged(&other, 0x0113, &[(0x09, &error(401))]));
    // The right transaction, for another method.
    world.hear(OPERATOR, &forged(&request, 0x0114, &[(0x09, &error(401))]));
    world.hear(OPERATOR, &answer);
    let relayed = world.relayed(OPERATOR);
    world.hear(OPERATOR, &answer);
    world.hear(OPERATOR, &forged(&request, 0x0113, &[(0x09, &error(401))]));
    assert!(relayed.is_some() && world.relayed(OPERATOR) == relayed);
    assert_eq!(world.gone(OPERATOR), None);
}

#[test]
fn t49_a_server_that_always_wants_another_nonce_is_given_up_after_a_few() {
    let mut world = World::new(OWN);
    let mut sent = 0;
    for nonce in 0..100_u8 {
        let Some(request) = world.outgoing(OPERATOR).pop() else { break };
        sent += 1;
        let code = if nonce == 0 { 401 } else { 438 };
        let attributes: [(u16, &[u8]); 3] =
            [(0x09, &error(code)), (0x14, b"tasuki"), (0x15, &[nonce; 20])];
        world.hear(OPERATOR, &forged(&request, 0x0113, &attributes));
    }
    assert_eq!(world.gone(OPERATOR), Some(TurnEnd::Refused(438)));
    assert!(sent <= 5, "{sent}");
}

#[test]
fn a_challenge_for_another_realm_or_without_a_nonce_or_with_an_endless_one_gets_no_credential() {
    let challenges: [&[(u16, &[u8])]; 4] = [
        &[(0x09, &[0, 0, 4, 1]), (0x14, b"example.org"), (0x15, b"nonce")],
        &[(0x09, &[0, 0, 4, 1]), (0x14, b"tasuki")],
        &[(0x09, &[0, 0, 4, 1]), (0x15, b"nonce")],
        &[(0x09, &[0, 0, 4, 1]), (0x14, b"tasuki"), (0x15, &[b'n'; 764])],
    ];
    for challenge in challenges {
        let mut world = World::new(OWN);
        let request = world.outgoing(OPERATOR).remove(0);
        world.hear(OPERATOR, &forged(&request, 0x0113, challenge));
        world.pass(Duration::from_millis(300));
        let name = credential(Role::Operator, DAWN + 50).name.clone();
        // Nothing but the greeting was said again.
        let said = world.outgoing(OPERATOR);
        let holds = |bytes: &Vec<u8>| bytes.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(!said.iter().any(holds));
    }
}

#[test]
fn data_on_a_channel_that_was_never_asked_for_or_longer_than_the_datagram_are_nobodys() {
    let mut world = World::met(OWN);
    for bytes in [&[0x40, 0x07, 0, 1, 9][..], &[0x40, 0x00, 0, 9, 1, 2], &[0x40, 0x00, 0], &[0x80], &[]]
    {
        world.hear(OPERATOR, bytes);
    }
    assert_eq!(world.carried[OPERATOR], []);
    world.hear(OPERATOR, &[0x40, 0x00, 0, 2, 1, 2]);
    assert_eq!(world.carried[OPERATOR], [(world.relayed(AGENT).unwrap(), vec![1, 2])]);
}

#[test]
fn what_fits_no_datagram_is_not_sent() {
    let world = World::met(OWN);
    let agent = world.relayed(AGENT).unwrap();
    assert!(world.ends[OPERATOR].wrap(agent, &[1; 1500]).is_some());
    for length in [1501, 65_535, 65_536, 70_000] {
        assert_eq!(world.ends[OPERATOR].wrap(agent, &vec![1; length]), None);
    }
}

#[test]
fn a_relay_that_started_anew_and_knows_nothing_is_told_as_gone() {
    let mut world = World::met(OWN);
    world.turn = World::new(OWN).turn;
    world.pass(Duration::from_secs(60));
    assert!(matches!(world.gone(OPERATOR), Some(TurnEnd::Refused(_))));
}
