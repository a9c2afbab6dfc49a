//! The administrator's own disk is full: no key is lost, the one before stays in use, and the next try works (F5).

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;
use serde_json::Value;
use tasuki_tests::running::program;
use tasuki_tests::stack::{House, Site};

use crate::{administer, answered, text};

/// No file grows beyond `bytes`; whoever writes further gets an error, as from a full disk.
fn administer_within(bytes: u64, house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    typed_within(bytes, house, ("admin", arguments), house.secrets()[0])
}

fn typed_within(
    bytes: u64,
    house: &House,
    (profile, arguments): (&str, &[&str]),
    typed: &str,
) -> (Option<i32>, String) {
    let lines = house.folder().join("typed");
    fs::write(&lines, typed).expect("written");
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap '' XFSZ; exec prlimit --fsize="$0" "$@""#, &bytes.to_string()]);
    command.arg(program("tasuki-admin").expect("the program"));
    command.arg("--profile").arg(house.folder().join(profile)).args(arguments);
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

#[track_caller]
fn assert_told(code: Option<i32>, said: &str) {
    assert!(code.is_some_and(|code| code != 0), "{said}");
    assert!(said.contains("cannot be read or written") || said.contains("cannot be written"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// F5: whoever makes the organisation's keys, or brings them back, where the disk takes little or nothing, is told so;
/// with room again the same token, password and shares lead on, and what was in use goes on meanwhile.
#[test]
fn f5_on_a_full_disk_keys_are_neither_made_nor_brought_back_and_the_same_token_works_with_room_again() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr());
    let port = port.expect("a port").port();
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let site = Site { host: "127.0.0.1".to_owned(), listen, port, inside: Vec::new() };
    let (house, [token, fingerprint]) = House::begin_at(site).expect("a server");
    let server = format!("https://127.0.0.1:{port}");
    let init = ["--json", "--server", &server, "init", "--fingerprint", &fingerprint];
    let typed = format!("{token}\nseven lemons under a tin roof\n");
    for bytes in [0, 100, 300, 1000] {
        let (code, said) = typed_within(bytes, &house, ("admin", &init), &typed);
        assert_told(code, &said);
        assert!(!house.bundle().exists(), "at {bytes}: {said}");
    }
    let made = answered(&house, "admin", &init, &typed);
    let shares = made["shares"].as_array().expect("shares");
    let [one, two, _] = shares.as_slice() else { panic!("{made}") };
    let known = || fs::read(house.bundle()).expect("a bundle");
    let before = known();

    let token = house.recovery_token().expect("a token");
    let token = token["token"].as_str().expect("a token");
    let [one, two] = [one, two].map(|share| share.as_str().expect("words"));
    let place = house.folder().join("back").join("server.json");
    // Once the server has taken this computer's key it asks for the shares alone.
    let typed = || match place.exists() {
        true => format!("{one}\n{two}\n"),
        false => format!("{token}\nnine lemons under a tin roof\n{one}\n{two}\n"),
    };
    let recover = [&init[..], &["--recover", "--name", "jiro"]].concat();
    for bytes in [0, 100, 300, 1000] {
        let (code, said) = typed_within(bytes, &house, ("back", &recover), &typed());
        assert_told(code, &said);
        assert!(!house.folder().join("back").join("tenant.json").exists(), "at {bytes}: {said}");
    }
    assert_eq!(known(), before);
    answered(&house, "back", &recover, &typed());
    let (code, said) = administer(&house, "back", &["operator", "list"], "");
    assert_eq!(code, Some(0), "{said}");
}

/// A profile that may be read and not written: nothing is sent, and it is said which file.
#[test]
fn f5_in_a_profile_that_may_not_be_written_no_key_is_changed() {
    let house = House::set_up().expect("a house");
    let profile = house.folder().join("admin");
    let keys = || house.administrate(&["key", "list"]).expect("keys")["bundle"]["version"].clone();
    let (before, published) = (kept(&profile), keys());
    let as_nobody = without_rights(&house, &profile);
    for kind in ["lock", "log", "root"] {
        let (code, said) = as_nobody(&["key", "rotate", kind, "--yes"]);
        assert_told(code, &said);
        assert!(said.contains("it is not permitted"), "{kind}: {said}");
    }
    given_back(&house, &profile);
    assert_eq!(kept(&profile), before);
    assert_eq!(keys(), published, "nothing was sent");
    house.administrate(&["key", "rotate", "lock", "--yes"]).expect("with the right to it again");
}

/// As an owner who has taken the right from himself; root, whom no right stops, as nobody.
fn without_rights<'a>(
    house: &'a House,
    profile: &'a Path,
) -> impl Fn(&[&str]) -> (Option<i32>, String) + 'a {
    let is_root = geteuid().is_root();
    let own = house.folder().join("tasuki-admin");
    fs::copy(program("tasuki-admin").expect("the program"), &own).expect("copied");
    mode(&own, 0o755);
    mode(house.folder(), 0o755);
    for path in all_of(profile) {
        if is_root {
            chown(&path, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        mode(&path, if path.is_dir() { 0o500 } else { 0o400 });
    }
    move |arguments| {
        let lines = house.folder().join("typed");
        fs::write(&lines, house.secrets()[0]).expect("written");
        let mut command = Command::new(if is_root { "setpriv" } else { "env" });
        if is_root {
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
            command.arg("--clear-groups");
        }
        command.arg(&own).arg("--profile").arg(profile).args(arguments);
        command.stdin(Stdio::from(fs::File::open(lines).expect("the lines"))).env("LC_ALL", "C");
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn given_back(house: &House, profile: &Path) {
    mode(house.folder(), 0o700);
    for path in all_of(profile) {
        if geteuid().is_root() {
            chown(&path, Some(0), Some(0)).expect("taken back");
        }
        mode(&path, if path.is_dir() { 0o700 } else { 0o600 });
    }
}

const NOBODY: u32 = 65534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}

fn all_of(profile: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(profile).expect("a folder");
    let files = files.map(|entry| entry.expect("a file").path());
    std::iter::once(profile.to_owned()).chain(files).collect()
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
            assert_told(code, &said);
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
