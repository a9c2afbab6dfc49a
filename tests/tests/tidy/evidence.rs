//! Which test shows which requirement (S-number) or invariant (T-number): read from the tests'
//! names and comments, written to `docs/evidence.md`, and asked to be complete.
//!
//! A number counts for a test when it stands in the comments above it, in its name or in the
//! comments inside it. Ranges do not count: a test shows what it names.

use std::{collections::BTreeMap, fs};

use crate::{
    assert_complains, assert_none,
    text::{comments, is_word},
    tree::{self, Source},
};

/// A requirement or an invariant, ordered as in the documents: `S2` before `S11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    letter: char,
    count: u16,
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.letter, self.count)
    }
}

type Evidence = BTreeMap<Number, Vec<String>>;

/// What the product promises to show: from, up to and with.
const PROMISED: [(char, u16, u16); 2] = [('S', 1, 100), ('T', 1, 70)];

/// Promised, and not yet shown by a test: files, the clipboard, one application alone, coming back after a reboot,
/// recording, releases that are signed and built alike twice, and what an organisation does by
/// rule, or by choosing where its server stands. Entries may only go.
const NOT_YET_SHOWN: &[&str] = &[
    "S4", "S5", "S6", "S8", "S9", "S32", "S35", "S36", "S38", "S40", "S41", "S59", "S60", "S61", "S73",
    "S74", "S80", "S81", "S86", "S87", "S89", "S98", "T29", "T30", "T37", "T40", "T41", "T42",
];

#[test]
fn every_promised_number_is_shown_by_a_test() {
    assert_none(&unshown(&gather(&tree::rust()), NOT_YET_SHOWN));
}

fn unshown(evidence: &Evidence, not_yet: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (letter, first, last) in PROMISED {
        for number in (first..=last).map(|count| Number { letter, count }) {
            let excused = not_yet.contains(&number.to_string().as_str());
            match (evidence.contains_key(&number), excused) {
                (false, false) => complaints
                    .push(format!("{number}: no test names it; write the test, or name it there")),
                (true, true) => complaints
                    .push(format!("{number}: is shown; take it out of NOT_YET_SHOWN in evidence.rs")),
                (true, false) | (false, true) => {}
            }
        }
    }
    complaints
}

#[test]
fn the_table_of_evidence_is_fresh() {
    let file = tree::root().join("docs/evidence.md");
    let table = table(&gather(&tree::rust()));
    if std::env::var_os("TASUKI_WRITE_EVIDENCE").is_some() {
        fs::create_dir_all(tree::root().join("docs")).expect("docs/ can be made");
        fs::write(&file, &table).expect("docs/evidence.md can be written");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == table, "docs/evidence.md is not what the tests say; run ./dev evidence");
}

fn table(evidence: &Evidence) -> String {
    let mut out = String::from(
        "# Which test shows what\n\n\
         Written by `./dev evidence` from the names and comments of the tests; a test keeps it fresh.\n\n\
         | number | shown by |\n|---|---|\n",
    );
    for (number, tests) in evidence {
        out.push_str(&format!("| {number} | {} |\n", tests.join("<br>")));
    }
    out
}

fn gather(sources: &[Source]) -> Evidence {
    let mut evidence = Evidence::new();
    for source in sources.iter().filter(|s| s.path != "tests/tests/tidy/evidence.rs") {
        for test in tests(source) {
            for number in test.numbers {
                let shown = evidence.entry(number).or_default();
                shown.push(format!("`{}` {}", source.path, test.name.replace('_', " ")));
            }
        }
    }
    evidence
}

struct Test {
    name: String,
    numbers: Vec<Number>,
}

/// Leans on rustfmt: a test's last line is a `}` as far in as its `fn`.
fn tests(source: &Source) -> Vec<Test> {
    let lines: Vec<&str> = source.text.lines().collect();
    let comments = comments(&source.text);
    let comments: Vec<&str> = comments.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let start = (0..at).rev().take_while(|&i| is_above(lines[i])).last().unwrap_or(at);
        if !lines[start..at].iter().any(|line| is_test_attribute(line)) {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let end = (at..lines.len()).find(|&i| lines[i] == close).unwrap_or(at);
        let mut numbers = numbers(&comments[start..=end.min(comments.len() - 1)].join("\n"));
        numbers.extend(self::numbers(&name.replace('_', " ").to_uppercase()));
        numbers.sort_unstable();
        numbers.dedup();
        found.push(Test { name, numbers });
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let line = line.trim_start();
    let after = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    Some(after.chars().take_while(|c| is_word(*c)).collect())
}

fn is_above(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("#[")
}

fn is_test_attribute(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

fn numbers(text: &str) -> Vec<Number> {
    let words = text.split(|c: char| !is_word(c) && c != '-' && c != '–');
    words.filter_map(number).collect()
}

/// `T68a` belongs to T68; `S11-S31` is a range and belongs to nothing.
fn number(word: &str) -> Option<Number> {
    let word = word.trim_matches('-');
    let letter = word.chars().next().filter(|c| matches!(c, 'S' | 'T'))?;
    let digits = word[1..].trim_end_matches(|c: char| c.is_ascii_lowercase());
    let count = digits.parse().ok().filter(|count| (1..=100).contains(count))?;
    Some(Number { letter, count })
}

#[test]
fn numbers_are_read_from_names_and_comments_of_tests_only() {
    let text = "\
/// S14, T68a. Not S11-S31.
#[test]
fn t48_a_stray_packet_is_dropped() {
    // T19: dropped
    let x = \"S99\";
}

// S77
fn not_a_test() {}
";
    let evidence = gather(&[Source::made_up("peer/src/a.rs", text)]);
    let shown: Vec<String> = evidence.keys().map(ToString::to_string).collect();
    assert_eq!(shown, ["S14", "T19", "T48", "T68"]);
    assert!(table(&evidence).contains("| S14 | `peer/src/a.rs` t48 a stray packet is dropped |"));
}

#[test]
fn a_promise_without_a_test_is_noticed() {
    let shown = |numbers: &[&str]| {
        let found = numbers.iter().filter_map(|n| number(n));
        found.map(|n| (n, vec!["a test".to_owned()])).collect::<Evidence>()
    };
    assert_complains(&unshown(&shown(&["S1"]), &[]), "S14: no test");
    assert_complains(&unshown(&shown(&["S14"]), &["S14"]), "S14: is shown");
    assert!(!unshown(&shown(&[]), &["S14"]).iter().any(|c| c.starts_with("S14")));
}
