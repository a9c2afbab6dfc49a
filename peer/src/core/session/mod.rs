//! A session that its person has accepted: messages, picture, paths and time,
//! until somebody ends it.
//!
//! It puts its parts together and decides only what concerns several of them.
//! What a viewer may do is the host's part; which path carries, the paths'.

mod deliver;
mod due;
mod ending;
mod held;
mod host;
mod video;
mod viewer;
mod violations;

use std::time::Instant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::message::{
    self, Either, EndReason, EndToEnd, HostToViewer, MAX_CHAT_BYTES, MAX_PACKET_BYTES, Packet,
    SessionMessage, ViewerToHost,
};
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::signal::CloseReason;

use super::arq::{Incoming, Outgoing, PeerMisbehaved, without_input};
use super::authority::Authority;
use super::door::reason_of;
use super::io::{DesktopEvent, EndedBy, HumanAct, Input, SessionEvent, SessionStats};
use super::line::{Heard, Line};
use super::outbox::Outbox;
use super::path::{PathEvent, PathId, VideoRole};
use super::paths::{Freshness, Lane, PathKeys, Paths};
use super::setup::PathPolicy;
use host::Host;
use viewer::Viewer;
use violations::Violations;

/// What an accepted question leaves behind.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) line: Line,
    pub(super) keys: PathKeys,
    pub(super) authority: Authority,
    pub(super) policy: PathPolicy,
    /// Agent: the signed answer, repeated until a path is up.
    pub(super) consent: Option<Blob>,
}

#[derive(Debug)]
pub(super) struct Session {
    line: Line,
    authority: Authority,
    paths: Paths,
    outgoing: Outgoing,
    incoming: Incoming,
    side: Side,
    violations: Violations,
    consent: Option<Blob>,
}

#[derive(Debug)]
enum Side {
    Host(Host),
    Viewer(Viewer),
}

/// The session goes on, or is over and everything about it has been said.
#[derive(Debug)]
pub(super) enum Course {
    GoesOn,
    Over(EndReason, EndedBy),
}

impl Session {
    pub(super) fn begin(beginning: Beginning, now: Instant, out: &mut Outbox) -> Self {
        let Beginning { line, keys, authority, policy, consent } = beginning;
        let manifest = authority.manifest();
        let hosts = manifest.mode.host() == line.role;
        let video = if hosts { VideoRole::Sends } else { VideoRole::Receives };
        let disclosure = manifest.address_disclosure;
        let paths = Paths::new(line.role, video, keys, disclosure, policy, now);
        let side = match video {
            VideoRole::Sends => Side::Host(Host::begin(&authority, now, out)),
            VideoRole::Receives => Side::Viewer(Viewer::begin(now)),
        };
        let outgoing = Outgoing::new(now);
        let (incoming, violations) = (Incoming::default(), Violations::default());
        let mut session =
            Self { line, authority, paths, outgoing, incoming, side, violations, consent };
        session.settle(now, out);
        session
    }

    pub(super) fn turn(&mut self, input: Input, now: Instant, out: &mut Outbox) -> Course {
        let course = self.take(input, now, out);
        if let Course::Over(reason, by) = course {
            self.end(reason, by, now, out);
            return course;
        }
        let course = self.time_is_up(now);
        if let Course::Over(reason, by) = course {
            self.end(reason, by, now, out);
            return course;
        }
        self.settle(now, out);
        course
    }

    fn take(&mut self, input: Input, now: Instant, out: &mut Outbox) -> Course {
        match input {
            Input::ServerUp => self.line.server_up(out),
            Input::ServerDown => {
                self.line.server_down();
                out.tell(SessionEvent::ServerGone);
            }
            Input::FromServer(message) => {
                let heard = self.line.take(message, out);
                return self.hear_server(heard, now, out);
            }
            Input::Path(id, event) => return self.hear_path(id, event, now, out),
            Input::Human(act) => return self.human(act, now, out),
            Input::Desktop(event) => return self.desktop(event, now, out),
            Input::Wake => {}
        }
        Course::GoesOn
    }

    fn hear_server(&mut self, heard: Heard, now: Instant, out: &mut Outbox) -> Course {
        match heard {
            Heard::Said(EndToEnd::Candidate { line }) => self.paths.remote_candidate(line, now, out),
            Heard::Said(EndToEnd::End(reason)) => return Course::Over(reason, EndedBy::OtherEnd),
            Heard::Leg(leg) => self.paths.leg(leg, now, out),
            Heard::OtherEndBack => self.repeat_what_may_be_lost(out),
            Heard::Closed(reason) => return self.server_closed(reason, out),
            Heard::Refused(reason) => {
                out.tell(SessionEvent::ServerRefused { reason });
                if self.line.is_resuming() {
                    self.line.finish();
                }
            }
            // The line is finished; the session lives on its paths (T46, F2).
            Heard::Broken => out.tell(SessionEvent::TranscriptMismatch),
            Heard::Said(EndToEnd::Consent { .. }) | Heard::Nothing => {}
        }
        Course::GoesOn
    }

    fn repeat_what_may_be_lost(&mut self, out: &mut Outbox) {
        if let Some(envelope) = self.consent.clone() {
            self.line.say(EndToEnd::Consent { envelope }, out);
        }
        self.paths.repeat_candidates(&mut self.line, out);
    }

    /// A server that forgets a session does not end it while a path carries it.
    fn server_closed(&mut self, reason: CloseReason, out: &mut Outbox) -> Course {
        self.line.finish();
        out.tell(SessionEvent::ServerClosed { reason });
        match reason {
            CloseReason::Lost | CloseReason::OtherEnd if self.paths.chosen_id().is_some() => {
                Course::GoesOn
            }
            CloseReason::Expired
            | CloseReason::TooManyAttempts
            | CloseReason::OtherEnd
            | CloseReason::Withdrawn
            | CloseReason::Lost
            | CloseReason::TimeOver => Course::Over(reason_of(reason), EndedBy::Server),
        }
    }

    fn hear_path(&mut self, id: PathId, event: PathEvent, now: Instant, out: &mut Outbox) -> Course {
        match event {
            PathEvent::Up(ciphers) => {
                self.consent = None;
                self.paths.came_up(id, ciphers, now, out);
            }
            PathEvent::LocalCandidate(line) => {
                self.paths.local_candidate(&line, &mut self.line, out);
            }
            PathEvent::Packet(bytes) => return self.packet(id, &bytes, now, out),
            PathEvent::Video(frame) => self.video(id, frame, now, out),
            PathEvent::VideoRoom => self.paths.has_room(id),
            PathEvent::KeyFrameWanted => {
                if let Side::Host(host) = &mut self.side {
                    host.pump.wish_key_frame(now);
                }
            }
            PathEvent::Capacity(bits_per_second) => self.paths.capacity(id, bits_per_second),
            PathEvent::Down(end) => self.paths.went_down(id, end, now, out),
        }
        Course::GoesOn
    }

    fn packet(&mut self, id: PathId, bytes: &[u8], now: Instant, out: &mut Outbox) -> Course {
        let Ok(packet) = message::decode::<Packet>(bytes, MAX_PACKET_BYTES) else {
            return Course::Over(EndReason::Violation, EndedBy::ThisEnd);
        };
        let Some(freshness) = self.paths.hear_packet(id, &packet, now) else {
            return Course::GoesOn;
        };
        let packet = match freshness {
            Freshness::Fresh => packet,
            Freshness::Late => without_input(packet),
        };
        match self.in_order(packet, now) {
            Ok(messages) => self.deliver_all(messages, now, out),
            Err(PeerMisbehaved::Acknowledged | PeerMisbehaved::Order | PeerMisbehaved::Window) => {
                Course::Over(EndReason::Violation, EndedBy::ThisEnd)
            }
        }
    }

    fn in_order(
        &mut self,
        packet: Packet,
        now: Instant,
    ) -> Result<Vec<SessionMessage>, PeerMisbehaved> {
        self.outgoing.acknowledge(packet.acked, now)?;
        if !packet.items.is_empty() {
            self.paths.note_activity(now);
        }
        self.incoming.accept(packet.items, now)
    }

    fn human(&mut self, act: HumanAct, now: Instant, out: &mut Outbox) -> Course {
        let said = match (act, &mut self.side) {
            (HumanAct::End(reason), _) => return Course::Over(reason, EndedBy::ThisEnd),
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
            (HumanAct::TookScreenshot, Side::Viewer(_)) => {
                Viewer::ask(ViewerToHost::ScreenshotTaken, &self.authority, now, out)
            }
            (HumanAct::Chat(line), Side::Viewer(_) | Side::Host(_)) => self.own_chat(line, now, out),
            (HumanAct::Operate(_) | HumanAct::TookScreenshot, Side::Host(_))
            | (HumanAct::Accept { .. } | HumanAct::Refuse { .. }, Side::Viewer(_) | Side::Host(_)) => {
                None
            }
        };
        self.say(said, now);
        Course::GoesOn
    }

    fn own_chat(&self, line: String, now: Instant, out: &mut Outbox) -> Option<SessionMessage> {
        if line.len() <= MAX_CHAT_BYTES && self.authority.allows(Capability::Chat, now) {
            return Some(SessionMessage::Either(Either::Chat(line)));
        }
        out.tell(SessionEvent::Refused { wanted: Capability::Chat });
        None
    }

    /// A desktop that is not to be shown has nothing to tell (T20).
    fn desktop(&mut self, event: DesktopEvent, now: Instant, out: &mut Outbox) -> Course {
        let Side::Host(host) = &mut self.side else { return Course::GoesOn };
        let told = |message| Some(SessionMessage::HostToViewer(message));
        let may_see = host.shows() && self.authority.allows(Capability::SeeScreen, now);
        let said = match event {
            DesktopEvent::Layout(layout) => host.layout(layout),
            DesktopEvent::CursorShape(shape) if may_see => told(HostToViewer::CursorShape(shape)),
            DesktopEvent::Cursor(position) if may_see => told(HostToViewer::Cursor(position)),
            DesktopEvent::Frame(frame) if may_see => {
                host.pump.push(frame, &mut self.paths, now, out);
                None
            }
            DesktopEvent::CursorShape(_) | DesktopEvent::Cursor(_) | DesktopEvent::Frame(_) => None,
            DesktopEvent::LocalInput => host.local_input(now, out),
            DesktopEvent::Failed(_) => {
                return Course::Over(EndReason::ScreenLost, EndedBy::ThisEnd);
            }
        };
        self.say(said, now);
        Course::GoesOn
    }

    /// What finds no room any more is not worth keeping: the other end has been
    /// silent for long, and the paths' own time will end the session.
    fn say(&mut self, message: Option<SessionMessage>, now: Instant) {
        if let Some(message) = message
            && self.outgoing.push(message, now).is_ok()
        {
            self.paths.note_activity(now);
        }
    }

    fn time_is_up(&self, now: Instant) -> Course {
        if now >= self.authority.ends() {
            return Course::Over(EndReason::TimeOver, EndedBy::ThisEnd);
        }
        if self.paths.is_lost(now) {
            return Course::Over(EndReason::ConnectionLost, EndedBy::ThisEnd);
        }
        Course::GoesOn
    }

    fn holds_keys(&self) -> bool {
        match &self.side {
            Side::Host(host) => host.holds_keys(),
            Side::Viewer(viewer) => viewer.holds_keys(),
        }
    }

    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let round_trip = self.paths.round_trip();
        let send = self.paths.chosen_id().and_then(|_| self.outgoing.send_at(round_trip));
        let side = match &self.side {
            Side::Host(host) => host.deadline(self.paths.heard_at()),
            Side::Viewer(_) => None,
        };
        let paths = self.paths.deadline(&self.line, now);
        let own = [send, self.outgoing.stale_at(round_trip), side, self.incoming.ack_due(), paths];
        own.into_iter().flatten().fold(self.authority.ends(), Instant::min)
    }

    pub(super) fn mode(&self) -> Mode {
        self.authority.manifest().mode
    }

    pub(super) fn stats(&self) -> SessionStats {
        let (frames, video_bytes) = match &self.side {
            Side::Host(host) => (host.pump.frames, host.pump.bytes),
            Side::Viewer(viewer) => (viewer.frames, viewer.bytes),
        };
        let chosen: Option<&Lane> = self.paths.chosen();
        let round_trip = self.paths.measured_round_trip();
        SessionStats {
            mode: Some(self.mode()),
            path: chosen.map(|lane| lane.kind),
            ciphers: chosen.and_then(Lane::ciphers),
            round_trip_ms: round_trip.and_then(|rtt| u32::try_from(rtt.as_millis()).ok()),
            frames,
            video_bytes,
            violations: self.violations.total(),
            last_path_end: self.paths.last_end().map(str::to_owned),
        }
    }
}
