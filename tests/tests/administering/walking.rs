//! The verbs that nothing else runs, one after another at one server, each by what it changes there.

use std::process::Command;

use serde_json::Value;
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::rights::Mode;
use tasuki_tests::running::{Mark, Process, program, until};
use tasuki_tests::stack::House;
use totp_rs::{Builder, Secret};

use crate::confirming::at_terminal;
use crate::people::enrolled;
use crate::{administer, answered, started};

/// What the operator's program is told to sign in with.
pub(crate) fn login(house: &House, more: &[&str]) -> Process {
    let mut command = Command::new(program("tasuki").expect("the program"));
    command.args(["login", "--operator", "hanako", "--password-stdin", "--tenant"]);
    command.arg(house.bundle()).arg("--profile").arg(house.profile()).args(more);
    command.env("LC_ALL", "C");
    Process::start("tasuki", command).expect("it starts")
}

pub(crate) fn signs_in(house: &House, password: &str) -> bool {
    let mut process = login(house, &["--json"]);
    process.say(password).expect("typed");
    process.close_input();
    process.wait_end().expect("it ends").success()
}

/// The operator's program with its number, or what it ended with.
pub(crate) fn opened(house: &House, mode: Mode) -> Result<Process, Option<i32>> {
    let mut command = Command::new(program("tasuki").expect("the program"));
    command.args(["open", "--mode", mode.name(), "--json", "--profile"]).arg(house.profile());
    let mut process = Process::start("tasuki", command).expect("it starts");
    let answer = until("a number or an end", || {
        let number = process.events(Mark::default()).iter().any(|event| event["event"] == "number");
        Ok((number || !process.is_running()).then_some(number))
    });
    if answer.expect("an answer") {
        Ok(process)
    } else {
        Err(process.wait_end().expect("ended").code())
    }
}

#[track_caller]
pub(crate) fn done(house: &House, arguments: &[&str]) -> Value {
    house.administrate(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error:#}"))
}

/// What asks whether it is meant and is answered with another word.
#[track_caller]
fn not_meant(house: &House, arguments: &[&str], typed: &str) {
    let (code, said) = at_terminal(house, arguments, &[typed]);
    assert!(code == Some(7) && said.contains("did not match"), "{arguments:?}: {code:?} {said}");
}

/// S65: what runs is listed, and ended by who types its operator's name; another word ends nothing.
#[test]
fn s65_a_session_is_listed_and_ended_by_the_administrators_program() {
    let house = House::set_up().expect("a house");
    let mut operator = opened(&house, Mode::View).expect("a number");
    let sessions =
        || done(&house, &["session", "list"])["sessions"].as_array().expect("a list").clone();
    let listed = sessions();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!((&listed[0]["operator"], &listed[0]["mode"]), (&"hanako".into(), &"view".into()));
    let id = listed[0]["session"].as_str().expect("an id");
    not_meant(&house, &["session", "end", &id[..8]], "hanoko");
    assert_eq!(sessions().len(), 1, "it goes on");
    assert!(operator.is_running());
    let (code, said) = at_terminal(&house, &["session", "end", &id[..8]], &["hanako"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(sessions().is_empty());
    operator.wait_end().expect("the operator's program hears of it");
    let (code, said) = administer(&house, "admin", &["session", "end", id, "--yes"], "");
    assert!(code == Some(7) && said.contains("No session"), "{code:?} {said}");
}

/// S63-S65: an operator is kept out and let in again by each verb that does so.
#[test]
fn s65_operators_are_disabled_limited_unlocked_and_forgiven_by_the_administrators_program() {
    let house = House::set_up().expect("a house");
    let [_, password, _] = house.secrets();
    for (out, back) in [
        (&["operator", "disable", "hanako"] as &[&str], &["operator", "enable", "hanako"] as &[&str]),
        (
            &["operator", "limit", "hanako", "--address", "192.0.2.0/24"],
            &["operator", "limit", "hanako", "--none"],
        ),
        (
            &["operator", "limit", "hanako", "--mac", "02:00:00:00:00:77"],
            &["operator", "limit", "hanako", "--none"],
        ),
    ] {
        done(&house, out);
        assert!(!signs_in(&house, password), "{out:?}");
        done(&house, back);
        assert!(signs_in(&house, password), "{back:?}");
    }
    for _ in 0..3 {
        assert!(!signs_in(&house, "not her password at all"));
    }
    assert!(!signs_in(&house, password), "suspended");
    assert_eq!(done(&house, &["operator", "unlock", "hanako"])["changed"], true);
    assert!(signs_in(&house, password), "unlocked");
    assert_eq!(done(&house, &["operator", "unlock", "hanako"])["changed"], false);

    let mut setting_up = login(&house, &["--json", "--authenticator"]);
    setting_up.say(password).expect("typed");
    let shown =
        setting_up.event(Mark::default(), "an authenticator", |e| e["event"] == "authenticator");
    let uri = shown.expect("shown").0["uri"].as_str().expect("an address").to_owned();
    // A slip of the hand does not throw the new authenticator away.
    setting_up.say("12345").expect("typed");
    let used = digits(&uri);
    setting_up.say(&used).expect("typed");
    setting_up.close_input();
    assert!(setting_up.wait_end().expect("it ends").success());
    // T52: who has all but fresh digits is told that.
    for (language, words) in [("en", "used already"), ("ja", "使用済みです")] {
        let mut again = login(&house, &["--totp-stdin", "--lang", language]);
        again.say(password).expect("typed");
        again.say(&used).expect("typed");
        again.close_input();
        assert_eq!(again.wait_end().expect("it ends").code(), Some(40));
        again.wait_for(Mark::default(), words).expect("what to do");
    }
    done(&house, &["operator", "unlock", "hanako"]);
    assert!(!signs_in(&house, password), "digits are asked for");
    done(&house, &["operator", "forget-authenticator", "hanako", "--yes"]);
    assert!(signs_in(&house, password), "nobody asks for digits");
}

fn digits(uri: &str) -> String {
    let secret = uri.split("secret=").nth(1).expect("a secret").split('&').next().expect("a secret");
    let secret = Secret::try_from_base32(secret).expect("a secret");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    Builder::new().with_secret(secret).build_noncompliant().generate(now.as_secs()).to_string()
}

/// S62: an operator's authenticator is shown as a square code, and is in use only once its digits came.
#[test]
fn s62_an_operators_authenticator_is_shown_as_a_square_code_in_the_terminal() {
    let house = House::set_up().expect("a house");
    let [_, password, _] = house.secrets();
    let mut process = login(&house, &["--authenticator"]);
    process.say(password).expect("typed");
    process.close_input();
    assert!(!process.wait_end().expect("it ends").success(), "no digits came");
    let mark = Mark::default();
    process.wait_for(mark, "otpauth://totp/").expect("the address");
    let rows = || {
        process.log().since(mark).into_iter().filter(|line| {
            line.text.contains('█') || line.text.contains('▀') || line.text.contains('▄')
        })
    };
    until("the square", || Ok((rows().count() >= 15).then_some(()))).expect("a square code");
    assert!(signs_in(&house, password), "nobody has confirmed it");
}

/// S66: groups and colleagues, by each verb that lists or changes them.
#[test]
fn s56_s66_groups_and_administrators_are_listed_and_changed_by_the_administrators_program() {
    let house = House::set_up().expect("a house");
    let members = || {
        let list = done(&house, &["group", "list"]);
        let groups = list["groups"].as_array().expect("groups").iter();
        groups.map(|group| (group["group"].clone(), group["operators"].clone())).collect::<Vec<_>>()
    };
    done(&house, &["group", "add", "desk"]);
    done(&house, &["group", "join", "desk", "hanako"]);
    assert_eq!(members(), [("desk".into(), serde_json::json!(["hanako"]))]);
    done(&house, &["group", "leave", "desk", "hanako"]);
    assert_eq!(members(), [("desk".into(), serde_json::json!([]))]);
    done(&house, &["group", "remove", "desk", "--yes"]);
    assert!(members().is_empty());

    enrolled(&house, "taro");
    let states = || {
        let list = done(&house, &["admin", "list"]);
        let admins = list["admins"].as_array().expect("administrators").iter();
        admins.map(|admin| (text_of(admin, "name"), text_of(admin, "state"))).collect::<Vec<_>>()
    };
    let own = "eight lemons under a tin roof\n";
    let taro =
        |arguments: &[&str], typed: &str| administer(&house, "taro", arguments, typed).0 == Some(0);
    let of_taro = |state: &str| states().contains(&("taro".to_owned(), state.to_owned()));
    assert!(of_taro("enabled") && taro(&["operator", "list"], own));
    done(&house, &["admin", "disable", "taro"]);
    assert!(of_taro("disabled") && !taro(&["operator", "list"], own));
    done(&house, &["admin", "enable", "taro"]);
    assert!(of_taro("enabled") && taro(&["operator", "list"], own));
    for _ in 0..3 {
        assert!(!taro(&["login"], "nine lemons under a tin roof\n"));
    }
    assert!(!taro(&["login"], own), "suspended");
    done(&house, &["admin", "unlock", "taro"]);
    assert!(taro(&["login"], own), "unlocked");

    // Whoever types another word has changed nothing.
    not_meant(&house, &["admin", "remove", "taro"], "jiro");
    assert!(of_taro("enabled") && taro(&["operator", "list"], own));
    not_meant(&house, &["device", "revoke", "hanako"], "taro");
    house.sign_in().expect("her device is good");
}

fn text_of(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}

/// S93, S94: each preset is in force at the server once it is published.
#[test]
fn s93_s94_every_preset_is_published_by_its_name_and_holds_at_the_server() {
    let house = House::set_up().expect("a house");
    let four = vec![Mode::Control, Mode::View, Mode::Share, Mode::Show];
    for (preset, modes, right) in [
        (Preset::Teach, vec![Mode::Show], None),
        (Preset::ViewOnly, vec![Mode::View], None),
        (Preset::ControlWithoutFiles, Mode::ALL.to_vec(), Some(("send_files", "never"))),
        (Preset::ApplicationsOnly, four, Some(("application_selection", "required"))),
        (Preset::Full, Mode::ALL.to_vec(), Some(("send_files", "allow"))),
    ] {
        let set = ["policy", "set", "--preset", preset.name()];
        let demands = preset == Preset::ApplicationsOnly;
        if demands {
            let (code, said) = administer(&house, "admin", &set, "publish\n");
            assert!(code == Some(7) && said.contains("--yes"), "nobody meant it: {code:?} {said}");
        }
        done(&house, &[&set as &[&str], &["--yes"]].concat());
        let explain =
            |mode: Mode| done(&house, &["policy", "explain", "hanako", "--mode", mode.name()]);
        let allowed: Vec<Mode> =
            Mode::ALL.into_iter().filter(|mode| explain(*mode)["allowed"] == true).collect();
        // What no program can do yet starts no session, and is said beside it.
        let startable: &[Mode] = if demands { &[] } else { &modes };
        assert!(
            allowed.len() == startable.len() && startable.iter().all(|mode| allowed.contains(mode)),
            "{preset:?}: {allowed:?}"
        );
        let unmet = &explain(Mode::Show)["unmet"];
        assert_eq!(unmet.as_array().expect("a list").is_empty(), !demands, "{preset:?}: {unmet}");
        // The server gives a number by the mode alone: it is the ends that refuse a demand.
        // Of those that show the customer's screen: the others want a display of the operator's.
        for mode in [Mode::View, Mode::Control, Mode::Manage] {
            assert_eq!(opened(&house, mode).is_ok(), modes.contains(&mode), "{preset:?}: {mode}");
        }
        let Some((key, value)) = right else { continue };
        let explained = explain(Mode::Control);
        let rights = explained["rights"].as_array().expect("rights");
        let found = rights.iter().find(|right| right["key"] == key).expect("the right");
        assert_eq!(found["value"], value, "{preset:?}: {found}");
    }
}

/// S62, S71: some minutes after a sign-in nobody manages a computer and nobody changes the policy without having shown
/// once more that it is he; looking goes on.
#[test]
fn s62_s71_manage_and_a_new_policy_ask_once_more_who_it_is() {
    let mut house = House::set_up().expect("a house");
    house.set(&["confirm_s=15"]).expect("it is up again");
    house.sign_in().expect("signed in");
    house.sign_in_administrator().expect("signed in");
    std::thread::sleep(std::time::Duration::from_secs(16));
    assert_eq!(opened(&house, Mode::Manage).err(), Some(Some(47)), "confirm first");
    drop(opened(&house, Mode::Control).expect("no need of it"));
    let [_, password, admins] = house.secrets();
    let confirm = |typed: &str| {
        let mut command = Command::new(program("tasuki").expect("the program"));
        command.args(["confirm", "--password-stdin", "--json", "--profile"]).arg(house.profile());
        let mut process = Process::start("tasuki", command).expect("it starts");
        process.say(typed).expect("typed");
        process.close_input();
        process.wait_end().expect("it ends").success()
    };
    assert!(!confirm("not her password at all"));
    assert_eq!(opened(&house, Mode::Manage).err(), Some(Some(47)), "still");
    assert!(confirm(password));
    drop(opened(&house, Mode::Manage).expect("a number"));

    let file = house.folder().join("policy.toml");
    std::fs::write(&file, "[default]\nchat = false\n").expect("written");
    let set = ["policy", "set", file.to_str().expect("a name")];
    let version = || done(&house, &["policy", "show"])["version"].clone();
    for typed in ["", "nine lemons under a tin roof\n"] {
        let (code, said) = administer(&house, "admin", &set, typed);
        assert!(code != Some(0) && said.lines().count() == 1, "{code:?} {said}");
        assert_eq!(version(), 0, "nothing was published: {said}");
    }
    let (code, said) = administer(&house, "admin", &set, &format!("{admins}\n"));
    assert!(code == Some(0) && version() == 1, "{said}");
}

/// S54, S56: one record, and those in which a word stands, read at a server; each reading is recorded as what
/// it was. And whoever types another number than was asked for prunes nothing.
#[test]
fn s56_records_are_shown_and_searched_at_a_server_and_pruned_by_nobody_who_does_not_mean_it() {
    let house = House::set_up().expect("a house");
    let found = until("a checkpoint over the record", || {
        let found = house.administrate(&["audit", "search", "HANAKO"]).ok();
        Ok(found.filter(|found| found["found"].as_u64() > Some(1)))
    })
    .expect("records with her name");
    let records = found["records"].as_array().expect("records");
    assert!(
        records.iter().all(|record| record.to_string().to_lowercase().contains("hanako")),
        "{found}"
    );
    let number = records[0]["seq"].to_string();
    let shown = done(&house, &["audit", "show", &number]);
    assert_eq!(shown["event"], records[0]["event"], "{shown}");
    assert!(house.administrate(&["audit", "show", "999999"]).is_err());
    let nothing = done(&house, &["audit", "search", "no such word anywhere"]);
    assert_eq!(nothing["found"], 0);
    let told = Command::new("date").args(["-u", "+%FT%T"]).output().expect("date runs");
    let now = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let prune = ["audit", "prune", "--zone", "UTC", "--before", &now, "--reason", "x"];
    not_meant(&house, &prune, "1000000");
    done(&house, &["audit", "verify"]);
    let file = house.folder().join("read.export");
    done(&house, &["audit", "export", file.to_str().expect("a name")]);
    done(&house, &["audit", "report"]);
    let list = until("every reading", || {
        let list = done(&house, &["audit", "list", "--last", "0"]);
        let of = |purpose: &str| {
            let records = list["records"].as_array().expect("records").iter();
            records
                .filter(|r| r["event"]["type"] == "ledger_read" && r["event"]["purpose"] == purpose)
                .count()
        };
        let all = ["list", "show", "search", "verify", "export", "report"];
        Ok(all.into_iter().all(|purpose| of(purpose) > 0).then(|| list.clone()))
    });
    let list = list.expect("recorded");
    assert!(list["records"].as_array().expect("records").iter().all(|r| r["pruned"] != true));
    let json = answered(&house, "admin", &["--json", "audit", "verify"], "");
    assert_eq!(json["pruned"], 0, "{json}");
}

/// S53, S63: what an account's own hours take from a session stands beside what the policy gives.
#[test]
fn s53_s63_an_explanation_tells_what_the_accounts_own_hours_leave_of_a_session() {
    let house = House::set_up().expect("a house");
    let explain = ["policy", "explain", "hanako", "--mode", "view"];
    assert_eq!(done(&house, &explain)["hours_left_s"], Value::Null, "any hour");
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a date");
    let now = now.as_secs();
    // 1970 began with a Thursday.
    let today = usize::try_from(now / 86_400 + 3).expect("a day") % 7;
    let another = format!("{} 00:00-24:00 UTC", days[(today + 3) % 7]);
    done(&house, &["operator", "limit", "hanako", "--hours", &another]);
    let outside = done(&house, &explain);
    assert_eq!(
        (&outside["allowed"], &outside["hours_left_s"]),
        (&false.into(), &0.into()),
        "{outside}"
    );
    for (language, words) in [("en", "hours of his account"), ("ja", "利用時間外")] {
        let arguments = [&["--lang", language], &explain as &[&str]].concat();
        let said =
            String::from_utf8_lossy(&started(&house, "admin", &arguments, "").stdout).into_owned();
        assert!(said.contains(words), "{said}");
    }
}
