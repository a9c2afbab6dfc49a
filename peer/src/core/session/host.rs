//! The host as reference monitor: each act of the viewer is held against the
//! rights of this very moment before the desktop hears of it (design §2.6).
//!
//! It believes nothing of the viewer's own checks. What a mode does not have is
//! not running here: no injector in View, and nothing at all where the other
//! end hosts (T19-T27).

use std::time::{Duration, Instant};

use tasuki_protocol::input::{InputEvent, MAX_TEXT_BYTES};
use tasuki_protocol::message::{HostToViewer, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::{Capability, ChooseScreen, Operate, Screenshot, SeeScreen};
use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout, MonitorId};

use super::askings::Askings;
use super::held::{Held, Meaning};
use super::video::Pump;
use crate::core::authority::Authority;
use crate::core::io::{DesktopCommand, SessionEvent};
use crate::core::outbox::Outbox;
use crate::core::setup::SessionTimes;
use crate::core::snapshot::InputState;

/// How long the person's own hand keeps the viewer's off (T32).
const PAUSE: Duration = Duration::from_secs(2);
/// With keys held and nothing heard for so long, they are let go. T50, F9.
const HOLD_WITHOUT_WORD: Duration = Duration::from_millis(700);
/// The pause is told again at most this often while it is prolonged.
const PAUSE_TOLD_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Host {
    pub(super) pump: Pump,
    pub(super) askings: Askings,
    layout: Option<Layout>,
    cursor_shape: Option<CursorShape>,
    held: Held,
    pause: Option<Pause>,
    capture: Module,
    injector: Module,
    picture: Picture,
    hold: Hold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Module {
    Running,
    Off,
}

/// Whether the viewer sees the desktop at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    Open,
    Closed,
}

/// Whether the person holds the picture still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Off,
    On,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Instant,
    told: Instant,
}

/// What an act of the viewer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// Without effect, and nobody's fault: paused, or overtaken by events.
    Ignored,
    Refused(Capability),
}

impl Host {
    /// Starts what the rights allow, and nothing else.
    pub(super) fn begin(
        authority: &Authority,
        times: SessionTimes,
        now: Instant,
        out: &mut Outbox,
    ) -> Self {
        let mut host = Self {
            pump: Pump::new(),
            askings: Askings::new(authority.manifest().mode, times, now),
            layout: None,
            cursor_shape: None,
            held: Held::default(),
            pause: None,
            capture: Module::Off,
            injector: Module::Off,
            picture: Picture::Closed,
            hold: Hold::Off,
        };
        host.adapt(authority, now, out);
        host
    }

    /// Follows the rights of this moment; what the viewer must be shown afresh.
    pub(super) fn adapt(
        &mut self,
        authority: &Authority,
        now: Instant,
        out: &mut Outbox,
    ) -> Vec<SessionMessage> {
        match authority.permit::<Operate>(now) {
            Some(permit) if self.injector == Module::Off => {
                self.injector = Module::Running;
                out.desktop(DesktopCommand::StartInjector(permit));
            }
            Some(_) => {}
            None => self.release(out),
        }
        let Some(permit) = authority.permit::<SeeScreen>(now).filter(|_| self.hold == Hold::Off) else {
            self.picture = Picture::Closed;
            return Vec::new();
        };
        if self.capture == Module::Off {
            self.capture = Module::Running;
            out.desktop(DesktopCommand::StartCapture(permit));
        }
        if self.picture == Picture::Open {
            return Vec::new();
        }
        self.picture = Picture::Open;
        self.pump.start_afresh();
        let layout = self.layout.clone().map(HostToViewer::Layout);
        let shape = self.cursor_shape.clone().map(HostToViewer::CursorShape);
        layout.into_iter().chain(shape).map(SessionMessage::HostToViewer).collect()
    }

    /// The person holds the picture still, or lets it go on.
    pub(super) fn hold(&mut self, hold: Hold, out: &mut Outbox) -> Option<SessionMessage> {
        if self.hold == hold {
            return None;
        }
        self.hold = hold;
        let (event, said) = match hold {
            Hold::On => (SessionEvent::PicturePaused, HostToViewer::PicturePaused),
            Hold::Off => (SessionEvent::PictureResumed, HostToViewer::PictureResumed),
        };
        self.release(out);
        out.tell(event);
        Some(SessionMessage::HostToViewer(said))
    }

    /// Whether the desktop may be sent now.
    pub(super) fn is_seen(&self) -> bool {
        self.picture == Picture::Open
    }

    pub(super) fn holds_keys(&self) -> bool {
        !self.held.is_empty()
    }

    pub(super) fn act(
        &mut self,
        act: ViewerToHost,
        authority: &Authority,
        now: Instant,
        out: &mut Outbox,
    ) -> Verdict {
        let wanted = right_for(&act);
        if !authority.allows(wanted, now) {
            return Verdict::Refused(wanted);
        }
        match act {
            ViewerToHost::Input(event) => self.input(event, authority, now, out),
            ViewerToHost::ShowMonitor(id) => match authority.permit::<ChooseScreen>(now) {
                Some(_) => self.show_monitor(id, out),
                None => Verdict::Refused(wanted),
            },
            ViewerToHost::NeedKeyFrame => {
                self.pump.wish_key_frame(now);
                Verdict::Done
            }
            ViewerToHost::ScreenshotTaken => match authority.permit::<Screenshot>(now) {
                Some(_) => {
                    out.tell(SessionEvent::ScreenshotTaken);
                    Verdict::Done
                }
                None => Verdict::Refused(wanted),
            },
            ViewerToHost::RecordingStarted
            | ViewerToHost::ListFolder { .. }
            | ViewerToHost::FetchFile { .. }
            | ViewerToHost::SendFile { .. }
            | ViewerToHost::ReadClipboard
            | ViewerToHost::WriteClipboard { .. }
            | ViewerToHost::Draw { .. }
            | ViewerToHost::Reconnect
            | ViewerToHost::AskRights { .. }
            | ViewerToHost::ReceiptAwaited { .. }
            | ViewerToHost::ReceiptSigned { .. } => Verdict::Refused(wanted),
        }
    }

    fn input(
        &mut self,
        event: InputEvent,
        authority: &Authority,
        now: Instant,
        out: &mut Outbox,
    ) -> Verdict {
        let Some(permit) = authority.permit::<Operate>(now) else {
            return Verdict::Refused(Capability::Operate);
        };
        if matches!(&event, InputEvent::Text(text) if text.len() > MAX_TEXT_BYTES) {
            return Verdict::Refused(Capability::Operate);
        }
        // While the person is asked, the viewer's hand could give the answer (T2, T34).
        if self.pause.is_some() || self.askings.is_open() || self.hold == Hold::On {
            return Verdict::Ignored;
        }
        let Some(event) = self.on_shown_monitor(event) else { return Verdict::Ignored };
        if self.held.note(&event) == Meaning::Void {
            return Verdict::Ignored;
        }
        out.desktop(DesktopCommand::Inject(permit, event));
        Verdict::Done
    }

    /// The viewer points at what it sees: only at the shown monitor, and inside it.
    fn on_shown_monitor(&self, event: InputEvent) -> Option<InputEvent> {
        let InputEvent::PointerMove { monitor, x, y } = event else { return Some(event) };
        let shown = self.layout.as_ref()?.shown_monitor()?;
        (shown.id == monitor).then(|| InputEvent::PointerMove {
            monitor,
            x: x.min(shown.width.saturating_sub(1)),
            y: y.min(shown.height.saturating_sub(1)),
        })
    }

    /// By the host's own hand, or by the viewer's with the right to it.
    pub(super) fn show_monitor(&self, id: MonitorId, out: &mut Outbox) -> Verdict {
        let known = self.layout.as_ref().is_some_and(|l| l.monitors.iter().any(|m| m.id == id));
        if !known || !self.is_seen() {
            return Verdict::Ignored;
        }
        out.desktop(DesktopCommand::ShowMonitor(id));
        Verdict::Done
    }

    /// `None` while no picture may be seen.
    pub(super) fn layout(&mut self, layout: Layout) -> Option<SessionMessage> {
        self.layout = Some(layout.clone());
        self.is_seen().then_some(SessionMessage::HostToViewer(HostToViewer::Layout(layout)))
    }

    pub(super) fn cursor_shape(&mut self, shape: CursorShape) -> Option<SessionMessage> {
        self.cursor_shape = Some(shape.clone());
        self.is_seen().then_some(SessionMessage::HostToViewer(HostToViewer::CursorShape(shape)))
    }

    pub(super) fn cursor(&self, position: CursorPosition) -> Option<SessionMessage> {
        self.is_seen().then_some(SessionMessage::HostToViewer(HostToViewer::Cursor(position)))
    }

    /// The person's own hand: the viewer's is off at once (T32).
    pub(super) fn local_input(&mut self, now: Instant, out: &mut Outbox) -> Option<SessionMessage> {
        self.release(out);
        let until = now + PAUSE;
        let told = match &mut self.pause {
            Some(pause) if now < pause.told + PAUSE_TOLD_EVERY => {
                pause.until = until;
                return None;
            }
            Some(_) | None => now,
        };
        self.pause = Some(Pause { until, told });
        let for_ms = u32::try_from(PAUSE.as_millis()).unwrap_or_default();
        out.tell(SessionEvent::InputPaused { for_ms });
        Some(SessionMessage::HostToViewer(HostToViewer::InputPaused { for_ms }))
    }

    /// What the passing of time, or a silent viewer, asks for.
    pub(super) fn review(
        &mut self,
        heard: Instant,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<SessionMessage> {
        if self.holds_keys() && now >= heard + HOLD_WITHOUT_WORD {
            self.release(out);
        }
        if self.pause.is_some_and(|pause| now >= pause.until) {
            self.pause = None;
            out.tell(SessionEvent::InputResumed);
            return Some(SessionMessage::HostToViewer(HostToViewer::InputResumed));
        }
        None
    }

    pub(super) fn deadline(&self, heard: Instant) -> Option<Instant> {
        let hold = self.holds_keys().then_some(heard + HOLD_WITHOUT_WORD);
        let pause = self.pause.map(|pause| pause.until);
        [hold, pause, self.pump.deadline(), self.askings.deadline()].into_iter().flatten().min()
    }

    /// Also where nothing is held: what the viewer has done may not have been carried out yet, and a text
    /// takes its time.
    pub(super) fn release(&mut self, out: &mut Outbox) {
        self.held.clear();
        if self.injector == Module::Running {
            out.desktop(DesktopCommand::ReleaseAll);
        }
    }

    /// Before anything is said to anybody (S31).
    pub(super) fn stop(&mut self, out: &mut Outbox) {
        if self.holds_keys() {
            self.release(out);
        }
        out.desktop(DesktopCommand::Stop);
        self.askings.close(out);
    }

    pub(super) fn input_state(&self, now: Instant) -> InputState {
        match &self.pause {
            _ if self.hold == Hold::On => InputState::PicturePaused,
            _ if self.askings.is_open() => InputState::Asking,
            Some(pause) => paused(pause.until, now),
            None => InputState::Free,
        }
    }
}

pub(super) fn paused(until: Instant, now: Instant) -> InputState {
    let left = until.saturating_duration_since(now);
    InputState::Paused { for_ms: u64::try_from(left.as_millis()).unwrap_or_default() }
}

/// The right without which an act is refused.
pub(super) fn right_for(act: &ViewerToHost) -> Capability {
    match act {
        ViewerToHost::Input(_) => Capability::Operate,
        ViewerToHost::ShowMonitor(_) => Capability::ChooseScreen,
        ViewerToHost::NeedKeyFrame => Capability::SeeScreen,
        ViewerToHost::ScreenshotTaken => Capability::Screenshot,
        ViewerToHost::RecordingStarted => Capability::Record,
        ViewerToHost::ListFolder { .. } | ViewerToHost::FetchFile { .. } => Capability::FetchFiles,
        ViewerToHost::SendFile { .. } => Capability::SendFiles,
        ViewerToHost::ReadClipboard => Capability::ReadClipboard,
        ViewerToHost::WriteClipboard { .. } => Capability::WriteClipboard,
        ViewerToHost::Draw { .. } => Capability::Point,
        ViewerToHost::Reconnect => Capability::Reconnect,
        // Out of place: asking is weighed elsewhere, and the receipt comes after the end.
        ViewerToHost::AskRights { rights, .. } => rights.iter().next().unwrap_or(Capability::SeeScreen),
        ViewerToHost::ReceiptAwaited { .. } | ViewerToHost::ReceiptSigned { .. } => {
            Capability::SeeScreen
        }
    }
}
