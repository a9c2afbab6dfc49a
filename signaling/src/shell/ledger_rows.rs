//! The ledger's rows in the database. Decides nothing: the core's pen says what they are.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row as _, Sqlite, Transaction};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Digest, Role, SessionId};
use tasuki_protocol::ledger::event::Class;
use tasuki_protocol::ledger::keys::Envelope;
use tasuki_protocol::ledger::record::{FromEnd, Opened, Place, Row};
use tasuki_protocol::ledger::tree::{self, Frontier, Hash, Subtree};
use tasuki_protocol::ledger::wire::{
    EndRow, MAX_END_BYTES, MAX_END_NUMBER, MAX_PAGE, RowsPage, StoredRow,
};
use tasuki_protocol::message;

use super::clock;
use super::store::{KEPT_S, Store};
use crate::core::ledger::{Draft, NOTHING_BEFORE, Write};

/// Notes that one page carries at most.
const MAX_NOTES: i64 = 1_000;

/// Adds what a draft holds to a transaction.
pub(crate) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    writes: &[Write],
) -> Result<(), sqlx::Error> {
    for write in writes {
        let query = match write {
            Write::Key(digest, envelope) => {
                sqlx::query("INSERT INTO ledger_keys (digest, envelope) VALUES (?, ?)")
                    .bind(digest.0.to_vec())
                    .bind(message::encode(envelope))
            }
            Write::Row(row, leaf) => sqlx::query(
                "INSERT INTO ledger (seq, at, class, key, sealed, leaf) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(number(row.place.seq))
            .bind(number(row.place.at))
            .bind(row.place.class as u8)
            .bind(row.key.0.to_vec())
            .bind(row.sealed.0.clone())
            .bind(leaf.0.to_vec()),
            Write::Node(at, hash) => {
                sqlx::query("INSERT INTO ledger_nodes (level, place, hash) VALUES (?, ?, ?)")
                    .bind(at.level)
                    .bind(number(at.place))
                    .bind(hash.0.to_vec())
            }
        };
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

/// How far an end's records have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Delivered {
    /// The number of the next.
    next: u64,
    /// What all before it take.
    bytes: u64,
    /// It may be further than is known here: a backup was restored that has it as it was, or lacks it.
    is_restored: bool,
}

impl Delivered {
    /// The end has what it delivered no more: after a restore it goes on behind that, and the gap in its numbers shows.
    fn goes_on_at(self, number: u64) -> bool {
        number == self.next || (self.is_restored && number > self.next)
    }
}

/// Takes of `rows` what goes on from where this end's records are; gives the number of the next.
pub(super) async fn deliver(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    (session, role): (SessionId, Role),
    rows: &[EndRow],
) -> Result<u64, sqlx::Error> {
    let known = delivered(&mut *connection, session, role).await?;
    let mut here = known;
    for row in rows {
        let EndRow { number, sealed } = row;
        // Known already, or one between is missing: the answer says where to go on.
        if !here.goes_on_at(*number) {
            continue;
        }
        let bytes = here.bytes + row.bytes();
        if *number >= MAX_END_NUMBER || bytes > MAX_END_BYTES {
            tracing::warn!(%session, ?role, "an end delivers more than a session may");
            break;
        }
        let from_end = FromEnd { session, role, number: *number, sealed: sealed.clone() };
        if draft.append(&Opened::FromEnd(from_end), Class::Content).is_err() {
            break;
        }
        here = Delivered { next: number + 1, bytes, is_restored: false };
    }
    if here != known {
        set_delivered(connection, session, role, here).await?;
    }
    Ok(here.next)
}

async fn delivered(
    connection: &mut SqliteConnection,
    session: SessionId,
    role: Role,
) -> Result<Delivered, sqlx::Error> {
    let find = "SELECT next, bytes, restored FROM ledger_ends WHERE session = ? AND role = ?";
    let find = sqlx::query(find);
    let find = find.bind(session.0.to_vec()).bind(role_number(role));
    let row = find.fetch_optional(&mut *connection).await?;
    let Some(row) = row else {
        let is_restored = is_of_before_a_restore(connection, session).await?;
        return Ok(Delivered { next: 0, bytes: 0, is_restored });
    };
    let is_restored = unsigned(&row, 2)? > 0;
    Ok(Delivered { next: unsigned(&row, 0)?, bytes: unsigned(&row, 1)?, is_restored })
}

/// Whether a session that delivered nothing as far as is known here began before a restore that is not a day old: the
/// server does not know it, and each that was opened since stands in `rooms` for longer than that.
async fn is_of_before_a_restore(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<bool, sqlx::Error> {
    let find = "SELECT EXISTS (SELECT 1 FROM restores WHERE at > ?)
         AND NOT EXISTS (SELECT 1 FROM rooms WHERE session = ?)";
    let find = sqlx::query(find).bind(clock::unix_row() - KEPT_S).bind(session.0.to_vec());
    find.fetch_one(connection).await?.try_get(0)
}

async fn set_delivered(
    connection: &mut SqliteConnection,
    session: SessionId,
    role: Role,
    delivered: Delivered,
) -> Result<(), sqlx::Error> {
    let set = "INSERT INTO ledger_ends (session, role, next, bytes, restored) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT (session, role)
         DO UPDATE SET next = excluded.next, bytes = excluded.bytes, restored = 0";
    let set = sqlx::query(set).bind(session.0.to_vec()).bind(role_number(role));
    let set = set.bind(number(delivered.next)).bind(number(delivered.bytes));
    set.execute(connection).await.map(|_| ())
}

impl Store {
    /// All that the pen needs to go on: the frontier and the last leaf.
    pub(crate) async fn ledger_end(&self) -> Result<(Frontier, Hash), sqlx::Error> {
        let last = sqlx::query("SELECT seq, leaf FROM ledger ORDER BY seq DESC LIMIT 1");
        let Some(last) = last.fetch_optional(&self.pool).await? else {
            return Ok((Frontier::default(), NOTHING_BEFORE));
        };
        let size = unsigned(&last, 0)? + 1;
        let before = hash(&last, 1)?;
        let wanted = wanted(|ask| Frontier::load(size, ask));
        let hashes = self.subtrees(&wanted).await?;
        let mut hashes = hashes.into_iter();
        let frontier = Frontier::load(size, |_| hashes.next().ok_or(sqlx::Error::RowNotFound))?;
        Ok((frontier, before))
    }

    /// The proof that `new` records grew out of the first `old`.
    pub(crate) async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, sqlx::Error> {
        let wanted = wanted(|ask| tree::consistency(old, new, ask));
        let hashes = self.subtrees(&wanted).await?;
        let mut hashes = hashes.into_iter();
        tree::consistency(old, new, |_| hashes.next().ok_or(sqlx::Error::RowNotFound))
    }

    /// The root over the first `size` records.
    pub(crate) async fn root_at(&self, size: u64) -> Result<Hash, sqlx::Error> {
        let wanted = wanted(|ask| Frontier::load(size, ask));
        let hashes = self.subtrees(&wanted).await?;
        let mut hashes = hashes.into_iter();
        let load = Frontier::load(size, |_| hashes.next().ok_or(sqlx::Error::RowNotFound));
        load.map(|frontier| frontier.root())
    }

    async fn subtrees(&self, wanted: &[Subtree]) -> Result<Vec<Hash>, sqlx::Error> {
        let mut hashes = Vec::with_capacity(wanted.len());
        for at in wanted {
            let query = if at.level == 0 {
                sqlx::query("SELECT leaf FROM ledger WHERE seq = ?").bind(number(at.place))
            } else {
                sqlx::query("SELECT hash FROM ledger_nodes WHERE level = ? AND place = ?")
                    .bind(at.level)
                    .bind(number(at.place))
            };
            hashes.push(hash(&query.fetch_one(&self.pool).await?, 0)?);
        }
        Ok(hashes)
    }

    /// A bundle is in force, and the ledger has no record at all.
    pub(crate) async fn lacks_beginning(&self) -> Result<bool, sqlx::Error> {
        let find = "SELECT EXISTS (SELECT 1 FROM documents WHERE kind = 'bundle')
             AND NOT EXISTS (SELECT 1 FROM ledger) AND NOT EXISTS (SELECT 1 FROM ledger_checkpoints)";
        sqlx::query(find).fetch_one(&self.pool).await?.try_get(0)
    }

    pub(crate) async fn newest_note(&self) -> Result<Option<String>, sqlx::Error> {
        let find = sqlx::query("SELECT note FROM ledger_checkpoints ORDER BY size DESC LIMIT 1");
        find.fetch_optional(&self.pool).await?.map(|row| row.try_get(0)).transpose()
    }

    pub(crate) async fn keep_note(&self, size: u64, note: &str) -> Result<(), sqlx::Error> {
        let keep = sqlx::query("INSERT OR REPLACE INTO ledger_checkpoints (size, note) VALUES (?, ?)");
        keep.bind(number(size)).bind(note).execute(&self.records).await.map(|_| ())
    }

    /// The leaf before record `seq`.
    pub(crate) async fn leaf_before(&self, seq: u64) -> Result<Hash, sqlx::Error> {
        let Some(before) = seq.checked_sub(1) else { return Ok(NOTHING_BEFORE) };
        let find = sqlx::query("SELECT leaf FROM ledger WHERE seq = ?").bind(number(before));
        hash(&find.fetch_one(&self.pool).await?, 0)
    }

    pub(crate) async fn page(&self, from: u64, count: u64) -> Result<RowsPage, sqlx::Error> {
        let to = from.saturating_add(count.min(MAX_PAGE));
        let rows = sqlx::query(
            "SELECT seq, at, class, key, sealed, leaf FROM ledger WHERE seq >= ? AND seq < ? ORDER BY seq",
        );
        let rows = rows.bind(number(from)).bind(number(to)).fetch_all(&self.pool).await?;
        let keys = "SELECT envelope FROM ledger_keys WHERE digest IN
             (SELECT DISTINCT key FROM ledger WHERE seq >= ? AND seq < ?)";
        let keys = sqlx::query(keys).bind(number(from)).bind(number(to)).fetch_all(&self.pool).await?;
        let notes = "SELECT note FROM ledger_checkpoints WHERE size > ? AND size <= ?
             ORDER BY size LIMIT ?";
        let notes = sqlx::query(notes).bind(number(from)).bind(number(to)).bind(MAX_NOTES);
        let notes = notes.fetch_all(&self.pool).await?;
        Ok(RowsPage {
            rows: rows.iter().map(stored).collect::<Result<_, _>>()?,
            keys: keys.iter().map(envelope).collect::<Result<_, _>>()?,
            notes: notes.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?,
        })
    }
}

/// Which subtrees `walk` asks for, in its order.
fn wanted<T>(
    walk: impl FnOnce(&mut dyn FnMut(Subtree) -> Result<Hash, ()>) -> Result<T, ()>,
) -> Vec<Subtree> {
    let mut wanted = Vec::new();
    let walked = walk(&mut |at| {
        wanted.push(at);
        Ok(NOTHING_BEFORE)
    });
    walked.map_or_else(|()| Vec::new(), |_| wanted)
}

fn stored(row: &SqliteRow) -> Result<StoredRow, sqlx::Error> {
    let leaf = hash(row, 5)?;
    let (key, sealed): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(3)?, row.try_get(4)?);
    let (Some(_), Some(sealed)) = (key, sealed) else { return Ok(StoredRow { leaf, row: None }) };
    let class: i64 = row.try_get(2)?;
    let class = u8::try_from(class).ok().and_then(|class| Class::try_from(class).ok());
    let class = class.ok_or_else(|| strange("class"))?;
    let place = Place { seq: unsigned(row, 0)?, at: unsigned(row, 1)?, class };
    Ok(StoredRow { leaf, row: Some(Row { place, key: hash(row, 3)?, sealed: Blob(sealed) }) })
}

fn envelope(row: &SqliteRow) -> Result<Envelope, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(0)?;
    message::decode(&bytes, usize::MAX).map_err(|_| strange("envelope"))
}

fn hash(row: &SqliteRow, at: usize) -> Result<Hash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(at)?;
    bytes.try_into().map(Digest).map_err(|_| strange("hash"))
}

fn unsigned(row: &SqliteRow, at: usize) -> Result<u64, sqlx::Error> {
    u64::try_from(row.try_get::<i64, _>(at)?).map_err(|_| strange("number"))
}

fn strange(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("not a {what} of a ledger").into())
}

pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn role_number(role: Role) -> i64 {
    match role {
        Role::Operator => 0,
        Role::Agent => 1,
    }
}
