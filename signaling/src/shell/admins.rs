//! Administrators: the first one's enrolment, and operators' accounts.
//!
//! Every request is signed by the administrator's key over time, nonce, method,
//! path and body; a nonce is taken once, also across a restart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::Row as _;
use tasuki_protocol::admin::{
    ADMIN_PROOF, AddOperator, ChangeOperator, EnrolAdmin, OperatorAdded, OperatorChange, OperatorEntry,
    OperatorList, OperatorState, ProblemCode, request_proof,
};
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::manifest::is_showable_name;
use zeroize::Zeroizing;

use super::accounts::{Accounts, digest, seconds, signed};
use super::clock;
use super::names::Person;

/// How far an administrator's clock may be off, in seconds.
const CLOCK_S: i64 = 5 * 60;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;
const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

/// Why an administrator's request was not done.
#[derive(Debug)]
pub(crate) enum AdminRefused {
    Problem(ProblemCode),
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

/// A request as it was signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) header: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

impl Accounts {
    /// Whether the token that `setup` printed is still unused. T57.
    pub(crate) async fn expects_admin(&self) -> Result<bool, sqlx::Error> {
        let any = sqlx::query("SELECT 1 FROM admin_tokens").fetch_optional(&self.store.pool);
        Ok(any.await?.is_some())
    }

    pub(crate) async fn enrol_admin(&self, request: &EnrolAdmin) -> Result<(), AdminRefused> {
        let proof = format!("{ADMIN_PROOF}\n{}", request.token);
        if !signed(&request.key, proof.as_bytes(), &request.proof.0) {
            return Err(ProblemCode::SignIn.into());
        }
        if !is_showable_name(&request.name) {
            return Err(ProblemCode::Unusable.into());
        }
        let person = Person { name: request.name.clone(), display_name: request.name.clone() };
        let person = self.names.seal(&person).map_err(|_| ProblemCode::Busy)?;
        let mut transaction = self.store.pool.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query("DELETE FROM admin_tokens WHERE hash = ?")
            .bind(digest(&request.token).to_vec())
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() != 1 {
            return Err(ProblemCode::SignIn.into());
        }
        sqlx::query("INSERT INTO admins (key, person, added) VALUES (?, ?, ?)")
            .bind(request.key.0.to_vec())
            .bind(person)
            .bind(clock::unix_row())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether an administrator signed this now, and for the first time.
    pub(crate) async fn authorise(&self, request: Signed<'_>) -> Result<(), AdminRefused> {
        let unauthorised = || AdminRefused::from(ProblemCode::Unauthorised);
        let mut parts = request.header.split('.');
        let (Some(unix), Some(nonce), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unauthorised());
        };
        let unix: u64 = unix.parse().map_err(|_| unauthorised())?;
        let now = clock::unix_row();
        let at = i64::try_from(unix).map_err(|_| unauthorised())?;
        let nonce_is_usable =
            NONCE_CHARS.contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_hexdigit());
        if !nonce_is_usable || now.abs_diff(at) > CLOCK_S.unsigned_abs() {
            return Err(unauthorised());
        }
        let signature = STANDARD.decode(signature).map_err(|_| unauthorised())?;
        let message = request_proof(unix, nonce, request.method, request.path, request.body);
        let rows = sqlx::query("SELECT key FROM admins").fetch_all(&self.store.pool).await?;
        let is_signer = |row: &sqlx::sqlite::SqliteRow| {
            let key = row.try_get::<Vec<u8>, _>(0).ok().and_then(|key| key.try_into().ok());
            key.is_some_and(|key| signed(&DeviceKey(key), message.as_bytes(), &signature))
        };
        if !rows.iter().any(is_signer) {
            return Err(unauthorised());
        }
        let old = sqlx::query("DELETE FROM admin_nonces WHERE at < ?").bind(now - 3 * CLOCK_S);
        old.execute(&self.store.pool).await?;
        let first = sqlx::query("INSERT OR IGNORE INTO admin_nonces (nonce, at) VALUES (?, ?)");
        let first = first.bind(nonce.to_lowercase()).bind(now).execute(&self.store.pool).await?;
        if first.rows_affected() == 1 { Ok(()) } else { Err(unauthorised()) }
    }

    /// The administrator's name, as he gave it.
    pub(crate) async fn admin_name(&self) -> Result<String, sqlx::Error> {
        let row = sqlx::query("SELECT person FROM admins").fetch_optional(&self.store.pool).await?;
        let sealed = row.and_then(|row| row.try_get::<Vec<u8>, _>(0).ok());
        let person = sealed.and_then(|sealed| self.names.open(&sealed));
        Ok(person.map(|person| person.name).unwrap_or_default())
    }

    pub(crate) async fn add_operator(&self, new: AddOperator) -> Result<OperatorAdded, AdminRefused> {
        let has_space = new.operator.chars().any(char::is_whitespace);
        let showable = is_showable_name(&new.operator) && is_showable_name(&new.display_name);
        let password = PASSWORD_CHARS.contains(&new.password.chars().count());
        if !showable || has_space || !password || new.modes.is_empty() {
            return Err(ProblemCode::Unusable.into());
        }
        let password = Zeroizing::new(new.password);
        let hash = self.passwords.hash(password).await.map_err(|_| ProblemCode::Busy)?;
        let index = self.names.index(&new.operator);
        let person = Person { name: new.operator, display_name: new.display_name };
        let person = self.names.seal(&person).map_err(|_| ProblemCode::Busy)?;
        let modes: Vec<&str> = new.modes.iter().map(|mode| mode.name()).collect();
        let insert =
            "INSERT OR IGNORE INTO operators (name_index, person, password, modes, state, created)
             VALUES (?, ?, ?, ?, 'enabled', ?)";
        let added = sqlx::query(insert)
            .bind(index)
            .bind(person)
            .bind(hash)
            .bind(modes.join(","))
            .bind(clock::unix_row())
            .execute(&self.store.pool)
            .await?;
        if added.rows_affected() != 1 {
            return Err(ProblemCode::Taken.into());
        }
        self.new_code(added.last_insert_rowid()).await
    }

    pub(crate) async fn operators(&self) -> Result<OperatorList, AdminRefused> {
        let list = "SELECT id, person, password, modes, state,
                 (SELECT count(*) FROM devices WHERE operator = operators.id)
             FROM operators ORDER BY id";
        let rows = sqlx::query(list).fetch_all(&self.store.pool).await?;
        let entry = |row: &sqlx::sqlite::SqliteRow| {
            let account = self.account(row)?;
            let state = if account.enabled { OperatorState::Enabled } else { OperatorState::Disabled };
            Some(OperatorEntry {
                operator: account.person.name,
                display_name: account.person.display_name,
                modes: account.modes,
                state,
                devices: u32::try_from(row.try_get::<i64, _>(5).ok()?).ok()?,
            })
        };
        Ok(OperatorList { operators: rows.iter().filter_map(entry).collect() })
    }

    /// Gives the account's number, and a code if one was asked for.
    pub(crate) async fn change_operator(
        &self,
        change: &ChangeOperator,
    ) -> Result<(i64, Option<OperatorAdded>), AdminRefused> {
        let account = self.by_name(&change.operator).await?;
        let id = account.ok_or(ProblemCode::NotFound)?.id;
        let own_rows: &[&'static str] = match change.change {
            OperatorChange::Disable => &[
                "UPDATE operators SET state = 'disabled' WHERE id = ?",
                "DELETE FROM tokens WHERE operator = ?",
            ],
            OperatorChange::Enable => &["UPDATE operators SET state = 'enabled' WHERE id = ?"],
            OperatorChange::Remove => &[
                "DELETE FROM tokens WHERE operator = ?",
                "DELETE FROM devices WHERE operator = ?",
                "DELETE FROM codes WHERE operator = ?",
                "DELETE FROM failures WHERE operator = ?",
                "DELETE FROM operators WHERE id = ?",
            ],
            OperatorChange::NewCode => return Ok((id, Some(self.new_code(id).await?))),
            OperatorChange::Unlock => &["DELETE FROM failures WHERE operator = ?"],
        };
        let mut transaction = self.store.pool.begin_with("BEGIN IMMEDIATE").await?;
        for statement in own_rows {
            sqlx::query(*statement).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok((id, None))
    }

    async fn new_code(&self, operator: i64) -> Result<OperatorAdded, AdminRefused> {
        let bytes: [u8; 16] = clock::random().map_err(|_| ProblemCode::Busy)?;
        let enrolment: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expires = clock::unix_row().saturating_add(seconds(self.rules.code_lifetime));
        sqlx::query("INSERT INTO codes (code, operator, expires) VALUES (?, ?, ?)")
            .bind(digest(&enrolment).to_vec())
            .bind(operator)
            .bind(expires)
            .execute(&self.store.pool)
            .await?;
        Ok(OperatorAdded { enrolment, expires_in: self.rules.code_lifetime.as_secs() })
    }
}
