//! What is mended of accounts by the administrator's program, and what the operator's tells who comes at another hour.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tasuki_protocol::rights::Mode;
use tasuki_tests::running::{Mark, Process};
use tasuki_tests::stack::House;

use crate::people::enrolled;
use crate::walking::{done, login, opened, signs_in};
use crate::{administer, answered, started, words_of};

const NEW: &str = "a quiet morning in the harbour";

/// S64, S65: the commonest call at a help desk.
#[test]
fn s65_a_forgotten_password_is_reset_and_shown_once_and_the_old_one_opens_nothing() {
    let house = House::set_up().expect("a house");
    let [_, password, _] = house.secrets();
    for _ in 0..3 {
        assert!(!signs_in(&house, "forgotten, alas"));
    }
    let (code, said) = administer(&house, "admin", &["operator", "password", "hanako"], "");
    assert!(code == Some(7) && said.contains("--yes"), "nobody was there to mean it: {said}");
    let reset = done(&house, &["operator", "password", "hanako", "--yes"]);
    let new = reset["password"].as_str().expect("a password").to_owned();
    assert!(new.len() >= 20 && !signs_in(&house, password), "{reset}");
    assert!(signs_in(&house, &new), "and the suspension is over");
    let given = ["operator", "password", "hanako", "--password-stdin"];
    let (code, said) = administer(&house, "admin", &given, &format!("{NEW}\n"));
    assert_eq!(code, Some(0), "{said}");
    assert!(signs_in(&house, NEW) && !signs_in(&house, &new));
    let (code, said) = administer(&house, "admin", &["operator", "password", "hanoko", "--yes"], "");
    assert!(code == Some(7) && said.contains("Did you mean hanako?"), "{said}");
}

/// S66, T8: name and modes are changed, and a new certificate has them without a question, on this computer.
#[test]
fn s66_t8_a_name_and_modes_are_changed_and_certified_by_renewing_the_device() {
    let house = House::set_up().expect("a house");
    let [passphrase, password, _] = house.secrets();
    let change = ["operator", "change", "hanako", "--display-name", "Hanako Suzuki"];
    let changed = done(&house, &[&change[..], &["--modes", "view, control"]].concat());
    assert_eq!(
        (&changed["devices_to_renew"], &changed["modes"]),
        (&1.into(), &serde_json::json!(["view", "control"]))
    );
    assert!(signs_in(&house, password), "the device goes on");
    let renew = ["device", "approve", "hanako", "--renew", "--words", &words_of(&house, "hanako")];
    let renewed =
        answered(&house, "admin", &[&["--json"], &renew[..]].concat(), &format!("{passphrase}\n"));
    assert_eq!(renewed["display_name"], "Hanako Suzuki", "{renewed}");
    let running = opened(&house, Mode::Control).expect("a number");
    let narrowed = done(&house, &["operator", "change", "hanako", "--modes", "view"]);
    assert_eq!(
        (&narrowed["devices_to_renew"], &narrowed["ended"]),
        (&0.into(), &1.into()),
        "that holds at once, and ends what is wider"
    );
    drop(running);
    told_as_it_is(&house);
    let organisation = ["operator", "change", "hanako", "--display-name", "\u{202e}x"];
    let (code, said) = administer(&house, "admin", &organisation, "");
    assert!(code == Some(7) && said.contains("U+202E"), "{said}");
}

/// What `operator change` says is what it did: the certificate has view and control, and the account view.
fn told_as_it_is(house: &House) {
    let said = |arguments: &[&str]| {
        let output =
            started(house, "admin", &[&["operator", "change", "hanako"], arguments].concat(), "");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for (arguments, expected, others) in [
        (
            &["--modes", "view,control"] as &[&str],
            "may be used at once",
            ["need a new certificate", "Fewer modes"],
        ),
        (&["--modes", "view"], "Fewer modes hold at once", ["need a new certificate", "may be used"]),
        (&["--modes", "view,show"], "1 need a new certificate", ["Fewer modes", "may be used"]),
        (&["--modes", "view"], "have ended meanwhile: 0", ["need a new certificate", "may be used"]),
        (
            &["--modes", "view,control", "--lang", "ja"],
            "すぐに使えます",
            ["更新が必要です", "外したモード"],
        ),
        (&[], "modes view,control", ["Fewer modes", "need a new certificate"]),
    ] {
        let told = said(arguments);
        assert!(told.contains(expected), "{arguments:?}: {told}");
        assert!(others.iter().all(|other| !told.contains(other)), "{arguments:?}: {told}");
    }
}

/// T8, S66: the six words are the operator's to read out, and the list of devices has them nowhere; it says what each
/// certificate does, and which is to be made anew.
#[test]
fn t8_s66_the_list_of_devices_tells_of_each_certificate_and_keeps_the_six_words_back() {
    let house = House::set_up().expect("a house");
    let words = words_of(&house, "hanako");
    let list = |language: &str| {
        let output = started(&house, "admin", &["--lang", language, "device", "list"], "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let row =
        |list: &str| list.lines().find(|line| line.starts_with("hanako")).expect("a row").to_owned();
    let before = list("en");
    assert!(
        row(&before).contains("Hanako Sato") && row(&before).contains("manage,control"),
        "{before}"
    );
    assert!(row(&before).contains(" 90 ") && !before.contains("renewal due"), "{before}");
    let json = house.administrate(&["device", "list"]).expect("a list").to_string();
    let first = words.split(' ').next().expect("a word");
    for shown in [&before, &list("ja"), &json] {
        assert!(!shown.contains(&words) && !shown.contains(&format!("\"{first} ")), "{shown}");
    }
    done(&house, &["operator", "change", "hanako", "--display-name", "Hanako Suzuki"]);
    assert!(
        row(&list("en")).contains("renewal due: shown name is now Hanako Suzuki"),
        "{}",
        list("en")
    );
    assert!(row(&list("ja")).contains("要更新: 現在の表示名は Hanako Suzuki"), "{}", list("ja"));
}

/// S63, S70: hours as in a policy, by its clocks where none are named; and an explanation does not contradict itself.
#[test]
fn s63_s70_hours_of_an_account_are_written_as_in_a_policy_and_explained_as_they_hold() {
    let house = House::set_up().expect("a house");
    let file = house.folder().join("policy.toml");
    fs::write(&file, "time_zone = \"Asia/Tokyo\"\n[default]\nchat = true\n").expect("written");
    let limit = |hours: &str| {
        let limited = done(&house, &["operator", "limit", "hanako", "--hours", hours]);
        limited["limits"]["hours"].clone()
    };
    assert_eq!(limit("daily 22:00-06:00")["zone"], "UTC");
    done(&house, &["policy", "set", &file.display().to_string()]);
    let night = limit("daily 22:00-06:00");
    assert_eq!((&night["zone"], &night["until"]), (&"Asia/Tokyo".into(), &360.into()), "{night}");
    assert_eq!(limit("sat,sun 10:00-12:00 Europe/Berlin")["zone"], "Europe/Berlin");
    let running = opened_in_all_hours(&house);
    let output = started(
        &house,
        "admin",
        &["operator", "limit", "hanako", "--hours", &format!("{} 09:00-18:00", another_day())],
        "",
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("have ended meanwhile: 1"), "{said}");
    drop(running);
    let explained = done(&house, &["policy", "explain", "hanako", "--mode", "view"]);
    let rights = explained["rights"].as_array().expect("rights");
    let row = |key: &str| rights.iter().find(|right| right["key"] == key).expect("a row").clone();
    assert_eq!(explained["allowed"], false, "{explained}");
    assert_eq!(
        (&row("hours")["value"], &row("hours")["by"]["kind"]),
        (&"false".into(), &"account".into())
    );
    assert_eq!(
        (&row("chat")["available"], &row("fetch_files")["available"]),
        (&true.into(), &false.into())
    );
    done(&house, &["device", "revoke", "hanako", "--yes"]);
    for (language, head, cell) in [
        ("en", "hours of his account do not allow it now", "the account's hours"),
        ("ja", "今はアカウントの利用時間外です", "アカウントの利用時間 "),
    ] {
        let explain = ["--lang", language, "policy", "explain", "hanako", "--mode", "control"];
        let output = started(&house, "admin", &explain, "");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let row = said.lines().find(|line| line.starts_with("hours")).expect("a row");
        assert!(said.contains(head) && row.contains("false") && row.contains(cell), "{said}");
        let files = said.lines().find(|line| line.starts_with("send_files")).expect("a row");
        let mark = if language == "en" { "no program of this version" } else { "未対応" };
        assert!(files.contains(mark), "{said}");
    }
}

fn opened_in_all_hours(house: &House) -> Process {
    done(house, &["operator", "limit", "hanako", "--none"]);
    let [_, password, _] = house.secrets();
    assert!(signs_in(house, password));
    opened(house, Mode::View).expect("a number")
}

/// S66, T57: an administrator's own password; and open invitations are seen and withdrawn.
#[test]
fn t57_s66_an_administrator_changes_his_own_password_and_sees_and_withdraws_invitations() {
    let house = House::set_up().expect("a house");
    enrolled(&house, "taro");
    let own = "eight lemons under a tin roof";
    let change =
        |old: &str| administer(&house, "taro", &["admin", "password"], &format!("{old}\n{NEW}\n"));
    assert_eq!(change("nine lemons under a tin roof").0, Some(6));
    let (code, said) = change(own);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(administer(&house, "taro", &["login"], &format!("{own}\n")).0, Some(6));
    assert_eq!(administer(&house, "taro", &["login"], &format!("{NEW}\n")).0, Some(0));

    let open =
        || done(&house, &["admin", "invitations"])["invitations"].as_array().expect("a list").clone();
    assert!(open().is_empty(), "taro has used his");
    done(&house, &["admin", "add", "jiro"]);
    let of_jiro = |entry: &Value| (entry["name"].clone(), entry["by"].clone());
    assert_eq!(
        open().iter().map(of_jiro).collect::<Vec<_>>(),
        [("jiro".into(), "administrator".into())]
    );
    done(&house, &["admin", "withdraw", "jiro"]);
    assert!(open().is_empty());
    for (arguments, english, japanese) in [
        (["admin", "withdraw", "jiro"], "No invitation for jiro", "有効な招待はない"),
        (["admin", "add", "taro"], "is an administrator already", "既に管理者"),
    ] {
        for (language, words) in [("en", english), ("ja", japanese)] {
            let arguments = [&["--lang", language], &arguments[..]].concat();
            let (code, said) = administer(&house, "admin", &arguments, "");
            assert!(code == Some(7) && said.contains(words), "{said}");
        }
    }
}

/// A day of the week on which nobody is anywhere now.
pub(crate) fn another_day() -> &'static str {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    // 1970-01-01 was a Thursday.
    ["thu", "fri", "sat", "sun", "mon", "tue", "wed"]
        [usize::try_from((unix / 86_400 + 3) % 7).expect("a day")]
}

/// S63, T52: at the operator's terminal, in both languages, with an exit code for each; and nobody is locked by it.
#[test]
fn s63_who_signs_in_outside_the_accounts_limits_reads_which_one_holds_and_is_not_locked() {
    let house = House::set_up().expect("a house");
    let [_, password, _] = house.secrets();
    let hours = format!("{} 09:00-18:00 Asia/Tokyo", another_day());
    for (limit, code, english, japanese) in [
        (["--hours", &hours], 56, "09:00 (Asia/Tokyo)", "09:00（Asia/Tokyo）"),
        (
            ["--address", "192.0.2.0/24"],
            57,
            "not be used from this network address",
            "ネットワークアドレスからは",
        ),
        (["--mac", "02:00:00:00:00:77"], 58, "hardware (MAC) addresses", "ハードウェアアドレス"),
    ] {
        done(&house, &[&["operator", "limit", "hanako"], &limit[..]].concat());
        for (language, words) in
            [("en", english), ("ja", japanese), ("en", "not counted as a wrong try")]
        {
            let mut process = login(&house, &["--lang", language]);
            process.say(password).expect("typed");
            process.close_input();
            assert_eq!(process.wait_end().expect("it ends").code(), Some(code), "{limit:?}");
            process.wait_for(Mark::default(), words).expect("which limit holds");
        }
        // T52: with a wrong password nothing of it is told.
        let mut process = login(&house, &[]);
        process.say("not her password at all").expect("typed");
        process.close_input();
        assert_eq!(process.wait_end().expect("it ends").code(), Some(40), "{limit:?}");
        done(&house, &["operator", "limit", "hanako", "--none"]);
        assert!(signs_in(&house, password), "{limit:?}");
    }
}

/// S65: what was typed in full width is found all the same, and who asks for nothing that is there is told so.
#[test]
fn s65_full_width_names_are_taken_and_acts_without_an_effect_are_called_so() {
    let house = House::set_up().expect("a house");
    done(&house, &["group", "add", "desk"]);
    for (arguments, code, english, japanese) in [
        (
            &["operator", "unlock", "hanako"] as &[&str],
            0,
            "was not suspended",
            "ロックされていなかった",
        ),
        (&["group", "leave", "desk", "hanako"], 7, "hanako is not in desk", "入っていない"),
        (
            &["session", "end", "0123456789", "--yes"],
            7,
            "No session 0123456789 runs",
            "実行中ではありません",
        ),
        (&["device", "approve", "hanoko"], 7, "Did you mean hanako?", "「hanako」のことですか"),
        (&["device", "approve", "hanako"], 7, "operator add", "operator add"),
        (
            &["operator", "forget-authenticator", "hanako", "--yes"],
            0,
            "has no authenticator",
            "認証アプリの登録はありません",
        ),
        (&["operator", "enable", "hanako"], 0, "was so already", "すでにその状態"),
        (&["admin", "enable", "administrator"], 0, "was so already", "すでにその状態"),
        (&["admin", "unlock", "administrator"], 0, "was so already", "すでにその状態"),
        (&["operator", "disable", "ｈａｎａｋｏ"], 0, "done", "完了しました"),
    ] {
        for (language, words) in [("en", english), ("ja", japanese)] {
            let arguments = [&["--lang", language], arguments].concat();
            let output = started(&house, "admin", &arguments, "");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(
                output.status.code() == Some(code) && said.contains(words),
                "{arguments:?}: {said}"
            );
        }
    }
}
