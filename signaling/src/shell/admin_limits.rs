//! From where and when an administrator may sign in, and go on (S63, T54): as an operator, but for one thing. Nobody
//! shuts himself out.

use std::net::IpAddr;

use sqlx::Row as _;
use tasuki_protocol::admin::{AdminLoginAnswer, LimitAdmin, Limits, ProblemCode};

use super::accounts::Accounts;
use super::acts::Step;
use super::admins::{AdminId, AdminRefused};
use super::clock;
use super::names::Cell;
use super::operator_limits::opening;
use crate::core::admission::{Admission, Outside, declares_anew};

impl Accounts {
    /// `None`: nobody can read them, and they allow nothing.
    pub(super) async fn limits_of_admin(&self, admin: AdminId) -> Result<Option<Limits>, sqlx::Error> {
        Ok(self.kept_limits(admin).await?.and_then(|kept| self.admins_limits(kept)))
    }

    /// Sealed, and `None` where he has none, of an administrator who is there.
    async fn kept_limits(&self, admin: AdminId) -> Result<Option<Option<Vec<u8>>>, sqlx::Error> {
        let find = sqlx::query("SELECT limits FROM admins WHERE id = ?").bind(admin.0);
        let row = find.fetch_optional(&self.store.pool).await?;
        row.map(|row| row.try_get::<Option<Vec<u8>>, _>(0)).transpose()
    }

    /// As they are kept.
    pub(super) fn admins_limits(&self, kept: Option<Vec<u8>>) -> Option<Limits> {
        match kept {
            Some(sealed) => self.names.open(Cell::Limits, &sealed),
            None => Some(Limits::default()),
        }
    }

    /// His limits as they are kept, empty where he has none, if who is signed in may still act from there now; `None`: he
    /// may not. Hardware addresses were declared at the sign-in.
    pub(super) async fn limits_around(
        &self,
        admin: AdminId,
        address: IpAddr,
    ) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let Some(kept) = self.kept_limits(admin).await? else { return Ok(None) };
        let limits = self.admins_limits(kept.clone());
        let admission = limits.and_then(|limits| Admission::try_from(&limits).ok());
        let admits = |admission: Admission| admission.check_place_and_time(address, clock::unix_row());
        let is_inside = admission.is_some_and(|admission| admits(admission).is_ok());
        Ok(is_inside.then(|| kept.unwrap_or_default()))
    }

    /// The rows of the limits. Whoever is limited by another at the same moment limits nobody ([`super::ledger::Ledger::act`]):
    /// or two could shut each other out. Where hardware addresses count that did not before, he signs in once more and
    /// declares his.
    pub(crate) async fn limit_admin(
        &self,
        (by, address): (AdminId, IpAddr),
        order: &LimitAdmin,
    ) -> Result<Vec<Step>, AdminRefused> {
        let now = Admission::try_from(&order.limits).map_err(|_| ProblemCode::Unusable)?;
        let find = sqlx::query("SELECT id FROM admins WHERE name_index = ?");
        let find = find.bind(self.names.index(&order.name)).fetch_optional(&self.store.pool);
        let admin = AdminId(find.await?.ok_or(ProblemCode::NotFound)?.try_get(0)?);
        if admin == by && now.check(address, &order.macs, clock::unix_row()).is_err() {
            return Err(ProblemCode::Yourself.into());
        }
        let before = self.limits_of_admin(admin).await?.unwrap_or_default();
        let out = declares_anew(&before, &order.limits);
        let sealed = self.names.seal(Cell::Limits, &order.limits).map_err(|_| ProblemCode::Busy)?;
        let limit = Step::new("UPDATE admins SET limits = ? WHERE id = ?").with(sealed).with(admin.0);
        let over = out.then(|| Self::log_admin_out(admin));
        Ok(std::iter::once(limit.or(ProblemCode::NotFound)).chain(over).collect())
    }
}

/// Whether `limits`, where anybody can read them, let in who signs in from there now, with a computer that declares `macs`.
pub(super) fn admitted(
    limits: Option<&Limits>,
    address: IpAddr,
    macs: &[String],
) -> Result<(), Outside> {
    let admission = limits.and_then(|limits| Admission::try_from(limits).ok());
    let admission = admission.ok_or(Outside::Unreadable)?;
    admission.check(address, macs, clock::unix_row())
}

/// What he is told who has proven everything, and comes from elsewhere or at another hour.
pub(super) fn told_outside(limits: Option<&Limits>, outside: Outside) -> AdminLoginAnswer {
    match outside {
        Outside::Address => AdminLoginAnswer::OutsideAddresses,
        Outside::Mac => AdminLoginAnswer::OutsideHardware,
        Outside::Unreadable => AdminLoginAnswer::LimitsUnreadable,
        Outside::Hours => {
            let (opens, zone) = limits.map(opening).unwrap_or_default();
            AdminLoginAnswer::OutsideHours { opens, zone }
        }
    }
}
