//! What the policy makes of an operator's wish, and of what runs already when another
//! policy comes into force.
//!
//! It refuses to know who signed the policy: it is handed in checked.

use std::collections::BTreeSet;

use tasuki_protocol::ids::{DeviceKey, SessionId};
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::decide::{Decision, Denial, Subject};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::showable::is_showable_reason;
use tasuki_protocol::signal::{CloseReason, RefusalReason, ServerToOperator};
use tasuki_protocol::terms::Requirement;

use super::agenda::Reminder;
use super::issue::{Issuer, Wish};
use super::room::{Meeting, Room, Stage, Terms};
use super::rooms::{ConnectionId, Now, Operator, OperatorId, Rooms};

impl Issuer {
    pub(crate) fn decide(&self, operator: &Operator, mode: Mode, unix: u64) -> Decision {
        let subject = Subject {
            operator: &operator.name,
            groups: &operator.groups,
            modes: &operator.modes,
            certified: operator.rights,
        };
        self.policy.decide(&subject, mode, self.limits, unix)
    }

    /// Whether a number may be given out for `wish` now. S66, S70.
    pub(crate) fn may_open(
        &self,
        operator: &Operator,
        wish: &Wish,
        unix: u64,
    ) -> Result<(), RefusalReason> {
        let grant = self.decide(operator, wish.mode, unix).outcome.map_err(|denial| match denial {
            Denial::Mode => RefusalReason::Mode,
            Denial::Hours => RefusalReason::Hours,
        })?;
        match wish.reason.as_deref() {
            None if grant.reason == Requirement::Required => Err(RefusalReason::Reason),
            Some(reason) if !is_showable_reason(reason) => Err(RefusalReason::Reason),
            None | Some(_) => Ok(()),
        }
    }
}

impl Rooms {
    /// Sessions whose manifest is now wider than the policy end, and so do numbers that could
    /// lead to none. What is as narrow or narrower goes on: widening needs a new consent (T17).
    pub(crate) fn adopt(&mut self, policy: Policy, now: Now) {
        if policy.version < self.issuer.policy.version {
            return;
        }
        self.issuer.policy = policy;
        self.end_what_is_wider(|_| true, now);
    }

    /// The operator at this device is what `is` says from now on.
    pub(crate) fn renew(&mut self, is: &Operator, now: Now) {
        let is_he = |was: &Operator| (was.id, was.device) == (is.id, is.device);
        self.tell_of_certificate(|was| is_he(was) && was.certified_until != is.certified_until, is);
        let desks = self.desks.values_mut().map(|desk| &mut desk.operator);
        let whose = desks.chain(self.rooms.values_mut().map(|room| &mut room.operator));
        for was in whose.filter(|was| is_he(was)) {
            *was = Operator { confirmed_until: was.confirmed_until, ..is.clone() };
        }
        let own = self.rooms.values().filter(|room| is_he(&room.operator));
        let own: Vec<SessionId> = own.map(|room| room.session).collect();
        for session in own {
            self.agenda.remind(is.until, Reminder::Room(session));
        }
        self.end_what_is_wider(is_he, now);
    }

    /// Whoever is connected shows its person until when the device is certified.
    fn tell_of_certificate(&mut self, is_told: impl Fn(&Operator) -> bool, is: &Operator) {
        let told = self.desks.iter().filter(|(_, desk)| is_told(&desk.operator));
        let told: Vec<ConnectionId> = told.map(|(connection, _)| *connection).collect();
        for connection in told {
            let certified_until = is.certified_until;
            self.tell_operator(connection, ServerToOperator::Ready { certified_until });
        }
    }

    /// Operators who are here or have a room, each with his device.
    pub fn present(&self) -> BTreeSet<(OperatorId, DeviceKey)> {
        let desks = self.desks.values().map(|desk| &desk.operator);
        let whose = desks.chain(self.rooms.values().map(|room| &room.operator));
        whose.map(|operator| (operator.id, operator.device)).collect()
    }

    /// Whether the operator has a number or a session at this device.
    pub fn has_room(&self, operator: OperatorId, device: DeviceKey) -> bool {
        self.rooms.values().any(|room| (room.operator.id, room.operator.device) == (operator, device))
    }

    fn end_what_is_wider(&mut self, is_whose: impl Fn(&Operator) -> bool, now: Now) {
        let rooms = self.rooms.values().filter(|room| is_whose(&room.operator));
        let over: Vec<SessionId> =
            rooms.filter(|room| !self.may_go_on(room, now)).map(|room| room.session).collect();
        for session in over {
            self.end_room(session, CloseReason::Withdrawn, None, now);
        }
    }

    fn may_go_on(&self, room: &Room, now: Now) -> bool {
        match &room.stage {
            Stage::Opening(_) | Stage::Waiting | Stage::Burning(_) => {
                self.issuer.decide(&room.operator, room.wish.mode, now.unix).outcome.is_ok()
            }
            Stage::Meeting(Meeting { terms, .. }) => self.still_allows(room, terms),
            Stage::Paired(paired) => self.still_allows(room, &paired.terms),
        }
    }

    /// Whether the policy of now gives `room` what `terms` gave it. As of its beginning, so that an end of
    /// hours is weighed against the length it was given.
    pub(crate) fn still_allows(&self, room: &Room, terms: &Terms) -> bool {
        let allowed = self.issuer.decide(&room.operator, room.wish.mode, terms.issued).outcome;
        allowed.is_ok_and(|most| terms.grant.is_within(&most))
    }
}
