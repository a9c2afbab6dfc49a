//! What surrounds a window on a desktop, taken away or damaged: fonts of the system, settings, the
//! organisation's signed file. (No display
//! is in `desktop.rs`, no bus and no tray in `tray.rs`.)

#![allow(clippy::unwrap_used)]

mod bus;
mod followed;
mod hand;
mod offered;
mod signed;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use hand::{Desk, Mock, PATIENCE, quiet};
use signed::{ORGANISATION, bundle};
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::{agent, operator};

const PROGRAMS: [(&str, &str, &str); 2] = [
    (env!("CARGO_BIN_EXE_tasuki-agent"), "agent-trouble", "^Remote support"),
    (env!("CARGO_BIN_EXE_tasuki-operator"), "operator-settings", "Tasuki"),
];

#[test]
fn s100_on_a_computer_without_a_font_both_programs_say_so_in_one_sentence_and_what_to_do() {
    let desk = Desk::start_bare();
    let home = tempfile::tempdir().unwrap();
    let none = home.path().join("fonts.conf");
    let empty = "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n<fontconfig/>\n";
    std::fs::write(&none, empty).unwrap();
    for (program, ..) in PROGRAMS {
        for (lang, word) in [("en", "fonts-dejavu-core"), ("ja", "フォント")] {
            let mut bare = quiet(program, &desk.display);
            bare.env("HOME", home.path()).env("FONTCONFIG_FILE", &none);
            bare.env("XDG_DATA_HOME", home.path()).args([
                "--lang",
                lang,
                "--log",
                "error",
                "--profile",
            ]);
            let ended = bare.arg(home.path()).stderr(Stdio::piped()).output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(11), "{program}: {said}");
            assert_eq!(said.trim().lines().count(), 1, "{program}: {said}");
            assert!(said.contains(word) && !said.contains("panicked"), "{program}: {said}");
        }
    }
}

#[test]
fn damaged_settings_of_both_windows_lie_aside_and_the_window_opens() {
    let desk = Desk::start();
    for (program, state, title) in PROGRAMS {
        let home = tempfile::tempdir().unwrap();
        for (round, damaged) in ["path = [", "path = 'sideways'"].into_iter().enumerate() {
            std::fs::write(home.path().join("settings.toml"), damaged).unwrap();
            let mut command = quiet(program, &desk.display);
            let child = command.args(["--lang", "en", "--profile"]).arg(home.path()).spawn().unwrap();
            let mut shown = Shown(child);
            until(state, &mut shown, || {
                !desk.xdotool(&["search", "--onlyvisible", "--name", title]).is_empty()
            });
            let kept = format!("settings.toml.damaged-{}", round + 1);
            assert_eq!(std::fs::read_to_string(home.path().join(kept)).unwrap(), damaged, "{state}");
            assert!(!Path::new(&home.path().join("settings.toml")).exists());
        }
    }
}

#[test]
fn t70_what_is_wrong_with_the_signed_file_is_tried_again_once_it_is_mended_and_not_before() {
    let desk = Desk::start();
    for (program, state, before) in PROGRAMS {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("tenant.json");
        let good = bundle(PROTOCOL_VERSION);
        let mut edited = good.clone();
        let middle = edited.len() / 2;
        edited[middle] ^= 1;
        std::fs::write(&file, edited).unwrap();
        let mut command = quiet(program, &desk.display);
        let child = command.args(["--lang", "en", "--profile"]).arg(home.path()).spawn().unwrap();
        let mut shown = Shown(child);
        let is_open =
            |title: &str| !desk.xdotool(&["search", "--onlyvisible", "--name", title]).is_empty();
        until(state, &mut shown, || is_open(before));
        let mut again = |what: &str, done: &dyn Fn() -> bool| {
            until(what, &mut shown, || {
                desk.xdotool(&["search", "--onlyvisible", "--name", before, "windowfocus", "--sync"]);
                desk.xdotool(&["key", "Return"]);
                std::thread::sleep(Duration::from_millis(200));
                done()
            });
        };
        // Nothing tells from outside that a press was for nothing, so there are a few.
        for bad in [bundle(PROTOCOL_VERSION + 1), Vec::new()] {
            std::fs::write(&file, bad).unwrap();
            let presses = std::cell::Cell::new(0);
            again("a few presses for nothing", &|| presses.replace(presses.get() + 1) > 2);
            assert!(!is_open(ORGANISATION), "{state}");
        }
        std::fs::write(&file, good).unwrap();
        again("the organisation is known", &|| is_open(ORGANISATION));
    }
}

/// Both by the folder of a profile and by the XDG folders.
#[test]
fn each_program_has_one_window_and_a_second_start_hands_it_the_link_and_ends() {
    let desk = Desk::start();
    for (at, named) in [true, false].into_iter().enumerate() {
        for (program, state, _) in PROGRAMS {
            let home = tempfile::tempdir().unwrap();
            let config = if named { home.path().to_owned() } else { home.path().join("config/tasuki") };
            std::fs::create_dir_all(&config).unwrap();
            std::fs::write(config.join("tenant.json"), bundle(PROTOCOL_VERSION)).unwrap();
            let start = |link: Option<&str>| {
                let mut command = quiet(program, &desk.display);
                command.env("HOME", home.path()).args(["--lang", "en"]);
                for (variable, folder) in [
                    ("XDG_CONFIG_HOME", "config"),
                    ("XDG_STATE_HOME", "state"),
                    ("XDG_RUNTIME_DIR", "run"),
                ] {
                    std::fs::create_dir_all(home.path().join(folder)).unwrap();
                    command.env(variable, home.path().join(folder));
                }
                if named {
                    command.arg("--profile").arg(home.path());
                }
                command.args(link.iter().flat_map(|link| ["--", link])).spawn().unwrap()
            };
            let windows = || desk.xdotool(&["search", "--onlyvisible", "--name", ORGANISATION]);
            let mut first = Shown(start(None));
            until(state, &mut first, || !windows().is_empty());
            // Something else has come over it meanwhile, and has the keys.
            let mut cover = quiet("xterm", &desk.display);
            let cover = cover.args(["-T", "a cover", "-geometry", "200x60+0+0"]).spawn().unwrap();
            let mut cover = Shown(cover);
            until("the cover", &mut cover, || {
                let window = desk.xdotool(&["search", "--onlyvisible", "--name", "a cover"]);
                !window.is_empty() && window.trim() == desk.front().to_string()
            });
            let link = (state == "agent-trouble").then_some("tasuki://join/48291#5306126");
            let mut second = start(link);
            until("the second start ends", &mut first, || second.try_wait().unwrap().is_some());
            assert_eq!(second.wait().unwrap().code(), Some(0), "{state} {at}");
            assert_eq!(windows().lines().count(), 1, "{state} {at}");
            until("it has come to the front with the keys", &mut first, || {
                let window = windows().trim().to_owned();
                let has_keys = desk.xdotool(&["getwindowfocus"]).trim() == window;
                has_keys && desk.front().to_string() == window
            });
            if link.is_some() {
                until("the number is in the field", &mut first, || {
                    desk.xdotool(&["search", "--onlyvisible", "--name", ORGANISATION, "windowfocus"]);
                    desk.xdotool(&["key", "ctrl+a", "ctrl+c"]);
                    desk.clipboard().as_deref() == Some("4829 1530 6126")
                });
            }
            let kept = if named { home.path().to_owned() } else { home.path().join("state/tasuki") };
            assert!(kept.join("root.pin").is_file(), "{state} {at}");
        }
    }
}

/// As it comes out of a message in Japanese, by keys alone and in the program itself.
#[test]
fn s97_full_width_digits_are_pasted_into_the_window_and_copied_back_in_groups() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("tenant.json"), bundle(PROTOCOL_VERSION)).unwrap();
    let mut command = quiet(PROGRAMS[0].0, &desk.display);
    command.args(["--lang", "ja", "--profile"]).arg(home.path());
    let mut shown = Shown(command.spawn().unwrap());
    let window = ["search", "--onlyvisible", "--name", ORGANISATION, "windowfocus"];
    until("the window", &mut shown, || !desk.xdotool(&window[..4]).is_empty());
    desk.xdotool(&window);
    let offered = offered::Offered::on(&desk.display, "　４８２９－１５３０　６１２６\n");
    // A window that has just come hears no key yet.
    std::thread::sleep(Duration::from_secs(1));
    desk.xdotool(&["key", "ctrl+a", "ctrl+v"]);
    std::thread::sleep(Duration::from_secs(1));
    drop(offered);
    until("the number on the clipboard", &mut shown, || {
        desk.xdotool(&["key", "ctrl+a", "ctrl+c"]);
        std::thread::sleep(Duration::from_millis(200));
        desk.clipboard().as_deref() == Some("4829 1530 6126")
    });
}

/// As a desktop would hand over whatever calls itself a link.
#[test]
fn t70_what_calls_itself_a_link_is_no_option_and_changes_no_bundle() {
    let desk = Desk::start();
    let (program, ..) = PROGRAMS[0];
    for hostile in [
        "--tenant=/nowhere/x",
        "--profile=/nowhere/x",
        "tasuki://join/1?server=evil#2",
        "tasuki:--tenant=/nowhere/x",
    ] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("tenant.json");
        std::fs::write(&file, bundle(PROTOCOL_VERSION)).unwrap();
        let mut command = quiet(program, &desk.display);
        command.args(["--lang", "en", "--profile"]).arg(home.path());
        let mut shown = Shown(command.args(["--", hostile]).spawn().unwrap());
        let windows = || desk.xdotool(&["search", "--onlyvisible", "--name", ORGANISATION]);
        until(hostile, &mut shown, || !windows().is_empty());
        let field = || {
            desk.xdotool(&["search", "--onlyvisible", "--name", ORGANISATION, "windowfocus"]);
            desk.xdotool(&["key", "ctrl+a", "BackSpace"]);
            desk.xdotool(&["type", "482915306126"]);
            desk.xdotool(&["key", "ctrl+a", "ctrl+c"]);
            desk.clipboard()
        };
        until(hostile, &mut shown, || field().as_deref() == Some("4829 1530 6126"));
        assert_eq!(std::fs::read(&file).unwrap(), bundle(PROTOCOL_VERSION), "{hostile}");
        assert!(!Path::new("/nowhere/x").exists());
    }
}

/// Without a click: the key that leads on is heard wherever the keys are, also where what had them is gone.
#[test]
fn a_walk_by_keys_shows_every_made_up_state_of_both_windows_without_a_server() {
    let desk = Desk::start();
    let agent = agent::scenes::all(Lang::En, Shade::Light, Instant::now());
    let agent: Vec<&str> = agent.iter().map(|scene| scene.name).collect();
    let operator = operator::scenes::all(Lang::En, Shade::Light);
    let operator: Vec<&str> = operator.iter().map(|scene| scene.name).collect();
    assert!(agent.len() > 30 && operator.len() > 40);
    let forward = [(&agent, "agent-"), (&operator, "operator-")];
    for ((program, ..), (names, kind)) in PROGRAMS.into_iter().zip(forward) {
        let walk = Mock::start(program, names[0], &desk.display);
        desk.xdotool(&[
            "search",
            "--sync",
            "--onlyvisible",
            "--name",
            "Tasuki|Minato|Remote",
            "windowfocus",
        ]);
        // A key that came before the window was ready for it is pressed once more.
        let leads_to = |key: &str| {
            (0..3).find_map(|_| {
                desk.xdotool(&["key", key]);
                let lines = std::iter::from_fn(|| walk.line(Duration::from_secs(20)));
                lines.into_iter().find(|line| line.starts_with(kind))
            })
        };
        let mut before = names[0];
        for name in names.iter().cycle().skip(1).take(names.len()) {
            assert_eq!(leads_to("F6").as_deref(), Some(*name), "after {before}");
            before = name;
        }
        assert_eq!(before, names[0], "and all around");
        for name in names.iter().rev().take(2) {
            assert_eq!(leads_to("shift+F6").as_deref(), Some(*name), "back");
        }
    }
}

/// A window that ends with the test.
struct Shown(Child);

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, shown: &mut Shown, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(shown.0.try_wait().unwrap().is_none(), "{what}: the window went away");
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
