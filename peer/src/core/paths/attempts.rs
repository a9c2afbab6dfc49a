//! How paths come to be: attempts, what both ends tell each other for them, and
//! when a lost one is tried again.

use std::time::{Duration, Instant};

use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndToEnd;
use tasuki_protocol::signal::{Leg, OperatorToServer};
use tasuki_protocol::terms::AddressDisclosure;

use super::retry::Others;
use super::{PathKeys, Paths, disclosure};
use crate::core::io::{Output, ServerRequest, SessionEvent};
use crate::core::line::Line;
use crate::core::outbox::Outbox;
use crate::core::path::{PathCommand, PathEnd, PathKind, TurnFacts};
use crate::core::setup::Permission;

/// How long a server may take to hand out a leg.
const LEG_PATIENCE: Duration = Duration::from_secs(5);
/// For how long a leg's ticket gets an address at its relay: less than it is valid.
const TURN_FRESH: Duration = Duration::from_secs(40);
const MAX_CANDIDATES: usize = 32;

impl Paths {
    /// A candidate that this end's direct path found.
    pub(in crate::core) fn local_candidate(&mut self, line: &str, server: &mut Line, out: &mut Outbox) {
        let Some(line) = disclosure::tellable(line, self.role, self.disclosure) else { return };
        if !disclosure::is_relays(&line)
            && let Some(address) = disclosure::address_of(&line)
            && self.disclosed.insert(address)
        {
            out.tell(SessionEvent::Disclosed { address });
        }
        if self.local_candidates.len() < MAX_CANDIDATES {
            self.local_candidates.push(line.clone());
        }
        server.say(EndToEnd::Candidate { line }, out);
    }

    /// A candidate of the other end; also for attempts yet to come.
    pub(in crate::core) fn remote_candidate(&mut self, line: String, now: Instant, out: &mut Outbox) {
        let full = self.remote_candidates.len() >= MAX_CANDIDATES;
        if line.len() > disclosure::MAX_LINE || self.remote_candidates.contains(&line) {
            return;
        }
        self.learn(&line);
        if full {
            self.remote_candidates.remove(0);
        }
        self.remote_candidates.push(line.clone());
        match self.lanes.newest(PathKind::Direct) {
            Some(id) => out.path(id, PathCommand::RemoteCandidate(line)),
            // The other end tries again: so does this one, at once.
            None if self.direct_allowed(now) => self.open_direct(now, out),
            None => {}
        }
    }

    /// What the other end may have missed while its server connection was gone.
    pub(in crate::core) fn repeat_candidates(&self, server: &mut Line, out: &mut Outbox) {
        if self.lanes.newest(PathKind::Direct).is_some() {
            for line in &self.local_candidates {
                server.say(EndToEnd::Candidate { line: line.clone() }, out);
            }
        }
    }

    /// A leg that the server hands out: to the operator on request, to the agent
    /// because the operator asked.
    pub(in crate::core) fn leg(&mut self, leg: Leg, now: Instant, out: &mut Outbox) {
        let fresh = self.newest_leg.is_none_or(|newest| leg.number > newest);
        let asked = self.role == Role::Agent || self.leg_asked.is_some();
        if !fresh || !asked || self.policy.relay == Permission::Forbidden {
            return;
        }
        self.leg_asked = None;
        self.newest_leg = Some(leg.number);
        for old in self.lanes.stale_relayed() {
            self.drop_lane(old, PathEnd::ClosedHere, now, out);
            out.path(old, PathCommand::Close);
        }
        self.turn = PathKeys::turn(&leg).map(|facts| (facts, now));
        if let (Some(direct), Some(facts)) = (self.lanes.newest(PathKind::Direct), self.turn_facts(now))
        {
            out.path(direct, PathCommand::UseRelay(facts));
        }
        let id = self.lanes.add(PathKind::Relayed, now);
        out.push(Output::OpenRelay(id, self.keys.relay(leg)));
    }

    /// Under `relay-only` a direct path has nothing but an address at a relay (R1).
    fn direct_allowed(&self, at: Instant) -> bool {
        let of_its_own = self.disclosure != AddressDisclosure::RelayOnly;
        self.policy.direct == Permission::Allowed && (of_its_own || self.turn_facts(at).is_some())
    }

    fn turn_facts(&self, at: Instant) -> Option<TurnFacts> {
        let fresh = self.turn.as_ref().filter(|(_, since)| at < *since + TURN_FRESH);
        fresh.map(|(facts, _)| facts.clone())
    }

    fn open_direct(&mut self, now: Instant, out: &mut Outbox) {
        let id = self.lanes.add(PathKind::Direct, now);
        self.local_candidates.clear();
        out.push(Output::OpenDirect(id, self.keys.direct(self.video)));
        for line in &self.remote_candidates {
            out.path(id, PathCommand::RemoteCandidate(line.clone()));
        }
        if let Some(facts) = self.turn_facts(now) {
            out.path(id, PathCommand::UseRelay(facts));
        }
    }

    pub(super) fn close_silent(&mut self, now: Instant, out: &mut Outbox) {
        for id in self.lanes.silent(now) {
            out.path(id, PathCommand::Close);
            self.drop_lane(id, PathEnd::Silent, now, out);
        }
    }

    pub(super) fn try_again(&mut self, server: &Line, now: Instant, out: &mut Outbox) {
        if self.direct_due().is_some_and(|due| now >= due) {
            self.open_direct(now, out);
        }
        if self.leg_due(server).is_some_and(|due| now >= due) {
            self.leg_asked = Some(now);
            let session = server.session;
            let ask = OperatorToServer::NeedLeg { session };
            out.push(Output::ToServer(ServerRequest::Operator(ask)));
        }
    }

    fn others(&self) -> Others {
        if self.lanes.up().next().is_some() { Others::Carry } else { Others::None }
    }

    pub(super) fn direct_due(&self) -> Option<Instant> {
        let due = self.direct.due(self.others()).unwrap_or(self.zero);
        let wanted = self.direct_allowed(due) && self.lanes.newest(PathKind::Direct).is_none();
        wanted.then_some(due)
    }

    pub(super) fn leg_due(&self, server: &Line) -> Option<Instant> {
        let asks = self.role == Role::Operator
            && self.policy.relay == Permission::Allowed
            && server.is_open()
            && self.lanes.newest(PathKind::Relayed).is_none();
        if !asks {
            return None;
        }
        let pause = self.relay.due(Others::None).unwrap_or(self.zero);
        Some(self.leg_asked.map_or(pause, |at| (at + LEG_PATIENCE).max(pause)))
    }
}
