//! Two tickets over real TLS: who is joined, who is refused, and what passes.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::time::Duration;

use support::{PATIENCE, answer, house, is_closed, key, pattern, sealed, ticket, unix};
use tasuki_protocol::ids::Role;
use tasuki_protocol::ticket::{RelayAnswer, TicketKey};
use tasuki_turn_relay::{Limits, Settings};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MEGABYTES: usize = 50;

async fn send_pattern(mut to: impl AsyncWrite + Unpin, salt: u64) {
    let mut chunk = vec![0; 100_000];
    for step in 0..MEGABYTES * 10 {
        pattern(salt, step * chunk.len(), &mut chunk);
        to.write_all(&chunk).await.unwrap();
    }
    to.shutdown().await.unwrap();
}

async fn expect_pattern(mut from: impl AsyncRead + Unpin, salt: u64, pause: Duration) {
    let mut got = vec![0; 100_000];
    let mut want = vec![0; 100_000];
    for step in 0..MEGABYTES * 10 {
        if step % 50 == 0 {
            tokio::time::sleep(pause).await;
        }
        from.read_exact(&mut got).await.unwrap();
        pattern(salt, step * want.len(), &mut want);
        assert!(got == want, "step {step} differs");
    }
    assert_eq!(from.read(&mut got).await.unwrap(), 0, "the half-close came through");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_megabytes_pass_intact_both_ways_at_once_past_a_sleepy_reader() {
    let house = house(Settings::default()).await;
    let (operator, agent) = house.join(1, 0).await;
    let (operator_in, operator_out) = tokio::io::split(operator);
    let (agent_in, agent_out) = tokio::io::split(agent);

    let passing = async {
        tokio::join!(
            tokio::spawn(send_pattern(operator_out, 1)),
            tokio::spawn(send_pattern(agent_out, 2)),
            tokio::spawn(expect_pattern(agent_in, 1, Duration::from_millis(20))),
            tokio::spawn(expect_pattern(operator_in, 2, Duration::ZERO)),
        )
    };
    let (a, b, c, d) = tokio::time::timeout(PATIENCE, passing).await.unwrap();
    a.unwrap();
    b.unwrap();
    c.unwrap();
    d.unwrap();
    house.until(|stats| stats.now.pairs == 0 && stats.now.connections == 0).await;
    assert_eq!(house.relay.stats().bytes, 2 * MEGABYTES as u64 * 1_000_000);
}

#[tokio::test]
async fn half_a_conversation_may_end_while_the_other_half_goes_on() {
    let house = house(Settings::default()).await;
    let (mut operator, mut agent) = house.join(1, 0).await;

    operator.write_all(b"last words").await.unwrap();
    operator.shutdown().await.unwrap();
    let mut heard = Vec::new();
    agent.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"last words");

    agent.write_all(b"and an answer").await.unwrap();
    agent.shutdown().await.unwrap();
    heard.clear();
    operator.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"and an answer");
    house.until(|stats| stats.now.connections == 0).await;
}

#[tokio::test]
async fn what_is_said_before_the_answer_reaches_the_other_end_in_order() {
    let house = house(Settings::default()).await;
    let mut frame = Vec::new();
    let sealed_ticket = sealed(1, 0, Role::Operator);
    frame.extend_from_slice(&(sealed_ticket.len() as u16).to_be_bytes());
    frame.extend_from_slice(&sealed_ticket);
    frame.extend_from_slice(b"one two ");
    let mut operator = house.connect().await;
    operator.write_all(&frame).await.unwrap();
    house.until(|stats| stats.now.waiting == 1).await;
    operator.write_all(b"three").await.unwrap();

    let mut agent = house.present(&sealed(1, 0, Role::Agent)).await;
    assert_eq!(answer(&mut operator).await, Some(RelayAnswer::Joined));
    assert_eq!(answer(&mut agent).await, Some(RelayAnswer::Joined));
    let mut heard = [0; 13];
    agent.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"one two three");
}

#[tokio::test]
async fn t45_a_forged_an_expired_and_an_everlasting_ticket_are_refused() {
    let house = house(Settings::default()).await;
    let good = ticket(1, 0, Role::Operator);
    let mut expired = good.clone();
    expired.expires = unix() - 1;
    let mut everlasting = good.clone();
    everlasting.expires = unix() + 3600;
    let stranger = TicketKey::from_bytes([8; 32]);

    for (name, bytes) in [
        ("forged", stranger.seal(&good)),
        ("expired", key().seal(&expired)),
        ("everlasting", key().seal(&everlasting)),
        ("junk", vec![0x5a; 90]),
    ] {
        let mut client = house.present(&bytes).await;
        assert_eq!(answer(&mut client).await, Some(RelayAnswer::Refused), "{name}");
        assert!(is_closed(&mut client).await, "{name}");
    }
    assert_eq!(house.relay.stats().refused, 4);
}

#[tokio::test]
async fn t45_no_flipped_bit_of_a_ticket_gets_in() {
    let house = house(Settings::default()).await;
    let good = sealed(1, 0, Role::Operator);
    for index in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[index] ^= 1 << (index % 8);
        let mut client = house.present(&bad).await;
        assert_eq!(answer(&mut client).await, Some(RelayAnswer::Refused), "byte {index}");
    }
}

#[tokio::test]
async fn t45_a_ticket_works_once_whether_its_first_use_waits_is_joined_or_is_gone() {
    let house = house(Settings::default()).await;
    let used = sealed(1, 0, Role::Operator);
    let mut operator = house.present(&used).await;
    house.until(|stats| stats.now.waiting == 1).await;
    let mut again = house.present(&used).await;
    assert_eq!(answer(&mut again).await, Some(RelayAnswer::Refused), "while it waits");

    let mut agent = house.present(&sealed(1, 0, Role::Agent)).await;
    assert_eq!(answer(&mut operator).await, Some(RelayAnswer::Joined));
    assert_eq!(answer(&mut agent).await, Some(RelayAnswer::Joined));
    let mut again = house.present(&used).await;
    assert_eq!(answer(&mut again).await, Some(RelayAnswer::Refused), "while it is joined");

    drop((operator, agent));
    house.until(|stats| stats.now.connections == 0).await;
    let mut again = house.present(&used).await;
    assert_eq!(answer(&mut again).await, Some(RelayAnswer::Refused), "after it has gone");
}

#[tokio::test]
async fn t45_the_same_role_twice_is_refused_and_the_first_still_finds_its_other_end() {
    let house = house(Settings::default()).await;
    let mut first = house.present(&sealed(1, 0, Role::Operator)).await;
    house.until(|stats| stats.now.waiting == 1).await;
    let mut second = house.present(&sealed(1, 0, Role::Operator)).await;
    assert_eq!(answer(&mut second).await, Some(RelayAnswer::Refused));

    let mut agent = house.present(&sealed(1, 0, Role::Agent)).await;
    assert_eq!(answer(&mut agent).await, Some(RelayAnswer::Joined));
    assert_eq!(answer(&mut first).await, Some(RelayAnswer::Joined));
}

#[tokio::test]
async fn t45_a_third_comer_is_refused_and_the_pair_is_undisturbed() {
    let house = house(Settings::default()).await;
    let (mut operator, mut agent) = house.join(1, 0).await;
    for role in [Role::Operator, Role::Agent] {
        let mut third = house.present(&sealed(1, 0, role)).await;
        assert_eq!(answer(&mut third).await, Some(RelayAnswer::Refused));
    }
    operator.write_all(b"still here").await.unwrap();
    let mut heard = [0; 10];
    agent.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"still here");
}

#[tokio::test]
async fn t45_other_sessions_and_other_legs_are_never_spliced() {
    let house = house(Settings::default()).await;
    let mut one = house.present(&sealed(1, 0, Role::Operator)).await;
    let mut other_session = house.present(&sealed(2, 0, Role::Agent)).await;
    let mut other_leg = house.present(&sealed(1, 1, Role::Agent)).await;
    house.until(|stats| stats.now.waiting == 3).await;
    assert_eq!(house.relay.stats().joined, 0);

    let mut right = house.present(&sealed(1, 0, Role::Agent)).await;
    assert_eq!(answer(&mut one).await, Some(RelayAnswer::Joined));
    assert_eq!(answer(&mut right).await, Some(RelayAnswer::Joined));
    one.write_all(b"for one pair of ears").await.unwrap();
    let mut heard = [0; 20];
    right.read_exact(&mut heard).await.unwrap();
    assert_eq!(house.relay.stats().now.waiting, 2, "the others still wait");
    for stranger in [&mut other_session, &mut other_leg] {
        let mut byte = [0];
        let heard = tokio::time::timeout(Duration::from_millis(50), stranger.read(&mut byte)).await;
        assert!(heard.is_err(), "a stranger heard something");
    }
}

#[tokio::test]
async fn f3_when_one_end_is_killed_the_other_is_closed_at_once() {
    let house = house(Settings::default()).await;
    let (operator, mut agent) = house.join(1, 0).await;
    drop(operator.into_inner().0);
    assert!(is_closed(&mut agent).await);
    house.until(|stats| stats.now.connections == 0).await;
}

#[tokio::test]
async fn an_end_that_leaves_while_it_waits_frees_its_leg() {
    let house = house(Settings::default()).await;
    let operator = house.present(&sealed(1, 0, Role::Operator)).await;
    house.until(|stats| stats.now.waiting == 1).await;
    drop(operator);
    house.until(|stats| stats.now.connections == 0).await;
    house.join(1, 0).await;
}

#[tokio::test]
async fn an_end_whose_other_end_never_comes_is_told_so() {
    let limits = Limits { wait: Duration::from_millis(100), ..Limits::default() };
    let house = house(Settings { limits, ..Settings::default() }).await;
    let mut alone = house.present(&sealed(1, 0, Role::Operator)).await;
    assert_eq!(answer(&mut alone).await, Some(RelayAnswer::Refused));
    assert!(is_closed(&mut alone).await);
}

#[tokio::test]
async fn a_pair_that_says_nothing_ends_after_the_idle_time() {
    let house = house(Settings { idle: Duration::from_millis(200), ..Settings::default() }).await;
    let (mut operator, mut agent) = house.join(1, 0).await;
    assert!(is_closed(&mut operator).await);
    assert!(is_closed(&mut agent).await);
}

#[tokio::test]
async fn a_pair_under_a_quota_loses_nothing() {
    let house = house(Settings { rate: Some(400_000), ..Settings::default() }).await;
    let (mut operator, mut agent) = house.join(1, 0).await;
    let sending = tokio::spawn(async move {
        operator.write_all(&vec![9; 1_000_000]).await.unwrap();
        operator
    });
    let mut heard = vec![0; 1_000_000];
    agent.read_exact(&mut heard).await.unwrap();
    assert!(heard.iter().all(|&byte| byte == 9));
    sending.await.unwrap();
}
