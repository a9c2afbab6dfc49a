//! What of the ledger's vocabulary nothing writes yet: docs/ledger.md says it, and nothing else.
//!
//! It refuses to know who writes what: a word that no code of the server and of the ends names is written by nobody.

use std::collections::BTreeSet;

use crate::{
    text::{code, is_word},
    tree::{self, Source},
    wire,
};

const PAGE: &str = "docs/ledger.md";
/// Behind it the page lists them, up to the end of the sentence.
const LISTED_BEHIND: &str = "No program of this version writes";

#[test]
fn what_no_program_writes_into_the_ledger_is_what_the_page_says() {
    let sources = tree::all();
    let page = sources.iter().find(|source| source.path == PAGE).expect("the page is there");
    let silent = silent(&sources);
    assert_eq!(listed(&page.text), silent, "say it in {PAGE}");
}

/// The words of events and administrators' acts, as JSON has them, that nothing writes.
fn silent(sources: &[Source]) -> BTreeSet<String> {
    let written = |source: &&Source| {
        let by = ["signaling/src/", "peer/src/"].iter().any(|folder| source.is_under(folder));
        by && source.is_rust() && !source.path.contains("/tests")
    };
    let before_tests = |source: &Source| code(source.text.split("#[cfg(test)]").next().unwrap_or(""));
    let all: String = sources.iter().filter(written).map(before_tests).collect();
    let names = |variant: &str| {
        let (own, name) = variant.split_once("::").expect("enum and variant");
        let spellings = [own, "Happening"].map(|of| format!("{of}::{name}"));
        spellings.iter().any(|word| {
            let mut found = all.match_indices(word.as_str());
            found.any(|(at, _)| !all[at + word.len()..].starts_with(is_word))
        })
    };
    let ledger: Vec<Source> =
        sources.iter().filter(|source| source.is_under("protocol/src/ledger/")).cloned().collect();
    let vocabulary = wire::variants(&ledger);
    let vocabulary =
        vocabulary.iter().filter(|v| v.starts_with("Event::") || v.starts_with("AdminAction::"));
    vocabulary.filter(|variant| !names(variant)).map(|variant| snake(variant)).collect()
}

/// `Event::FileMoved` is `file_moved`.
fn snake(variant: &str) -> String {
    let name = variant.rsplit("::").next().unwrap_or(variant);
    let mut written = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.extend(c.to_lowercase());
    }
    written
}

fn listed(page: &str) -> BTreeSet<String> {
    let sentence = page.split(LISTED_BEHIND).nth(1).unwrap_or_default();
    let sentence = sentence.split('.').next().unwrap_or_default();
    sentence.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn a_word_that_nobody_writes_is_noticed() {
    let words = "#[derive(Serialize)] pub enum Event { LoggedIn { from: String }, FileMoved, Note }
        #[derive(Serialize)] pub enum AdminAction { Asked }";
    let server = "fn a() { put(Event::LoggedIn { from }, Happening::FileMoved, AdminAction::Asked) }
        // Event::Note
        fn b() { Event::NoteTaken }
        #[cfg(test)] mod tests { fn c() { Event::Note } }";
    let sources = [
        Source::made_up("protocol/src/ledger/event.rs", words),
        Source::made_up("signaling/src/shell/a.rs", server),
    ];
    assert_eq!(silent(&sources), BTreeSet::from(["note".to_owned()]));
    let page = "Text. No program of this version writes `note` or `chat_line`. Nor `more`.";
    assert_eq!(listed(page), BTreeSet::from(["note".to_owned(), "chat_line".to_owned()]));
}
