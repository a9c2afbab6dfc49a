//! How much may be told to a person at the other end's pleasure: messages, and pictures that were kept.
//! What comes faster than anybody reads is a load on her window, and the way to the end stands in that
//! window (S31, T59).

use std::time::{Duration, Instant};

/// What a person may send at once, and after it.
const SAID: Pace = Pace { at_once: 20, each: Duration::from_millis(500) };
/// What is taken: more, as lines that waited for a path come all together.
const HEARD: Pace = Pace { at_once: 60, each: Duration::from_millis(200) };

#[derive(Debug)]
struct Pace {
    at_once: u32,
    each: Duration,
}

/// Both directions of one kind of what is told.
#[derive(Debug, Default)]
pub(super) struct Chatter {
    said: Flow,
    heard: Flow,
}

impl Chatter {
    pub(super) fn may_say(&mut self, now: Instant) -> bool {
        self.said.passes(&SAID, now)
    }

    pub(super) fn may_be_heard(&mut self, now: Instant) -> bool {
        self.heard.passes(&HEARD, now)
    }
}

/// Lines so far, as the moment at which they would all have come at an even pace.
#[derive(Debug, Default)]
struct Flow(Option<Instant>);

impl Flow {
    fn passes(&mut self, pace: &Pace, now: Instant) -> bool {
        let even = self.0.map_or(now, |even| even.max(now)) + pace.each;
        let passes = even <= now + pace.each * pace.at_once;
        if passes {
            self.0 = Some(even);
        }
        passes
    }
}
