//! What this end's own person does, and what its own desktop tells.
//!
//! An act that is the other side's has no meaning here and is dropped: a surface
//! cannot make a viewer of a host.

use std::time::Instant;

use tasuki_protocol::grant::Change;
use tasuki_protocol::message::{Either, EndReason, MAX_CHAT_BYTES, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::Capability;

use super::host::Hold;
use super::viewer::Viewer;
use super::{Course, Session, Side};
use crate::core::io::{DesktopEvent, EndedBy, HumanAct, SessionEvent};
use crate::core::outbox::Outbox;

impl Session {
    pub(super) fn human(&mut self, act: HumanAct, now: Instant, out: &mut Outbox) -> Course {
        let said = match (act, &mut self.side) {
            (HumanAct::End(reason), _) => return Course::Over(reason, EndedBy::ThisEnd),
            // Said before it was seen that the Accept had come first.
            (HumanAct::Refuse { .. }, _) => {
                return Course::Over(EndReason::UserEnded, EndedBy::ThisEnd);
            }
            (HumanAct::Operate(event), Side::Viewer(viewer)) => {
                viewer.operate(event, &self.authority, now, out)
            }
            (HumanAct::ShowMonitor(id), Side::Viewer(_)) => {
                Viewer::show_monitor(id, &self.authority, now, out)
            }
            (HumanAct::ShowMonitor(id), Side::Host(host)) => {
                host.show_monitor(id, out);
                None
            }
            (HumanAct::TookScreenshot, Side::Viewer(_)) => self.took_screenshot(now, out),
            (HumanAct::AskRights { rights, seconds }, Side::Viewer(_)) => {
                self.ask_rights(rights, seconds, out)
            }
            (HumanAct::Chat(line), Side::Viewer(_) | Side::Host(_)) => self.own_chat(line, now, out),
            (HumanAct::Answer { what, reply, shown }, Side::Host(_)) => {
                return self.answered(what, reply, shown, now, out);
            }
            (HumanAct::TakeAway(rights), Side::Host(_)) => {
                self.own_change(Change::TakenAway, rights, now, out);
                None
            }
            (HumanAct::GiveBack(rights), Side::Host(_)) => {
                self.own_change(Change::GivenBack, rights, now, out);
                None
            }
            (HumanAct::Pause, Side::Host(_)) => self.hold(Hold::On, now, out),
            (HumanAct::Resume, Side::Host(_)) => self.hold(Hold::Off, now, out),
            (
                HumanAct::Operate(_) | HumanAct::TookScreenshot | HumanAct::AskRights { .. },
                Side::Host(_),
            )
            | (
                HumanAct::Answer { .. }
                | HumanAct::TakeAway(_)
                | HumanAct::GiveBack(_)
                | HumanAct::Pause
                | HumanAct::Resume,
                Side::Viewer(_),
            )
            | (HumanAct::Accept { .. }, Side::Viewer(_) | Side::Host(_)) => None,
        };
        self.say(said, now, out);
        Course::GoesOn
    }

    fn hold(&mut self, hold: Hold, now: Instant, out: &mut Outbox) -> Option<SessionMessage> {
        let Side::Host(host) = &mut self.side else { return None };
        let said = host.hold(hold, out);
        self.say(said, now, out);
        self.adapt(now, out);
        None
    }

    fn took_screenshot(&mut self, now: Instant, out: &mut Outbox) -> Option<SessionMessage> {
        if !self.kept_pictures.may_say(now) {
            out.tell(SessionEvent::Refused { wanted: Capability::Screenshot });
            return None;
        }
        let said = Viewer::ask(ViewerToHost::ScreenshotTaken, &self.authority, now, out)?;
        self.chronicle.screenshot(now);
        self.pictures_said += 1;
        Some(said)
    }

    fn own_chat(&mut self, line: String, now: Instant, out: &mut Outbox) -> Option<SessionMessage> {
        let is_fit = line.len() <= MAX_CHAT_BYTES && self.authority.allows(Capability::Chat, now);
        if is_fit && self.chatter.may_say(now) {
            return Some(SessionMessage::Either(Either::Chat(line)));
        }
        out.tell(SessionEvent::Refused { wanted: Capability::Chat });
        None
    }

    /// A desktop that is not to be shown has nothing to tell (T20).
    pub(super) fn desktop(&mut self, event: DesktopEvent, now: Instant, out: &mut Outbox) -> Course {
        let Side::Host(host) = &mut self.side else { return Course::GoesOn };
        let said = match event {
            DesktopEvent::Layout(layout) => host.layout(layout),
            DesktopEvent::CursorShape(shape) => host.cursor_shape(shape),
            DesktopEvent::Cursor(position) => host.cursor(position),
            DesktopEvent::Frame(frame) if host.is_seen() => {
                host.pump.push(frame, &mut self.paths, now, out);
                None
            }
            DesktopEvent::Frame(_) => None,
            DesktopEvent::LocalInput => host.local_input(now, out),
            DesktopEvent::Failed(_) => {
                return Course::Over(EndReason::ScreenLost, EndedBy::ThisEnd);
            }
        };
        self.say(said, now, out);
        Course::GoesOn
    }
}
