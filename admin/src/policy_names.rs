//! Sections of a policy for operators and groups that the server has not: misspelt perhaps, or meant
//! for whom is yet to come. It refuses to know what the rules say.

use tasuki_protocol::policy::{RuleBook, Sections};

/// As a file names them: `[operator.hanoko]`.
pub(crate) fn unknown(rules: &RuleBook, operators: &[String], groups: &[String]) -> Vec<String> {
    let mut unknown = Vec::new();
    for (noun, Sections(sections), known) in
        [("group", &rules.group, groups), ("operator", &rules.operator, operators)]
    {
        let names = sections.keys().filter(|name| !known.contains(name));
        unknown.extend(names.map(|name| format!("[{noun}.{name}]")));
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_for_nobody_is_named_and_others_are_not() {
        let rules: RuleBook = toml::from_str(
            "[operator.hanako]\nchat = true\n[operator.hanoko]\nchat = true\n\
             [group.desk]\nchat = true\n[group.hanako]\nchat = true\n",
        )
        .unwrap();
        let found = unknown(&rules, &["hanako".to_owned()], &["desk".to_owned()]);
        assert_eq!(found, ["[group.hanako]", "[operator.hanoko]"]);
    }
}
