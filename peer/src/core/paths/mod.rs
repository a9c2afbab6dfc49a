//! Which path carries the session: direct and relayed are tried side by side.
//!
//! The first that is up carries the first frame; the direct one takes over once
//! it has been good for two seconds, and loses the session again as soon as it
//! falls silent while the other does not. It knows nothing of what is carried.

mod attempts;
mod disclosure;
mod keys;
mod lane;
mod lateness;
mod pulse;
mod retry;
mod told;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tasuki_protocol::ids::Role;
use tasuki_protocol::message::{self, Numbered, Packet};
use tasuki_protocol::terms::AddressDisclosure;

use super::io::{SessionEvent, path_end_words};
use super::line::Line;
use super::outbox::Outbox;
use super::path::{Ciphers, PathCommand, PathEnd, PathId, PathKind, TurnFacts, VideoRole};
use super::setup::PathPolicy;

pub(super) use keys::PathKeys;
use lane::Lanes;
pub(super) use lane::{Lane, Room};
pub(super) use lateness::Freshness;
use lateness::Lateness;
use pulse::{FIRST_ROUND_TRIP, Pulse, Tempo};
use retry::Retry;

/// How long a direct path must have been good before it takes over.
const PROVEN: Duration = Duration::from_secs(2);
/// After the last act or frame, both ends stay watchful for so long.
const WATCHFUL: Duration = Duration::from_secs(2);
/// Silence on all paths after which the person is told.
const UNEASY: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Paths {
    role: Role,
    video: VideoRole,
    keys: PathKeys,
    disclosure: AddressDisclosure,
    policy: PathPolicy,
    lanes: Lanes,
    chosen: Option<PathId>,
    direct: Retry,
    relay: Retry,
    leg_asked: Option<Instant>,
    newest_leg: Option<u32>,
    /// Of the newest leg's relay, and since when.
    turn: Option<(TurnFacts, Instant)>,
    remote_candidates: Vec<String>,
    local_candidates: Vec<String>,
    disclosed: BTreeSet<IpAddr>,
    zero: Instant,
    busy: Option<(Instant, Instant)>,
    heard: Instant,
    lost_after: Duration,
    contact: Contact,
    lateness: Lateness,
    last_end: Option<String>,
    last_direct_end: Option<String>,
    /// The other end's addresses that it told.
    learnt: BTreeSet<IpAddr>,
    /// Its program and version, once it has said them.
    peer_software: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contact {
    NotYet,
    Good,
    Missing,
}

impl Paths {
    pub(super) fn new(
        role: Role,
        video: VideoRole,
        keys: PathKeys,
        disclosure: AddressDisclosure,
        policy: PathPolicy,
        lost_after: Duration,
        now: Instant,
    ) -> Self {
        Self {
            role,
            video,
            keys,
            disclosure,
            policy,
            lanes: Lanes::default(),
            chosen: None,
            direct: Retry::default(),
            relay: Retry::default(),
            leg_asked: None,
            newest_leg: None,
            turn: None,
            remote_candidates: Vec::new(),
            local_candidates: Vec::new(),
            disclosed: BTreeSet::new(),
            zero: now,
            busy: None,
            heard: now,
            lost_after,
            contact: Contact::NotYet,
            lateness: Lateness::default(),
            last_end: None,
            last_direct_end: None,
            learnt: BTreeSet::new(),
            peer_software: String::new(),
        }
    }

    /// What carries the session now.
    pub(super) fn chosen(&self) -> Option<&Lane> {
        self.chosen.and_then(|id| self.lanes.find(id))
    }

    pub(super) fn chosen_id(&self) -> Option<PathId> {
        self.chosen
    }

    pub(super) fn up_ids(&self) -> Vec<PathId> {
        self.lanes.up().map(|(lane, _)| lane.id).collect()
    }

    pub(super) fn all_ids(&self) -> Vec<PathId> {
        self.lanes.iter().map(|lane| lane.id).collect()
    }

    pub(super) fn last_end(&self) -> Option<&str> {
        self.last_end.as_deref()
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.measured_round_trip().unwrap_or(FIRST_ROUND_TRIP)
    }

    pub(super) fn measured_round_trip(&self) -> Option<Duration> {
        self.chosen().and_then(Lane::pulse).and_then(Pulse::round_trip)
    }

    /// When any path last brought anything.
    pub(super) fn heard_at(&self) -> Instant {
        self.heard
    }

    /// Whether the session must end: no path has carried anything for too long.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        now >= self.heard + self.lost_after
    }

    /// Something was said or shown: both ends watch their paths closely now.
    pub(super) fn note_activity(&mut self, now: Instant) {
        let since = match self.busy {
            Some((since, last)) if now < last + WATCHFUL => since,
            Some(_) | None => now,
        };
        self.busy = Some((since, now));
    }

    fn tempo(&self, now: Instant) -> Tempo {
        match self.busy {
            Some((since, last)) if now < last + WATCHFUL => Tempo::Busy(since),
            Some(_) | None => Tempo::Idle,
        }
    }

    /// The first word of the other end on its program counts.
    pub(super) fn peer_is(&mut self, software: String) {
        if self.peer_software.is_empty() {
            self.peer_software = software;
        }
    }

    /// What the path is shown as, unless it is none that was being tried.
    pub(super) fn came_up(
        &mut self,
        id: PathId,
        ciphers: Ciphers,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<PathKind> {
        let kind = self.lanes.raise(id, Pulse::new(ciphers.clone(), now))?;
        let shown = self.lanes.find(id).map(Lane::shown_as)?;
        self.heard = now;
        let peer_software = self.peer_software.clone();
        out.tell(SessionEvent::PathUp { path: shown, ciphers, peer_software });
        match kind {
            PathKind::Direct => self.direct.succeeded(),
            PathKind::Relayed => {
                self.relay.succeeded();
                for old in self.lanes.older_relayed(id) {
                    self.drop_lane(old, PathEnd::ClosedHere, now, out);
                    out.path(old, PathCommand::Close);
                }
            }
        }
        Some(shown)
    }

    pub(super) fn went_down(&mut self, id: PathId, end: PathEnd, now: Instant, out: &mut Outbox) {
        self.drop_lane(id, end, now, out);
    }

    fn drop_lane(&mut self, id: PathId, end: PathEnd, now: Instant, out: &mut Outbox) {
        let Some(lane) = self.lanes.remove(id) else { return };
        let why = path_end_words(&end);
        self.last_end = Some(why.clone());
        if lane.kind == PathKind::Direct {
            self.last_direct_end = Some(why.clone());
        }
        out.tell(SessionEvent::PathDown { path: lane.shown_as(), why });
        match lane.kind {
            PathKind::Direct => self.direct.ended(now),
            PathKind::Relayed => self.relay.ended(now),
        }
    }

    /// A packet on a path that is up, decoded; `None` for a path that is gone.
    pub(super) fn hear_packet(
        &mut self,
        id: PathId,
        packet: &Packet,
        now: Instant,
    ) -> Option<Freshness> {
        let own_ms = self.clock_ms(now);
        self.lanes.pulse_mut(id)?.hear_packet(packet, own_ms, now);
        self.heard = now;
        Some(self.lateness.judge(packet.sent_ms, own_ms))
    }

    pub(super) fn hear_video(&mut self, id: PathId, now: Instant) -> Option<()> {
        self.lanes.pulse_mut(id)?.hear(now);
        self.heard = now;
        self.note_activity(now);
        Some(())
    }

    pub(super) fn has_room(&mut self, id: PathId) {
        self.lanes.set_room(id);
    }

    pub(super) fn capacity(&mut self, id: PathId, bits_per_second: u64) {
        self.lanes.set_capacity(id, bits_per_second);
    }

    pub(super) fn take_room(&mut self) {
        if let Some(id) = self.chosen {
            self.lanes.clear_room(id);
        }
    }

    /// All that the passing of time asks for, and the choice of the path.
    pub(super) fn review(&mut self, server: &Line, now: Instant, out: &mut Outbox) {
        self.close_silent(now, out);
        self.try_again(server, now, out);
        let before = self.chosen;
        self.choose(now);
        self.report(before, now, out);
    }

    /// A proven direct path first; else what is in use while it is good; else
    /// whatever is good; else what was heard last.
    fn choose(&mut self, now: Instant) {
        let tempo = self.tempo(now);
        self.lanes.judge(tempo, now);
        let good = |lane: &Lane| lane.pulse().and_then(Pulse::good_since);
        let proven = self.lanes.up().find(|(lane, pulse)| {
            lane.kind == PathKind::Direct
                && pulse.good_since().is_some_and(|since| now >= since + PROVEN)
        });
        let current = self.chosen().filter(|lane| good(lane).is_some());
        let any_good = self.lanes.up().find(|(_, pulse)| pulse.good_since().is_some());
        let newest_heard = || self.lanes.up().max_by_key(|(_, pulse)| pulse.heard_at());
        self.chosen = proven
            .map(|(lane, _)| lane)
            .or(current)
            .or(any_good.map(|(lane, _)| lane))
            .or(self.chosen())
            .or_else(|| newest_heard().map(|(lane, _)| lane))
            .map(|lane| lane.id);
    }

    fn report(&mut self, before: Option<PathId>, now: Instant, out: &mut Outbox) {
        let missing = self.chosen.is_none() || now >= self.heard + UNEASY;
        match (self.contact, self.chosen()) {
            (Contact::Good, _) if missing => {
                self.contact = Contact::Missing;
                out.tell(SessionEvent::Reconnecting);
            }
            (Contact::NotYet | Contact::Missing, Some(lane)) if !missing => {
                out.tell(SessionEvent::PathChosen { path: lane.shown_as() });
                self.contact = Contact::Good;
            }
            (Contact::Good, Some(lane)) if before != Some(lane.id) => {
                out.tell(SessionEvent::PathChosen { path: lane.shown_as() });
            }
            (Contact::NotYet | Contact::Good | Contact::Missing, Some(_) | None) => {}
        }
    }

    /// Paths on which this end must show itself now, whether or not it has something to say.
    pub(super) fn beats_due(&self, now: Instant) -> Vec<PathId> {
        let tempo = self.tempo(now);
        let due = self.lanes.up().filter(|(_, pulse)| now >= pulse.beat_due(tempo));
        due.map(|(lane, _)| lane.id).collect()
    }

    pub(super) fn send(
        &mut self,
        id: PathId,
        acked: u64,
        items: Vec<Numbered>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let sent_ms = self.clock_ms(now);
        let Some(pulse) = self.lanes.pulse_mut(id) else { return };
        let packet = Packet { acked, sent_ms, echo: pulse.echo(now), items };
        pulse.sent(now);
        out.path(id, PathCommand::SendPacket(message::encode(&packet)));
    }

    pub(super) fn deadline(&self, server: &Line, now: Instant) -> Option<Instant> {
        let tempo = self.tempo(now);
        let lanes = self.lanes.iter().filter_map(|lane| lane.deadline(tempo));
        let proof = self
            .lanes
            .up()
            .filter(|(lane, _)| lane.kind == PathKind::Direct && self.chosen != Some(lane.id));
        let proof = proof
            .filter_map(|(_, pulse)| pulse.good_since().map(|since| since + PROVEN))
            .filter(|at| *at > now);
        let uneasy = (self.contact == Contact::Good).then_some(self.heard + UNEASY);
        let rest =
            [Some(self.heard + self.lost_after), uneasy, self.direct_due(), self.leg_due(server)];
        lanes.chain(proof).chain(rest.into_iter().flatten()).min()
    }

    fn clock_ms(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.zero).as_millis()).unwrap_or(u32::MAX)
    }
}
