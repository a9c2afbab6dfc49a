//! The shape of files: how they open, how long they are, what they are called, and words that no
//! file may hold.

use crate::{
    assert_complains, assert_none,
    text::{code, find_word, line_of},
    tree::{self, Source},
};

/// The most lines a file may have before its tests.
const LONGEST: usize = 400;

/// Files that were longer when the rule came, with their length. Entries may only shrink.
const LONG_FILES: &[(&str, usize)] = &[];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["utils", "util", "common", "helpers", "helper", "misc", "tools", "stuff", "types"];

#[test]
fn every_file_opens_by_saying_what_it_decides() {
    assert_none(&opening(&tree::rust()));
}

fn opening(sources: &[Source]) -> Vec<String> {
    let is_silent = |s: &&Source| {
        let first = s.text.lines().next().unwrap_or_default();
        !first.starts_with("//! ") || first == concat!("//! place", "holder")
    };
    sources
        .iter()
        .filter(is_silent)
        .map(|s| {
            format!("{}: open it with `//! ` and what it decides, and what it refuses to know", s.path)
        })
        .collect()
}

#[test]
fn a_file_that_does_not_open_with_its_purpose_is_noticed() {
    assert_complains(&opening(&[Source::made_up("a.rs", "use x;\n//! late\n")]), "a.rs");
    assert_none(&opening(&[Source::made_up("a.rs", "//! Decides a.\n")]));
}

#[test]
fn no_file_is_long() {
    assert_none(&length(&tree::rust(), LONG_FILES));
}

fn length(sources: &[Source], long_files: &[(&str, usize)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let lines = lines_before_tests(&source.text);
        let allowed = long_files.iter().find(|(path, _)| *path == source.path).map(|(_, n)| *n);
        match allowed {
            None if lines > LONGEST => complaints.push(format!(
                "{}: {lines} lines before its tests; split it along what it decides ({LONGEST} at most)",
                source.path
            )),
            Some(allowed) if lines != allowed || lines <= LONGEST => complaints.push(format!(
                "{}: {lines} lines, LONG_FILES in shape.rs says {allowed}; shrink the file, then write its \
                 new length there, and take the entry out at {LONGEST}",
                source.path
            )),
            None | Some(_) => {}
        }
    }
    let gone = |path: &str| !sources.iter().any(|s| s.path == path);
    complaints.extend(
        long_files
            .iter()
            .filter(|(path, _)| gone(path))
            .map(|(path, _)| format!("{path}: is no more; take it out of LONG_FILES in shape.rs")),
    );
    complaints
}

fn lines_before_tests(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

#[test]
fn a_long_file_is_noticed_and_the_ratchet_only_tightens() {
    let long = |lines: usize| [Source::made_up("a.rs", &"x\n".repeat(lines))];
    assert_complains(&length(&long(401), &[]), "401 lines");
    assert_complains(&length(&long(410), &[("a.rs", 405)]), "410 lines");
    assert_complains(&length(&long(405), &[("a.rs", 410)]), "405 lines");
    assert_complains(&length(&long(300), &[("a.rs", 300)]), "take the entry out");
    assert_complains(&length(&[], &[("b.rs", 500)]), "b.rs");
    assert_none(&length(&long(405), &[("a.rs", 405)]));
    let with_tests = format!("{}#[cfg(test)]\n{}", "x\n".repeat(400), "y\n".repeat(900));
    assert_none(&length(&[Source::made_up("a.rs", &with_tests)], &[]));
}

#[test]
fn no_file_or_folder_has_an_empty_name() {
    assert_none(&names(&tree::all()));
}

fn names(sources: &[Source]) -> Vec<String> {
    let is_empty = |part: &str| EMPTY_NAMES.contains(&part.split('.').next().unwrap_or_default());
    let bad = sources.iter().filter(|s| s.path.split('/').any(is_empty));
    bad.map(|s| format!("{}: name it after what it decides", s.path)).collect()
}

#[test]
fn an_empty_name_is_noticed() {
    assert_complains(&names(&[Source::made_up("peer/src/utils.rs", "")]), "utils.rs");
    assert_complains(&names(&[Source::made_up("common/src/lib.rs", "")]), "common/");
    assert_none(&names(&[Source::made_up("peer/src/core/uncommon.rs", "")]));
}

/// Words that wait for somebody who never comes, in all text.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
/// The same, as code.
const UNFINISHED_CODE: [&str; 2] = ["todo!", "unimplemented!"];

#[test]
fn nothing_is_left_for_later() {
    assert_none(&unfinished(&tree::all()));
}

fn unfinished(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let found = UNFINISHED.iter().find_map(|word| find_word(&source.text, word));
        complaints.extend(found.map(|at| (source, line_of(&source.text, at))));
    }
    for source in sources.iter().filter(|s| s.is_rust()) {
        let code = code(&source.text);
        let found = UNFINISHED_CODE.iter().find_map(|word| find_word(&code, word));
        complaints.extend(found.map(|at| (source, line_of(&code, at))));
    }
    let say = |(source, line): (&Source, usize)| {
        format!("{}:{line}: do it now, or write an issue; the tree holds no promises", source.path)
    };
    complaints.into_iter().map(say).collect()
}

#[test]
fn a_promise_is_noticed() {
    let note = format!("fn a() {{}}\n// {} later", UNFINISHED[0]);
    assert_complains(&unfinished(&[Source::made_up("a.rs", &note)]), "a.rs:2");
    assert_complains(&unfinished(&[Source::made_up("a.rs", "fn a() { todo!() }")]), "a.rs:1");
    assert_none(&unfinished(&[Source::made_up("a.rs", "// not a todo! here\n")]));
}

/// S100: one word for a thing, in every Japanese text.
#[test]
fn s100_japanese_words_are_spelled_in_one_way() {
    assert_none(&misspelled(&tree::all()));
}

const SPELLINGS: [(&str, &str, &str); 2] = [
    // Without the long mark behind it, and with it.
    ("\u{30b5}\u{30fc}\u{30d0}", "\u{30fc}", "is spelled with its long mark"),
    ("\u{30aa}\u{30da}\u{30ec}\u{30fc}\u{30bf}", "\u{30fc}", "is spelled without a long mark"),
];

fn misspelled(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            for ((word, mark, rule), wanted) in SPELLINGS.iter().zip([true, false]) {
                let behind = line.split(word).skip(1).map(|rest| rest.starts_with(mark));
                if behind.into_iter().any(|has| has != wanted) {
                    complaints.push(format!("{}:{}: {word} {rule}", source.path, number + 1));
                }
            }
        }
    }
    complaints
}

#[test]
fn two_spellings_of_a_word_are_noticed() {
    let wrong = ["// \u{30b5}\u{30fc}\u{30d0}", "// \u{30aa}\u{30da}\u{30ec}\u{30fc}\u{30bf}\u{30fc}"];
    for text in wrong {
        assert_complains(&misspelled(&[Source::made_up("a.rs", text)]), "a.rs:1");
    }
}

/// Folders of somebody's own machine. X keeps its sockets under the temporary folder by name.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tm", "p/")];

#[test]
fn no_text_names_a_path_of_one_machine() {
    assert_none(&machine_paths(&tree::all()));
}

fn machine_paths(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            let line = line.replace(concat!("/tm", "p/.X"), "");
            if let Some(path) = MACHINE_PATHS.iter().find(|path| find_word(&line, path).is_some()) {
                let at = number + 1;
                let mend = "hand the folder in, or ask for a temporary one";
                complaints.push(format!("{}:{at}: {path} is one machine's; {mend}", source.path));
            }
        }
    }
    complaints
}

#[test]
fn a_machine_path_is_noticed() {
    let path = format!("see {}x", MACHINE_PATHS[1]);
    assert_complains(&machine_paths(&[Source::made_up("a.md", &path)]), "a.md:1");
    let socket = concat!("/tm", "p/.X11-unix/X7");
    assert_none(&machine_paths(&[Source::made_up("a.rs", socket)]));
}
