//! The administrator's own disk is full: no key is lost, the one before stays in use, and the next try works (F5).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tasuki_tests::running::program;
use tasuki_tests::stack::House;

use crate::text;

/// No file grows beyond `bytes`; whoever writes further gets an error, as from a full disk.
fn administer_within(bytes: u64, house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    let lines = house.folder().join("typed");
    fs::write(&lines, house.secrets()[0]).expect("written");
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap '' XFSZ; exec prlimit --fsize="$0" "$@""#, &bytes.to_string()]);
    command.arg(program("tasuki-admin").expect("the program"));
    command.arg("--profile").arg(house.folder().join("admin")).args(arguments);
    command.stdin(Stdio::from(fs::File::open(lines).expect("the lines"))).env("LC_ALL", "C");
    let output = command.output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Every file with what is in it, but what is no key: the ledger's checkpoint and the news.
fn kept(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("its bytes"))
        })
        .filter(|(name, _)| name.ends_with(".key") || name == "vault.json" || name == "tenant.json")
        .collect();
    files.sort();
    files
}

#[test]
fn f5_on_a_full_disk_no_key_is_changed_or_lost_and_the_next_try_works() {
    let house = House::set_up().expect("a house");
    let profile = house.folder().join("admin");
    let version = || {
        let keys = house.administrate(&["key", "list"]).expect("keys");
        keys["bundle"]["version"].as_u64().expect("a version")
    };
    let (before, published) = (kept(&profile), version());
    for kind in ["lock", "log", "root"] {
        for bytes in [0, 100] {
            let (code, said) = administer_within(bytes, &house, &["key", "rotate", kind, "--yes"]);
            assert!(code.is_some_and(|code| code != 0), "{kind} at {bytes}: {said}");
            assert!(
                said.contains("cannot be read or written") || said.contains("cannot be written"),
                "{said}"
            );
            assert!(!said.contains("panicked"), "{said}");
            assert_eq!(kept(&profile), before, "{kind} at {bytes}: {said}");
            assert_eq!(version(), published, "{kind} at {bytes}: nothing was sent");
        }
    }
    let export = house.folder().join("full.export");
    let (code, said) = administer_within(100, &house, &["audit", "export", text(&export)]);
    assert!(code.is_some_and(|code| code != 0) && said.contains("cannot be"), "{said}");
    let left: Vec<_> = fs::read_dir(house.folder()).expect("a folder").flatten().collect();
    let left =
        left.iter().filter(|entry| entry.file_name().to_string_lossy().contains("export")).count();
    assert_eq!(left, 0, "half an export is there");
    for kind in ["lock", "log", "root"] {
        house.administrate(&["key", "rotate", kind, "--yes"]).expect("with room again");
    }
    let list = house.administrate(&["audit", "list", "--last", "0"]).expect("the ledger opens");
    assert!(list["records"].as_array().is_some_and(|records: &Vec<Value>| !records.is_empty()));
}
