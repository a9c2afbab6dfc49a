//! The end, local first: the desktop is let go before anybody is told, and
//! before any path is closed (S31, T32).

use std::time::Instant;

use tasuki_protocol::message::{Either, EndReason, EndToEnd, Numbered, SessionMessage};

use super::{Session, Side};
use crate::core::io::EndedBy;
use crate::core::outbox::Outbox;
use crate::core::path::PathCommand;

/// The last packet is repeated: a path that is being closed repeats nothing.
const LAST_WORDS: usize = 3;

impl Session {
    pub(super) fn end(&mut self, reason: EndReason, by: EndedBy, now: Instant, out: &mut Outbox) {
        if let Side::Host(host) = &mut self.side {
            host.stop(out);
        }
        match by {
            EndedBy::OtherEnd => {}
            EndedBy::ThisEnd | EndedBy::Server => self.tell_other_end(reason, now, out),
        }
        for id in self.paths.all_ids() {
            out.path(id, PathCommand::Close);
        }
        self.line.close(out);
    }

    fn tell_other_end(&mut self, reason: EndReason, now: Instant, out: &mut Outbox) {
        let items: Vec<Numbered> =
            self.outgoing.last_words(SessionMessage::Either(Either::End(reason)), now);
        let acked = self.incoming.acked();
        for id in self.paths.up_ids() {
            for _ in 0..LAST_WORDS {
                self.paths.send(id, acked, items.clone(), now, out);
            }
        }
        self.line.say(EndToEnd::End(reason), out);
    }
}
