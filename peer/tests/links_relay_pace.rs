//! Video over a relayed leg on lines of known width: what it estimates, and how long
//! a frame waits.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod leg_pair;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use leg_pair::{AGENT, OPERATOR, Pair, frame};
use tasuki_peer::core::path::{PathCommand, PathEvent};

/// Frames over a line of `rate` bits a second with a hidden queue of a relay's size;
/// the estimate at the end and the longest that any frame took.
fn over_a_line(rate: f64, frames: u32) -> (u64, Duration, Duration) {
    let mut pair = Pair::up();
    let start = pair.now;
    let mut lines: [VecDeque<(Instant, Vec<u8>)>; 2] = Default::default();
    let mut free = [pair.now; 2];
    let mut begun = Vec::new();
    let mut longest = Duration::ZERO;
    let (mut estimate, mut seen, mut rooms) = (0, 0, 0);
    while seen < frames as usize {
        for end in [OPERATOR, AGENT] {
            while let Some(bytes) = pair.next(end) {
                free[end] =
                    free[end].max(pair.now) + Duration::from_secs_f64(bytes.len() as f64 * 8.0 / rate);
                lines[end].push_back((free[end] + Duration::from_millis(20), bytes));
            }
            while lines[end].front().is_some_and(|(at, _)| *at <= pair.now) {
                let (_, bytes) = lines[end].pop_front().unwrap();
                pair.deliver(1 - end, &bytes);
            }
        }
        let arrived = pair.delivered(OPERATOR);
        // The first frames meet a line that nobody knows yet.
        for at in begun[seen..arrived].iter().skip(20usize.saturating_sub(seen)) {
            longest = longest.max(pair.now - *at);
        }
        seen = arrived;
        rooms += pair.events[AGENT].iter().filter(|e| **e == PathEvent::VideoRoom).count();
        for event in pair.events[AGENT].drain(..) {
            if let PathEvent::Capacity(bits) = event {
                estimate = bits;
            }
        }
        if rooms > begun.len() {
            begun.push(pair.now);
            pair.command(AGENT, PathCommand::SendVideo(frame(begun.len() as u32, 10_000)));
        }
        pair.wait(Duration::from_millis(1));
        assert_eq!(pair.end_of(OPERATOR), None);
    }
    (estimate, longest, pair.now - start)
}

#[test]
fn a_narrow_line_is_estimated_and_its_hidden_queue_stays_short() {
    let (estimate, longest, took) = over_a_line(1_000_000.0, 100);
    assert!((700_000..1_500_000).contains(&estimate), "{estimate}");
    assert!(longest < Duration::from_millis(400), "{longest:?}");
    assert!(took < Duration::from_secs(12), "8 s at the line's rate, {took:?}");
}

#[test]
fn a_wide_line_is_used() {
    let (estimate, _, took) = over_a_line(50_000_000.0, 200);
    assert!(estimate > 8_000_000, "{estimate}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}
