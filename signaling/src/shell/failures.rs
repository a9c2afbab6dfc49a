//! How often a name was tried in vain: counted before anybody looks (T51), and taken back where nobody did.
//!
//! It refuses to know what was tried.

use std::time::Duration;

use sqlx::Row as _;

use super::accounts::{Accounts, seconds};
use super::acts::Step;
use super::clock;

/// The row under which failures at names that do not exist are counted.
pub(crate) const NOBODY: i64 = 0;
/// In `failures.device`, for every device that is not approved.
pub(crate) const STRANGERS: &[u8] = b"";

/// How often the database is asked again to take back what it counted.
const AGAIN: Duration = Duration::from_secs(1);

/// What a counted try found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// It counts as a failure until it has succeeded.
    Open,
    /// As `Open`; if it fails, the account is suspended.
    Last,
    Suspended {
        seconds: u64,
    },
}

impl Accounts {
    /// Counts the failure that this try is until it has succeeded. Those that led to a suspension are over with it, whatever
    /// number does now.
    pub(crate) async fn count_failure(
        &self,
        subject: i64,
        device: &[u8],
    ) -> Result<Counted, sqlx::Error> {
        let (now, most) = (self.clock.now(), i64::from(self.rules.lock_after));
        let locked = now.saturating_add(seconds(self.rules.lock_for));
        let count = "INSERT INTO failures (operator, device, failures, locked_until)
             VALUES (?1, ?2, 1, CASE WHEN ?3 <= 1 THEN ?4 ELSE 0 END)
             ON CONFLICT (operator, device) DO UPDATE SET
                 failures = CASE WHEN locked_until > 0 THEN 1 ELSE failures + 1 END,
                 locked_until = CASE
                     WHEN (CASE WHEN locked_until > 0 THEN 1 ELSE failures + 1 END) >= ?3 THEN ?4
                     ELSE 0 END
             WHERE locked_until <= ?5
             RETURNING failures";
        let query = sqlx::query(count).bind(subject).bind(device.to_vec()).bind(most);
        let row = query.bind(locked).bind(now).fetch_optional(&self.store.writes).await?;
        if let Some(row) = row {
            let last = row.try_get::<i64, _>(0)? >= most;
            return Ok(if last { Counted::Last } else { Counted::Open });
        }
        // As much of the disk as what is counted, or who was refused would see by the clock that it was not (T52). Nobody reads
        // the number: it is kept to be written.
        let refused = "UPDATE failures SET refused = refused + 1
             WHERE operator = ? AND device = ? RETURNING locked_until";
        let refused = sqlx::query(refused).bind(subject).bind(device.to_vec());
        let until = match refused.fetch_optional(&self.store.writes).await? {
            Some(row) => row.try_get::<i64, _>(0)?,
            None => now,
        };
        Ok(Counted::Suspended { seconds: u64::try_from(until - now).unwrap_or_default() })
    }

    /// Takes back what [`Self::count_failure`] counted for one try.
    pub(crate) async fn forgive_one(&self, subject: i64, device: &[u8]) -> Result<(), sqlx::Error> {
        let forgive = "UPDATE failures SET failures = max(failures - 1, 0), locked_until = 0
             WHERE operator = ? AND device = ?";
        let forgive = sqlx::query(forgive).bind(subject).bind(device.to_vec());
        forgive.execute(&self.store.writes).await.map(|_| ())
    }

    pub(crate) async fn forget_failures(&self, subject: i64, device: &[u8]) -> Result<(), sqlx::Error> {
        let forget = sqlx::query("DELETE FROM failures WHERE operator = ? AND device = ?");
        forget.bind(subject).bind(device.to_vec()).execute(&self.store.writes).await.map(|_| ())
    }

    /// Takes away every count that still stands against `subject`; those that are over count no more.
    pub(super) fn unlock(&self, subject: i64) -> Step {
        let unlock = "DELETE FROM failures
             WHERE operator = ? AND failures > 0 AND (locked_until = 0 OR locked_until > ?)";
        Step::new(unlock).with(subject).with(self.clock.now()).or_nothing()
    }

    /// As the wall clock tells the time at which a suspension ends; `None`: there is none.
    pub(super) fn suspended_until(&self, locked_until: Option<i64>) -> Option<u64> {
        let left = locked_until?.saturating_sub(self.clock.now());
        u64::try_from(left).ok().filter(|left| *left > 0).map(|left| clock::unix().saturating_add(left))
    }

    /// The server did not find out whether it was a failure: then it was none (F4, F16), as soon as the
    /// database takes anything. Nobody waits for that: who asked is answered meanwhile.
    pub(super) fn take_back(&self, subject: i64, device: &[u8], counted: Counted) {
        match counted {
            Counted::Open | Counted::Last => {}
            Counted::Suspended { .. } => return,
        }
        let (accounts, device) = (self.clone(), device.to_vec());
        tokio::spawn(async move {
            while let Err(error) = accounts.forgive_one(subject, &device).await {
                if matches!(error, sqlx::Error::PoolClosed) {
                    return;
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
}
