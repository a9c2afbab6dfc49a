//! Administrators' sign-ins, several at once of each: 256 random bits beside the key, kept as SHA-256 (T55). Who has
//! the key alone is asked for password and digits, whoever else is signed in with it.
//!
//! Times are on the steady clock, which no step of the wall clock moves (F12).

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tasuki_protocol::admin::{AdminSignIn, ProblemCode};

use super::accounts::{Accounts, digest, seconds};
use super::acts::Step;
use super::admins::{AdminId, AdminRefused};
use super::clock;

/// A sign-in by what a request shows of it; whether it stands is another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown([u8; 32]);

impl Shown {
    /// By the value of a request's header.
    pub(crate) fn by(session: &str) -> Self {
        Self(digest(session))
    }

    fn row(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// A sign-in that is to be: what is told of it, and its row's key.
pub(super) struct New {
    pub(super) told: AdminSignIn,
    pub(super) hash: Vec<u8>,
}

impl Accounts {
    pub(super) fn new_admin_sign_in(&self) -> Result<New, ProblemCode> {
        let bytes: [u8; 32] = clock::random().map_err(|_| ProblemCode::Busy)?;
        let session = URL_SAFE_NO_PAD.encode(bytes);
        let hash = Shown::by(&session).row();
        let expires_in = self.rules.token_absolute.as_secs();
        Ok(New { told: AdminSignIn { session, expires_in }, hash })
    }

    /// Of who has typed the password that `stored` is of, if it is that still. It takes the place of the one in which
    /// he asked, and beyond so many of the one that was not used for longest.
    pub(super) fn open_admin_sign_in(
        &self,
        (admin, from): (AdminId, Option<Shown>),
        stored: String,
        hash: Vec<u8>,
    ) -> Vec<Step> {
        let open = "INSERT INTO admin_sessions (hash, admin, began, used, confirmed)
             SELECT ?1, id, ?3, ?3, ?3 FROM admins WHERE id = ?2 AND password = ?4";
        let open = Step::new(open).with(hash).with(admin.0).with(self.clock.now()).with(stored);
        let bound = "DELETE FROM admin_sessions WHERE admin = ?1 AND hash NOT IN
             (SELECT hash FROM admin_sessions WHERE admin = ?1 ORDER BY used DESC, rowid DESC LIMIT 8)";
        let before = from.map(|shown| Self::end_admin_sign_in(admin, shown));
        let steps = [open.or(ProblemCode::SignIn), Step::new(bound).with(admin.0)];
        before.into_iter().chain(steps).collect()
    }

    /// That the administrator is signed in with what the request shows, and may act from there now (T54); counts as a
    /// use of that sign-in.
    pub(crate) async fn admin_session(
        &self,
        (admin, shown): (AdminId, Shown),
        address: IpAddr,
    ) -> Result<(), AdminRefused> {
        // The sign-in that is asked for then tells him which limit it is.
        if !self.admin_is_inside(admin, address).await? {
            return Err(ProblemCode::AdminSignIn.into());
        }
        let now = self.clock.now();
        let touch = "UPDATE admin_sessions SET used = ?1
             WHERE hash = ?2 AND admin = ?3 AND began > ?4 AND used > ?5";
        let touched = sqlx::query(touch)
            .bind(now)
            .bind(shown.row())
            .bind(admin.0)
            .bind(now.saturating_sub(seconds(self.rules.token_absolute)))
            .bind(now.saturating_sub(seconds(self.rules.token_idle)))
            .execute(&self.store.writes)
            .await?;
        if touched.rows_affected() == 1 { Ok(()) } else { Err(ProblemCode::AdminSignIn.into()) }
    }

    /// That within the last minutes it was shown in this very sign-in who it is: to be asked
    /// before a policy changes, and before keys or administrators do.
    pub(crate) async fn recently_confirmed(&self, shown: Shown) -> Result<(), AdminRefused> {
        let since = self.clock.now().saturating_sub(seconds(self.rules.confirm_for));
        let find = sqlx::query("SELECT 1 FROM admin_sessions WHERE hash = ? AND confirmed > ?");
        let found = find.bind(shown.row()).bind(since).fetch_optional(&self.store.pool).await?;
        if found.is_some() { Ok(()) } else { Err(ProblemCode::Confirm.into()) }
    }

    /// This one; what else he has open goes on.
    pub(crate) fn end_admin_sign_in(admin: AdminId, shown: Shown) -> Step {
        let end = Step::new("DELETE FROM admin_sessions WHERE admin = ? AND hash = ?");
        end.with(admin.0).with(shown.row())
    }

    /// All of his.
    pub(crate) fn log_admin_out(admin: AdminId) -> Step {
        Step::new("DELETE FROM admin_sessions WHERE admin = ?").with(admin.0)
    }
}
