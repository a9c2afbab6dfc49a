//! After every input: what has become due, and which packets go out on which path.

use std::time::Instant;

use super::{Session, Side};
use crate::core::arq::Reach;
use crate::core::outbox::Outbox;
use crate::core::path::PathId;

impl Session {
    /// After every input: what has become due, and what can go out now.
    pub(super) fn settle(&mut self, now: Instant, out: &mut Outbox) {
        if self.holds_keys() {
            self.paths.note_activity(now);
        }
        self.review_rights(now, out);
        self.paths.review(&self.line, now, out);
        let heard = self.paths.heard_at();
        if let Side::Host(host) = &mut self.side {
            let said = host.review(heard, now, out);
            if host.is_seen() {
                host.pump.pull(&self.paths, now, out);
            }
            self.say(said, now, out);
        }
        let (frames, bytes) = self.picture_totals();
        self.meter.note(frames, bytes, now);
        let round_trip = self.paths.round_trip();
        if self.outgoing.withdraw_stale(round_trip, now)
            && let Side::Viewer(viewer) = &mut self.side
        {
            viewer.input_was_lost(now, out);
        }
        self.transmit(now, out);
    }

    pub(super) fn transmit(&mut self, now: Instant, out: &mut Outbox) {
        let round_trip = self.paths.round_trip();
        let acked = self.incoming.acked();
        while let Some(chosen) = self.paths.chosen_id() {
            let Some(batch) = self.outgoing.next_batch(round_trip, now) else { break };
            let reach = match batch.reach {
                Reach::ChosenPath => vec![chosen],
                Reach::EveryPath => self.paths.up_ids(),
            };
            for id in reach {
                self.paths.send(id, acked, batch.items.clone(), now, out);
            }
            self.acked_on(chosen);
        }
        self.acknowledge(now, out);
        for id in self.paths.beats_due(now) {
            self.paths.send(id, acked, self.outgoing.repeats(), now, out);
            self.acked_on(id);
        }
    }

    fn acked_on(&mut self, id: PathId) {
        if !self.incoming.was_repeated() && self.paths.chosen_id() == Some(id) {
            self.incoming.ack_sent();
        }
    }

    fn acknowledge(&mut self, now: Instant, out: &mut Outbox) {
        let repeated = self.incoming.was_repeated();
        if !repeated && self.incoming.ack_due().is_none_or(|due| now < due) {
            return;
        }
        let ids =
            if repeated { self.paths.up_ids() } else { self.paths.chosen_id().into_iter().collect() };
        for id in ids {
            self.paths.send(id, self.incoming.acked(), Vec::new(), now, out);
        }
        self.incoming.ack_sent();
    }
}
