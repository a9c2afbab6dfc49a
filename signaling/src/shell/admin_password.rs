//! An administrator's own password: the old one is asked for, and counted like a sign-in's (T51).

use sqlx::Row as _;
use tasuki_protocol::admin::{ChangeAdminPassword, ProblemCode};
use tasuki_protocol::ledger::words::LockedOut;
use zeroize::Zeroizing;

use super::accounts::{Accounts, LoginRefused, Wrong};
use super::acts::Step;
use super::admins::{AdminId, BY_KEY};
use super::failures::Counted;
use super::passwords::{Turn, Whose};
use super::rules;
use super::second::Owner;

impl Accounts {
    /// The row of the new password; a code where it cannot be one.
    pub(crate) async fn change_admin_password(
        &self,
        admin: AdminId,
        asked: ChangeAdminPassword,
    ) -> Result<Result<Step, ProblemCode>, LoginRefused> {
        let turn = self.passwords.queue(admin.lane())?;
        let counted = self.count_failure(admin.subject(), BY_KEY).await?;
        let changed = self.new_admin_password((admin, counted), asked, turn).await;
        if changed.as_ref().is_err_and(LoginRefused::is_the_servers) {
            self.take_back(admin.subject(), BY_KEY, counted);
        }
        changed
    }

    async fn new_admin_password(
        &self,
        (admin, counted): (AdminId, Counted),
        asked: ChangeAdminPassword,
        turn: Turn,
    ) -> Result<Result<Step, ProblemCode>, LoginRefused> {
        let subject = admin.subject();
        let (old, new) = (Zeroizing::new(asked.old), Zeroizing::new(asked.new));
        let find = sqlx::query("SELECT password FROM admins WHERE id = ?").bind(admin.0);
        let row = find.fetch_optional(&self.store.pool).await?;
        let stored = row.and_then(|row| row.try_get::<String, _>(0).ok());
        let right = turn.verify(Zeroizing::new(rules::normal(&old)), stored.clone()).await?;
        if let Counted::Suspended { .. } = counted {
            return Err(LoginRefused::SignIn(Some(subject), Wrong::Suspended, None));
        }
        let Some(stored) = stored.filter(|_| right) else {
            let locked = (counted == Counted::Last).then_some(LockedOut::ThisDevice);
            return Err(LoginRefused::SignIn(Some(subject), Wrong::Credentials, locked));
        };
        let name = self.admin_name(admin).await?;
        let beside = self.beside(Owner::Admin(admin.0)).await?;
        let changed = match self.rules.passwords.check(&new, &name, beside) {
            Ok(()) => {
                let whose = Some(Whose::Administrator(admin.0));
                let hash = self.passwords.hash(Zeroizing::new(rules::normal(&new)), whose).await?;
                let change = Step::new("UPDATE admins SET password = ? WHERE id = ? AND password = ?");
                Ok(change.with(hash).with(admin.0).with(stored).or(ProblemCode::SignIn))
            }
            Err(code) => Err(code),
        };
        // Only this try: of the second factor nothing was shown. Last, for what fails before it is taken back as a whole.
        self.forgive_one(subject, BY_KEY).await?;
        Ok(changed)
    }
}
