//! Published policies: each version whole, sealed, never changed.
//!
//! An administrator signs a policy with the key that he was enrolled with; the server keeps
//! his envelope and cannot make one. What binds that key is the row of his enrolment.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, TenantId};
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::exchange::PolicyVersion;

use super::acts::Step;
use super::admins::AdminRefused;
use super::clock;
use super::names::{Cell, Names, Person};
use super::store::Store;

#[derive(Debug, Clone)]
pub(crate) struct Policies {
    pub(crate) store: Store,
    pub(crate) names: Names,
    pub(crate) tenant: TenantId,
}

impl Policies {
    /// The policy in force; `None` if a row is there that does not hold.
    pub(crate) async fn current(&self) -> Result<Option<Policy>, sqlx::Error> {
        let newest = sqlx::query("SELECT document FROM policies ORDER BY version DESC LIMIT 1");
        let Some(row) = newest.fetch_optional(&self.store.pool).await? else {
            return Ok(Some(Policy::unwritten(self.tenant)));
        };
        let opened = self.envelope(&row).and_then(|e| dsse::open_self_signed::<Policy>(&e).ok());
        let policy = opened.map(|(policy, _)| policy);
        Ok(policy.filter(|policy| policy.check(self.tenant).is_ok()))
    }

    /// The envelope of a version; of the newest for `None`.
    pub(crate) async fn envelope_of(
        &self,
        version: Option<u64>,
    ) -> Result<Option<(u64, Vec<u8>)>, sqlx::Error> {
        let find = "SELECT document, version FROM policies WHERE version = ?1 OR ?1 IS NULL
             ORDER BY version DESC LIMIT 1";
        let version = version.map(|version| i64::try_from(version).unwrap_or(i64::MAX));
        let row = sqlx::query(find).bind(version).fetch_optional(&self.store.pool).await?;
        Ok(row.and_then(|row| {
            let version = u64::try_from(row.try_get::<i64, _>(1).ok()?).ok()?;
            Some((version, self.envelope(&row)?))
        }))
    }

    /// The next version, if an administrator signed it, and the row that it becomes unless
    /// another comes in between.
    pub(crate) async fn next(&self, envelope: &[u8]) -> Result<(Policy, Step), AdminRefused> {
        let trusted = self.admin_keys().await?;
        let policy = dsse::open::<Policy>(envelope, &trusted).map_err(|_| ProblemCode::Policy)?;
        policy.check(self.tenant).map_err(|_| ProblemCode::Policy)?;
        let version = i64::try_from(policy.version).map_err(|_| ProblemCode::Policy)?;
        let sealed =
            self.names.seal(Cell::Policy, &Blob(envelope.to_vec())).map_err(|_| ProblemCode::Busy)?;
        let insert = "INSERT INTO policies (version, at, document) SELECT ?1, ?2, ?3
             WHERE ?1 = (SELECT coalesce(max(version), 0) + 1 FROM policies)";
        let insert = Step::new(insert).with(version).with(clock::unix_row()).with(sealed);
        Ok((policy, insert.or(ProblemCode::Conflict)))
    }

    /// The newest first.
    pub(crate) async fn history(&self) -> Result<Vec<PolicyVersion>, sqlx::Error> {
        let admins = sqlx::query("SELECT key, person FROM admins").fetch_all(&self.store.pool).await?;
        let name_of = |signer: DeviceKey| {
            let row = admins.iter().find(|row| admin_key(row) == Some(signer))?;
            let sealed = row.try_get::<Vec<u8>, _>(1).ok()?;
            self.names.open::<Person>(Cell::Person, &sealed).map(|person| person.name)
        };
        let all = sqlx::query("SELECT document, version, at FROM policies ORDER BY version DESC");
        let rows = all.fetch_all(&self.store.pool).await?;
        let entry = |row: &SqliteRow| {
            let (policy, signer) = dsse::open_self_signed::<Policy>(&self.envelope(row)?).ok()?;
            Some(PolicyVersion {
                version: policy.version,
                published_at: u64::try_from(row.try_get::<i64, _>(2).ok()?).ok()?,
                signer,
                signer_name: name_of(signer),
                note: policy.rules.note,
            })
        };
        Ok(rows.iter().filter_map(entry).collect())
    }

    fn envelope(&self, row: &SqliteRow) -> Option<Vec<u8>> {
        let sealed = row.try_get::<Vec<u8>, _>(0).ok()?;
        self.names.open::<Blob>(Cell::Policy, &sealed).map(|envelope| envelope.0)
    }

    /// Keys of those who are administrators now: who was disabled signs nothing any more.
    async fn admin_keys(&self) -> Result<Vec<DeviceKey>, sqlx::Error> {
        let enabled = sqlx::query("SELECT key FROM admins WHERE state = 'enabled'");
        let rows = enabled.fetch_all(&self.store.pool).await?;
        Ok(rows.iter().filter_map(admin_key).collect())
    }
}

fn admin_key(row: &SqliteRow) -> Option<DeviceKey> {
    row.try_get::<Vec<u8>, _>(0).ok()?.try_into().ok().map(DeviceKey)
}
