//! Administrators beside one another, and accounts that are not there.

use std::fs;

use serde_json::Value;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::rights::Mode;
use tasuki_tests::stack::House;

use crate::confirming::at_terminal;
use crate::walking::opened;
use crate::{administer, answered, started, text, words_of};

/// A second administrator in a profile of his own.
pub(crate) fn enrolled(house: &House, name: &str) {
    let invited = house.administrate(&["admin", "add", name]).expect("an invitation");
    let token = invited["token"].as_str().expect("a token");
    let bundle = house.bundle();
    let arguments = ["--json", "--bundle", text(&bundle), "enrol", "--name", name];
    let typed = format!("{token}\neight lemons under a tin roof\n");
    let enrolled = answered(house, name, &arguments, &typed);
    assert!(enrolled["key"].is_string(), "{enrolled}");
}

/// S42, S56: who read the policy before another came in between changes nothing and is told what to do; and
/// what a removed administrator published stays his in the history.
#[test]
fn s42_s56_two_administrators_policies_do_not_overtake_each_other_and_the_history_keeps_who_is_gone() {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    let file = house.folder().join("mine.toml");
    let show = || {
        let output = started(&house, "admin", &["policy", "show"], "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    fs::write(&file, "[default]\nchat = true\n").expect("written");
    let (code, said) = administer(&house, "admin", &["policy", "set", text(&file)], "");
    assert_eq!(code, Some(0), "{said}");
    // What he read; meanwhile a colleague publishes.
    let read = show();
    assert!(read.contains("replaces = 1"), "{read}");
    let theirs = house.folder().join("theirs.toml");
    fs::write(&theirs, "[default]\nchat = false\n").expect("written");
    let (code, said) = administer(&house, "taro", &["policy", "set", text(&theirs)], "");
    assert_eq!(code, Some(0), "{said}");
    fs::write(&file, &read).expect("written");
    for (language, words) in
        [("en", "published another policy meanwhile"), ("ja", "別のポリシーが公開された")]
    {
        let arguments = ["--lang", language, "policy", "set", text(&file)];
        let (code, said) = administer(&house, "admin", &arguments, "");
        assert_eq!((code, said.lines().count()), (Some(7), 1), "{said}");
        assert!(said.contains(words), "{said}");
    }
    assert!(show().contains("chat = false"), "nothing was changed");

    let history = || answered(&house, "admin", &["--json", "policy", "history"], "");
    let signer = |version: usize| history()["versions"][version]["signer_name"].clone();
    let by = [signer(0), signer(1)];
    assert!(by.contains(&"taro".into()) && by.contains(&"administrator".into()), "{by:?}");
    let (code, said) = administer(&house, "admin", &["admin", "remove", "taro", "--yes"], "");
    assert_eq!(code, Some(0), "{said}");
    for (language, words) in [("en", "removed administrator ("), ("ja", "削除された管理者（")]
    {
        let output = started(&house, "admin", &["--lang", language, "policy", "history"], "");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let of_his = said.lines().filter(|line| line.contains(words));
        assert_eq!(of_his.count(), 1, "{said}");
    }
    assert!(show().contains("chat = false"), "what he published holds on");
}

/// A name that is not there is said not to be there before anybody is asked whether he means it, and whoever
/// does not type the name removes nobody.
#[test]
fn an_account_that_is_not_there_is_removed_by_nobody() {
    let house = House::set_up().expect("a house");
    for noun in ["operator", "admin"] {
        for arguments in [&[noun, "remove", "nobody"] as &[&str], &[noun, "remove", "nobody", "--yes"]]
        {
            let (code, said) = administer(&house, "admin", arguments, "nobody\n");
            assert_eq!((code, said.lines().count()), (Some(7), 1), "{arguments:?}: {said}");
            assert!(said.contains("There is no "), "{arguments:?}: {said}");
        }
        let (code, said) = administer(&house, "admin", &["--lang", "ja", noun, "remove", "nobody"], "");
        let absent =
            if noun == "admin" { "その名前はありません" } else { "nobody はいません" };
        assert!(code == Some(7) && said.contains(absent), "{said}");
    }
    // Capitals count in names; nobody is another one by them.
    for name in ["Hanako", "HANAKO"] {
        let (code, said) = administer(&house, "admin", &["operator", "remove", name, "--yes"], "");
        assert!(code == Some(7) && said.contains("There is no "), "{said}");
    }
    let remove = ["operator", "remove", "hanako"];
    let (code, said) = at_terminal(&house, &remove, &["Hanako"]);
    assert!(code == Some(7) && said.contains("did not match"), "{code:?} {said}");
    assert!(house.sign_in().is_ok(), "she is there");
    let [passphrase, ..] = house.secrets();
    let (code, said) = at_terminal(&house, &remove, &["hanako", "not the passphrase"]);
    assert!(code == Some(9) && house.sign_in().is_ok(), "{code:?} {said}");
    let (code, said) = at_terminal(&house, &remove, &["hanako", passphrase]);
    assert_eq!(code, Some(0), "{said}");
    assert!(house.sign_in().is_err(), "and now she is not");
}

/// S42, S70: each right of a mode with what decided it, by name, in both languages; a mode that a rule takes
/// away is said to be taken away, and by which rule.
#[test]
fn s70_explain_prints_each_right_and_the_rule_that_decided_it() {
    let house = House::set_up().expect("a house");
    let file = house.folder().join("policy.toml");
    let rules = "[default]\nbase = \"full\"\nchat = true\n[group.desk]\nsend_files = \"never\"\n\
                 [operator.hanako]\nscreenshot = false\nmodes = [\"view\", \"control\"]\n";
    fs::write(&file, rules).expect("written");
    for arguments in [
        &["group", "add", "desk"] as &[&str],
        &["group", "join", "desk", "hanako"],
        &["policy", "set", text(&file)],
    ] {
        let (code, said) = administer(&house, "admin", arguments, "");
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
    let explain = ["policy", "explain", "hanako", "--mode", "control"];
    let json = answered(&house, "admin", &[&["--json"], &explain as &[&str]].concat(), "");
    assert_eq!(json["allowed"], true, "{json}");
    let rights = json["rights"].as_array().expect("rights");
    for language in ["en", "ja"] {
        let output =
            started(&house, "admin", &[&["--lang", language], &explain as &[&str]].concat(), "");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        for key in Key::ALL {
            let named = rights.iter().filter(|right| right["key"] == key.name()).count();
            let lines = shown.lines().filter(|line| line.split_whitespace().next() == Some(key.name()));
            let lines: Vec<&str> = lines.collect();
            assert!(named == 1 && lines.len() == 1, "{}: {shown}", key.name());
            let by = [(Key::SendFiles, "[group.\"desk\"]"), (Key::Screenshot, "[operator.\"hanako\"]")]
                .into_iter()
                .find_map(|(of, by)| (of == key).then_some(by));
            let Some(by) = by else { continue };
            assert!(lines[0].contains(by), "{}: {shown}", key.name());
        }
    }
    for (mode, code, words) in [("share", 0, "may not"), ("teleport", 2, "teleport")] {
        let arguments = ["policy", "explain", "hanako", "--mode", mode];
        let output = started(&house, "admin", &arguments, "");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.code() == Some(code) && said.contains(words), "{mode}: {said}");
    }
    let nobody = ["policy", "explain", "nobody", "--mode", "view"];
    let (code, said) = administer(&house, "admin", &nobody, "");
    assert!(code == Some(7) && said.contains("There is no "), "{said}");
}

/// S42, S70, T16: what a certificate takes away is taken away in the explanation, by its name, exactly where the server
/// takes it away; and who cannot come at all is allowed nothing.
#[test]
fn s42_s70_an_explanation_goes_as_far_as_the_certificate_of_the_computer_and_so_does_a_session() {
    let house = House::set_up().expect("a house");
    let list = house.administrate(&["device", "list", "hanako"]).expect("a list");
    let words = words_of(&house, "hanako");
    let less = ["--modes", "view", "--without", "screenshot"];
    let approve = [&["device", "approve", "hanako", "--renew", "--words", &words], &less[..]].concat();
    house.administrate(&approve).expect("certified for less");
    let explain = |mode: &str| {
        let explained = house.administrate(&["policy", "explain", "hanako", "--mode", mode]);
        explained.expect("an explanation")
    };
    let right = |explained: &Value, key: &str| {
        let rights = explained["rights"].as_array().expect("rights");
        let right = rights.iter().find(|right| right["key"] == key).expect("the right");
        (right["value"].clone(), right["by"]["kind"].clone())
    };
    let certificates = || Value::from("certificate");
    let control = explain("control");
    assert_eq!(control["allowed"], false, "{control}");
    assert_eq!(right(&control, "modes"), ("false".into(), certificates()));
    let view = explain("view");
    assert_eq!(view["allowed"], true, "{view}");
    assert_eq!(right(&view, "screenshot"), ("false".into(), certificates()));
    assert_eq!(view["device"], list["devices"][0]["device"]);
    for (mode, language, words, rows) in [
        ("control", "en", "the operator's certificate", 2),
        ("view", "en", "the operator's certificate", 1),
        ("view", "ja", "オペレータの証明書", 1),
    ] {
        let arguments = ["--lang", language, "policy", "explain", "hanako", "--mode", mode];
        let said = started(&house, "admin", &arguments, "").stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(said.lines().filter(|line| line.contains(words)).count(), rows, "{mode}: {said}");
    }
    assert!(opened(&house, Mode::Control).is_err());
    drop(opened(&house, Mode::View).expect("a number"));
}

/// S42: who can open nothing, whatever the policy says, is not said to be allowed anything.
#[test]
fn s42_an_explanation_allows_nothing_to_an_account_that_is_disabled_or_has_no_certified_computer() {
    let house = House::set_up().expect("a house");
    let explain = |mode: &str| {
        let explained = house.administrate(&["policy", "explain", "hanako", "--mode", mode]);
        explained.expect("an explanation")
    };
    assert_eq!(explain("view")["allowed"], true);
    house.administrate(&["operator", "disable", "hanako"]).expect("disabled");
    let disabled = explain("view");
    assert_eq!((&disabled["allowed"], &disabled["barred"]), (&false.into(), &"disabled".into()));
    assert!(opened(&house, Mode::View).is_err());
    house.administrate(&["operator", "enable", "hanako"]).expect("enabled");
    house
        .administrate(&[
            "operator",
            "add",
            "jiro",
            "--display-name",
            "Jiro",
            "--modes",
            "view",
            "--password-stdin",
        ])
        .expect("added");
    for (language, words) in [("en", "no device of his is certified"), ("ja", "承認済みの端末がない")]
    {
        let arguments = ["--lang", language, "policy", "explain", "jiro", "--mode", "view"];
        let said = started(&house, "admin", &arguments, "").stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains(words), "{said}");
    }
    let unknown = ["policy", "explain", "hanako", "--mode", "view", "--device", "zz"];
    let (code, said) = administer(&house, "admin", &unknown, "");
    assert!(code == Some(7) && said.contains("no such device"), "{said}");
}

/// S62: an authenticator is set up by a square code in the terminal, and is in use only once its digits came.
#[test]
fn s62_an_authenticator_is_shown_as_a_square_code_in_the_terminal() {
    let house = House::set_up().expect("a house");
    let [_, _, password] = house.secrets();
    let typed = format!("{password}\n");
    let (code, said) = administer(&house, "admin", &["login", "--authenticator"], &typed);
    assert!(code == Some(7) && said.contains("otpauth://totp/"), "{code:?} {said}");
    let rows =
        said.lines().filter(|line| line.contains('█') || line.contains('▀') || line.contains('▄'));
    assert!(rows.count() >= 15, "{said}");
    let japanese = ["--lang", "ja", "login", "--authenticator"];
    let (_, japanese) = administer(&house, "admin", &japanese, &typed);
    // Where no camera reads it, the same key is typed: each time another, as nobody has confirmed one.
    for (said, account, key) in [
        (&said, "account: administrator (", "key: "),
        (&japanese, "アカウント: administrator（", "キー: "),
    ] {
        let secret = said.split("secret=").nth(1).and_then(|rest| rest.split('&').next());
        let typed = said.lines().find_map(|line| line.trim().strip_prefix(key)).expect("a key");
        assert_eq!(Some(typed.replace(' ', "").as_str()), secret, "{said}");
        assert!(said.contains(account) && typed.split(' ').all(|group| group.len() <= 4), "{said}");
    }
    let (code, said) = administer(&house, "admin", &["login"], &typed);
    assert_eq!(code, Some(0), "nobody has confirmed it: {said}");
}
