//! One pair on a paused clock, over streams in memory: idle time, quota, half-close.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tasuki_turn_relay::shell::pair::{BUFFER_BYTES, End, Ended, Terms, forward};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const TERMS: Terms = Terms { idle: Duration::from_secs(120), rate: None };

struct Pair {
    left: DuplexStream,
    right: DuplexStream,
    forwarding: JoinHandle<(Ended, u64)>,
}

fn pair(terms: Terms) -> Pair {
    let (left, inner_left) = duplex(1024);
    let (right, inner_right) = duplex(1024);
    let forwarding = tokio::spawn(async move {
        let mut one = End { stream: inner_left, early: Vec::new() };
        let mut other = End { stream: inner_right, early: Vec::new() };
        let total = AtomicU64::new(5);
        let result = forward(&mut one, &mut other, &terms, &total).await;
        assert_eq!(total.load(Ordering::Relaxed), 5 + result.1);
        result
    });
    Pair { left, right, forwarding }
}

#[tokio::test(start_paused = true)]
async fn a_pair_lives_as_long_as_either_direction_speaks_within_the_idle_time() {
    let mut pair = pair(TERMS);
    let started = Instant::now();
    let mut byte = [0];
    for _ in 0..10 {
        sleep(Duration::from_secs(119)).await;
        pair.left.write_all(b"x").await.unwrap();
        pair.right.read_exact(&mut byte).await.unwrap();
    }
    assert_eq!(pair.forwarding.await.unwrap(), (Ended::Idle, 10));
    assert_eq!(started.elapsed().as_secs(), 10 * 119 + 120);
}

#[tokio::test(start_paused = true)]
async fn after_a_half_close_ten_silent_seconds_end_the_pair() {
    let mut pair = pair(TERMS);
    let started = Instant::now();
    pair.left.shutdown().await.unwrap();
    let mut nothing = Vec::new();
    pair.right.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty(), "the half-close came through");
    assert_eq!(pair.forwarding.await.unwrap(), (Ended::Idle, 0));
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_quota_lets_its_burst_through_and_then_its_rate() {
    let mut pair = pair(Terms { rate: Some(100_000), ..TERMS });
    let started = Instant::now();
    let mut left = pair.left;
    let sending = tokio::spawn(async move {
        left.write_all(&[9; 1_100_000]).await.unwrap();
        left.shutdown().await.unwrap();
        left
    });
    let mut heard = Vec::new();
    pair.right.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, [9; 1_100_000]);
    let took = started.elapsed().as_secs_f64();
    assert!((9.0..11.0).contains(&took), "100 kB at once and 1 MB at 100 kB/s took {took} s");
    drop((sending.await.unwrap(), pair.right));
    assert_eq!(pair.forwarding.await.unwrap(), (Ended::Closed, 1_100_000));
}

#[tokio::test(start_paused = true)]
async fn a_writer_is_stopped_by_a_reader_who_sleeps_and_goes_on_when_he_wakes() {
    let mut pair = pair(TERMS);
    let mut taken = 0;
    let chunk = [1; 512];
    while let Ok(written) = tokio::time::timeout(Duration::from_secs(1), pair.left.write(&chunk)).await
    {
        taken += written.unwrap();
    }
    assert!(taken <= BUFFER_BYTES + 2 * 1024, "{taken} bytes were taken");
    let mut heard = vec![0; taken];
    pair.right.read_exact(&mut heard).await.unwrap();
    assert!(heard.iter().all(|&byte| byte == 1));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_can_no_longer_be_written_to_ends_the_pair() {
    let mut pair = pair(TERMS);
    drop(pair.right);
    pair.left.write_all(b"into the void").await.ok();
    let (ended, _) = pair.forwarding.await.unwrap();
    assert_eq!(ended, Ended::Broken);
}
