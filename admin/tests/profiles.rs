//! One administrator and several servers: each has a folder of its own, and none is guessed.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

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
