//! The policy: what an administrator lets his operators do, as one signed document.
//!
//! Rules stand in sections: for everybody, for groups, for single operators. A
//! section can only take away from another: of all rules that speak of a thing the
//! most restrictive wins ([`decide`]). It refuses to know accounts, who is in which
//! group, and clocks.

pub mod check;
pub mod decide;
pub mod exchange;
pub mod hours;
pub mod local;
pub mod preset;
pub mod rank;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::dsse::Document;
use crate::ids::TenantId;
use crate::rights::Mode;
use crate::terms::{AddressDisclosure, Approval, Requirement};
use hours::{Window, Zone};
use preset::Preset;

/// The form of the document; another form is another number.
pub const POLICY_FORM: u16 = 1;
/// The most bytes of a policy: room for about a thousand operators' sections.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;

/// The document that an administrator signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub v: u16,
    pub tenant: TenantId,
    /// Counts up from 1; 0 is what holds before the first was published.
    pub version: u64,
    /// Seconds since 1970 on the administrator's clock; for the record only.
    pub issued_at: u64,
    pub rules: RuleBook,
}

impl Document for Policy {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.policy.v1+json";
    const MAX_BYTES: usize = MAX_POLICY_BYTES;
}

impl Policy {
    /// What holds before any policy was published: no section at all.
    pub fn unwritten(tenant: TenantId) -> Self {
        Self { v: POLICY_FORM, tenant, version: 0, issued_at: 0, rules: RuleBook::default() }
    }
}

/// The rules as an administrator writes them; a TOML file has these very words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleBook {
    /// The version that the writer had before him; another one in force refuses this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<u64>,
    /// Why it was changed, for the history.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Of windows that name no zone of their own; UTC if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// For everybody.
    #[serde(skip_serializing_if = "Rules::is_empty")]
    pub default: Rules,
    #[serde(skip_serializing_if = "Sections::is_empty")]
    pub group: Sections,
    #[serde(skip_serializing_if = "Sections::is_empty")]
    pub operator: Sections,
}

impl RuleBook {
    /// The sections that differ from those of `before`, as the ledger names them, each with the rules that do:
    /// `operator.hanako=chat hours`. Those of operators first, `default` where it, or what holds for every section, does.
    pub fn changed_from(&self, before: &Self) -> Vec<String> {
        let of = |kind: &str, now: &Sections, then: &Sections| -> Vec<String> {
            let names: BTreeSet<&String> = now.0.keys().chain(then.0.keys()).collect();
            let changed = names.into_iter().filter(|name| now.0.get(*name) != then.0.get(*name));
            let told = |name: &String| {
                let (now, then) = (now.0.get(name), then.0.get(name));
                told_rules(section(kind, name), changed_rules(now, then))
            };
            changed.map(told).collect()
        };
        let mut changed = of("operator", &self.operator, &before.operator);
        changed.extend(of("group", &self.group, &before.group));
        let mut of_all = changed_rules(Some(&self.default), Some(&before.default));
        if self.time_zone != before.time_zone {
            of_all.push("time_zone".to_owned());
        }
        if !of_all.is_empty() {
            changed.push(told_rules("default".to_owned(), of_all));
        }
        changed
    }
}

/// The names of the rules that are not the same in both.
fn changed_rules(now: Option<&Rules>, then: Option<&Rules>) -> Vec<String> {
    let read = |rules: Option<&Rules>| match serde_json::to_value(rules) {
        Ok(serde_json::Value::Object(rules)) => rules,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let (now, then) = (read(now), read(then));
    let names: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    names.into_iter().filter(|name| now.get(*name) != then.get(*name)).cloned().collect()
}

/// A section that came or went without any rule in it stands alone.
fn told_rules(section: String, rules: Vec<String>) -> String {
    if rules.is_empty() { section } else { format!("{section}={}", rules.join(" ")) }
}

/// Whether a part of such a record is of `section`.
pub fn is_of_section(part: &str, section: &str) -> bool {
    part.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// The last word in a record of more sections than it has room for.
pub const AND_MORE: &str = "…";
/// Bytes of sections in a record: a quarter of what an entry may have.
const MOST_SECTIONS: usize = 4096;

/// Names of sections as the ledger's record of a published policy holds them: all, or as many as find
/// room and then [`AND_MORE`].
pub fn told_sections(changed: &[String]) -> String {
    let mut told = String::new();
    for section in changed {
        let between = if told.is_empty() { "" } else { ", " };
        if told.len() + between.len() + section.len() > MOST_SECTIONS {
            return told + between + AND_MORE;
        }
        told = told + between + section;
    }
    told
}

/// How a section is called: `operator.NAME`, `group.NAME`.
pub fn section(kind: &str, name: &str) -> String {
    format!("{kind}.{name}")
}

/// One section: what it does not name, it leaves to the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// A preset that holds beside the section's own rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Preset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modes: Option<Vec<Mode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see_screen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choose_screen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch_files: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_files: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_clipboard: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_clipboard: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screenshot: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<Requirement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_selection: Option<Requirement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_disclosure: Option<AddressDisclosure>,
    /// When a session may be; several windows add up, several sections do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<Window>>,
    /// How long a session may last, 1 to 480.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_minutes: Option<u16>,
    /// Whether an operator must say why (a ticket's number, say) before he gets a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Requirement>,
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Sections by the name of a group or an operator; none twice.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sections(pub BTreeMap<String, Rules>);

impl Sections {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A map type would keep the last of two sections of one name.
impl<'de> Deserialize<'de> for Sections {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Sections;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("sections, each under its name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sections, A::Error> {
                let mut sections = BTreeMap::new();
                while let Some((name, rules)) = map.next_entry::<String, Rules>()? {
                    if sections.contains_key(&name) {
                        return Err(de::Error::custom(format!("the section {name:?} stands twice")));
                    }
                    sections.insert(name, rules);
                }
                Ok(Sections(sections))
            }
        }
        d.deserialize_map(Once)
    }
}
