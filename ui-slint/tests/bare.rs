//! What surrounds a window on a desktop, taken away or damaged: fonts of the system, settings. (No display
//! is in `desktop.rs`, no bus and no tray in `tray.rs`.)

#![allow(clippy::unwrap_used)]

mod hand;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hand::{Desk, PATIENCE, quiet};

const PROGRAMS: [(&str, &str, &str); 2] = [
    (env!("CARGO_BIN_EXE_tasuki-agent"), "agent-trouble", "^Remote support"),
    (env!("CARGO_BIN_EXE_tasuki-operator"), "operator-settings", "Tasuki"),
];
/// Channels of a pixel that differ by no more are alike.
const NEAR: u8 = 24;

#[test]
fn s100_with_no_font_on_the_system_both_windows_look_as_ever() {
    let desk = Desk::start_bare();
    let home = tempfile::tempdir().unwrap();
    let none = home.path().join("fonts.conf");
    let empty = "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n<fontconfig/>\n";
    std::fs::write(&none, empty).unwrap();
    let nothing = desk.picture();
    for (program, state, _) in PROGRAMS {
        let mut usual = quiet(program, &desk.display);
        let usual = picture(&desk, usual.args(["--lang", "ja", "--mock", state]), &nothing);
        let mut bare = quiet(program, &desk.display);
        bare.env("HOME", home.path()).env("FONTCONFIG_FILE", &none).env("XDG_DATA_HOME", home.path());
        let bare = picture(&desk, bare.args(["--lang", "ja", "--mock", state]), &nothing);
        let far = far(&usual, &bare);
        // Words alone are some ten thousand pixels of these windows.
        assert!(far < 200, "{state}: {far} pixels differ without fonts of the system");
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

/// The screen with this program's window on it, once it rests; afterwards the window is gone again.
fn picture(desk: &Desk, command: &mut Command, nothing: &[u8]) -> Vec<u8> {
    let mut shown = Shown(command.stderr(Stdio::null()).spawn().unwrap());
    let mut last = desk.picture();
    let mut alike = 0;
    until("the window is painted and rests", &mut shown, || {
        let now = desk.picture();
        alike = if now == last && far(&now, nothing) > 20_000 { alike + 1 } else { 0 };
        last = now;
        alike > 5
    });
    drop(shown);
    let deadline = Instant::now() + PATIENCE;
    while far(&desk.picture(), nothing) > 0 {
        assert!(Instant::now() < deadline, "the window is still there");
        std::thread::sleep(Duration::from_millis(100));
    }
    last
}

fn far(one: &[u8], other: &[u8]) -> usize {
    let pixels = one.chunks_exact(4).zip(other.chunks_exact(4));
    pixels.filter(|(a, b)| a[..3].iter().zip(&b[..3]).any(|(a, b)| a.abs_diff(*b) > NEAR)).count()
}
