//! After the end: both ends put their names under one receipt, if both still can.
//!
//! The desktop has stopped and the person has been told before this begins.
//! Nothing but the receipt is heard any more, and not for long: an end that is
//! alone signs alone.

use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::{
    self, Either, EndReason, HostToViewer, MAX_PACKET_BYTES, Packet, SessionMessage, ViewerToHost,
};
use tasuki_protocol::receipt::{CheckedReceipt, Receipt, ReceiptAddress, Software};

use super::chronicle::{Ending, agrees, ender, word};
use super::{Life, Session, Side};
use crate::core::io::{EndedBy, HumanAct, Input, Output};
use crate::core::line::Heard;
use crate::core::outbox::Outbox;
use crate::core::path::{PathCommand, PathEvent};

/// How long an end waits for the other's name.
const PATIENCE: Duration = Duration::from_millis(1500);

#[derive(Debug)]
pub(super) struct Parting {
    ending: Ending,
    until: Instant,
    awaits: Awaits,
    /// The other end is the server's to tell until then.
    servers_turn: Option<Instant>,
}

#[derive(Debug)]
enum Awaits {
    /// Host: the viewer has stopped too, and says its version.
    Viewer,
    /// Host: the viewer's name under this.
    Signature(Blob),
    /// Viewer: the host's receipt.
    Offer,
    /// Viewer: that its name has arrived.
    Arrival(Blob),
}

impl Session {
    /// Waits for the other's name where there is a way to it.
    pub(super) fn begin_parting(
        &mut self,
        reason: EndReason,
        by: EndedBy,
        servers_turn: Option<Instant>,
        now: Instant,
        out: &mut Outbox,
    ) -> Life {
        let ending = Ending {
            reason,
            by: ender(self.line.role, reason, by),
            after_s: self.chronicle.after(now),
            software: self.software(String::new()),
        };
        let awaits = match self.side {
            Side::Host(_) => Awaits::Viewer,
            Side::Viewer(_) => Awaits::Offer,
        };
        let until = servers_turn.unwrap_or(now) + PATIENCE;
        self.parting = Some(Parting { ending, until, awaits, servers_turn });
        if !self.can_part(reason) {
            return self.part_alone(now, out);
        }
        if servers_turn.is_none() {
            self.await_receipt(now, out);
        }
        for message in std::mem::take(&mut self.unheard) {
            if let Life::Gone = self.hear_parting(message, now, out) {
                return Life::Gone;
            }
        }
        self.transmit(now, out);
        Life::Lives
    }

    /// Whether there is a way to the other end, and it is worth waiting for.
    pub(super) fn can_part(&self, reason: EndReason) -> bool {
        self.paths.chosen_id().is_some() && parts_well(reason)
    }

    /// The other end knows that it is over: the viewer has its receipt made.
    fn await_receipt(&mut self, now: Instant, out: &mut Outbox) {
        if let Side::Viewer(_) = self.side {
            let software = self.own.record.software.clone();
            let said = ViewerToHost::ReceiptAwaited { software };
            self.say(Some(SessionMessage::ViewerToHost(said)), now, out);
        }
    }

    /// The server has had its turn, or this end goes before that.
    fn tell_late(&mut self, now: Instant, out: &mut Outbox) {
        let Some(parting) = &mut self.parting else { return };
        if parting.servers_turn.take().is_some() {
            let reason = parting.ending.reason;
            self.tell_other_end(reason, now, out);
            self.await_receipt(now, out);
        }
    }

    fn other_end_knows(&mut self, now: Instant, out: &mut Outbox) {
        if self.parting.as_mut().is_some_and(|parting| parting.servers_turn.take().is_some()) {
            self.await_receipt(now, out);
        }
    }

    /// One input after the end.
    pub(super) fn part(&mut self, input: Input, now: Instant, out: &mut Outbox) -> Life {
        let life = match input {
            Input::Path(id, PathEvent::Packet(bytes)) => self.parting_packet(id, &bytes, now, out),
            Input::Path(id, PathEvent::Down(end)) => {
                self.paths.went_down(id, end, now, out);
                if self.paths.up_ids().is_empty() { Life::Gone } else { Life::Lives }
            }
            // Told twice: at once.
            Input::Human(HumanAct::End(_)) => Life::Gone,
            Input::FromServer(message) => {
                if let Heard::Closed(_) | Heard::NotPaired = self.line.take(message, out) {
                    self.line.finish();
                }
                Life::Lives
            }
            Input::ServerDown => {
                self.line.server_down();
                Life::Lives
            }
            Input::ServerUp | Input::Path(..) | Input::Human(_) | Input::Desktop(_) | Input::Wake => {
                Life::Lives
            }
        };
        let Some(parting) = &self.parting else { return Life::Gone };
        let arrived = matches!(parting.awaits, Awaits::Arrival(_)) && self.outgoing.is_done();
        if life == Life::Gone || arrived || now >= parting.until {
            return self.part_alone(now, out);
        }
        if parting.servers_turn.is_some_and(|until| now >= until) {
            self.tell_late(now, out);
        }
        self.transmit(now, out);
        Life::Lives
    }

    pub(super) fn parting_deadline(&self, parting: &Parting) -> Instant {
        let send = self.outgoing.send_at(self.paths.round_trip());
        let due = [send, self.incoming.ack_due()];
        due.into_iter().flatten().chain(parting.servers_turn).fold(parting.until, Instant::min)
    }

    fn parting_packet(
        &mut self,
        id: crate::core::path::PathId,
        bytes: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Life {
        let Ok(packet) = message::decode::<Packet>(bytes, MAX_PACKET_BYTES) else { return Life::Gone };
        if self.paths.hear_packet(id, &packet, now).is_none() {
            return Life::Lives;
        }
        let Ok(messages) = self.in_order(packet, now) else { return Life::Gone };
        for message in messages {
            if let Life::Gone = self.hear_parting(message, now, out) {
                return Life::Gone;
            }
        }
        Life::Lives
    }

    fn hear_parting(&mut self, message: SessionMessage, now: Instant, out: &mut Outbox) -> Life {
        if let SessionMessage::Either(Either::End(_))
        | SessionMessage::ViewerToHost(ViewerToHost::ReceiptAwaited { .. }) = message
        {
            self.other_end_knows(now, out);
        }
        let Some(parting) = &self.parting else { return Life::Gone };
        let reply = match (message, &parting.awaits) {
            (
                SessionMessage::ViewerToHost(ViewerToHost::ReceiptAwaited { software }),
                Awaits::Viewer,
            ) => self.offer(&software),
            (
                SessionMessage::HostToViewer(HostToViewer::ReceiptOffered { envelope }),
                Awaits::Offer,
            ) => match self.countersign(&envelope) {
                Some(reply) => Some(reply),
                None => return Life::Gone,
            },
            (
                SessionMessage::ViewerToHost(ViewerToHost::ReceiptSigned { envelope }),
                Awaits::Signature(own),
            ) => {
                if is_countersigned(own, &envelope) {
                    return self.part_with(envelope, now, out);
                }
                return Life::Gone;
            }
            (
                SessionMessage::HostToViewer(_)
                | SessionMessage::ViewerToHost(_)
                | SessionMessage::Either(_)
                | SessionMessage::Withdrawn,
                _,
            ) => None,
        };
        self.say(reply, now, out);
        Life::Lives
    }

    fn offer(&mut self, software: &str) -> Option<SessionMessage> {
        let software = self.software(word(software));
        let parting = self.parting.as_mut()?;
        parting.ending.software = software;
        let envelope = self.own_receipt()?;
        self.parting.as_mut()?.awaits = Awaits::Signature(envelope.clone());
        Some(SessionMessage::HostToViewer(HostToViewer::ReceiptOffered { envelope }))
    }

    /// Only what this end saw itself gets its name; `None` where they differ.
    fn countersign(&mut self, envelope: &Blob) -> Option<SessionMessage> {
        let offered = CheckedReceipt::open(&envelope.0).ok()?;
        let own = self.draft()?;
        if offered.signed_by != [self.line.role.other()]
            || !agrees(self.line.role, &own, &offered.receipt)
        {
            return None;
        }
        let envelope = Blob(dsse::cosign::<Receipt>(&envelope.0, &self.own.key).ok()?);
        self.parting.as_mut()?.awaits = Awaits::Arrival(envelope.clone());
        Some(SessionMessage::ViewerToHost(ViewerToHost::ReceiptSigned { envelope }))
    }

    fn draft(&self) -> Option<Receipt> {
        let parting = self.parting.as_ref()?;
        let role = self.line.role;
        let of = |of: Role, list: Vec<String>| {
            list.into_iter().map(move |address| ReceiptAddress { of, address: word(&address) })
        };
        let told = of(role, self.paths.told_addresses());
        let learnt = of(role.other(), self.paths.learnt_addresses());
        Some(self.chronicle.receipt(&parting.ending, told.chain(learnt).collect()))
    }

    fn own_receipt(&self) -> Option<Blob> {
        self.draft().map(|receipt| Blob(dsse::sign(&receipt, &self.own.key)))
    }

    fn software(&self, others: String) -> Software {
        let own = word(&self.own.record.software);
        match self.line.role {
            Role::Operator => Software { operator: own, agent: others },
            Role::Agent => Software { operator: others, agent: own },
        }
    }

    /// With whatever names there are by now.
    fn part_alone(&mut self, now: Instant, out: &mut Outbox) -> Life {
        let reached = self.parting.as_ref().and_then(|parting| match &parting.awaits {
            Awaits::Signature(envelope) | Awaits::Arrival(envelope) => Some(envelope.clone()),
            Awaits::Viewer | Awaits::Offer => None,
        });
        match reached.or_else(|| self.own_receipt()) {
            Some(envelope) => self.part_with(envelope, now, out),
            None => Life::Gone,
        }
    }

    fn part_with(&mut self, envelope: Blob, now: Instant, out: &mut Outbox) -> Life {
        self.tell_late(now, out);
        if self.parting.take().is_some() {
            out.push(Output::Keep(envelope));
            for id in self.paths.all_ids() {
                out.path(id, PathCommand::Close);
            }
            self.line.close(out);
        }
        Life::Gone
    }
}

fn is_countersigned(own: &Blob, envelope: &Blob) -> bool {
    let opened = dsse::open_cosigned::<Receipt>(&own.0).ok().map(|(receipt, _)| receipt);
    let checked = CheckedReceipt::open(&envelope.0).ok();
    checked.is_some_and(|both| both.signed_by.len() == 2 && Some(both.receipt) == opened)
}

/// Whether the other end is worth waiting for.
fn parts_well(reason: EndReason) -> bool {
    match reason {
        EndReason::OperatorEnded
        | EndReason::UserEnded
        | EndReason::TimeOver
        | EndReason::ScreenLost
        | EndReason::ProgramEnded
        | EndReason::NotContinued
        | EndReason::Withdrawn => true,
        EndReason::UserRefused
        | EndReason::NobodyAnswered
        | EndReason::ConnectionLost
        | EndReason::Violation
        | EndReason::ManifestRefused
        | EndReason::ServerRefused => false,
    }
}
