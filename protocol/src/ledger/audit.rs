//! An auditor's work: whether a ledger is whole, without a key that opens it (S57, T64).
//!
//! Records stream through one at a time; of the tree one hash a level is kept. The first
//! thing that does not hold is named with its record. Who holds a checkpoint of another
//! day hands it in, and a fork or a rollback shows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, NoteRefused};
use super::decree::RootsWord;
use super::keys::Envelope;
use super::record::Row;
use super::tree::{Frontier, Hash};
use super::wire::StoredRow;
use crate::blob::Blob;
use crate::bundle::Bundle;
use crate::dsse::Document;
use crate::ids::{DeviceKey, Digest, TenantId};
use crate::keys;
use crate::message::{self, MalformedMessage};

/// How an exported ledger begins; the rest is [`Item`]s, each after its length in four bytes.
pub const EXPORT_MAGIC: &[u8] = b"TASUKI-LEDGER-2\n";
/// The most bytes of one item of an export.
pub const MAX_ITEM_BYTES: usize = 256 * 1024;

/// The leaf that stands before the first record.
pub const NOTHING_BEFORE: Hash = Digest([0; 32]);

/// One piece of an exported ledger, in the order in which an auditor needs them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    Header(Header),
    Tombstone(Blob),
    /// Stands before the first row that names it.
    Key(Envelope),
    Record(StoredRow),
    /// Stands behind the record that it ends with.
    Checkpoint(String),
    /// A signed [`Acknowledgement`]; before any record.
    Acknowledgement(Blob),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The tenant's signed bundle: it names the keys that sign checkpoints.
    pub bundle: Blob,
    /// Wrapped log keys, as the server keeps them, so that the file can be read in ten years. The bundle
    /// signs for them: [`crate::bundle::Bundle::wrapped_log_keys`].
    pub wrapped: Vec<Blob>,
    /// The first record's number; 0 in a whole export.
    pub from: u64,
    /// The leaf before it.
    pub before: Hash,
}

impl Header {
    /// What of a whole ledger's head no record covers: the keys that open it, and that nothing is before it.
    ///
    /// # Errors
    /// [`Finding::WrappedKeys`], [`Finding::UnsignedKeys`], [`Finding::Head`].
    pub fn check(&self, bundle: &Bundle) -> Result<(), Finding> {
        let kept = keys::digest_of_wrapped(self.wrapped.iter().map(|key| key.0.as_slice()));
        match bundle.wrapped_log_keys {
            Some(signed) if signed != kept => return Err(Finding::WrappedKeys),
            None if !self.wrapped.is_empty() => return Err(Finding::UnsignedKeys),
            Some(_) | None => {}
        }
        if self.from == 0 && self.before != NOTHING_BEFORE { Err(Finding::Head) } else { Ok(()) }
    }
}

impl Item {
    /// With its length in front.
    pub fn frame(&self) -> Vec<u8> {
        let body = message::encode(self);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        [length.as_slice(), &body].concat()
    }

    /// # Errors
    /// Not one item, or too large.
    pub fn decode(bytes: &[u8]) -> Result<Self, MalformedMessage> {
        message::decode(bytes, MAX_ITEM_BYTES)
    }
}

/// The root key's word that records were removed on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    pub tenant: TenantId,
    /// Everything before this record.
    pub before: u64,
    /// The root of the tree of that size: no other ledger is meant.
    pub root: Hash,
    pub admin: String,
    pub reason: String,
    /// Unix seconds.
    pub at: u64,
}

impl Document for Tombstone {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.ledger-tombstone.v1+json";
}

/// The root key's word that an older ledger goes on in place of a newer one (F21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    pub tenant: TenantId,
    /// What clients had seen, at most.
    pub lost: u64,
    /// The ledger as it is taken on: size and root.
    pub size: u64,
    pub root: Hash,
    pub admin: String,
    pub reason: String,
    /// Unix seconds; what was seen later is not excused.
    pub at: u64,
}

impl Document for Acknowledgement {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.ledger-acknowledgement.v1+json";
}

/// What does not hold, with the first record that shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("record {expected} is missing, or stands elsewhere: record {found} follows instead")]
    OutOfOrder { expected: u64, found: u64 },
    #[error("record {0} was changed")]
    Changed(u64),
    #[error("one of the records {from} to {to} was changed, added or removed")]
    ChangedWithin { from: u64, to: u64 },
    #[error("record {0} was removed, and no signed tombstone says so")]
    Removed(u64),
    #[error("record {0} was removed, and the tombstone that says so is of nobody whose word counts")]
    Unexcused(u64),
    #[error("record {0} names a data key that is not there")]
    KeyMissing(u64),
    #[error("the records end at {have}, and a signed checkpoint counts {signed}")]
    Truncated { have: u64, signed: u64 },
    #[error("the ledger is another than the one whose checkpoint at record {0} is known")]
    Forked(u64),
    #[error("the checkpoint behind record {size} counts for nothing: {why}")]
    Checkpoint { size: u64, why: NoteRefused },
    #[error("records {from} to {to} stand behind the last signed checkpoint")]
    Unsigned { from: u64, to: u64 },
    #[error(
        "the wrapped log keys are others than those the organisation's bundle signs for: they were changed, or the server came back from an older backup (tasuki-admin key republish)"
    )]
    WrappedKeys,
    #[error(
        "the organisation's bundle is of before it signed for the wrapped log keys, so nobody vouches for these (tasuki-admin key rotate log signs for them)"
    )]
    UnsignedKeys,
    #[error(
        "the head of the file is damaged or was changed: get the file again, or export the ledger anew"
    )]
    Head,
    #[error("a tombstone was not signed by the tenant's root key, or is of another ledger")]
    Tombstone,
    #[error("what acknowledges a restore was changed")]
    Acknowledgement,
}

/// What was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub size: u64,
    pub root: Hash,
    pub checkpoints: u64,
    /// Records whose content was pruned.
    pub pruned: u64,
    pub newest: Option<Checkpoint>,
    /// Restores that the root key has acknowledged of this very ledger, in its order.
    pub restores: Vec<Acknowledgement>,
}

/// A verification under way.
#[derive(Debug)]
pub struct Auditor {
    tenant: TenantId,
    checkpoint_keys: Vec<DeviceKey>,
    word: RootsWord,
    frontier: Frontier,
    /// The size at the last checkpoint that held.
    signed: u64,
    keys: BTreeSet<Hash>,
    tombstones: BTreeMap<u64, Hash>,
    /// A tombstone was there of somebody whose word does not count.
    has_vain_stone: bool,
    /// By the sizes that they name.
    acknowledged: BTreeMap<u64, Vec<Acknowledgement>>,
    restores: Vec<Acknowledgement>,
    /// The size of the largest tree that a removal was excused by, and that must be passed through.
    leaned_on: Option<u64>,
    pruned: u64,
    witnessed: BTreeMap<u64, Hash>,
    checkpoints: u64,
    newest: Option<Checkpoint>,
}

impl Auditor {
    /// Trusts `checkpoint_keys` for checkpoints, `word` for tombstones and restores, nobody else.
    pub fn new(tenant: TenantId, checkpoint_keys: Vec<DeviceKey>, word: RootsWord) -> Self {
        Self {
            tenant,
            checkpoint_keys,
            word,
            frontier: Frontier::default(),
            signed: 0,
            keys: BTreeSet::new(),
            tombstones: BTreeMap::new(),
            has_vain_stone: false,
            acknowledged: BTreeMap::new(),
            restores: Vec::new(),
            leaned_on: None,
            pruned: 0,
            witnessed: BTreeMap::new(),
            checkpoints: 0,
            newest: None,
        }
    }

    /// A checkpoint that was kept elsewhere; the ledger must pass through it. Before any record.
    ///
    /// # Errors
    /// The note itself counts for nothing.
    pub fn witness(&mut self, note: &str) -> Result<(), Finding> {
        let known = self.opened(note)?;
        self.witness_kept(&known)
    }

    /// As [`Self::witness`], of a checkpoint that the verifier checked himself when he kept it.
    ///
    /// # Errors
    /// [`Finding::Forked`]: another of the same size was handed in.
    pub fn witness_kept(&mut self, known: &Checkpoint) -> Result<(), Finding> {
        match self.witnessed.insert(known.size, known.root) {
            Some(root) if root != known.root => Err(Finding::Forked(known.size)),
            Some(_) | None => Ok(()),
        }
    }

    /// One of a root whose word counts no more excuses nothing.
    ///
    /// # Errors
    /// [`Finding::Tombstone`]: nobody has signed it, or it is of another ledger.
    pub fn tombstone(&mut self, envelope: &[u8]) -> Result<(), Finding> {
        let opened = self.word.open::<Tombstone>(envelope).map_err(|_| Finding::Tombstone)?;
        let Some(stone) = opened else {
            self.has_vain_stone = true;
            return Ok(());
        };
        if stone.tenant != self.tenant {
            return Err(Finding::Tombstone);
        }
        self.tombstones.insert(stone.before, stone.root);
        Ok(())
    }

    /// Counts where this ledger has been what it says; before any record. One of another root, which a later one has
    /// taken the place of, or of records that are gone, excuses nothing here.
    ///
    /// # Errors
    /// [`Finding::Acknowledgement`]: nobody has signed it.
    pub fn acknowledgement(&mut self, envelope: &[u8]) -> Result<(), Finding> {
        let opened = self.word.open::<Acknowledgement>(envelope);
        let opened = opened.map_err(|_| Finding::Acknowledgement)?;
        if let Some(word) = opened.filter(|word| word.tenant == self.tenant) {
            let all = match word.size {
                0 => &mut self.restores,
                size => self.acknowledged.entry(size).or_default(),
            };
            // A file may have the same one any number of times.
            if !all.contains(&word) {
                all.push(word);
            }
        }
        Ok(())
    }

    pub fn key(&mut self, envelope: &Envelope) {
        self.keys.insert(envelope.digest());
    }

    /// The next record.
    ///
    /// # Errors
    /// The first thing that does not hold of it.
    pub fn record(&mut self, stored: &StoredRow) -> Result<(), Finding> {
        let seq = self.frontier.size();
        match &stored.row {
            Some(row) => self.check_row(seq, row, stored.leaf)?,
            None => {
                let stone = self.tombstones.range(seq.saturating_add(1)..).next();
                let Some((before, _)) = stone else { return Err(self.unexcused(seq)) };
                self.leaned_on = self.leaned_on.max(Some(*before));
                self.pruned += 1;
            }
        }
        self.frontier.push(stored.leaf, |_, _| {});
        self.pass()
    }

    fn unexcused(&self, seq: u64) -> Finding {
        if self.has_vain_stone { Finding::Unexcused(seq) } else { Finding::Removed(seq) }
    }

    fn check_row(&self, seq: u64, row: &Row, leaf: Hash) -> Result<(), Finding> {
        if row.place.seq != seq {
            return Err(Finding::OutOfOrder { expected: seq, found: row.place.seq });
        }
        if row.leaf(self.tenant) != leaf {
            return Err(Finding::Changed(seq));
        }
        if self.keys.contains(&row.key) { Ok(()) } else { Err(Finding::KeyMissing(seq)) }
    }

    /// Everything that is known of a tree of this size must be true of this one.
    fn pass(&mut self) -> Result<(), Finding> {
        let size = self.frontier.size();
        let known = self.witnessed.remove(&size);
        let stone = self.tombstones.get(&size).copied();
        let meant = self.acknowledged.remove(&size);
        if known.is_none() && stone.is_none() && meant.is_none() {
            return Ok(());
        }
        let root = self.frontier.root();
        self.restores.extend(meant.into_iter().flatten().filter(|word| word.root == root));
        if known.is_some_and(|known| known != root) {
            return Err(Finding::Forked(size));
        }
        if stone.is_some_and(|stone| stone != root) { Err(Finding::Tombstone) } else { Ok(()) }
    }

    /// A checkpoint of the ledger itself, of the size that was reached or an earlier one's
    /// that was passed already.
    ///
    /// # Errors
    /// [`Finding::Checkpoint`], [`Finding::Truncated`], [`Finding::ChangedWithin`].
    pub fn checkpoint(&mut self, note: &str) -> Result<(), Finding> {
        let checkpoint = self.opened(note)?;
        let have = self.frontier.size();
        if checkpoint.size > have {
            return Err(Finding::Truncated { have, signed: checkpoint.size });
        }
        if checkpoint.size < have || checkpoint.root != self.frontier.root() {
            let to = have.saturating_sub(1);
            return Err(Finding::ChangedWithin { from: self.signed.min(to), to });
        }
        self.signed = have;
        self.checkpoints += 1;
        self.newest = Some(checkpoint);
        Ok(())
    }

    /// # Errors
    /// Checkpoints that count more than there is, or records that none covers.
    pub fn finish(mut self) -> Result<Verified, Finding> {
        let size = self.frontier.size();
        if let Some((signed, _)) = self.witnessed.pop_last().filter(|(signed, _)| *signed > size) {
            return Err(Finding::Truncated { have: size, signed });
        }
        // A removal counts by a stone whose root this tree has had.
        if self.leaned_on.is_some_and(|before| before > size) {
            return Err(Finding::Tombstone);
        }
        if self.signed < size {
            return Err(Finding::Unsigned { from: self.signed, to: size - 1 });
        }
        Ok(Verified {
            size,
            root: self.frontier.root(),
            checkpoints: self.checkpoints,
            pruned: self.pruned,
            newest: self.newest,
            restores: self.restores,
        })
    }

    fn opened(&self, note: &str) -> Result<Checkpoint, Finding> {
        let size = self.frontier.size();
        Checkpoint::open(note, self.tenant, &self.checkpoint_keys)
            .map_err(|why| Finding::Checkpoint { size: size.saturating_sub(1), why })
    }
}
