//! The database copied while it is in use, and a copy that comes back.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::clock;
use super::fault::Fault;
use super::store::Store;
use super::store_fault;
use super::trust::RESTORED;

/// How long a copy waits for a database that another holds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A backup that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restore {
    pub(crate) row: i64,
    /// Unix seconds on the clock of who made it.
    pub(crate) backup_at: u64,
    /// Records of the ledger that came back.
    pub(crate) size: u64,
}

impl Store {
    /// Writes all of the database at `path`, as it is at one moment, to `out`, an empty file.
    pub(crate) async fn copy(path: &Path, out: &Path) -> Result<(), Fault> {
        std::fs::File::open(path).map_err(Fault::unreadable(path))?;
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let opened = SqliteConnection::connect_with(&options.busy_timeout(PATIENCE)).await;
        let mut connection = opened.map_err(|_| Fault::DatabaseDamaged(path.to_owned()))?;
        let name = out.to_string_lossy().into_owned();
        let copied = sqlx::query("VACUUM INTO ?").bind(name).execute(&mut connection).await;
        connection.close().await.ok();
        copied.map(|_| ()).map_err(|error| not_copied(&error, path, out))
    }

    /// Brings a copy that comes back to today's form, and marks it for the ledger. Whoever was
    /// signed in then, or invited, is so no more, and no session of then is known: what ended since would otherwise revive.
    /// A copy without an administrator gets a token for the first one, which is given back: who
    /// has kept the one that `setup` printed has nothing (T57).
    pub(crate) async fn revive(path: &Path, backup_at: u64) -> Result<Option<String>, Fault> {
        let store = Self::open(path).await?;
        let damaged = |error| store_fault::of_database(&error, path);
        for statement in [
            "DELETE FROM tokens",
            "DELETE FROM codes",
            "DELETE FROM admin_sessions",
            "DELETE FROM admin_tokens",
            "DELETE FROM sessions",
            // Whatever they have delivered since, it is lost.
            "INSERT OR IGNORE INTO ledger_ends (session, role, next)
             SELECT session, role, 0 FROM rooms, (SELECT 0 AS role UNION SELECT 1)",
            "UPDATE ledger_ends SET restored = 1",
        ] {
            sqlx::query(statement).execute(&store.pool).await.map_err(damaged)?;
        }
        let anybody = sqlx::query("SELECT 1 FROM admins").fetch_optional(&store.pool).await;
        let token = match anybody.map_err(damaged)? {
            Some(_) => None,
            None => Some(store.expect_first_admin().await?),
        };
        let at = i64::try_from(backup_at).unwrap_or(i64::MAX);
        let mark = sqlx::query("INSERT INTO restores (backup_at, at) VALUES (?, ?)").bind(at);
        let mark = mark.bind(clock::unix_row());
        mark.execute(&store.pool).await.map_err(damaged)?;
        let restored = "INSERT OR REPLACE INTO documents (kind, version, body) VALUES (?, 0, x'')";
        let restored = sqlx::query(restored).bind(RESTORED).execute(&store.pool).await;
        restored.map_err(damaged)?;
        // The file is moved without its log, so everything must stand in it.
        let into_file = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&store.pool).await;
        let busy = into_file.and_then(|row| row.try_get::<i64, _>(0)).map_err(damaged)?;
        store.close().await;
        if busy == 0 { Ok(token) } else { Err(Fault::DatabaseDamaged(path.to_owned())) }
    }

    /// Restores of which the ledger does not know yet.
    pub(crate) async fn restores(&self) -> Result<Vec<Restore>, sqlx::Error> {
        let find = "SELECT id, backup_at, (SELECT COALESCE(MAX(seq) + 1, 0) FROM ledger)
             FROM restores WHERE told = 0";
        let rows = sqlx::query(find).fetch_all(&self.pool).await?;
        let positive = |row: &SqliteRow, at: usize| {
            row.try_get::<i64, _>(at).map(|value| u64::try_from(value).unwrap_or_default())
        };
        let read = |row: &SqliteRow| {
            let (row_id, backup_at, size) = (row.try_get(0)?, positive(row, 1)?, positive(row, 2)?);
            Ok(Restore { row: row_id, backup_at, size })
        };
        rows.iter().map(read).collect()
    }

    pub(crate) async fn restore_is_told(&self, id: i64) -> Result<(), sqlx::Error> {
        let told = sqlx::query("UPDATE restores SET told = 1 WHERE id = ?").bind(id);
        told.execute(&self.writes).await.map(|_| ())
    }
}

/// A full disk where the copy goes is no fault of the database.
fn not_copied(error: &sqlx::Error, path: &Path, out: &Path) -> Fault {
    let at = if store_fault::kind(error) == Some(ErrorKind::ResourceBusy) { path } else { out };
    match store_fault::kind(error) {
        Some(_) => store_fault::of_database(error, at),
        None => Fault::DatabaseDamaged(path.to_owned()),
    }
}
