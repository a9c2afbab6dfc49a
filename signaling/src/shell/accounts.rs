//! Operators' accounts: passwords, devices, suspension, tokens.
//!
//! Unknown name, wrong password, suspended, unknown device, wrong code: one answer
//! after the same work (T52). A failure is counted before the password is looked
//! at, in one statement (T51), and apart for each enrolled device, so that a
//! stranger suspends only strangers (T53).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tasuki_protocol::ids::{DeviceKey, TenantId};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{DEVICE_PROOF, LoginRequest, LoginResponse};
use zeroize::Zeroizing;

use super::clock;
use super::config::AccountRules;
use super::names::{Names, Person};
use super::passwords::{Busy, Passwords};
use super::store::Store;
use crate::core::rooms::{Operator, OperatorId};

/// The row under which failures at names that do not exist are counted.
const NOBODY: i64 = 0;
/// In `failures.device`, for every device that is not enrolled.
const STRANGERS: &[u8] = b"";

#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    pub(crate) store: Store,
    pub(crate) names: Names,
    pub(crate) passwords: Passwords,
    pub(crate) rules: AccountRules,
    pub(crate) tenant: TenantId,
    pub(crate) organisation: String,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub(crate) enum LoginRefused {
    /// Not said which (T52).
    SignIn,
    Busy,
    Store(sqlx::Error),
}

impl From<sqlx::Error> for LoginRefused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Busy> for LoginRefused {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// A token's bearer, before its device has proved itself.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    pub(crate) operator: OperatorId,
    pub(crate) device: DeviceKey,
    pub(crate) token_digest: [u8; 32],
    /// Unix seconds.
    pub(crate) expires: i64,
}

/// An account as its row says.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) person: Person,
    password: String,
    pub(crate) modes: Vec<Mode>,
    pub(crate) enabled: bool,
}

impl Accounts {
    pub(crate) async fn login(
        &self,
        request: LoginRequest,
    ) -> Result<(LoginResponse, i64), LoginRefused> {
        let account = self.by_name(&request.operator).await?;
        let operator = account.as_ref().map_or(NOBODY, |account| account.id);
        let proven = is_proven(&request);
        let enrolled = proven && self.is_enrolled(operator, &request.device).await?;
        let device = if enrolled { request.device.0.as_slice() } else { STRANGERS };
        let counted = self.count_failure(operator, device).await?;
        let stored = account.as_ref().map(|account| account.password.clone());
        let password = Zeroizing::new(request.password);
        let right = self.passwords.verify(password, stored).await?;
        let Some(account) = account.filter(|account| account.enabled && counted && right && proven)
        else {
            return Err(LoginRefused::SignIn);
        };
        if !enrolled {
            let code = request.enrolment.unwrap_or_default();
            if !self.enrol_device(operator, &code, &request.device).await? {
                return Err(LoginRefused::SignIn);
            }
        }
        self.forget_failures(operator, device).await?;
        let token = self.issue_token(operator, &request.device).await?;
        let response = LoginResponse {
            token,
            expires_in: self.rules.token_absolute.as_secs(),
            tenant: self.tenant,
            organisation: self.organisation.clone(),
            display_name: account.person.display_name,
            modes: account.modes,
        };
        Ok((response, operator))
    }

    /// Counts the failure that this try is until it has succeeded. False: suspended.
    async fn count_failure(&self, operator: i64, device: &[u8]) -> Result<bool, sqlx::Error> {
        let (now, most) = (clock::unix_row(), i64::from(self.rules.lock_after));
        let locked = now.saturating_add(seconds(self.rules.lock_for));
        let count = "INSERT INTO failures (operator, device, failures, locked_until)
             VALUES (?1, ?2, 1, CASE WHEN ?3 <= 1 THEN ?4 ELSE 0 END)
             ON CONFLICT (operator, device) DO UPDATE SET
                 failures = CASE WHEN failures >= ?3 THEN 1 ELSE failures + 1 END,
                 locked_until = CASE
                     WHEN (CASE WHEN failures >= ?3 THEN 1 ELSE failures + 1 END) >= ?3 THEN ?4
                     ELSE 0 END
             WHERE locked_until <= ?5
             RETURNING failures";
        let query = sqlx::query(count).bind(operator).bind(device.to_vec()).bind(most);
        let row = query.bind(locked).bind(now).fetch_optional(&self.store.pool).await?;
        Ok(row.is_some())
    }

    async fn forget_failures(&self, operator: i64, device: &[u8]) -> Result<(), sqlx::Error> {
        let forget = sqlx::query("DELETE FROM failures WHERE operator = ? AND device = ?");
        forget.bind(operator).bind(device.to_vec()).execute(&self.store.pool).await.map(|_| ())
    }

    async fn is_enrolled(&self, operator: i64, device: &DeviceKey) -> Result<bool, sqlx::Error> {
        let find = sqlx::query("SELECT 1 FROM devices WHERE operator = ? AND key = ?");
        let found = find.bind(operator).bind(device.0.to_vec());
        Ok(found.fetch_optional(&self.store.pool).await?.is_some())
    }

    /// Uses up a code, and lets the device in. Nothing happens if the code is wrong.
    async fn enrol_device(
        &self,
        operator: i64,
        code: &str,
        device: &DeviceKey,
    ) -> Result<bool, sqlx::Error> {
        let now = clock::unix_row();
        let mut transaction = self.store.pool.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query("DELETE FROM codes WHERE code = ? AND operator = ? AND expires > ?")
            .bind(digest(code.trim()).to_vec())
            .bind(operator)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        sqlx::query("INSERT OR IGNORE INTO devices (operator, key, added) VALUES (?, ?, ?)")
            .bind(operator)
            .bind(device.0.to_vec())
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await.map(|()| true)
    }

    async fn issue_token(&self, operator: i64, device: &DeviceKey) -> Result<String, LoginRefused> {
        let bytes: [u8; 32] = clock::random().map_err(|_| LoginRefused::Busy)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let now = clock::unix_row();
        let oldest = now.saturating_sub(seconds(self.rules.token_absolute));
        let tidy = sqlx::query("DELETE FROM tokens WHERE created < ?").bind(oldest);
        tidy.execute(&self.store.pool).await?;
        let insert =
            "INSERT INTO tokens (hash, operator, device, created, used) VALUES (?, ?, ?, ?, ?)";
        sqlx::query(insert)
            .bind(digest(&token).to_vec())
            .bind(operator)
            .bind(device.0.to_vec())
            .bind(now)
            .bind(now)
            .execute(&self.store.pool)
            .await?;
        Ok(token)
    }

    /// Whose token this is, if it is still one; counts as its use.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Option<Bearer>, sqlx::Error> {
        let token_digest = digest(token);
        let now = clock::unix_row();
        let absolute = seconds(self.rules.token_absolute);
        let touch = "UPDATE tokens SET used = ?1
             WHERE hash = ?2 AND created > ?3 AND used > ?4
               AND operator IN (SELECT id FROM operators WHERE state = 'enabled')
             RETURNING operator, device, created";
        let row = sqlx::query(touch)
            .bind(now)
            .bind(token_digest.to_vec())
            .bind(now.saturating_sub(absolute))
            .bind(now.saturating_sub(seconds(self.rules.token_idle)))
            .fetch_optional(&self.store.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let device: Vec<u8> = row.try_get(1)?;
        let Ok(device) = device.try_into() else { return Ok(None) };
        Ok(Some(Bearer {
            operator: OperatorId(row.try_get(0)?),
            device: DeviceKey(device),
            token_digest,
            expires: row.try_get::<i64, _>(2)?.saturating_add(absolute),
        }))
    }

    /// The bearer as rooms know it.
    pub(crate) async fn operator(&self, bearer: &Bearer) -> Result<Option<Operator>, sqlx::Error> {
        let find = sqlx::query("SELECT id, person, password, modes, state FROM operators WHERE id = ?");
        let row = find.bind(bearer.operator.0).fetch_optional(&self.store.pool).await?;
        let account = row.and_then(|row| self.account(&row)).filter(|account| account.enabled);
        Ok(account.map(|account| Operator {
            id: bearer.operator,
            name: account.person.name,
            display_name: account.person.display_name,
            modes: account.modes,
            groups: Vec::new(),
            device: bearer.device,
        }))
    }

    pub(crate) async fn sign_out(&self, bearer: &Bearer) -> Result<(), sqlx::Error> {
        let end = sqlx::query("DELETE FROM tokens WHERE hash = ?");
        end.bind(bearer.token_digest.to_vec()).execute(&self.store.pool).await.map(|_| ())
    }

    pub(crate) async fn by_name(&self, name: &str) -> Result<Option<Account>, sqlx::Error> {
        let find = "SELECT id, person, password, modes, state FROM operators WHERE name_index = ?";
        let row = sqlx::query(find).bind(self.names.index(name)).fetch_optional(&self.store.pool);
        Ok(row.await?.and_then(|row| self.account(&row)))
    }

    pub(crate) fn account(&self, row: &SqliteRow) -> Option<Account> {
        let person = self.names.open(&row.try_get::<Vec<u8>, _>(1).ok()?)?;
        let modes: String = row.try_get(3).ok()?;
        let state: String = row.try_get(4).ok()?;
        Some(Account {
            id: row.try_get(0).ok()?,
            person,
            password: row.try_get(2).ok()?,
            modes: modes.split(',').filter_map(|mode| mode.parse().ok()).collect(),
            enabled: state == "enabled",
        })
    }
}

pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub(crate) fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Whether `device` made `signature` over `message`.
pub(crate) fn signed(device: &DeviceKey, message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&device.0) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify_strict(message, &signature).is_ok()
}

fn is_proven(request: &LoginRequest) -> bool {
    let code = request.enrolment.as_deref().unwrap_or_default();
    let message = [DEVICE_PROOF, code.as_bytes(), request.operator.as_bytes()].concat();
    signed(&request.device, &message, &request.proof.0)
}
