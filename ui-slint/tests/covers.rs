//! Whatever a window lays over a picture is named where it says that nothing does: what is not would lie under it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

const WINDOWS: [(&str, &str); 2] = [
    ("operator", include_str!("../ui/operator/window.slint")),
    ("agent", include_str!("../ui/agent/window.slint")),
];

#[test]
fn s100_what_a_window_lays_over_a_picture_is_named_in_picture_is_bare() {
    for (window, text) in WINDOWS {
        let unnamed = unnamed(text);
        assert!(
            unnamed.is_empty(),
            "{window}/window.slint: picture-is-bare does not ask for {unnamed:?}"
        );
    }
}

#[test]
fn what_is_not_named_is_noticed() {
    for (window, text) in WINDOWS {
        let more = text.replace(
            "\n    Bared { }",
            "\n    if Operator.another != 0: Rectangle { }\n\n    Bared { }",
        );
        assert_ne!(more, text, "{window}");
        assert_eq!(unnamed(&more), BTreeSet::from(["Operator.another".to_owned()]), "{window}");
    }
}

/// What decides on a part that lies over all of the window, and is not asked.
fn unnamed(text: &str) -> BTreeSet<String> {
    let (_, rule) = text.split_once("property <bool> picture-is-bare:").expect("the rule");
    let asked = questions(rule.split_once(';').unwrap().0);
    // A page lies beside a picture, not over it: there is one at a time.
    let parts = text.lines().filter_map(|line| line.strip_prefix("    if ")?.split_once(": "));
    let over = parts.filter(|(_, part)| !part.contains("Page "));
    over.flat_map(|(when, _)| questions(when)).filter(|question| !asked.contains(question)).collect()
}

/// The properties of globals that are read in an expression: `Session.dialog`, and not `SessionDialog.none`.
fn questions(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-'));
    let is_global = |word: &&str| {
        ["Agent.", "Checkup.", "Operator.", "RemoteScreen.", "SaidWords.", "Session.", "Tips."]
            .iter()
            .any(|global| word.starts_with(global))
    };
    words.filter(is_global).map(str::to_owned).collect()
}
