//! What the programs log of a whole real session at their most talkative: nothing that is secret,
//! nothing that was said, and nobody's name (T68, S58).

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use tasuki_tests::{
    desktop::{Desktop, Size},
    running::{Mark, Process, Voice, program},
    stack::{House, an_answer_counts},
    tapping::encodings,
};

const SIZE: Size = Size::new(640, 480);
const CUSTOMER: &str = "canary-customer-Yamada-Trading";
const REASON: &str = "canary-reason-4711";
const CHAT: &str = "canary-words-of-the-chat";
const TYPED: &str = "canary-what-was-typed";

/// The lines of a log among what a program said.
fn log_of(process: &Process) -> Vec<String> {
    let levels = [" TRACE ", " DEBUG ", " INFO ", " WARN ", " ERROR "];
    let lines = process.log().since(Mark::default()).into_iter();
    let lines = lines.filter(|line| line.voice != Voice::Output).map(|line| line.text);
    let is_log = |line: &String| levels.iter().any(|level| line.contains(level));
    lines.filter(is_log).collect()
}

/// Whatever lies below a folder in files of keys and sign-ins.
fn keys_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            keys.extend(keys_below(&path));
        } else if path.extension().is_some_and(|end| end == "key") {
            let key = fs::read(&path).expect("readable");
            // A file of text holds its key line by line.
            let lines = String::from_utf8(key.clone()).unwrap_or_default();
            let lines = lines.lines().filter(|line| !line.starts_with('-') && line.len() >= 16);
            keys.extend(lines.map(|line| line.as_bytes().to_vec()));
            keys.extend(lines_of_base64(&key));
            keys.push(key);
        }
    }
    keys
}

fn lines_of_base64(key: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(key).ok()?;
    STANDARD.decode(text.trim()).ok()
}

struct Ends {
    operator: Process,
    agent: Process,
    number: String,
}

/// Goes as far as the first picture, with all that can be logged being logged.
fn session(house: &House, desks: &[Desktop; 2]) -> Ends {
    let mut command = desks[0].command(program("tasuki").expect("a program"));
    command.args(["open", "--mode", "control", "--json", "--log", "trace"]);
    command.args(["--customer", CUSTOMER, "--reason", REASON]);
    command.arg("--profile").arg(house.profile()).env("NO_COLOR", "1");
    let operator = Process::start("tasuki", command).expect("it starts");
    let (number, _) =
        operator.event(Mark::default(), "number", |e| e["event"] == "number").expect("a number");
    let number = number["number"].as_str().expect("text").to_owned();

    let mut command = desks[1].command(program("tasuki-agentd").expect("a program"));
    command.arg("--tenant").arg(house.bundle()).args(["--json", "--log", "trace"]);
    command.arg("--profile").arg(house.folder().join("agent")).env("NO_COLOR", "1");
    let mut agent = Process::start_at_terminal("tasuki-agentd", &command).expect("it starts");
    agent.say(&number).expect("said");
    agent.event(Mark::default(), "question", |e| e["event"] == "question").expect("a question");
    an_answer_counts(&agent, Mark::default()).expect("it can be answered");
    agent.say("yes").expect("said");
    operator.event(Mark::default(), "picture", |e| e["event"] == "first_frame").expect("a picture");
    Ends { operator, agent, number }
}

/// The most that a core dump of a running program may have.
fn core_limit(process: &Process) -> String {
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.id())).expect("it runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    core.split_whitespace().skip(4).take(2).collect::<Vec<_>>().join(" ")
}

/// Keys, tokens and pictures are in their memory.
#[test]
fn t68_no_running_program_can_leave_a_core_dump() {
    let house = House::set_up().expect("a house");
    let desks = [(); 2].map(|()| Desktop::start(SIZE).expect("a display"));
    let Ends { operator, agent, .. } = session(&house, &desks);
    for process in [&house.server, &operator, &agent] {
        assert_eq!(core_limit(process), "0 0", "{process:?}");
    }
}

#[test]
fn t68_no_secret_stands_in_the_most_talkative_logs_of_a_whole_session() {
    let mut house = House::set_up().expect("a house");
    house.restart_talkative_server().expect("it starts");
    house.sign_in().expect("a sign-in");
    house.sign_in_administrator().expect("a sign-in");
    let desks = [(); 2].map(|()| Desktop::start(SIZE).expect("a display"));
    let Ends { mut operator, mut agent, number } = session(&house, &desks);
    for command in [format!("chat {CHAT}"), "click 100 100".to_owned(), format!("type {TYPED}")] {
        operator.say(&command).expect("said");
    }
    agent.event(Mark::default(), "the chat", |e| e.to_string().contains(CHAT)).expect("it came");
    let sign_in = fs::read_to_string(house.profile().join("sign-in.json")).expect("a sign-in");
    let sign_in: serde_json::Value = serde_json::from_str(&sign_in).expect("JSON");
    let token = sign_in["token"].as_str().expect("a token").to_owned();
    operator.say("end").expect("said");
    for end in [&mut operator, &mut agent] {
        end.wait_end().expect("it ends");
    }
    house.administrate(&["audit", "list", "--last", "0"]).expect("the ledger");

    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let mut canaries: Vec<Vec<u8>> = [&token, &number, &digits, CUSTOMER, REASON, CHAT, TYPED]
        .map(|text| text.as_bytes().to_vec())
        .into();
    canaries.extend(house.secrets().map(|secret| secret.as_bytes().to_vec()));
    canaries.extend(keys_below(house.folder()));
    let needles = canaries.iter().flat_map(|canary| encodings(canary));
    // A log is text.
    let needles: Vec<String> = needles.filter_map(|needle| String::from_utf8(needle).ok()).collect();
    for (process, told) in
        [(&house.server, "session.paired"), (&operator, "path is up"), (&agent, "path is up")]
    {
        let log = log_of(process);
        assert!(log.iter().any(|line| line.contains(told)), "nothing of {told}: {log:#?}");
        for line in &log {
            for needle in &needles {
                assert!(
                    !line.contains(needle.as_str()),
                    "{}: {needle:?} stands in {line}",
                    process.name()
                );
            }
        }
    }
}
