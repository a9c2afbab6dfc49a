//! The ledger's pen: which number a record gets, which key seals it, and when a key is
//! thrown away.
//!
//! A draft holds what one commit will hold. It counts only once the shell has it on
//! disk; after a commit that failed, the key is never used again, because the bytes
//! that failed may lie on the disk under the same nonce (threats B6). It can write
//! and prove, and never reads: no log key's private half comes here (T63).

use std::time::{Duration, Instant};

use tasuki_protocol::ids::{Digest, TenantId};
use tasuki_protocol::ledger::checkpoint::Checkpoint;
use tasuki_protocol::ledger::event::{Class, Entry, Event};
use tasuki_protocol::ledger::keys::{DataKey, Envelope};
use tasuki_protocol::ledger::record::{Opened, Place, Row, seal};
use tasuki_protocol::ledger::tree::{Frontier, Hash, Subtree};
use tasuki_protocol::log_key::LogPublicKey;
use tasuki_protocol::seed::Seed;

/// How long one data key seals rows.
pub const KEY_LIFETIME: Duration = Duration::from_secs(600);
/// How many rows it seals.
pub const KEY_ROWS: u64 = 1000;
/// A checkpoint follows a record after this at the latest.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// A wall clock that disagrees with the time that passed by more is noted (F12).
const STEP_MS: u64 = 5_000;
/// What the first record stands after.
pub const NOTHING_BEFORE: Hash = Digest([0; 32]);

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub instant: Instant,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// Something that a commit must store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    Key(Hash, Envelope),
    Row(Row, Hash),
    Node(Subtree, Hash),
}

/// Why a record cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    #[error("there is no log key to seal the record to")]
    NoKey,
    #[error("the record is too large")]
    TooLarge,
}

/// The pen of one log.
#[derive(Debug)]
pub struct Book {
    tenant: TenantId,
    recipients: Vec<LogPublicKey>,
    /// What the next key grows from, and none before: whoever reads it later opens nothing older (T63).
    seed: Seed,
    frontier: Frontier,
    before: Hash,
    current: Option<Current>,
    last: Option<Moment>,
}

#[derive(Debug, Clone)]
struct Current {
    key: DataKey,
    digest: Hash,
    made: Instant,
    rows: u64,
}

/// How far a draft had come.
#[derive(Debug, Clone)]
pub struct Mark {
    frontier: Frontier,
    before: Hash,
    rows: u64,
    writes: usize,
}

/// What one commit adds.
#[derive(Debug)]
pub struct Draft {
    frontier: Frontier,
    before: Hash,
    current: Current,
    at: Moment,
    tenant: TenantId,
    pub writes: Vec<Write>,
}

impl Book {
    /// `seed` was never used before; `before` is the last record's leaf.
    pub fn new(
        tenant: TenantId,
        recipients: Vec<LogPublicKey>,
        seed: Seed,
        frontier: Frontier,
        before: Hash,
    ) -> Self {
        Self { tenant, recipients, seed, frontier, before, current: None, last: None }
    }

    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The next draft is sealed to these, under a key of its own. What was sealed before stays
    /// sealed as it was.
    pub fn seal_to(&mut self, recipients: Vec<LogPublicKey>) {
        self.recipients = recipients;
        self.current = None;
    }

    /// Room for `records` more, under a key that is still good. A clock that stepped since
    /// the last draft is the first thing in it.
    ///
    /// # Errors
    /// [`Unwritable::NoKey`].
    pub fn draft(&mut self, records: u64, now: Moment) -> Result<Draft, Unwritable> {
        let step = self.last.and_then(|last| stepped(last, now));
        self.last = Some(now);
        let mut writes = Vec::new();
        let good = self.current.take().filter(|current| {
            let young = now.instant.saturating_duration_since(current.made) < KEY_LIFETIME;
            young && current.rows + records < KEY_ROWS
        });
        let current = match good {
            Some(current) => current,
            None => {
                let seed = self.next_seed();
                let key = DataKey::new(&seed);
                let envelope = key.seal(&self.recipients, self.tenant, &seed);
                let envelope = envelope.map_err(|_| Unwritable::NoKey)?;
                let digest = envelope.digest();
                writes.push(Write::Key(digest, envelope));
                Current { key, digest, made: now.instant, rows: 0 }
            }
        };
        let mut draft = Draft {
            frontier: self.frontier.clone(),
            before: self.before,
            current,
            at: now,
            tenant: self.tenant,
            writes,
        };
        if let Some(by_ms) = step {
            draft
                .append(&Opened::Entry(Entry::server(Event::ClockStepped { by_ms })), Class::Server)?;
        }
        Ok(draft)
    }

    /// Nobody makes it once more from what is held afterwards (T63).
    fn next_seed(&mut self) -> Seed {
        let seed = self.seed.child("key");
        self.seed = self.seed.child("next");
        seed
    }

    /// The draft is on disk.
    pub fn commit(&mut self, draft: Draft) {
        self.frontier = draft.frontier;
        self.before = draft.before;
        self.current = Some(draft.current);
    }

    /// What the ledger is now, for signing.
    pub fn checkpoint(&self, now: Moment) -> Checkpoint {
        let root = self.frontier.root();
        Checkpoint { tenant: self.tenant, size: self.size(), root, at: now.unix_ms / 1000 }
    }
}

impl Draft {
    /// Gives the record's number.
    ///
    /// # Errors
    /// [`Unwritable::TooLarge`]; nothing was added then.
    pub fn append(&mut self, opened: &Opened, class: Class) -> Result<u64, Unwritable> {
        let seq = self.frontier.size();
        let place = Place { seq, at: self.at.unix_ms, class };
        let Current { key, digest, .. } = &self.current;
        let row = seal(opened, place, self.before, key, *digest, self.tenant);
        let row = row.map_err(|_| Unwritable::TooLarge)?;
        let leaf = row.leaf(self.tenant);
        self.writes.push(Write::Row(row, leaf));
        let writes = &mut self.writes;
        self.frontier.push(leaf, |at, hash| writes.push(Write::Node(at, hash)));
        self.before = leaf;
        self.current.rows += 1;
        Ok(seq)
    }

    pub fn mark(&self) -> Mark {
        let (rows, writes) = (self.current.rows, self.writes.len());
        Mark { frontier: self.frontier.clone(), before: self.before, rows, writes }
    }

    /// Forgets what was appended since, for as long as none of it is on its way to a disk: the
    /// next record takes its place, and its nonce.
    pub fn rewind(&mut self, mark: Mark) {
        let Mark { frontier, before, rows, writes } = mark;
        self.frontier = frontier;
        self.before = before;
        self.current.rows = rows;
        self.writes.truncate(writes);
    }
}

/// By how much the wall clock moved beyond the time that passed, in milliseconds.
fn stepped(last: Moment, now: Moment) -> Option<i64> {
    let passed = now.instant.saturating_duration_since(last.instant).as_millis();
    let expected = u128::from(last.unix_ms) + passed;
    let by = i128::from(now.unix_ms) - i128::try_from(expected).unwrap_or(i128::MAX);
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    (by.unsigned_abs() > STEP_MS).then_some(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T63, threats B6: a key that was thrown away cannot be made once more from what is held since.
    #[test]
    fn t63_what_a_data_key_grew_from_is_gone_once_it_is_made() {
        let (tenant, seed) = (TenantId([1; 8]), Seed::from_bytes([3; 32]));
        let mut book = Book::new(tenant, Vec::new(), seed, Frontier::default(), NOTHING_BEFORE);
        let mut seen = vec![book.seed.derive::<32>("a key")];
        for _ in 0..3 {
            let made = book.next_seed();
            for seed in [&made, &book.seed] {
                let grown = seed.derive("a key");
                assert!(!seen.contains(&grown), "an earlier seed is still there");
                seen.push(grown);
            }
        }
    }
}
