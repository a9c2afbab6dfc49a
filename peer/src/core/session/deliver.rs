//! What the other end says and shows, held against which side this end is.
//!
//! A message of the wrong side, or without its right, has no effect and is
//! counted: an honest end sends neither (T19-T27).

use std::time::Instant;

use tasuki_protocol::message::{Either, HostToViewer, MAX_CHAT_BYTES, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::Capability;

use super::host::{self, Verdict};
use super::{Course, Session, Side, viewer};
use crate::core::io::{EndedBy, SessionEvent};
use crate::core::outbox::Outbox;
use crate::core::path::{PathId, VideoFrame};

impl Session {
    pub(super) fn deliver_all(
        &mut self,
        messages: Vec<SessionMessage>,
        now: Instant,
        out: &mut Outbox,
    ) -> Course {
        let mut messages = messages.into_iter();
        while let Some(message) = messages.next() {
            let course = self.deliver(message, now, out);
            if let Course::Over(..) = course {
                self.unheard = messages.collect();
                return course;
            }
        }
        Course::GoesOn
    }

    fn deliver(&mut self, message: SessionMessage, now: Instant, out: &mut Outbox) -> Course {
        match message {
            SessionMessage::ViewerToHost(act) => self.act_of_viewer(act, now, out),
            SessionMessage::HostToViewer(told) => self.word_of_host(told, now, out),
            SessionMessage::Either(Either::Chat(line)) => self.chat(line, now, out),
            SessionMessage::Either(Either::End(reason)) => {
                return Course::Over(reason.of_the_other_end(), EndedBy::OtherEnd);
            }
            SessionMessage::Either(Either::Shown { .. }) | SessionMessage::Withdrawn => {}
        }
        Course::GoesOn
    }

    fn act_of_viewer(&mut self, act: ViewerToHost, now: Instant, out: &mut Outbox) {
        match (act, &mut self.side) {
            (ViewerToHost::AskRights { rights, seconds }, Side::Host(_)) => {
                self.asked_for(rights, seconds, now, out);
            }
            (ViewerToHost::ScreenshotTaken, Side::Host(_)) if !self.kept_pictures.may_be_heard(now) => {
                self.refuse(Capability::Screenshot, now, out);
            }
            (act, Side::Host(host)) => {
                let kept_picture = act == ViewerToHost::ScreenshotTaken;
                match host.act(act, &self.authority, now, out) {
                    Verdict::Done if kept_picture => self.chronicle.screenshot(now),
                    Verdict::Done | Verdict::Ignored => {}
                    Verdict::Refused(wanted) => self.refuse(wanted, now, out),
                }
            }
            // This end shows nothing and is never operated (T20, T22, S21).
            (act, Side::Viewer(_)) => self.refuse(host::right_for(&act), now, out),
        }
    }

    fn word_of_host(&mut self, told: HostToViewer, now: Instant, out: &mut Outbox) {
        let heard = match (told, &mut self.side) {
            (HostToViewer::RightsChanged { envelope }, Side::Viewer(_)) => {
                self.hear_change(envelope, now, out)
            }
            (told, Side::Viewer(viewer)) => viewer.hear(told, now, out),
            // The other end has no screen to tell of (T23, S23).
            (_, Side::Host(_)) => Err(viewer::NotShowable),
        };
        if heard.is_err() {
            self.refuse(Capability::SeeScreen, now, out);
        }
    }

    fn chat(&mut self, line: String, now: Instant, out: &mut Outbox) {
        let is_fit = line.len() <= MAX_CHAT_BYTES && self.authority.allows(Capability::Chat, now);
        if is_fit && self.chatter.may_be_heard(now) {
            out.tell(SessionEvent::Chat { line });
        } else {
            self.refuse(Capability::Chat, now, out);
        }
    }

    pub(super) fn video(&mut self, id: PathId, frame: VideoFrame, now: Instant, out: &mut Outbox) {
        if self.paths.hear_video(id, now).is_none() {
            return;
        }
        let may_see = self.authority.allows(Capability::SeeScreen, now);
        let asked = match &mut self.side {
            Side::Viewer(viewer) if may_see => viewer.show(frame, now, out),
            Side::Viewer(_) | Side::Host(_) => return self.refuse(Capability::SeeScreen, now, out),
        };
        self.say(asked, now, out);
    }

    /// No effect; counted; the viewer is told why nothing happens.
    pub(super) fn refuse(&mut self, wanted: Capability, now: Instant, out: &mut Outbox) {
        let Some(count) = self.violations.count(wanted, now) else { return };
        out.tell(SessionEvent::Violation { wanted, count });
        if let Side::Host(_) = self.side {
            let refused = HostToViewer::Refused { wanted };
            self.say(Some(SessionMessage::HostToViewer(refused)), now, out);
        }
    }
}
