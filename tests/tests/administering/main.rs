//! What `tasuki-admin` says when something is not as it must be: one sentence that says what to
//! mend, in the administrator's language, with an exit code of its own.

mod at_hand;
mod confirming;
mod full_disk;
mod limiting;
mod made_there;
mod mending;
mod naming;
mod people;
mod recorded;
mod recovering;
mod reporting;
mod several;
mod telling;
mod verbs;
mod walking;

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use tasuki_protocol::bundle::Bundle;
use tasuki_tests::running::program;
use tasuki_tests::stack::House;

/// What it exits with and says, with `typed` to read.
fn administer(house: &House, profile: &str, arguments: &[&str], typed: &str) -> (Option<i32>, String) {
    let output = started(house, profile, arguments, typed);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn started(house: &House, profile: &str, arguments: &[&str], typed: &str) -> Output {
    let command = Command::new(program("tasuki-admin").expect("the program"));
    output(command, house, profile, (arguments, typed))
}

fn output(
    mut command: Command,
    house: &House,
    profile: &str,
    (arguments, typed): (&[&str], &str),
) -> Output {
    let lines = house.folder().join("typed");
    fs::write(&lines, typed).expect("written");
    command.arg("--profile").arg(house.folder().join(profile)).args(arguments);
    command.stdin(Stdio::from(File::open(lines).expect("the lines"))).env("LC_ALL", "C");
    command.output().expect("it runs")
}

/// As [`administer`] on the administrator's own computer, whose clock is off.
fn administer_at(house: &House, off: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program("tasuki-admin").expect("the program"));
    let folder = |machine| format!("/usr/lib/{machine}-linux-gnu/faketime");
    command.env("LD_LIBRARY_PATH", ["x86_64", "aarch64"].map(folder).join(":"));
    command.env("LD_PRELOAD", "libfaketime.so.1").env("FAKETIME", off);
    let output = output(command, house, "admin", (arguments, ""));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What the operator reads out, which the administrator's list does not say.
fn words_of(house: &House, operator: &str) -> String {
    let list = house.administrate(&["device", "list", operator]).expect("a list");
    let device = list["devices"][0]["device"].as_str().expect("a device");
    tasuki_protocol::words::fingerprint(&device.parse().expect("a key"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name")
}

/// Whoever was taken in and did not hear it, because the line broke, comes in with his key and password;
/// a used token alone is still worth nothing.
#[test]
fn an_enrolment_whose_answer_was_lost_is_taken_up_again() {
    let house = House::set_up().expect("a house");
    let again = house.folder().join("again");
    fs::create_dir_all(&again).expect("a folder");
    let mine = again.join("admin.key");
    fs::copy(house.folder().join("admin").join("admin.key"), &mine).expect("the key");
    fs::set_permissions(&mine, fs::Permissions::from_mode(0o600)).expect("mine alone");
    let bundle = Bundle::open_first(&fs::read(house.bundle()).expect("a bundle")).expect("it holds");
    let pin = bundle.server_pins[0].to_string();
    let server = format!("https://127.0.0.1:{}", house.port());
    let init = ["--server", &server, "init", "--fingerprint", &pin];
    let place = again.join("server.json");
    let (code, said) = administer(&house, "again", &init, "token\nnine lemons under a tin roof\n");
    assert!(code == Some(6) && !place.exists(), "{said}");
    let [_, _, password] = house.secrets();
    let (code, said) = administer(&house, "again", &init, &format!("token\n{password}\n"));
    assert!(code == Some(7) && said.contains("already") && place.exists(), "{said}");
}

/// S100: a file that is not there, a policy with an unknown word or for nobody, and another server's fingerprint.
#[test]
fn an_administrator_is_told_in_his_language_what_to_mend() {
    let house = House::set_up().expect("a house");
    let nowhere = house.folder().join("nowhere.toml");
    let set = |file: &Path, language: &str| {
        administer(&house, "admin", &["--lang", language, "policy", "set", text(file)], "")
    };
    let (code, said) = set(&nowhere, "en");
    assert_eq!((code, said.lines().count()), (Some(3), 1), "{said}");
    assert!(said.contains("cannot be read") && said.contains("no such file"), "{said}");
    let (code, said) = set(&nowhere, "ja");
    assert!(code == Some(3) && said.contains("ファイルがありません"), "{said}");

    let unknown = house.folder().join("unknown.toml");
    fs::write(&unknown, "[default]\nspeed = 1\n").expect("written");
    let (code, said) = set(&unknown, "ja");
    assert_eq!(code, Some(12), "{said}");
    assert!(said.contains("2 行目: speed という項目はありません"), "{said}");

    let wider = house.folder().join("wider.toml");
    fs::write(&wider, "[default]\nchat = false\n[operator.hanako]\nchat = true\n").expect("written");
    for (language, words) in
        [("en", "chat is wider than [default] allows"), ("ja", "[default] より緩くなっています")]
    {
        let (code, said) = set(&wider, language);
        assert_eq!((code, said.lines().count()), (Some(12), 1), "{said}");
        assert!(said.contains("[operator.\"hanako\"]") && said.contains(words), "{said}");
    }

    a_policy_for_nobody_is_published_only_by_who_means_it(&house);

    let signed_out = answered(&house, "admin", &["--json", "logout"], "");
    assert!(signed_out.is_object(), "{signed_out}");
    let listing = ["--lang", "ja", "operator", "list"];
    let (code, said) = administer(&house, "admin", &listing, "nine lemons under a tin roof\n");
    assert!(code == Some(6) && said.contains("パスワードまたは認証アプリの数字が違います"), "{said}");

    let server = format!("https://127.0.0.1:{}", house.port());
    let wrong = "0".repeat(64);
    let begin = ["--server", &server, "init", "--fingerprint", &wrong];
    // Before anything is typed, and nothing stays.
    let (code, said) = administer(&house, "newcomer", &begin, "");
    assert_eq!((code, said.lines().count()), (Some(5), 1), "{said}");
    assert!(said.contains("fingerprint") && !said.contains("bundle"), "{said}");
    assert!(!house.folder().join("newcomer").exists(), "something was left behind");
}

/// S42, S100: before a policy is in force for somebody who is not there, he who publishes it is asked.
fn a_policy_for_nobody_is_published_only_by_who_means_it(house: &House) {
    let file = house.folder().join("policy.toml");
    fs::write(&file, "[operator.hanako]\nchat = true\n[operator.hanoko]\nchat = false\n")
        .expect("written");
    let name = text(&file);
    let diff = house.administrate(&["policy", "diff", name]).expect("a difference");
    assert_eq!(diff["unknown"], serde_json::json!(["[operator.hanoko]"]), "{diff}");
    let shown = started(house, "admin", &["--lang", "ja", "policy", "diff", name], "");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("誰にも適用されません: [operator.hanoko]"), "{shown}");
    assert!(shown.contains("もしかして hanako ですか"), "{shown}");
    for typed in ["", "yes\n"] {
        let (code, said) = administer(house, "admin", &["policy", "set", name], typed);
        assert!(code == Some(7) && said.lines().count() == 1, "{code:?} {said}");
    }
    let version = || house.administrate(&["policy", "show"]).expect("shown")["version"].clone();
    assert_eq!(version(), 0, "nothing was published");
    let (code, said) = administer(house, "admin", &["policy", "set", name], "[operator.hanoko]\n");
    assert!(code == Some(0) && version() == 1, "{said}");
    let again = [&["policy", "set", name] as &[&str], &["policy", "rollback", "1"]];
    for same in again {
        let (code, said) = administer(house, "admin", same, "");
        assert!(code == Some(0) && version() == 1, "what changes nothing is no new version: {said}");
    }
    fs::write(&file, "[operator.hanoko]\nchat = true\n").expect("written");
    let (code, said) = administer(house, "admin", &["policy", "set", name, "--yes"], "");
    assert!(code == Some(0) && version() == 2, "{said}");
    let (code, said) = administer(house, "admin", &["policy", "rollback", "1"], "");
    assert!(code == Some(7), "what is published again is asked again: {said}");
    let (code, said) = administer(house, "admin", &["policy", "rollback", "1", "--yes"], "");
    assert!(code == Some(0) && version() == 3, "{said}");
}

/// A clock that is off by more than a signed request bears is called that, and makes no key a dead one:
/// who brings the keys back is not asked for a token then.
#[test]
fn a_clock_that_is_off_is_told_apart_from_a_key_that_the_server_takes_no_more() {
    let house = House::set_up().expect("a house");
    for (off, words) in [("+20m", "20 minutes ahead of"), ("-20m", "20 minutes behind")] {
        for arguments in [&["operator", "list"] as &[&str], &["init", "--recover"]] {
            let (code, said) = administer_at(&house, off, arguments);
            assert_eq!((code, said.lines().count()), (Some(6), 1), "{off} {arguments:?}: {said}");
            assert!(said.contains(words), "{off} {arguments:?}: {said}");
        }
    }
    let (code, said) = administer_at(&house, "+20m", &["--lang", "ja", "operator", "list"]);
    assert!(code == Some(6) && said.contains("20分進んで"), "{said}");
    let (code, said) = administer_at(&house, "+3m", &["operator", "list"]);
    assert_eq!(code, Some(0), "a few minutes are nobody's fault: {said}");
    fs::remove_file(house.folder().join("admin").join("admin.key")).expect("gone");
    let (_, said) = administer_at(&house, "+3m", &["operator", "list"]);
    assert!(said.contains("no administrator's key"), "{said}");
}

/// S79, T69: each key is changed for a new one with the administrator's own commands. Operators sign
/// in under every bundle that comes, and both old and new records open afterwards.
#[test]
fn every_key_is_rotated_with_the_administrators_commands_and_everybody_goes_on() {
    let mut house = House::set_up().expect("a house");
    house.sign_in_administrator().expect("signed in");
    let keys = || house.administrate(&["key", "list"]).expect("keys");
    let before = keys();
    let bundle = || {
        let bundle = fs::read(house.bundle()).expect("read");
        Bundle::open_first(&bundle).expect("a bundle")
    };
    let first = bundle();
    for step in
        [&["manifest"] as &[&str], &["server"], &["server", "--finish"], &["lock"], &["log"], &["root"]]
    {
        let (before, rotated) = (bundle().version, [&["key", "rotate", "--yes"], step].concat());
        house.administrate(&rotated).unwrap_or_else(|error| panic!("{step:?}: {error:#}"));
        assert_eq!(bundle().version, before + 1, "{step:?}");
        if matches!(step, ["lock"] | ["root"]) {
            house.sign_in().unwrap_or_else(|error| panic!("after {step:?}: {error:#}"));
        }
    }
    assert_ne!(keys(), before);
    let last = bundle();
    assert_eq!(last.version, first.version + 6);
    for (kind, is_changed) in [
        ("root", last.root != first.root),
        ("server", last.server_pins[0] != first.server_pins[0]),
        ("manifest", last.manifest_keys[0] != first.manifest_keys[0]),
        ("checkpoint", last.checkpoint_keys[0] != first.checkpoint_keys[0]),
        ("lock", last.lock_keys[0] != first.lock_keys[0]),
        ("log", last.log_keys[0] != first.log_keys[0]),
    ] {
        assert!(is_changed, "{kind}");
    }
    each_key_is_listed_with_what_it_counts_for(&house);
    house.reopen_server().expect("what has happened is signed");
    let list = house.administrate(&["audit", "list", "--last", "0"]).expect("it opens");
    let records = list["records"].as_array().expect("records");
    let sign_ins = records.iter().filter(|record| record["event"]["type"] == "logged_in");
    // Two of the first log key's time, and one of the second's.
    assert_eq!(sign_ins.count(), 3, "{list}");
}

/// After a change of each: which is in force, which are former, and since when where anything signed tells.
fn each_key_is_listed_with_what_it_counts_for(house: &House) {
    let listed = house.administrate(&["key", "list"]).expect("keys");
    let keys = listed["keys"].as_array().expect("keys");
    for kind in ["root", "lock", "manifest", "checkpoint", "server", "log"] {
        let of_kind: Vec<_> = keys.iter().filter(|key| key["kind"] == kind).collect();
        let in_use = of_kind.iter().filter(|key| key["standing"] == "in_use").count();
        let former = of_kind.iter().filter(|key| key["standing"] == "former").count();
        // Of the first root nothing tells any more.
        assert_eq!((in_use, former > 0), (1, kind != "root"), "{kind}: {listed}");
        let dated = of_kind.iter().all(|key| key["since"].is_u64());
        assert_eq!(dated, matches!(kind, "root" | "log"), "{kind}: {listed}");
    }
    for (language, words) in [
        ("en", ["SINCE", "in use", "former: still accepted", "former: opens older records"]),
        ("ja", ["使用開始", "使用中", "引き続き受け付けます", "古い記録を開くために保管"]),
    ] {
        let output = started(house, "admin", &["--lang", language, "key", "list"], "");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

/// The object that it prints, with `typed` to read.
fn answered(house: &House, profile: &str, arguments: &[&str], typed: &str) -> serde_json::Value {
    let output = started(house, profile, arguments, typed);
    let (out, said) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(out).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(out)))
}
