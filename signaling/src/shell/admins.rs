//! Administrators: how they come, sign in, and sign each request. What a sign-in is then, `admin_sign_ins` says.
//!
//! Every request is signed by the administrator's key over time, nonce, method,
//! path, body and sign-in; a nonce is taken once, also across a restart. Beside the key an
//! administrator needs his password (and authenticator) to sign in.

use std::net::IpAddr;

use sqlx::Row as _;
use tasuki_protocol::admin::{
    ADMIN_PROOF, AdminChange, AdminEntry, AdminList, AdminLogin, AdminLoginAnswer, AdminSignIn,
    ChangeAdmin, EnrolAdmin, MAX_CLOCK_S, OperatorState, ProblemCode, request_proof,
};
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::ledger::words::LockedOut;
use tasuki_protocol::showable::is_showable_name;
use zeroize::Zeroizing;

use super::accounts::{Accounts, LoginRefused, Wrong, digest, signed};
use super::acts::Step;
use super::admin_limits::{admitted, told_outside};
use super::admin_sign_ins::Shown;
use super::clock;
use super::failures::Counted;
use super::names::{Cell, Person};
use super::passwords::{Lane, Turn, Whose};
use super::rules;
use super::second::{Owner, Second};
use crate::core::heads::Claim;

/// In `failures.device`, for an administrator's one key.
pub(super) const BY_KEY: &[u8] = b"key";
/// How long a nonce is kept, in seconds: longer than any request that names it counts.
const NONCE_S: i64 = 3 * MAX_CLOCK_S.cast_signed();

/// Why an administrator's request was not done.
#[derive(Debug)]
pub(crate) enum AdminRefused {
    Problem(ProblemCode),
    /// It was so already: nobody's fault, and answered as done.
    Unchanged,
    Store(sqlx::Error),
}

impl From<sqlx::Error> for AdminRefused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl From<ProblemCode> for AdminRefused {
    fn from(code: ProblemCode) -> Self {
        Self::Problem(code)
    }
}

/// An administrator whose signature held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdminId(pub(crate) i64);

impl AdminId {
    /// Under which failed logins are counted, apart from operators.
    pub(super) fn subject(self) -> i64 {
        -self.0
    }

    /// In which his passwords wait to be looked at.
    pub(super) fn lane(self) -> Lane {
        Lane::Known(Some(Whose::Administrator(self.0)))
    }
}

/// By which door an administrator comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coming {
    /// With the token that `setup` printed. T57.
    First,
    /// With a token that another administrator made.
    Invited,
    /// With a token that the server's own machine made, and the root's word.
    Recovering,
}

impl Coming {
    fn kind(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Invited => "invited",
            Self::Recovering => "recovery",
        }
    }
}

/// A request as it was signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) header: &'a str,
    /// What it shows of a sign-in.
    pub(crate) session: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

impl Accounts {
    /// Whether the token that `setup` printed is still unused. T57.
    pub(crate) async fn expects_admin(&self) -> Result<bool, sqlx::Error> {
        let any = sqlx::query("SELECT 1 FROM admin_tokens WHERE kind = 'first'");
        Ok(any.fetch_optional(&self.store.pool).await?.is_some())
    }

    /// The rows of a new administrator and of his first sign-in.
    pub(crate) async fn enrol_admin(
        &self,
        request: &EnrolAdmin,
        coming: Coming,
    ) -> Result<(Vec<Step>, AdminSignIn), AdminRefused> {
        let proof = format!("{ADMIN_PROOF}\n{}", request.token);
        if !signed(&request.key, proof.as_bytes(), &request.proof.0) {
            return Err(ProblemCode::SignIn.into());
        }
        if !is_showable_name(&request.name) {
            return Err(ProblemCode::Unusable.into());
        }
        self.rules.passwords.check(&request.password, &request.name, rules::Beside::Nothing)?;
        if !self.admin_token_holds(&request.token, coming).await? {
            return Err(ProblemCode::SignIn.into());
        }
        let index = self.names.index(&request.name);
        if !self.is_invited(&request.token, &index).await? {
            return Err(ProblemCode::OtherName.into());
        }
        let look = self.names.look(&request.name);
        if coming != Coming::Recovering {
            self.store.is_free("SELECT 1 FROM admins WHERE look = ?", &look).await?;
        }
        let normal = Zeroizing::new(rules::normal(&request.password));
        let password = self.passwords.hash(normal, Some(Whose::Device(request.key.0))).await;
        let password = password.map_err(ProblemCode::from)?;
        let person = Person { name: request.name.clone(), display_name: request.name.clone() };
        let person = self.names.seal(Cell::Person, &person).map_err(|_| ProblemCode::Busy)?;
        let use_up = Step::new("DELETE FROM admin_tokens WHERE hash = ? AND kind = ?")
            .with(digest(&request.token).to_vec())
            .with(coming.kind().to_owned())
            .or(ProblemCode::SignIn);
        let insert =
            "INSERT OR IGNORE INTO admins (name_index, look, key, person, password, state, added)
             VALUES (?, ?, ?, ?, ?, 'enabled', ?)";
        let insert = Step::new(insert)
            .with(index.clone())
            .with(look)
            .with(request.key.0.to_vec())
            .with(person)
            .with(password.clone())
            .with(clock::unix_row())
            .or(ProblemCode::Taken);
        let sign_in = self.new_admin_sign_in()?;
        let begin = self.begin_admin_sign_in(index, password, sign_in.hash);
        Ok((vec![use_up, insert, begin], sign_in.told))
    }

    pub(super) async fn admin_token_holds(
        &self,
        token: &str,
        coming: Coming,
    ) -> Result<bool, sqlx::Error> {
        let find = "SELECT 1 FROM admin_tokens WHERE hash = ? AND kind = ? AND expires > ?";
        let find = sqlx::query(find).bind(digest(token).to_vec()).bind(coming.kind());
        Ok(find.bind(self.clock.now()).fetch_optional(&self.store.pool).await?.is_some())
    }

    /// Whether the token was made for whoever is found by `index`, or for nobody by name. Another's name would stand in
    /// the ledger for who was never invited. (One that was used up at this moment is told of where it is.)
    async fn is_invited(&self, token: &str, index: &[u8]) -> Result<bool, sqlx::Error> {
        let find = "SELECT 1 FROM admin_tokens WHERE hash = ?1 AND name_index IS NOT NULL AND name_index <> ?2";
        let find = sqlx::query(find).bind(digest(token).to_vec()).bind(index.to_vec());
        Ok(find.fetch_optional(&self.store.pool).await?.is_none())
    }

    /// Which administrator signed this now, and for the first time.
    pub(crate) async fn authorise(&self, request: Signed<'_>) -> Result<AdminId, AdminRefused> {
        let unauthorised = || AdminRefused::from(ProblemCode::Unauthorised);
        let Claim { at, nonce, signature } = Claim::read(request.header).ok_or_else(unauthorised)?;
        let now = clock::unix_row();
        if now.abs_diff(at) > MAX_CLOCK_S {
            return Err(unauthorised());
        }
        let unix = at.unsigned_abs();
        let asked = (request.method, request.path, request.body);
        let message = request_proof((unix, nonce), asked, request.session);
        let rows = sqlx::query("SELECT id, key FROM admins WHERE state = 'enabled'");
        let rows = rows.fetch_all(&self.store.pool).await?;
        let signer = |row: &sqlx::sqlite::SqliteRow| {
            let key = row.try_get::<Vec<u8>, _>(1).ok()?.try_into().ok()?;
            let right = signed(&DeviceKey(key), message.as_bytes(), &signature);
            right.then(|| row.try_get(0).ok()).flatten().map(AdminId)
        };
        let admin = rows.iter().find_map(signer).ok_or_else(unauthorised)?;
        let old = sqlx::query("DELETE FROM admin_nonces WHERE at < ?").bind(now - NONCE_S);
        old.execute(&self.store.writes).await?;
        let first = sqlx::query("INSERT OR IGNORE INTO admin_nonces (nonce, at) VALUES (?, ?)");
        let first = first.bind(nonce.to_lowercase()).bind(now).execute(&self.store.writes).await?;
        if first.rows_affected() == 1 { Ok(admin) } else { Err(unauthorised()) }
    }

    /// The administrator's name, as he gave it.
    pub(crate) async fn admin_name(&self, admin: AdminId) -> Result<String, sqlx::Error> {
        let find = sqlx::query("SELECT person FROM admins WHERE id = ?").bind(admin.0);
        let row = find.fetch_optional(&self.store.pool).await?;
        let sealed = row.and_then(|row| row.try_get::<Vec<u8>, _>(0).ok());
        let person = sealed.and_then(|sealed| self.names.open::<Person>(Cell::Person, &sealed));
        Ok(person.map(|person| person.name).unwrap_or_default())
    }

    /// The key has signed the request already; here come password and digits. Who is right is signed in by
    /// the row that comes with the answer, and by nothing before it.
    pub(crate) async fn log_admin_in(
        &self,
        (admin, from): (AdminId, Option<Shown>),
        request: AdminLogin,
        address: IpAddr,
    ) -> Result<(AdminLoginAnswer, Vec<Step>), LoginRefused> {
        let subject = admin.subject();
        let turn = self.passwords.queue(admin.lane())?;
        let counted = self.count_failure(subject, BY_KEY).await?;
        let judged = self.judge_admin((admin, from, counted), (request, address), turn).await;
        if judged.as_ref().is_err_and(LoginRefused::is_the_servers) {
            self.take_back(subject, BY_KEY, counted);
        }
        judged
    }

    async fn judge_admin(
        &self,
        (admin, from, counted): (AdminId, Option<Shown>, Counted),
        (request, address): (AdminLogin, IpAddr),
        turn: Turn,
    ) -> Result<(AdminLoginAnswer, Vec<Step>), LoginRefused> {
        let subject = admin.subject();
        let locked = (counted == Counted::Last).then_some(LockedOut::ThisDevice);
        let refuse = |wrong| Err(LoginRefused::SignIn(Some(subject), wrong, locked));
        let find = sqlx::query("SELECT person, password FROM admins WHERE id = ?").bind(admin.0);
        let row = find.fetch_optional(&self.store.pool).await?;
        let stored = row.as_ref().and_then(|row| row.try_get::<String, _>(1).ok());
        let password = Zeroizing::new(rules::normal(&request.password));
        let right = turn.verify(password, stored.clone()).await?;
        if let Counted::Suspended { seconds } = counted {
            return Ok((AdminLoginAnswer::Locked { seconds }, Vec::new()));
        }
        if !right {
            return refuse(Wrong::Credentials);
        }
        let person = row.and_then(|row| row.try_get::<Vec<u8>, _>(0).ok());
        let person = person.and_then(|sealed| self.names.open::<Person>(Cell::Person, &sealed));
        let name = person.map(|person| person.name).unwrap_or_default();
        let limits = self.limits_of_admin(admin).await?;
        let limits = limits.as_ref();
        let outside = admitted(limits, address, &request.macs).err();
        let shown = (request.totp.as_deref(), request.authenticator);
        let answer =
            match (self.second_step((Owner::Admin(admin.0), &name), shown, outside).await?, outside) {
                (Second::Passed, Some(outside)) => told_outside(limits, outside),
                (Second::Passed, None) => {
                    self.forget_failures(subject, BY_KEY).await?;
                    let new = self.new_admin_sign_in().map_err(|_| LoginRefused::Busy)?;
                    let stored = stored.unwrap_or_default();
                    let open = self.open_admin_sign_in((admin, from), stored, new.hash);
                    return Ok((AdminLoginAnswer::SignedIn(new.told), open));
                }
                (Second::Wrong, _) => return refuse(Wrong::Digits),
                (Second::Used, _) => return refuse(Wrong::UsedDigits),
                (Second::Slipped, _) => {
                    self.forgive_one(subject, BY_KEY).await?;
                    return Err(LoginRefused::SignIn(Some(subject), Wrong::Digits, None));
                }
                (Second::Missing, _) => AdminLoginAnswer::NeedsTotp,
                (Second::SetUp { uri }, _) => AdminLoginAnswer::TotpSetup { uri },
            };
        self.forgive_one(subject, BY_KEY).await?;
        Ok((answer, Vec::new()))
    }

    pub(crate) async fn admins(&self) -> Result<AdminList, AdminRefused> {
        let rows = sqlx::query(
            "SELECT person, key, state, added,
                 (SELECT max(locked_until) FROM failures WHERE operator = -admins.id), limits
             FROM admins ORDER BY id",
        );
        let rows = rows.fetch_all(&self.store.pool).await?;
        let entry = |row: &sqlx::sqlite::SqliteRow| {
            let person = row.try_get::<Vec<u8>, _>(0).ok()?;
            let enabled = row.try_get::<String, _>(2).ok()? == "enabled";
            Some(AdminEntry {
                limits: self.admins_limits(row.try_get(5).ok()?),
                name: self.names.open::<Person>(Cell::Person, &person)?.name,
                key: DeviceKey(row.try_get::<Vec<u8>, _>(1).ok()?.try_into().ok()?),
                state: if enabled { OperatorState::Enabled } else { OperatorState::Disabled },
                added: u64::try_from(row.try_get::<i64, _>(3).ok()?).ok()?,
                suspended_until: self.suspended_until(row.try_get(4).ok()?),
            })
        };
        Ok(AdminList { admins: rows.iter().filter_map(entry).collect() })
    }

    /// The rows of the change. Nobody disables or removes himself, and nobody who was disabled
    /// meanwhile anybody else ([`super::ledger::Ledger::act`]): so one administrator is always left.
    pub(crate) async fn change_admin(
        &self,
        by: AdminId,
        order: &ChangeAdmin,
    ) -> Result<Vec<Step>, AdminRefused> {
        let find = sqlx::query("SELECT id FROM admins WHERE name_index = ?");
        let find = find.bind(self.names.index(&order.name)).fetch_optional(&self.store.pool);
        let id: i64 = find.await?.ok_or(ProblemCode::NotFound)?.try_get(0)?;
        let all = |statements: &[&'static str]| Step::all(statements, id);
        let (mut steps, takes) = match order.change {
            AdminChange::Disable => (all(&["UPDATE admins SET state = 'disabled' WHERE id = ?"]), true),
            AdminChange::Enable => {
                let enable = "UPDATE admins SET state = 'enabled' WHERE id = ? AND state <> 'enabled'";
                (vec![Step::new(enable).with(id).or_nothing()], false)
            }
            AdminChange::Remove => {
                let own_rows =
                    ["DELETE FROM failures WHERE operator = -?", "DELETE FROM admins WHERE id = ?"];
                (all(&own_rows), true)
            }
            AdminChange::Unlock => (vec![self.unlock(AdminId(id).subject())], false),
        };
        if takes && by.0 == id {
            return Err(ProblemCode::Yourself.into());
        }
        if takes {
            steps.push(Self::log_admin_out(AdminId(id)));
            // Whom he invited would be an administrator after him, and so would whom those invite.
            steps.push(Step::new("DELETE FROM admin_tokens WHERE kind = 'invited'"));
        }
        Ok(steps)
    }
}
