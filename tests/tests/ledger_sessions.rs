//! What both ends of a real session write into the ledger, and when the server gets it.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tasuki_protocol::{ids::Role, rights::Mode};
use tasuki_tests::{
    desktop::{Desktop, Size},
    running::until,
    stack::{Desks, House, Session, Way, start_operator},
};

const SIZE: Size = Size::new(640, 480);

fn desks() -> Desks {
    Desks {
        operator: Desktop::start(SIZE).expect("a display"),
        user: Desktop::start(SIZE).expect("a display"),
    }
}

/// Who saw events of one name, in their order.
fn seen_by<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    let records = list["records"].as_array().expect("records").iter();
    let of = records.filter(|record| record["event"]["type"] == name);
    of.map(|record| record["by"].as_str().expect("a witness")).collect()
}

fn list_with(house: &House, name: &str, witnesses: &[&str]) -> Value {
    until("a checkpoint over the records", || {
        let list = house.administrate(&["audit", "list", "--last", "0"]).ok();
        Ok(list.filter(|list| {
            let seen = seen_by(list, name);
            witnesses.iter().all(|by| seen.contains(by))
        }))
    })
    .expect("the records are there")
}

/// S53, S99, T10, T43: consent with the text that stood under it, paths with their ciphers, the end
/// and the receipt stand there from both ends, opened by the log key alone.
#[test]
fn both_ends_write_their_session_into_the_ledger() {
    let (house, desks) = (House::set_up().expect("a house"), desks());
    let mut refused = Session::ring(&house, &desks, Mode::Control, Way::Auto).expect("a question");
    refused.answer("no").expect("told");
    for role in [Role::Operator, Role::Agent] {
        refused.end_of_mut(role).wait_end().expect("it ends");
    }
    let list = list_with(&house, "consent_answered", &["operator", "agent"]);
    let records = list["records"].as_array().expect("records").iter();
    let answers = records.filter(|record| record["event"]["type"] == "consent_answered");
    assert!(answers.into_iter().all(|record| record["event"]["answer"] == "refused"), "{list}");

    let mut session = Session::start(&house, &desks, Mode::View, Way::Relayed).expect("a session");
    session.end().expect("it ends");
    let list = list_with(&house, "receipt_kept", &["operator", "agent"]);
    for name in ["consent_answered", "connected", "ended"] {
        for by in ["operator", "agent"] {
            assert!(seen_by(&list, name).contains(&by), "{name} by {by}: {list}");
        }
    }
    assert_eq!(seen_by(&list, "consent_asked"), ["agent"; 2], "who was asked knows what he read");
    assert_eq!(list["gaps"], Value::Array(Vec::new()));
    let records = list["records"].as_array().expect("records");
    let of = |name: &str| records.iter().rfind(|record| record["event"]["type"] == name);
    let connected = of("connected").expect("a path");
    assert!(connected["event"]["data_cipher"].as_str().expect("a cipher").contains("AESGCM"));
    assert_eq!(of("ended").expect("an end")["event"]["reason"], "operator_ended");
    let report = house.administrate(&["audit", "report"]).expect("a report");
    let total = &report["totals"][0];
    let counts = ["sessions", "consents", "consents_refused"].map(|column| total[column].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1)], "{report}");
}

/// F2, T65: what a server that died could not take is kept on disk, closed, and sent by the next
/// program.
#[test]
fn records_that_a_dead_server_missed_come_later() {
    let (mut house, desks) = (House::set_up().expect("a house"), desks());
    let mut session = Session::start(&house, &desks, Mode::View, Way::Direct).expect("a session");
    let kept = house.profile().join("ledger");
    until("everything so far to be taken", || {
        let folder = fs::read_dir(&kept).ok();
        Ok(folder.and_then(|mut folder| folder.next().is_none().then_some(())))
    })
    .expect("the server takes records while it lives");
    house.server.kill();
    session.operator.say("end").expect("told");
    for role in [Role::Operator, Role::Agent] {
        session.end_of_mut(role).wait_end().expect("it ends without a server");
    }
    let files: Vec<_> = fs::read_dir(&kept).expect("a folder").flatten().map(|f| f.path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = fs::read_to_string(&files[0]).expect("the file");
    assert!(!text.contains("operator_ended") && !text.contains("receipt_kept"), "it is closed");
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    let file = fs::File::options().write(true).open(&files[0]).expect("the file");
    file.set_modified(long_ago).expect("an older date");

    house.restart_server().expect("it comes up");
    let next = start_operator(&house, &desks.operator, Mode::View, Way::Direct).expect("the next");
    let list = list_with(&house, "receipt_kept", &["operator"]);
    assert!(seen_by(&list, "ended").contains(&"operator"), "{list}");
    assert_eq!(list["gaps"], Value::Array(Vec::new()));
    assert!(!files[0].exists(), "what was sent is not kept");
    drop(next);
}
