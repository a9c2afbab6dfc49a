//! Administrators beside one another, and accounts that are not there.

use std::fs;

use tasuki_tests::stack::House;

use crate::{administer, answered, started, text};

/// A second administrator in a profile of his own.
fn enrolled(house: &House, name: &str) {
    let invited = house.administrate(&["admin", "add", name]).expect("an invitation");
    let token = invited["token"].as_str().expect("a token");
    let bundle = house.bundle();
    let arguments = ["--bundle", text(&bundle), "enrol", "--name", name];
    let typed = format!("{token}\neight lemons under a tin roof\n");
    let (code, said) = administer(house, name, &arguments, &typed);
    assert_eq!(code, Some(0), "{said}");
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
            assert!(said.contains("There is no such name"), "{arguments:?}: {said}");
        }
        let (code, said) = administer(&house, "admin", &["--lang", "ja", noun, "remove", "nobody"], "");
        assert!(code == Some(7) && said.contains("その名前はありません"), "{said}");
    }
    // Capitals count in names; nobody is another one by them.
    for name in ["Hanako", "HANAKO"] {
        let (code, said) = administer(&house, "admin", &["operator", "remove", name, "--yes"], "");
        assert!(code == Some(7) && said.contains("There is no such name"), "{said}");
    }
    let (code, said) = administer(&house, "admin", &["operator", "remove", "hanako"], "Hanako\n");
    assert!(code == Some(7) && said.contains("did not match"), "{code:?} {said}");
    assert!(house.sign_in().is_ok(), "she is there");
    let (code, said) = administer(&house, "admin", &["operator", "remove", "hanako"], "hanako\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(house.sign_in().is_err(), "and now she is not");
}
