//! From a screen to encoded frames, one at a time and only when there is one.
//!
//! Decides what is coded next (a key frame, what changed, a refinement), how
//! hard the encoder tries, and when. Never queues: while the caller is late,
//! changes add up in the set of blocks. Does not know where frames go; the link's
//! rate is told with each call.

use std::time::{Duration, Instant};

use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout, MonitorId};

use super::pace::{Extent, Pace};
use crate::blocks::ChangedBlocks;
use crate::i420::I420;
use crate::refine::Refinement;
use crate::screen::{Paused, Screen, ScreenError, Waker};
use crate::vp8::{Bitrate, CodecError, Coding, Encoder, FrameKind, Packet, Quantizer, Speed};

/// Encodes what a screen shows.
#[derive(Debug)]
pub struct Source {
    screen: Box<dyn Screen>,
    start: Instant,
    stage: Option<Stage>,
    pace: Pace,
    key_frame: KeyFrame,
    next_number: u64,
}

/// What the link asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// What the link carries now.
    pub bitrate: Bitrate,
    pub key_frame: KeyFrame,
}

/// Whether the next frame must decode by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFrame {
    /// Only where the size changes, and at the start.
    WhenNeeded,
    /// A viewer came, or lost a frame.
    Now,
}

/// What a call found; everything `None` when the time was over or a waker rang.
#[derive(Debug, Default)]
#[must_use]
pub struct Step {
    /// Goes before `frame`: the frame is of this layout.
    pub layout: Option<Layout>,
    pub cursor_shape: Option<CursorShape>,
    pub cursor_position: Option<CursorPosition>,
    pub frame: Option<EncodedFrame>,
}

impl Step {
    pub fn is_empty(&self) -> bool {
        self.layout.is_none()
            && self.cursor_shape.is_none()
            && self.cursor_position.is_none()
            && self.frame.is_none()
    }
}

/// One VP8 frame; every one counts, a viewer that misses one needs a key frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// Counted from 0 without gaps.
    pub number: u64,
    /// Pixels.
    pub width: u16,
    pub height: u16,
    pub kind: FrameKind,
    /// How many 16x16 blocks it codes.
    pub changed: usize,
    /// When its pixels were taken.
    pub captured: Instant,
    pub bytes: Vec<u8>,
}

/// Why no more frames come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VideoError {
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// What belongs to one picture size.
#[derive(Debug)]
struct Stage {
    picture: I420,
    pending: ChangedBlocks,
    captured: Instant,
    encoder: Encoder,
    refinement: Refinement,
}

impl Source {
    pub fn new(screen: Box<dyn Screen>) -> Self {
        Self {
            screen,
            start: Instant::now(),
            stage: None,
            pace: Pace::default(),
            key_frame: KeyFrame::Now,
            next_number: 0,
        }
    }

    pub fn layout(&self) -> &Layout {
        self.screen.layout()
    }

    /// Turns to another monitor, with a key frame.
    ///
    /// # Errors
    /// [`ScreenError::UnknownMonitor`].
    pub fn show(&mut self, monitor: MonitorId) -> Result<(), ScreenError> {
        self.screen.show(monitor)
    }

    /// Ends a [`Source::next`] that waits in another thread, at once.
    pub fn waker(&self) -> Waker {
        self.screen.waker()
    }

    /// Waits up to `patience` for something to tell and encodes it.
    ///
    /// # Errors
    /// [`VideoError`]; after one, this source is of no more use.
    pub fn next(&mut self, demand: Demand, patience: Duration) -> Result<Step, VideoError> {
        let deadline = Instant::now() + patience;
        if demand.key_frame == KeyFrame::Now {
            self.key_frame = KeyFrame::Now;
        }
        loop {
            if let Paused::Woken = self.hold_back(deadline)? {
                return Ok(Step::default());
            }
            let until = self.next_duty().unwrap_or(deadline).min(deadline);
            let mut step = self.look(until, demand)?;
            step.frame = self.frame(demand)?;
            let over = Instant::now();
            let woken = step.is_empty() && over < until;
            if !step.is_empty() || woken || over >= deadline {
                return Ok(step);
            }
        }
    }

    /// Waits until the pace allows the frame that is due, without looking at the
    /// screen: what changes meanwhile is found by one look.
    fn hold_back(&mut self, deadline: Instant) -> Result<Paused, VideoError> {
        if self.stage.is_none() || !self.owes_frame() {
            return Ok(Paused::Over);
        }
        let ready = (self.start + self.pace.ready()).min(deadline);
        let wait = ready.saturating_duration_since(Instant::now());
        if wait.is_zero() { Ok(Paused::Over) } else { Ok(self.screen.pause(wait)?) }
    }

    fn owes_frame(&self) -> bool {
        self.key_frame == KeyFrame::Now
            || self.stage.as_ref().is_some_and(|stage| !stage.pending.is_empty())
    }

    /// When something is to be done though the screen stays still.
    fn next_duty(&self) -> Option<Instant> {
        let stage = self.stage.as_ref()?;
        let due = if self.owes_frame() { Some(Duration::ZERO) } else { stage.refinement.due() };
        due.map(|due| self.start + due.max(self.pace.ready()))
    }

    fn look(&mut self, until: Instant, demand: Demand) -> Result<Step, VideoError> {
        let patience = until.saturating_duration_since(Instant::now());
        let grab = self.screen.grab(patience)?;
        if let Some(pixels) = grab.picture {
            let fits = self.stage.as_ref().is_some_and(|stage| {
                (stage.picture.width(), stage.picture.height()) == (pixels.width, pixels.height)
            });
            if !fits {
                self.stage = Some(Stage::new(pixels.width, pixels.height, demand.bitrate)?);
                self.key_frame = KeyFrame::Now;
            }
            if let Some(stage) = &mut self.stage {
                stage.picture.update(&pixels);
                stage.pending.union(pixels.changed);
                stage.captured = Instant::now();
            }
        }
        if grab.layout.is_some() {
            self.key_frame = KeyFrame::Now;
        }
        Ok(Step {
            layout: grab.layout,
            cursor_shape: grab.cursor_shape,
            cursor_position: grab.cursor_position,
            frame: None,
        })
    }

    /// The frame that is due now, if one is.
    fn frame(&mut self, demand: Demand) -> Result<Option<EncodedFrame>, VideoError> {
        let now = self.start.elapsed();
        let owed = self.owes_frame();
        let Some(stage) = &mut self.stage else {
            return Ok(None);
        };
        if now < self.pace.ready() {
            return Ok(None);
        }
        stage.encoder.set_bitrate(demand.bitrate)?;
        let (packet, changed, extent) = if owed {
            let (packet, changed) = stage.code_change(self.key_frame, now)?;
            (packet, changed, Extent::of(changed, stage.pending.total()))
        } else if let Some((packet, changed)) = stage.code_refinement(demand.bitrate, now)? {
            // Whatever is typed next must not wait for it.
            (packet, changed, Extent::Small)
        } else {
            return Ok(None);
        };
        self.key_frame = KeyFrame::WhenNeeded;
        let coding = self.start.elapsed().saturating_sub(now);
        self.pace.sent(now, coding, packet.bytes.len(), demand.bitrate, extent);
        let number = self.next_number;
        self.next_number += 1;
        Ok(Some(EncodedFrame {
            number,
            width: stage.picture.width(),
            height: stage.picture.height(),
            kind: packet.kind,
            changed,
            captured: stage.captured,
            bytes: packet.bytes,
        }))
    }
}

impl Stage {
    fn new(width: u16, height: u16, bitrate: Bitrate) -> Result<Self, CodecError> {
        Ok(Self {
            picture: I420::new(width, height),
            pending: ChangedBlocks::none(width, height),
            captured: Instant::now(),
            encoder: Encoder::new(width, height, bitrate)?,
            refinement: Refinement::new(width, height),
        })
    }

    fn code_change(
        &mut self,
        key_frame: KeyFrame,
        now: Duration,
    ) -> Result<(Packet, usize), CodecError> {
        if key_frame == KeyFrame::Now {
            self.pending = ChangedBlocks::all(self.picture.width(), self.picture.height());
        }
        let changed = self.pending.count();
        self.encoder.set_coarsest(Quantizer::COARSEST)?;
        self.encoder.set_speed(match Extent::of(changed, self.pending.total()) {
            Extent::Small => Speed::Careful,
            Extent::Large => Speed::Fast,
        })?;
        let coding = match key_frame {
            KeyFrame::Now => Coding::Key,
            KeyFrame::WhenNeeded => Coding::Delta(&self.pending),
        };
        let packet = self.encoder.encode(&self.picture, coding)?;
        self.refinement.changed(&self.pending, packet.quantizer, now);
        self.pending.clear();
        Ok((packet, changed))
    }

    fn code_refinement(
        &mut self,
        bitrate: Bitrate,
        now: Duration,
    ) -> Result<Option<(Packet, usize)>, CodecError> {
        let Some(pass) = self.refinement.pass(now, bitrate) else {
            return Ok(None);
        };
        self.encoder.set_coarsest(pass.coarsest)?;
        self.encoder.set_speed(Speed::Careful)?;
        let packet = self.encoder.encode(&self.picture, Coding::Delta(&pass.blocks))?;
        self.refinement.refined(&pass, packet.quantizer, packet.bytes.len(), now);
        Ok(Some((packet, pass.blocks.count())))
    }
}
