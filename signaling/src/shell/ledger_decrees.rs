//! What the tenant's root key said of the ledger: tombstones, and restores that were taken on.
//!
//! They name who asked and why, so they lie sealed (T62). It refuses to know what they mean.

use sqlx::{Row as _, Sqlite, Transaction};
use tasuki_protocol::blob::Blob;

use super::ledger::{Unwritten, Work};
use super::ledger_rows::number;
use super::ledger_scribe::Scribe;
use super::names::{Cell, Names};
use super::store::Store;

/// Keeps a decree; with `prune`, the content of every record before that one goes.
pub(super) async fn decree(
    transaction: &mut Transaction<'_, Sqlite>,
    names: &Names,
    (kind, document): (&str, &Blob),
    prune: Option<u64>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO ledger_decrees (kind, document) VALUES (?, ?)")
        .bind(kind.to_owned())
        .bind(seal(names, document)?)
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

/// While it waits for whoever reads, nobody writes.
const SHORT_WAIT: &str = "PRAGMA busy_timeout = 100";
/// As every connection of [`Store`] has it: [`super::store::BUSY`].
const USUAL_WAIT: &str = "PRAGMA busy_timeout = 2000";

fn seal(names: &Names, document: &Blob) -> Result<Vec<u8>, sqlx::Error> {
    names.seal(Cell::Decree, document).map_err(|_| sqlx::Error::WorkerCrashed)
}

impl Scribe {
    /// After a commit that removed something, and until it has worked. Everything is on disk: where only this fails,
    /// nobody is told that what was asked for is not done.
    pub(super) async fn empty_journal(&mut self, works: &[Work], done: &[Result<u64, Unwritten>]) {
        let prunes = |work: &Work| matches!(work, Work::Decree { prune: Some(_), .. });
        let mut done = works.iter().zip(done).filter(|(_, done)| done.is_ok());
        self.journal_full |= done.any(|(work, _)| prunes(work));
        if self.journal_full {
            self.journal_full = !self.store.empty_journal().await.unwrap_or_default();
        }
    }
}

impl Store {
    /// Takes from the journal what was removed from the database, too, and from the file's pages what only the
    /// journal has removed yet (S95). Whoever reads meanwhile is not kept waiting: `false`, it has to be tried again.
    pub(super) async fn empty_journal(&self) -> Result<bool, sqlx::Error> {
        let mut connection = self.records.acquire().await?;
        sqlx::query(SHORT_WAIT).execute(&mut *connection).await?;
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
        let emptied = emptied.and_then(|row| row.try_get::<i64, _>(0));
        sqlx::query(USUAL_WAIT).execute(&mut *connection).await?;
        emptied.map(|busy| busy == 0)
    }

    /// In the order in which they came; one that does not open is none.
    pub(super) async fn decrees(&self, kind: &str, names: &Names) -> Result<Vec<Blob>, sqlx::Error> {
        let find = sqlx::query("SELECT document FROM ledger_decrees WHERE kind = ? ORDER BY id");
        let rows = find.bind(kind.to_owned()).fetch_all(&self.pool).await?;
        let mut decrees = Vec::with_capacity(rows.len());
        for row in &rows {
            let sealed: Vec<u8> = row.try_get(0)?;
            decrees.extend(names.open::<Blob>(Cell::Decree, &sealed));
        }
        Ok(decrees)
    }

    /// Earlier versions kept decrees as they came: those are sealed now.
    pub(super) async fn seal_decrees(&self, names: &Names) -> Result<(), sqlx::Error> {
        let rows = sqlx::query("SELECT id, document FROM ledger_decrees").fetch_all(&self.pool).await?;
        for row in &rows {
            let (id, document): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            // A signed envelope is a JSON object, which nothing sealed is.
            let is_open = serde_json::from_slice::<serde::de::IgnoredAny>(&document).is_ok();
            if is_open {
                sqlx::query("UPDATE ledger_decrees SET document = ? WHERE id = ?")
                    .bind(seal(names, &Blob(document))?)
                    .bind(id)
                    .execute(&self.pool)
                    .await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::store::BUSY;

    #[test]
    fn s95_after_the_journal_is_emptied_the_connection_waits_as_long_as_before() {
        assert_eq!(USUAL_WAIT, format!("PRAGMA busy_timeout = {}", BUSY.as_millis()));
    }
}
