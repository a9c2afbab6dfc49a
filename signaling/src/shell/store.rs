//! The database: accounts, devices, tokens, and the numbers that were given out.
//!
//! SQL with bound parameters only (T60). It decides nothing; every statement
//! that must hold under parallel requests is one statement.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, SqlSafeStr};
use tasuki_protocol::admin::{OperatorEntry, OperatorState};
use tasuki_protocol::ids::{DeviceKey, Digest, SessionId};
use tasuki_protocol::number::Locator;
use tasuki_protocol::rights::Mode;

/// How long a statement waits for another process's lock before it fails. F4.
const BUSY: Duration = Duration::from_secs(4);

/// Seconds since 1970, as the shell read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    fn sql(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// What went wrong with the store. Not the asker's fault.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer")]
pub struct StoreError(#[from] sqlx::Error);

/// Handles to the one database of a data folder.
#[derive(Debug, Clone)]
pub struct Store(SqlitePool);

/// An operator as signing in needs it.
#[derive(Debug, Clone)]
pub struct OperatorRow {
    pub entry: OperatorEntry,
    pub password_hash: String,
}

/// Whose token it is.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub operator: String,
    pub device: DeviceKey,
    pub ends: UnixSeconds,
}

/// How one more failed sign-in would count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// The password may be checked.
    Open,
    /// Locked since before this attempt.
    Locked,
}

impl Store {
    /// Opens or creates the database file and brings its tables up to date.
    ///
    /// # Errors
    /// The file cannot be opened, is no database, or is of a newer version.
    pub async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await?;
        migrator().run(&pool).await?;
        Ok(Self(pool))
    }

    /// # Errors
    /// [`StoreError`]; so for every method.
    pub async fn operator(&self, name: &str) -> Result<Option<OperatorRow>, StoreError> {
        let row = sqlx::query(
            "SELECT o.*, (SELECT count(*) FROM devices d WHERE d.operator = o.name) AS devices
             FROM operators o WHERE name = ?1",
        )
        .bind(name)
        .fetch_optional(&self.0)
        .await?;
        row.map(|row| {
            Ok(OperatorRow { entry: entry(&row)?, password_hash: row.try_get("password_hash")? })
        })
        .transpose()
    }

    pub async fn operators(&self) -> Result<Vec<OperatorEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.*, (SELECT count(*) FROM devices d WHERE d.operator = o.name) AS devices
             FROM operators o ORDER BY name",
        )
        .fetch_all(&self.0)
        .await?;
        rows.iter().map(|row| Ok(entry(row)?)).collect()
    }

    /// `false` if the name is taken.
    pub async fn add_operator(&self, row: &OperatorRow, now: UnixSeconds) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO operators (name, display_name, password_hash, modes, enabled, created)
             VALUES (?1, ?2, ?3, ?4, 1, ?5) ON CONFLICT DO NOTHING",
        )
        .bind(&row.entry.operator)
        .bind(&row.entry.display_name)
        .bind(&row.password_hash)
        .bind(serde_json::to_string(&row.entry.modes).unwrap_or_default())
        .bind(now.sql())
        .execute(&self.0)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// `false` if there is no such operator.
    pub async fn set_state(&self, name: &str, state: OperatorState) -> Result<bool, StoreError> {
        let enabled = i64::from(state == OperatorState::Enabled);
        let done = sqlx::query("UPDATE operators SET enabled = ?2 WHERE name = ?1")
            .bind(name)
            .bind(enabled)
            .execute(&self.0)
            .await?;
        if state == OperatorState::Disabled {
            self.drop_tokens(name).await?;
        }
        Ok(done.rows_affected() == 1)
    }

    pub async fn remove_operator(&self, name: &str) -> Result<bool, StoreError> {
        let done =
            sqlx::query("DELETE FROM operators WHERE name = ?1").bind(name).execute(&self.0).await?;
        self.clear_failures(name, None).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn drop_tokens(&self, operator: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tokens WHERE operator = ?1").bind(operator).execute(&self.0).await?;
        Ok(())
    }

    pub async fn is_enrolled(&self, operator: &str, device: DeviceKey) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM devices WHERE operator = ?1 AND key = ?2")
            .bind(operator)
            .bind(&device.0[..])
            .fetch_optional(&self.0)
            .await?;
        Ok(row.is_some())
    }

    pub async fn add_enrolment(
        &self,
        code: Digest,
        operator: &str,
        expires: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO enrolments (code_hash, operator, expires) VALUES (?1, ?2, ?3)")
            .bind(&code.0[..])
            .bind(operator)
            .bind(expires.sql())
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Uses the code up for this device; `false` if it is not this operator's, or is over.
    pub async fn enrol_device(
        &self,
        code: Digest,
        operator: &str,
        device: DeviceKey,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.begin().await?;
        let used = sqlx::query(
            "DELETE FROM enrolments WHERE code_hash = ?1 AND operator = ?2 AND expires > ?3",
        )
        .bind(&code.0[..])
        .bind(operator)
        .bind(now.sql())
        .execute(&mut *transaction)
        .await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO devices (operator, key, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(operator)
        .bind(&device.0[..])
        .bind(now.sql())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Counts an attempt as failed before anything is checked, in one statement (T51).
    pub async fn count_attempt(
        &self,
        name: &str,
        class: &[u8],
        now: UnixSeconds,
        lock: Lock,
    ) -> Result<Tally, StoreError> {
        let row = sqlx::query(
            "INSERT INTO failures (name, class, count, locked_until)
             VALUES (?1, ?2, 1, CASE WHEN ?4 <= 1 THEN ?3 + ?5 ELSE 0 END)
             ON CONFLICT (name, class) DO UPDATE SET
               count = CASE WHEN count >= ?4 AND locked_until <= ?3 THEN 1 ELSE count + 1 END,
               locked_until = CASE
                 WHEN count >= ?4 AND locked_until > ?3 THEN locked_until
                 WHEN count + 1 = ?4 THEN ?3 + ?5
                 ELSE 0 END
             RETURNING count",
        )
        .bind(name)
        .bind(class)
        .bind(now.sql())
        .bind(i64::from(lock.failures))
        .bind(i64::try_from(lock.seconds).unwrap_or(i64::MAX))
        .fetch_one(&self.0)
        .await?;
        let count: i64 = row.try_get("count")?;
        Ok(if count > i64::from(lock.failures) { Tally::Locked } else { Tally::Open })
    }

    /// After a success (`class` of the device), or by an administrator (all classes).
    pub async fn clear_failures(&self, name: &str, class: Option<&[u8]>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM failures WHERE name = ?1 AND (?2 IS NULL OR class = ?2)")
            .bind(name)
            .bind(class)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    pub async fn add_token(
        &self,
        hash: Digest,
        row: &TokenRow,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tokens (hash, operator, device, last_used, ends) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&hash.0[..])
        .bind(&row.operator)
        .bind(&row.device.0[..])
        .bind(now.sql())
        .bind(row.ends.sql())
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// The token's owner, if it lives and was used within `idle` seconds; counts as a use.
    pub async fn use_token(
        &self,
        hash: Digest,
        idle: u64,
        now: UnixSeconds,
    ) -> Result<Option<TokenRow>, StoreError> {
        let row = sqlx::query(
            "UPDATE tokens SET last_used = ?2
             WHERE hash = ?1 AND ends > ?2 AND last_used + ?3 > ?2
             RETURNING operator, device, ends",
        )
        .bind(&hash.0[..])
        .bind(now.sql())
        .bind(i64::try_from(idle).unwrap_or(i64::MAX))
        .fetch_optional(&self.0)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(TokenRow {
            operator: row.try_get("operator")?,
            device: DeviceKey(fixed(&row, "device")?),
            ends: UnixSeconds(u64::try_from(row.try_get::<i64, _>("ends")?).unwrap_or_default()),
        }))
    }

    pub async fn drop_token(&self, hash: Digest) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tokens WHERE hash = ?1").bind(&hash.0[..]).execute(&self.0).await?;
        Ok(())
    }

    pub async fn set_setup_token(&self, hash: Digest) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO setup (token_hash) VALUES (?1)")
            .bind(&hash.0[..])
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Uses the setup token up for this administrator; `false` if it is wrong or was used (T57).
    pub async fn enrol_admin(
        &self,
        token: Digest,
        key: DeviceKey,
        name: &str,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.begin().await?;
        let used = sqlx::query("DELETE FROM setup WHERE token_hash = ?1")
            .bind(&token.0[..])
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO admins (key, name) VALUES (?1, ?2)")
            .bind(&key.0[..])
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub async fn admins(&self) -> Result<Vec<(DeviceKey, String)>, StoreError> {
        let rows = sqlx::query("SELECT key, name FROM admins").fetch_all(&self.0).await?;
        rows.iter().map(|row| Ok((DeviceKey(fixed(row, "key")?), row.try_get("name")?))).collect()
    }

    /// `false` if the nonce was seen; forgets those older than `since`.
    pub async fn use_nonce(
        &self,
        nonce: &[u8],
        now: UnixSeconds,
        since: UnixSeconds,
    ) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM admin_nonces WHERE at < ?1")
            .bind(since.sql())
            .execute(&self.0)
            .await?;
        let done =
            sqlx::query("INSERT INTO admin_nonces (nonce, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                .bind(nonce)
                .bind(now.sql())
                .execute(&self.0)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Durable once this returns: the locator will not be given out again before `until`.
    pub async fn record_number(
        &self,
        locator: Locator,
        session: SessionId,
        until: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO numbers (locator, session, attempts, dead, unusable_until) VALUES (?1, ?2, 0, 0, ?3)
             ON CONFLICT (locator) DO UPDATE SET session = ?2, attempts = 0, dead = 0, unusable_until = ?3",
        )
        .bind(i64::from(u32::from(locator)))
        .bind(&session.0[..])
        .bind(until.sql())
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Durable once this returns: so many attempts at the number are used up.
    pub async fn record_attempts(&self, locator: Locator, attempts: u8) -> Result<(), StoreError> {
        sqlx::query("UPDATE numbers SET attempts = max(attempts, ?2) WHERE locator = ?1")
            .bind(i64::from(u32::from(locator)))
            .bind(i64::from(attempts))
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Durable once this returns: the number is dead.
    pub async fn record_dead(&self, locator: Locator) -> Result<(), StoreError> {
        sqlx::query("UPDATE numbers SET dead = 1 WHERE locator = ?1")
            .bind(i64::from(u32::from(locator)))
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Locators that must not be given out at `now`, with the moment they are free again.
    pub async fn unusable_numbers(
        &self,
        now: UnixSeconds,
    ) -> Result<Vec<(Locator, UnixSeconds)>, StoreError> {
        let rows = sqlx::query("SELECT locator, unusable_until FROM numbers WHERE unusable_until > ?1")
            .bind(now.sql())
            .fetch_all(&self.0)
            .await?;
        let mut numbers = Vec::with_capacity(rows.len());
        for row in rows {
            let locator = u32::try_from(row.try_get::<i64, _>("locator")?).unwrap_or(u32::MAX);
            let until = u64::try_from(row.try_get::<i64, _>("unusable_until")?).unwrap_or_default();
            if let Ok(locator) = Locator::try_from(locator) {
                numbers.push((locator, UnixSeconds(until)));
            }
        }
        Ok(numbers)
    }

    /// Finishes what is being written and closes the file.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

/// When failed sign-ins lock a name. S64.
#[derive(Debug, Clone, Copy)]
pub struct Lock {
    pub failures: u32,
    pub seconds: u64,
}

fn migrator() -> Migrator {
    Migrator::with_migrations(vec![Migration::new(
        1,
        "accounts".into(),
        MigrationType::Simple,
        include_str!("../../migrations/0001_accounts.sql").into_sql_str(),
        false,
    )])
}

fn entry(row: &sqlx::sqlite::SqliteRow) -> Result<OperatorEntry, sqlx::Error> {
    let modes: Vec<Mode> = serde_json::from_str(row.try_get("modes")?)
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let enabled: i64 = row.try_get("enabled")?;
    let devices: i64 = row.try_get("devices")?;
    Ok(OperatorEntry {
        operator: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        modes,
        state: if enabled == 1 { OperatorState::Enabled } else { OperatorState::Disabled },
        devices: u32::try_from(devices).unwrap_or(u32::MAX),
    })
}

fn fixed<const N: usize>(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<[u8; N], sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes
        .try_into()
        .map_err(|error: std::array::TryFromSliceError| sqlx::Error::Decode(Box::new(error)))
}
