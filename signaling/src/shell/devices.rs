//! Operators' devices: one that came with a right code waits until an administrator has
//! compared its words and signed its certificate; a revoked one is nothing any more.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::certificate::{Authorities, Certificate, Revocations};
use tasuki_protocol::devices::{DeviceEntry, DeviceState};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::DeviceKey;

use super::accounts::{Accounts, digest};
use super::acts::Step;
use super::admins::AdminRefused;
use super::clock;
use super::names::Cell;

/// What a device is to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Pending,
    Approved,
    /// Its certificate is over: as pending, without a new code.
    Expired,
    Revoked,
    /// None of its own, and on the organisation's list.
    Outlawed,
}

impl Standing {
    fn of(state: &str, certified: Certified) -> Self {
        match state {
            "approved" if certified == Certified::Now => Self::Approved,
            "approved" => Self::Expired,
            "pending" => Self::Pending,
            _ => Self::Revoked,
        }
    }
}

/// Whether a device's certificate counts: its time is not over, and a lock key in force signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certified {
    Now,
    NoMore,
}

impl Certified {
    /// By the `opened` certificate, until `not_after`.
    fn of(not_after: Option<i64>, opened: Option<&(Vec<u8>, Certificate)>) -> Self {
        let is_in_time = not_after.is_some_and(|end| clock::unix_row() <= end);
        if is_in_time && opened.is_some() { Self::Now } else { Self::NoMore }
    }
}

/// Since when a device waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Now,
    Before,
}

impl From<Standing> for DeviceState {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Pending => Self::Pending,
            Standing::Approved => Self::Approved,
            Standing::Expired => Self::Expired,
            Standing::Revoked | Standing::Outlawed => Self::Revoked,
        }
    }
}

impl Accounts {
    pub(crate) async fn standing(
        &self,
        operator: i64,
        device: &DeviceKey,
    ) -> Result<Option<Standing>, sqlx::Error> {
        let find = "SELECT state, not_after, certificate FROM devices WHERE operator = ? AND key = ?";
        let find = sqlx::query(find).bind(operator).bind(device.0.to_vec());
        let Some(row) = find.fetch_optional(&self.store.pool).await? else {
            // Its account was removed since: its key stays out, in whoever's program it is.
            let is_out = self.trust.revoked_devices().contains(device);
            return Ok(is_out.then_some(Standing::Outlawed));
        };
        let sealed: Option<Vec<u8>> = row.try_get(2)?;
        let opened = sealed.and_then(|sealed| self.opened(device, &sealed));
        let certified = Certified::of(row.try_get(1)?, opened.as_ref());
        Ok(Some(Standing::of(&row.try_get::<String, _>(0)?, certified)))
    }

    /// The certificate that lies beside a device: under a lock key in force, for one that was dropped does
    /// not count with agents either (T17). Whose it is, it says itself: one that was moved here from another
    /// device's row counts for nothing.
    fn opened(&self, device: &DeviceKey, sealed: &[u8]) -> Option<(Vec<u8>, Certificate)> {
        let bundle = self.trust.bundle()?;
        let Blob(envelope) = self.names.open(Cell::Certificate, sealed)?;
        let certificate: Certificate = dsse::open(&envelope, &bundle.lock_keys).ok()?;
        (certificate.device == *device).then_some((envelope, certificate))
    }

    /// The envelope of the device's certificate, while it holds.
    pub(crate) async fn certificate(
        &self,
        operator: i64,
        device: &DeviceKey,
    ) -> Result<Option<(Vec<u8>, Certificate)>, sqlx::Error> {
        let find = "SELECT certificate FROM devices
             WHERE operator = ? AND key = ? AND state = 'approved' AND not_after >= ?";
        let find = sqlx::query(find).bind(operator).bind(device.0.to_vec()).bind(clock::unix_row());
        let Some(row) = find.fetch_optional(&self.store.pool).await? else { return Ok(None) };
        Ok(self.opened(device, &row.try_get::<Vec<u8>, _>(0)?))
    }

    /// Whether a code is one of the account's that were not used; it is not by this.
    pub(crate) async fn code_holds(&self, operator: i64, code: &str) -> Result<bool, sqlx::Error> {
        let find = sqlx::query("SELECT 1 FROM codes WHERE code = ? AND operator = ? AND expires > ?");
        let find = find.bind(digest(code.trim()).to_vec()).bind(operator).bind(self.clock.now());
        Ok(find.fetch_optional(&self.store.pool).await?.is_some())
    }

    /// `Some`: an administrator will find the device waiting. A code is used up only by that.
    pub(crate) async fn ask_for_device(
        &self,
        operator: i64,
        code: &str,
        device: &DeviceKey,
        standing: Option<Standing>,
    ) -> Result<Option<Asked>, sqlx::Error> {
        match standing {
            Some(Standing::Pending | Standing::Expired) => return Ok(Some(Asked::Before)),
            Some(Standing::Approved | Standing::Revoked | Standing::Outlawed) => return Ok(None),
            None => {}
        }
        // A code that is none costs a look, as none does: what waits for the disk's word takes longer (T52).
        if !self.code_holds(operator, code).await? {
            return Ok(None);
        }
        let now = self.clock.now();
        let mut transaction = self.store.writes.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query("DELETE FROM codes WHERE code = ? AND operator = ? AND expires > ?")
            .bind(digest(code.trim()).to_vec())
            .bind(operator)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() != 1 {
            return Ok(None);
        }
        let insert = "INSERT OR IGNORE INTO devices (operator, key, state, added)
             VALUES (?, ?, 'pending', ?)";
        let added = sqlx::query(insert)
            .bind(operator)
            .bind(device.0.to_vec())
            .bind(clock::unix_row())
            .execute(&mut *transaction)
            .await?;
        if added.rows_affected() != 1 {
            // Another account's device: one key, one operator.
            return Ok(None);
        }
        transaction.commit().await.map(|()| Some(Asked::Now))
    }

    pub(crate) async fn devices(&self) -> Result<Vec<DeviceEntry>, AdminRefused> {
        let list = "SELECT operators.id, person, password, modes, operators.state, limits,
                 key, devices.state, devices.added, not_after, certificate
             FROM devices JOIN operators ON operators.id = devices.operator
             ORDER BY operators.id, devices.added";
        let rows = sqlx::query(list).fetch_all(&self.store.pool).await?;
        Ok(rows.iter().filter_map(|row| self.device(row)).collect())
    }

    fn device(&self, row: &SqliteRow) -> Option<DeviceEntry> {
        let account = self.account(row)?;
        let key: Vec<u8> = row.try_get(6).ok()?;
        let not_after: Option<i64> = row.try_get(9).ok()?;
        let device = DeviceKey(key.try_into().ok()?);
        let sealed: Option<Vec<u8>> = row.try_get(10).ok()?;
        let opened = sealed.and_then(|sealed| self.opened(&device, &sealed));
        let certified = Certified::of(not_after, opened.as_ref());
        let standing = Standing::of(&row.try_get::<String, _>(7).ok()?, certified);
        let certificate = opened.filter(|_| standing == Standing::Approved);
        Some(DeviceEntry {
            operator: account.person.name,
            display_name: account.person.display_name,
            modes: account.modes,
            device,
            state: standing.into(),
            added: u64::try_from(row.try_get::<i64, _>(8).ok()?).ok()?,
            not_after: not_after.and_then(|end| u64::try_from(end).ok()),
            certificate: certificate.map(|(envelope, _)| Blob(envelope)),
        })
    }

    /// The account, the certificate, and its row, of one that the administrator's machine has signed.
    pub(crate) async fn approve_device(
        &self,
        envelope: &[u8],
        bundle: &Bundle,
    ) -> Result<(i64, Certificate, Step), AdminRefused> {
        let certificate: Certificate =
            dsse::open(envelope, &bundle.lock_keys).map_err(|_| ProblemCode::Document)?;
        let authorities = Authorities {
            tenant: bundle.tenant,
            manifest_keys: bundle.manifest_keys.clone(),
            lock_keys: bundle.lock_keys.clone(),
            revoked: self.trust.revoked_devices(),
            unix: clock::unix(),
        };
        Certificate::open(envelope, &authorities, &certificate.device)
            .map_err(|_| ProblemCode::Document)?;
        let account = self.by_name(&certificate.operator).await?.ok_or(ProblemCode::NotFound)?;
        // As it will stand in manifests, to the letter.
        let named = (certificate.operator.as_str(), certificate.display_name.as_str());
        if named != (account.person.name.as_str(), account.person.display_name.as_str()) {
            return Err(ProblemCode::Document.into());
        }
        // It says what its operator is called (T62).
        let sealed = self.names.seal(Cell::Certificate, &Blob(envelope.to_vec()));
        let sealed = sealed.map_err(|_| ProblemCode::Busy)?;
        let approve = "UPDATE devices SET state = 'approved', certificate = ?1, not_after = ?2,
                 certified_until = max(certified_until, ?2)
             WHERE operator = ?3 AND key = ?4 AND state <> 'revoked'";
        let approve = Step::new(approve)
            .with(sealed)
            .with(i64::try_from(certificate.not_after).unwrap_or(i64::MAX))
            .with(account.id)
            .with(certificate.device.0.to_vec())
            .or(ProblemCode::NotFound);
        Ok((account.id, certificate, approve))
    }
}

/// Devices on the list are out, with their tokens.
pub(crate) fn revocation(list: &Revocations) -> Vec<Step> {
    let out = [
        "UPDATE devices SET state = 'revoked', certificate = NULL WHERE key = ?",
        "DELETE FROM tokens WHERE device = ?",
    ];
    let of = |device: &DeviceKey| {
        let key = device.0.to_vec();
        out.map(|statement| Step::new(statement).with(key.clone()))
    };
    list.devices.iter().flat_map(of).collect()
}
