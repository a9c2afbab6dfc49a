//! The one task that writes the ledger: one commit for all that has come meanwhile.
//!
//! A record and the row that it speaks of are on disk together or not at all, and only
//! then is anybody told (T65). What could not be written and nobody waits for is held
//! and written when the disk takes it again; what never can be is counted, and the ledger says
//! how much that was. It holds no key that opens a row (T63).

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use sqlx::{Acquire as _, Sqlite, Transaction};
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::record::Opened;
use tasuki_protocol::log_key::LogPublicKey;
use tokio::sync::mpsc;

use super::acts;
use super::clock;
use super::desk::Desk;
use super::kept::put_right;
use super::ledger::{Job, QUEUE, Signed, Then, Unsaid, Unwritten, Work};
use super::ledger_decrees::decree;
use super::ledger_rows::{deliver, insert};
use super::ledger_words::{Words, may_go_unrecorded};
use super::names::Names;
use super::store::{Store, insert_row, probe};
use crate::core::ledger::{Book, CHECKPOINT_EVERY, Draft, Moment};
use crate::core::rooms::{Input, Outcome};

/// Jobs that one commit takes; after one that failed the next takes all, so that nobody waits for three (F4).
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
    pub(super) book: Book,
    /// False before the administrator has made one: nothing is written or done but what leads there.
    pub(super) has_log_key: bool,
    pub(super) held: VecDeque<Entry>,
    pub(super) missed: u64,
    pub(super) unsaid: Unsaid,
    /// How many of its strays are set right.
    pub(super) mended: u64,
    /// The disk did not take the last commit, nor would it a signature: tried again, so that it is known when it does.
    pub(super) failing: bool,
    pub(super) unsigned_since: Option<Instant>,
    pub(super) tried: Instant,
    /// What was pruned stands in the journal still (S95).
    pub(super) journal_full: bool,
    pub(super) words: Words,
}

impl Scribe {
    pub(crate) async fn run(mut self, desk: Weak<Desk>) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            let due = self.due();
            let most = if self.failing { QUEUE } else { BATCH };
            let timer = async move {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                taken = self.queue.recv_many(&mut jobs, most) => if taken == 0 { break },
                () = timer => {}
            }
            let last = jobs.iter().any(|job| matches!(job.work, Work::Close));
            self.take(&mut jobs, &desk).await;
            if last {
                break;
            }
        }
        self.write_held(&desk).await;
        self.sign().await;
    }

    fn due(&self) -> Option<Instant> {
        let since = self.unsigned_since.filter(|_| !self.failing);
        let unsigned = since.map(|since| since + CHECKPOINT_EVERY);
        let again = self.owes().then(|| self.tried + TRY_EVERY);
        unsigned.into_iter().chain(again).min()
    }

    fn owes(&self) -> bool {
        let unsaid = !self.held.is_empty() || self.missed > 0 || self.mended < self.unsaid.strays();
        self.failing || unsaid || self.journal_full
    }

    async fn take(&mut self, jobs: &mut Vec<Job>, desk: &Weak<Desk>) {
        let ends = jobs.iter().any(|job| match &job.work {
            Work::Records(entries) => entries.iter().any(|entry| entry.event.ends_something()),
            Work::Row(_, entry) => entry.as_ref().is_some_and(|entry| entry.event.ends_something()),
            Work::Close => true,
            Work::Happened(_)
            | Work::Act { .. }
            | Work::Acted { .. }
            | Work::End { .. }
            | Work::Keys { .. }
            | Work::Decree { .. } => false,
        });
        let mut closing = Vec::new();
        if !jobs.is_empty() || (self.owes() && self.tried + TRY_EVERY <= Instant::now()) {
            self.tried = Instant::now();
            for job in jobs.iter_mut() {
                self.reword(&mut job.work).await;
            }
            self.missed += self.unsaid.take();
            let works: Vec<Work> = jobs.iter().map(|job| job.work.clone()).collect();
            let done = self.write(&works, desk).await;
            self.failing = done.is_err();
            desk.upgrade().inspect(|desk| desk.told_by_writer(done.as_ref().err()));
            if let Err(error) = &done {
                tracing::error!(%error, "the ledger cannot be written");
            }
            for (at, job) in jobs.drain(..).enumerate() {
                let done = done.as_ref().map_or(Err(Unwritten::Disk), |done| done[at]);
                match job.work {
                    Work::Close => closing.push((job, done)),
                    // In use from here on, whatever the disk took of the others.
                    Work::Keys { .. } => self.tell(job, Ok(0), desk),
                    Work::Row(..)
                    | Work::Records(_)
                    | Work::Happened(_)
                    | Work::Act { .. }
                    | Work::Acted { .. }
                    | Work::End { .. }
                    | Work::Decree { .. } => self.tell(job, done, desk),
                }
            }
        }
        if !closing.is_empty() {
            self.write_held(desk).await;
        }
        let due = self.unsigned_since.is_some_and(|since| since + CHECKPOINT_EVERY <= Instant::now());
        // Who keeps the first checkpoint has something to hold the ledger to; without one nobody reads.
        let is_first = self.newest.read().unwrap_or_else(PoisonError::into_inner).is_none();
        if !self.failing && (ends || due || is_first) {
            self.sign().await;
        }
        // Whoever closes the files waits for the signature, too.
        for (job, done) in closing {
            self.tell(job, done, desk);
        }
    }

    /// What is still held when the server stops.
    async fn write_held(&mut self, desk: &Weak<Desk>) {
        while !self.held.is_empty() || self.missed > 0 {
            if let Err(error) = self.write(&[], desk).await {
                let lost = self.held.len() as u64 + self.missed;
                return tracing::error!(%error, lost, "the ledger lacks what could not be written");
            }
        }
    }

    /// Puts what the paths saw into the ledger's words; other keys count from here on.
    async fn reword(&mut self, work: &mut Work) {
        match work {
            Work::Happened(event) => {
                *work = Work::Records(vec![self.words.entry(event, &self.store).await]);
            }
            Work::Act { event, steps } => {
                let entry = Box::new(self.words.entry(event, &self.store).await);
                *work = Work::Acted { entry, steps: std::mem::take(steps) };
            }
            Work::Keys { log_keys, checkpoint_key } => {
                self.change_keys(std::mem::take(log_keys), checkpoint_key.take());
            }
            Work::Row(..)
            | Work::Records(_)
            | Work::Acted { .. }
            | Work::End { .. }
            | Work::Decree { .. }
            | Work::Close => {}
        }
    }

    /// What was sealed or signed under the old keys stays good under them. Nothing here can fail:
    /// whoever changed the keys may be told that they are in use.
    fn change_keys(&mut self, log_keys: Vec<LogPublicKey>, checkpoint_key: Option<Box<SigningKey>>) {
        if let Some(key) = checkpoint_key {
            self.checkpoint_key = *key;
        }
        self.book.seal_to(log_keys);
        self.has_log_key = true;
    }

    fn tell(&mut self, job: Job, done: Result<u64, Unwritten>, desk: &Weak<Desk>) {
        match job.then {
            Then::Nobody => {
                if let (Err(_), Work::Row(..)) = (done, &job.work) {
                    self.unsaid.stray();
                }
                match (done, job.work) {
                    (Err(Unwritten::Disk), Work::Row(_, Some(entry))) => self.hold(*entry, desk),
                    (Err(Unwritten::Disk), Work::Records(entries)) => {
                        entries.into_iter().for_each(|entry| self.hold(entry, desk));
                    }
                    (Err(Unwritten::TooLarge), work) => {
                        self.missed += work.records();
                        miss(work.records(), desk);
                    }
                    (Ok(_) | Err(Unwritten::Disk), _) => {}
                }
            }
            // Who asked may have gone.
            Then::Tell(tell) => drop(tell.send(done)),
            Then::Room(write) => {
                let outcome = if done.is_ok() { Outcome::Durable } else { Outcome::Failed };
                if let Some(desk) = desk.upgrade() {
                    desk.turn(Input::Written { write, outcome });
                }
            }
            Then::Begins(session) => {
                if let (Err(_), Some(desk)) = (done, desk.upgrade()) {
                    desk.turn(Input::Unrecorded { session });
                }
            }
        }
    }

    fn hold(&mut self, entry: Entry, desk: &Weak<Desk>) {
        if self.held.len() < HELD {
            self.held.push_back(entry);
        } else {
            self.missed += 1;
            miss(1, desk);
        }
    }

    /// One commit. For each work what its asker is told; all fail together if the disk does, and
    /// one that fails otherwise fails alone.
    async fn write(
        &mut self,
        works: &[Work],
        desk: &Weak<Desk>,
    ) -> Result<Vec<Result<u64, Unwritten>>, sqlx::Error> {
        let now = moment();
        let held = self.held.len().min(BATCH);
        let mut transaction = self.store.records.begin_with("BEGIN IMMEDIATE").await?;
        let most = works.iter().map(Work::records).sum::<u64>() + held as u64 + 2;
        let mut draft = match self.has_log_key {
            true => Some(self.book.draft(most, now).map_err(|_| sqlx::Error::WorkerCrashed)?),
            false => None,
        };
        let mut too_large = 0;
        if let Some(draft) = &mut draft {
            let refused = self.held.iter().take(held).filter(|held| append(draft, held).is_err());
            too_large = refused.count() as u64;
            let count = self.missed + too_large;
            if count > 0 {
                append(draft, &Entry::server(Event::Missed { count, of: None })).ok();
            }
        }
        let mut done = Vec::with_capacity(works.len());
        for work in works {
            done.push(alone(&mut transaction, draft.as_mut(), work, &self.words.names).await?);
        }
        if let Some(draft) = &draft {
            insert(&mut transaction, &draft.writes).await?;
        }
        let (strays, mut mended) = (self.unsaid.strays(), self.mended);
        // What waits may still write rows of sessions that are over already.
        if let (true, true, Some(desk)) = (mended < strays, self.queue.is_empty(), desk.upgrade())
            && put_right(&mut transaction, &desk).await?
        {
            mended = strays;
        }
        if works.is_empty() && held == 0 {
            probe(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.empty_journal(works, &done).await;
        self.held.drain(..held);
        (self.missed, self.mended) = (0, mended);
        miss(too_large, desk);
        if let Some(draft) = draft {
            let before = self.book.size();
            self.book.commit(draft);
            if self.book.size() > before {
                self.unsigned_since.get_or_insert(now.instant);
            }
        }
        Ok(done)
    }

    /// A checkpoint over everything that is on disk.
    async fn sign(&mut self) {
        if self.unsigned_since.is_none() || !self.has_log_key {
            return;
        }
        let checkpoint = self.book.checkpoint(moment());
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

fn moment() -> Moment {
    Moment { instant: Instant::now(), unix_ms: clock::unix_ms() }
}

fn append(draft: &mut Draft, entry: &Entry) -> Result<u64, Unwritten> {
    let class = entry.event.class();
    draft.append(&Opened::Entry(entry.clone()), class).map(|_| 0).map_err(|_| Unwritten::TooLarge)
}

/// So many events will be in the ledger as a number alone.
fn miss(count: u64, desk: &Weak<Desk>) {
    desk.upgrade().inspect(|desk| desk.lost(count));
}

/// Whatever the database has against this work, the others of its commit stand. An error is that
/// of a disk on which nothing of them does.
async fn alone(
    transaction: &mut Transaction<'_, Sqlite>,
    mut draft: Option<&mut Draft>,
    work: &Work,
    names: &Names,
) -> Result<Result<u64, Unwritten>, sqlx::Error> {
    let mark = draft.as_ref().map(|draft| draft.mark());
    let mut own = transaction.begin().await?;
    let unwritten = match one(&mut own, draft.as_deref_mut(), work, names).await {
        Ok(Ok(done)) => return own.commit().await.map(|()| Ok(done)),
        Ok(Err(unwritten)) => unwritten,
        Err(error) => {
            tracing::error!(%error, "the database refuses one act of a commit; the others stand");
            Unwritten::Disk
        }
    };
    own.rollback().await?;
    if let (Some(draft), Some(mark)) = (draft, mark) {
        draft.rewind(mark);
    }
    Ok(Err(unwritten))
}

/// The rows of a work, and its records.
async fn one(
    transaction: &mut Transaction<'_, Sqlite>,
    mut draft: Option<&mut Draft>,
    work: &Work,
    names: &Names,
) -> Result<Result<u64, Unwritten>, sqlx::Error> {
    let record = |draft: &mut Option<&mut Draft>, entry: &Entry| match draft {
        Some(draft) => append(draft, entry),
        None if may_go_unrecorded(entry) => Ok(0),
        None => Err(Unwritten::Disk),
    };
    match work {
        Work::Records(all) => Ok(all.iter().try_fold(0, |_, entry| record(&mut draft, entry))),
        // Put into an entry's words before it came here.
        Work::Happened(_) | Work::Act { .. } => Ok(Err(Unwritten::Disk)),
        Work::Acted { entry, steps } => {
            acts::take(transaction, steps, || record(&mut draft, entry)).await
        }
        Work::Keys { .. } | Work::Close => Ok(Ok(0)),
        Work::Row(row, entry) => {
            let recorded = entry.as_ref().map_or(Ok(0), |entry| record(&mut draft, entry));
            if recorded.is_ok() {
                insert_row(transaction, row, names).await?;
            }
            Ok(recorded)
        }
        Work::Decree { kind, document, prune, entry } => {
            let recorded = record(&mut draft, entry);
            if recorded.is_ok() {
                decree(transaction, names, (kind, document), *prune).await?;
            }
            Ok(recorded)
        }
        Work::End { session, role, rows } => {
            let Some(draft) = draft else { return Ok(Err(Unwritten::Disk)) };
            deliver(transaction, draft, (*session, *role), rows).await.map(Ok)
        }
    }
}

#[cfg(test)]
mod tests;
