//! What a certificate says of an operator is what an administrator said or looked at, whatever the server says (T8).

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use tasuki_tests::running::program;
use tasuki_tests::stack::House;

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
    let typed = house.folder().join("typed-by-yuki");
    fs::write(&typed, format!("{PASSWORD}\n{code}\n")).expect("written");
    let mut login = Command::new(program("tasuki").expect("the program"));
    login.args(["login", "--tenant"]).arg(house.bundle()).arg("--profile");
    login.arg(house.folder().join("yuki")).args(["--operator", "yuki", "--password-stdin"]);
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
