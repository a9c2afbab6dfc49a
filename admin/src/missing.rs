//! Who or what was named and is not there: said by its name, with what was probably meant.

use tasuki_protocol::admin::{GroupList, OperatorList};

use crate::slip::meant;
use crate::texts::Language;

/// What was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    Operator {
        name: String,
        meant: Option<String>,
    },
    Group {
        name: String,
        meant: Option<String>,
    },
    /// Group and operator stand in each other's place.
    Swapped {
        group: String,
        operator: String,
    },
    PolicyVersion(u64),
    /// Or it has ended.
    Session(String),
    /// To take back.
    Invitation(String),
    /// To leave it.
    Member {
        group: String,
        operator: String,
    },
}

impl Missing {
    pub(crate) fn of_operator(name: &str, operators: &OperatorList) -> Self {
        let known = operators.operators.iter().map(|entry| entry.operator.as_str());
        Self::Operator { name: name.to_owned(), meant: meant(name, known).map(str::to_owned) }
    }

    pub(crate) fn version(version: u64) -> Self {
        Self::PolicyVersion(version)
    }

    /// What is wrong with `group join GROUP OPERATOR`, if it is one of the names.
    pub(crate) fn of_group(
        (group, operator): (&str, &str),
        groups: &GroupList,
        operators: &OperatorList,
    ) -> Option<Self> {
        let groups = || groups.groups.iter().map(|entry| entry.group.as_str());
        let operators = || operators.operators.iter().map(|entry| entry.operator.as_str());
        let is_group = |name: &str| groups().any(|known| known == name);
        let is_operator = |name: &str| operators().any(|known| known == name);
        if !is_group(group) && is_group(operator) && is_operator(group) {
            return Some(Self::Swapped { group: operator.to_owned(), operator: group.to_owned() });
        }
        if !is_group(group) {
            let near = meant(group, groups()).map(str::to_owned);
            return Some(Self::Group { name: group.to_owned(), meant: near });
        }
        let near = meant(operator, operators()).map(str::to_owned);
        (!is_operator(operator)).then(|| Self::Operator { name: operator.to_owned(), meant: near })
    }
}

impl Language {
    pub(crate) fn missing(self, missing: &Missing) -> String {
        let near = |meant: &Option<String>| {
            meant.as_ref().map_or_else(String::new, |meant| {
                self.pick(format!(" Did you mean {meant}?"), format!("「{meant}」のことですか。"))
            })
        };
        match missing {
            Missing::Operator { name, meant } => self.pick(
                format!("There is no operator {name}.{} `operator list` shows all.", near(meant)),
                format!(
                    "オペレータ {name} はいません。{}`operator list` で一覧できます。",
                    near(meant)
                ),
            ),
            Missing::Group { name, meant } => self.pick(
                format!(
                    "There is no group {name}.{} `group list` shows all; `group add` makes one.",
                    near(meant)
                ),
                format!(
                    "グループ {name} はありません。{}`group list` で一覧でき、`group add` で作れます。",
                    near(meant)
                ),
            ),
            Missing::Swapped { group, operator } => self.pick(
                format!("The group comes first, and then the operator: {group} {operator}"),
                format!("グループ、オペレータの順に指定してください: {group} {operator}"),
            ),
            Missing::PolicyVersion(version) => self.pick(
                format!("There is no version {version} of the policy. `policy history` lists all."),
                format!("ポリシーの第 {version} 版はありません。`policy history` で一覧できます。"),
            ),
            Missing::Session(session) => self.pick(
                format!("No session {session} runs: it has ended, or the id is mistyped. `session list` shows all; give its whole id or the first 8 digits."),
                format!("セッション {session} は実行中ではありません（終了したか、ID の誤りです）。`session list` で一覧できます。ID の全体か先頭 8 桁を指定してください。"),
            ),
            Missing::Invitation(name) => self.no_invitation_for(name),
            Missing::Member { group, operator } => self.pick(
                format!("{operator} is not in {group}, so nothing was changed. `group list` shows who is."),
                format!("{operator} は {group} に入っていないため、何も変更していません。`group list` で確認できます。"),
            ),
        }
    }
}
