//! What a certificate says of an operator is what an administrator said or looked at, whatever the server says (T8).

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use tasuki_tests::running::{Mark, Process, program};
use tasuki_tests::stack::House;

use crate::confirming::at_terminal;
use crate::people::enrolled;
use crate::{administer, answered};

const PASSWORD: &str = "correct horse battery staple";
const FULL: &str = "manage,control,view,share,show";

/// An account added in a profile; gives the code for its first device.
fn added(house: &House, profile: &str, (name, modes): (&str, &str)) -> String {
    let add = ["--json", "operator", "add", "yuki", "--display-name", name, "--modes", modes];
    let add = [&add[..], &["--password-stdin"]].concat();
    let made = answered(house, profile, &add, &format!("{PASSWORD}\n"));
    made["enrolment"].as_str().expect("a code").to_owned()
}

/// The operator's computer asks; gives the words that it shows.
fn waiting(house: &House, code: &str) -> String {
    waiting_at(house, code, "yuki")
}

fn waiting_at(house: &House, code: &str, profile: &str) -> String {
    let typed = house.folder().join("typed-by-yuki");
    fs::write(&typed, format!("{PASSWORD}\n{code}\n")).expect("written");
    let mut login = Command::new(program("tasuki").expect("the program"));
    login.args(["login", "--tenant"]).arg(house.bundle()).arg("--profile");
    login.arg(house.folder().join(profile)).args(["--operator", "yuki", "--password-stdin"]);
    login
        .args(["--enrolment-stdin", "--json"])
        .stdin(Stdio::from(fs::File::open(typed).expect("lines")));
    let asked = login.output().expect("it runs");
    let asked = String::from_utf8_lossy(&asked.stdout).into_owned();
    let pending = asked.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut words = pending.filter(|event| event["event"] == "device_pending");
    words.next().and_then(|event| event["words"].as_str().map(str::to_owned)).expect("words")
}

/// How yuki's device stands at the server.
fn state(house: &House) -> Value {
    let list = house.administrate(&["device", "list", "yuki"]).expect("a list");
    list["devices"][0]["state"].clone()
}

/// T8: the server tells another name and more modes than were said on this computer when the account was added (a
/// colleague has put another in its place, which looks the same from here): nothing is signed, and both are named.
#[test]
fn t8_a_device_is_certified_under_no_name_and_for_no_mode_that_the_server_alone_says() {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    added(&house, "admin", ("Yuki Mori", "view"));
    house.administrate(&["operator", "remove", "yuki", "--yes"]).expect("gone");
    let code = added(&house, "taro", ("Bank of Japan Security", FULL));
    let words = waiting(&house, &code);
    let approve = |more: &[&str], typed: &str| {
        let approve = ["device", "approve", "yuki", "--words", &words];
        administer(&house, "admin", &[&approve[..], more].concat(), typed)
    };
    let passphrase = house.secrets()[0];
    let (code, said) = approve(&[], &format!("{passphrase}\n"));
    assert_eq!((code, said.lines().count()), (Some(7), 1), "{said}");
    assert!(said.contains("Bank of Japan Security") && said.contains("Yuki Mori"), "{said}");
    let (code, said) = approve(&["--lang", "ja"], "");
    assert!(code == Some(7) && said.contains("ここでは「Yuki Mori」でした"), "{said}");
    assert_eq!(state(&house), "pending");

    // The right name, and all modes of the server's.
    let name = ["--display-name", "Bank of Japan Security"];
    let (code, said) = approve(&name, &format!("{passphrase}\n"));
    assert!(code == Some(7) && said.contains("manage") && said.contains("\"view\""), "{said}");
    assert_eq!(state(&house), "pending");

    // A computer to which nobody has said anything shows it to a person, who says no.
    fs::remove_file(house.folder().join("admin").join("operators.json")).expect("kept there");
    for typed in [format!("no\n{passphrase}\n"), String::new()] {
        let (code, said) = approve(&[], &typed);
        assert!(code == Some(7) && said.contains(FULL), "{said}");
        assert!(said.contains("Bank of Japan Security"), "{said}");
        assert_eq!(state(&house), "pending");
    }
    // A script shows it to nobody.
    for said_half in [&[] as &[&str], &name, &["--modes", "view"]] {
        let (code, said) = approve(&[said_half, &["--json"]].concat(), &format!("{passphrase}\n"));
        assert!(code == Some(7) && said.contains("--display-name and --modes"), "{said}");
        assert_eq!(state(&house), "pending");
    }
    let all = [&name[..], &["--modes", "view", "--json"]].concat();
    let approve = ["device", "approve", "yuki", "--words", &words];
    let approve = [&approve[..], &all].concat();
    let made = answered(&house, "admin", &approve, &format!("{passphrase}\n"));
    assert_eq!(
        (&made["display_name"], &made["modes"]),
        (&name[1].into(), &serde_json::json!(["view"]))
    );
    assert_eq!(state(&house), "approved");

    // Who has looked at it once is not asked for the next certificate, which goes no further than the one before.
    let renew = ["device", "approve", "yuki", "--renew", "--words", &words];
    let (code, said) = administer(&house, "admin", &renew, &format!("{}\n{passphrase}\n", name[1]));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = administer(&house, "admin", &renew, &format!("{passphrase}\n"));
    assert!(code == Some(0) && said.contains("view") && !said.contains("manage"), "{said}");
}

/// What the newest certificate in the program's answer withholds and allows.
fn certified(house: &House, words: &str, more: &[&str]) -> (Value, Value) {
    let approve = ["device", "approve", "yuki", "--words", words, "--json"];
    let passphrase = house.secrets()[0];
    let made = answered(house, "admin", &[&approve[..], more].concat(), &format!("{passphrase}\n"));
    (made["without"].clone(), made["modes"].clone())
}

/// S37, T16: what one certificate withholds the next one withholds too, and the text that is looked at names it: a
/// server that has a device approved again gets no right by it.
#[test]
fn s37_t16_a_renewed_certificate_goes_no_further_than_the_one_before_unless_that_is_said() {
    let house = House::set_up().expect("a house");
    let code = added(&house, "admin", ("Yuki Mori", "control,view"));
    let words = waiting(&house, &code);
    let withheld = serde_json::json!(["fetch_files", "send_files"]);
    let (view, both) = (serde_json::json!(["view"]), serde_json::json!(["control", "view"]));
    let none = serde_json::json!([]);
    let narrow = ["--without", "fetch_files,send_files", "--modes", "view"];
    assert_eq!(certified(&house, &words, &narrow), (withheld.clone(), view.clone()));

    let approve = ["device", "approve", "yuki", "--renew", "--words", &words];
    let passphrase = format!("{}\n", house.secrets()[0]);
    let (code, said) = administer(&house, "admin", &approve, &passphrase);
    assert!(code == Some(0) && said.contains("fetch_files,send_files"), "{said}");
    assert!(!said.contains("control"), "{said}");
    assert_eq!(certified(&house, &words, &["--renew"]), (withheld.clone(), view.clone()));

    // Another name is no word of modes.
    house
        .administrate(&["operator", "change", "yuki", "--display-name", "Yuki Mori-Sato"])
        .expect("another name");
    assert_eq!(certified(&house, &words, &["--renew"]), (withheld.clone(), view.clone()));

    // Nor are the account's modes the device's.
    let change = ["--json", "operator", "change", "yuki", "--modes", "control,view,show"];
    let changed = answered(&house, "admin", &change, "");
    assert_eq!((&changed["devices_to_renew"], &changed["devices_held_back"]), (&0.into(), &1.into()));
    assert_eq!(certified(&house, &words, &["--renew"]), (withheld.clone(), view));

    // Modes said again go further, and give no right back.
    let wider = ["--renew", "--modes", "control,view"];
    assert_eq!(certified(&house, &words, &wider), (withheld, both.clone()));
    assert_eq!(certified(&house, &words, &["--renew", "--without", "none"]), (none, both));
    let (code, said) =
        administer(&house, "admin", &[&approve[..], &["--lang", "ja"]].concat(), &passphrase);
    let row = said.lines().find(|line| line.contains("与えない権限")).expect("a row");
    assert!(code == Some(0) && row.ends_with("なし"), "{said}");
}

/// S37, T16: what was said for one device is said of that one alone, and of none where the server refused it; and another
/// administrator's computer goes by the certificate that the device has.
#[test]
fn s37_t16_what_is_withheld_from_one_device_stays_withheld_from_it_whatever_is_said_of_another() {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    let code = added(&house, "admin", ("Yuki Mori", "control,view"));
    let laptop = waiting(&house, &code);
    let withheld = serde_json::json!(["fetch_files", "send_files"]);
    let (none, both) = (serde_json::json!([]), serde_json::json!(["control", "view"]));
    let narrow = ["--without", "fetch_files,send_files"];
    assert_eq!(certified(&house, &laptop, &narrow), (withheld.clone(), both.clone()));
    let code = answered(&house, "admin", &["--json", "operator", "code", "yuki"], "");
    let desk = waiting_at(&house, code["enrolment"].as_str().expect("a code"), "yuki-at-a-desk");
    assert_eq!(
        certified(&house, &desk, &[]).0,
        withheld,
        "the first of a device is as the newest of the operator"
    );
    assert_eq!(certified(&house, &desk, &["--renew", "--without", "none"]).0, none);
    assert_eq!(certified(&house, &laptop, &["--renew"]).0, withheld, "the other one's was not meant");

    // A colleague gives him another name while the passphrase is typed: the server refuses the certificate.
    let rename = |name: &str| {
        let change = ["operator", "change", "yuki", "--display-name", name];
        let (code, said) = administer(&house, "taro", &change, "");
        assert_eq!(code, Some(0), "{said}");
    };
    let mut command = Command::new(program("tasuki-admin").expect("the program"));
    command.arg("--profile").arg(house.folder().join("admin")).env("LC_ALL", "C");
    command.args(["device", "approve", "yuki", "--renew", "--without", "none", "--words", &laptop]);
    let mut process = Process::start_at_terminal("tasuki-admin", &command).expect("it starts");
    process.wait_for(Mark::default(), "days").expect("it has asked the server all that it will");
    rename("Yuki Sato");
    process.say(house.secrets()[0]).expect("typed");
    assert_eq!(process.wait_end().expect("it ends").code(), Some(7));
    rename("Yuki Mori");
    assert_eq!(certified(&house, &laptop, &["--renew"]).0, withheld, "nothing of it has come about");

    // Where nothing was kept the certificate itself says how far it goes.
    fs::copy(house.folder().join("admin/vault.json"), house.folder().join("taro/vault.json"))
        .expect("his, too");
    let named = ["--display-name", "Yuki Mori", "--modes"];
    let taros = |modes: &str| {
        let approve = ["--json", "device", "approve", "yuki", "--renew", "--words", &laptop];
        let typed = format!("{}\n", house.secrets()[0]);
        answered(&house, "taro", &[&approve[..], &named[..], &[modes]].concat(), &typed)
    };
    let made = taros("view");
    assert_eq!((&made["without"], &made["modes"]), (&withheld, &serde_json::json!(["view"])));
    stays_at_view(&house, (&laptop, &desk));

    // And here it is narrower than what was signed here: nobody goes further without a word.
    let renew = ["device", "approve", "yuki", "--renew", "--words", &laptop];
    let passphrase = format!("{}\n", house.secrets()[0]);
    let (code, said) = administer(&house, "admin", &[&["--json"], &renew[..]].concat(), &passphrase);
    assert!(code == Some(7) && said.contains("--display-name and --modes"), "{said}");
    for (language, words) in
        [("en", "goes further than the device's certificate"), ("ja", "より広くなります")]
    {
        let asked = [&["--lang", language], &renew[..]].concat();
        let (code, said) = at_terminal(&house, &asked, &["no"]);
        assert!(code == Some(7) && said.contains(words) && said.contains("view"), "{said}");
    }
    let (code, said) = administer(&house, "admin", &renew, &format!("Yuki Mori\n{passphrase}"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(certified(&house, &laptop, &["--renew"]), (withheld, both));
}

/// At a computer that has signed for the laptop, and knows of the account what the server says: a look at that, for the
/// desk's device, is no word of the laptop.
fn stays_at_view(house: &House, (laptop, desk): (&str, &str)) {
    let at_desk = ["device", "approve", "yuki", "--renew", "--words", desk];
    let typed = format!("Yuki Mori\n{}\n", house.secrets()[0]);
    let (code, said) = administer(house, "taro", &at_desk, &typed);
    assert_eq!(code, Some(0), "{said}");
    let again = ["--json", "device", "approve", "yuki", "--renew", "--words", laptop];
    let typed = format!("{}\n", house.secrets()[0]);
    assert_eq!(answered(house, "taro", &again, &typed)["modes"], serde_json::json!(["view"]));
}

/// S100, T17: what cannot be done here is said before anybody is asked for what he would have to look up first.
#[test]
fn s100_t17_a_computer_without_the_organisations_keys_says_so_before_it_asks_anything() {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    for act in [
        &["device", "revoke", "hanako"] as &[&str],
        &["operator", "remove", "hanako"],
        &["device", "approve", "hanako", "--renew"],
        &["key", "rotate", "root"],
        &["key", "rotate", "lock", "--drop-old"],
        &["key", "renew"],
    ] {
        let (code, said) = administer(&house, "taro", act, "hanako\n0\n");
        assert!(code == Some(3) && said.contains("vault.json"), "{act:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{act:?}: {said}");
    }
    let finish = ["key", "rotate", "server", "--finish"];
    for (language, words) in [("en", "--finish"), ("ja", "--finish")] {
        let finish = [&["--lang", language], &finish[..]].concat();
        let (code, said) = administer(&house, "admin", &finish, "");
        assert!(code == Some(7) && said.contains(words) && !said.contains("--yes"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
