//! The shell's script and the manual pages say what the program itself says.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use tasuki_admin::texts::Language;
use tasuki_admin::usage;

fn administer(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-admin"));
    command.env("LC_ALL", "C").args(arguments).output().unwrap()
}

/// A command as it is typed, and the long options of its own.
struct Spoken {
    words: Vec<String>,
    options: Vec<String>,
    is_noun: bool,
}

/// Every noun and every verb.
fn spoken() -> Vec<Spoken> {
    let mut all = Vec::new();
    walk(&usage::command(Language::En), &[], &mut all);
    all
}

fn walk(command: &clap::Command, words: &[String], all: &mut Vec<Spoken>) {
    for inner in command.get_subcommands() {
        let words = [words, &[inner.get_name().to_owned()]].concat();
        let options = inner.get_arguments().filter_map(|argument| argument.get_long());
        let options = options.map(str::to_owned).collect();
        all.push(Spoken { words: words.clone(), options, is_noun: inner.has_subcommands() });
        walk(inner, &words, all);
    }
}

#[test]
fn a_shell_completes_nouns_and_verbs() {
    let script = administer(&["completion", "bash"]);
    assert!(script.status.success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completion");
    std::fs::write(&file, &script.stdout).unwrap();
    let completed = |words: &str, at: u8, word: &str| {
        let ask = format!(
            "source {}; set -- $(complete -p tasuki-admin); while [ $1 != -F ]; do shift; done; \
             COMP_WORDS=({words}); COMP_CWORD={at}; $2 tasuki-admin {word} x; echo ${{COMPREPLY[@]}}",
            file.display()
        );
        let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed("tasuki-admin ope", 1, "ope"), "operator");
    assert_eq!(completed("tasuki-admin audit ver", 2, "ver"), "verify");
    let all = spoken();
    for noun in all.iter().filter(|spoken| spoken.is_noun).map(|spoken| &spoken.words[0]) {
        let offered = completed(&format!("tasuki-admin {noun} ''"), 2, "''");
        let of_it = all.iter().filter(|spoken| spoken.words.len() == 2 && spoken.words[0] == *noun);
        for verb in of_it.map(|spoken| &spoken.words[1]) {
            assert!(offered.split(' ').any(|word| word == verb), "{noun} {verb}: {offered}");
        }
    }
    for (shell, before, behind) in [("zsh", "(", ")"), ("fish", "-a \"", "\"")] {
        let script = String::from_utf8(administer(&["completion", shell]).stdout).unwrap();
        for Spoken { words, options, .. } in &all {
            let verb = format!("{before}{}{behind}", words.last().unwrap());
            assert!(script.contains(&verb), "{shell}: {words:?}");
            let missing = options.iter().find(|option| !script.contains(option.as_str()));
            assert_eq!(missing, None, "{shell}: {words:?}");
        }
    }
}

/// What needs no server answers a program, too.
#[test]
fn a_script_gets_json_from_what_needs_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (asked, key) in [
        (&["completion", "bash"] as &[&str], "/script"),
        (&["manual", folder], "/folder"),
        (&["config"], "/0/value"),
        (&["audit", "events"], "/events/0"),
    ] {
        let answer = administer(&[&["--json"], asked].concat());
        let told: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert!(told.pointer(key).is_some(), "{asked:?}: {told}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    assert!(administer(&["manual", pages.to_str().unwrap()]).status.success());
    let read = |page: &str| std::fs::read_to_string(pages.join(page)).unwrap();
    assert!(read("tasuki-admin.1").contains("Exit codes"));
    for Spoken { words, options, .. } in spoken() {
        let page = read(&format!("tasuki-admin-{}.1", words.join("-")));
        assert!(page.contains(".TH"), "{words:?}: {page}");
        for option in options {
            let option = format!("\\-\\-{}", option.replace('-', "\\-"));
            assert!(page.contains(&option), "{words:?} {option}: {page}");
        }
    }
    let refused = administer(&["manual", "/proc/nowhere"]);
    assert_eq!(refused.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&refused.stderr).lines().count(), 1);
}

/// S100: help, manual and complaints, from the same descriptions that English has.
#[test]
fn s100_help_manual_and_wrong_usage_are_in_japanese_too() {
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-admin"));
        let output = command.args(arguments).env("LC_ALL", "ja_JP.UTF-8").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, help, _) = program(&["--help"]);
    assert_eq!(code, Some(0));
    for words in ["使い方", "コマンド", "オペレータのアカウント", "終了コード"] {
        assert!(help.contains(words), "{words} in {help}");
    }
    assert!(!help.contains("Usage") && !help.contains("Options"), "{help}");
    for verb in [&["policy", "set", "--help"] as &[&str], &["audit", "report", "--help"]] {
        let (_, help, _) = program(verb);
        assert!(help.contains("使い方") && !help.contains("A preset"), "{help}");
    }
    for (wrong, words) in [
        (&["operator", "ad"] as &[&str], "コマンド ad はありません"),
        (&["operator", "add", "x", "--display-name", "y"], "--modes <MODES> を指定してください"),
        (&["audit", "list", "--last", "many"], "many は正しくありません"),
        (&["--lang", "de", "config"], "de は正しくありません"),
    ] {
        let (code, _, said) = program(wrong);
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(program(&["manual", folder.path().to_str().unwrap()]).0, Some(0));
    let page = std::fs::read_to_string(folder.path().join("tasuki-admin-audit-prune.1")).unwrap();
    assert!(page.contains("パスフレーズ"), "{page}");
}
