//! Rows of sessions that run, so that the next run of the server knows them.
//!
//! What lets an end come back stands in them sealed, as people's names do (T62), and times are on the steady clock (F12).
//! A copy of the database that comes back has none: what ended since would otherwise revive.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Acquire as _, Row as _, Sqlite, Transaction};
use tasuki_protocol::ids::SessionId;

use super::accounts::Accounts;
use super::acts::Step;
use super::desk::Desk;
use super::fault::Fault;
use super::folder::DATABASE;
use super::names::{Cell, Names};
use super::store::{Store, steady_of};
use super::store_fault;
use crate::core::kept::{Kept, LastSeen, Remembered};
use crate::core::rooms::{Operator, OperatorId};

/// Of what stands in a row, sealed. Another one is not read for this one, whatever it looks like: who comes back to its
/// session is told that it is over.
const FORM: i64 = 2;

pub(super) async fn keep(
    transaction: &mut Transaction<'_, Sqlite>,
    kept: &Kept,
    names: &Names,
) -> Result<(), sqlx::Error> {
    let at = steady_of(&mut **transaction).await?.now();
    let sealed = names.seal(Cell::Session, kept).map_err(|_| sqlx::Error::WorkerCrashed)?;
    let insert = "INSERT INTO sessions (session, operator, at, kept, form) VALUES (?, ?, ?, ?, ?)";
    let insert = sqlx::query(insert).bind(kept.session.0.to_vec()).bind(kept.operator);
    let insert = insert.bind(at).bind(sealed).bind(FORM);
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
    at: impl sqlx::Executor<'_, Database = Sqlite>,
    session: &[u8],
) -> Result<(), sqlx::Error> {
    let forget = sqlx::query("DELETE FROM sessions WHERE session = ?").bind(session.to_vec());
    forget.execute(at).await.map(|_| ())
}

/// The step of an act that ends all that an operator has running: no crash comes between (T55).
pub(super) fn end_all_of(operator: i64) -> Step {
    Step::new("DELETE FROM sessions WHERE operator = ?").with(operator)
}

/// Rows that a full disk or a full queue left as they were; whether all of them are right now. Whatever the database
/// has against it, the rest of the transaction stands.
pub(super) async fn put_right(
    transaction: &mut Transaction<'_, Sqlite>,
    desk: &Desk,
) -> Result<bool, sqlx::Error> {
    if !desk.remembers() {
        return Ok(false);
    }
    let mut own = transaction.begin().await?;
    match put_each_right(&mut own, desk).await {
        Ok(()) => own.commit().await.map(|()| true),
        Err(error) => {
            tracing::error!(%error, "rows of sessions cannot be put right yet");
            own.rollback().await.map(|()| false)
        }
    }
}

async fn put_each_right(
    transaction: &mut Transaction<'_, Sqlite>,
    desk: &Desk,
) -> Result<(), sqlx::Error> {
    let find = sqlx::query_scalar::<_, Vec<u8>>("SELECT session FROM sessions");
    for session in find.fetch_all(&mut **transaction).await? {
        let id = <[u8; 16]>::try_from(session.as_slice()).map(SessionId);
        match id.ok().and_then(|id| Some((id, desk.last_seen(id)?))) {
            Some((id, last)) => mark(transaction, id, last).await?,
            None => forget(&mut **transaction, &session).await?,
        }
    }
    Ok(())
}

/// What an earlier run knew is known again, under its operators as they are now.
///
/// # Errors
/// The database does not say.
pub(super) async fn remember(desk: &Desk, accounts: &Accounts) -> Result<(), Fault> {
    let fault = |error| store_fault::of_database(&error, Path::new(DATABASE));
    let sessions = remembered(&accounts.store, accounts).await.map_err(fault)?;
    desk.remember(sessions).await;
    Ok(())
}

async fn remembered(store: &Store, accounts: &Accounts) -> Result<Vec<Remembered>, sqlx::Error> {
    sqlx::query("UPDATE sessions SET starts = starts + 1").execute(&store.pool).await?;
    let find = sqlx::query("SELECT session, at, kept, let_go, starts, form FROM sessions");
    let (mut found, mut known) = (Vec::new(), HashMap::<_, Option<Operator>>::new());
    for row in find.fetch_all(&store.pool).await? {
        let Some((kept, last, starts)) = read(&row, accounts)? else {
            // Of another key, or in another form: who comes back to it is told that it is over.
            tracing::warn!("a session of before cannot be read, and is over");
            forget(&store.pool, &row.try_get::<Vec<u8>, _>(0)?).await?;
            continue;
        };
        let whose = (kept.operator, kept.device);
        let operator = match known.get(&whose) {
            Some(operator) => Option::clone(operator),
            None => accounts.at_device(OperatorId(kept.operator), &kept.device).await?,
        };
        known.insert(whose, operator.clone());
        found.push(Remembered { kept, last, starts, operator });
    }
    Ok(found)
}

fn read(row: &SqliteRow, accounts: &Accounts) -> Result<Option<(Kept, LastSeen, u32)>, sqlx::Error> {
    if row.try_get::<i64, _>(5)? != FORM {
        return Ok(None);
    }
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
