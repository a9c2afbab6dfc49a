//! What surfaces and the receipt are told of a session's paths: which addresses
//! passed between the ends (R1), and why no direct path carries it.

use std::time::{Duration, Instant};

use tasuki_protocol::terms::AddressDisclosure;

use super::{Contact, Paths, disclosure};
use crate::core::io::SessionEvent;
use crate::core::outbox::Outbox;
use crate::core::path::{PathId, PathKind, Route};
use crate::core::setup::Permission;
use crate::core::snapshot::NotDirect;

/// More than any machine has; beyond it nothing is kept.
const MAX_ADDRESSES: usize = 32;

impl Paths {
    /// A direct path goes by another way than it did.
    pub(in crate::core) fn routed(&mut self, id: PathId, route: Route, out: &mut Outbox) {
        self.lanes.set_route(id, route);
        if self.contact == Contact::Good
            && let Some(lane) = self.chosen().filter(|lane| lane.id == id)
        {
            out.tell(SessionEvent::PathChosen { path: lane.shown_as() });
        }
    }

    /// An address of the other end's, as its candidate says; a relay's is nobody's.
    pub(super) fn learn(&mut self, line: &str) {
        if !disclosure::is_relays(line)
            && let Some(address) = disclosure::address_of(line)
            && self.learnt.len() < MAX_ADDRESSES
        {
            self.learnt.insert(address);
        }
    }

    pub(in crate::core) fn told_addresses(&self) -> Vec<String> {
        self.disclosed.iter().map(ToString::to_string).collect()
    }

    pub(in crate::core) fn learnt_addresses(&self) -> Vec<String> {
        self.learnt.iter().map(ToString::to_string).collect()
    }

    pub(in crate::core) fn not_direct(&self) -> Option<NotDirect> {
        let direct = self.chosen().filter(|lane| lane.kind == PathKind::Direct);
        if direct.is_some_and(|lane| lane.route() == Route::Straight) {
            return None;
        }
        Some(match (self.disclosure, self.policy.direct, &self.last_direct_end) {
            (AddressDisclosure::RelayOnly, _, _) => NotDirect::ByPolicy,
            (_, Permission::Forbidden, _) => NotDirect::BySetting,
            (_, Permission::Allowed, _) if direct.is_some() => NotDirect::OnlyByRelay,
            (_, Permission::Allowed, Some(end)) => NotDirect::Failed { end: end.clone() },
            (_, Permission::Allowed, None) => NotDirect::BeingTried,
        })
    }

    /// For how long nothing was heard, once the person was told that it is so.
    pub(in crate::core) fn missing_for(&self, now: Instant) -> Option<Duration> {
        (self.contact == Contact::Missing).then(|| now.saturating_duration_since(self.heard))
    }
}
