//! The menu entries: each names its program, its icon and itself in both languages, and the link's
//! handler hands one link over and no option (T70).

#![allow(clippy::unwrap_used)]

mod hand;
mod signed;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hand::{Desk, PATIENCE, quiet};
use slint::Image;
use tasuki_protocol::ids::PROTOCOL_VERSION;

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
        is_drawn(&Image::load_from_path(&folder().join(format!("{name}.svg"))).unwrap(), name);
    }
}

/// Something in more than one colour, on ground that shows through.
fn is_drawn(icon: &Image, name: &str) {
    let drawn = icon.to_rgba8().unwrap();
    let (width, height) = (drawn.width(), drawn.height());
    assert!(width == height && width >= 48, "{name}: {width} x {height}");
    let whole = drawn.as_slice().iter().filter(|pixel| pixel.a == 255);
    let mut colours: Vec<_> = whole.map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    assert!(colours.len() > drawn.as_slice().len() / 8, "{name}: {} whole pixels", colours.len());
    assert!(colours.len() < drawn.as_slice().len(), "{name}: it has no shape");
    colours.sort_unstable();
    colours.dedup();
    assert!(colours.len() > 1, "{name}: {colours:?}");
}

/// What a desktop passes over in silence: <https://specifications.freedesktop.org/desktop-entry-spec/1.5/>.
#[test]
fn s100_each_menu_entry_is_one_by_the_specification() {
    for (name, _) in PROGRAMS {
        let entry = entry(name);
        for key in ["Type", "Name", "Exec", "Icon", "Categories"] {
            assert!(!entry[key].trim().is_empty(), "{name}: {key}");
        }
        assert_eq!(entry["Exec"].split(' ').next(), Some(name), "it starts the program");
        let categories = &entry["Categories"];
        assert!(categories.split(';').any(|one| one == "Network"), "{name}: no main category");
        for (key, value) in &entry {
            let plain = key.split('[').next().unwrap();
            match plain {
                "Type" | "Name" | "Comment" | "Exec" | "Icon" | "StartupWMClass" => {}
                "Terminal" | "StartupNotify" | "SingleMainWindow" => {
                    assert!(["true", "false"].contains(&value.as_str()), "{name}: {key}={value}");
                }
                "Categories" | "Keywords" | "MimeType" => {
                    assert!(value.ends_with(';') && !value.contains(";;"), "{name}: {key}={value}");
                }
                _ => panic!("{name}: no desktop knows {key}"),
            }
        }
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

/// As a desktop does once the entry lies where it looks: by the program that the entry names, and no other word.
#[test]
fn t70_a_desktop_opens_a_link_with_the_entry_and_the_number_stands_in_its_field() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    std::fs::create_dir_all(at("share/applications")).unwrap();
    let (name, program) = PROGRAMS[0];
    let entry = format!("{name}.desktop");
    std::fs::copy(folder().join(&entry), at("share/applications").join(&entry)).unwrap();
    std::fs::write(at("tenant.json"), signed::bundle(PROTOCOL_VERSION)).unwrap();
    let programs = Path::new(program).parent().unwrap().display().to_string();
    let gio = |words: &[&str]| {
        let mut command = quiet("gio", &desk.display);
        command.args(words).env("HOME", home.path()).env("TASUKI_PROFILE", home.path());
        command.env("XDG_DATA_HOME", at("share")).env("XDG_CONFIG_HOME", at("config"));
        command.env("XDG_DATA_DIRS", at("share")).env("PATH", format!("{programs}:/usr/bin:/bin"));
        assert!(command.status().unwrap().success(), "{words:?}");
    };
    gio(&["mime", "x-scheme-handler/tasuki", &entry]);
    gio(&["open", "tasuki://join/48291#5306126"]);

    let deadline = Instant::now() + PATIENCE;
    while desk.xdotool(&["search", "--onlyvisible", "--name", signed::ORGANISATION]).is_empty() {
        assert!(Instant::now() < deadline, "the window of the end user");
        std::thread::sleep(Duration::from_millis(100));
    }
    loop {
        desk.xdotool(&["search", "--onlyvisible", "--name", signed::ORGANISATION, "windowfocus"]);
        desk.xdotool(&["key", "ctrl+a", "ctrl+c"]);
        if desk.clipboard().as_deref() == Some("4829 1530 6126") {
            break;
        }
        assert!(Instant::now() < deadline, "the number in its field");
    }
    // Nothing of this test holds the program, which ends with its window.
    desk.xdotool(&["search", "--onlyvisible", "--name", signed::ORGANISATION, "windowquit"]);
}

fn entry(name: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.desktop"))).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("[Desktop Entry]"));
    let pairs = lines.map(|line| line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}")));
    let mut entry = BTreeMap::new();
    for (key, value) in pairs {
        assert!(entry.insert(key.to_owned(), value.to_owned()).is_none(), "{name}: {key} twice");
    }
    entry
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
