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
use tasuki_protocol::screen::{Layout, MonitorId};

use super::held::{Held, Meaning};
use super::video::Pump;
use crate::core::authority::Authority;
use crate::core::io::{DesktopCommand, SessionEvent};
use crate::core::outbox::Outbox;

/// How long the person's own hand keeps the viewer's off (T32).
const PAUSE: Duration = Duration::from_secs(2);
/// With keys held and nothing heard for so long, they are let go. T50, F9.
const HOLD_WITHOUT_WORD: Duration = Duration::from_millis(700);
/// The pause is told again at most this often while it is prolonged.
const PAUSE_TOLD_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Host {
    pub(super) pump: Pump,
    layout: Option<Layout>,
    held: Held,
    pause: Option<Pause>,
    capture: Module,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Module {
    Running,
    Off,
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
    pub(super) fn begin(authority: &Authority, now: Instant, out: &mut Outbox) -> Self {
        let mut capture = Module::Off;
        if let Some(permit) = authority.permit::<SeeScreen>(now) {
            capture = Module::Running;
            out.desktop(DesktopCommand::StartCapture(permit));
        }
        if let Some(permit) = authority.permit::<Operate>(now) {
            out.desktop(DesktopCommand::StartInjector(permit));
        }
        Self { pump: Pump::new(), layout: None, held: Held::default(), pause: None, capture }
    }

    pub(super) fn shows(&self) -> bool {
        self.capture == Module::Running
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
            | ViewerToHost::Reconnect => Verdict::Refused(wanted),
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
        if self.pause.is_some() {
            return Verdict::Ignored;
        }
        let Some(event) = self.on_shown_monitor(event) else { return Verdict::Ignored };
        if self.held.note(&event) == Meaning::Void {
            return Verdict::Ignored;
        }
        out.desktop(match event {
            InputEvent::ReleaseAll => DesktopCommand::ReleaseAll,
            InputEvent::PointerMove { .. }
            | InputEvent::Button { .. }
            | InputEvent::Wheel { .. }
            | InputEvent::Key { .. }
            | InputEvent::Text(_) => DesktopCommand::Inject(permit, event),
        });
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
        if !known || !self.shows() {
            return Verdict::Ignored;
        }
        out.desktop(DesktopCommand::ShowMonitor(id));
        Verdict::Done
    }

    /// `None` while no picture may be seen.
    pub(super) fn layout(&mut self, layout: Layout) -> Option<SessionMessage> {
        self.layout = Some(layout.clone());
        self.shows().then_some(SessionMessage::HostToViewer(HostToViewer::Layout(layout)))
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
        [hold, pause, self.pump.deadline()].into_iter().flatten().min()
    }

    fn release(&mut self, out: &mut Outbox) {
        if self.holds_keys() {
            self.held.clear();
            out.desktop(DesktopCommand::ReleaseAll);
        }
    }

    /// Before anything is said to anybody (S31).
    pub(super) fn stop(&mut self, out: &mut Outbox) {
        self.release(out);
        out.desktop(DesktopCommand::Stop);
    }
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
    }
}
