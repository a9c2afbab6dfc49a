//! Rights that change in mid-session: asked for, granted for a time, taken away,
//! given back, and ended by themselves.
//!
//! Only the host's person widens anything, never beyond mode, manifest and this
//! machine's maximum (T17); only the host's end signs.

use std::time::Instant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::grant::{Change, MAX_GRANT_S, RightsChange};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::message::{Asked, EndReason, HostToViewer, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::{Capability, Rights};

use super::askings::Decision;
use super::viewer::NotShowable;
use super::{Course, Session, Side};
use crate::core::io::{EndedBy, Reply, SessionEvent};
use crate::core::outbox::Outbox;

const NOTHING_SHOWN: Digest = Digest([0; 32]);

impl Session {
    /// The viewing end's person asks. What cannot be is refused here already.
    pub(super) fn ask_rights(
        &self,
        rights: Rights,
        seconds: u32,
        out: &mut Outbox,
    ) -> Option<SessionMessage> {
        match self.unaskable(rights, seconds) {
            None => {
                let act = ViewerToHost::AskRights { rights, seconds };
                Some(SessionMessage::ViewerToHost(act))
            }
            Some(wanted) => {
                out.tell(SessionEvent::Refused { wanted });
                None
            }
        }
    }

    /// The right for which the asking breaks the rules that both ends know.
    fn unaskable(&self, rights: Rights, seconds: u32) -> Option<Capability> {
        let contract = self.authority.contract();
        let in_bounds = (1..=MAX_GRANT_S).contains(&seconds) && rights != Rights::NONE;
        let excess = rights.iter().find(|right| !contract.has(*right));
        let any = rights.iter().next().unwrap_or(Capability::SeeScreen);
        excess.or((!in_bounds).then_some(any))
    }

    /// The viewer asks for more: the person is asked, or nobody is.
    pub(super) fn asked_for(&mut self, rights: Rights, seconds: u32, now: Instant, out: &mut Outbox) {
        if let Some(wanted) = self.unaskable(rights, seconds) {
            return self.refuse(wanted, now, out);
        }
        let here = self.authority.grantable();
        let missing = rights.iter().find(|right| !here.has(*right));
        let Side::Host(host) = &mut self.side else { return };
        let asked = match missing {
            // Allowed by the manifest, and not on this machine: no fault of the viewer's.
            Some(wanted) => Err(wanted),
            None => host
                .askings
                .ask_rights(rights, seconds, now, out)
                .map_err(|_| rights.iter().next().unwrap_or(Capability::SeeScreen)),
        };
        let said = match asked {
            Ok(seconds) => {
                host.release(out);
                HostToViewer::Asking { what: Asked::MoreRights, seconds }
            }
            Err(wanted) => HostToViewer::Refused { wanted },
        };
        self.say(Some(SessionMessage::HostToViewer(said)), now, out);
    }

    /// The host's person answers what he was asked.
    pub(super) fn answered(
        &mut self,
        what: Asked,
        reply: Reply,
        shown: Digest,
        now: Instant,
        out: &mut Outbox,
    ) -> Course {
        let Side::Host(host) = &mut self.side else { return Course::GoesOn };
        let Some(decision) = host.askings.answer(what, reply, now, out) else { return Course::GoesOn };
        self.decide(what, decision, shown, now, out)
    }

    /// What the passing of time decides: silence, and the next question whether to go on.
    pub(super) fn review_askings(&mut self, now: Instant, out: &mut Outbox) -> Course {
        let Side::Host(host) = &mut self.side else { return Course::GoesOn };
        if let Some((what, decision)) = host.askings.review(now, out) {
            return self.decide(what, decision, NOTHING_SHOWN, now, out);
        }
        if let Some(seconds) = host.askings.ask_continue(now, out) {
            host.release(out);
            let said = HostToViewer::Asking { what: Asked::Continue, seconds };
            self.say(Some(SessionMessage::HostToViewer(said)), now, out);
        }
        Course::GoesOn
    }

    fn decide(
        &mut self,
        what: Asked,
        decision: Decision,
        shown: Digest,
        now: Instant,
        out: &mut Outbox,
    ) -> Course {
        let over = HostToViewer::AskingOver { what };
        self.say(Some(SessionMessage::HostToViewer(over)), now, out);
        let (change, rights, seconds) = match decision {
            Decision::Allowed { rights, seconds } => (Change::Granted, rights, seconds),
            Decision::Refused { rights, .. } => (Change::Refused, rights, 0),
            Decision::Silent { rights, .. } => (Change::Silent, rights, 0),
            Decision::GoesOn => return Course::GoesOn,
            Decision::Ends => return Course::Over(EndReason::NotContinued, EndedBy::ThisEnd),
        };
        self.change(change, rights, seconds, shown, now, out);
        Course::GoesOn
    }

    /// The host's person takes away or gives back by himself; what was never granted stays so.
    pub(super) fn own_change(
        &mut self,
        change: Change,
        rights: Rights,
        now: Instant,
        out: &mut Outbox,
    ) {
        let Side::Host(_) = self.side else { return };
        let rights = rights.and(self.authority.grantable());
        if rights != Rights::NONE {
            self.change(change, rights, 0, NOTHING_SHOWN, now, out);
        }
    }

    fn change(
        &mut self,
        change: Change,
        rights: Rights,
        seconds: u32,
        shown: Digest,
        now: Instant,
        out: &mut Outbox,
    ) {
        let (transcript, manifest) = self.authority.bond();
        let after = now.saturating_duration_since(self.chronicle.began());
        self.last_change += 1;
        let document = RightsChange {
            transcript,
            manifest,
            number: self.last_change,
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            change,
            rights,
            seconds,
            shown,
        };
        let envelope = Blob(dsse::sign(&document, &self.own.key));
        self.apply(&document, envelope.clone(), now, out);
        let said = HostToViewer::RightsChanged { envelope };
        self.say(Some(SessionMessage::HostToViewer(said)), now, out);
    }

    /// The host's signed word, as the viewing end takes it: for this very session, in order.
    pub(super) fn hear_change(
        &mut self,
        envelope: Blob,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), NotShowable> {
        let change = dsse::open::<RightsChange>(&envelope.0, &[self.own.peer]);
        let change = change.map_err(|_| NotShowable)?;
        let bound = (change.transcript, change.manifest) == self.authority.bond();
        let timely = (change.change == Change::Granted) == (1..=MAX_GRANT_S).contains(&change.seconds);
        let within = change.rights.is_within(self.authority.contract());
        if !bound || !timely || !within || change.number != self.last_change + 1 {
            return Err(NotShowable);
        }
        self.last_change = change.number;
        self.apply(&change, envelope, now, out);
        Ok(())
    }

    fn apply(&mut self, change: &RightsChange, envelope: Blob, now: Instant, out: &mut Outbox) {
        self.authority.apply(change, now);
        self.chronicle.changed(envelope);
        self.effective = self.authority.rights(now);
        let RightsChange { change, rights, seconds, .. } = *change;
        let effective = self.effective;
        out.tell(SessionEvent::RightsChanged { change, rights, seconds, effective });
        self.adapt(now, out);
    }

    /// Rights for a time end by themselves.
    pub(super) fn review_rights(&mut self, now: Instant, out: &mut Outbox) {
        let effective = self.authority.rights(now);
        if effective == self.effective {
            return;
        }
        let rights = effective.iter().fold(self.effective, Rights::without);
        self.effective = effective;
        out.tell(SessionEvent::RightsEnded { rights, effective });
        self.adapt(now, out);
    }

    /// The host's desktop follows the rights of this moment.
    pub(super) fn adapt(&mut self, now: Instant, out: &mut Outbox) {
        let Side::Host(host) = &mut self.side else { return };
        for message in host.adapt(&self.authority, now, out) {
            self.say(Some(message), now, out);
        }
    }
}
