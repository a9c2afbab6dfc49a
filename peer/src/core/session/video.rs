//! The host's picture: one frame asked of the desktop for each place on the path.
//!
//! Nothing is asked while the path has no room and nothing is kept: the newest
//! wins, and a frame that comes too late for its path makes the next a key frame.

use std::time::{Duration, Instant};

use tasuki_protocol::leg::{FrameKind, VideoHeader};

use crate::core::io::{Demand, DesktopCommand, KeyFrame};
use crate::core::outbox::Outbox;
use crate::core::path::{PathCommand, PathId, VideoFrame};
use crate::core::paths::{Lane, Paths, Room};

/// Key frames asked for by the other end come at most this often.
const KEY_SPACING: Duration = Duration::from_millis(300);
/// Bits per second before the path has made an estimate.
const FIRST_RATE: u64 = 6_000_000;
const RATES: std::ops::RangeInclusive<u64> = 100_000..=14_000_000;

#[derive(Debug)]
pub(super) struct Pump {
    demanded: Option<Demand>,
    key: KeyFrame,
    /// A wish for a key frame that waits for its turn.
    wished: Option<Instant>,
    last_key: Option<Instant>,
    path: Option<PathId>,
    next_number: u32,
    pub(super) frames: u64,
    pub(super) bytes: u64,
}

impl Pump {
    pub(super) fn new() -> Self {
        Self {
            demanded: None,
            key: KeyFrame::Forced,
            wished: None,
            last_key: None,
            path: None,
            next_number: 0,
            frames: 0,
            bytes: 0,
        }
    }

    /// What is shown next has nothing to do with what was shown before.
    pub(super) fn start_afresh(&mut self) {
        self.demanded = None;
        self.key = KeyFrame::Forced;
    }

    /// The viewer, or a path, cannot go on without a key frame.
    pub(super) fn wish_key_frame(&mut self, now: Instant) {
        let earliest = self.last_key.map_or(now, |last| now.max(last + KEY_SPACING));
        self.wished.get_or_insert(earliest);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wished
    }

    /// Asks for a frame if the chosen path has room and none is asked for yet.
    pub(super) fn pull(&mut self, paths: &Paths, now: Instant, out: &mut Outbox) {
        if self.path != paths.chosen_id() {
            self.path = paths.chosen_id();
            self.key = KeyFrame::Forced;
        }
        if self.wished.is_some_and(|at| now >= at) {
            self.wished = None;
            self.key = KeyFrame::Forced;
        }
        let Some(lane) = paths.chosen().filter(|lane| lane.room() == Room::ForOneFrame) else {
            return;
        };
        let satisfied = self.demanded.is_some_and(|demand| {
            demand.key_frame == KeyFrame::Forced || self.key == KeyFrame::AsNeeded
        });
        if !satisfied {
            let demand = Demand { key_frame: self.key, bits_per_second: rate(lane) };
            self.demanded = Some(demand);
            out.desktop(DesktopCommand::Demand(demand));
        }
    }

    /// The desktop's answer goes out now or not at all.
    pub(super) fn push(
        &mut self,
        frame: VideoFrame,
        paths: &mut Paths,
        now: Instant,
        out: &mut Outbox,
    ) {
        let kind = frame.header.kind;
        if self.key == KeyFrame::Forced && kind == FrameKind::Delta {
            // The answer to an older demand, overtaken by a wish for a key frame.
            return;
        }
        self.demanded = None;
        let room = paths.chosen().filter(|lane| lane.room() == Room::ForOneFrame).map(|lane| lane.id);
        let Some(id) = room else {
            self.key = KeyFrame::Forced;
            return;
        };
        paths.take_room();
        paths.note_activity(now);
        if kind == FrameKind::Key {
            self.key = KeyFrame::AsNeeded;
            self.wished = None;
            self.last_key = Some(now);
        }
        self.frames += 1;
        self.bytes += frame.vp8.len() as u64;
        let header = VideoHeader { number: self.next_number, kind };
        self.next_number = self.next_number.wrapping_add(1);
        out.path(id, PathCommand::SendVideo(VideoFrame { header, vp8: frame.vp8 }));
    }
}

fn rate(lane: &Lane) -> u64 {
    lane.bits_per_second.unwrap_or(FIRST_RATE).clamp(*RATES.start(), *RATES.end())
}
