//! The program's own files on a full disk: one sentence, nothing left that was begun, and the next try works (F5).

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::backup::{done, move_database_away, program, refused};
use crate::client::World;

const SERVER: &str = env!("CARGO_BIN_EXE_tasuki-server");

/// No file grows beyond `bytes`; whoever writes further gets an error, as from a full disk.
fn within(bytes: u64, arguments: &[&str], data: &Path, more: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap '' XFSZ; exec prlimit --fsize="$0" "$@""#, &bytes.to_string(), SERVER]);
    command.args(arguments).arg("--data").arg(data).args(more);
    command.stdin(Stdio::null()).env("LC_ALL", "C").output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Places in a backup of this length, of which the last is in the last page of its database.
fn limits(length: u64) -> [u64; 5] {
    [0, 1, 4096, length / 2, length - 4096]
}

#[tokio::test]
async fn f5_a_backup_and_a_restore_that_the_disk_does_not_hold_leave_nothing_and_are_done_by_the_next_try()
 {
    let mut world = World::start().await;
    world.operator("hanako").await;
    world.stop().await;
    let (good, out) = (world.folder.path().join("good"), world.folder.path().join("out"));
    done(&program("backup", &world.data(), &good));
    let length = std::fs::metadata(&good).unwrap().len();
    let before = names(world.folder.path());
    for limit in limits(length) {
        refused(&within(limit, &["backup"], &world.data(), &[out.to_str().unwrap()]), 11);
        assert_eq!(names(world.folder.path()), before, "{limit} bytes");
    }
    done(&program("backup", &world.data(), &out));

    move_database_away(&world);
    let before = names(&world.data());
    for limit in limits(length) {
        let output = within(limit, &["restore"], &world.data(), &[good.to_str().unwrap()]);
        // The disk is full, and not the backup damaged.
        refused(&output, 11);
        assert_eq!(names(&world.data()), before, "{limit} bytes");
    }
    done(&program("restore", &world.data(), &good));
    world.run().await;
}

/// The database fits, and what brings it up to date does not.
#[tokio::test]
async fn f5_a_restore_for_whose_journal_there_is_no_room_is_not_a_damaged_backup() {
    let mut world = World::start().await;
    world.stop().await;
    let good = world.folder.path().join("good");
    done(&program("backup", &world.data(), &good));
    move_database_away(&world);
    let before = names(&world.data());
    let data = world.data().canonicalize().unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-P"]);
    command.arg(data.join("restoring.db-wal"));
    command
        .args(["-e", "inject=pwrite64:error=ENOSPC", SERVER, "restore", "--data"])
        .arg(&data)
        .arg(&good);
    let output = command.stdin(Stdio::null()).env("LC_ALL", "C").output().unwrap();
    refused(&output, 11);
    assert_eq!(names(&world.data()), before);
    done(&program("restore", &world.data(), &good));
}

#[test]
fn f5_a_setup_that_the_disk_does_not_hold_is_done_by_the_next_try() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let host = ["--host", "localhost", "--json"];
    for limit in [0, 40, 300, 4096, 20_000, 60_000] {
        let output = within(limit, &["setup"], &data, &host);
        refused(&output, 11);
        assert!(output.stdout.is_empty(), "a token was told at {limit} bytes");
    }
    let mut command = Command::new(SERVER);
    command.args(["setup", "--data"]).arg(&data).args(host).stdin(Stdio::null());
    done(&command.output().unwrap());
}
