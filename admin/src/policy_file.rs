//! A policy as a file: read, or refused with the line of its first error, in two languages.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tasuki_protocol::policy::RuleBook;

use crate::fault::Fault;
use crate::policy_file_fault::PolicyFileFault;

/// Bounds what is read of a file that may be anything.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// # Errors
/// [`Fault::Unread`], [`Fault::PolicyFile`].
pub(crate) fn read(file: &Path) -> Result<RuleBook, Fault> {
    let failed = |why| Fault::Unread { file: file.to_owned(), why };
    let refused = |why| Fault::PolicyFile { file: file.to_owned(), why };
    let mut text = String::new();
    let opened = File::open(file).map_err(failed)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(refused(PolicyFileFault::TooLarge));
    }
    understood(&text).map_err(refused)
}

/// The rules that a file's text says.
///
/// # Errors
/// [`PolicyFileFault`], of the first line that is wrong.
pub fn understood(text: &str) -> Result<RuleBook, PolicyFileFault> {
    toml::from_str(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start)];
        let begins = before.rfind('\n').map_or(0, |end| end + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[begins..].chars().count() + 1);
        let here = text[begins..].lines().next().unwrap_or_default();
        let name = here.split_once('=').map_or("", |(name, _)| name.trim()).to_owned();
        if let Some((name, word)) = here.split_once('=').map(|(name, word)| (name.trim(), word.trim()))
            && is_bare(word)
        {
            let (name, word) = (name.to_owned(), word.to_owned());
            return PolicyFileFault::Bare { line, name, word };
        }
        if let Some(head) = bare_section(here) {
            return PolicyFileFault::BareSection { line, head };
        }
        let why = error.message().lines().collect::<Vec<_>>().join(" ");
        PolicyFileFault::Line { line, column, name, why }
    })
}

/// `[group.研修生]`, as TOML would have it.
fn bare_section(here: &str) -> Option<String> {
    let (here, _) = here.split_once('#').unwrap_or((here, ""));
    let (noun, name) = here.trim().strip_prefix('[')?.strip_suffix(']')?.split_once('.')?;
    let name = name.trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_bare = !name.is_empty() && !name.contains(['"', '\'']) && !name.chars().all(is_plain);
    is_bare.then(|| format!("{}.\"{name}\"", noun.trim()))
}

/// A word that TOML takes for nothing, since it stands in no quotation marks.
fn is_bare(word: &str) -> bool {
    let is_word = word.starts_with(char::is_alphabetic)
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    is_word && !matches!(word, "true" | "false" | "inf" | "nan")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> PolicyFileFault {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        std::fs::write(&file, text).unwrap();
        let Err(Fault::PolicyFile { why, .. }) = read(&file) else { panic!("{text}") };
        why
    }

    #[test]
    fn a_file_that_is_no_policy_is_refused_with_the_line_of_its_error() {
        for text in [
            "[default]\nspeed = 1\n",
            "[default]\n[default]\n",
            "[operator.a]\nsend_files = 'sometimes'\n",
        ] {
            let why = refused(text);
            assert!(matches!(why, PolicyFileFault::Line { line: 2, .. }), "{why}");
        }
        let bare = refused("[default]\nbase = full\n");
        assert!(bare.english().contains(r#"base = "full""#), "{}", bare.english());
        assert!(bare.japanese().contains(r#"base = "full""#), "{}", bare.japanese());
        for (text, mended) in [
            ("[group.研修生]\n", "[group.\"研修生\"]"),
            ("[group.研修生] # 今期\n", "[group.\"研修生\"]"),
            ("[operator.a b]\n", "[operator.\"a b\"]"),
        ] {
            let bare = refused(text);
            assert!(bare.english().contains(mended), "{}", bare.english());
            assert!(bare.japanese().contains(mended), "{}", bare.japanese());
            assert!(understood(&format!("{mended}\nchat = true\n")).is_ok(), "{mended}");
        }
        assert_eq!(refused(&"#".repeat(1024 * 1024 + 1)), PolicyFileFault::TooLarge);
    }

    /// The settings of one row of the rule book, each as a file that would set it.
    fn settings(cell: &str) -> Vec<String> {
        let words = cell.split('`').skip(1).step_by(2).filter(|words| words.contains(" = "));
        let file = |words: &str| match words.split_once("] ") {
            Some((section, rule)) => format!("{section}]\n{rule}\n"),
            None => format!("[default]\n{words}\n"),
        };
        words.map(file).collect()
    }

    #[test]
    fn s91_each_rule_of_the_rule_book_is_a_setting_that_a_policy_takes_or_a_persons_to_keep() {
        let page = include_str!("../../docs/policy.md");
        let book = page.split_once("## A rule book").unwrap().1;
        let rows = book.lines().filter(|line| line.starts_with("| ")).skip(1);
        let rows: Vec<[&str; 2]> = rows
            .filter(|row| !row.starts_with("| *"))
            .map(|row| {
                row.trim_matches(['|', ' ']).split(" | ").collect::<Vec<_>>().try_into().unwrap()
            })
            .collect();
        assert!(rows.len() > 10, "{rows:?}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        for [rule, cell] in rows {
            assert!(cell.starts_with("human rule") || cell.contains('`'), "{rule}: {cell}");
            for text in settings(cell) {
                std::fs::write(&file, &text).unwrap();
                let rules = read(&file).unwrap_or_else(|fault| panic!("{rule}: {text}: {fault:?}"));
                assert_ne!(rules, RuleBook::default(), "{rule}: {text} sets nothing");
            }
        }
    }

    #[test]
    fn s100_what_is_wrong_with_a_policy_names_place_word_and_what_was_probably_meant() {
        for (text, words) in [
            (
                "[default]\nscreenshoot = true\n",
                &["line 2, column 1: ", "no rule or section \"screenshoot\"", "mean \"screenshot\"?"]
                    as &[&str],
            ),
            (
                "[default]\nsend_files = 'alow'\n",
                &[
                    "line 2, column 14: ",
                    "\"alow\" is no value of send_files",
                    "mean \"allow\"?",
                    "never",
                ],
            ),
            ("[default]\nspeed = 1\n", &["no rule or section \"speed\"", "There are: "]),
            ("[default]\nscreenshot = 1\n", &["screenshot must be true or false", "a whole number"]),
            ("[default]\nhours = ['sometimes']\n", &["\"sometimes\" is no window of hours"]),
            ("[default\n", &["line 1", "as TOML has it"]),
        ] {
            let said = refused(text).english();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
        let far = refused("[default]\nspeed = 1\n").english();
        assert!(!far.contains("mean"), "nothing is like it: {far}");
        let said = refused("[default]\nscreenshoot = true\n").japanese();
        assert!(said.contains("もしかして screenshot ですか"), "{said}");
    }

    #[test]
    fn s100_what_is_wrong_with_a_policy_is_said_in_japanese_too() {
        for (text, word) in [
            ("[default]\nspeed = 1\n", "speed という項目はありません"),
            (
                "[default]\nsend_files = 'sometimes'\n",
                "sometimes という値は使えません。使えるのは never",
            ),
            ("[default]\nscreenshot = 1\n", "整数ではなく真偽値"),
            ("[default]\n[default]\n", "二度あります"),
            ("[default]\nscreenshot = true\nscreenshot = true\n", "二度あります"),
            ("[default]\nhours = ['sometimes']\n", "\"sometimes\" は時間帯ではありません"),
            ("time_zone = 'Mars'\n", "\"Mars\" はタイムゾーンではありません"),
            ("[default\n", "TOML の書き方"),
        ] {
            let said = refused(text).japanese();
            assert!(said.contains(word) && said.contains("行目"), "{text:?}: {said}");
            let english = said.split_whitespace().filter(|word| word.len() > 12 && word.is_ascii());
            assert_eq!(english.filter(|word| !text.contains(word)).count(), 0, "{said}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_no_text_is_said_to_be_unreadable() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        assert!(matches!(read(&nowhere), Err(Fault::Unread { .. })));
        std::fs::write(&nowhere, b"\xff\xfe").unwrap();
        assert!(matches!(read(&nowhere), Err(Fault::Unread { .. })));
        assert!(matches!(read(folder.path()), Err(Fault::Unread { .. })));
    }
}
