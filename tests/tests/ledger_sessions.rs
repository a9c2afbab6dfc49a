//! What both ends of a real session write into the ledger, and when the server gets it.

use std::{
    fs,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use tasuki_protocol::{ids::Role, rights::Mode};
use tasuki_tests::{
    desktop::{Desktop, Size},
    running::{Mark, Process, program, until},
    stack::{Desks, House, Session, Way, all_bytes_below, start_operator},
    tapping::encodings,
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
    list_until(house, name, |seen| witnesses.iter().all(|by| seen.contains(by)))
}

fn list_until(house: &House, name: &str, wanted: impl Fn(&[&str]) -> bool) -> Value {
    until("a checkpoint over the records", || {
        let list = house.administrate(&["audit", "list", "--last", "0"]).ok();
        Ok(list.filter(|list| wanted(&seen_by(list, name))))
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

    let policy = house.folder().join("policy.toml");
    fs::write(&policy, "[operator.hanako]\nchat = true\n").expect("written");
    house.administrate(&["policy", "set", policy.to_str().expect("a name")]).expect("published");
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
    assert_says_how_it_was_carried(records);
    assert_eq!(of("ended").expect("an end")["event"]["reason"], "operator_ended");
    let report = house.administrate(&["audit", "report"]).expect("a report");
    let total = &report["totals"][0];
    let counts = ["sessions", "consents", "consents_refused"].map(|column| total[column].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1)], "{report}");
}

/// S99: versions, ciphers, path and policy, of the session under the policy.
fn assert_says_how_it_was_carried(records: &[Value]) {
    let own = env!("CARGO_PKG_VERSION");
    for by in ["operator", "agent"] {
        let of = |name: &str| {
            let is = |r: &&Value| r["event"]["type"] == name && r["by"] == by;
            &records.iter().rfind(is).expect("a record")["event"]
        };
        let connected = of("connected");
        for cipher in ["data_cipher", "media_cipher"] {
            assert!(connected[cipher].as_str().expect("a cipher").contains("AESGCM"), "{connected}");
        }
        assert_eq!(connected["path"], "relayed", "{by}");
        let mut versions = [format!("tasuki {own}"), format!("tasuki-agentd {own}")];
        if by == "agent" {
            versions.reverse();
        }
        assert_eq!(
            [&connected["own_version"], &connected["peer_version"]],
            [&versions[0], &versions[1]]
        );
        let receipt = of("receipt_kept");
        assert_eq!(receipt["operator_version"], format!("tasuki {own}"), "{by}");
        assert_eq!(receipt["agent_version"], format!("tasuki-agentd {own}"), "{by}");
        for event in [connected, receipt] {
            assert_eq!(event["policy"], 1, "{by}: {event}");
        }
    }
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

/// F2, T17: a server is killed and started again; the sessions that run meanwhile are in its list, on whatever way, and
/// an administrator ends each within five seconds.
#[test]
fn f2_t17_sessions_that_outlive_a_killed_server_are_listed_taken_up_and_ended_by_an_administrator() {
    let (mut house, desks) = (House::set_up().expect("a house"), [desks(), desks()]);
    let ways = desks.iter().zip([Way::Direct, Way::Relayed]);
    let begin = |(desks, way)| Session::start(&house, desks, Mode::Control, way).expect("a session");
    let mut sessions: Vec<Session> = ways.map(begin).collect();
    let listed = |house: &House| {
        let list = house.administrate(&["session", "list"]).expect("a list");
        let list = list["sessions"].as_array().expect("sessions").iter().map(|one| {
            ["session", "operator", "mode", "stage"]
                .map(|key| one[key].as_str().expect("a word").to_owned())
        });
        list.collect::<Vec<_>>()
    };
    let as_they_were = listed(&house);
    let marks: Vec<Mark> = sessions.iter().map(|session| session.operator.log().mark()).collect();
    house.restart_server().expect("it comes up");
    assert_eq!((listed(&house), as_they_were.len()), (as_they_were.clone(), 2));
    // The path through the server died with it, and there is another one.
    let path = |e: &Value| e["event"] == "path_up" && e["path"] == "relayed";
    sessions[1].operator.event(marks[1], "a new path", path).expect("the session goes on");
    list_until(&house, "session_taken_up", |seen| seen.len() == 2);
    for (session, row) in sessions.iter_mut().zip(as_they_were) {
        assert!(session.agent.is_running() && session.operator.is_running());
        house.administrate(&["session", "end", &row[0], "--yes"]).expect("told");
        let told = Instant::now();
        let mark = Mark::default();
        let (ended, _) = session.agent.event(mark, "its end", |e| e["event"] == "ended").expect("told");
        assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
        assert_eq!(ended["reason"], "withdrawn", "{ended}");
        session.operator.wait_end().expect("it ends too");
    }
    assert!(listed(&house).is_empty());
    list_with(&house, "disconnected", &["operator", "agent"]);
}

/// S53: nobody answers for two minutes, and the record of the end that asked says that it was no answer.
#[test]
fn s53_a_question_that_nobody_answered_is_recorded_as_silence() {
    let (house, desks) = (House::set_up().expect("a house"), desks());
    let mut session = Session::ring(&house, &desks, Mode::View, Way::Auto).expect("a question");
    let silence = Duration::from_secs(180);
    session.agent.wait_end_within(silence).expect("it does not wait for ever");
    session.operator.wait_end().expect("it is told");
    let list = list_with(&house, "consent_answered", &["agent"]);
    let records = list["records"].as_array().expect("records").iter();
    let of_agent =
        |record: &&Value| record["event"]["type"] == "consent_answered" && record["by"] == "agent";
    let answers: Vec<&Value> =
        records.filter(of_agent).map(|record| &record["event"]["answer"]).collect();
    assert_eq!(answers, ["silent"], "{list}");
}

const CUSTOMER: &str = "canary-customer-suzuki";
const REASON: &str = "canary-reason-printer";
const CHAT: &str = "canary-chat-good-morning";
const PICTURE: &str = "canary-picture.png";

/// Control, for a customer who is named, with a picture taken, a line of chat and a right that is taken away.
fn eventful(house: &House, desks: &Desks) {
    let mut command = desks.operator.command(program("tasuki").expect("the program"));
    command.args(["open", "--mode", "control", "--path", "auto", "--json"]);
    command.args(["--customer", CUSTOMER, "--reason", REASON, "--profile"]).arg(house.profile());
    let operator = Process::start("tasuki", command).expect("it starts");
    let mut session = Session::ring_from(operator, house, desks, Mode::Control).expect("a question");
    session.answer("yes").expect("told");
    session.first_frame().expect("a picture");
    session.picture(&house.folder().join(PICTURE)).expect("kept");
    session.operator.say(&format!("chat {CHAT}")).expect("told");
    session.agent.wait_for(Mark::default(), CHAT).expect("read");
    for answer in ["yes", "no"] {
        let mark = session.operator.log().mark();
        session.agent.say("grant take operate").expect("told");
        let changed = |e: &Value| e["event"] == "rights_changed";
        session.operator.event(mark, "the right is taken", changed).expect("it is told");
        let (asking, asked) = (session.operator.log().mark(), session.agent.log().mark());
        session.operator.say("grant ask operate").expect("told");
        session.agent.event(asked, "question", |e| e["event"] == "asking").expect("asked");
        session.answer(answer).expect("told");
        session.operator.event(asking, "an answer", changed).expect("it is told");
        // What the other end can bring about as often as it likes is written once a second.
        std::thread::sleep(Duration::from_millis(1100));
    }
    session.end().expect("it ends");
}

/// S47, S53, T43, T63: what the ends saw of a session, and each right that was asked for, given and taken, stands there for who has the log key, and in nothing that
/// the server has: neither its folder with all its keys, nor a backup.
#[test]
fn s53_t63_a_sessions_customer_picture_and_taken_right_are_recorded_and_closed_to_the_server() {
    let (house, desks) = (House::set_up().expect("a house"), desks());
    eventful(&house, &desks);
    let list = list_with(&house, "receipt_kept", &["operator", "agent"]);
    let records = list["records"].as_array().expect("records");
    let of = |name: &str, by: &str| {
        let is = |r: &&Value| r["event"]["type"] == name && r["by"] == by;
        records.iter().find(is).unwrap_or_else(|| panic!("no {name} by {by}: {list}"))
    };
    assert_eq!(of("customer", "operator")["event"]["name"], CUSTOMER);
    of("screenshot_taken", "agent");
    let kept = of("screenshot_taken", "operator")["event"]["path"].to_string();
    assert!(kept.ends_with(&format!("{PICTURE}\"")), "where the operator's program has put it: {kept}");
    let of_rights = records.iter().filter(|r| {
        let name = r["event"]["type"].as_str().expect("a name");
        let is = name.starts_with("right_") || name == "refused";
        is && r["by"] == "agent" && r["event"]["right"] == "operate"
    });
    let rights: Vec<&str> = of_rights.filter_map(|r| r["event"]["type"].as_str()).collect();
    let expected =
        ["revoked", "asked", "granted", "revoked", "asked"].map(|word| format!("right_{word}"));
    assert_eq!(rights[..5], expected, "{list}");
    assert_eq!(rights[5..], ["refused"], "{list}");
    let report = house.administrate(&["audit", "report"]).expect("a report");
    assert!(report.to_string().contains(CUSTOMER), "{report}");

    let backup = house.folder().join("taken.backup");
    house.keep("backup", &backup).expect("made");
    let folder = all_bytes_below(&house.folder().join("server")).expect("the folder");
    let backup = fs::read(&backup).expect("the backup");
    for canary in [CUSTOMER, REASON, CHAT, PICTURE, "hanako", "Hanako Sato"] {
        for needle in encodings(canary.as_bytes()) {
            for bytes in [&folder, &backup] {
                let shown = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!shown, "{canary} as {:?}", String::from_utf8_lossy(&needle));
            }
        }
    }
}

/// T67: an agent that has seen more of the ledger than there is now says so in it, though the operator's program
/// knows nothing of before.
#[test]
fn t67_an_agent_notices_that_the_ledger_went_back_and_says_so_in_it() {
    let (mut house, desks) = (House::set_up().expect("a house"), desks());
    house.sign_in_administrator().expect("signed in");
    let backup = house.folder().join("yesterday.backup");
    house.keep("backup", &backup).expect("made");
    let mut session = Session::start(&house, &desks, Mode::View, Way::Auto).expect("a session");
    // What it delivers from here on is answered with a checkpoint of after the backup.
    list_with(&house, "connected", &["agent"]);
    session.end().expect("it ends");
    list_with(&house, "receipt_kept", &["operator", "agent"]);
    house.restore(&backup).expect("restored");
    for file in fs::read_dir(house.profile()).expect("a folder").flatten() {
        if file.file_name().to_string_lossy().starts_with("checkpoint") {
            fs::remove_file(file.path()).expect("forgotten");
        }
    }
    house.sign_in().expect("signed in again");
    let mut session = Session::start(&house, &desks, Mode::View, Way::Auto).expect("a session");
    session.end().expect("it ends");
    let taken_on = ["audit", "acknowledge-restore", "--reason", "the disk broke", "--yes"];
    house.administrate(&taken_on).expect("acknowledged");
    let list = list_with(&house, "ledger_rolled_back", &["agent"]);
    assert_eq!(seen_by(&list, "ledger_rolled_back"), ["agent"], "{list}");
}

/// T69: an agent comes in under every key that was changed since it was set up, though it is started each time with
/// the file that it was given at first.
#[test]
fn t69_an_agent_with_the_profile_of_before_connects_after_the_servers_key_and_the_root_were_changed() {
    let (house, desks) = (House::set_up().expect("a house"), desks());
    house.sign_in_administrator().expect("signed in");
    let given = house.folder().join("given.json");
    fs::copy(house.bundle(), &given).expect("the file");
    let connects = |when: &str| {
        house.sign_in().expect("the operator follows");
        let operator =
            start_operator(&house, &desks.operator, Mode::View, Way::Auto).expect("it starts");
        let number = operator.event(Mark::default(), "a number", |e| e["event"] == "number");
        let number = number.expect("a number").0["number"].as_str().expect("a text").to_owned();
        let mut command = desks.user.command(program("tasuki-agentd").expect("the program"));
        command.arg("--json").arg("--profile").arg(house.folder().join("agent"));
        command.arg("--tenant").arg(&given);
        let mut agent = Process::start_at_terminal("tasuki-agentd", &command).expect("it starts");
        agent.say(&number).expect("typed");
        let asked = agent.event(Mark::default(), "question", |e| e["event"] == "question");
        asked.unwrap_or_else(|error| panic!("{when}: {error:#}"));
    };
    connects("before");
    for step in [&["server"] as &[&str], &["server", "--finish"], &["root"], &["manifest"]] {
        house.administrate(&[&["key", "rotate", "--yes"], step].concat()).expect("rotated");
        connects(&step.join(" "));
    }
}

/// S44, T16: what this computer's owner forbids in `agent-max.toml` is in no question, has no effect, and a mode
/// that he forbids is not even asked about.
#[test]
fn s44_t16_an_agents_own_maximum_takes_away_from_the_question_and_from_the_session() {
    let (house, desks) = (House::set_up().expect("a house"), desks());
    let folder = house.folder().join("agent");
    fs::create_dir_all(&folder).expect("a folder");
    let maximum = folder.join("agent-max.toml");
    fs::write(&maximum, "modes = ['view']\nscreenshot = false\n").expect("written");
    let mut session = Session::ring(&house, &desks, Mode::View, Way::Auto).expect("a question");
    let question = session.agent.event(Mark::default(), "question", |e| e["event"] == "question");
    let grantable = question.expect("asked").0["grantable"].to_string();
    assert!(grantable.contains("see_screen") && !grantable.contains("screenshot"), "{grantable}");
    session.answer("yes").expect("told");
    session.first_frame().expect("a picture");
    let picture = house.folder().join("picture.png");
    session.operator.say(&format!("screenshot {}", picture.display())).expect("told");
    session.stats().expect("it goes on");
    session.end().expect("it ends");
    assert!(!picture.exists(), "the picture was kept all the same");

    let mut operator =
        start_operator(&house, &desks.operator, Mode::Control, Way::Auto).expect("it starts");
    let number = operator.event(Mark::default(), "a number", |e| e["event"] == "number");
    let number = number.expect("a number").0["number"].as_str().expect("a text").to_owned();
    let mut agent = tasuki_tests::stack::start_agent(&house, &desks.user).expect("it starts");
    agent.say(&number).expect("typed");
    operator.wait_end().expect("the operator's program is told, and ends");
    assert!(agent.events(Mark::default()).iter().all(|event| event["event"] != "question"));
}
