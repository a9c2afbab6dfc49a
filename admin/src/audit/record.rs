//! One record after it was opened, and the opening of them in their order.

use std::collections::HashMap;

use tasuki_protocol::ids::{Role, SessionId, TenantId};
use tasuki_protocol::ledger::event::{Class, Entry, Event, Witness};
use tasuki_protocol::ledger::keys::{DataKey, Envelope};
use tasuki_protocol::ledger::record::{Opened, Row, RowRefused, open};
use tasuki_protocol::ledger::tree::Hash;
use tasuki_protocol::ledger::wire::StoredRow;
use tasuki_protocol::log_key::LogSecretKey;

/// A record as the administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub seq: u64,
    /// Milliseconds since 1970; 0 for a pruned one.
    pub at: u64,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Entry(Entry),
    /// Content that cannot be read, and why.
    Closed(Class, RowRefused),
    /// Its content was pruned.
    Pruned,
}

impl Record {
    pub fn entry(&self) -> Option<&Entry> {
        match &self.body {
            Body::Entry(entry) => Some(entry),
            Body::Closed(..) | Body::Pruned => None,
        }
    }

    pub fn class(&self) -> Option<Class> {
        match &self.body {
            Body::Entry(entry) => Some(entry.event.class()),
            Body::Closed(class, _) => Some(*class),
            Body::Pruned => None,
        }
    }
}

/// Opens records one after another.
#[derive(Debug)]
pub struct Opener {
    tenant: TenantId,
    secrets: Vec<LogSecretKey>,
    keys: HashMap<Hash, Option<DataKey>>,
    before: Hash,
    next: u64,
    /// The next number of each end, so that a gap shows.
    ends: HashMap<(SessionId, Role), u64>,
    pub gaps: Vec<Gap>,
}

/// An end's records before this one are missing: held back, or never delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub seq: u64,
    pub session: SessionId,
    pub missing: u64,
}

impl Opener {
    /// From record `from`, which stands behind the leaf `before`.
    pub fn new(tenant: TenantId, secrets: Vec<LogSecretKey>, from: u64, before: Hash) -> Self {
        Self {
            tenant,
            secrets,
            keys: HashMap::new(),
            before,
            next: from,
            ends: HashMap::new(),
            gaps: Vec::new(),
        }
    }

    pub fn key(&mut self, envelope: &Envelope) {
        let Self { secrets, tenant, keys, .. } = self;
        let open = || secrets.iter().find_map(|secret| envelope.open(secret, *tenant).ok());
        keys.entry(envelope.digest()).or_insert_with(open);
    }

    /// The next record. Its leaf is believed; who wants to know verifies.
    pub fn record(&mut self, stored: &StoredRow) -> Record {
        let seq = self.next;
        self.next += 1;
        let before = std::mem::replace(&mut self.before, stored.leaf);
        let Some(row) = &stored.row else { return Record { seq, at: 0, body: Body::Pruned } };
        let body = match self.open(row, before, seq) {
            Ok(entry) => Body::Entry(entry),
            Err(refused) => Body::Closed(row.place.class, refused),
        };
        Record { seq, at: row.place.at, body }
    }

    fn open(&mut self, row: &Row, before: Hash, seq: u64) -> Result<Entry, RowRefused> {
        if row.place.seq != seq {
            return Err(RowRefused::Altered);
        }
        let key = self.keys.get(&row.key).and_then(Option::as_ref).ok_or(RowRefused::OtherKey)?;
        match open(row, before, key, self.tenant)? {
            Opened::Entry(entry) => Ok(entry),
            Opened::FromEnd(from_end) => {
                let next = self.ends.entry((from_end.session, from_end.role)).or_default();
                if from_end.number > *next {
                    let missing = from_end.number - *next;
                    self.gaps.push(Gap { seq, session: from_end.session, missing });
                }
                *next = from_end.number + 1;
                let opened = self.secrets.iter().map(|secret| from_end.open(secret, self.tenant));
                let opened =
                    opened.reduce(|one, other| one.or(other)).unwrap_or(Err(RowRefused::OtherKey));
                // Who says it of which session is taken from the seal, not from the content.
                let by = match from_end.role {
                    Role::Operator => Witness::Operator,
                    Role::Agent => Witness::Agent,
                };
                let session = Some(from_end.session);
                let entry = Entry { session, by, operator: None, ..opened? };
                if may_come_from_an_end(&entry.event) { Ok(entry) } else { Err(RowRefused::Malformed) }
            }
        }
    }
}

/// An end cannot witness what only the server sees, such as a sign-in.
fn may_come_from_an_end(event: &Event) -> bool {
    event.class() == Class::Content || matches!(event, Event::Missed { .. })
}
