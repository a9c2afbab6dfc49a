//! Rows of sessions that run, so that the next run of the server knows them.
//!
//! What lets an end come back stands in them sealed, as people's names do (T62), and times are on the steady clock (F12).
//! A copy of the database that comes back has none: what ended since would otherwise revive.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Acquire as _, Row as _, Sqlite, Transaction};
use tasuki_protocol::ids::SessionId;

use super::accounts::Accounts;
use super::desk::Desk;
use super::fault::Fault;
use super::folder::DATABASE;
use super::names::{Cell, Names};
use super::store::{Store, steady_of};
use crate::core::kept::{Kept, LastSeen, Remembered};
use crate::core::rooms::{Input, OperatorId};

pub(super) async fn keep(
    transaction: &mut Transaction<'_, Sqlite>,
    kept: &Kept,
    names: &Names,
) -> Result<(), sqlx::Error> {
    let at = steady_of(&mut **transaction).await?.now();
    let sealed = names.seal(Cell::Session, kept).map_err(|_| sqlx::Error::WorkerCrashed)?;
    let insert = sqlx::query("INSERT INTO sessions (session, at, kept) VALUES (?, ?, ?)");
    let insert = insert.bind(kept.session.0.to_vec()).bind(at).bind(sealed);
    insert.execute(&mut **transaction).await.map(|_| ())
}

pub(super) async fn mark(
    transaction: &mut Transaction<'_, Sqlite>,
    session: SessionId,
    last: LastSeen,
) -> Result<(), sqlx::Error> {
    let mark = sqlx::query("UPDATE sessions SET let_go = ? WHERE session = ?");
    let mark = mark.bind(i64::from(last == LastSeen::LetGo)).bind(session.0.to_vec());
    mark.execute(&mut **transaction).await.map(|_| ())
}

pub(super) async fn forget(
    transaction: &mut Transaction<'_, Sqlite>,
    session: &[u8],
) -> Result<(), sqlx::Error> {
    let forget = sqlx::query("DELETE FROM sessions WHERE session = ?").bind(session.to_vec());
    forget.execute(&mut **transaction).await.map(|_| ())
}

/// Rows of what is over, and whose going a full disk or a full queue did not take; whether all of them are gone.
/// Whatever the database has against it, the rest of the transaction stands.
pub(super) async fn forget_what_is_over(
    transaction: &mut Transaction<'_, Sqlite>,
    desk: &Desk,
) -> Result<bool, sqlx::Error> {
    let mut own = transaction.begin().await?;
    match forget_unknown(&mut own, desk).await {
        Ok(()) => own.commit().await.map(|()| true),
        Err(error) => {
            tracing::error!(%error, "rows of sessions that are over cannot be removed yet");
            own.rollback().await.map(|()| false)
        }
    }
}

async fn forget_unknown(
    transaction: &mut Transaction<'_, Sqlite>,
    desk: &Desk,
) -> Result<(), sqlx::Error> {
    let find = sqlx::query_scalar::<_, Vec<u8>>("SELECT session FROM sessions");
    for session in find.fetch_all(&mut **transaction).await? {
        let id = <[u8; 16]>::try_from(session.as_slice()).map(SessionId);
        if !id.is_ok_and(|id| desk.knows(id)) {
            forget(transaction, &session).await?;
        }
    }
    Ok(())
}

/// What an earlier run knew is known again, under its operators as they are now.
///
/// # Errors
/// The database does not say.
pub(super) async fn remember(desk: &Desk, accounts: &Accounts) -> Result<(), Fault> {
    let damaged = |_| Fault::DatabaseDamaged(PathBuf::from(DATABASE));
    let sessions = remembered(&accounts.store, accounts).await.map_err(damaged)?;
    desk.turn(Input::Remembered { sessions });
    Ok(())
}

async fn remembered(store: &Store, accounts: &Accounts) -> Result<Vec<Remembered>, sqlx::Error> {
    sqlx::query("UPDATE sessions SET starts = starts + 1").execute(&store.pool).await?;
    let find = sqlx::query("SELECT session, at, kept, let_go, starts FROM sessions");
    let mut found = Vec::new();
    for row in find.fetch_all(&store.pool).await? {
        let Some((kept, last, starts)) = read(&row, accounts)? else {
            // Of another key, or in another form: who comes back to it is told that it is over.
            let forget = sqlx::query("DELETE FROM sessions WHERE session = ?");
            forget.bind(row.try_get::<Vec<u8>, _>(0)?).execute(&store.pool).await?;
            continue;
        };
        let operator = accounts.at_device(OperatorId(kept.operator), &kept.device).await?;
        found.push(Remembered { kept, last, starts, operator });
    }
    Ok(found)
}

fn read(row: &SqliteRow, accounts: &Accounts) -> Result<Option<(Kept, LastSeen, u32)>, sqlx::Error> {
    let (session, sealed) = (row.try_get::<Vec<u8>, _>(0)?, row.try_get::<Vec<u8>, _>(2)?);
    let Some(kept) = accounts.names.open::<Kept>(Cell::Session, &sealed) else { return Ok(None) };
    if kept.session.0.as_slice() != session {
        return Ok(None);
    }
    let since = accounts.clock.now().saturating_sub(row.try_get(1)?);
    let since = Duration::from_secs(u64::try_from(since).unwrap_or_default());
    let last = if row.try_get::<i64, _>(3)? == 0 { LastSeen::Running } else { LastSeen::LetGo };
    let starts = u32::try_from(row.try_get::<i64, _>(4)?).unwrap_or(u32::MAX);
    Ok(Some((kept.later(since), last, starts)))
}
