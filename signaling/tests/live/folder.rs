//! The program on good and bad folders: one sentence, one exit code, no trace.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::client::World;

fn server(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args(arguments).arg("--data").arg(data).stdin(Stdio::null()).env("LC_ALL", "C");
    command.output().unwrap()
}

fn set_up(data: &Path) -> Output {
    server(&["setup", "--host", "localhost", "--port", "7443", "--json"], data)
}

/// One line that names no source file and ends like a sentence.
#[track_caller]
fn refused(output: &Output, code: i32, word: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(word) && said.trim_end().ends_with('.'), "{said}");
    assert!(!said.contains(".rs") && !said.contains("panicked"), "{said}");
}

#[test]
fn a_second_setup_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = set_up(&data);
    assert!(first.status.success());
    let printed: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(printed["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!(printed["url"], "https://localhost:7443", "the port belongs to it");
    let facts = std::fs::read(data.join("server.json")).unwrap();
    refused(&set_up(&data), 5, "already");
    assert_eq!(std::fs::read(data.join("server.json")).unwrap(), facts);
}

#[test]
fn the_program_writes_its_manual_and_what_completes_its_commands() {
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
        command.args(arguments).env("LC_ALL", "C").output().unwrap()
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(program(&["completion", shell]).stdout).unwrap();
        assert!(script.contains("restore") && script.contains("doctor"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(program(&["manual", folder.path().to_str().unwrap()]).status.success());
    let page = std::fs::read_to_string(folder.path().join("tasuki-server-restore.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("backup"), "{page}");
    refused(&program(&["manual", "/proc/nowhere"]), 11, "/proc/nowhere");
}

#[test]
fn everything_in_the_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert!(set_up(&data).status.success());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn an_interrupted_setup_is_recognised_and_can_be_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("setup-unfinished"), "").unwrap();
    std::fs::write(data.join("manifest.key"), "half").unwrap();
    refused(&server(&["run", "--listen", "127.0.0.1:0"], &data), 4, "setup");
    assert!(set_up(&data).status.success());
    assert!(!data.join("setup-unfinished").exists());
}

#[test]
fn a_folder_that_is_not_set_up_or_holds_other_things_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    refused(&server(&["run"], &folder.path().join("nothing")), 3, "tasuki-server setup");
    std::fs::write(folder.path().join("thesis.txt"), "precious").unwrap();
    refused(&set_up(folder.path()), 5, "empty");
    assert!(folder.path().join("thesis.txt").exists());
}

#[test]
fn damaged_keys_database_settings_and_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert!(set_up(&data).status.success());
    let run = || server(&["run", "--listen", "127.0.0.1:0"], &data);
    for (file, code, word) in [
        ("manifest.key", 7, "manifest.key"),
        ("pepper.key", 7, "pepper.key"),
        ("ticket.key", 7, "ticket.key"),
        ("server.json", 7, "server.json"),
        ("server.key", 7, "server.key"),
        ("tasuki.db", 8, "database"),
        ("server.toml", 10, "TOML"),
    ] {
        let path = data.join(file);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, "damaged, more than a little, and of no use to anybody").unwrap();
        if file == "tasuki.db" {
            for side in ["tasuki.db-wal", "tasuki.db-shm"] {
                std::fs::remove_file(data.join(side)).ok();
            }
        }
        refused(&run(), code, word);
        std::fs::remove_file(&path).unwrap();
        if file != "server.toml" {
            let missing = if file == "tasuki.db" { 11 } else { 7 };
            refused(&run(), missing, file);
        }
        std::fs::write(&path, good).unwrap();
    }
}

#[tokio::test]
async fn a_key_that_the_bundle_does_not_name_starts_no_server() {
    let mut world = World::start().await;
    world.stop().await;
    std::fs::write(world.data().join("manifest.key"), "11".repeat(32)).unwrap();
    refused(&server(&["run", "--listen", "127.0.0.1:0"], &world.data()), 7, "manifest.key");
}

#[tokio::test]
async fn a_second_server_on_one_folder_and_a_taken_port_are_refused() {
    let world = World::start().await;
    let listen = world.address.to_string();
    refused(&server(&["run", "--listen", "127.0.0.1:0"], &world.data()), 6, "Another server");
    refused(&set_up(&world.data()), 5, "already");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert!(set_up(&data).status.success());
    refused(&server(&["run", "--listen", &listen], &data), 9, "taken");
}

#[test]
fn impossible_settings_and_names_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    refused(&server(&["setup", "--host", "a b"], &data), 10, "host name");
    refused(
        &server(&["setup", "--host", "x", "--organisation", "a\u{202e}b"], &data),
        10,
        "organisation",
    );
    assert!(!data.exists());
    refused(&server(&["config", "--set", "lock_after=none"], &data), 10, "lock_after");
    refused(&server(&["config", "--set", "lock_after=7"], &data), 3, "tasuki-server setup");
    assert!(set_up(&data).status.success());
    let output = server(&["config", "--set", "lock_after=7"], &data);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("lock_after = \"7\"  # flag"));
    assert!(printed.contains("joins_per_address = \"10\"  # default"));
}

#[test]
fn s100_the_program_speaks_japanese_where_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let output = server(&["run", "--lang", "ja"], &nothing);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("サーバーがありません。"));
    let data = folder.path().join("data");
    let output = server(&["setup", "--lang", "ja", "--host", "localhost"], &data);
    assert!(String::from_utf8_lossy(&output.stdout).contains("登録トークン"));
}

/// S100: help, manual and complaints, from the same descriptions that English has.
#[test]
fn s100_help_manual_and_wrong_usage_are_in_japanese_too() {
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
        let output = command.args(arguments).env("LC_ALL", "ja_JP.UTF-8").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, help, _) = program(&["--help"]);
    assert_eq!(code, Some(0));
    for words in ["使い方", "コマンド", "recovery-token", "終了コード", "トークンを作ります"]
    {
        assert!(help.contains(words), "{words} in {help}");
    }
    assert!(!help.contains("Usage") && !help.contains("Options"), "{help}");
    for verb in ["setup", "run", "config", "doctor", "backup", "restore", "recovery-token", "manual"] {
        let (_, help, _) = program(&[verb, "--help"]);
        assert!(help.contains("使い方") && !help.contains("Print"), "{verb}: {help}");
    }
    for (wrong, words) in [
        (&["go"] as &[&str], "コマンド go はありません"),
        (&["run", "--fast"], "--fast という引数はありません"),
        (&["run"], "--data <DIR> を指定してください"),
        (&["setup", "--data", "x", "--host", "y", "--port", "0"], "0 は正しくありません"),
        (&["--lang", "de", "config", "--data", "x"], "de は正しくありません"),
    ] {
        let (code, _, said) = program(wrong);
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(program(&["manual", folder.path().to_str().unwrap()]).0, Some(0));
    let page = std::fs::read_to_string(folder.path().join("tasuki-server-restore.1")).unwrap();
    assert!(page.contains("バックアップ"), "{page}");
    let (code, _, said) = program(&["backup", "--data", "/nowhere", "/nowhere/x"]);
    assert!(code == Some(3) && !said.contains("Run"), "{said}");
}
