//! Every word of the windows stands in every language's files, and nothing else stands there.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tasuki_peer::shell::texts::{self, Lang};
use tasuki_protocol::rights::Mode;

#[test]
fn s100_every_word_is_translated_and_no_translation_is_left_over() {
    let said = said();
    assert!(said.len() > 20, "the windows were read");
    let translated = translated("ja");
    let missing: Vec<_> = said.difference(&translated).collect();
    assert!(missing.is_empty(), "lang/ja lacks: {missing:#?}");
    let left_over: Vec<_> = translated.difference(&said).collect();
    assert!(left_over.is_empty(), "lang/ja has what no window says: {left_over:#?}");
}

/// Names, which are the same in every language, and what no person reads.
const NO_WORDS: [&str; 10] = [
    "Tasuki",
    // Each language calls itself by its own name.
    "English",
    "日本語",
    // As on every camera, and on every key.
    "REC",
    "● REC",
    "  ·  ● REC",
    "Esc",
    "Enter",
    // The names of the languages and of the font in the code.
    "ja",
    "en",
];

#[test]
fn s100_no_word_stands_in_a_window_but_where_it_is_translated() {
    let font = "Tasuki Sans";
    let mut seen = BTreeSet::new();
    for file in files(&root().join("ui"), "slint") {
        let text = std::fs::read_to_string(&file).unwrap();
        for bare in untranslated(&text) {
            assert!(
                bare == font || NO_WORDS.contains(&bare.as_str()),
                "{}: \"{bare}\" is said in English alone: write @tr(\"{bare}\")",
                file.display()
            );
            seen.insert(bare);
        }
    }
    for allowed in NO_WORDS {
        assert!(seen.contains(allowed), "no window says {allowed} any more: take it off the list");
    }
}

#[test]
fn a_bare_word_is_noticed_wherever_it_stands() {
    for (line, bare) in [
        ("Button { text: \"Cancel\"; }", "Cancel"),
        ("text: waits ? @tr(\"Please wait\") : \"Go on\";", "Go on"),
        ("accessible-label: @tr(\"{} of {}\", a, \"many\");", "many"),
        ("title: \"画面\" + \"\\n\"; // \"no\"", "画面"),
        ("text: \"\\{number} left\";", " left"),
    ] {
        assert_eq!(untranslated(line), [bare], "{line}");
    }
    let all_right = "import { A } from \"a.slint\";\nimport {\n B,\n} from \"b.slint\";\n\
                     source: @image-url(\"icons/x.svg\"); text: a + \" – \" + b; // \"word\"";
    assert!(untranslated(all_right).is_empty(), "{:?}", untranslated(all_right));
}

/// Literals with letters that are neither in `@tr("...")` nor the name of a file.
fn untranslated(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => {
                letters.by_ref().find(|letter| *letter == '\n');
            }
            '"' => {
                let said = rest_of_literal(&mut letters);
                let is_file =
                    ["@image-url(", "from", "import"].iter().any(|word| before.ends_with(word));
                let is_word = said.chars().any(char::is_alphabetic);
                if is_word && !is_file && !before.ends_with("@tr(") {
                    found.push(said);
                }
                before.push('"');
            }
            letter if letter.is_whitespace() => {}
            letter => before.push(letter),
        }
    }
    found
}

/// Up to the closing quotation mark, without escapes and what is filled in.
fn rest_of_literal(letters: &mut impl Iterator<Item = char>) -> String {
    let mut said = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return said,
            '\\' => {
                if letters.next() == Some('{') {
                    letters.by_ref().find(|letter| *letter == '}');
                }
            }
            letter => said.push(letter),
        }
    }
    panic!("{said} has no end");
}

#[test]
fn a_translation_has_the_places_of_its_source() {
    for (source, target) in entries("ja") {
        let places = |text: &str| text.matches('{').count();
        assert_eq!(places(&source), places(&target), "{source} / {target}");
        assert!(!target.is_empty(), "{source} has no translation");
    }
}

/// One name a mode, which both windows, the terminal programs and the administrator's reports say.
#[test]
fn s100_a_mode_has_one_name_in_every_window_and_program() {
    let all = entries("ja");
    let translation = |source: &str| {
        let found = all.iter().find(|(known, _)| known == source);
        found.unwrap_or_else(|| panic!("no window says {source}")).1.clone()
    };
    let names = [
        (Mode::Manage, ["Manage", "Manage this computer"]),
        (Mode::Control, ["Control", "Control this computer"]),
        (Mode::View, ["View", "View your screen"]),
        (Mode::Share, ["Share my screen", "Share the operator's screen"]),
        (Mode::Show, ["Show my screen", "Show the operator's screen"]),
    ];
    for (mode, sources) in names {
        let terminal = texts::mode(mode);
        let japanese = terminal.say(Lang::Ja).split('(').next().unwrap();
        for source in sources {
            assert!(source.to_lowercase().starts_with(terminal.say(Lang::En)), "{source}");
            assert!(translation(source).contains(japanese), "{source} is not {japanese}");
        }
    }
}

/// On a computer with no other font a letter that is missing would be an empty box.
#[test]
fn s100_the_bundled_fonts_have_every_letter_that_the_windows_say() {
    let peer = root().join("../peer/src/shell");
    let catalogues = ["catalogue.rs", "session_catalogue.rs", "reasons.rs", "texts.rs"];
    let sources = files(&root().join("ui"), "slint").into_iter();
    let sources = sources.chain(files(&root().join("lang"), "po"));
    let sources = sources.chain(files(&peer.join("doctor"), "rs"));
    let sources = sources.chain(files(&root().join("src"), "rs"));
    let mut letters: BTreeSet<char> = (' '..='~').collect();
    for file in sources.chain(catalogues.map(|name| peer.join(name))) {
        let text = std::fs::read_to_string(&file).unwrap();
        let said = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        letters.extend(said.flat_map(str::chars).filter(|letter| !letter.is_control()));
    }
    assert!(letters.len() > 500, "{} letters", letters.len());
    both_fonts_have(&letters);
}

/// What people and places are called nobody has translated: JIS X 0208, levels 1 and 2, whole.
#[test]
fn s100_the_bundled_fonts_have_every_letter_that_a_japanese_name_is_written_with() {
    let all = include_str!("jis-x-0208.txt").chars().filter(|letter| !letter.is_control());
    let letters: BTreeSet<char> = all.collect();
    assert_eq!(letters.len(), 2_965 + 3_390, "both levels");
    assert!("澤邉槇熙".chars().all(|letter| letters.contains(&letter)), "their ends too");
    both_fonts_have(&letters);
}

fn both_fonts_have(letters: &BTreeSet<char>) {
    for font in ["TasukiSans-Regular.otf", "TasukiSans-Bold.otf"] {
        let bytes = std::fs::read(root().join("fonts").join(font)).unwrap();
        let face = ttf_parser::Face::parse(&bytes, 0).unwrap();
        let lacking: String = letters.iter().filter(|c| face.glyph_index(**c).is_none()).collect();
        assert!(lacking.is_empty(), "{font} lacks: {lacking}");
    }
}

/// What stands in `@tr("...")`; this repository uses neither plurals nor contexts.
fn said() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(&root().join("ui"), "slint") {
        let text = std::fs::read_to_string(&file).unwrap();
        for part in text.split("@tr(").skip(1) {
            let quoted = part.trim_start().strip_prefix('"');
            let quoted = quoted.unwrap_or_else(|| panic!("{}: a word is no literal", file.display()));
            found.insert(literal(quoted));
        }
    }
    found
}

fn translated(language: &str) -> BTreeSet<String> {
    let entries = entries(language);
    let sources: BTreeSet<String> = entries.iter().map(|(source, _)| source.clone()).collect();
    assert_eq!(sources.len(), entries.len(), "lang/{language} has an entry twice");
    sources
}

/// Source and translation, one line each.
fn entries(language: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files(&root().join("lang").join(language), "po") {
        let text = std::fs::read_to_string(&file).unwrap();
        let (_, body) = text.split_once("\n\n").unwrap();
        for entry in body.split("\n\n").map(str::trim).filter(|entry| !entry.is_empty()) {
            let line = |name: &str| {
                entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" \""))
            };
            let source = line("msgid").unwrap_or_else(|| panic!("{}: {entry}", file.display()));
            let target = line("msgstr").unwrap_or_else(|| panic!("{}: {entry}", file.display()));
            found.push((literal(source), literal(target)));
        }
    }
    found
}

/// Up to the closing quotation mark.
fn literal(text: &str) -> String {
    let mut found = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return found,
            '\\' => match letters.next() {
                Some('n') => found.push('\n'),
                Some(other) => found.push(other),
                None => break,
            },
            other => found.push(other),
        }
    }
    panic!("{text} has no end");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found
}
