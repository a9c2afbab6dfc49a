//! `audit report`: how long a session lasted is what its ends say, and strangers write no names into it.

use serde_json::Value;
use tasuki_protocol::ids::{DeviceKey, Digest, Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::words::{Direction, FileVerdict, LoginFailure, Overwrote};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::CloseReason;

use crate::ledger::{Ledger, seen};
use crate::reading::{PASSPHRASE, json, ledger, shown};

/// A session from minute 1 to minute 5 by the server's word, and as long as `ends` say it was.
fn session(ledger: &mut Ledger, n: u8, mode: Mode, ends: &[(Role, u64)]) {
    let id = SessionId([n; 16]);
    let at = |event| seen("hanako", Some(id), event);
    ledger.server(0, at(Event::RoomOpened { mode, policy: 1, reason: None }));
    ledger.server(1, at(Event::Paired { agent: DeviceKey([0; 32]), from: "192.0.2.9".to_owned() }));
    for (role, lasted_s) in ends {
        let kept = Event::ReceiptKept {
            sha256: Digest([2; 32]),
            lasted_s: *lasted_s,
            operator_version: "t".to_owned(),
            agent_version: "t".to_owned(),
            policy: 1,
            signed_by: vec![Witness::Operator, Witness::Agent],
        };
        let ended = Event::Ended { reason: EndReason::NobodyAnswered, by: Witness::Operator };
        ledger.end(4, (id, *role, 0), ended);
        ledger.end(4, (id, *role, 1), kept);
    }
    ledger.server(5, at(Event::SessionClosed { reason: CloseReason::Withdrawn, by: None }));
}

fn rows<'a>(report: &'a Value, table: &str) -> &'a Vec<Value> {
    report[table].as_array().unwrap()
}

/// S54, S97: the server may have been down when a session ended, and closes its row once it is back.
#[test]
fn s54_s97_a_session_is_as_long_as_its_ends_say_and_the_servers_word_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    session(&mut ledger, 80, Mode::Control, &[(Role::Agent, 48), (Role::Operator, 48)]);
    session(&mut ledger, 81, Mode::Control, &[(Role::Operator, 61)]);
    session(&mut ledger, 82, Mode::Control, &[]);
    session(&mut ledger, 83, Mode::Control, &[(Role::Operator, 1), (Role::Agent, 121)]);
    session(&mut ledger, 84, Mode::Share, &[(Role::Agent, 1), (Role::Operator, 121)]);
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let of = |n: u8| {
        let id = SessionId([n; 16]).to_string();
        rows(&report, "sessions").iter().find(|row| row["session"] == id.as_str()).unwrap()
    };
    let told = |n: u8| {
        let to = of(n)["to"].as_str().unwrap().trim_end_matches(" UTC");
        (of(n)["minutes"].as_u64().unwrap(), of(n)["told_by"].as_str().unwrap(), &to[to.len() - 5..])
    };
    assert_eq!((told(80).0, told(80).1), (1, "agent_end"));
    assert!(told(80).2.ends_with(":48"), "{}", told(80).2);
    assert_eq!((told(81).0, told(81).1), (2, "operator_end"));
    assert!(told(81).2.ends_with(":01"), "{}", told(81).2);
    assert_eq!((told(82).0, told(82).1), (4, "server"));
    assert_eq!((told(83).0, told(83).1), (3, "agent_end"), "the host's own word");
    assert_eq!((told(84).0, told(84).1), (3, "operator_end"), "the host's own word");
    let text = shown(folder.path(), &["report", "--table", "sessions", "--lang", "ja"]);
    assert!(text.contains("終了時刻の記録元") && text.contains("サーバー"), "{text}");
}

/// S54, S97: what only the server tells of, and what the two ends tell differently, is not shown like the rest.
#[test]
fn s54_s97_a_session_without_a_receipt_or_with_two_that_differ_is_marked_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::under(PASSPHRASE);
    session(&mut ledger, 80, Mode::Control, &[(Role::Agent, 48), (Role::Operator, 49)]);
    session(&mut ledger, 81, Mode::Control, &[(Role::Operator, 61)]);
    ledger.write(folder.path());
    let table = ["report", "--table", "sessions", "--lang"];
    for (language, words) in [("en", "receipt"), ("ja", "控え")] {
        let text = shown(folder.path(), &[&table[..], &[language]].concat());
        assert!(!text.contains(words), "nothing is marked: {text}");
    }
    session(&mut ledger, 82, Mode::Control, &[]);
    session(&mut ledger, 83, Mode::Control, &[(Role::Operator, 1), (Role::Agent, 121)]);
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let notes = rows(&report, "sessions").iter().map(|row| row["note"].as_str().unwrap());
    assert_eq!(notes.collect::<Vec<_>>(), ["", "", "no_receipt", "receipts_differ"]);
    for (language, none, differ, why) in [
        ("en", "no receipt", "receipts differ", "neither end has told of a receipt"),
        ("ja", "控えなし", "控えの不一致", "どちらの端末からも"),
    ] {
        let text = shown(folder.path(), &[&table[..], &[language]].concat());
        let csv = shown(folder.path(), &[&table[..], &[language, "--format", "csv"]].concat());
        let page = shown(folder.path(), &["report", "--format", "html", "--lang", language]);
        for form in [&text, &csv, &page] {
            assert!(form.contains(none) && form.contains(differ), "{form}");
        }
        assert!(text.contains(why) && page.contains(why) && !csv.contains(why), "{text}");
    }
}

/// S54: seconds are added, and rounded once.
#[test]
fn s54_minutes_of_many_short_sessions_are_not_more_than_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    for (n, lasted) in (80..).zip([48, 84, 32, 52, 19]) {
        session(&mut ledger, n, Mode::View, &[(Role::Agent, lasted)]);
    }
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let of_hanako = |row: &&Value| row["group"] == "operator" && row["name"] == "hanako";
    let totals = rows(&report, "totals");
    assert_eq!(totals[0]["minutes"], 4);
    assert_eq!(totals.iter().find(of_hanako).unwrap()["minutes"], 4);
    let text = shown(folder.path(), &["report", "--table", "totals"]);
    assert!(text.contains("Minutes since pairing"), "{text}");
}

/// S54: whoever knocks at the door writes nothing into the list of operators.
#[test]
fn s54_names_that_no_account_has_are_counted_in_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    let failed = |account: &str, why| Event::LoginFailed {
        account: account.to_owned(),
        from: "192.0.2.1".to_owned(),
        device: DeviceKey([0; 32]),
        mac: None,
        why,
    };
    for account in ["hanak", "Dear auditor", "hanak"] {
        ledger.server(1, Entry::server(failed(account, LoginFailure::UnknownAccount)));
    }
    ledger.server(2, seen("hanako", None, failed("hanako", LoginFailure::Password)));
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let failures = |name: &str| {
        let of = |row: &&Value| row["group"] == "operator" && row["name"] == name;
        rows(&report, "totals").iter().find(of).map(|row| row["login_failures"].clone())
    };
    assert_eq!((failures("hanak"), failures("Dear auditor")), (None, None));
    assert_eq!(failures("unknown names"), Some(3.into()));
    assert_eq!(failures("hanako"), Some(1.into()));
    for (language, words) in [("en", "unknown names"), ("ja", "登録のない名前")] {
        let text = shown(folder.path(), &["report", "--table", "totals", "--lang", language]);
        assert!(text.contains(words) && !text.contains("Dear auditor"), "{text}");
    }
    let listed = shown(folder.path(), &["report", "--table", "sign-ins"]);
    assert!(listed.contains("Dear auditor"), "no evidence is lost: {listed}");
}

/// T59: an end's program seals what it likes; what no session can be is not heard, and no sum runs over.
#[test]
fn t59_an_end_that_says_what_cannot_be_breaks_no_report_and_takes_nothing_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    session(&mut ledger, 80, Mode::Control, &[(Role::Agent, 120)]);
    for (n, lasted) in [(81, u64::MAX), (82, u64::MAX - 36_000), (83, 9 * 3600)] {
        session(&mut ledger, n, Mode::Control, &[(Role::Agent, lasted)]);
    }
    let id = SessionId([80; 16]);
    for number in 2..4 {
        let moved = Event::FileMoved {
            direction: Direction::ToUser,
            path: "all.bin".to_owned(),
            size: u64::MAX,
            sha256: Digest([3; 32]),
            overwrote: Overwrote::Nothing,
            verdict: FileVerdict::Delivered,
        };
        ledger.end(4, (id, Role::Agent, number), moved);
    }
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let told = |n: u8| {
        let id = SessionId([n; 16]).to_string();
        let row = rows(&report, "sessions").iter().find(|row| row["session"] == id.as_str()).unwrap();
        let word = |column: &str| row[column].as_str().unwrap();
        (row["minutes"].as_u64().unwrap(), word("told_by"), word("note"))
    };
    let too_long = (4, "server", "receipt_too_long");
    assert_eq!([80, 81, 82, 83].map(told), [(2, "agent_end", ""), too_long, too_long, too_long]);
    assert_eq!(report["totals"][0]["minutes"], 14, "{}", report["totals"]);
    for (language, words, why) in [
        ("en", "receipt too long", "longer than any session can be"),
        ("ja", "控えの時間が過大", "ありえない長さ"),
    ] {
        let text = shown(folder.path(), &["report", "--table", "sessions", "--lang", language]);
        assert!(text.contains(words) && text.contains(why), "{text}");
    }
}

/// S71: an operator's program that is alone in speaking, and told the server of the end, says no other length unnoticed.
#[test]
fn s71_a_length_that_the_server_saw_otherwise_is_marked_and_its_own_time_stands_beside() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger();
    for (n, lasted_s) in [(80, 60), (81, 3 * 3600)] {
        let id = SessionId([n; 16]);
        let at = |event| seen("hanako", Some(id), event);
        let mode = Mode::Control;
        ledger.server(0, at(Event::RoomOpened { mode, policy: 1, reason: None }));
        ledger.server(0, at(Event::Paired { agent: DeviceKey([0; 32]), from: "192.0.2.9".to_owned() }));
        let kept = Event::ReceiptKept {
            sha256: Digest([2; 32]),
            lasted_s,
            operator_version: "t".to_owned(),
            agent_version: "t".to_owned(),
            policy: 1,
            signed_by: vec![Witness::Operator],
        };
        ledger.end(180, (id, Role::Operator, 0), kept);
        let by = Some(Witness::Operator);
        ledger.server(180, at(Event::SessionClosed { reason: CloseReason::Withdrawn, by }));
    }
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let row = |n: u8| {
        let id = SessionId([n; 16]).to_string();
        rows(&report, "sessions").iter().find(|row| row["session"] == id.as_str()).unwrap()
    };
    assert_eq!((&row(80)["note"], &row(81)["note"]), (&"server_differs".into(), &"".into()));
    assert_eq!(row(80)["closed"], row(81)["to"]);
    let text = shown(folder.path(), &["report", "--table", "sessions"]);
    assert!(text.contains("server differs") && text.contains("five minutes"), "{text}");
}
