//! What an administrator changes: rows that one commit takes together with the record of it, or
//! not at all. Nothing of it can be there unrecorded, nor recorded and not there (S56, T65).
//!
//! It refuses to know what the rows mean.

use sqlx::error::ErrorKind;
use sqlx::{Acquire as _, Sqlite, Transaction};
use tasuki_protocol::admin::ProblemCode;

use super::admin_sign_ins::Present;
use super::admins::AdminRefused;
use super::ledger::{Ledger, Unwritten, Work};
use super::store::Event;

/// One statement of an act.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    statement: &'static str,
    values: Vec<Value>,
    /// What becomes of all of the act where this changes no row; `None`: it goes on.
    or: Option<Instead>,
}

/// Why nothing of an act is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instead {
    Refused(ProblemCode),
    Unchanged,
}

#[derive(Clone)]
pub(crate) enum Value {
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
}

/// Some are what passwords are checked with.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value(..)")
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Step {
    pub(crate) fn new(statement: &'static str) -> Self {
        Self { statement, values: Vec::new(), or: None }
    }

    #[must_use]
    pub(crate) fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Refuses all of the act where this step changes no row.
    #[must_use]
    pub(crate) fn or(mut self, code: ProblemCode) -> Self {
        self.or = Some(Instead::Refused(code));
        self
    }

    /// Where this step changes no row it was so already: nothing is done, and nothing is recorded.
    #[must_use]
    pub(crate) fn or_nothing(mut self) -> Self {
        self.or = Some(Instead::Unchanged);
        self
    }

    /// Each statement for one row.
    pub(crate) fn all(statements: &[&'static str], id: i64) -> Vec<Self> {
        statements.iter().map(|statement| Self::new(statement).with(id)).collect()
    }

    async fn run(&self, transaction: &mut Transaction<'_, Sqlite>) -> Result<u64, sqlx::Error> {
        let query = self.values.iter().fold(sqlx::query(self.statement), |query, value| match value {
            Value::Number(number) => query.bind(*number),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
            Value::Text(text) => query.bind(text.clone()),
        });
        query.execute(&mut **transaction).await.map(|done| done.rows_affected())
    }
}

/// All steps, and whatever `record` does with them; else nothing, and the place of the step that
/// would not be, counted from 1. An error is the disk's.
pub(super) async fn take(
    transaction: &mut Transaction<'_, Sqlite>,
    steps: &[Step],
    record: impl FnOnce() -> Result<u64, Unwritten>,
) -> Result<Result<u64, Unwritten>, sqlx::Error> {
    let mut own = transaction.begin().await?;
    for (step, place) in steps.iter().zip(1..) {
        let refused = match step.run(&mut own).await {
            Ok(rows) => rows == 0 && step.or.is_some(),
            Err(error) if against_the_rules(&error) => true,
            Err(error) => return Err(error),
        };
        if refused {
            own.rollback().await?;
            return Ok(Ok(place));
        }
    }
    match record() {
        Ok(_) => own.commit().await.map(|()| Ok(0)),
        Err(unwritten) => own.rollback().await.map(|()| Err(unwritten)),
    }
}

/// What another act made impossible meanwhile; the disk is well.
fn against_the_rules(error: &sqlx::Error) -> bool {
    let kind = error.as_database_error().map(sqlx::error::DatabaseError::kind);
    matches!(
        kind,
        Some(
            ErrorKind::UniqueViolation
                | ErrorKind::ForeignKeyViolation
                | ErrorKind::NotNullViolation
                | ErrorKind::CheckViolation
        )
    )
}

/// The step that an administrator's act begins with, in the commit that carries all of it; behind it comes that he is still
/// signed in, where he acts in a sign-in.
fn still_enabled(admin: i64) -> Step {
    let is_here = "UPDATE admins SET state = state WHERE id = ? AND state = 'enabled'";
    Step::new(is_here).with(admin).or(ProblemCode::Unauthorised)
}

impl Unwritten {
    pub(crate) fn code(self) -> ProblemCode {
        match self {
            Self::Disk => ProblemCode::Busy,
            Self::TooLarge => ProblemCode::Unusable,
        }
    }
}

impl Ledger {
    /// Waits until the act and its record are on disk. Whoever was disabled, removed or signed out since he asked
    /// does nothing any more: so two administrators who disable each other at one moment leave one.
    ///
    /// # Errors
    /// [`ProblemCode::Unauthorised`], [`ProblemCode::AdminSignIn`], a step's own refusal, [`AdminRefused::Unchanged`], or [`Unwritten::code`]; nothing was
    /// changed or recorded then.
    pub(crate) async fn act(&self, event: Event, steps: Vec<Step>) -> Result<(), AdminRefused> {
        let enabled = event.admin.map(still_enabled);
        let first = enabled.into_iter().chain(event.present.as_ref().map(Present::is_still_here));
        let steps: Vec<Step> = first.chain(steps).collect();
        let instead: Vec<Option<Instead>> = steps.iter().map(|step| step.or).collect();
        let asked = self.ask(Work::Act { event, steps }).await;
        let place = asked.map_err(Unwritten::code)?;
        let Some(place) = usize::try_from(place).unwrap_or(usize::MAX).checked_sub(1) else {
            return Ok(());
        };
        match instead.get(place).copied().flatten() {
            Some(Instead::Refused(code)) => Err(code.into()),
            Some(Instead::Unchanged) => Err(AdminRefused::Unchanged),
            None => Err(ProblemCode::Conflict.into()),
        }
    }
}
