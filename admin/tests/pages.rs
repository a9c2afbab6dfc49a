//! The shell's script and the manual pages say what the program itself says.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn administer(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-admin"));
    command.env("LC_ALL", "C").args(arguments).output().unwrap()
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
    for shell in ["zsh", "fish"] {
        let script = String::from_utf8(administer(&["completion", shell]).stdout).unwrap();
        assert!(script.contains("acknowledge-restore"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    assert!(administer(&["manual", pages.to_str().unwrap()]).status.success());
    for (page, word) in [
        ("tasuki-admin.1", "Exit codes"),
        ("tasuki-admin-audit-report.1", "\\-\\-format"),
        ("tasuki-admin-operator-add.1", "\\-\\-display\\-name"),
    ] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains(word), "{page}: {text}");
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
