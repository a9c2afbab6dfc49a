//! What the writer does with a database that works, refuses, is locked, full, or was touched.

mod ends;
mod tampering;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tasuki_protocol::ids::{DeviceKey, Role, SessionId, TenantId};
use tasuki_protocol::ledger::audit::{Auditor, Finding, Verified};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::{MAX_ENTRY_BYTES, Witness};
use tasuki_protocol::ledger::record::{open, seal_at_end};
use tasuki_protocol::ledger::tree::Hash;
use tasuki_protocol::ledger::wire::StoredRow;
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::number::Locator;
use tasuki_protocol::seed::Seed;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::super::folder::Secret;
use super::super::ledger::{Ledger, Opening};
use super::super::ledger_rows::number;
use super::*;
use crate::core::ledger::NOTHING_BEFORE;
use crate::core::rooms::Row;

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

/// Everything but the writing task.
async fn open_in(folder: &TempDir) -> (Ledger, Scribe) {
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
    Ledger::open(store, opening).await.unwrap()
}

fn run_in(folder: TempDir, ledger: Ledger, scribe: Scribe) -> Desk {
    Desk { folder, ledger, task: tokio::spawn(scribe.run(Weak::new())) }
}

async fn begin(folder: TempDir) -> Desk {
    let (ledger, scribe) = open_in(&folder).await;
    run_in(folder, ledger, scribe)
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
    let store = Store::over(pool(folder).await);
    let page = store.page(0, u64::MAX).await.unwrap();
    let word = RootsWord::of_root(public(&checkpoint_key(9)));
    let mut auditor = Auditor::new(TENANT, vec![public(&checkpoint_key(3))], word);
    for note in witnessed {
        auditor.witness(note)?;
    }
    page.keys.iter().for_each(|key| auditor.key(key));
    let mut notes = page.notes.iter().peekable();
    for (at, stored) in page.rows.iter().enumerate() {
        auditor.record(stored)?;
        let size = at as u64 + 1;
        while let Some(note) = notes.next_if(|note| note.lines().nth(1) == Some(&size.to_string())) {
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
    let store = Store::over(pool(folder).await);
    store.newest_note().await.unwrap().unwrap()
}

async fn run(folder: &TempDir, statements: &[&'static str]) {
    let pool = pool(folder).await;
    for statement in statements {
        sqlx::query(*statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// What the holder of `secret` reads; `None`: it was sealed to somebody else.
async fn read(folder: &TempDir, secret: &LogSecretKey) -> Vec<Option<Entry>> {
    let store = Store::over(pool(folder).await);
    let mut before: Hash = NOTHING_BEFORE;
    let mut entries = Vec::new();
    loop {
        let page = store.page(entries.len() as u64, u64::MAX).await.unwrap();
        if page.rows.is_empty() {
            return entries;
        }
        for StoredRow { leaf, row } in &page.rows {
            let row = row.as_ref().unwrap();
            let envelope = page.keys.iter().find(|key| key.digest() == row.key).unwrap();
            let key = envelope.open(secret, TENANT).ok();
            entries.push(key.map(|key| match open(row, before, &key, TENANT).unwrap() {
                Opened::Entry(entry) => entry,
                Opened::FromEnd(_) => panic!("no end has delivered"),
            }));
            before = *leaf;
        }
    }
}

/// T63, S53: the log key's holder reads what was written, in its order.
#[tokio::test]
async fn what_was_appended_is_read_with_the_log_key_and_verified_without() {
    let folder = written(5).await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 5);
    let lines = (0..5).map(|at| Some(chat(&format!("line {at} {CANARY}"))));
    assert_eq!(read(&folder, &log_key()).await, lines.collect::<Vec<_>>());
}

/// F4, T65: while another holds the database nothing is acknowledged; afterwards what nobody
/// waited for is written all the same.
#[tokio::test]
async fn a_locked_database_acknowledges_nothing_and_loses_nothing() {
    let desk = start().await;
    let other = pool(&desk.folder).await;
    let mut holder = other.acquire().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut *holder).await.unwrap();
    let work = Work::Records(vec![chat("nobody waits")]);
    assert!(desk.ledger.put(Job { work, then: Then::Nobody }));
    assert_eq!(desk.ledger.append(chat("refused")).await, Err(Unwritten::Disk));
    sqlx::query("COMMIT").execute(&mut *holder).await.unwrap();
    drop(holder);
    other.close().await;
    desk.chat("again").await;
    let folder = desk.stop().await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 2, "the held one and the last");
}

/// T65, F5: a full disk refuses, and takes records again when there is room.
#[tokio::test]
async fn a_full_disk_refuses_and_recovers_alone() {
    let desk = start().await;
    desk.chat("there is room").await;
    let records = desk.ledger.store.records.clone();
    sqlx::query("PRAGMA max_page_count = 1").execute(&records).await.unwrap();
    let mut refused = 0;
    for _ in 0..40 {
        refused += usize::from(desk.ledger.append(chat(&"x".repeat(3000))).await.is_err());
    }
    assert!(refused > 0, "the disk never filled");
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&records).await.unwrap();
    desk.chat("room again").await;
    let folder = desk.stop().await;
    let size = audit(&folder, &[]).await.unwrap().size;
    assert_eq!(size, 42 - refused as u64);
}

/// Until it is dropped again, the database refuses every record, and at once.
const STUFFED: &str =
    "CREATE TRIGGER stuffed BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'stuffed'); END";

/// How many events the ledger says only the number of.
fn missed(entries: &[Option<Entry>]) -> u64 {
    let count = |entry: &Option<Entry>| match entry.as_ref().map(|entry| &entry.event) {
        Some(Event::Missed { count, of: None }) => *count,
        Some(_) | None => 0,
    };
    entries.iter().map(count).sum()
}

/// F5, T65: a database that cannot be written any more refuses, and goes on where it was when it can.
#[tokio::test]
async fn a_read_only_database_refuses_and_recovers_alone() {
    let desk = start().await;
    desk.chat("before").await;
    for (pragma, is_taken) in [("PRAGMA query_only = ON", false), ("PRAGMA query_only = OFF", true)] {
        sqlx::query(pragma).execute(&desk.ledger.store.records).await.unwrap();
        let written = desk.ledger.append(chat("after")).await;
        assert_eq!(written, if is_taken { Ok(()) } else { Err(Unwritten::Disk) });
    }
    let folder = desk.stop().await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 2);
}

/// T65: an event that no record can hold is refused to who waits, and for who does not the ledger
/// says that it is missing; also where it was held while the disk took nothing.
#[tokio::test]
async fn what_is_too_large_for_a_record_is_counted_and_never_vanishes() {
    let desk = start().await;
    let large = || chat(&"x".repeat(MAX_ENTRY_BYTES));
    let put = |entries| {
        let work = Work::Records(entries);
        assert!(desk.ledger.put(Job { work, then: Then::Nobody }));
    };
    assert_eq!(desk.ledger.append(large()).await, Err(Unwritten::TooLarge));
    put(vec![large()]);
    put(vec![chat("of the same moment"), large()]);
    desk.chat("before").await;
    run(&desk.folder, &[STUFFED]).await;
    put(vec![large()]);
    put(vec![chat("held")]);
    assert_eq!(desk.ledger.append(chat("refused")).await, Err(Unwritten::Disk));
    run(&desk.folder, &["DROP TRIGGER stuffed"]).await;
    desk.chat("after").await;

    let folder = desk.stop().await;
    audit(&folder, &[]).await.unwrap();
    let entries = read(&folder, &log_key()).await;
    assert_eq!(missed(&entries), 4, "{entries:?}");
    let others =
        entries.into_iter().flatten().filter(|entry| !matches!(entry.event, Event::Missed { .. }));
    assert_eq!(others.collect::<Vec<_>>(), ["before", "held", "after"].map(chat));
}

/// T65: what found no room before the writer is said to have happened, and nothing else of it.
#[tokio::test]
async fn t65_records_for_which_the_queue_has_no_room_are_counted_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, scribe) = open_in(&folder).await;
    let record = |then| Job { work: Work::Records(vec![chat("one of many")]), then };
    let mut taken = 0;
    while ledger.put(record(Then::Nobody)) {
        taken += 1;
    }
    let of_one_moment = Work::Records(vec![chat("one"), chat("and another")]);
    assert!(!ledger.put(Job { work: of_one_moment, then: Then::Nobody }));
    // Who is told himself needs no number.
    assert!(!ledger.put(record(Then::Begins(SessionId([7; 16])))));
    let desk = run_in(folder, ledger, scribe);
    // The writer has made room by then.
    while desk.ledger.append(chat("later")).await.is_err() {
        tokio::task::yield_now().await;
    }
    let folder = desk.stop().await;
    let entries = read(&folder, &log_key()).await;
    assert_eq!(missed(&entries), 3);
    assert_eq!(entries.len(), taken + 2, "with the number, and the later one");
}

/// T65: one act that the database refuses takes none of its commit's others with it, and leaves no
/// record of its own.
#[tokio::test]
async fn a_refused_act_fails_alone_and_the_others_of_its_commit_are_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, scribe) = open_in(&folder).await;
    let row = |session: u8| Row::Opened {
        session: SessionId([session; 16]),
        locator: Locator::try_from(u32::from(session)).unwrap(),
        until: 1,
    };
    let mut told = Vec::new();
    // The same session twice is against the table's rules; one commit takes them all.
    for (session, line) in [(1, "one"), (2, "two"), (2, "again"), (3, "three")] {
        let (tell, answer) = oneshot::channel();
        let work = Work::Row(row(session), Some(Box::new(chat(line))));
        assert!(ledger.put(Job { work, then: Then::Tell(tell) }));
        told.push(answer);
    }
    let desk = run_in(folder, ledger, scribe);
    let mut answers = Vec::new();
    for answer in told {
        answers.push(answer.await.unwrap());
    }
    assert_eq!(answers, [Ok(0), Ok(0), Err(Unwritten::Disk), Ok(0)]);
    desk.chat("later").await;

    let folder = desk.stop().await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 4);
    let lines = ["one", "two", "three", "later"].map(|line| Some(chat(line)));
    assert_eq!(read(&folder, &log_key()).await, lines);
    let kept: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM rooms").fetch_one(&pool(&folder).await).await.unwrap();
    assert_eq!(kept, 3);
}

/// R9: whoever changed the log key is told so once records are sealed to the new one, though more
/// stands before him than the queue holds, and the disk takes nothing.
#[tokio::test]
async fn a_change_of_keys_is_answered_when_the_writer_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, scribe) = open_in(&folder).await;
    let record = || Job { work: Work::Records(vec![chat("early")]), then: Then::Nobody };
    while ledger.put(record()) {}
    run(&folder, &[STUFFED]).await;
    let theirs = LogSecretKey::from_bytes([6; 32]);
    let change = ledger.change_keys(vec![theirs.public()], None);
    let desk = run_in(folder, ledger.clone(), scribe);
    assert_eq!(change.await, Ok(()));
    run(&desk.folder, &["DROP TRIGGER stuffed"]).await;
    desk.chat("to the new key").await;

    drop(ledger);
    let folder = desk.stop().await;
    let entries = read(&folder, &theirs).await;
    assert!(entries.contains(&Some(chat("to the new key"))));
    let old = read(&folder, &log_key()).await;
    assert!(!old.contains(&Some(chat("to the new key"))), "it is sealed to the old key too");
}
