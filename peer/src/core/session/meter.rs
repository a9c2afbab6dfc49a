//! How much of the picture has passed of late. Shows; decides nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(2);
/// More than a screen's frames in the window.
const MAX_MARKS: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Meter {
    /// After each frame: when, and the totals of frames and bytes.
    marks: VecDeque<(Instant, u64, u64)>,
    frames: u64,
    bytes: u64,
}

impl Meter {
    pub(super) fn note(&mut self, frames: u64, bytes: u64, now: Instant) {
        if frames == self.frames {
            return;
        }
        self.marks.push_back((now, frames - self.frames, bytes - self.bytes));
        (self.frames, self.bytes) = (frames, bytes);
        while self.marks.len() > MAX_MARKS || self.marks.front().is_some_and(|m| now > m.0 + WINDOW) {
            self.marks.pop_front();
        }
    }

    /// Frames and bits a second.
    pub(super) fn rates(&self, now: Instant) -> (u32, u64) {
        let recent = self.marks.iter().filter(|mark| now <= mark.0 + WINDOW);
        let (frames, bytes) =
            recent.fold((0, 0), |(frames, bytes), mark| (frames + mark.1, bytes + mark.2));
        let window = WINDOW.as_secs();
        (u32::try_from(frames / window).unwrap_or(u32::MAX), bytes * 8 / window)
    }
}
