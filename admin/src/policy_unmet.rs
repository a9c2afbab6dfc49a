//! What a policy demands that the programs of this version cannot do. Which that is, the ends' own
//! [`Abilities`] say: here is no second list.

use tasuki_protocol::manifest::Abilities;
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::policy::{RuleBook, Sections};

pub(crate) const OURS: Abilities = Abilities::OF_THIS_VERSION;

/// The demands of all sections that no program meets yet.
pub(crate) fn unmet(rules: &RuleBook) -> Vec<&'static str> {
    let sections =
        [&rules.group, &rules.operator].into_iter().flat_map(|Sections(named)| named.values());
    let all = std::iter::once(&rules.default).chain(sections);
    let mut unmet: Vec<&str> = all
        .flat_map(|section| {
            let base = section.base.map(Preset::rules).unwrap_or_default();
            let selection = section.application_selection.or(base.application_selection);
            OURS.lacking(section.recording.or(base.recording), selection)
        })
        .collect();
    unmet.sort_unstable();
    unmet.dedup();
    unmet
}

/// Whether any program of this version does what the rule is about (docs/threat-model.md).
pub(crate) fn is_done(key: Key) -> bool {
    match key {
        Key::FetchFiles
        | Key::SendFiles
        | Key::ReadClipboard
        | Key::WriteClipboard
        | Key::Reconnect => false,
        Key::Recording => OURS.recording,
        Key::ApplicationSelection => OURS.application_selection,
        Key::Modes
        | Key::Hours
        | Key::SeeScreen
        | Key::Operate
        | Key::ChooseScreen
        | Key::Screenshot
        | Key::Chat
        | Key::Point
        | Key::AddressDisclosure
        | Key::MaxMinutes
        | Key::Reason => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S91: an end refuses a manifest for the very demands that an administrator is told of.
    #[test]
    fn s91_what_is_told_of_a_policy_is_what_an_end_is_not_able_to() {
        let demand = "[default]\nrecording = 'required'\n[group.desk]\nbase = 'applications-only'\n";
        let rules: RuleBook = toml::from_str(demand).unwrap();
        let able =
            [(OURS.application_selection, "application_selection"), (OURS.recording, "recording")];
        let lacking: Vec<&str> = able.iter().filter(|(is, _)| !is).map(|(_, name)| *name).collect();
        assert_eq!(unmet(&rules), lacking);
    }
}
