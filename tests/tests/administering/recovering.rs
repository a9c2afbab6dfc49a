//! The organisation's keys brought back from what was printed, on a new computer or in an old profile.

use std::fs;
use std::process::Command;

use tasuki_protocol::bundle::Bundle;
use tasuki_tests::running::{Process, program};
use tasuki_tests::stack::House;

use crate::at_hand::shown_passphrase;
use crate::people::enrolled;
use crate::{administer, answered, started, text};

fn known(house: &House) -> Bundle {
    Bundle::open_first(&fs::read(house.bundle()).expect("read")).expect("a bundle")
}

/// As somebody begins at a computer that knows nothing of the server.
fn recover<'a>(server: &'a str, pin: &'a str, name: &'a str) -> [&'a str; 8] {
    ["--server", server, "init", "--fingerprint", pin, "--recover", "--name", name]
}

/// S49: any two of the three bring the root back. By another administrator's token the account of the lost
/// computer works on, and who comes back is told so and how to shut it out, which then does.
#[test]
fn s49_each_pair_of_shares_brings_the_root_back_and_the_lost_account_is_not_forgotten() {
    let house = House::set_up().expect("a house");
    let first = known(&house);
    let server = format!("https://127.0.0.1:{}", house.port());
    let pin = first.server_pins[0].to_string();
    let [one, two, three] = house.shares() else { panic!("{:?}", house.shares()) };
    for (name, pair) in [("ichiro", [one, two]), ("jiro", [one, three]), ("saburo", [three, two])] {
        let invited = house.administrate(&["admin", "add", name]).expect("an invitation");
        let token = invited["token"].as_str().expect("a token");
        let typed = format!("{token}\nseven lemons under a tin roof\n{}\n{}\n", pair[0], pair[1]);
        let output = started(&house, name, &recover(&server, &pin, name), &typed);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {complaint}");
        assert!(said.contains("The account of the lost computer still works"), "{said}");
        assert!(said.contains("tasuki-admin admin disable NAME"), "{said}");
        let newer = fs::read(house.folder().join(name).join("tenant.json")).expect("read");
        let newer = Bundle::open(&newer, &first.known()).expect("it goes on from the first");
        assert_eq!(newer.root, first.root, "{name}");
    }
    let (code, said) = administer(&house, "jiro", &["admin", "disable", "administrator"], "");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = administer(&house, "admin", &["operator", "list"], "");
    assert_eq!(code, Some(6), "the lost computer is shut out: {said}");
}

/// S49: new shares are numbered words to print, in both languages; any two of them are as good as any two of the
/// first, typed as they were printed, and one of each is worth nothing.
#[test]
fn s49_shares_that_are_printed_anew_bring_the_keys_back_and_mix_with_no_others() {
    let house = House::set_up().expect("a house");
    let first = known(&house);
    let server = format!("https://127.0.0.1:{}", house.port());
    let pin = first.server_pins[0].to_string();
    let [passphrase, ..] = house.secrets();
    let (code, said) = administer(&house, "admin", &["key", "shares"], "not the passphrase\n");
    assert!(code == Some(9) && said.lines().count() == 1, "{code:?} {said}");
    let mut printed = Vec::new();
    for (language, head) in [("en", "three places"), ("ja", "三か所")] {
        let arguments = ["--lang", language, "key", "shares"];
        let output = started(&house, "admin", &arguments, &format!("{passphrase}\n"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains(head), "{text}");
        let lines: Vec<&str> = text.lines().skip(1).collect();
        let shares: Vec<String> = lines.chunks(7).map(|share| share.join("\n")).collect();
        assert_eq!(shares.len(), 3, "{text}");
        for (share, place) in shares.iter().zip(1..) {
            assert!(share.starts_with(&format!("{place}:\n   1 ")), "{text}");
            assert!(share.lines().last().is_some_and(|line| line.contains("  24 ")), "{text}");
        }
        printed.push(shares);
    }
    let [new, newer] = printed.as_slice() else { panic!() };
    let come_back = |name: &str, pair: [&String; 2]| {
        let invited = house.administrate(&["admin", "add", name]).expect("an invitation");
        let token = invited["token"].as_str().expect("a token");
        let typed = format!("{token}\nseven lemons under a tin roof\n{}\n{}\n", pair[0], pair[1]);
        administer(&house, name, &recover(&server, &pin, name), &typed)
    };
    for (name, pair) in [("old", [&house.shares()[0], &new[1]]), ("new", [&new[0], &newer[1]])] {
        let (code, said) = come_back(name, pair);
        assert!(code == Some(9) && said.contains("do not belong together"), "{code:?} {said}");
    }
    let (code, said) = come_back("back", [&new[2], &new[0]]);
    assert_eq!(code, Some(0), "{said}");
    let back = fs::read(house.folder().join("back").join("tenant.json")).expect("read");
    assert_eq!(Bundle::open(&back, &first.known()).expect("it goes on").root, first.root);
}

/// S49: a slip in one word costs a person that share alone, and he reads where it is and which word was probably meant.
#[test]
fn s49_a_slip_in_a_share_is_told_by_its_place_and_the_share_is_asked_for_again() {
    let house = House::set_up().expect("a house");
    let [one, two, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let fifth = one.split_whitespace().nth(5).expect("a word");
    let slip =
        one.split(' ').map(|word| if word == fifth { format!("{word}q") } else { word.to_owned() });
    let slip = slip.collect::<Vec<_>>().join(" ");
    let recover = ["init", "--recover"];
    let mut command = Command::new(program("tasuki-admin").expect("the program"));
    command.arg("--profile").arg(house.folder().join("admin")).args(recover).env("LC_ALL", "C");
    let mut process = Process::start_at_terminal("tasuki-admin", &command).expect("it starts");
    for line in [&*slip, one, two] {
        process.say(line).expect("typed");
    }
    let passphrase = shown_passphrase(&process, "en");
    process.say(passphrase.rsplit(' ').next().expect("a word")).expect("typed");
    let ended = process.wait_end().expect("it ends");
    let said = process.log().tail(80);
    assert_eq!(ended.code(), Some(0), "{said}");
    assert!(said.contains(&format!("Word 5, \"{fifth}q\"")), "{said}");
    assert!(said.contains(&format!("Did you mean {fifth}?")), "{said}");
    // A script's word counts once.
    let arguments = [&["--lang", "ja"], &recover[..]].concat();
    let (code, said) = administer(&house, "admin", &arguments, &format!("{slip}\n{one}\n{two}\n"));
    let meant = format!("「{fifth}」のことですか");
    assert!(code == Some(9) && said.contains("5 番目の語") && said.contains(&meant), "{said}");
}

/// S49: of a script's share that is too short its number is said, and the line behind it is never taken for its end.
#[test]
fn s49_a_scripts_share_that_is_too_short_swallows_nothing_of_what_follows() {
    let house = House::set_up().expect("a house");
    let [one, two, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let short = |share: &str| share.rsplit_once(' ').expect("words").0.to_owned();
    let (one, two) = (one.as_str(), two.as_str());
    // As printed, one line a word, without the last.
    let printed = short(one).replace(' ', "\n");
    let typed =
        |lines: [&str; 2]| format!("{}\n{}\nnine lemons under a tin roof\n", lines[0], lines[1]);
    for (lines, english, japanese) in [
        ([short(one).as_str(), two], "share 1 of 2: These are 23 words", "復元シート 1 / 2: 23 語"),
        ([one, short(two).as_str()], "share 2 of 2: These are 23 words", "復元シート 2 / 2: 23 語"),
        ([printed.as_str(), two], "share 1 of 2: These are 23 words", "復元シート 1 / 2: 23 語"),
    ] {
        for (language, words) in [("en", english), ("ja", japanese)] {
            let recover = ["--lang", language, "init", "--recover"];
            let (code, said) = administer(&house, "admin", &recover, &typed(lines));
            assert!(code == Some(9) && said.contains(words) && !said.contains("lemons"), "{said}");
        }
    }
    let (code, said) = administer(&house, "admin", &["init", "--recover"], &format!("{one}\n{two}\n"));
    assert_eq!(code, Some(0), "nothing was changed before: {said}");
}

/// On a new computer, with the shares that were printed: two that are not a pair give nothing,
/// any two give back the root that signs the bundle after the one before, under a new passphrase.
#[test]
fn two_of_three_shares_bring_the_organisations_root_back_on_a_new_computer() {
    let house = House::set_up().expect("a house");
    let invited = house.administrate(&["admin", "add", "taro"]).expect("an invitation");
    let token = invited["token"].as_str().expect("a token");
    let bundle = Bundle::open_first(&fs::read(house.bundle()).expect("read")).expect("a bundle");
    let [first, second, third] = house.shares() else { panic!("{:?}", house.shares()) };
    let server = format!("https://127.0.0.1:{}", house.port());
    let pin = bundle.server_pins[0].to_string();
    let recover = ["--json", "--server", &server, "init", "--fingerprint", &pin, "--recover"];
    let recover = [&recover as &[&str], &["--name", "taro"]].concat();
    let begin = format!("{token}\nseven lemons under a tin roof\n{second}\n{second}\n");
    let (code, said) = administer(&house, "new", &recover, &begin);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(code != Some(0) && !house.folder().join("new").join("vault.json").exists(), "{said}");
    let password = "seven lemons under a tin roof";
    let own = [&recover as &[&str], &["--own-passphrase"]].concat();
    let typed = format!("{token}\n{password}\n{third}\n{first}\n");
    let (code, said) = administer(&house, "new", &own, &format!("{typed}password\n"));
    assert!(code == Some(7) && said.contains("too easy to guess"), "{code:?} {said}");

    // Nothing of that has used the token up.
    let made = answered(&house, "new", &recover, &typed);
    let passphrase = made["passphrase"].as_str().expect("a passphrase");
    assert_ne!(passphrase, house.secrets()[0]);
    let newer = fs::read(house.folder().join("new").join("tenant.json")).expect("read");
    let newer = Bundle::open(&newer, &bundle.known()).expect("it goes on from the one before");
    assert!(newer.root == bundle.root && newer.version > bundle.version, "{newer:?}");
}

/// S56, T57: the only administrator's computer is gone. The server's machine gives a token, two shares
/// give the root; the old key opens nothing any more, and the new passphrase opens the ledger of before.
#[test]
fn a_sole_administrator_whose_computer_is_lost_comes_back_with_the_servers_token_and_two_shares() {
    let mut house = House::set_up().expect("a house");
    let made = house.recovery_token().expect("a token");
    let token = made["token"].as_str().expect("a token");
    let bundle = Bundle::open_first(&fs::read(house.bundle()).expect("read")).expect("a bundle");
    let [first, second, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let server = format!("https://127.0.0.1:{}", house.port());
    let pin = bundle.server_pins[0].to_string();
    let recover = ["--json", "--server", &server, "init", "--fingerprint", &pin, "--recover"];
    let password = "eight lemons under a tin roof";

    let alone = format!("{token}\n{password}\n{first}\n{first}\n");
    let (code, said) = administer(&house, "thief", &recover, &alone);
    assert!(code == Some(9) && said.contains("the same share as before"), "{code:?} {said}");
    let tenant = text(&house.bundle()).to_owned();
    let enrol = ["--bundle", &tenant, "enrol", "--name", "thief"];
    let (code, said) = administer(&house, "enrolled", &enrol, &format!("{token}\n{password}\n"));
    assert!(code == Some(6), "{code:?} {said}");
    let weak = [&recover as &[&str], &["--own-passphrase"]].concat();
    let typed = format!("{token}\n{password}\n{second}\n{first}\nlemons lemons lemons\n");
    let (code, said) = administer(&house, "back", &weak, &typed);
    assert!(code == Some(7) && said.contains("too easy to guess"), "{code:?} {said}");
    assert!(house.administrate(&["operator", "list"]).is_ok(), "nothing has changed yet");

    let typed = format!("{token}\n{password}\n{second}\n{first}\n");
    let back = answered(&house, "back", &recover, &typed);
    assert!(back["passphrase"].is_string(), "{back}");
    let (code, said) = administer(&house, "admin", &["operator", "list"], "");
    assert!(code == Some(6) && said.lines().count() == 1, "{code:?} {said}");
    let (code, said) = administer(&house, "again", &recover, &typed);
    let again = said.contains("tasuki-server recovery-token");
    assert!(code == Some(6) && again, "a token works once: {code:?} {said}");

    let passphrase = comes_back_in_the_old_profile(&house, password);
    let actions = ["operator_added", "recovery_token_made", "admin_recovered", "bundle_published"];
    let ledger = ["--json", "audit", "list", "--last", "0"];
    house.reopen_server().expect("what has happened is signed");
    let list = answered(&house, "admin", &ledger, &format!("{passphrase}\n"));
    let records = list["records"].as_array().expect("records");
    let acts: Vec<&str> = records.iter().filter_map(|r| r["event"]["action"].as_str()).collect();
    assert!(actions.iter().all(|action| acts.contains(action)), "{acts:?}");
    let before = records.iter().any(|record| record["event"]["type"] == "logged_in");
    assert!(before, "the ledger of before opens, too: {records:?}");
}

/// On the computer that was shut out: it asks for a token like any other, and a wrong one costs nothing.
/// Gives the new passphrase.
fn comes_back_in_the_old_profile(house: &House, password: &str) -> String {
    let [first, second, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let key = || fs::read(house.folder().join("admin").join("admin.key")).expect("a key");
    let (before, recover) = (key(), ["--json", "init", "--recover"]);
    let wrong = format!("recovery-nothing\n{password}\n{second}\n{first}\n");
    let (code, said) = administer(house, "admin", &recover, &wrong);
    assert!(code == Some(6) && said.lines().count() == 1, "{code:?} {said}");
    assert_eq!(key(), before, "what the server refused changed nothing");
    let next = fs::read(house.folder().join("admin").join("admin.next.key")).expect("a key");
    let made = house.recovery_token().expect("a token");
    let token = made["token"].as_str().expect("a token");
    let typed = format!("{token}\n{password}\n{second}\n{first}\n");
    let back = answered(house, "admin", &recover, &typed);
    assert_ne!(key(), before, "a key that was shut out may be in other hands");
    assert_eq!(key(), next, "and what the server was given once is not made anew");
    let (code, said) = administer(house, "admin", &["operator", "list"], "");
    assert_eq!(code, Some(0), "{said}");
    back["passphrase"].as_str().expect("a passphrase").to_owned()
}

/// T69: that a key was refused is the server's word alone: where it was taken all the same, no further token is
/// needed.
#[test]
fn t69_an_administrators_key_that_the_server_took_and_called_refused_opens_his_door() {
    let house = House::set_up().expect("a house");
    let folder = house.folder().join("admin");
    let [one, two, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let taken = fs::read(folder.join("admin.key")).expect("a key");
    fs::copy(folder.join("admin.key"), folder.join("admin.next.key"))
        .expect("written, and its owner's alone");
    fs::write(folder.join("admin.key"), "0".repeat(64)).expect("written");
    let (code, said) = administer(&house, "admin", &["operator", "list"], "");
    assert_eq!(code, Some(6), "the key of before is nobody's: {said}");
    let (code, said) = administer(&house, "admin", &["init", "--recover"], &format!("{one}\n{two}\n"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read(folder.join("admin.key")).expect("a key"), taken);
    let (code, said) = administer(&house, "admin", &["operator", "list"], "");
    assert_eq!(code, Some(0), "{said}");
}

/// S49, S72: after the server's key was changed, whoever has lost his computer reads its fingerprint where he gets the token,
/// or needs none, with the organisation's file; that of before, and a file of before, are told apart from the right ones.
#[test]
fn s49_s72_a_lost_computer_comes_back_after_the_servers_key_was_changed() {
    let house = House::set_up().expect("a house");
    house.sign_in_administrator().expect("signed in");
    enrolled(&house, "slept");
    house.administrate(&["admin", "disable", "slept"]).expect("he leaves");
    house.administrate(&["admin", "remove", "slept", "--yes"]).expect("and comes back later");
    let old = known(&house).server_pins[0].to_string();
    let before = house.folder().join("before.json");
    fs::copy(house.bundle(), &before).expect("kept");
    house.administrate(&["key", "rotate", "server", "--yes"]).expect("its first step");
    let passphrase = house.secrets()[0];
    let finish = ["key", "rotate", "server", "--finish", "--yes"];
    let output = started(&house, "admin", &finish, &format!("{passphrase}\n"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let new = known(&house).server_pins[0].to_string();
    assert!(new != old && said.contains(&new), "{said}");

    let made = house.recovery_token().expect("a token");
    assert_eq!(made["fingerprint"], new.as_str(), "{made}");
    let data = house.folder().join("server");
    for (verb, told) in [("recovery-token", "init --recover"), ("doctor", "public key")] {
        let mut command = Command::new(program("tasuki-server").expect("the program"));
        command.args(["--lang", "en", verb, "--data"]).arg(&data);
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(told) && said.contains(&new) && !said.contains(&old), "{verb}: {said}");
    }

    let server = format!("https://127.0.0.1:{}", house.port());
    let [one, two, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let typed = || {
        let made = house.recovery_token().expect("a token");
        let token = made["token"].as_str().expect("a token").to_owned();
        format!("{token}\nseven lemons under a tin roof\n{one}\n{two}\n")
    };
    let (code, said) = administer(&house, "new", &recover(&server, &old, "first"), &typed());
    assert!(code == Some(5) && said.contains("tasuki-server recovery-token"), "{said}");
    let with = |file: &str| ["--bundle".to_owned(), file.to_owned()];
    let come_back = |file: &str, profile: &str| {
        let (bundle, name) = (with(file), format!("{profile}-again"));
        let arguments = [&bundle[0], &bundle[1], "--json", "init", "--recover", "--name", &name];
        administer(&house, profile, &arguments, &typed())
    };
    let (code, said) = come_back(text(&before), "old");
    assert!(code == Some(5), "a file of before names another key: {code:?} {said}");
    // At a computer that was there before the key was another one, too.
    let file = house.bundle();
    for name in ["second", "slept"] {
        let (code, said) = come_back(text(&file), name);
        assert_eq!(code, Some(0), "{name}: {said}");
    }
    let (code, said) = administer(&house, "third", &recover(&server, &new, "third"), &typed());
    assert_eq!(code, Some(0), "{said}");
}
