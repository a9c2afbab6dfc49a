//! Where a ledger comes from: a server that shows it to an administrator, or an exported file.
//!
//! Both give the same items in the same order, so that whatever verifies or opens one does so
//! with the other.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::BUNDLE_FILE;
use tasuki_protocol::keys::{LOG_KEYS_PATH, WrappedLogKeys};
use tasuki_protocol::ledger::audit::{Header, Item};
use tasuki_protocol::ledger::wire::{
    LedgerOpened, MAX_PAGE, OPEN_LEDGER_PATH, OpenLedger, READ_ROWS_PATH, ReadRows, RowsPage,
};
use tasuki_protocol::ledger::words::ReadPurpose;
use tasuki_protocol::signal;

use super::export::Import;
use super::fault::AuditFault;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::profile::Profile;

/// A ledger under way, item by item; the header comes first.
#[derive(Debug)]
pub enum Source<'a> {
    File(Box<Import>),
    Server(Box<Pages<'a>>),
}

/// What a server has of it.
#[derive(Debug)]
pub struct Pages<'a> {
    desk: &'a Desk,
    opened: LedgerOpened,
    next: u64,
    ready: VecDeque<Item>,
}

impl<'a> Source<'a> {
    /// # Errors
    /// [`AuditFault`].
    pub fn file(file: &Path) -> Result<Self, Fault> {
        Ok(Self::File(Box::new(Import::open(file)?)))
    }

    /// The records from `from` on; the server writes down that they are read (S56).
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or has no checkpoint yet.
    pub async fn server(desk: &'a Desk, purpose: ReadPurpose, from: u64) -> Result<Self, Fault> {
        let ask = OpenLedger { purpose, from, to: u64::MAX };
        let opened: LedgerOpened = desk.post(OPEN_LEDGER_PATH, &ask).await?;
        // More than was asked for takes nothing away; less is not what it is called.
        if opened.from > from {
            return Err(AuditFault::Partial(opened.from).into());
        }
        let wrapped: WrappedLogKeys = desk.fetch(LOG_KEYS_PATH).await?;
        let wrapped = wrapped.log_keys.iter().map(|key| Blob(signal::encode(key).into_bytes()));
        let header = Header {
            bundle: Blob(envelope(&desk.profile)?),
            wrapped: wrapped.collect(),
            from: opened.from,
            before: opened.before,
        };
        let stones = opened.tombstones.iter().cloned().map(Item::Tombstone);
        let restores = opened.acknowledgements.iter().cloned().map(Item::Acknowledgement);
        let ready = std::iter::once(Item::Header(header)).chain(stones).chain(restores).collect();
        Ok(Self::Server(Box::new(Pages { desk, next: opened.from, opened, ready })))
    }

    /// # Errors
    /// The file or the server.
    pub async fn item(&mut self) -> Result<Option<Item>, Fault> {
        match self {
            Self::File(import) => Ok(import.item()?),
            Self::Server(pages) => pages.item().await,
        }
    }
}

impl Pages<'_> {
    async fn item(&mut self) -> Result<Option<Item>, Fault> {
        if self.ready.is_empty() && self.next < self.opened.to {
            let ask = ReadRows {
                reading: self.opened.reading.clone(),
                from: self.next,
                count: MAX_PAGE.min(self.opened.to - self.next),
            };
            let page: RowsPage = self.desk.post(READ_ROWS_PATH, &ask).await?;
            if page.rows.is_empty() || page.rows.len() as u64 > ask.count {
                // Less than it has signed.
                return Err(AuditFault::Short { have: self.next, signed: self.opened.to }.into());
            }
            self.take(page);
        }
        Ok(self.ready.pop_front())
    }

    fn take(&mut self, page: RowsPage) {
        self.ready.extend(page.keys.into_iter().map(Item::Key));
        let mut notes = page.notes.into_iter().peekable();
        for row in page.rows {
            self.next += 1;
            self.ready.push_back(Item::Record(row));
            while let Some(note) = notes.next_if(|note| size_of(note) <= Some(self.next)) {
                self.ready.push_back(Item::Checkpoint(note));
            }
        }
        self.ready.extend(notes.map(Item::Checkpoint));
    }
}

/// As the note says, unsigned or not; the auditor looks at it again.
fn size_of(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The signed bundle of this profile, as it is kept.
fn envelope(profile: &Profile) -> Result<Vec<u8>, Fault> {
    let file = profile.folder().join(BUNDLE_FILE);
    let bytes = std::fs::read(&file).map_err(|_| Fault::NoBundle(file))?;
    Ok(bytes.trim_ascii().to_vec())
}
