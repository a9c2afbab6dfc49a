//! A session that its person has accepted: messages, picture, paths and time,
//! until somebody ends it.
//!
//! It puts its parts together and decides only what concerns several of them.
//! What a viewer may do is the host's part; which path carries, the paths'.

mod askings;
mod chatter;
mod chronicle;
mod deliver;
mod due;
mod ending;
mod held;
mod host;
mod meter;
mod own;
mod parting;
mod rights;
mod shown;
mod video;
mod viewer;
mod violations;

use std::time::Instant;

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, Role};
use tasuki_protocol::message::{self, EndReason, EndToEnd, MAX_PACKET_BYTES, Packet, SessionMessage};
use tasuki_protocol::rights::Rights;
use tasuki_protocol::signal::{CloseReason, RefusalReason};

use super::arq::{Full, Incoming, Outgoing, PeerMisbehaved, without_input};
use super::authority::Authority;
use super::door::reason_of;
use super::io::{EndedBy, Input, SessionEvent};
use super::line::{Heard, Line};
use super::outbox::Outbox;
use super::path::{PathEvent, PathId, VideoRole};
use super::paths::{Freshness, PathKeys, Paths};
use super::setup::{PathPolicy, RecordFacts, SessionTimes};
use chatter::Chatter;
use chronicle::Chronicle;
pub(super) use chronicle::Evidence;
use chronicle::word;
use host::Host;
use meter::Meter;
use parting::Parting;
use viewer::Viewer;
use violations::Violations;

/// What an accepted question leaves behind.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) line: Line,
    pub(super) keys: PathKeys,
    pub(super) authority: Authority,
    pub(super) policy: PathPolicy,
    pub(super) times: SessionTimes,
    pub(super) organisation: String,
    pub(super) evidence: Evidence,
    pub(super) own: Own,
}

/// What this end signs with and says of itself, and whose signature it believes.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) key: Box<SigningKey>,
    pub(super) peer: DeviceKey,
    pub(super) record: RecordFacts,
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
    chatter: Chatter,
    kept_pictures: Chatter,
    /// Viewer: of how many the other end was told.
    pictures_said: u64,
    /// Agent: the signed answer, repeated until a path is up.
    consent: Option<Blob>,
    own: Own,
    chronicle: Chronicle,
    meter: Meter,
    /// The rights as they were last told.
    effective: Rights,
    /// The number of the newest change of rights.
    last_change: u32,
    parting: Option<Parting>,
    /// What came behind the word of the end, in the same packet.
    unheard: Vec<SessionMessage>,
}

#[derive(Debug)]
enum Side {
    Host(Box<Host>),
    Viewer(Viewer),
}

/// What one input comes to.
#[derive(Debug)]
enum Course {
    GoesOn,
    Over(EndReason, EndedBy),
}

/// Whether anything will still come out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Lives,
    Gone,
}

impl Session {
    pub(super) fn begin(beginning: Beginning, now: Instant, out: &mut Outbox) -> Self {
        let Beginning { line, keys, authority, policy, times, organisation, evidence, own } = beginning;
        let manifest = authority.manifest();
        let hosts = manifest.mode.host() == line.role;
        let video = if hosts { VideoRole::Sends } else { VideoRole::Receives };
        let disclosure = manifest.address_disclosure;
        let paths = Paths::new(line.role, video, keys, disclosure, policy, times.without_path, now);
        let side = match video {
            VideoRole::Sends => Side::Host(Box::new(Host::begin(&authority, times, now, out))),
            VideoRole::Receives => Side::Viewer(Viewer::begin(now)),
        };
        let began_at = own.record.unix_at(now);
        let is_agent = line.role == Role::Agent;
        let mut session = Self {
            consent: is_agent.then(|| evidence.consent.clone()),
            chronicle: Chronicle::new(organisation, evidence, now, began_at),
            effective: authority.rights(now),
            line,
            authority,
            paths,
            outgoing: Outgoing::new(now),
            incoming: Incoming::default(),
            side,
            violations: Violations::default(),
            chatter: Chatter::default(),
            kept_pictures: Chatter::default(),
            pictures_said: 0,
            own,
            meter: Meter::default(),
            last_change: 0,
            parting: None,
            unheard: Vec::new(),
        };
        // Before anything that a path is made of: who has a path has heard it.
        let version = session.own.record.software.clone();
        session.line.say(EndToEnd::Software { version }, out);
        session.settle(now, out);
        session
    }

    pub(super) fn turn(&mut self, input: Input, now: Instant, out: &mut Outbox) -> Life {
        if self.parting.is_some() {
            return self.part(input, now, out);
        }
        let course = match self.take(input, now, out) {
            Course::GoesOn => self.time_is_up(now),
            over @ Course::Over(..) => over,
        };
        let course = match course {
            Course::GoesOn => self.review_askings(now, out),
            over @ Course::Over(..) => over,
        };
        match course {
            Course::GoesOn => {
                self.settle(now, out);
                Life::Lives
            }
            Course::Over(reason, by) => self.end(reason, by, now, out),
        }
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
            Heard::Said(EndToEnd::Software { version }) => self.paths.peer_is(word(&version)),
            Heard::Said(EndToEnd::End(reason)) => {
                return Course::Over(reason.of_the_other_end(), EndedBy::OtherEnd);
            }
            Heard::Leg(leg) => self.paths.leg(leg, now, out),
            Heard::OtherEndBack => self.repeat_what_may_be_lost(out),
            Heard::Closed(reason) => return self.server_closed(reason, out),
            Heard::Refused(reason) => {
                out.tell(SessionEvent::ServerRefused { reason });
                // What else it refuses, it may do next time.
                if self.line.is_resuming() && reason == RefusalReason::Session {
                    return self.server_knows_no_more();
                }
            }
            // Whoever made the paths said it to this end alone: it is in no ledger, and nobody could end it.
            Heard::NotPaired => {
                out.tell(SessionEvent::TranscriptMismatch);
                return Course::Over(EndReason::Violation, EndedBy::Server);
            }
            // The line carries nothing; the session lives on its paths (T46, F2).
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

    /// The server knows its sessions after a restart, too: this one is over, or came from an older copy of its
    /// database. The customer's end lives in none that nobody could take away (T17); the other follows it.
    fn server_knows_no_more(&mut self) -> Course {
        self.line.finish();
        match self.line.role {
            Role::Agent => Course::Over(EndReason::Withdrawn, EndedBy::Server),
            Role::Operator => Course::GoesOn,
        }
    }

    /// A server that forgets a session does not end it while a path carries it. What the other end told the
    /// server is no forgetting: it would have kept the paths for itself, and nothing could be taken from it.
    fn server_closed(&mut self, reason: CloseReason, out: &mut Outbox) -> Course {
        self.line.finish();
        out.tell(SessionEvent::ServerClosed { reason });
        match reason {
            CloseReason::Lost if self.paths.chosen_id().is_some() => Course::GoesOn,
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
                if let Some(kind) = self.paths.came_up(id, ciphers.clone(), now, out) {
                    self.chronicle.path(kind, &ciphers, now);
                }
            }
            PathEvent::Routed(route) => self.paths.routed(id, route, out),
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

    /// What finds no room any more is not worth keeping: the other end has been
    /// silent for long, and the paths' own time will end the session.
    fn say(&mut self, message: Option<SessionMessage>, now: Instant, out: &mut Outbox) {
        let Some(message) = message else { return };
        match self.outgoing.push(message, now) {
            Ok(()) => self.paths.note_activity(now),
            Err(Full) => out.tell(SessionEvent::NotSaid),
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
        if let Some(parting) = &self.parting {
            return self.parting_deadline(parting);
        }
        let round_trip = self.paths.round_trip();
        let send = self.paths.chosen_id().and_then(|_| self.outgoing.send_at(round_trip));
        let side = match &self.side {
            Side::Host(host) => host.deadline(self.paths.heard_at()),
            Side::Viewer(_) => None,
        };
        let paths = self.paths.deadline(&self.line, now);
        let stale = self.outgoing.stale_at(round_trip);
        let own = [send, stale, side, self.incoming.ack_due(), paths, self.authority.next_end(now)];
        own.into_iter().flatten().fold(self.authority.ends(), Instant::min)
    }
}
