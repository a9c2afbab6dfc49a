//! What administrators do with operators' accounts and groups.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tasuki_protocol::admin::{
    AddOperator, ChangeGroup, ChangeOperator, GroupChange, GroupEntry, GroupList, LimitOperator,
    NameOperator, OperatorAdded, OperatorChange, OperatorEntry, OperatorList, OperatorState,
    ProblemCode, ResetPassword,
};
use tasuki_protocol::bundle::CLOCK_TOLERANCE_S;
use tasuki_protocol::likeness::alike;
use tasuki_protocol::showable::is_showable_name;
use zeroize::Zeroizing;

use super::accounts::{Account, Accounts, digest, seconds};
use super::acts::Step;
use super::admins::AdminRefused;
use super::clock;
use super::names::{Cell, Person};
use super::rules::{self, Beside};
use super::second::Owner;
use crate::core::admission::Admission;
use crate::core::rooms::OperatorId;

/// Who may be somebody else by an act.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Concerned {
    Nobody,
    One(OperatorId),
    Everybody,
}

impl Concerned {
    pub(crate) fn has(self, operator: OperatorId) -> bool {
        match self {
            Self::Nobody => false,
            Self::One(who) => who == operator,
            Self::Everybody => true,
        }
    }
}

/// With the account goes what names its devices: what agents would still take must be on the list of
/// revoked ones by then.
fn nothing_outlives(operator: i64) -> Step {
    let none = "UPDATE operators SET state = state WHERE id = ?1 AND NOT EXISTS
         (SELECT 1 FROM devices WHERE operator = ?1 AND state = 'approved' AND certified_until >= ?2)";
    let tolerance = i64::try_from(CLOCK_TOLERANCE_S).unwrap_or(i64::MAX);
    let since = clock::unix_row().saturating_sub(tolerance);
    Step::new(none).with(operator).with(since).or(ProblemCode::Certified)
}

impl Accounts {
    /// The rows of a new account with a code for its first device, and what its administrator
    /// is told once they are there.
    pub(crate) async fn add_operator(
        &self,
        new: AddOperator,
    ) -> Result<(Vec<Step>, OperatorAdded), AdminRefused> {
        let has_space = new.operator.chars().any(char::is_whitespace);
        let showable = is_showable_name(&new.operator) && is_showable_name(&new.display_name);
        if !showable || has_space || new.modes.is_empty() {
            return Err(ProblemCode::Unusable.into());
        }
        let look = self.names.look(&new.operator);
        self.store.is_free("SELECT 1 FROM operators WHERE look = ?", &look).await?;
        let shown_look = self.free_to_show(&new.display_name).await?;
        let password = Zeroizing::new(new.password);
        let required = self.rules.second_factor_required;
        let beside = if required { Beside::Totp } else { Beside::Nothing };
        self.rules.passwords.check(&password, &new.operator, beside)?;
        let normal = Zeroizing::new(rules::normal(&password));
        let hash = self.passwords.hash(normal, None).await.map_err(|_| ProblemCode::Busy)?;
        let index = self.names.index(&new.operator);
        let person = Person { name: new.operator, display_name: new.display_name };
        let person = self.names.seal(Cell::Person, &person).map_err(|_| ProblemCode::Busy)?;
        let modes: Vec<&str> = new.modes.iter().map(|mode| mode.name()).collect();
        let insert =
            "INSERT OR IGNORE INTO operators (name_index, look, shown_look, person, password, modes, state, created)
             VALUES (?, ?, ?, ?, ?, ?, 'enabled', ?)";
        let insert = Step::new(insert)
            .with(index.clone())
            .with(look)
            .with(shown_look)
            .with(person)
            .with(hash)
            .with(modes.join(","))
            .with(clock::unix_row())
            .or(ProblemCode::Taken);
        let (code, added) = self.new_code(index)?;
        Ok((vec![insert, code], added))
    }

    /// The look of a name that end users will see, if it is neither the organisation's nor another operator's. T8.
    async fn free_to_show(&self, name: &str) -> Result<Vec<u8>, AdminRefused> {
        let bundle = self.trust.bundle();
        let named = bundle.as_ref().map(|bundle| bundle.organisation.as_str());
        if [Some(self.organisation.as_str()), named].into_iter().flatten().any(|own| alike(own, name)) {
            return Err(ProblemCode::Taken.into());
        }
        let look = self.names.shown_look(name);
        self.store.is_free("SELECT 1 FROM operators WHERE shown_look = ?", &look).await?;
        Ok(look)
    }

    /// The account, and the rows of a password that an administrator has set: whoever came by the old one,
    /// and whatever was counted against it, is over.
    pub(crate) async fn reset_password(
        &self,
        order: ResetPassword,
    ) -> Result<(Account, Vec<Step>), AdminRefused> {
        let account = self.by_name(&order.operator).await?.ok_or(ProblemCode::NotFound)?;
        let id = account.id;
        let password = Zeroizing::new(order.password);
        let beside = self.beside(Owner::Operator(id)).await?;
        self.rules.passwords.check(&password, &account.person.name, beside)?;
        let normal = Zeroizing::new(rules::normal(&password));
        let hash = self.passwords.hash(normal, None).await.map_err(|_| ProblemCode::Busy)?;
        let set = Step::new("UPDATE operators SET password = ? WHERE id = ?").with(hash).with(id);
        let own_rows =
            ["DELETE FROM tokens WHERE operator = ?", "DELETE FROM failures WHERE operator = ?"];
        let steps = std::iter::once(set.or(ProblemCode::NotFound)).chain(Step::all(&own_rows, id));
        Ok((account, steps.collect()))
    }

    /// The account, and the rows of what its certificates will say. What was not given is not written: another
    /// administrator may change it at this moment.
    pub(crate) async fn name_operator(
        &self,
        order: &NameOperator,
    ) -> Result<(Account, Vec<Step>), AdminRefused> {
        let account = self.by_name(&order.operator).await?.ok_or(ProblemCode::NotFound)?;
        let mut steps = Vec::new();
        if let Some(modes) = &order.modes {
            if modes.is_empty() {
                return Err(ProblemCode::Unusable.into());
            }
            let modes: Vec<&str> = modes.iter().map(|mode| mode.name()).collect();
            let narrow = Step::new("UPDATE operators SET modes = ? WHERE id = ?");
            steps.push(narrow.with(modes.join(",")).with(account.id).or(ProblemCode::NotFound));
        }
        if let Some(display_name) = order.display_name.clone() {
            if !is_showable_name(&display_name) {
                return Err(ProblemCode::Unusable.into());
            }
            // In another spelling it may be its own.
            let look = self.names.shown_look(&display_name);
            if look != self.names.shown_look(&account.person.display_name) {
                self.free_to_show(&display_name).await?;
            }
            let person = Person { name: account.person.name.clone(), display_name };
            let person = self.names.seal(Cell::Person, &person).map_err(|_| ProblemCode::Busy)?;
            let name = Step::new("UPDATE operators SET person = ?, shown_look = ? WHERE id = ?");
            steps.push(name.with(person).with(look).with(account.id).or(ProblemCode::Taken));
        }
        if steps.is_empty() {
            return Err(ProblemCode::Unusable.into());
        }
        Ok((account, steps))
    }

    pub(crate) async fn operators(&self) -> Result<OperatorList, AdminRefused> {
        let list = "SELECT id, person, password, modes, state, limits,
                 (SELECT count(*) FROM devices WHERE operator = operators.id AND state = 'approved'),
                 (SELECT max(locked_until) FROM failures WHERE operator = operators.id)
             FROM operators ORDER BY id";
        let rows = sqlx::query(list).fetch_all(&self.store.pool).await?;
        let mut operators = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(account) = self.account(row) else { continue };
            let state = if account.enabled { OperatorState::Enabled } else { OperatorState::Disabled };
            let hours = account.admission();
            operators.push(OperatorEntry {
                hours_left_s: hours.map_or(Some(0), |hours| hours.seconds_left(clock::unix_row())),
                groups: self.groups_of(account.id).await?,
                operator: account.person.name,
                display_name: account.person.display_name,
                modes: account.modes,
                state,
                limits: account.limits,
                devices: u32::try_from(row.try_get::<i64, _>(6)?).unwrap_or(u32::MAX),
                suspended_until: self.suspended_until(row.try_get(7)?),
            });
        }
        Ok(OperatorList { operators })
    }

    /// The account, the rows of the change, and a code if one was asked for.
    pub(crate) async fn change_operator(
        &self,
        change: &ChangeOperator,
    ) -> Result<(Account, Vec<Step>, Option<OperatorAdded>), AdminRefused> {
        let account = self.by_name(&change.operator).await?.ok_or(ProblemCode::NotFound)?;
        let id = account.id;
        let steps = match change.change {
            OperatorChange::Disable => {
                let rows = [
                    "UPDATE operators SET state = 'disabled' WHERE id = ?",
                    "DELETE FROM tokens WHERE operator = ?",
                ];
                Step::all(&rows, id)
            }
            OperatorChange::Enable => {
                let enable =
                    "UPDATE operators SET state = 'enabled' WHERE id = ? AND state <> 'enabled'";
                vec![Step::new(enable).with(id).or_nothing()]
            }
            OperatorChange::Remove => {
                let rows = [
                    "DELETE FROM tokens WHERE operator = ?",
                    "DELETE FROM devices WHERE operator = ?",
                    "DELETE FROM codes WHERE operator = ?",
                    "DELETE FROM failures WHERE operator = ?",
                    "DELETE FROM memberships WHERE operator = ?",
                    "DELETE FROM operators WHERE id = ?",
                ];
                std::iter::once(nothing_outlives(id)).chain(Step::all(&rows, id)).collect()
            }
            OperatorChange::NewCode => {
                let (code, added) = self.new_code(self.names.index(&account.person.name))?;
                return Ok((account, vec![code], Some(added)));
            }
            OperatorChange::Unlock => vec![self.unlock(id)],
            OperatorChange::ForgetAuthenticator => {
                let forget = "UPDATE operators SET totp = NULL, totp_pending = NULL
                     WHERE id = ? AND (totp IS NOT NULL OR totp_pending IS NOT NULL)";
                let out = Self::log_operator_out(OperatorId(id));
                vec![Step::new(forget).with(id).or_nothing(), out]
            }
        };
        Ok((account, steps, None))
    }

    /// The account with its limits of before, and the row of its new ones.
    pub(crate) async fn limit_operator(
        &self,
        order: &LimitOperator,
    ) -> Result<(Account, Step), AdminRefused> {
        Admission::try_from(&order.limits).map_err(|_| ProblemCode::Unusable)?;
        let account = self.by_name(&order.operator).await?.ok_or(ProblemCode::NotFound)?;
        let sealed = self.names.seal(Cell::Limits, &order.limits).map_err(|_| ProblemCode::Busy)?;
        let limit = Step::new("UPDATE operators SET limits = ? WHERE id = ?");
        let limit = limit.with(sealed).with(account.id).or(ProblemCode::NotFound);
        Ok((account, limit))
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
        let name = |row: &SqliteRow| {
            self.names.open::<String>(Cell::Group, &row.try_get::<Vec<u8>, _>(0).ok()?)
        };
        Ok(rows.iter().filter_map(name).collect())
    }

    /// Whose membership changes, and the rows of it.
    pub(crate) async fn change_group(
        &self,
        change: &ChangeGroup,
    ) -> Result<(Option<Account>, Vec<Step>), AdminRefused> {
        let index = self.names.index(&change.group);
        if change.change == GroupChange::Add {
            return Ok((None, vec![self.add_group(&change.group, index)?]));
        }
        let find = sqlx::query("SELECT id FROM groups WHERE name_index = ?").bind(index);
        let row = find.fetch_optional(&self.store.pool).await?.ok_or(ProblemCode::NotFound)?;
        let group: i64 = row.try_get(0)?;
        let (statement, operator) = match &change.change {
            GroupChange::Add => return Ok((None, Vec::new())),
            GroupChange::Remove => {
                let own_rows =
                    ["DELETE FROM memberships WHERE group_id = ?", "DELETE FROM groups WHERE id = ?"];
                return Ok((None, Step::all(&own_rows, group)));
            }
            GroupChange::Join { operator } => {
                ("INSERT OR IGNORE INTO memberships (group_id, operator) VALUES (?, ?)", operator)
            }
            GroupChange::Leave { operator } => {
                ("DELETE FROM memberships WHERE group_id = ? AND operator = ?", operator)
            }
        };
        let account = self.by_name(operator).await?.ok_or(ProblemCode::NotFound)?;
        let step = Step::new(statement).with(group).with(account.id).or_nothing();
        Ok((Some(account), vec![step]))
    }

    fn add_group(&self, name: &str, index: Vec<u8>) -> Result<Step, AdminRefused> {
        if !is_showable_name(name) {
            return Err(ProblemCode::Unusable.into());
        }
        let sealed = self.names.seal(Cell::Group, &name).map_err(|_| ProblemCode::Busy)?;
        let insert =
            Step::new("INSERT OR IGNORE INTO groups (name_index, look, name) VALUES (?, ?, ?)");
        Ok(insert.with(index).with(self.names.look(name)).with(sealed).or(ProblemCode::Taken))
    }

    /// A code for one more device of the account that is found by `index`.
    fn new_code(&self, index: Vec<u8>) -> Result<(Step, OperatorAdded), AdminRefused> {
        let bytes: [u8; 16] = clock::random().map_err(|_| ProblemCode::Busy)?;
        let enrolment: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expires = self.clock.now().saturating_add(seconds(self.rules.code_lifetime));
        let insert = "INSERT INTO codes (code, operator, expires)
             SELECT ?, id, ? FROM operators WHERE name_index = ?";
        let insert = Step::new(insert)
            .with(digest(&enrolment).to_vec())
            .with(expires)
            .with(index)
            .or(ProblemCode::NotFound);
        let expires_in = self.rules.code_lifetime.as_secs();
        Ok((insert, OperatorAdded { enrolment, expires_in }))
    }
}
