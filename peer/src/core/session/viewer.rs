//! The viewing end: shows what the host sends, sends what its person's hand does.
//!
//! It asks only for what was granted, so that its person learns of a refusal at
//! once; the host checks again and trusts none of it.

use std::time::{Duration, Instant};

use tasuki_protocol::input::{InputEvent, MAX_TEXT_BYTES};
use tasuki_protocol::leg::FrameKind;
use tasuki_protocol::message::{Asked, HostToViewer, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::screen::MonitorId;

use super::held::Held;
use super::host::paused;
use crate::core::authority::Authority;
use crate::core::io::{Discarded, PictureCommand, SessionEvent};
use crate::core::outbox::Outbox;
use crate::core::path::VideoFrame;
use crate::core::snapshot::{AskingLine, InputState, seconds};

/// A missing key frame is asked for again at most this often.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Discarded input is told at most this often.
const DISCARD_TOLD_EVERY: Duration = Duration::from_secs(1);
/// No question of the host's stands longer, whatever it says.
const LONGEST_ASKING_S: u32 = 600;

#[derive(Debug)]
pub(super) struct Viewer {
    began: Instant,
    last_frame: Option<u32>,
    stream: Stream,
    asked: Option<Instant>,
    pause_until: Option<Instant>,
    /// The host's person is asked this, until then.
    asking: Option<(Asked, Instant)>,
    picture: Picture,
    held: Held,
    hand: Hand,
    discard_told: Option<(Discarded, Instant)>,
    pub(super) frames: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Whole,
    /// A frame is missing, on which the following ones build.
    Broken,
}

/// Whether the host's person holds the picture still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    Moves,
    Held,
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
            asking: None,
            picture: Picture::Moves,
            held: Held::default(),
            hand: Hand::Free,
            discard_told: None,
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
        if matches!(&event, InputEvent::Text(text) if text.len() > MAX_TEXT_BYTES) {
            return None;
        }
        if self.input_state(now) != InputState::Free {
            self.discard(Discarded::Waiting, now, out);
            return None;
        }
        if self.hand == Hand::Blocked {
            if self.held.is_empty() {
                self.hand = Hand::Free;
            }
            self.discard(Discarded::KeysDown, now, out);
            return None;
        }
        Some(SessionMessage::ViewerToHost(ViewerToHost::Input(event)))
    }

    /// Input was withdrawn (T50).
    pub(super) fn input_was_lost(&mut self, now: Instant, out: &mut Outbox) {
        if self.holds_keys() {
            self.hand = Hand::Blocked;
        }
        self.discard(Discarded::NoConnection, now, out);
    }

    /// The person is told, at most once a second for each reason: a lost stroke must not look like a sent one.
    fn discard(&mut self, why: Discarded, now: Instant, out: &mut Outbox) {
        let again = |(what, told)| what != why || now >= told + DISCARD_TOLD_EVERY;
        if self.discard_told.is_none_or(again) {
            self.discard_told = Some((why, now));
            out.tell(SessionEvent::InputDiscarded { why });
        }
    }

    pub(super) fn asking(&self, now: Instant) -> Option<AskingLine> {
        let (what, until) = self.asking.filter(|(_, until)| now < *until)?;
        Some(AskingLine { what, seconds_left: seconds(until, now) })
    }

    /// As far as this end knows; the host decides.
    pub(super) fn input_state(&self, now: Instant) -> InputState {
        if self.picture == Picture::Held {
            return InputState::PicturePaused;
        }
        match (self.asking(now), self.pause_until.filter(|until| now < *until)) {
            (Some(_), _) => InputState::Asking,
            (None, Some(until)) => paused(until, now),
            (None, None) => InputState::Free,
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
            HostToViewer::Asking { what, seconds } => {
                let seconds = seconds.min(LONGEST_ASKING_S);
                self.asking = Some((what, now + Duration::from_secs(seconds.into())));
                out.tell(SessionEvent::Asking { what, rights: Rights::NONE, seconds });
            }
            HostToViewer::AskingOver { what } => {
                self.asking = None;
                out.tell(SessionEvent::AskingOver { what });
            }
            HostToViewer::PicturePaused => {
                self.picture = Picture::Held;
                out.tell(SessionEvent::PicturePaused);
            }
            HostToViewer::PictureResumed => {
                self.picture = Picture::Moves;
                out.tell(SessionEvent::PictureResumed);
            }
            // A change of rights is the session's; a receipt comes after the end.
            HostToViewer::RightsChanged { .. } | HostToViewer::ReceiptOffered { .. } => {
                return Err(NotShowable);
            }
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
