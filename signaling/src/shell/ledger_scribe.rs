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
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::ledger::event::{Class, Entry, Event};
use tasuki_protocol::ledger::record::{FromEnd, Opened};
use tasuki_protocol::ledger::wire::{EndRow, MAX_END_BYTES, MAX_END_NUMBER};
use tasuki_protocol::log_key::LogPublicKey;
use tokio::sync::mpsc;

use super::acts;
use super::clock;
use super::desk::Desk;
use super::ledger::{Job, Signed, Then, Unwritten, Work};
use super::ledger_decrees::decree;
use super::ledger_rows::{Delivered, delivered, insert, set_delivered};
use super::ledger_words::Words;
use super::names::Names;
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
    pub(super) tenant: TenantId,
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
            let last = jobs.iter().any(|job| matches!(job.work, Work::Close));
            self.take(&mut jobs, &desk).await;
            if last {
                break;
            }
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
            Work::Close => true,
            Work::Happened(_)
            | Work::Act { .. }
            | Work::Acted { .. }
            | Work::End { .. }
            | Work::Keys { .. }
            | Work::Decree { .. } => false,
        });
        let mut closing = Vec::new();
        let holds = !self.held.is_empty() || self.missed > 0;
        if !jobs.is_empty() || (holds && self.tried + TRY_EVERY <= Instant::now()) {
            self.tried = Instant::now();
            for job in jobs.iter_mut() {
                self.reword(&mut job.work).await;
            }
            let works: Vec<Work> = jobs.iter().map(|job| job.work.clone()).collect();
            let done = self.write(&works).await;
            if let Err(error) = &done {
                tracing::error!(%error, "the ledger cannot be written");
            }
            for (at, job) in jobs.drain(..).enumerate() {
                let done = done.as_ref().map_or(Err(Unwritten), |done| done[at]);
                match job.work {
                    Work::Close => closing.push((job, done)),
                    Work::Row(..)
                    | Work::Record(_)
                    | Work::Happened(_)
                    | Work::Act { .. }
                    | Work::Acted { .. }
                    | Work::End { .. }
                    | Work::Keys { .. }
                    | Work::Decree { .. } => self.tell(job, done, desk),
                }
            }
        }
        let due = self.unsigned_since.is_some_and(|since| since + CHECKPOINT_EVERY <= Instant::now());
        if ends || due {
            self.sign().await;
        }
        // Whoever closes the files waits for the signature, too.
        for (job, done) in closing {
            self.tell(job, done, desk);
        }
    }

    /// Puts what the paths saw into the ledger's words; other keys count from here on.
    async fn reword(&mut self, work: &mut Work) {
        match work {
            Work::Happened(event) => {
                let entry = self.words.entry(event, &self.store).await;
                *work = Work::Record(Box::new(entry));
            }
            Work::Act { event, steps } => {
                let entry = Box::new(self.words.entry(event, &self.store).await);
                *work = Work::Acted { entry, steps: std::mem::take(steps) };
            }
            Work::Keys { log_keys, checkpoint_key } => {
                let (log_keys, checkpoint_key) = (log_keys.clone(), checkpoint_key.clone());
                self.change_keys(log_keys, checkpoint_key).await;
            }
            Work::Row(..)
            | Work::Record(_)
            | Work::Acted { .. }
            | Work::End { .. }
            | Work::Decree { .. }
            | Work::Close => {}
        }
    }

    /// What was sealed or signed under the old keys stays good under them.
    async fn change_keys(
        &mut self,
        log_keys: Vec<LogPublicKey>,
        checkpoint_key: Option<Box<SigningKey>>,
    ) {
        if let Some(key) = checkpoint_key {
            self.checkpoint_key = *key;
        }
        let (Ok((frontier, before)), Ok(seed)) = (self.store.ledger_end().await, clock::seed()) else {
            tracing::error!("the ledger's end cannot be read; it goes on under its old keys");
            return;
        };
        self.book = Some(Book::new(self.tenant, log_keys, seed, frontier, before));
    }

    fn tell(&mut self, job: Job, done: Result<u64, Unwritten>, desk: &Weak<Desk>) {
        match job.then {
            Then::Nobody => {
                if let (Err(Unwritten), Work::Record(entry)) = (done, job.work) {
                    self.hold(*entry);
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
                if let (Err(Unwritten), Some(desk)) = (done, desk.upgrade()) {
                    desk.turn(Input::Unrecorded { session });
                }
            }
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
            done.push(one(&mut transaction, draft.as_mut(), work, &self.words.names).await?);
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
            Self::Row(..)
            | Self::Record(_)
            | Self::Happened(_)
            | Self::Act { .. }
            | Self::Acted { .. }
            | Self::Decree { .. } => 1,
            Self::End { rows, .. } => rows.len(),
            Self::Keys { .. } | Self::Close => 0,
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
    names: &Names,
) -> Result<Result<u64, Unwritten>, sqlx::Error> {
    let record = |draft: &mut Option<&mut Draft>, entry: &Entry| match draft {
        Some(draft) => append(draft, entry),
        None => Ok(0),
    };
    match work {
        Work::Record(entry) => Ok(record(&mut draft, entry)),
        // Put into an entry's words before it came here.
        Work::Happened(_) | Work::Act { .. } => Ok(Err(Unwritten)),
        Work::Acted { entry, steps } => {
            acts::take(transaction, steps, || record(&mut draft, entry)).await
        }
        Work::Keys { .. } | Work::Close => Ok(Ok(0)),
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
                decree(transaction, names, (kind, document), *prune).await?;
            }
            Ok(recorded)
        }
        Work::End { session, role, rows } => {
            let Some(draft) = draft else { return Ok(Err(Unwritten)) };
            let mut here = delivered(&mut *transaction, *session, *role).await?;
            for row in rows {
                let EndRow { number, sealed } = row;
                // Known already, or one between is missing: the answer says where to go on.
                if *number != here.next {
                    continue;
                }
                let bytes = here.bytes + row.bytes();
                if here.next >= MAX_END_NUMBER || bytes > MAX_END_BYTES {
                    tracing::warn!(%session, ?role, "an end delivers more than a session may");
                    break;
                }
                let from_end =
                    FromEnd { session: *session, role: *role, number: *number, sealed: sealed.clone() };
                if draft.append(&Opened::FromEnd(from_end), Class::Content).is_err() {
                    break;
                }
                here = Delivered { next: here.next + 1, bytes };
            }
            set_delivered(&mut *transaction, *session, *role, here).await?;
            Ok(Ok(here.next))
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
    use tasuki_protocol::ids::{DeviceKey, Role, SessionId};
    use tasuki_protocol::ledger::audit::{Auditor, Finding, Verified};
    use tasuki_protocol::ledger::event::Witness;
    use tasuki_protocol::ledger::record::{open, seal_at_end};
    use tasuki_protocol::ledger::tree::Hash;
    use tasuki_protocol::ledger::wire::StoredRow;
    use tasuki_protocol::log_key::LogSecretKey;
    use tasuki_protocol::seed::Seed;
    use tempfile::TempDir;

    use super::super::folder::Secret;
    use super::super::ledger::{Ledger, Opening};
    use super::super::ledger_rows::number;
    use super::*;
    use crate::core::ledger::NOTHING_BEFORE;

    const TENANT: TenantId = TenantId([1; 8]);
    const CANARY: &str = "canary-山田花子-192.0.2.77";

    struct Desk {
        folder: TempDir,
        ledger: Ledger,
        task: tokio::task::JoinHandle<()>,
    }

    fn log_key() -> LogSecretKey {
        LogSecretKey::from_bytes([2; 32])
    }

    fn checkpoint_key(byte: u8) -> SigningKey {
        SigningKey::from_bytes(&[byte; 32])
    }

    fn public(key: &SigningKey) -> DeviceKey {
        DeviceKey(key.verifying_key().to_bytes())
    }

    async fn begin(folder: TempDir) -> Desk {
        let path = folder.path().join("tasuki.db");
        if !path.exists() {
            std::fs::write(&path, b"").unwrap();
        }
        let store = Store::create(&path).await.unwrap();
        let opening = Opening {
            tenant: TENANT,
            log_keys: vec![log_key().public()],
            checkpoint_key: checkpoint_key(3),
            ticket_seed: Seed::from_bytes([5; 32]),
            names: Names::new(&Secret([4; 32])),
        };
        let (ledger, scribe) = Ledger::open(store, opening).await.unwrap();
        Desk { folder, ledger, task: tokio::spawn(scribe.run(Weak::new())) }
    }

    async fn start() -> Desk {
        begin(tempfile::tempdir().unwrap()).await
    }

    impl Desk {
        /// Signs what is there, and closes the files.
        async fn stop(self) -> TempDir {
            let Self { folder, ledger, task } = self;
            let store = ledger.store.clone();
            drop(ledger);
            task.await.unwrap();
            store.close().await;
            folder
        }

        async fn chat(&self, line: &str) {
            self.ledger.append(chat(line)).await.unwrap();
        }
    }

    fn chat(line: &str) -> Entry {
        Entry {
            by: Witness::Server,
            session: Some(SessionId([7; 16])),
            operator: Some(CANARY.to_owned()),
            event: Event::ChatLine { line: line.to_owned() },
        }
    }

    async fn pool(folder: &TempDir) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(folder.path().join("tasuki.db"));
        SqlitePool::connect_with(options).await.unwrap()
    }

    /// What an auditor finds who trusts the right keys and knows `witnessed`.
    async fn audit(folder: &TempDir, witnessed: &[String]) -> Result<Verified, Finding> {
        let store = Store { pool: pool(folder).await };
        let page = store.page(0, u64::MAX).await.unwrap();
        let mut auditor =
            Auditor::new(TENANT, vec![public(&checkpoint_key(3))], public(&checkpoint_key(9)));
        for note in witnessed {
            auditor.witness(note)?;
        }
        page.keys.iter().for_each(|key| auditor.key(key));
        let mut notes = page.notes.iter().peekable();
        for (at, stored) in page.rows.iter().enumerate() {
            auditor.record(stored)?;
            let size = at as u64 + 1;
            while let Some(note) = notes.next_if(|note| note.lines().nth(1) == Some(&size.to_string()))
            {
                auditor.checkpoint(note)?;
            }
        }
        notes.try_for_each(|note| auditor.checkpoint(note))?;
        auditor.finish()
    }

    /// A ledger of `records`, signed at its end.
    async fn written(records: usize) -> TempDir {
        let desk = start().await;
        for record in 0..records {
            desk.chat(&format!("line {record} {CANARY}")).await;
        }
        desk.stop().await
    }

    async fn note(folder: &TempDir) -> String {
        let store = Store { pool: pool(folder).await };
        store.newest_note().await.unwrap().unwrap()
    }

    async fn run(folder: &TempDir, statements: &[&'static str]) {
        let pool = pool(folder).await;
        for statement in statements {
            sqlx::query(*statement).execute(&pool).await.unwrap();
        }
        pool.close().await;
    }

    /// T63, S53: the log key's holder reads what was written, in its order.
    #[tokio::test]
    async fn what_was_appended_is_read_with_the_log_key_and_verified_without() {
        let folder = written(5).await;
        assert_eq!(audit(&folder, &[]).await.unwrap().size, 5);
        let page = Store { pool: pool(&folder).await }.page(0, 10).await.unwrap();
        let mut before: Hash = NOTHING_BEFORE;
        for (at, StoredRow { leaf, row }) in page.rows.iter().enumerate() {
            let row = row.as_ref().unwrap();
            let envelope = page.keys.iter().find(|key| key.digest() == row.key).unwrap();
            let key = envelope.open(&log_key(), TENANT).unwrap();
            let Opened::Entry(entry) = open(row, before, &key, TENANT).unwrap() else { panic!() };
            assert_eq!(entry, chat(&format!("line {at} {CANARY}")));
            before = *leaf;
        }
    }

    /// S47, T62: neither the database nor its journal shows a word of a record, in any encoding.
    #[tokio::test]
    async fn a_stolen_database_shows_no_canary_in_any_encoding() {
        use base64::Engine;
        let desk = start().await;
        desk.chat(CANARY).await;
        let utf16 = |big: bool| -> Vec<u8> {
            let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            CANARY.encode_utf16().flat_map(order).collect()
        };
        let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut needles = vec![CANARY.as_bytes().to_vec(), utf16(true), utf16(false)];
        needles.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
        // Base64 at each of its three alignments, without the characters that mix with neighbours.
        for pad in 0..3 {
            let padded = [vec![b' '; pad], CANARY.as_bytes().to_vec()].concat();
            let text = base64::engine::general_purpose::STANDARD.encode(padded);
            needles.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
        for entry in std::fs::read_dir(desk.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            for needle in &needles {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{} shows {:?}", path.display(), String::from_utf8_lossy(needle));
            }
        }
    }

    /// T64: each kind of tampering, by somebody who holds the database, is found and named.
    #[tokio::test]
    async fn every_tampering_is_found_and_the_first_bad_record_is_named() {
        let cases: [(&[&'static str], Finding); 8] = [
            (&["UPDATE ledger SET sealed = x'00' WHERE seq = 3"], Finding::Changed(3)),
            (&["UPDATE ledger SET at = at + 1 WHERE seq = 2"], Finding::Changed(2)),
            (&["UPDATE ledger SET class = 1 WHERE seq = 4"], Finding::Changed(4)),
            (&["DELETE FROM ledger WHERE seq = 3"], Finding::OutOfOrder { expected: 3, found: 4 }),
            (&["UPDATE ledger SET sealed = NULL, key = NULL WHERE seq < 2"], Finding::Removed(0)),
            (
                &[
                    "UPDATE ledger SET seq = -1 WHERE seq = 2",
                    "UPDATE ledger SET seq = 2 WHERE seq = 3",
                    "UPDATE ledger SET seq = 3 WHERE seq = -1",
                ],
                Finding::Changed(2),
            ),
            (
                &[
                    "INSERT INTO ledger SELECT 6, at, class, key, sealed, leaf FROM ledger WHERE seq = 5",
                ],
                Finding::Changed(6),
            ),
            (&["DELETE FROM ledger_keys"], Finding::KeyMissing(0)),
        ];
        for (statements, expected) in cases {
            let folder = written(6).await;
            run(&folder, statements).await;
            assert_eq!(audit(&folder, &[]).await, Err(expected), "{statements:?}");
        }
    }

    /// T64, T67: truncation with its checkpoints, a fork, a rollback and another key are found by
    /// whoever kept a checkpoint.
    #[tokio::test]
    async fn a_kept_checkpoint_shows_what_the_database_no_longer_does() {
        let folder = written(6).await;
        let kept = note(&folder).await;
        let shortened = ["DELETE FROM ledger WHERE seq >= 4", "DELETE FROM ledger_checkpoints"];
        run(&folder, &shortened).await;
        let cut = audit(&folder, std::slice::from_ref(&kept)).await;
        assert_eq!(cut, Err(Finding::Truncated { have: 4, signed: 6 }));

        let other = written(7).await;
        let fork = audit(&other, std::slice::from_ref(&kept)).await;
        assert_eq!(fork, Err(Finding::Forked(6)));

        let folder = written(2).await;
        let replaced = tasuki_protocol::ledger::checkpoint::Checkpoint {
            tenant: TENANT,
            size: 2,
            root: Store { pool: pool(&folder).await }.root_at(2).await.unwrap(),
            at: 1,
        };
        let note = replaced.sign(&checkpoint_key(5));
        let store = Store { pool: pool(&folder).await };
        store.keep_note(2, &note).await.unwrap();
        let found = audit(&folder, &[]).await;
        assert!(matches!(found, Err(Finding::Checkpoint { size: 1, .. })), "{found:?}");
    }

    /// F1, T64: the ledger goes on where it was, and proves that it grew.
    #[tokio::test]
    async fn a_restarted_ledger_goes_on_and_proves_that_it_grew() {
        let folder = written(5).await;
        let early = note(&folder).await;
        let desk = begin(folder).await;
        desk.chat("after the restart").await;
        let ledger = desk.ledger.clone();
        let folder = desk.stop_with(ledger).await;
        assert_eq!(audit(&folder, std::slice::from_ref(&early)).await.unwrap().size, 6);
        let store = Store { pool: pool(&folder).await };
        let opened = |note: &str| {
            let keys = [public(&checkpoint_key(3))];
            tasuki_protocol::ledger::checkpoint::Checkpoint::open(note, TENANT, &keys).unwrap()
        };
        let (old, new) = (opened(&early), opened(&note(&folder).await));
        let proof = store.consistency(old.size, new.size).await.unwrap();
        let grew = tasuki_protocol::ledger::tree::is_consistent(
            (old.size, old.root),
            (new.size, new.root),
            &proof,
        );
        assert!(grew);
    }

    impl Desk {
        async fn stop_with(self, ledger: Ledger) -> TempDir {
            drop(ledger);
            self.stop().await
        }
    }

    /// F4, T65: while another holds the database nothing is acknowledged; afterwards what nobody
    /// waited for is written all the same.
    #[tokio::test]
    async fn a_locked_database_acknowledges_nothing_and_loses_nothing() {
        let desk = start().await;
        let other = pool(&desk.folder).await;
        let mut holder = other.acquire().await.unwrap();
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut *holder).await.unwrap();
        let work = Work::Record(Box::new(chat("nobody waits")));
        assert!(desk.ledger.put(Job { work, then: Then::Nobody }));
        assert_eq!(desk.ledger.append(chat("refused")).await, Err(Unwritten));
        sqlx::query("COMMIT").execute(&mut *holder).await.unwrap();
        drop(holder);
        other.close().await;
        desk.chat("again").await;
        let folder = desk.stop().await;
        assert_eq!(audit(&folder, &[]).await.unwrap().size, 2, "the held one and the last");
    }

    /// F2, T43: an end's records are taken once and in order, however often they come.
    #[tokio::test]
    async fn an_ends_records_are_taken_once_and_in_order() {
        let desk = start().await;
        let session = SessionId([7; 16]);
        let row = |number: u64| {
            let at = (session, Role::Agent, number);
            let seed = Seed::from_bytes([u8::try_from(number).unwrap(); 32]);
            let to = [log_key().public()];
            EndRow { number, sealed: seal_at_end(&chat("x"), at, &to, TENANT, &seed).unwrap() }
        };
        let send = |numbers: &[u64]| {
            let rows = numbers.iter().map(|number| row(*number)).collect();
            desk.ledger.ask(Work::End { session, role: Role::Agent, rows })
        };
        assert_eq!(send(&[0, 1]).await, Ok(2));
        assert_eq!(send(&[0, 1, 2]).await, Ok(3));
        assert_eq!(send(&[5]).await, Ok(3), "a gap is not taken");
        let folder = desk.stop().await;
        assert_eq!(audit(&folder, &[]).await.unwrap().size, 3);
    }

    /// T59: a ticket is no right to a disk. What was delivered before counts, also after a restart.
    #[tokio::test]
    async fn t59_an_end_delivers_no_more_bytes_than_its_session_may() {
        let desk = start().await;
        let (session, role) = (SessionId([7; 16]), Role::Operator);
        let row = |number: u64| {
            let to = [log_key().public()];
            let seed = Seed::from_bytes([u8::try_from(number).unwrap(); 32]);
            let line = chat(&"x".repeat(4000));
            EndRow {
                number,
                sealed: seal_at_end(&line, (session, role, number), &to, TENANT, &seed).unwrap(),
            }
        };
        let send = |ledger: Ledger, rows: Vec<EndRow>| async move {
            ledger.ask(Work::End { session, role, rows }).await
        };
        let each = row(0).bytes();
        assert!(each > 4000, "what a row takes is {each}");
        assert_eq!(send(desk.ledger.clone(), vec![row(0)]).await, Ok(1));
        let folder = desk.stop().await;
        let pool = pool(&folder).await;
        let counted: i64 =
            sqlx::query_scalar("SELECT bytes FROM ledger_ends").fetch_one(&pool).await.unwrap();
        assert_eq!(counted, number(each));
        // As if it had delivered all but two of what it may.
        let nearly = number(MAX_END_BYTES - 2 * each);
        sqlx::query("UPDATE ledger_ends SET bytes = ?").bind(nearly).execute(&pool).await.unwrap();
        pool.close().await;
        let desk = begin(folder).await;
        let rows = (1..6).map(row).collect();
        assert_eq!(send(desk.ledger.clone(), rows).await, Ok(3), "more than two were taken");
        assert_eq!(send(desk.ledger.clone(), vec![row(3)]).await, Ok(3));
        let folder = desk.stop().await;
        assert_eq!(audit(&folder, &[]).await.unwrap().size, 3);
    }

    /// T65, F5: a full disk refuses, and takes records again when there is room.
    #[tokio::test]
    async fn a_full_disk_refuses_and_recovers_alone() {
        let desk = start().await;
        desk.chat("there is room").await;
        let mut filled = Vec::new();
        // Every connection of the pool counts its own most pages.
        for _ in 0..4 {
            let mut connection = desk.ledger.store.pool.acquire().await.unwrap();
            sqlx::query("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
            filled.push(connection);
        }
        drop(filled);
        let mut refused = 0;
        for _ in 0..40 {
            refused += usize::from(desk.ledger.append(chat(&"x".repeat(3000))).await.is_err());
        }
        assert!(refused > 0, "the disk never filled");
        let mut emptied = Vec::new();
        for _ in 0..4 {
            let mut connection = desk.ledger.store.pool.acquire().await.unwrap();
            let roomy = "PRAGMA max_page_count = 1000000";
            sqlx::query(roomy).execute(&mut *connection).await.unwrap();
            emptied.push(connection);
        }
        drop(emptied);
        desk.chat("room again").await;
        let folder = desk.stop().await;
        let size = audit(&folder, &[]).await.unwrap().size;
        assert_eq!(size, 42 - refused as u64);
    }
}
