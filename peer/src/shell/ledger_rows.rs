//! A session's records that wait to be sent, sealed when they are added.

use std::collections::VecDeque;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::follow::LedgerRefused;
use tasuki_protocol::ledger::record::seal_at_end;
use tasuki_protocol::ledger::wire::{EndRow, EndRows};
use tasuki_protocol::seed::Seed;

use super::ledger_delivery::first_of;
use super::ledger_desk::Desk;

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) ticket: Option<Blob>,
    pub(super) next: u64,
    pub(super) rows: VecDeque<EndRow>,
    /// The file's name, once there is a session, and whose records they are.
    pub(super) file: Option<String>,
    pub(super) of: Option<(SessionId, Role)>,
    pub(super) is_closed: bool,
    pub(super) told_refused: bool,
}

impl Rows {
    pub(super) fn add(&mut self, event: Event, (session, role): (SessionId, Role), desk: &Desk) {
        let by = match role {
            Role::Operator => Witness::Operator,
            Role::Agent => Witness::Agent,
        };
        let entry = Entry { by, session: Some(session), operator: None, event };
        let (bundle, number) = (&desk.trust.bundle, self.next);
        let mut fresh = [0; 32];
        let sealed = getrandom::fill(&mut fresh).ok().and_then(|()| {
            let (at, seed) = ((session, role, number), Seed::from_bytes(fresh));
            seal_at_end(&entry, at, &bundle.log_keys, bundle.tenant, &seed).ok()
        });
        let Some(sealed) = sealed else {
            return tracing::error!("a record of this session could not be sealed");
        };
        self.rows.push_back(EndRow { number, sealed });
        self.next += 1;
    }

    /// The ledger itself is told, once, that it is not the one known here (T67).
    pub(super) fn rolled_back(&mut self, refused: LedgerRefused, desk: &Desk) {
        tracing::error!(%refused, "the server's ledger");
        let (seen, found) = match refused {
            LedgerRefused::Older { known, found } => (known, found),
            LedgerRefused::Forked { known } => (known, known),
            LedgerRefused::Unsigned => (0, 0),
        };
        let of = self.of.filter(|_| !std::mem::replace(&mut self.told_refused, true));
        if let Some(of) = of {
            self.add(Event::LedgerRolledBack { seen, found }, of, desk);
        }
    }

    /// The first of what waits, as much as one delivery takes.
    pub(super) fn batch(&self) -> Option<EndRows> {
        let ticket = self.ticket.clone()?;
        let rows = first_of(&self.rows);
        (!rows.is_empty()).then_some(EndRows { ticket, known: 0, rows })
    }
}
