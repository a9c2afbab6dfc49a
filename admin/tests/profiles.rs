//! One administrator and several servers: each has a folder of its own, and none is guessed.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn administer(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-admin"));
    command.env_clear().env("LC_ALL", "C").env("XDG_CONFIG_HOME", home);
    command.args(arguments).output().unwrap()
}

/// The folder that a command works in, and where that was said.
fn profile(home: &Path, arguments: &[&str]) -> String {
    let output = administer(home, &[arguments, &["config"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("profile = ")).unwrap();
    line.to_owned()
}

fn enrol(home: &Path, server: &str) -> String {
    let folder = home.join("tasuki/admin").join(server);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("server.json"), r#"{"host":"x","port":1,"pins":[]}"#).unwrap();
    folder.display().to_string()
}

#[test]
fn of_several_servers_the_named_one_is_meant_and_none_is_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let first = enrol(home, "help.example_443");
    assert_eq!(profile(home, &[]), format!("{first}  (default)"));

    let second = enrol(home, "help.example_7443");
    let unnamed = administer(home, &["config"]);
    assert_eq!(unnamed.status.code(), Some(3));
    let told = String::from_utf8(unnamed.stderr).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("help.example:443") && told.contains("help.example:7443"), "{told}");
    let japanese = administer(home, &["--lang", "ja", "config"]);
    let told = String::from_utf8(japanese.stderr).unwrap();
    assert!(told.contains("help.example:7443") && told.contains("--server"), "{told}");

    for (server, expected) in [
        ("https://help.example", &first),
        ("https://help.example:7443", &second),
        ("help.example:7443/", &second),
    ] {
        assert_eq!(profile(home, &["--server", server]), format!("{expected}  (default)"));
    }
    let third = home.join("tasuki/admin/2001_db8__1_443").display().to_string();
    assert_eq!(profile(home, &["--server", "https://[2001:db8::1]"]), format!("{third}  (default)"));
    let elsewhere = home.join("elsewhere").display().to_string();
    assert_eq!(profile(home, &["--profile", &elsewhere]), format!("{elsewhere}  (flag)"));
}

/// What is kept for one server is no key to another.
#[test]
fn a_server_that_nobody_enrolled_at_is_not_asked_with_anothers_key() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let first = enrol(home, "help.example_443");
    std::fs::write(Path::new(&first).join("admin.key"), "00".repeat(32)).unwrap();
    let refused = administer(home, &["--server", "https://other.example", "operator", "list"]);
    assert_eq!(refused.status.code(), Some(3));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("other.example_443") && !told.contains("help.example_443"), "{told}");
}

/// T66: whatever is said, on either stream, goes through one place.
#[test]
fn t66_no_name_moves_the_cursor_of_the_terminal_in_a_result_or_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let acting = folder.path().join("a\u{1b}[2J\u{202e}b\u{200b}");
    let acting = acting.to_str().unwrap();
    let shown = "a\\u{1b}[2J\\u{202e}b\\u{200b}";
    let config = administer(folder.path(), &["--profile", acting, "config"]);
    let list = administer(folder.path(), &["--profile", acting, "operator", "list"]);
    assert_eq!((config.status.code(), list.status.code()), (Some(0), Some(3)));
    for said in [config.stdout, list.stderr] {
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains(shown), "{said:?}");
        assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{said:?}");
    }
}

/// T68: the program that opens the organisation's keys leaves no core dump.
#[test]
fn t68_while_it_waits_for_a_secret_it_can_leave_no_core_dump() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-admin"));
    command.env_clear().env("XDG_CONFIG_HOME", folder.path());
    command.args(["--server", "https://127.0.0.1:9", "init"]).stdin(Stdio::piped());
    let mut waiting = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    let limits = loop {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", waiting.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let words: Vec<&str> = core.split_whitespace().collect();
        if words[4..6] == ["0", "0"] || since.elapsed() > Duration::from_secs(10) {
            break words[4..6].join(" ");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let waits = waiting.try_wait().unwrap();
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert_eq!((limits.as_str(), waits), ("0 0", None));
}
