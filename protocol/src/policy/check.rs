//! Whether a policy says what its writer meant: unknown words are no policy at all,
//! and neither is a rule that another one makes void.

use super::decide::Section;
use super::rank::Key;
use super::{POLICY_FORM, Policy, RuleBook, Rules};
use crate::ids::TenantId;
use crate::manifest::MAX_LENGTH;
use crate::showable::is_showable_name;

/// The most characters of a note.
pub const MAX_NOTE_CHARS: usize = 200;
/// The most windows of one section.
const MAX_WINDOWS: usize = 32;

/// Why a policy is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    #[error("the policy is of another form or another organisation")]
    Foreign,
    #[error("the note is longer than 200 characters or has some that cannot be shown")]
    Note,
    #[error("the section {0:?} has a name that nobody can have")]
    Name(String),
    #[error("the sections {0:?} and {1:?} have names that look alike")]
    Alike(String, String),
    /// Sections only take away, so this rule would never do what it says.
    #[error("{section}: {key} is wider than {than} allows")]
    Wider { section: Section, key: &'static str, than: Section },
    /// A base only takes away, too.
    #[error("{section}: {key} is wider than the section's own base allows")]
    WiderThanBase { section: Section, key: &'static str },
    #[error("{0}: max_minutes must be 1 to 480")]
    Minutes(Section),
    #[error("{0}: hours must name 1 to 32 windows, and modes none twice")]
    List(Section),
}

impl std::fmt::Display for Section {
    /// As its head in a TOML file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("[default]"),
            Self::Group(name) => write!(f, "[group.{name:?}]"),
            Self::Operator(name) => write!(f, "[operator.{name:?}]"),
        }
    }
}

impl Policy {
    /// # Errors
    /// See [`PolicyFault`]; nothing of the policy may be used then.
    pub fn check(&self, tenant: TenantId) -> Result<(), PolicyFault> {
        let base =
            self.rules.replaces.is_none_or(|replaced| replaced.checked_add(1) == Some(self.version));
        if self.v != POLICY_FORM || self.tenant != tenant || !base {
            return Err(PolicyFault::Foreign);
        }
        self.rules.check()
    }
}

impl RuleBook {
    /// # Errors
    /// See [`PolicyFault`].
    pub fn check(&self) -> Result<(), PolicyFault> {
        let note = &self.note;
        if note.chars().count() > MAX_NOTE_CHARS || note.chars().any(char::is_control) {
            return Err(PolicyFault::Note);
        }
        check_section(&Section::Default, &self.default, &Rules::default())?;
        for (sections, named) in [
            (&self.group, Section::Group as fn(String) -> Section),
            (&self.operator, Section::Operator as fn(String) -> Section),
        ] {
            check_names(sections.0.keys())?;
            for (name, rules) in &sections.0 {
                check_section(&named(name.clone()), rules, &self.default)?;
            }
        }
        Ok(())
    }
}

fn check_names<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), PolicyFault> {
    let mut seen = std::collections::BTreeMap::new();
    for name in names {
        if !is_showable_name(name) || name.chars().any(char::is_whitespace) {
            return Err(PolicyFault::Name(name.chars().take(64).collect()));
        }
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            return Err(PolicyFault::Alike(other.clone(), name.clone()));
        }
    }
    Ok(())
}

fn check_section(section: &Section, rules: &Rules, default: &Rules) -> Result<(), PolicyFault> {
    let most = MAX_LENGTH.as_secs() / 60;
    if rules.max_minutes.is_some_and(|minutes| minutes == 0 || u64::from(minutes) > most) {
        return Err(PolicyFault::Minutes(section.clone()));
    }
    let hours = rules.hours.as_ref().is_none_or(|hours| (1..=MAX_WINDOWS).contains(&hours.len()));
    let modes = rules
        .modes
        .as_ref()
        .is_none_or(|modes| modes.iter().enumerate().all(|(at, mode)| !modes[..at].contains(mode)));
    if !hours || !modes {
        return Err(PolicyFault::List(section.clone()));
    }
    let base = rules.base.map(|base| base.rules()).unwrap_or_default();
    if let Some(key) = wider(rules, &base) {
        return Err(PolicyFault::WiderThanBase { section: section.clone(), key: key.name() });
    }
    let default_base = default.base.map(|base| base.rules()).unwrap_or_default();
    match wider(rules, default).or_else(|| wider(rules, &default_base)) {
        Some(key) => Err(PolicyFault::Wider {
            section: section.clone(),
            key: key.name(),
            than: Section::Default,
        }),
        None => Ok(()),
    }
}

/// The first thing of which `rules` expressly says more than `most` expressly allows.
fn wider(rules: &Rules, most: &Rules) -> Option<Key> {
    let modes = match (&rules.modes, &most.modes) {
        (Some(own), Some(most)) => own.iter().any(|mode| !most.contains(mode)),
        (Some(_) | None, _) => false,
    };
    if modes {
        return Some(Key::Modes);
    }
    Key::ALL.into_iter().find(|key| match (rules.rank(*key), most.rank(*key)) {
        (Some(own), Some(most)) => own > most,
        (Some(_) | None, _) => false,
    })
}
