//! The database: SQLite in WAL mode, every commit on disk before it counts.
//!
//! Bound parameters only (T60). What the rows mean is decided elsewhere.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Row as _, SqlSafeStr, Sqlite, Transaction};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::number::Locator;

use tasuki_protocol::ledger::event::clipped;

use super::admin_sign_ins::Present;
use super::clock::{self, Steady};
use super::fault::Fault;
use super::kept::{forget, keep, mark};
use super::kinds::Kind;
use super::ledger_cut::is_cut;
use super::names::Names;
use super::store_fault;
use crate::core::anchor::Anchor;
use crate::core::kept::LastSeen;
use crate::core::rooms::Row;

/// Rows of numbers and attempts are kept so long, in seconds, for whoever looks back.
pub(super) const KEPT_S: i64 = 24 * 3600;
/// By so much at most the steady clock is behind after the power was lost and the wall clock with it (F12).
const STEADY_EVERY: Duration = Duration::from_secs(60);

/// So long somebody waits for a connection, and then for whoever holds the database. What writes fails at
/// the first of them that is over, and whatever asked is answered then: within 6 s (F4).
const ACQUIRE: Duration = Duration::from_secs(2);
/// See [`ACQUIRE`]. Who waits for a record may wait for two commits.
pub(super) const BUSY: Duration = Duration::from_secs(2);
const READERS: u32 = 4;

/// Readers, whom no lock concerns, never wait behind writers, nor the ledger's writer behind any other.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// For what reads; and for what a start or a program that is alone with the file writes.
    pub(crate) pool: SqlitePool,
    /// For what requests write, one after the other.
    pub(crate) writes: SqlitePool,
    /// The ledger's writer's own.
    pub(crate) records: SqlitePool,
}

/// What happened outside the rooms.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// Who did it, if an administrator did.
    pub(crate) admin: Option<i64>,
    /// In which sign-in: nothing of it is done once that has ended.
    pub(crate) present: Option<Present>,
    pub(crate) operator: Option<i64>,
    /// Whom or what it concerned, in a person's words; for the ledger alone, never for a log.
    pub(crate) target: String,
    /// As `target`.
    pub(crate) detail: String,
}

impl Event {
    pub(crate) fn new(kind: Kind) -> Self {
        let (target, detail) = (String::new(), String::new());
        Self { kind, admin: None, present: None, operator: None, target, detail }
    }

    #[must_use]
    pub(crate) fn by(mut self, present: &Present) -> Self {
        self.present = Some(present.clone());
        self.by_admin(present.admin.0)
    }

    /// Where there is no sign-in yet in which he does it.
    #[must_use]
    pub(crate) fn by_admin(mut self, admin: i64) -> Self {
        self.admin = Some(admin);
        self
    }

    #[must_use]
    pub(crate) fn on(mut self, target: &str) -> Self {
        self.target = clipped(target);
        self
    }

    /// In the words of [`super::details`].
    #[must_use]
    pub(crate) fn telling(mut self, detail: &str) -> Self {
        self.detail = clipped(detail);
        self
    }
}

/// How a database is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Sound,
    Damaged,
    LedgerCut,
}

/// Whether a row can be written there.
pub(crate) async fn probe(at: impl sqlx::Executor<'_, Database = Sqlite>) -> Result<(), sqlx::Error> {
    let probe = "INSERT INTO probe (id, at) VALUES (1, ?)
         ON CONFLICT (id) DO UPDATE SET at = excluded.at";
    sqlx::query(probe).bind(clock::unix_row()).execute(at).await.map(|_| ())
}

impl Store {
    /// Fills a new database.
    pub(crate) async fn create(path: &Path) -> Result<Self, Fault> {
        Self::connect(path).await
    }

    /// The database of a finished set-up.
    pub(crate) async fn open(path: &Path) -> Result<Self, Fault> {
        std::fs::File::open(path).map_err(Fault::unreadable(path))?;
        let store = Self::connect(path).await?;
        let check = sqlx::query("PRAGMA quick_check").fetch_one(&store.pool).await;
        let sound = check.is_ok_and(|row| row.try_get::<String, _>(0).is_ok_and(|text| text == "ok"));
        // What was removed just before the last run was killed (S95). Where the disk does not take it, that is told elsewhere.
        store.empty_journal().await.ok();
        if sound { Ok(store) } else { Err(Fault::DatabaseDamaged(path.to_owned())) }
    }

    async fn connect(path: &Path) -> Result<Self, Fault> {
        let store = Self::beside(path).await?;
        let migrated = migrator().run(&store.pool).await;
        migrated.map_err(|error| store_fault::of_migration(&error, path))?;
        Ok(store)
    }

    /// As it is; its server may be at work.
    pub(crate) async fn beside(path: &Path) -> Result<Self, Fault> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is gone from the file, too.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY);
        let opened = pool_of(READERS).connect_with(options.clone()).await;
        let pool = opened.map_err(|error| store_fault::of_database(&error, path))?;
        let writer = || pool_of(1).connect_lazy_with(options.clone());
        Ok(Self { pool, writes: writer(), records: writer() })
    }

    /// All of it on one pool, whose settings are a test's.
    #[cfg(test)]
    pub(crate) fn over(pool: SqlitePool) -> Self {
        Self { writes: pool.clone(), records: pool.clone(), pool }
    }

    /// Whether a row can be made durable now.
    pub(crate) async fn probe(&self) -> Result<(), sqlx::Error> {
        probe(&self.writes).await
    }

    /// Whether the database at `path` is sound; changes nothing, also while a server uses it.
    pub(crate) async fn examine(path: &Path) -> Condition {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let Ok(pool) = SqlitePoolOptions::new().max_connections(1).connect_with(options).await else {
            return Condition::Damaged;
        };
        let check = sqlx::query("PRAGMA quick_check").fetch_one(&pool).await;
        let sound = check.is_ok_and(|row| row.try_get::<String, _>(0).is_ok_and(|text| text == "ok"));
        let condition = match is_cut(&pool).await {
            Ok(false) if sound => Condition::Sound,
            Ok(true) if sound => Condition::LedgerCut,
            Ok(_) | Err(_) => Condition::Damaged,
        };
        pool.close().await;
        condition
    }

    /// The newest bundle in the database at `path`; nothing is changed there.
    pub(crate) async fn bundle_in(path: &Path) -> Option<Bundle> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.ok()?;
        let find = "SELECT body FROM documents WHERE kind = 'bundle' ORDER BY version DESC LIMIT 1";
        let row = sqlx::query(find).fetch_optional(&pool).await;
        let envelope = row.ok().flatten().and_then(|row| row.try_get::<Vec<u8>, _>(0).ok());
        pool.close().await;
        Bundle::open_first(&envelope?).ok()
    }

    pub(crate) async fn close(&self) {
        self.records.close().await;
        self.writes.close().await;
        self.pool.close().await;
    }

    /// A token by which the first administrator comes; it has no end.
    pub(crate) async fn expect_first_admin(&self) -> Result<String, Fault> {
        let token = Digest(clock::random()?).to_string();
        let hash = Sha256::digest(token.as_bytes()).to_vec();
        let insert = "INSERT INTO admin_tokens (hash, kind, expires) VALUES (?, 'first', ?)";
        let done = sqlx::query(insert).bind(hash).bind(i64::MAX).execute(&self.pool).await;
        done.map(|_| token).map_err(|_| Fault::DatabaseDamaged(PathBuf::new()))
    }

    /// The steady clock of this run. F12.
    pub(crate) async fn steady(&self) -> Result<Steady, sqlx::Error> {
        let steady = self.steady_now().await?;
        self.keep_steady(&steady).await?;
        Ok(steady)
    }

    /// So that after a reboot it goes on from here at the least.
    pub(crate) async fn keep_steady(&self, Steady(anchor): &Steady) -> Result<(), sqlx::Error> {
        let reached = anchor.moved_to(clock::up());
        sqlx::query("INSERT OR REPLACE INTO anchor (only, boot, up, steady) VALUES (1, ?, ?, ?)")
            .bind(reached.boot)
            .bind(reached.up)
            .bind(reached.steady)
            .execute(&self.writes)
            .await
            .map(|_| ())
    }

    /// Keeps it for as long as the server runs.
    pub(crate) async fn keep_steady_going(self, steady: Steady) {
        loop {
            tokio::time::sleep(STEADY_EVERY).await;
            // A disk that does not take it now is told of by everything else that is written.
            self.keep_steady(&steady).await.ok();
            self.forget_old().await.ok();
        }
    }

    /// As a run has it that begins now, or that goes on meanwhile.
    pub(crate) async fn steady_now(&self) -> Result<Steady, sqlx::Error> {
        steady_of(&self.pool).await
    }

    /// Numbers that rest no longer, and tries at them.
    async fn forget_old(&self) -> Result<(), sqlx::Error> {
        let before = clock::unix_row() - KEPT_S;
        for old in ["DELETE FROM rooms WHERE until < ?", "DELETE FROM attempts WHERE at < ?"] {
            sqlx::query(old).bind(before).execute(&self.writes).await?;
        }
        Ok(())
    }

    /// Locators that were given out not long ago, with unix seconds until which they rest.
    pub(crate) async fn resting(&self) -> Result<Vec<(Locator, u64)>, sqlx::Error> {
        self.forget_old().await?;
        let now = clock::unix_row();
        let query = sqlx::query("SELECT locator, until FROM rooms WHERE until > ?").bind(now);
        let rows = query.fetch_all(&self.pool).await?;
        let locator = |row: &sqlx::sqlite::SqliteRow| {
            let locator = u32::try_from(row.try_get::<i64, _>(0).ok()?).ok()?;
            let until = u64::try_from(row.try_get::<i64, _>(1).ok()?).ok()?;
            Some((Locator::try_from(locator).ok()?, until))
        };
        Ok(rows.iter().filter_map(locator).collect())
    }
}

fn pool_of(connections: u32) -> SqlitePoolOptions {
    let pool = SqlitePoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE);
    // After SQLITE_FULL the transaction is over for SQLite and not for sqlx, which would
    // refuse the next one on this connection for ever: such a connection is closed.
    pool.after_release(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

/// See [`Store::steady_now`].
pub(crate) async fn steady_of(
    at: impl sqlx::Executor<'_, Database = Sqlite>,
) -> Result<Steady, sqlx::Error> {
    let find = sqlx::query("SELECT boot, up, steady FROM anchor").fetch_optional(at);
    let stored = match find.await? {
        Some(row) => {
            Some(Anchor { boot: row.try_get(0)?, up: row.try_get(1)?, steady: row.try_get(2)? })
        }
        None => None,
    };
    Ok(Steady(Anchor::of_run(stored, clock::boot(), clock::up(), clock::unix_row())))
}

/// Adds a row of the rooms to a transaction, or changes it.
pub(crate) async fn insert_row(
    transaction: &mut Transaction<'_, Sqlite>,
    row: &Row,
    names: &Names,
) -> Result<(), sqlx::Error> {
    let (insert, session, locator, at) = match row {
        Row::Opened { session, locator, until } => {
            ("INSERT INTO rooms (session, locator, until) VALUES (?, ?, ?)", session, locator, until)
        }
        Row::Attempt { session, locator, at } => {
            ("INSERT INTO attempts (session, locator, at) VALUES (?, ?, ?)", session, locator, at)
        }
        Row::Running(kept) => return keep(transaction, kept, names).await,
        Row::LetGo { session } => return mark(transaction, *session, LastSeen::LetGo).await,
        Row::TakenUp { session } => return mark(transaction, *session, LastSeen::Running).await,
        Row::Over { session } => return forget(&mut **transaction, &session.0).await,
    };
    let insert = sqlx::query(insert).bind(session.0.to_vec()).bind(i64::from(u32::from(*locator)));
    let insert = insert.bind(i64::try_from(*at).unwrap_or(i64::MAX));
    insert.execute(&mut **transaction).await.map(|_| ())
}

/// Every step of the schema, oldest first: its number, its name, its statements.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("migrations/0001_first.sql")),
    (2, "trust", include_str!("migrations/0002_trust.sql")),
    (3, "accounts", include_str!("migrations/0003_accounts.sql")),
    (10, "ledger", include_str!("migrations/0010_ledger.sql")),
    (20, "policies", include_str!("migrations/0020_policies.sql")),
    (30, "certificates", include_str!("migrations/0030_certificates.sql")),
    (40, "end_bytes", include_str!("migrations/0040_end_bytes.sql")),
    (50, "recovery", include_str!("migrations/0050_recovery.sql")),
    (60, "backups", include_str!("migrations/0060_backups.sql")),
    (70, "certified_until", include_str!("migrations/0070_certified_until.sql")),
    (80, "sessions", include_str!("migrations/0080_sessions.sql")),
    (90, "names", include_str!("migrations/0090_names.sql")),
    (100, "session_form", include_str!("migrations/0100_session_form.sql")),
    (110, "invitations", include_str!("migrations/0110_invitations.sql")),
    (120, "admin_limits", include_str!("migrations/0120_admin_limits.sql")),
    (130, "admin_sign_ins", include_str!("migrations/0130_admin_sign_ins.sql")),
    (140, "refused_tries", include_str!("migrations/0140_refused_tries.sql")),
    (150, "ends_after_restore", include_str!("migrations/0150_ends_after_restore.sql")),
    (160, "restores_stay", include_str!("migrations/0160_restores_stay.sql")),
];

fn migrator() -> Migrator {
    let step = |&(number, name, statements): &(i64, &'static str, &'static str)| {
        let statements = statements.into_sql_str();
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, statements, false)
    };
    Migrator { migrations: STEPS.iter().map(step).collect(), ..Migrator::DEFAULT }
}
