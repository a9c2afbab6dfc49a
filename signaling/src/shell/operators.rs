//! What administrators do with operators' accounts and groups.

use sqlx::Row as _;
use tasuki_protocol::admin::{
    AddOperator, ChangeGroup, ChangeOperator, GroupChange, GroupEntry, GroupList, LimitOperator,
    OperatorAdded, OperatorChange, OperatorEntry, OperatorList, OperatorState, ProblemCode,
};
use tasuki_protocol::showable::is_showable_name;
use zeroize::Zeroizing;

use super::accounts::{Accounts, digest, seconds};
use super::admins::AdminRefused;
use super::clock;
use super::names::{Cell, Person};
use super::rules::{self, Beside};
use crate::core::admission::Admission;

impl Accounts {
    pub(crate) async fn add_operator(&self, new: AddOperator) -> Result<OperatorAdded, AdminRefused> {
        let has_space = new.operator.chars().any(char::is_whitespace);
        let showable = is_showable_name(&new.operator) && is_showable_name(&new.display_name);
        if !showable || has_space || new.modes.is_empty() {
            return Err(ProblemCode::Unusable.into());
        }
        let password = Zeroizing::new(new.password);
        let required = self.rules.second_factor_required;
        let beside = if required { Beside::Totp } else { Beside::Nothing };
        self.rules.passwords.check(&password, &new.operator, beside)?;
        let normal = Zeroizing::new(rules::normal(&password));
        let hash = self.passwords.hash(normal).await.map_err(|_| ProblemCode::Busy)?;
        let index = self.names.index(&new.operator);
        let person = Person { name: new.operator, display_name: new.display_name };
        let person = self.names.seal(Cell::Person, &person).map_err(|_| ProblemCode::Busy)?;
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
        let list = "SELECT id, person, password, modes, state, limits,
                 (SELECT count(*) FROM devices WHERE operator = operators.id AND state = 'approved')
             FROM operators ORDER BY id";
        let rows = sqlx::query(list).fetch_all(&self.store.pool).await?;
        let mut operators = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(account) = self.account(row) else { continue };
            let state = if account.enabled { OperatorState::Enabled } else { OperatorState::Disabled };
            operators.push(OperatorEntry {
                groups: self.groups_of(account.id).await?,
                operator: account.person.name,
                display_name: account.person.display_name,
                modes: account.modes,
                state,
                devices: u32::try_from(row.try_get::<i64, _>(6)?).unwrap_or(u32::MAX),
            });
        }
        Ok(OperatorList { operators })
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
                "DELETE FROM memberships WHERE operator = ?",
                "DELETE FROM operators WHERE id = ?",
            ],
            OperatorChange::NewCode => return Ok((id, Some(self.new_code(id).await?))),
            OperatorChange::Unlock => &["DELETE FROM failures WHERE operator = ?"],
            OperatorChange::ForgetAuthenticator => &[
                "UPDATE operators SET totp = NULL, totp_pending = NULL WHERE id = ?",
                "DELETE FROM tokens WHERE operator = ?",
            ],
        };
        self.all_or_none(own_rows, id).await?;
        Ok((id, None))
    }

    /// Gives the account's number.
    pub(crate) async fn limit_operator(&self, order: &LimitOperator) -> Result<i64, AdminRefused> {
        Admission::try_from(&order.limits).map_err(|_| ProblemCode::Unusable)?;
        let account = self.by_name(&order.operator).await?;
        let id = account.ok_or(ProblemCode::NotFound)?.id;
        let sealed = self.names.seal(Cell::Limits, &order.limits).map_err(|_| ProblemCode::Busy)?;
        let limit = sqlx::query("UPDATE operators SET limits = ? WHERE id = ?");
        limit.bind(sealed).bind(id).execute(&self.store.pool).await?;
        Ok(id)
    }

    pub(crate) async fn groups(&self) -> Result<GroupList, AdminRefused> {
        let rows = sqlx::query("SELECT id, name FROM groups ORDER BY id");
        let rows = rows.fetch_all(&self.store.pool).await?;
        let mut groups = Vec::with_capacity(rows.len());
        for row in &rows {
            let sealed: Vec<u8> = row.try_get(1)?;
            let Some(group) = self.names.open::<String>(Cell::Group, &sealed) else { continue };
            let operators = self.members(row.try_get(0)?).await?;
            groups.push(GroupEntry { group, operators });
        }
        Ok(GroupList { groups })
    }

    async fn members(&self, group: i64) -> Result<Vec<String>, sqlx::Error> {
        let list = "SELECT id, person, password, modes, state, limits FROM operators
             WHERE id IN (SELECT operator FROM memberships WHERE group_id = ?) ORDER BY id";
        let rows = sqlx::query(list).bind(group).fetch_all(&self.store.pool).await?;
        Ok(rows.iter().filter_map(|row| Some(self.account(row)?.person.name)).collect())
    }

    /// The names of the groups that the account is in, in the order of their making: for the
    /// policies that apply to it.
    pub(crate) async fn groups_of(&self, operator: i64) -> Result<Vec<String>, sqlx::Error> {
        let list = "SELECT name FROM groups
             WHERE id IN (SELECT group_id FROM memberships WHERE operator = ?) ORDER BY id";
        let rows = sqlx::query(list).bind(operator).fetch_all(&self.store.pool).await?;
        let name = |row: &sqlx::sqlite::SqliteRow| {
            self.names.open::<String>(Cell::Group, &row.try_get::<Vec<u8>, _>(0).ok()?)
        };
        Ok(rows.iter().filter_map(name).collect())
    }

    pub(crate) async fn change_group(&self, change: &ChangeGroup) -> Result<(), AdminRefused> {
        let index = self.names.index(&change.group);
        if change.change == GroupChange::Add {
            return self.add_group(&change.group, index).await;
        }
        let find = sqlx::query("SELECT id FROM groups WHERE name_index = ?").bind(index);
        let row = find.fetch_optional(&self.store.pool).await?.ok_or(ProblemCode::NotFound)?;
        let group: i64 = row.try_get(0)?;
        let (statement, operator) = match &change.change {
            GroupChange::Add => return Ok(()),
            GroupChange::Remove => {
                let own_rows =
                    ["DELETE FROM memberships WHERE group_id = ?", "DELETE FROM groups WHERE id = ?"];
                return Ok(self.all_or_none(&own_rows, group).await?);
            }
            GroupChange::Join { operator } => {
                ("INSERT OR IGNORE INTO memberships (group_id, operator) VALUES (?, ?)", operator)
            }
            GroupChange::Leave { operator } => {
                ("DELETE FROM memberships WHERE group_id = ? AND operator = ?", operator)
            }
        };
        let account = self.by_name(operator).await?.ok_or(ProblemCode::NotFound)?;
        sqlx::query(statement).bind(group).bind(account.id).execute(&self.store.pool).await?;
        Ok(())
    }

    async fn add_group(&self, name: &str, index: Vec<u8>) -> Result<(), AdminRefused> {
        if !is_showable_name(name) {
            return Err(ProblemCode::Unusable.into());
        }
        let sealed = self.names.seal(Cell::Group, &name).map_err(|_| ProblemCode::Busy)?;
        let insert = sqlx::query("INSERT OR IGNORE INTO groups (name_index, name) VALUES (?, ?)");
        let added = insert.bind(index).bind(sealed).execute(&self.store.pool).await?;
        if added.rows_affected() == 1 { Ok(()) } else { Err(ProblemCode::Taken.into()) }
    }

    async fn all_or_none(&self, statements: &[&'static str], id: i64) -> Result<(), sqlx::Error> {
        let mut transaction = self.store.pool.begin_with("BEGIN IMMEDIATE").await?;
        for statement in statements {
            sqlx::query(*statement).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    async fn new_code(&self, operator: i64) -> Result<OperatorAdded, AdminRefused> {
        let bytes: [u8; 16] = clock::random().map_err(|_| ProblemCode::Busy)?;
        let enrolment: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expires = self.clock.now().saturating_add(seconds(self.rules.code_lifetime));
        sqlx::query("INSERT INTO codes (code, operator, expires) VALUES (?, ?, ?)")
            .bind(digest(&enrolment).to_vec())
            .bind(operator)
            .bind(expires)
            .execute(&self.store.pool)
            .await?;
        Ok(OperatorAdded { enrolment, expires_in: self.rules.code_lifetime.as_secs() })
    }
}
