//! What an administrator is told who typed something wrong, or who looks at how things are.

use std::fs;

use tasuki_protocol::bundle::Bundle;
use tasuki_tests::stack::House;

use crate::walking::signs_in;
use crate::{administer, started};

fn shown(house: &House, arguments: &[&str]) -> String {
    let output = started(house, "admin", arguments, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn organisation(house: &House) -> String {
    let bundle = fs::read(house.bundle()).expect("a bundle");
    Bundle::open_first(&bundle).expect("it holds").organisation
}

/// What it says in English and in Japanese, with the exit code, which is the same.
#[track_caller]
fn refused(house: &House, code: i32, arguments: &[&str]) -> (String, String) {
    let of = |language| {
        let (ended, said) =
            administer(house, "admin", &[&["--lang", language] as &[&str], arguments].concat(), "");
        assert_eq!((ended, said.trim_end().lines().count()), (Some(code), 1), "{arguments:?}: {said}");
        said
    };
    (of("en"), of("ja"))
}

/// T57: a wrong token, port or server is found before a password is asked for, and nothing stays.
#[test]
fn t57_a_wrong_token_or_port_is_told_before_a_password_is_typed_and_leaves_nothing() {
    let house = House::set_up().expect("a house");
    let bundle = Bundle::open_first(&fs::read(house.bundle()).expect("a bundle")).expect("it holds");
    let pin = bundle.server_pins[0].to_string();
    let newcomer = house.folder().join("newcomer");
    for (port, typed, code) in [(house.port(), "no token\n", 6), (1, "", 4)] {
        let server = format!("https://127.0.0.1:{port}");
        let init = ["--server", &server, "init", "--fingerprint", &pin];
        let (ended, said) = administer(&house, "newcomer", &init, typed);
        assert_eq!((ended, said.lines().count()), (Some(code), 1), "{said}");
        assert!(!newcomer.exists(), "{said}");
    }
    let path = house.bundle().display().to_string();
    let enrol = ["--bundle", &path, "enrol", "--name", "taro"];
    let (ended, said) = administer(&house, "newcomer", &enrol, "no token\n");
    assert!(ended == Some(6) && said.contains("token"), "{said}");
    assert!(!newcomer.join("admin.key").exists(), "a key was left behind");
}

/// S65: what is wrong with a name is said exactly.
#[test]
fn s65_each_fault_of_a_name_has_a_sentence_of_its_own() {
    let house = House::set_up().expect("a house");
    let long = "n".repeat(41);
    for (name, english, japanese) in [
        ("two words", "no spaces", "空白は使えません"),
        (" taro", "begins or ends with a space", "前後に空白"),
        (long.as_str(), "41 characters, and may have 40", "41文字。40文字まで"),
        ("ta\u{200b}ro", "U+200B", "U+200B"),
        ("", "at least one character", "空です"),
        ("hanako", "hanako is there already", "hanako は既にあります"),
        ("hanak0", "looks like another name", "見分けがつきにくく"),
        ("h\u{430}nako", "two alphabets in one word", "異なる種類の文字"),
        ("e\u{316}\u{316}", "one twice", "重複した記号"),
    ] {
        let add = ["operator", "add", name, "--display-name", "Taro", "--modes", "view"];
        let (en, ja) = refused(&house, 7, &add);
        assert!(en.contains(english) && ja.contains(japanese), "{name:?}: {en} {ja}");
    }
    // T8: and of the one that end users see.
    let shown = "Hanako Sato";
    for (name, english, japanese) in [
        (shown, "End users would take", "見分けがつきません"),
        (&shown.to_uppercase(), "whom they see as", "部署名や番号"),
        (&organisation(&house), "the organisation itself", "組織名"),
    ] {
        let add = ["operator", "add", "taro", "--display-name", name, "--modes", "view"];
        let (en, ja) = refused(&house, 7, &add);
        assert!(en.contains(english) && ja.contains(japanese), "{name:?}: {en} {ja}");
        assert!(en.contains("--display-name"), "{en}");
    }
    // What a keyboard writes in two characters is the same name.
    self::shown(
        &house,
        &["operator", "add", "zoe\u{308}", "--display-name", "Zoe\u{308}", "--modes", "view"],
    );
    let list = house.administrate(&["operator", "list"]).expect("a list").to_string();
    assert!(list.contains("\"zo\u{eb}\"") && list.contains("\"Zo\u{eb}\""), "{list}");
    let (en, _) = refused(&house, 7, &["group", "add", " desk"]);
    assert!(en.contains("begins or ends with a space"), "{en}");
}

/// S65: of several names that is said which is not there, and what was probably meant.
#[test]
fn s65_group_and_operator_in_each_others_place_and_slips_are_told_as_such() {
    let house = House::set_up().expect("a house");
    shown(&house, &["group", "add", "desk"]);
    for (group, operator, english, japanese) in [
        ("hanako", "desk", "The group comes first", "グループ、オペレータの順"),
        ("desk", "hanoko", "no operator hanoko. Did you mean hanako?", "「hanako」のことですか"),
        ("dask", "hanako", "no group dask. Did you mean desk?", "「desk」のことですか"),
    ] {
        let (en, ja) = refused(&house, 7, &["group", "join", group, operator]);
        assert!(en.contains(english) && ja.contains(japanese), "{en} {ja}");
    }
    shown(&house, &["group", "join", "desk", "hanako"]);
    let (en, ja) = refused(&house, 7, &["policy", "show", "--version", "9"]);
    assert!(
        en.contains("no version 9 of the policy") && ja.contains("第 9 版はありません"),
        "{en} {ja}"
    );
}

/// S70: what `policy set` would refuse is told by `policy diff` too.
#[test]
fn s70_a_policy_that_replaces_another_than_that_in_force_is_told_by_diff() {
    let house = House::set_up().expect("a house");
    let file = house.folder().join("policy.toml");
    fs::write(&file, "replaces = 0\n[default]\nchat = true\n").expect("written");
    let name = file.display().to_string();
    assert!(!shown(&house, &["policy", "diff", &name]).contains("policy show"), "nothing to say");
    shown(&house, &["policy", "set", &name]);
    let told = shown(&house, &["policy", "diff", &name]);
    let (en, _) = refused(&house, 7, &["policy", "set", &name]);
    assert!(told.contains(en.trim_end()), "{told} {en}");
}

/// S64, S65: who is kept out is seen in the list, and until when.
#[test]
fn s64_the_list_of_operators_shows_who_is_disabled_and_who_is_suspended_until_when() {
    let house = House::set_up().expect("a house");
    let [_, password, _] = house.secrets();
    let state = |language| {
        let list = shown(&house, &["--lang", language, "operator", "list"]);
        list.lines().find(|line| line.contains("hanako")).expect("her row").to_owned()
    };
    assert!(state("en").contains("enabled") && state("ja").contains("有効"), "{}", state("ja"));
    assert!(!state("ja").contains("enabled") && state("ja").contains("閲覧"), "{}", state("ja"));
    for _ in 0..3 {
        assert!(!signs_in(&house, "not her password at all"));
    }
    let suspended = state("en");
    let until = suspended.split_once("suspended until ").expect("said").1;
    assert!(until.starts_with("20") && (until.contains("UTC") || until[19..].contains(':')), "{until}");
    assert!(state("ja").contains("停止中（20"), "{}", state("ja"));
    shown(&house, &["operator", "unlock", "hanako"]);
    assert!(signs_in(&house, password) && !state("en").contains("suspended"));
    shown(&house, &["operator", "disable", "hanako"]);
    assert!(state("en").contains("disabled") && state("ja").contains("無効"));
}
