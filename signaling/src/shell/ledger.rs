//! The ledger as the rest of the server has it: records go in, checkpoints come out.
//!
//! What a record means is the core's matter, and the writing that of one task
//! ([`super::ledger_scribe`]); here nobody waits for a lock while a disk is slow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::MAX_EARLIER_DECREES;
use tasuki_protocol::ids::{DeviceKey, Role, SessionId, TenantId};
use tasuki_protocol::ledger::checkpoint::Checkpoint;
use tasuki_protocol::ledger::event::{Entry, Event as Happening};
use tasuki_protocol::ledger::wire::{CheckpointAnswer, EndRow, EndTicketKey};
use tasuki_protocol::log_key::LogPublicKey;
use tasuki_protocol::seed::Seed;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use super::acts::Step;
use super::clock;
use super::fault::Fault;
use super::ledger_scribe::Scribe;
use super::ledger_words::Words;
use super::names::Names;
use super::store::{Event, Store};
use super::store_copy::Restore;
use crate::core::ledger::Book;
use crate::core::rooms::{Row, WriteId};

/// Jobs that may wait for the database.
pub(super) const QUEUE: usize = 1024;

/// Something for the writer.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) then: Then,
}

#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// A row of the rooms, and the record of it, where there is one.
    Row(Row, Option<Box<Entry>>),
    /// Of one thing that happened. One commit, whose time does not tell how many they are (T52).
    Records(Vec<Entry>),
    /// As [`Self::Records`], in the words of the paths that saw it.
    Happened(Event),
    /// Rows, and the record of what they mean: all or nothing.
    Act { event: Event, steps: Vec<Step> },
    /// As [`Self::Act`], in the ledger's words.
    Acted { entry: Box<Entry>, steps: Vec<Step> },
    /// What one end sealed.
    End { session: SessionId, role: Role, rows: Vec<EndRow> },
    /// The bundle names other keys from now on.
    Keys { log_keys: Vec<LogPublicKey>, checkpoint_key: Option<Box<SigningKey>> },
    /// A document that the root key signed, with the record of it.
    Decree { kind: &'static str, document: Blob, prune: Option<u64>, entry: Box<Entry> },
    /// Nothing comes after this: what is unsigned is signed.
    Close,
}

impl Work {
    /// The most records that it takes.
    pub(super) fn records(&self) -> u64 {
        match self {
            Self::Row(_, entry) => u64::from(entry.is_some()),
            Self::Happened(_) | Self::Act { .. } | Self::Acted { .. } | Self::Decree { .. } => 1,
            Self::Records(entries) => entries.len() as u64,
            Self::End { rows, .. } => rows.len() as u64,
            Self::Keys { .. } | Self::Close => 0,
        }
    }
}

/// Who waits for the disk's word.
#[derive(Debug)]
pub(crate) enum Then {
    Nobody,
    Room(WriteId),
    /// A session that must not begin unrecorded.
    Begins(SessionId),
    /// Gives the next number of an end; the place from 1 of an act's step that would not be;
    /// else 0.
    Tell(oneshot::Sender<Result<u64, Unwritten>>),
}

/// Why nothing of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unwritten {
    /// Another time it may.
    #[error("the disk did not take it")]
    Disk,
    /// No later try helps.
    #[error("its record is too large")]
    TooLarge,
}

/// The ledger as the rest of the server sees it.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    jobs: mpsc::Sender<Job>,
    newest: Arc<RwLock<Option<Signed>>>,
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) tickets: EndTicketKey,
    names: Names,
    unsaid: Unsaid,
}

/// What found no room in the queue, or on the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unsaid {
    /// Records, until the writer takes up their number.
    records: Arc<AtomicU64>,
    /// Rows of sessions that are not as they should be, since the start.
    strays: Arc<AtomicU64>,
}

impl Unsaid {
    pub(super) fn take(&self) -> u64 {
        self.records.swap(0, Ordering::Relaxed)
    }

    pub(super) fn stray(&self) {
        self.strays.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    fn count(&self, job: &Job) {
        match &job.then {
            Then::Nobody => {
                if matches!(job.work, Work::Row(..)) {
                    self.stray();
                }
                self.records.fetch_add(job.work.records(), Ordering::Relaxed);
            }
            Then::Room(_) | Then::Begins(_) | Then::Tell(_) => {}
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) note: String,
    pub(crate) size: u64,
}

/// What a ledger is opened with.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) tenant: TenantId,
    pub(crate) log_keys: Vec<LogPublicKey>,
    pub(crate) checkpoint_key: SigningKey,
    pub(crate) ticket_seed: Seed,
    /// Opens account names, so that records name people.
    pub(crate) names: Names,
}

impl Ledger {
    pub(crate) async fn open(store: Store, opening: Opening) -> Result<(Self, Scribe), Fault> {
        let damaged = |_| Fault::DatabaseDamaged(std::path::PathBuf::from("ledger"));
        let (frontier, before) = store.ledger_end().await.map_err(damaged)?;
        let note = store.newest_note().await.map_err(damaged)?;
        let Opening { tenant, log_keys, checkpoint_key, ticket_seed, names } = opening;
        let own = DeviceKey(checkpoint_key.verifying_key().to_bytes());
        let signed = note.and_then(|note| {
            let size = Checkpoint::open(&note, tenant, &[own]).ok()?.size;
            Some(Signed { note, size })
        });
        let is_signed = signed.as_ref().map_or(0, |signed| signed.size) == frontier.size();
        let newest = Arc::new(RwLock::new(signed));
        let (jobs, queue) = mpsc::channel(QUEUE);
        let has_log_key = !log_keys.is_empty();
        let book = Book::new(tenant, log_keys, clock::seed()?, frontier, before);
        store.seal_decrees(&names).await.map_err(damaged)?;
        let tickets = EndTicketKey::new(&ticket_seed);
        let (of_ledger, own) = (store.clone(), names.clone());
        let newest_known = Arc::clone(&newest);
        let unsaid = Unsaid::default();
        let untold = unsaid.clone();
        let ledger =
            Self { jobs, newest: newest_known, store: of_ledger, tenant, tickets, names: own, unsaid };
        let scribe = Scribe {
            store,
            queue,
            newest,
            checkpoint_key,
            book,
            has_log_key,
            held: std::collections::VecDeque::new(),
            missed: 0,
            unsaid: untold,
            mended: 0,
            failing: false,
            journal_full: false,
            unsigned_since: (!is_signed).then(Instant::now),
            tried: Instant::now(),
            words: Words::new(names),
        };
        Ok((ledger, scribe))
    }

    /// False: the queue is full, and nothing will come of it. Where nobody is told, the ledger will say that
    /// something happened.
    pub(crate) fn put(&self, job: Job) -> bool {
        let put = self.jobs.try_send(job);
        if let Err(TrySendError::Full(job)) = &put {
            tracing::error!("more records wait for the disk than fit");
            self.unsaid.count(job);
        }
        put.is_ok()
    }

    /// Waits until the writer's queue has room for so many; where it is gone, nothing is written anyway.
    pub(crate) async fn until_room_for(&self, jobs: usize) {
        self.jobs.reserve_many(jobs).await.map(drop).ok();
    }

    /// Waits until the record is on disk.
    pub(crate) async fn append(&self, entry: Entry) -> Result<(), Unwritten> {
        self.ask(Work::Records(vec![entry])).await.map(|_| ())
    }

    /// A ledger that cannot be written starts no session; it keeps no server from running.
    async fn note(&self, event: Happening) {
        if let Err(why) = self.append(Entry::server(event)).await {
            tracing::error!(%why, "the ledger took no record of the server's start or stop");
        }
    }

    /// The server starts, from a backup perhaps (T67).
    pub(crate) async fn begin(&self) {
        for Restore { row, backup_at, size } in self.store.restores().await.unwrap_or_default() {
            let told = self.append(Entry::server(Happening::Restored { size, backup_at })).await;
            if told.is_ok() {
                self.store.restore_is_told(row).await.ok();
            }
        }
        // The server was killed between the first bundle and the record of it.
        if self.store.lacks_beginning().await.unwrap_or_default() {
            self.tell_of_beginning().await.ok();
        }
        self.tell_of_all().await.ok();
        self.note(Happening::ServerStarted { version: env!("CARGO_PKG_VERSION").to_owned() }).await;
    }

    /// The server stops; afterwards nothing is written any more.
    pub(crate) async fn close(&self) {
        self.note(Happening::ServerStopped).await;
        self.ask(Work::Close).await.ok();
    }

    pub(crate) async fn ask(&self, work: Work) -> Result<u64, Unwritten> {
        let (tell, told) = oneshot::channel();
        if !self.put(Job { work, then: Then::Tell(tell) }) {
            return Err(Unwritten::Disk);
        }
        told.await.unwrap_or(Err(Unwritten::Disk))
    }

    /// Waits until records are sealed and signed under these keys, however much stands before it.
    /// An error: the writer is gone, and the next start takes them from the bundle.
    pub(crate) async fn change_keys(
        &self,
        log_keys: Vec<LogPublicKey>,
        checkpoint_key: Option<Box<SigningKey>>,
    ) -> Result<(), Unwritten> {
        let (tell, told) = oneshot::channel();
        let job = Job { work: Work::Keys { log_keys, checkpoint_key }, then: Then::Tell(tell) };
        self.jobs.send(job).await.map_err(|_| Unwritten::Disk)?;
        told.await.unwrap_or(Err(Unwritten::Disk)).map(|_| ())
    }

    pub(crate) fn newest(&self) -> Option<Signed> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the root key said, in the order in which it came.
    pub(crate) async fn decrees(&self, kind: &str) -> Result<Vec<Blob>, sqlx::Error> {
        self.store.decrees(kind, &self.names).await
    }

    /// The newest checkpoint for somebody who knows one of `known` records.
    pub(crate) async fn answer(&self, known: u64) -> Result<CheckpointAnswer, sqlx::Error> {
        let newest = self.newest();
        let size = newest.as_ref().map_or(0, |signed| signed.size);
        let proof = self.store.consistency(known, size).await?;
        let mut acknowledgements = self.decrees("acknowledgement").await?;
        // The newest, as a new root signs for them.
        acknowledgements.drain(..acknowledgements.len().saturating_sub(MAX_EARLIER_DECREES / 2));
        Ok(CheckpointAnswer { note: newest.map(|signed| signed.note), proof, acknowledgements })
    }
}
