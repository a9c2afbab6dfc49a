//! Tokens by which one more administrator comes: made, listed until somebody has used them, and taken back.
//!
//! It refuses to know who comes by them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tasuki_protocol::admin::{AddAdmin, AdminAdded, InvitationEntry, InvitationList, ProblemCode};
use tasuki_protocol::showable::is_showable_name;

use super::accounts::{Accounts, digest, seconds};
use super::acts::Step;
use super::admins::{AdminId, AdminRefused};
use super::clock;
use super::names::{Cell, Person};

impl Accounts {
    /// The row of a token for one more administrator, and the token. One that is there already never could use it.
    pub(crate) async fn invite_admin(
        &self,
        by: AdminId,
        order: &AddAdmin,
    ) -> Result<(Step, AdminAdded), AdminRefused> {
        if !is_showable_name(&order.name) {
            return Err(ProblemCode::Unusable.into());
        }
        let look = self.names.look(&order.name);
        self.store.is_free("SELECT 1 FROM admins WHERE look = ?", &look).await?;
        let bytes: [u8; 32] = clock::random().map_err(|_| ProblemCode::Busy)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let lifetime = self.rules.code_lifetime;
        let name = self.names.seal(Cell::Invited, &order.name).map_err(|_| ProblemCode::Busy)?;
        let insert = "INSERT INTO admin_tokens (hash, kind, expires, name_index, name, by_admin)
             VALUES (?, 'invited', ?, ?, ?, ?)";
        let insert = Step::new(insert)
            .with(digest(&token).to_vec())
            .with(self.clock.now().saturating_add(seconds(lifetime)))
            .with(self.names.index(&order.name))
            .with(name)
            .with(by.0);
        Ok((insert, AdminAdded { token, expires_in: lifetime.as_secs() }))
    }

    /// Those that somebody could use now.
    pub(crate) async fn invitations(&self) -> Result<InvitationList, AdminRefused> {
        let list = "SELECT admin_tokens.name, expires, person FROM admin_tokens
             LEFT JOIN admins ON admins.id = by_admin
             WHERE kind = 'invited' AND expires > ? ORDER BY expires";
        let rows = sqlx::query(list).bind(self.clock.now()).fetch_all(&self.store.pool).await?;
        let entry = |row: &SqliteRow| {
            let by = row.try_get::<Option<Vec<u8>>, _>(2).ok()?;
            let by = by.and_then(|sealed| self.names.open::<Person>(Cell::Person, &sealed));
            Some(InvitationEntry {
                name: self.names.open(Cell::Invited, &row.try_get::<Vec<u8>, _>(0).ok()?)?,
                until: self.suspended_until(row.try_get(1).ok()?)?,
                by: by.map(|person| person.name).unwrap_or_default(),
            })
        };
        Ok(InvitationList { invitations: rows.iter().filter_map(entry).collect() })
    }

    /// The row of tokens that are none any more: all that were made for `name`.
    pub(crate) fn withdraw_invitations(&self, name: &str) -> Step {
        let withdraw = Step::new("DELETE FROM admin_tokens WHERE kind = 'invited' AND name_index = ?");
        withdraw.with(self.names.index(name)).or(ProblemCode::NotFound)
    }
}
