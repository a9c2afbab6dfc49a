//! Administrators' sign-ins, several at once of each: 256 random bits beside the key, kept as SHA-256 (T55). Who has
//! the key alone is asked for password and digits, whoever else is signed in with it.
//!
//! Times are on the steady clock, which no step of the wall clock moves (F12).

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tasuki_protocol::admin::{AdminSignIn, ProblemCode};

use super::accounts::{Accounts, digest, seconds};
use super::acts::{Step, Value};
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

/// An administrator who is signed in: by which of his sign-ins, and under which limits.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    pub(crate) admin: AdminId,
    pub(crate) by: Shown,
    /// As they were kept when he was found to be within them; empty where he has none.
    limits: Vec<u8>,
}

impl Present {
    /// What each of his acts begins with, in the commit that carries all of it: while the request waited nobody ended his
    /// sign-in or set him other limits (T17, T54, T55).
    pub(super) fn is_still_here(&self) -> Step {
        let is_here = "UPDATE admin_sessions SET used = used
             WHERE hash = ? AND admin = ? AND EXISTS (SELECT 1 FROM admins
                 WHERE admins.id = admin_sessions.admin AND COALESCE(admins.limits, x'') = ?)";
        let is_here = Step::new(is_here).with(self.by.row()).with(self.admin.0);
        is_here.with(self.limits.clone()).or(ProblemCode::AdminSignIn)
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

    /// The row of a sign-in of the administrator whose number, or whose name's index, `whose` is, if his password is kept as
    /// `stored` then.
    pub(super) fn begin_admin_sign_in(
        &self,
        whose: impl Into<Value>,
        stored: String,
        hash: Vec<u8>,
    ) -> Step {
        let begin = "INSERT INTO admin_sessions (hash, admin, began, used, confirmed)
             SELECT ?1, id, ?2, ?2, ?2 FROM admins WHERE (id = ?3 OR name_index = ?3) AND password = ?4";
        let begin = Step::new(begin).with(hash).with(self.clock.now()).with(whose).with(stored);
        begin.or(ProblemCode::SignIn)
    }

    /// Of who has typed the password that `stored` is of, if it is that still. It takes the place of the one in which
    /// he asked, and beyond so many of the one that was not used for longest.
    pub(super) fn open_admin_sign_in(
        &self,
        (admin, from): (AdminId, Option<Shown>),
        stored: String,
        hash: Vec<u8>,
    ) -> Vec<Step> {
        let bound = "DELETE FROM admin_sessions WHERE admin = ?1 AND hash NOT IN
             (SELECT hash FROM admin_sessions WHERE admin = ?1 ORDER BY used DESC, rowid DESC LIMIT 8)";
        let before = from.map(|shown| Self::end_admin_sign_in(admin, shown));
        let begin = self.begin_admin_sign_in(admin.0, stored, hash);
        let steps = [begin, Step::new(bound).with(admin.0)];
        before.into_iter().chain(steps).collect()
    }

    /// Who is signed in with what the request shows, and may act from there now (T54); counts as a use of that sign-in.
    pub(crate) async fn admin_session(
        &self,
        (admin, by): (AdminId, Shown),
        address: IpAddr,
    ) -> Result<Present, AdminRefused> {
        // The sign-in that is asked for then tells him which limit it is.
        let limits = self.limits_around(admin, address).await?.ok_or(ProblemCode::AdminSignIn)?;
        let now = self.clock.now();
        let touch = "UPDATE admin_sessions SET used = ?1
             WHERE hash = ?2 AND admin = ?3 AND began > ?4 AND used > ?5";
        let touched = sqlx::query(touch)
            .bind(now)
            .bind(by.row())
            .bind(admin.0)
            .bind(now.saturating_sub(seconds(self.rules.token_absolute)))
            .bind(now.saturating_sub(seconds(self.rules.token_idle)))
            .execute(&self.store.writes)
            .await?;
        let is_one = touched.rows_affected() == 1;
        if is_one { Ok(Present { admin, by, limits }) } else { Err(ProblemCode::AdminSignIn.into()) }
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
