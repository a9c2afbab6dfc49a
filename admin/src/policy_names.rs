//! Sections of a policy for operators and groups that the server has not: misspelt perhaps, or meant
//! for whom is yet to come. It refuses to know what the rules say.

use tasuki_protocol::policy::{RuleBook, Sections};

use crate::slip::meant;

/// A section for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// As a file names it: `[operator.hanoko]`.
    pub(crate) section: String,
    /// Who is there, and was probably meant. Capitals count in names.
    pub(crate) meant: Option<String>,
}

pub(crate) fn unknown(rules: &RuleBook, operators: &[String], groups: &[String]) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    for (noun, Sections(sections), known) in
        [("group", &rules.group, groups), ("operator", &rules.operator, operators)]
    {
        let names = sections.keys().filter(|name| !known.contains(name));
        unknown.extend(names.map(|name| Unknown {
            section: format!("[{noun}.{name}]"),
            meant: meant(name, known.iter().map(String::as_str)).map(str::to_owned),
        }));
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_for_nobody_is_named_with_who_was_meant_and_others_are_not() {
        let rules: RuleBook = toml::from_str(
            "[operator.hanako]\nchat = true\n[operator.Hanako]\nchat = false\n\
             [operator.hanoko]\nchat = true\n\
             [group.desk]\nchat = true\n[group.hanako]\nchat = true\n",
        )
        .unwrap();
        let found = unknown(&rules, &["hanako".to_owned()], &["desk".to_owned()]);
        let found: Vec<(&str, Option<&str>)> =
            found.iter().map(|found| (found.section.as_str(), found.meant.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("[group.hanako]", None),
                ("[operator.Hanako]", Some("hanako")),
                ("[operator.hanoko]", Some("hanako")),
            ]
        );
    }
}
