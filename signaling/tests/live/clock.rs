//! The real server program under a wall clock that steps (F12).

use std::time::Instant;

use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::login::LoginAnswer;

use crate::client::{Operator, PASSWORD, World};
use crate::crash::Process;
use crate::ledger::read_until_entry;

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

fn is_a_step(entry: &Entry) -> bool {
    matches!(entry.event, Event::ClockStepped { .. })
}
