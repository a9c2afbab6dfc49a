//! What surrounds a window on a desktop, taken away: no display, no fonts of the system, no bus.

mod hand;

use std::process::Stdio;
use std::time::{Duration, Instant};

use hand::{Desk, PATIENCE, quiet};

const PROGRAMS: [(&str, &str); 2] = [
    (env!("CARGO_BIN_EXE_tasuki-agent"), "agent-number"),
    (env!("CARGO_BIN_EXE_tasuki-operator"), "operator-home"),
];

#[test]
fn without_a_display_both_programs_say_so_in_one_sentence_and_end_with_code_10() {
    for (program, _) in PROGRAMS {
        for display in ["", ":65000"] {
            let mut command = quiet(program, display);
            let home = tempfile::tempdir().unwrap();
            command.env("HOME", home.path()).env("LC_ALL", "ja_JP.UTF-8").stderr(Stdio::piped());
            command.arg("--profile").arg(home.path());
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(10 | 11)), "{program} at {display:?}: {code:?} {said}");
            assert!(!said.contains("panicked") && said.trim().lines().count() == 1, "{said}");
        }
    }
}

#[test]
fn with_no_font_on_the_system_both_windows_show_their_own_letters() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let fonts = home.path().join("fonts.conf");
    std::fs::write(&fonts, "<?xml version=\"1.0\"?>\n<fontconfig></fontconfig>\n").unwrap();
    for (program, state) in PROGRAMS {
        for lang in ["en", "ja"] {
            let mut command = quiet(program, &desk.display);
            command.args(["--lang", lang, "--mock", state]).stderr(Stdio::piped());
            command.env("HOME", home.path()).env("FONTCONFIG_FILE", &fonts);
            let mut child = command.spawn().unwrap();
            let deadline = Instant::now() + PATIENCE;
            while desk.ink() < 2000 {
                assert!(child.try_wait().unwrap().is_none(), "{program} went away");
                assert!(Instant::now() < deadline, "{program} shows no letters in {lang}");
                std::thread::sleep(Duration::from_millis(200));
            }
            child.kill().unwrap();
            let said = child.wait_with_output().unwrap().stderr;
            assert!(!String::from_utf8_lossy(&said).contains("panicked"));
        }
    }
}
