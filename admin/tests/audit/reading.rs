//! `audit list`, `show`, `search`: what is opened, and how strangers' words are shown.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use tasuki_protocol::ids::{DeviceKey, Digest, Role, SessionId};
use tasuki_protocol::ledger::audit::Item;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::words::{AdminAction, Direction, FileVerdict, Overwrote};
use tasuki_protocol::rights::Mode;

use crate::ledger::{Ledger, seen};
use crate::verifying::admin;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple lemon tin";
pub(crate) const SESSION: SessionId = SessionId([7; 16]);
pub(crate) const HOSTILE: &str = "=cmd|'/c calc'!A1\u{1b}[2J\u{202e}gpj.exe\u{9b}31m\u{200b}\n<script>";

pub(crate) fn run(folder: &Path, arguments: &[&str], typed: &str) -> Output {
    let mut command = admin(&folder.join("profile"), &["audit"]);
    command.args(arguments).arg("--file").arg(folder.join("ledger.export"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who refuses before it asks does not read.
    let _unread = writeln!(child.stdin.take().unwrap(), "{typed}");
    child.wait_with_output().unwrap()
}

pub(crate) fn shown(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments, PASSPHRASE);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&shown(folder, &[arguments, &["--json"]].concat())).unwrap()
}

pub(crate) fn file(path: &str) -> Event {
    Event::FileMoved {
        direction: Direction::ToUser,
        path: path.to_owned(),
        size: 9,
        sha256: Digest([1; 32]),
        overwrote: Overwrote::Nothing,
        verdict: FileVerdict::Delivered,
    }
}

/// A session of Hanako's with a customer, its ends' own records, and things beside it.
pub(crate) fn ledger() -> Ledger {
    let mut ledger = Ledger::under(PASSPHRASE);
    let nowhere = DeviceKey([0; 32]);
    let signed_in = |from: &str| Event::LoggedIn { from: from.to_owned(), device: nowhere, mac: None };
    ledger.server(0, Entry::server(Event::ServerStarted { version: "0.1.0".to_owned() }));
    ledger.server(1, seen("hanako", None, signed_in("192.0.2.7")));
    let reason = Some("T-60, プリンター".to_owned());
    let opened = Event::RoomOpened { mode: Mode::Control, policy: 3, reason };
    ledger.server(2, seen("hanako", Some(SESSION), opened));
    let customer = Event::Customer { name: "山田商事".to_owned() };
    ledger.end(3, (SESSION, Role::Operator, 0), customer);
    ledger.end(4, (SESSION, Role::Agent, 0), Event::Violation { right: operate(), count: 2 });
    ledger.end(5, (SESSION, Role::Agent, 1), file(HOSTILE));
    ledger.server(24 * 60, seen("taro", None, signed_in("192.0.2.8")));
    ledger
}

fn operate() -> tasuki_protocol::rights::Capability {
    tasuki_protocol::rights::Capability::Operate
}

pub(crate) fn acts(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{200b}'..='\u{202e}').contains(&c)
}

/// Somebody changed what is sealed in record `seq`, and could not change what is signed about it.
pub(crate) fn alter(ledger: &mut Ledger, seq: u64) {
    for item in &mut ledger.items {
        if let Item::Record(stored) = item
            && let Some(row) = stored.row.as_mut().filter(|row| row.place.seq == seq)
        {
            row.sealed.0[3] ^= 1;
        }
    }
}

#[test]
fn s52_s53_records_of_server_and_ends_are_listed_in_their_order_with_who_saw_them() {
    let folder = tempfile::tempdir().unwrap();
    ledger().write(folder.path());
    let text = shown(folder.path(), &["list"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].contains("2026-07-01 00:01:00") && lines[2].contains("hanako"), "{text}");
    assert!(lines[4].contains("operator") && lines[4].contains("山田商事"), "{text}");
    assert!(lines[5].contains("agent") && lines[5].contains("VIOLATION"), "{text}");
    assert!(text.ends_with("7 records.\n"), "{text}");
}

#[test]
fn t66_no_record_writes_to_the_terminal_what_acts_there() {
    let folder = tempfile::tempdir().unwrap();
    ledger().write(folder.path());
    for arguments in [&["list"][..], &["show", "5"], &["search", "gpj.exe"], &["list", "--json"]] {
        let text = shown(folder.path(), arguments);
        assert!(text.contains("gpj.exe"), "{text}");
        assert!(!text.chars().any(acts), "{text:?}");
    }
    let told = json(folder.path(), &["show", "5"]);
    assert_eq!(told["event"]["path"], HOSTILE, "scripts get the very name");
}

#[test]
fn records_are_found_by_operator_customer_session_day_class_event_and_text() {
    let folder = tempfile::tempdir().unwrap();
    ledger().write(folder.path());
    let found = |arguments: &[&str]| -> Vec<u64> {
        let told = json(folder.path(), &[&["list"], arguments].concat());
        told["records"].as_array().unwrap().iter().map(|r| r["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(found(&["--operator", "hanako"]), [1, 2, 3, 4, 5], "ends' records too");
    assert_eq!(found(&["--customer", "山田商事"]), [2, 3, 4, 5]);
    assert_eq!(found(&["--session", &SESSION.to_string()]), [2, 3, 4, 5]);
    assert_eq!(found(&["--since", "2026-07-02"]), [6]);
    assert_eq!(found(&["--until", "2026-07-01", "--class", "login"]), [1]);
    assert_eq!(found(&["--until", "2026-07-01", "--zone", "Asia/Tokyo", "--class", "login"]), [1]);
    assert_eq!(found(&["--event", "file_moved"]), [5]);
    assert_eq!(found(&["--last", "1"]), [6]);
    let told = json(folder.path(), &["search", "192.0.2"]);
    assert_eq!(told["found"], 2);
}

/// S56: whoever asks for an operator gets what administrators did to him, and to nobody else.
#[test]
fn s56_an_operators_records_are_also_what_administrators_did_to_him() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    let mut act = |action, target: &str| {
        let (admin, target, detail) = ("admin".to_owned(), target.to_owned(), String::new());
        ledger.server(30 * 60, Entry::server(Event::AdminDid { admin, action, target, detail }));
    };
    act(AdminAction::OperatorDisabled, "hanako");
    act(AdminAction::OperatorDisabled, "taro");
    act(AdminAction::OperatorDisabled, "Hanako");
    ledger.write(folder.path());
    let found = |operator: &str| -> Vec<u64> {
        let told = json(folder.path(), &["list", "--operator", operator]);
        told["records"].as_array().unwrap().iter().map(|r| r["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(found("hanako"), [1, 2, 3, 4, 5, 7]);
    assert_eq!(found("taro"), [6, 8]);
    let report = json(folder.path(), &["report", "--operator", "taro"]);
    assert_eq!(report["totals"][0]["admin_acts"], 1, "{report}");
    let text = shown(folder.path(), &["list", "--operator", "hanako", "--lang", "ja"]);
    assert!(text.contains("オペレータを停止"), "{text}");
}

/// T63: neither a wrong passphrase nor none opens anything; the exit code says which it was.
#[test]
fn wrong_passphrase_unknown_record_date_event_and_zone_are_one_sentence_each() {
    let folder = tempfile::tempdir().unwrap();
    ledger().write(folder.path());
    let refused = |arguments: &[&str], typed: &str, code: i32, told: &str| {
        for language in ["en", "ja"] {
            let output = run(folder.path(), &[arguments, &["--lang", language]].concat(), typed);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(output.stdout.is_empty());
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(language == "ja" || said.contains(told), "{said}");
        }
    };
    refused(&["list"], "wrong passphrase", 9, "opens none of the log keys");
    refused(&["show", "70"], PASSPHRASE, 7, "no record 70");
    refused(&["list", "--since", "yesterday"], PASSPHRASE, 7, "is no date");
    refused(&["list", "--event", "teleported"], PASSPHRASE, 7, "No event is called");
    let exchanged = ["list", "--since", "2026-12-01", "--until", "2026-11-01"];
    refused(&exchanged, PASSPHRASE, 7, "Exchange the two");
    refused(&["list", "--zone", "Mars/Olympus"], PASSPHRASE, 7, "is no time zone");
}

/// T64, T63: an end that says what only the server sees, or that kept records back, is shown up.
#[test]
fn an_end_cannot_pose_as_the_server_nor_leave_records_out_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    let posing = Event::Reviewed { admin: "admin".to_owned(), up_to: 9, note: "fine".to_owned() };
    ledger.end(6, (SESSION, Role::Operator, 1), posing);
    ledger.end(7, (SESSION, Role::Agent, 4), file("later"));
    ledger.write(folder.path());
    let told = json(folder.path(), &["list"]);
    assert!(told["records"][7]["closed"].is_string(), "{told}");
    assert!(told["records"][7]["event"].is_null());
    assert_eq!(told["gaps"][0]["missing"], 2);
    assert!(shown(folder.path(), &["list"]).contains("2 records of an end"));
}

/// T64: what a changed ledger still holds is shown as evidence, and the exit code says what it is.
#[test]
fn a_changed_record_is_shown_as_altered_and_the_list_is_not_to_be_relied_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    alter(&mut ledger, 1);
    ledger.write(folder.path());
    let output = run(folder.path(), &["list"], PASSPHRASE);
    assert_eq!(output.status.code(), Some(10));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("(ALTERED)") && text.contains("taro"), "{text}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("record 1 was changed"));
}

/// S53, S54: why a session was, in its operator's words, is found again by its ticket.
#[test]
fn s53_a_sessions_reason_is_shown_searched_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    ledger().write(folder.path());
    assert!(shown(folder.path(), &["show", "2"]).contains("T-60, プリンター"));
    let found = json(folder.path(), &["search", "t-60"]);
    assert_eq!((&found["found"], &found["records"][0]["seq"]), (&1.into(), &2.into()), "{found}");
    // All records of the session, and not those alone in which it stands.
    for (reason, count) in [("T-60", 4), ("T-61", 0)] {
        let found = json(folder.path(), &["list", "--reason", reason]);
        assert_eq!(found["found"], count, "{reason}: {found}");
    }
    let report = json(folder.path(), &["report", "--reason", "t-60"]);
    assert_eq!(report["reason"], "t-60");
    assert_eq!(report["files"][0]["reason"], "T-60, プリンター", "{report}");
    for (language, heading) in [("en", "Reason"), ("ja", "理由")] {
        let text = shown(folder.path(), &["report", "--lang", language, "--table", "files"]);
        assert!(text.contains(heading) && text.contains("T-60, プリンター"), "{text}");
    }
}

/// S100: one record is one record, and a group without a name says so.
#[test]
fn s100_what_is_counted_reads_as_a_person_would_say_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = Ledger::under(PASSPHRASE);
    one.server(0, Entry::server(Event::ServerStarted { version: "0.1.0".to_owned() }));
    one.write(folder.path());
    assert!(shown(folder.path(), &["list"]).ends_with("\n1 record.\n"));
    let verified = shown(folder.path(), &["verify"]);
    assert!(verified.contains("1 record, 1 checkpoint, 0 records"), "{verified}");
    let folder = tempfile::tempdir().unwrap();
    let mut act = Ledger::under(PASSPHRASE);
    act.server(
        0,
        Entry::server(Event::AdminDid {
            admin: "sato".to_owned(),
            action: AdminAction::OperatorAdded,
            target: "hanako".to_owned(),
            detail: String::new(),
        }),
    );
    act.write(folder.path());
    let listed = shown(folder.path(), &["list"]);
    assert!(listed.contains("operator added") && !listed.contains("action="), "{listed}");
    let listed = shown(folder.path(), &["list", "--lang", "ja"]);
    assert!(listed.contains("オペレータを追加") && !listed.contains("操作="), "{listed}");
    for (language, nobody) in [("en", "(no operator's)"), ("ja", "（オペレータ以外）")] {
        let text = shown(folder.path(), &["report", "--lang", language]);
        assert!(text.contains(nobody), "{text}");
    }
    assert_eq!(json(folder.path(), &["report"])["totals"][1]["name"], "", "scripts get no word for it");
}

/// S100: a record reads as a person writes: no empty fields, no seconds since 1970, names of fields in his language.
#[test]
fn s100_a_record_is_shown_without_empty_fields_and_with_times_and_names_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::under(PASSPHRASE);
    let who = tasuki_protocol::ledger::words::LockedOut::ThisDevice;
    let locked = Event::LockedOut { from: "192.0.2.7".to_owned(), until: 1_798_381_550, who };
    ledger.server(0, seen("hanako", None, locked));
    let connected = Event::Connected {
        own_version: "tasuki 0.1.0".to_owned(),
        peer_version: String::new(),
        path: "relayed".to_owned(),
        data_cipher: "AES".to_owned(),
        media_cipher: "AES".to_owned(),
        policy: 1,
        disclosed: Vec::new(),
    };
    ledger.server(
        1,
        seen(
            "hanako",
            Some(SESSION),
            Event::Paired { agent: DeviceKey([0; 32]), from: "::1".to_owned() },
        ),
    );
    ledger.end(2, (SESSION, Role::Agent, 0), connected);
    ledger.write(folder.path());
    let english = shown(folder.path(), &["show", "0"]);
    assert!(english.contains("until = 2026-12-27 14:25:50 UTC"), "{english}");
    assert!(!english.contains("1798381550") && !english.contains("event.type"), "{english}");
    let japanese = shown(folder.path(), &["show", "0", "--lang", "ja"]);
    for words in [
        "アカウント停止",
        "期限 = 2026-12-27",
        "対象 = この端末",
        "接続元 = 192.0.2.7",
        "オペレータ = hanako",
    ] {
        assert!(japanese.contains(words), "{words}: {japanese}");
    }
    let listed = shown(folder.path(), &["list"]);
    assert!(!listed.contains("disclosed=") && !listed.contains("peer_version="), "{listed}");
    let of_end = listed.lines().find(|line| line.contains("Connected")).unwrap();
    assert!(of_end.contains("hanako"), "whose session it was: {of_end}");
    let found = json(folder.path(), &["show", "2"]);
    assert_eq!(found["event"]["peer_version"], "", "scripts get the record as it is");
    // What only programs compare is cut short in a list or left to `audit show`; nothing is lost by it.
    let key = "0".repeat(64);
    for (language, cipher, agent) in [
        ("en", "data_cipher", "agent=000000000000..."),
        ("ja", "データの暗号", "顧客側の鍵=000000000000..."),
    ] {
        let listed = shown(folder.path(), &["list", "--lang", language]);
        assert!(listed.contains(agent) && !listed.contains(&key), "{listed}");
        assert!(!listed.contains(cipher) && !listed.contains("AES"), "{listed}");
        assert!(shown(folder.path(), &["show", "1", "--lang", language]).contains(&key));
        let connected = shown(folder.path(), &["show", "2", "--lang", language]);
        assert!(connected.contains(&format!("{cipher} = AES")), "{connected}");
    }
    assert_eq!(json(folder.path(), &["search", &key])["found"], 1);
}

/// S54, S56: what is looked for is found however it was typed, and what is not there is said.
#[test]
fn s56_searching_takes_wide_and_narrow_letters_for_one_and_names_who_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    let noted = Event::Note { text: "田中\u{3000}太郎 １２３ ﾌﾟﾘﾝﾀｰ".to_owned() };
    ledger.end(30, (SESSION, Role::Agent, 2), noted);
    ledger.write(folder.path());
    for text in ["田中 太郎", "田中　太郎", "123", "プリンター １２３", "プリンター"]
    {
        let found = json(folder.path(), &["search", text])["found"].as_u64().unwrap();
        assert_eq!(found > 0, text != "プリンター １２３", "{text}");
    }
    let all = json(folder.path(), &["list", "--customer", "山田商事"])["found"].clone();
    assert!(all.as_u64() > Some(0));
    assert_eq!(json(folder.path(), &["list", "--customer", "山田"])["found"], all, "a part of it");
    let nobody = shown(folder.path(), &["list", "--operator", "gorou"]);
    assert!(nobody.contains("Nothing in the ledger is of gorou"), "{nobody}");
    let names = admin(&folder.path().join("profile"), &["audit", "events"]).output().unwrap();
    let names = String::from_utf8(names.stdout).unwrap();
    assert!(names.lines().count() > 40 && names.contains("screenshot_taken"), "{names}");
    let japanese = ["audit", "events", "--lang", "ja"];
    let names = admin(&folder.path().join("profile"), &japanese).output().unwrap();
    let names = String::from_utf8(names.stdout).unwrap();
    let line = names.lines().find(|line| line.starts_with("screenshot_taken ")).unwrap();
    assert!(line.ends_with("画面保存"), "{names}");
}
