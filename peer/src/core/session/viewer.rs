//! The viewing end: shows what the host sends, sends what its person's hand does.
//!
//! It asks only for what was granted, so that its person learns of a refusal at
//! once; the host checks again and trusts none of it.

use std::time::{Duration, Instant};

use tasuki_protocol::input::{InputEvent, MAX_TEXT_BYTES};
use tasuki_protocol::leg::FrameKind;
use tasuki_protocol::message::{HostToViewer, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::Capability;
use tasuki_protocol::screen::MonitorId;

use super::held::Held;
use crate::core::authority::Authority;
use crate::core::io::{PictureCommand, SessionEvent};
use crate::core::outbox::Outbox;
use crate::core::path::VideoFrame;

/// A missing key frame is asked for again at most this often.
const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Viewer {
    began: Instant,
    last_frame: Option<u32>,
    stream: Stream,
    asked: Option<Instant>,
    pause_until: Option<Instant>,
    held: Held,
    hand: Hand,
    pub(super) frames: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Whole,
    /// A frame is missing, on which the following ones build.
    Broken,
}

/// Whether acts of the person's hand go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    Free,
    /// Input was lost: until all keys are up, what is pressed would mean
    /// something else than the person believes.
    Blocked,
}

impl Viewer {
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            began: now,
            last_frame: None,
            stream: Stream::Broken,
            asked: None,
            pause_until: None,
            held: Held::default(),
            hand: Hand::Free,
            frames: 0,
            bytes: 0,
        }
    }

    pub(super) fn holds_keys(&self) -> bool {
        !self.held.is_empty()
    }

    /// The message for an act of the hand, if it may go out.
    pub(super) fn operate(
        &mut self,
        event: InputEvent,
        authority: &Authority,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<SessionMessage> {
        if !authority.allows(Capability::Operate, now) {
            out.tell(SessionEvent::Refused { wanted: Capability::Operate });
            return None;
        }
        self.held.note(&event);
        let too_long = matches!(&event, InputEvent::Text(text) if text.len() > MAX_TEXT_BYTES);
        if too_long || self.pause_until.is_some_and(|until| now < until) {
            return None;
        }
        if self.hand == Hand::Blocked {
            if self.held.is_empty() {
                self.hand = Hand::Free;
            }
            return None;
        }
        Some(SessionMessage::ViewerToHost(ViewerToHost::Input(event)))
    }

    /// Input was withdrawn (T50).
    pub(super) fn input_was_lost(&mut self) {
        if self.holds_keys() {
            self.hand = Hand::Blocked;
        }
    }

    pub(super) fn ask(
        act: ViewerToHost,
        authority: &Authority,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<SessionMessage> {
        let wanted = super::host::right_for(&act);
        if authority.allows(wanted, now) {
            return Some(SessionMessage::ViewerToHost(act));
        }
        out.tell(SessionEvent::Refused { wanted });
        None
    }

    pub(super) fn show_monitor(
        id: MonitorId,
        authority: &Authority,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<SessionMessage> {
        Self::ask(ViewerToHost::ShowMonitor(id), authority, now, out)
    }

    /// # Errors
    /// What no host sends.
    pub(super) fn hear(
        &mut self,
        message: HostToViewer,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), NotShowable> {
        match message {
            HostToViewer::Layout(layout) if layout.is_sane() => {
                out.picture(PictureCommand::Layout(layout));
            }
            HostToViewer::CursorShape(shape) if shape.is_sane() => {
                out.picture(PictureCommand::CursorShape(shape));
            }
            HostToViewer::Layout(_) | HostToViewer::CursorShape(_) => return Err(NotShowable),
            HostToViewer::Cursor(position) => out.picture(PictureCommand::Cursor(position)),
            HostToViewer::InputPaused { for_ms } => {
                let for_ms = for_ms.min(10_000);
                self.pause_until = Some(now + Duration::from_millis(for_ms.into()));
                out.tell(SessionEvent::InputPaused { for_ms });
            }
            HostToViewer::InputResumed => {
                self.pause_until = None;
                out.tell(SessionEvent::InputResumed);
            }
            HostToViewer::Refused { wanted } => out.tell(SessionEvent::Refused { wanted }),
        }
        Ok(())
    }

    /// Shows the frame if it follows; else asks for one that stands alone.
    pub(super) fn show(
        &mut self,
        frame: VideoFrame,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<SessionMessage> {
        let number = frame.header.number;
        if self.last_frame.is_some_and(|last| number <= last) {
            return None;
        }
        let follows = self.last_frame.is_some_and(|last| number == last + 1);
        match frame.header.kind {
            FrameKind::Key => self.stream = Stream::Whole,
            FrameKind::Delta if follows => {}
            FrameKind::Delta => self.stream = Stream::Broken,
        }
        self.last_frame = Some(number);
        if self.stream == Stream::Broken {
            return self.ask_key_frame(now);
        }
        if self.frames == 0 {
            let waited = now.saturating_duration_since(self.began).as_millis();
            out.tell(SessionEvent::FirstFrame { after_ms: u64::try_from(waited).unwrap_or(u64::MAX) });
        }
        self.frames += 1;
        self.bytes += frame.vp8.len() as u64;
        out.picture(PictureCommand::Frame(frame));
        None
    }

    fn ask_key_frame(&mut self, now: Instant) -> Option<SessionMessage> {
        if self.asked.is_some_and(|asked| now < asked + ASK_EVERY) {
            return None;
        }
        self.asked = Some(now);
        Some(SessionMessage::ViewerToHost(ViewerToHost::NeedKeyFrame))
    }
}

/// A layout or a cursor beyond all bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotShowable;
