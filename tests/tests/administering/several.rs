//! One administrator of two servers, under one home: what is said to one is done there alone.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tasuki_tests::running::program;
use tasuki_tests::stack::{House, Site};
use tempfile::TempDir;

/// A server that has begun, and the administrator's word for it.
struct Place {
    _house: House,
    url: String,
    address: String,
}

fn administer(home: &TempDir, arguments: &[&str], typed: &str) -> Output {
    let lines = home.path().join("typed");
    fs::write(&lines, typed).expect("written");
    let mut command = Command::new(program("tasuki-admin").expect("the program"));
    command.env("XDG_CONFIG_HOME", home.path()).env("LC_ALL", "C").arg("--json").args(arguments);
    command.stdin(Stdio::from(File::open(lines).expect("the lines")));
    command.output().expect("it runs")
}

#[track_caller]
fn done(home: &TempDir, arguments: &[&str], typed: &str) -> Value {
    let Output { status, stdout, stderr } = administer(home, arguments, typed);
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).expect("an object")
}

#[track_caller]
fn refused(home: &TempDir, arguments: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } = administer(home, arguments, "");
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!((status.code(), said.lines().count()), (Some(code), 1), "{arguments:?}: {said}");
    said
}

/// Its organisation's keys are made in a profile below `home`.
fn began(home: &TempDir) -> Place {
    let site = Site::here().expect("a port");
    let (house, [token, pin]) = House::begin_at(site).expect("a server without keys");
    let address = format!("127.0.0.1:{}", house.port());
    let url = format!("https://{address}");
    let init = ["--server", &url, "init", "--fingerprint", &pin];
    done(home, &init, &format!("{token}\nseven lemons under a tin roof\n"));
    Place { _house: house, url, address }
}

fn operators(home: &TempDir, place: &Place) -> Vec<String> {
    let list = done(home, &["--server", &place.url, "operator", "list"], "");
    let operators = list["operators"].as_array().expect("a list").iter();
    operators.map(|entry| entry["operator"].as_str().expect("a name").to_owned()).collect()
}

/// S42, T69: each server has a folder of its own, the named one is meant, and neither is asked with what was made for the
/// other.
#[test]
fn s42_t69_of_two_servers_under_one_home_each_gets_what_is_said_to_it_and_the_other_nothing() {
    let home = tempfile::tempdir().expect("a home");
    let one = began(&home);
    // While there is one, nobody has to say which.
    let add = |name: &'static str| {
        ["operator", "add", name, "--display-name", name, "--modes", "view", "--password-stdin"]
    };
    let password = "correct horse battery staple\n";
    done(&home, &add("hanako"), password);
    let other = began(&home);
    assert!(operators(&home, &other).is_empty());
    done(&home, &[&["--server", &other.url], &add("taro")[..]].concat(), password);
    assert_eq!(
        (operators(&home, &one), operators(&home, &other)),
        (vec!["hanako".into()], vec!["taro".into()])
    );

    let said = refused(&home, &add("jiro"), 3);
    assert!(said.contains(&one.address) && said.contains(&other.address), "{said}");
    let twice = [&["--server", &one.url], &add("hanako")[..]].concat();
    assert_eq!(administer(&home, &twice, password).status.code(), Some(7), "she is there already");
    done(&home, &[&["--server", &other.url], &add("hanako")[..]].concat(), password);
    assert_eq!(operators(&home, &other).len(), 2, "another one, there");
    assert_eq!(operators(&home, &one), ["hanako"]);

    // Neither its key nor its keys' public halves count at the other.
    let folder = |place: &Place| home.path().join("tasuki/admin").join(place.address.replace(':', "_"));
    let (mine, theirs) = (folder(&one), folder(&other));
    let differ = |name: &str| read(&mine, name) != read(&theirs, name);
    assert!(["admin.key", "tenant.json", "vault.json"].into_iter().all(differ));
    fs::copy(mine.join("admin.key"), theirs.join("admin.key")).expect("copied");
    refused(&home, &["--server", &other.url, "operator", "list"], 6);
    fs::copy(mine.join("tenant.json"), theirs.join("tenant.json")).expect("copied");
    refused(&home, &["--server", &other.url, "operator", "list"], 3);
    assert_eq!(operators(&home, &one), ["hanako"], "it goes on");
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
