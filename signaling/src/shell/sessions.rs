//! Rows of sessions that live, so that a restarted server knows them.
//!
//! What lets an end come back stands in them sealed, like people's names (T62).

use sqlx::{Row as _, Sqlite, Transaction};
use tasuki_protocol::ids::SessionId;

use super::accounts::Accounts;
use super::clock;
use super::names::{Cell, Names};
use super::store::Store;
use crate::core::kept::KeptSession;
use crate::core::rooms::{OperatorId, Rooms};

pub(super) async fn keep_session(
    transaction: &mut Transaction<'_, Sqlite>,
    kept: &KeptSession,
    names: &Names,
) -> Result<(), sqlx::Error> {
    let sealed = names.seal(Cell::Session, kept).map_err(|_| sqlx::Error::WorkerCrashed)?;
    let insert = "INSERT OR REPLACE INTO sessions (session, kept) VALUES (?, ?)";
    let insert = sqlx::query(insert).bind(kept.session.0.to_vec()).bind(sealed);
    insert.execute(&mut **transaction).await.map(|_| ())
}

pub(super) async fn forget_session(
    transaction: &mut Transaction<'_, Sqlite>,
    session: SessionId,
) -> Result<(), sqlx::Error> {
    let forget = sqlx::query("DELETE FROM sessions WHERE session = ?").bind(session.0.to_vec());
    forget.execute(&mut **transaction).await.map(|_| ())
}

pub(super) async fn withdraw_session(
    transaction: &mut Transaction<'_, Sqlite>,
    session: SessionId,
) -> Result<(), sqlx::Error> {
    let withdraw = sqlx::query("UPDATE sessions SET withdrawn = 1 WHERE session = ?");
    withdraw.bind(session.0.to_vec()).execute(&mut **transaction).await.map(|_| ())
}

/// Puts the sessions of an earlier run into `rooms`.
pub(super) async fn revive(
    rooms: &mut Rooms,
    store: &Store,
    accounts: &Accounts,
) -> Result<(), sqlx::Error> {
    let find = sqlx::query("SELECT session, kept, withdrawn FROM sessions");
    let now = clock::now();
    for row in find.fetch_all(&store.pool).await? {
        let id: Vec<u8> = row.try_get(0)?;
        let kept: Option<KeptSession> =
            accounts.names.open(Cell::Session, &row.try_get::<Vec<u8>, _>(1)?);
        let Some(kept) = kept.filter(|kept| kept.ends > now.unix) else {
            let forget = sqlx::query("DELETE FROM sessions WHERE session = ?").bind(id);
            forget.execute(&store.pool).await?;
            continue;
        };
        if row.try_get::<i64, _>(2)? != 0 {
            rooms.still_over(&kept, now);
            continue;
        }
        let operator = accounts.operator_at(OperatorId(kept.operator), kept.device).await?;
        rooms.revive(kept, operator, now);
    }
    Ok(())
}
