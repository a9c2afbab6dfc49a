//! Groups of operators.

use clap::Subcommand;
use tasuki_protocol::admin::{
    ChangeGroup, GROUPS_PATH, GroupChange, GroupList, OPERATORS_PATH, OperatorList, ProblemCode,
};

use crate::desk::Desk;
use crate::fault::Fault;
use crate::missing::Missing;
use crate::naming;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::table::table;

#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Make a group
    Add {
        /// The group's name
        group: String,
    },
    /// Show all groups and who is in them
    List,
    /// Delete a group; its operators' accounts stay; asks for confirmation
    Remove {
        /// The group's name
        group: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Put an operator into a group
    Join {
        /// The group's name
        group: String,
        /// The operator's account
        operator: String,
    },
    /// Take an operator out of a group
    Leave {
        /// The group's name
        group: String,
        /// The operator's account
        operator: String,
    },
}

pub(super) async fn run(settings: &Settings, command: &GroupCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    match command {
        GroupCommand::Add { group } => change(&desk, group, GroupChange::Add).await,
        GroupCommand::List => list(&desk).await,
        GroupCommand::Remove { group, yes } => {
            let list: GroupList = desk.fetch(GROUPS_PATH).await?;
            let Some(entry) = list.groups.iter().find(|entry| entry.group == *group) else {
                let order = ChangeGroup { group: group.clone(), change: GroupChange::Remove };
                return Err(missing(&desk, &order).await?);
            };
            let question = desk.language.ask_group_removal(group, entry.operators.len());
            prompt::confirm(Sure::said(*yes), &question, group)?;
            change(&desk, group, GroupChange::Remove).await
        }
        GroupCommand::Join { group, operator } => {
            change(&desk, group, GroupChange::Join { operator: operator.clone() }).await
        }
        GroupCommand::Leave { group, operator } => {
            let list: GroupList = desk.fetch(GROUPS_PATH).await?;
            let entry = list.groups.iter().find(|entry| entry.group == *group);
            if entry.is_some_and(|entry| !entry.operators.contains(operator)) {
                let operators: OperatorList = desk.fetch(OPERATORS_PATH).await?;
                let (group, operator) = (group.clone(), operator.clone());
                let unknown = Missing::of_group((&group, &operator), &list, &operators);
                let missing = unknown.unwrap_or(Missing::Member { group, operator });
                return Err(Fault::NoSuch(missing));
            }
            change(&desk, group, GroupChange::Leave { operator: operator.clone() }).await
        }
    }
}

async fn list(desk: &Desk) -> Result<Printed, Fault> {
    let list: GroupList = desk.fetch(GROUPS_PATH).await?;
    let json = serde_json::to_value(&list).unwrap_or_default();
    let mut rows = vec![desk.language.group_columns().to_vec()];
    rows.extend(list.groups.iter().map(|g| vec![g.group.clone(), g.operators.join(", ")]));
    Ok(Printed { text: table(&rows), json })
}

async fn change(desk: &Desk, group: &str, change: GroupChange) -> Result<Printed, Fault> {
    let group = match change {
        GroupChange::Add => &naming::check(group)?,
        GroupChange::Remove | GroupChange::Join { .. } | GroupChange::Leave { .. } => group,
    };
    let order = ChangeGroup { group: group.to_owned(), change };
    let changed = match desk.change(GROUPS_PATH, &order).await {
        Err(Fault::Refused(ProblemCode::NotFound)) => return Err(missing(desk, &order).await?),
        Err(Fault::Refused(ProblemCode::Taken)) => {
            let list: GroupList = desk.fetch(GROUPS_PATH).await?;
            return Err(naming::taken(group, list.groups.iter().map(|entry| entry.group.as_str())));
        }
        done => done?,
    };
    let text = if changed { desk.language.done(group) } else { desk.language.was_so(group) };
    let json = serde_json::json!({ "group": group, "done": true, "changed": changed });
    Ok(Printed { text, json })
}

/// Which of the names it is that the server does not know.
async fn missing(desk: &Desk, order: &ChangeGroup) -> Result<Fault, Fault> {
    let groups: GroupList = desk.fetch(GROUPS_PATH).await?;
    let operators: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    let names = match &order.change {
        GroupChange::Add | GroupChange::Remove => (order.group.as_str(), ""),
        GroupChange::Join { operator } | GroupChange::Leave { operator } => {
            (order.group.as_str(), operator.as_str())
        }
    };
    let missing = Missing::of_group(names, &groups, &operators);
    Ok(missing.map_or(Fault::Refused(ProblemCode::NotFound), Fault::NoSuch))
}
