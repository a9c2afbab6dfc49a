//! The one task that writes the ledger: one commit for all that has come meanwhile.
//!
//! A record and the row that it speaks of are on disk together or not at all, and only
//! then is anybody told (T65). What could not be written and nobody waits for is held
//! and written when the disk takes it again. It holds no key that opens a row (T63).

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use sqlx::{Sqlite, Transaction};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ledger::event::{Class, Entry, Event};
use tasuki_protocol::ledger::record::{FromEnd, Opened};
use tasuki_protocol::ledger::wire::{EndRow, MAX_END_NUMBER};
use tokio::sync::mpsc;

use super::clock;
use super::desk::Desk;
use super::ledger::{Job, Signed, Then, Unwritten, Work};
use super::ledger_rows::{insert, next_of_end, number, set_next_of_end};
use super::ledger_words::Words;
use super::store::{Store, insert_row};
use crate::core::ledger::{Book, CHECKPOINT_EVERY, Draft, Moment};
use crate::core::rooms::{Input, Outcome};

/// Jobs that one commit takes.
const BATCH: usize = 64;
/// Records that wait for a disk that takes nothing. More are counted, and the count is told.
const HELD: usize = 1024;
/// How often such a disk is tried.
const TRY_EVERY: Duration = Duration::from_secs(2);

/// The writer's own half.
#[derive(Debug)]
pub(crate) struct Scribe {
    pub(super) store: Store,
    pub(super) queue: mpsc::Receiver<Job>,
    pub(super) newest: Arc<RwLock<Option<Signed>>>,
    pub(super) checkpoint_key: SigningKey,
    /// `None` before the administrator has made a log key: nobody can sign in then.
    pub(super) book: Option<Book>,
    pub(super) held: VecDeque<Entry>,
    pub(super) missed: u64,
    pub(super) unsigned_since: Option<Instant>,
    pub(super) tried: Instant,
    pub(super) words: Words,
}

impl Scribe {
    pub(crate) async fn run(mut self, desk: Weak<Desk>) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            let due = self.due();
            let timer = async move {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                taken = self.queue.recv_many(&mut jobs, BATCH) => if taken == 0 { break },
                () = timer => {}
            }
            self.take(&mut jobs, &desk).await;
        }
        self.sign().await;
    }

    fn due(&self) -> Option<Instant> {
        let unsigned = self.unsigned_since.map(|since| since + CHECKPOINT_EVERY);
        let held = (!self.held.is_empty() || self.missed > 0).then(|| self.tried + TRY_EVERY);
        unsigned.into_iter().chain(held).min()
    }

    async fn take(&mut self, jobs: &mut Vec<Job>, desk: &Weak<Desk>) {
        let ends = jobs.iter().any(|job| match &job.work {
            Work::Row(_, entry) | Work::Record(entry) => entry.event.ends_something(),
            Work::Happened(_) | Work::End { .. } | Work::Decree { .. } => false,
        });
        let holds = !self.held.is_empty() || self.missed > 0;
        if !jobs.is_empty() || (holds && self.tried + TRY_EVERY <= Instant::now()) {
            self.tried = Instant::now();
            for job in jobs.iter_mut() {
                if let Work::Happened(event) = &job.work {
                    job.work = Work::Record(Box::new(self.words.entry(event, &self.store).await));
                }
            }
            let works: Vec<Work> = jobs.iter().map(|job| job.work.clone()).collect();
            let done = self.write(&works).await;
            if let Err(error) = &done {
                tracing::error!(%error, "the ledger cannot be written");
            }
            for (at, job) in jobs.drain(..).enumerate() {
                let done = done.as_ref().map_or(Err(Unwritten), |done| done[at]);
                self.tell(job, done, desk);
            }
        }
        let due = self.unsigned_since.is_some_and(|since| since + CHECKPOINT_EVERY <= Instant::now());
        if ends || due {
            self.sign().await;
        }
    }

    fn tell(&mut self, job: Job, done: Result<u64, Unwritten>, desk: &Weak<Desk>) {
        match job.then {
            Then::Nobody => {
                if let (Err(Unwritten), Work::Record(entry)) = (done, job.work) {
                    self.hold(*entry);
                }
            }
            Then::Room(write) => {
                let outcome = if done.is_ok() { Outcome::Durable } else { Outcome::Failed };
                if let Some(desk) = desk.upgrade() {
                    desk.turn(Input::Written { write, outcome });
                }
            }
            Then::Begins(session) => {
                if let (Err(Unwritten), Some(desk)) = (done, desk.upgrade()) {
                    desk.turn(Input::Unrecorded { session });
                }
            }
            // Who asked may have gone.
            Then::Tell(tell) => drop(tell.send(done)),
        }
    }

    fn hold(&mut self, entry: Entry) {
        if self.held.len() < HELD {
            self.held.push_back(entry);
        } else {
            self.missed += 1;
        }
    }

    /// One commit. For each work what its asker is told; all fail together if the disk does.
    async fn write(&mut self, works: &[Work]) -> Result<Vec<Result<u64, Unwritten>>, sqlx::Error> {
        let now = moment();
        let held = self.held.len().min(BATCH);
        let mut transaction = self.store.pool.begin_with("BEGIN IMMEDIATE").await?;
        let most = works.iter().map(Work::records).sum::<usize>() + held + 2;
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let mut draft = match &mut self.book {
            Some(book) => Some(book.draft(most, now).map_err(|_| sqlx::Error::WorkerCrashed)?),
            None => None,
        };
        if let Some(draft) = &mut draft {
            for entry in self.held.iter().take(held) {
                append(draft, entry).ok();
            }
            if self.missed > 0 {
                append(draft, &Entry::server(Event::Missed { count: self.missed })).ok();
            }
        }
        let mut done = Vec::with_capacity(works.len());
        for work in works {
            done.push(one(&mut transaction, draft.as_mut(), work).await?);
        }
        if let Some(draft) = &draft {
            insert(&mut transaction, &draft.writes).await?;
        }
        transaction.commit().await?;
        self.held.drain(..held);
        self.missed = 0;
        if let (Some(book), Some(draft)) = (&mut self.book, draft) {
            let before = book.size();
            book.commit(draft);
            if book.size() > before {
                self.unsigned_since.get_or_insert(now.instant);
            }
        }
        Ok(done)
    }

    /// A checkpoint over everything that is on disk.
    async fn sign(&mut self) {
        let Some(book) = self.book.as_ref().filter(|_| self.unsigned_since.is_some()) else { return };
        let checkpoint = book.checkpoint(moment());
        let note = checkpoint.sign(&self.checkpoint_key);
        match self.store.keep_note(checkpoint.size, &note).await {
            Ok(()) => {
                let signed = Signed { note, size: checkpoint.size };
                *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Some(signed);
                self.unsigned_since = None;
            }
            Err(error) => {
                tracing::error!(%error, "a checkpoint cannot be kept");
                self.unsigned_since = Some(Instant::now());
            }
        }
    }
}

impl Work {
    fn records(&self) -> usize {
        match self {
            Self::Row(..) | Self::Record(_) | Self::Happened(_) | Self::Decree { .. } => 1,
            Self::End { rows, .. } => rows.len(),
        }
    }
}

fn moment() -> Moment {
    Moment { instant: Instant::now(), unix_ms: clock::unix_ms() }
}

fn append(draft: &mut Draft, entry: &Entry) -> Result<u64, Unwritten> {
    let class = entry.event.class();
    draft.append(&Opened::Entry(entry.clone()), class).map(|_| 0).map_err(|_| Unwritten)
}

/// A record that is too large fails alone; a disk that fails fails all.
async fn one(
    transaction: &mut Transaction<'_, Sqlite>,
    mut draft: Option<&mut Draft>,
    work: &Work,
) -> Result<Result<u64, Unwritten>, sqlx::Error> {
    let record = |draft: &mut Option<&mut Draft>, entry: &Entry| match draft {
        Some(draft) => append(draft, entry),
        None => Ok(0),
    };
    match work {
        Work::Record(entry) => Ok(record(&mut draft, entry)),
        // Put into an entry's words before it came here.
        Work::Happened(_) => Ok(Err(Unwritten)),
        Work::Row(row, entry) => {
            let recorded = record(&mut draft, entry);
            if recorded.is_ok() {
                insert_row(transaction, row).await?;
            }
            Ok(recorded)
        }
        Work::Decree { kind, document, prune, entry } => {
            let recorded = record(&mut draft, entry);
            if recorded.is_ok() {
                decree(transaction, kind, document, *prune).await?;
            }
            Ok(recorded)
        }
        Work::End { session, role, rows } => {
            let Some(draft) = draft else { return Ok(Err(Unwritten)) };
            let mut next = next_of_end(&mut *transaction, *session, *role).await?;
            for EndRow { number, sealed } in rows {
                // Known already, or one between is missing: the answer says where to go on.
                if *number != next || next >= MAX_END_NUMBER {
                    continue;
                }
                let from_end =
                    FromEnd { session: *session, role: *role, number: *number, sealed: sealed.clone() };
                if draft.append(&Opened::FromEnd(from_end), Class::Content).is_err() {
                    break;
                }
                next += 1;
            }
            set_next_of_end(&mut *transaction, *session, *role, next).await?;
            Ok(Ok(next))
        }
    }
}

async fn decree(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: &str,
    document: &Blob,
    prune: Option<u64>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO ledger_decrees (kind, document) VALUES (?, ?)")
        .bind(kind.to_owned())
        .bind(document.0.clone())
        .execute(&mut **transaction)
        .await?;
    let Some(before) = prune else { return Ok(()) };
    sqlx::query("UPDATE ledger SET key = NULL, sealed = NULL WHERE seq < ?")
        .bind(number(before))
        .execute(&mut **transaction)
        .await?;
    let unused = "DELETE FROM ledger_keys WHERE digest NOT IN
         (SELECT DISTINCT key FROM ledger WHERE key IS NOT NULL)";
    sqlx::query(unused).execute(&mut **transaction).await.map(|_| ())
}
