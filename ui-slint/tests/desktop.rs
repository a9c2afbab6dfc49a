//! The menu entries: each names its program, its icon and itself in both languages, and the link's
//! handler hands one link over and no option (T70).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PROGRAMS: [(&str, &str); 2] = [
    ("tasuki-agent", env!("CARGO_BIN_EXE_tasuki-agent")),
    ("tasuki-operator", env!("CARGO_BIN_EXE_tasuki-operator")),
];

#[test]
fn s100_each_program_has_a_menu_entry_in_both_languages_and_an_icon() {
    for (name, program) in PROGRAMS {
        assert!(Path::new(program).is_file());
        let entry = entry(name);
        for key in ["Name", "Name[ja]", "Comment", "Comment[ja]"] {
            assert!(!entry[key].is_empty(), "{name}: {key}");
        }
        assert_eq!((entry["Icon"].as_str(), entry["StartupWMClass"].as_str()), (name, name));
        assert_eq!(entry["Type"], "Application");
        let icon = std::fs::read_to_string(folder().join(format!("{name}.svg"))).unwrap();
        assert!(icon.starts_with("<svg "), "{name}");
    }
}

#[test]
fn t70_links_go_to_the_end_users_window_alone_as_one_word_that_is_no_option() {
    let agent = entry("tasuki-agent");
    assert_eq!(agent["Exec"], "tasuki-agent -- %u", "after this nothing is an option");
    assert_eq!(agent["MimeType"], "x-scheme-handler/tasuki;");
    let operator = entry("tasuki-operator");
    assert_eq!(operator["Exec"], "tasuki-operator");
    assert!(!operator.contains_key("MimeType"));
}

fn entry(name: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.desktop"))).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("[Desktop Entry]"));
    let pairs = lines.map(|line| line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}")));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("desktop")
}

#[test]
fn without_a_usable_display_both_programs_say_so_in_one_sentence_and_end_with_a_code_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    for (name, program) in PROGRAMS {
        for (display, code) in [("", 10), (":65000", 11)] {
            for lang in ["en", "ja"] {
                let mut command = std::process::Command::new(program);
                command.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY").env("HOME", home.path());
                command.args(["--lang", lang, "--profile"]).arg(home.path());
                let output = command.output().unwrap();
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(code), "{name} at {display:?}: {said}");
                assert_eq!(said.trim().lines().count(), 1, "{name} at {display:?}: {said}");
                assert!(!said.contains(".rs:") && !said.contains("panicked"), "{said}");
            }
        }
    }
}
