//! Whether the ledger's table still has what was hashed and signed: who can write the file can take
//! records away behind the server's back (T64). What was altered inside them is for `audit verify`.

use sqlx::{Row as _, SqlitePool};

/// Whether records are missing over which a hash or a checkpoint was made.
pub(crate) async fn is_cut(pool: &SqlitePool) -> Result<bool, sqlx::Error> {
    let find = "WITH have (size) AS (SELECT COALESCE(MAX(seq) + 1, 0) FROM ledger)
         SELECT EXISTS (SELECT 1 FROM ledger_checkpoints AS note, have WHERE note.size > have.size)
             OR EXISTS (SELECT 1 FROM have, (SELECT level, MAX(place) AS place FROM ledger_nodes
                        GROUP BY level) AS last WHERE ((last.place + 1) << last.level) > have.size)";
    sqlx::query(find).fetch_one(pool).await?.try_get(0)
}
