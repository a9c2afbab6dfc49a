//! The real server program under a wall clock that steps (F12).

use std::time::{Duration, Instant};

use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::signal::OPERATOR_PATH;
use tokio::time::{sleep, timeout};

use crate::client::{Operator, PASSWORD, PATIENCE, World};
use crate::crash::Process;
use crate::ledger::read_until_entry;
use crate::lifetimes::{ABSOLUTE, IDLE, age};

/// F12: an hour back, then thirteen ahead of what it was.
#[tokio::test]
async fn f12_a_clock_that_steps_moves_no_lock_and_no_sign_in_and_stands_in_the_ledger() {
    let mut world = World::start().await;
    let Operator { device, token, socket } = world.operator("hanako").await;
    drop(socket);
    world.stop().await;
    let wall = world.folder.path().join("wall");
    std::fs::write(&wall, "+0").unwrap();
    let _server = Process::start_by(&world, &wall);
    for _ in 0..3 {
        assert_eq!(world.login("hanako", "wrong", &device, None).await.status, 401);
    }
    let left = async || {
        let answer = world.login("hanako", PASSWORD, &device, None).await.login();
        let LoginAnswer::Locked { seconds } = answer else { panic!("{answer:?}") };
        seconds
    };
    let (before, begun) = (left().await, Instant::now());
    assert!((890..=900).contains(&before), "a quarter of an hour, and not {before} s");
    for step in ["-1h", "+13h"] {
        std::fs::write(&wall, step).unwrap();
        let (now, passed) = (left().await, begun.elapsed().as_secs());
        let off = before.saturating_sub(passed).abs_diff(now);
        assert!(off <= 5, "{step}: {now} s are left {passed} s after {before} s were");
        drop(world.operator_socket(&token, &device).await);
    }
    // An administrator's requests carry the right time.
    std::fs::write(&wall, "+0").unwrap();
    let mut steps = Vec::new();
    for entry in read_until_entry(&world, is_a_step).await.entries.iter().flatten() {
        if let Event::ClockStepped { by_ms } = entry.event {
            steps.push(by_ms);
        }
    }
    // As far as both clocks were read at one moment.
    assert!((-3_630_000..=-3_570_000).contains(&steps[0]), "{steps:?}");
}

/// F12, T55: neither is a sign-in's end brought nearer by a step, nor put off.
#[tokio::test]
async fn f12_a_sign_in_ends_when_it_should_though_the_clock_steps() {
    let mut world = World::start().await;
    let Operator { device, token, socket } = world.operator("hanako").await;
    drop((socket, token));
    world.stop().await;
    let wall = world.folder.path().join("wall");
    std::fs::write(&wall, "+0").unwrap();
    let _server = Process::start_by(&world, &wall);
    let opens = async |token: &str| {
        let bearer = format!("Bearer {token}");
        world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.is_ok()
    };
    let back = "+0";
    for step in ["-1h", "+13h"] {
        let token = world.login("hanako", PASSWORD, &device, None).await.signed_in().token;
        age(&world, "tokens", "used", IDLE - 60).await;
        std::fs::write(&wall, step).unwrap();
        assert!(opens(&token).await, "{step}: a minute was left");
        // Its time is nearly up, with a line open, and the clock steps back to where it was.
        age(&world, "tokens", "created", ABSOLUTE - 12).await;
        let (mut line, begun) = (world.operator_socket(&token, &device).await, Instant::now());
        std::fs::write(&wall, back).unwrap();
        assert_eq!(timeout(PATIENCE, line.text()).await.expect("it ends"), None);
        let lasted = begun.elapsed();
        let right = Duration::from_secs(7)..=Duration::from_secs(17);
        assert!(right.contains(&lasted), "{step}: 12 s were left, and it lasted {lasted:?}");
        let token = world.login("hanako", PASSWORD, &device, None).await.signed_in().token;
        age(&world, "tokens", "used", IDLE - 4).await;
        std::fs::write(&wall, step).unwrap();
        sleep(Duration::from_secs(9)).await;
        assert!(!opens(&token).await, "{step}: it outlives its time");
        std::fs::write(&wall, back).unwrap();
    }
}

fn is_a_step(entry: &Entry) -> bool {
    matches!(entry.event, Event::ClockStepped { .. })
}
