//! The end, local first: the desktop is let go before anybody is told, and
//! before any path is closed (S31, T32). What follows is the receipt's.

use std::time::{Duration, Instant};

use tasuki_protocol::message::{Either, EndReason, EndToEnd, Numbered, SessionMessage};

use super::{Life, Session, Side};
use crate::core::io::{EndedBy, SessionEvent};
use crate::core::outbox::Outbox;

/// The last packet is repeated: a path that is being closed repeats nothing.
const LAST_WORDS: usize = 3;
/// Where the server ended the session, the other end hears that from the server, which alone can say why (T17); from
/// this one only if it has heard nothing by then.
const SERVERS_TURN: Duration = Duration::from_secs(1);

impl Session {
    pub(super) fn end(
        &mut self,
        reason: EndReason,
        by: EndedBy,
        now: Instant,
        out: &mut Outbox,
    ) -> Life {
        if let Side::Host(host) = &mut self.side {
            host.stop(out);
        }
        out.tell(SessionEvent::Ended { reason, by });
        match by {
            EndedBy::OtherEnd => self.begin_parting(reason, by, None, now, out),
            EndedBy::Server if self.can_part(reason) => {
                self.begin_parting(reason, by, Some(now + SERVERS_TURN), now, out)
            }
            EndedBy::ThisEnd | EndedBy::Server => {
                self.tell_other_end(reason, now, out);
                self.begin_parting(reason, by, None, now, out)
            }
        }
    }

    pub(super) fn tell_other_end(&mut self, reason: EndReason, now: Instant, out: &mut Outbox) {
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
