//! Every sentence of a catalogue is said by some program: what nobody says, nobody would translate well.

use crate::text::{code, find_word};
use crate::tree::{self, Source};
use crate::{assert_complains, assert_none};

/// Where the sentences stand, in English and Japanese, and the enum that names them.
const CATALOGUES: [(&str, &str); 2] =
    [("peer/src/shell/catalogue.rs", "Text"), ("peer/src/shell/session_catalogue.rs", "SessionText")];
/// Its table names the sentence of each fault without the enum.
const FAULTS: &str = "peer/src/shell/fault.rs";
/// Who may say them: what a person reads comes from these crates.
const SPEAKERS: [&str; 2] = ["peer/src/", "ui-slint/src/"];

#[test]
fn s100_each_sentence_of_the_programs_is_said_somewhere() {
    let sources = tree::rust();
    for (path, _) in CATALOGUES {
        let catalogue = sources.iter().find(|source| source.path == path).expect(path);
        assert!(names(&catalogue.text).len() > 50, "{path} was read");
    }
    assert_none(&unsaid(&sources));
}

fn unsaid(sources: &[Source]) -> Vec<String> {
    let is_speaker = |source: &&Source| {
        SPEAKERS.iter().any(|folder| source.is_under(folder))
            && CATALOGUES.iter().all(|(path, _)| source.path != *path)
    };
    let said: Vec<(bool, String)> = sources
        .iter()
        .filter(is_speaker)
        .map(|source| (source.path == FAULTS, spoken(&source.text)))
        .collect();
    let mut complaints = Vec::new();
    for (path, kind) in CATALOGUES {
        let Some(catalogue) = sources.iter().find(|source| source.path == path) else { continue };
        for name in names(&catalogue.text) {
            let whole = format!("{kind}::{name}");
            let is_said = said.iter().any(|(is_table, code)| {
                find_word(code, &whole).is_some() || *is_table && find_word(code, &name).is_some()
            });
            if !is_said {
                complaints.push(format!("{path}: nobody says {whole}; say it, or take it out"));
            }
        }
    }
    complaints
}

/// Without its tests.
fn spoken(text: &str) -> String {
    code(text.split("\n#[cfg(test)]\n").next().unwrap_or_default())
}

/// Of a table of `Name => "English", "Japanese";`.
fn names(catalogue: &str) -> Vec<String> {
    let code = code(catalogue);
    let heads = code.split("=>").map(|before| before.trim_end().rsplit([' ', '\n']).next());
    let is_name = |name: &&str| name.starts_with(|c: char| c.is_ascii_uppercase());
    // What stands behind the last arrow is a sentence.
    let all = code.matches("=>").count();
    heads.take(all).flatten().filter(is_name).map(str::to_owned).collect()
}

#[test]
fn a_sentence_that_nobody_says_is_noticed() {
    let table =
        "texts! {\n    Text:\n    FaultOne => \"a; b\",\n  \"x => y\";\n    Two => \"c\", \"d\";\n}";
    assert_eq!(names(table), ["FaultOne", "Two"]);
    let said = |speaker: &str, text: &str| {
        unsaid(&[
            Source::made_up("peer/src/shell/catalogue.rs", table),
            Source::made_up(FAULTS, "faults! { One = 1, FaultOne; }"),
            Source::made_up(speaker, text),
        ])
    };
    assert_none(&said("peer/src/programs/x.rs", "say(Text::Two)"));
    assert_none(&said("ui-slint/src/agent/x.rs", "texts::Text::Two.say(lang)"));
    for (speaker, text) in [
        ("peer/src/programs/x.rs", "// Text::Two"),
        ("peer/src/programs/x.rs", "SessionText::Two"),
        ("peer/src/programs/x.rs", "fn x() {}\n#[cfg(test)]\nmod tests { Text::Two }"),
        ("admin/src/x.rs", "Text::Two"),
    ] {
        assert_complains(&said(speaker, text), "Text::Two");
    }
}
