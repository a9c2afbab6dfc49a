//! `audit report`: its counts are those of the records (S54).

use std::collections::BTreeMap;

use serde_json::Value;
use tasuki_protocol::consent::Answer;
use tasuki_protocol::ids::{DeviceKey, Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::words::{AdminAction, LockedOut, LoginFailure};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::CloseReason;

use crate::ledger::{Ledger, seen};
use crate::reading::{HOSTILE, PASSPHRASE, alter, file, json, ledger, run, shown};

/// A busy month: two operators, five customers, a mode after the other.
pub(crate) fn month() -> Ledger {
    let mut ledger = ledger();
    for count in 0..20_u8 {
        let (day, session) = (24 * 60 * u64::from(count), SessionId([50 + count; 16]));
        let operator = if count % 3 == 0 { "hanako" } else { "taro" };
        let mode = Mode::ALL[usize::from(count) % 5];
        let at = |event| seen(operator, Some(session), event);
        let nowhere = DeviceKey([0; 32]);
        ledger.server(day, at(Event::RoomOpened { mode, policy: 1, reason: None }));
        ledger.server(day + 1, at(Event::Paired { agent: nowhere, from: "192.0.2.9".to_owned() }));
        let name = format!("Customer {}{}", count % 5, if count % 5 == 0 { HOSTILE } else { "" });
        ledger.end(day + 2, (session, Role::Operator, 0), Event::Customer { name });
        let answer = if count % 4 == 0 { Answer::Refused } else { Answer::Accepted };
        let consent = Event::ConsentAnswered { mode, answer, granted: Rights::default() };
        ledger.end(day + 2, (session, Role::Agent, 0), consent.clone());
        // The operator's end saw the same, which is no second consent.
        ledger.end(day + 2, (session, Role::Operator, 1), consent);
        ledger.end(day + 3, (session, Role::Agent, 1), file(&format!("-{count}+report.txt")));
        let closed =
            Event::SessionClosed { reason: CloseReason::OtherEnd, by: Some(Witness::Operator) };
        ledger.server(day + 10, at(closed));
        let failed = Event::LoginFailed {
            account: operator.to_owned(),
            from: HOSTILE.to_owned(),
            device: nowhere,
            mac: None,
            why: LoginFailure::Password,
        };
        ledger.server(day + 11, seen(operator, None, failed));
    }
    let locked =
        Event::LockedOut { from: "192.0.2.1".to_owned(), until: 1, who: LockedOut::ThisDevice };
    ledger.server(99, seen("taro", None, locked));
    ledger.server(
        99,
        Entry::server(Event::AdminDid {
            admin: "@admin".to_owned(),
            action: AdminAction::OperatorUnlocked,
            target: "taro".to_owned(),
            detail: String::new(),
        }),
    );
    ledger
}

/// Which events the columns count, one each.
const COUNTED: [(&str, &str); 8] = [
    ("sessions", "paired"),
    ("files", "file_moved"),
    ("violations", "violation"),
    ("logins", "logged_in"),
    ("login_failures", "login_failed"),
    ("lockouts", "locked_out"),
    ("admin_acts", "admin_did"),
    ("screenshots", "screenshot_taken"),
];

pub(crate) fn rows<'a>(report: &'a Value, table: &str) -> &'a Vec<Value> {
    report[table].as_array().unwrap()
}

#[test]
fn s54_totals_agree_with_the_raw_records_and_each_grouping_with_the_totals() {
    let folder = tempfile::tempdir().unwrap();
    month().write(folder.path());
    let list = json(folder.path(), &["list", "--last", "0"]);
    let mut raw: BTreeMap<String, u64> = BTreeMap::new();
    for record in rows(&list, "records") {
        *raw.entry(record["event"]["type"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    for by in ["day", "week", "month"] {
        let report = json(folder.path(), &["report", "--by", by]);
        let total = &rows(&report, "totals")[0];
        assert_eq!(total["group"], "total");
        for (column, event) in COUNTED {
            let counted = raw.get(event).copied().unwrap_or_default();
            assert_eq!(total[column], counted, "{column}");
        }
        assert_eq!(
            total["consents"].as_u64().unwrap() + total["consents_refused"].as_u64().unwrap(),
            20
        );
        assert_eq!(total["minutes"], 20 * 9);
        for group in ["operator", "customer", "period", "mode"] {
            for (column, of_all) in total.as_object().unwrap().iter().filter(|(_, v)| v.is_u64()) {
                let groups = rows(&report, "totals").iter().filter(|row| row["group"] == group);
                let sum: u64 = groups.map(|row| row[column].as_u64().unwrap()).sum();
                assert_eq!(Some(sum), of_all.as_u64(), "{column} by {group}");
            }
        }
        assert_eq!(rows(&report, "files").len() as u64, raw["file_moved"]);
        assert_eq!(rows(&report, "sign_ins").len() as u64, raw["login_failed"] + raw["locked_out"]);
        assert_eq!(rows(&report, "violations").len(), 1);
        assert_eq!(rows(&report, "admin").len(), 1);
    }
}

/// A device certified under a name.
fn approved(operator: &str, device: u8, name: &str) -> Entry {
    let device = DeviceKey([device; 32]);
    Entry::server(Event::AdminDid {
        admin: "admin".to_owned(),
        action: AdminAction::DeviceApproved,
        target: operator.to_owned(),
        detail: format!("device={device}, modes=view control, until=9, name={name}"),
    })
}

/// A session in which somebody did not answer, one that was closed before he could, a number that nobody used, and one
/// that still runs.
fn odd_ones(ledger: &mut Ledger) {
    let nowhere = DeviceKey([0; 32]);
    for (n, events) in [
        (80, vec![Event::Ended { reason: EndReason::NobodyAnswered, by: Witness::Agent }]),
        (81, vec![]),
        (82, vec![]),
        (83, vec![]),
    ] {
        let session = SessionId([n; 16]);
        let at = |event| seen("hanako", Some(session), event);
        let reason = Some("=INC-2026-0042".to_owned());
        ledger.server(0, at(Event::RoomOpened { mode: Mode::View, policy: 1, reason }));
        if n != 82 {
            let paired = Event::Paired { agent: nowhere, from: "192.0.2.9".to_owned() };
            ledger.server(1, at(paired));
        }
        if n == 80 {
            let (mode, answer, granted) = (Mode::View, Answer::Silent, Rights::default());
            let silent = Event::ConsentAnswered { mode, answer, granted };
            ledger.end(2, (session, Role::Agent, 0), silent);
        }
        for event in events {
            ledger.end(2, (session, Role::Agent, 1), event);
        }
        if n != 83 {
            let closed = Event::SessionClosed { reason: CloseReason::Withdrawn, by: None };
            ledger.server(3, at(closed));
        }
    }
}

#[test]
fn s54_each_session_is_one_row_that_says_who_whom_why_with_whose_consent_and_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = month();
    ledger.server(0, approved("hanako", 1, "佐藤　花子"));
    odd_ones(&mut ledger);
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let (sessions, total) = (rows(&report, "sessions"), &rows(&report, "totals")[0]);
    assert_eq!(
        sessions.len() as u64,
        total["sessions"].as_u64().unwrap(),
        "20, and three of four more"
    );
    let sum = |column: &str| sessions.iter().map(|row| row[column].as_u64().unwrap()).sum::<u64>();
    assert_eq!(Some(sum("minutes")), total["minutes"].as_u64());
    assert_eq!(Some(sum("pictures")), total["screenshots"].as_u64());
    let having = |answer: &str| sessions.iter().filter(|row| row["answer"] == answer).count() as u64;
    assert_eq!(Some(having("accepted")), total["consents"].as_u64());
    assert_eq!(Some(having("refused") + having("silent")), total["consents_refused"].as_u64());

    let of = |n: u8| {
        let id = SessionId([n; 16]).to_string();
        sessions.iter().find(|row| row["session"] == id.as_str())
    };
    assert_eq!(of(82), None, "nobody used its number");
    let silent = of(80).unwrap();
    let told = |row: &Value| ["answer", "ended", "ended_by", "mode"].map(|column| row[column].clone());
    assert_eq!(told(silent), ["silent", "nobody_answered", "agent", "view"]);
    assert_eq!(told(of(81).unwrap()), ["ended_before", "withdrawn", "", "view"]);
    assert_eq!(told(of(83).unwrap()), ["", "still_running", "", "view"]);
    assert_eq!((silent["minutes"].clone(), silent["to"] != ""), (Value::from(2), true));
    assert_eq!(
        (&silent["operator"], &silent["display_name"]),
        (&"hanako".into(), &"佐藤　花子".into())
    );
    assert_eq!(silent["reason"], "=INC-2026-0042");

    let table = ["report", "--table", "sessions"];
    let text = shown(folder.path(), &[&table[..], &["--lang", "ja"]].concat());
    for words in ["回答なし", "回答前に終了", "継続中", "顧客側", "閲覧", "佐藤　花子", "保存画像"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let csv = shown(folder.path(), &[&table[..], &["--format", "csv"]].concat());
    assert_eq!(csv.lines().count(), sessions.len() + 1);
    assert!(csv.contains("'=INC-2026-0042") && csv.contains("nobody answered"), "{csv}");
    let page = shown(folder.path(), &["report", "--format", "html"]);
    assert!(page.contains("<th scope=\"col\">How it ended</th>"), "{page}");
}

fn signed_in(device: u8) -> Entry {
    let (from, device) = ("192.0.2.1".to_owned(), DeviceKey([device; 32]));
    seen("yuki", None, Event::LoggedIn { from, device, mac: None })
}

/// S54, S97: whoever reads a report reads the name that the customer read, also after the account has another; where its
/// computers have different ones, that of the computer at which it signed in.
#[test]
fn s54_s97_a_session_has_the_name_that_was_shown_in_it_and_what_was_granted_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, mut minute) = (ledger(), 0);
    let mut session = |ledger: &mut Ledger, n: u8, mode: Mode, granted: &[Capability], later: bool| {
        minute += 1;
        let (id, agent) = (SessionId([n; 16]), DeviceKey([0; 32]));
        let at = |event| seen("yuki", Some(id), event);
        ledger.server(minute, at(Event::RoomOpened { mode, policy: 1, reason: None }));
        ledger.server(minute, at(Event::Paired { agent, from: "192.0.2.9".to_owned() }));
        let (answer, granted) = (Answer::Accepted, Rights::of(granted));
        let consent = Event::ConsentAnswered { mode, answer, granted };
        ledger.end(minute, (id, Role::Agent, 0), consent);
        if later {
            let right = Capability::Operate;
            ledger.end(minute, (id, Role::Agent, 1), Event::RightGranted { right });
        }
    };
    let (see, both) = ([Capability::SeeScreen], [Capability::SeeScreen, Capability::Operate]);
    ledger.server(0, approved("yuki", 1, "Yuki Mori"));
    session(&mut ledger, 90, Mode::Control, &both, false);
    ledger.server(
        2,
        Entry::server(Event::AdminDid {
            admin: "admin".to_owned(),
            action: AdminAction::OperatorChanged,
            target: "yuki".to_owned(),
            detail: "name=Yuki Sato".to_owned(),
        }),
    );
    session(&mut ledger, 91, Mode::Control, &see, false);
    session(&mut ledger, 92, Mode::Control, &see, true);
    ledger.server(4, approved("yuki", 2, "Yuki Sato"));
    session(&mut ledger, 93, Mode::Share, &see, false);
    ledger.server(5, signed_in(2));
    session(&mut ledger, 94, Mode::View, &see, false);
    ledger.server(6, signed_in(1));
    session(&mut ledger, 95, Mode::Control, &see, false);
    // What a modified program of the operator's says of it is not what his customer's says.
    let right = Capability::Operate;
    ledger.end(6, (SessionId([95; 16]), Role::Operator, 0), Event::RightGranted { right });
    ledger.write(folder.path());
    let report = json(folder.path(), &["report"]);
    let told = |row: &Value| ["display_name", "mode", "granted"].map(|column| row[column].clone());
    let told: Vec<[Value; 3]> = rows(&report, "sessions").iter().map(told).collect();
    assert_eq!(
        told,
        [
            ["Yuki Mori", "control", "control"],
            ["Yuki Mori", "control", "view"],
            ["Yuki Mori", "control", "control"],
            ["Yuki Mori / Yuki Sato", "share", "show"],
            ["Yuki Sato", "view", "view"],
            ["Yuki Mori / Yuki Sato", "control", "view"],
        ]
        .map(|row| row.map(Value::from))
    );
    let text = shown(folder.path(), &["report", "--table", "totals", "--lang", "ja"]);
    let of_modes = text.lines().filter(|line| line.starts_with("モード"));
    let of_modes = of_modes.collect::<Vec<_>>().join("\n");
    assert!(of_modes.contains("閲覧") && !of_modes.contains("view"), "{text}");
}

#[test]
fn s54_a_report_of_one_operator_customer_or_period_counts_that_alone() {
    let folder = tempfile::tempdir().unwrap();
    month().write(folder.path());
    let sessions = |arguments: &[&str]| {
        let report = json(folder.path(), &[&["report"], arguments].concat());
        rows(&report, "totals")[0]["sessions"].as_u64().unwrap()
    };
    assert_eq!(sessions(&["--operator", "hanako"]), 7);
    assert_eq!(sessions(&["--operator", "taro"]), 13);
    assert_eq!(sessions(&["--customer", "Customer 1"]), 4);
    assert_eq!(sessions(&["--since", "2026-07-11", "--until", "2026-07-12"]), 2);
    assert_eq!(sessions(&["--operator", "nobody"]), 0);
}

#[test]
fn a_report_goes_into_a_new_file_and_overwrites_none() {
    let folder = tempfile::tempdir().unwrap();
    month().write(folder.path());
    let out = folder.path().join("july.html");
    let path = out.to_str().unwrap();
    let told = shown(folder.path(), &["report", "--format", "html", "--out", path]);
    assert!(told.contains("july.html"), "{told}");
    let written = std::fs::read_to_string(&out).unwrap();
    assert!(written.contains("</html>"));
    let again = run(folder.path(), &["report", "--format", "html", "--out", path], PASSPHRASE);
    assert_eq!(again.status.code(), Some(3));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), written);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
}

/// T64: a report over a changed record is made, as evidence, in each form, and nobody who reads the exit
/// code or the terminal takes it for true. What the record said is in none of them.
#[test]
fn t64_a_report_over_a_changed_record_is_made_and_said_not_to_be_relied_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut damaged = month();
    month().write(folder.path());
    let before = json(folder.path(), &["report"]);
    // Hanako's sign-in.
    alter(&mut damaged, 1);
    damaged.write(folder.path());
    let made = folder.path().join("made");
    let into_file = ["report", "--format", "csv", "--out", made.to_str().unwrap()];
    for arguments in [
        &["report"] as &[&str],
        &["report", "--json"],
        &["report", "--format", "csv"],
        &["report", "--format", "html"],
        &into_file,
    ] {
        let output = run(folder.path(), arguments, PASSPHRASE);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(10), "{arguments:?}: {said}");
        assert!(said.lines().count() == 1 && said.contains("record 1 was changed"), "{said}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
        if arguments.contains(&"--json") {
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let logins = |report: &Value| report["totals"][0]["logins"].as_u64().unwrap();
            assert_eq!(logins(&report) + 1, logins(&before), "{report}");
        }
    }
    assert!(std::fs::read_to_string(made).unwrap().lines().count() > 1);
}
