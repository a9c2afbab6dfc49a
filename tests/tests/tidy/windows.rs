//! What a window knows is plain data: no toolkit, clock, file or socket. Adapters stand at the edge.

use std::collections::BTreeSet;

use crate::assert_complains;
use crate::assert_none;
use crate::text::{code, find_word, is_word, line_of, with_full_paths};
use crate::tree::{self, Source};

/// What decides in each window, by its state and a message. All that these name in the windows' crate decides
/// with them, and so on from there.
const ROOTS: &[&str] = &[
    "ui-slint/src/agent/model.rs",
    "ui-slint/src/operator/model.rs",
    "ui-slint/src/operator/update.rs",
];

const CRATE: &str = "ui-slint/src";

const EDGE: &[&str] = &[
    "slint",
    "crate::windows",
    "tokio",
    "async",
    "std::fs",
    "std::env",
    "std::thread",
    "std::net",
    "Instant::now",
    "SystemTime",
];

#[test]
fn what_a_window_knows_has_no_type_of_the_toolkit() {
    let sources = tree::rust();
    for path in ROOTS {
        assert!(sources.iter().any(|source| source.path == *path), "{path} is not there");
    }
    assert_none(&impure(&sources));
}

/// Those that no window could do without, of each kind.
#[test]
fn all_that_a_model_is_made_of_is_looked_at() {
    let pure = pure(&tree::rust());
    for file in [
        "agent/asking.rs",
        "agent/looking.rs",
        "agent/news.rs",
        "checkup.rs",
        "look.rs",
        "operator/ending.rs",
        "operator/history.rs",
        "operator/password.rs",
        "operator/preferences.rs",
        "operator/question.rs",
        "operator/second_look.rs",
        "operator/tab.rs",
        "viewer/frame.rs",
        "viewer/hands.rs",
    ] {
        assert!(pure.contains(&format!("{CRATE}/{file}")), "{file}");
    }
    for edge in ["operator/engine.rs", "examining.rs", "dress.rs", "agent/view.rs"] {
        assert!(!pure.contains(&format!("{CRATE}/{edge}")), "{edge}");
    }
}

fn impure(sources: &[Source]) -> Vec<String> {
    let pure = pure(sources);
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| pure.contains(&source.path)) {
        let written = written(source);
        let all = with_full_paths(&written);
        for word in EDGE {
            if let Some(at) = find_word(&all, word) {
                let line = if at < written.len() { line_of(&written, at) } else { 1 };
                complaints.push(format!(
                    "{}:{line}: a window's model must not say `{word}`; it is handed in, or an effect",
                    source.path
                ));
            }
        }
    }
    complaints
}

/// The roots, and all files that are reached from them.
fn pure(sources: &[Source]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<String> = ROOTS.iter().map(|root| (*root).to_owned()).collect();
    while let Some(path) = next.pop() {
        let Some(source) = sources.iter().find(|source| source.path == path) else { continue };
        if found.insert(path) {
            next.extend(named(source, sources));
        }
    }
    found
}

/// The crate's files that `source` names by a path from the crate or from the module above, or holds as its own.
fn named(source: &Source, sources: &[Source]) -> Vec<String> {
    let all = with_full_paths(&written(source));
    let module = module(&source.path);
    let mut paths = Vec::new();
    for (start, length) in [("crate::", 0), ("super::", module.len() - 1), ("self::", module.len())] {
        for at in starts(&all, start) {
            let mut base = module[..length].to_vec();
            let mut rest = &all[at + start.len()..];
            while let Some(above) = rest.strip_prefix("super::") {
                base.pop();
                rest = above;
            }
            let end = rest.find(|c| !is_word(c) && c != ':').unwrap_or(rest.len());
            base.extend(rest[..end].split("::").filter(|part| !part.is_empty()).map(str::to_owned));
            paths.push(base);
        }
    }
    for at in starts(&all, "mod ") {
        let end = all[at..].find([';', '{']).map(|end| at + end);
        if let Some(end) = end.filter(|end| all[*end..].starts_with(';')) {
            let own = [all[at + 4..end].trim().to_owned()];
            paths.push(module.iter().cloned().chain(own).collect());
        }
    }
    paths.iter().filter_map(|path| file(path, sources)).collect()
}

fn starts<'a>(all: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    let is_free = |c: char| !is_word(c) && c != ':';
    all.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| all[..*at].chars().next_back().is_none_or(is_free))
}

/// `ui-slint/src/operator/tab.rs` is `operator::tab`.
fn module(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches(CRATE).trim_end_matches(".rs").trim_end_matches("/mod");
    inside.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The innermost file on the way to what is named.
fn file(path: &[String], sources: &[Source]) -> Option<String> {
    let is_there = |file: &String| sources.iter().any(|source| source.path == *file);
    (1..=path.len()).rev().find_map(|length| {
        let stem = path[..length].join("/");
        let names = [format!("{CRATE}/{stem}.rs"), format!("{CRATE}/{stem}/mod.rs")];
        names.into_iter().find(is_there)
    })
}

/// Without its tests.
fn written(source: &Source) -> String {
    code(source.text.split("\n#[cfg(test)]\n").next().unwrap_or_default())
}

#[test]
fn a_model_that_knows_its_window_is_noticed() {
    let root = |text| impure(&[Source::made_up("ui-slint/src/agent/model.rs", text)]);
    assert_complains(&root("//! x\nuse slint::SharedString;"), "model.rs:2");
    assert_complains(&root("use crate::{look::Shade, windows::Agent};"), "crate::windows");
    assert_none(&root("use std::time::Instant; // no slint\n#[cfg(test)]\nuse slint::Image;"));
}

/// However it is named, and however far from the model.
#[test]
fn what_a_model_is_made_of_may_know_the_window_as_little() {
    let files = |naming: &str, other: &str| {
        impure(&[
            Source::made_up("ui-slint/src/agent/model.rs", naming),
            Source::made_up("ui-slint/src/agent/live.rs", "use crate::far::off;"),
            Source::made_up(other, "fn x() { std::fs::read(y); }"),
        ])
    };
    for naming in
        ["use super::{live::Live, x};", "fn x(live: &super::live::Live) {}", "use crate::agent::live;"]
    {
        for other in ["ui-slint/src/far.rs", "ui-slint/src/far/mod.rs", "ui-slint/src/far/off.rs"] {
            assert_complains(&files(naming, other), "std::fs");
        }
    }
    assert_complains(&files("mod own;", "ui-slint/src/agent/model/own.rs"), "std::fs");
    assert_none(&files("use other::super_live; // super::live", "ui-slint/src/far.rs"));
}
