//! Consent is typed by a person after the question stood, and by nobody else (S29, S30, T2).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::server::{Behaviour, Server};
use support::{AGENT, OPERATOR, Running, number_of, program, run};
use tasuki_peer::shell::acquaintance::meet;
use tasuki_peer::shell::profile::Profile;
use tasuki_protocol::number::SessionNumber;

/// From then on an answer counts.
const OPEN: &str = "\"event\":\"question_open\"";

const PATIENCE_WITHOUT_SERVER: &str = "TASUKI_WITHOUT_SERVER_S";

struct Call {
    operator: Running,
    agent: Running,
    server: Server,
    folders: [tempfile::TempDir; 2],
}

fn set_up(profile: &Path, server: &Server) {
    std::fs::write(profile.join("tenant.json"), server.bundle()).unwrap();
}

fn sign_in(profile: &Path, server: &Server) {
    set_up(profile, server);
    let mut login = program(OPERATOR, profile);
    login.args(["login", "--operator", "hanako", "--password-stdin"]);
    assert_eq!(run(login, "secret\n").code, 0);
}

/// As far as the question of an organisation that was here before.
fn ring(typed_early: &str) -> Call {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let server = Server::start(Behaviour::Kind);
    sign_in(folders[0].path(), &server);
    set_up(folders[1].path(), &server);
    meet(&Profile::at(folders[1].path()), &server.root()).unwrap();
    ring_at(server, folders, typed_early)
}

/// No desktop is touched before the answer: the user's display is nowhere.
fn ring_at(server: Server, folders: [tempfile::TempDir; 2], typed_early: &str) -> Call {
    let mut open = program(OPERATOR, folders[0].path());
    open.args(["open", "--mode", "control", "--json"]).env(PATIENCE_WITHOUT_SERVER, "2");
    let operator = Running::at_pipe(open);
    let number = number_of(&operator);
    let mut agent = program(AGENT, folders[1].path());
    agent.arg("--json").env("DISPLAY", "elsewhere.invalid:0").env(PATIENCE_WITHOUT_SERVER, "2");
    let mut agent = Running::at_terminal(agent);
    agent.wait_for("12-digit");
    agent.say(&number);
    agent.type_in(typed_early);
    agent.wait_for("\"event\":\"question\"");
    Call { operator, agent, server, folders }
}

#[test]
fn t2_without_a_terminal_the_agent_refuses_before_it_dials() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path(), &Server::start(Behaviour::Kind));
    let mut command = program(AGENT, folder.path());
    command.args(["--no-desktop", "--number", "0000 0000 0000"]);
    let ended = run(command, "yes\nyes\n");
    support::assert_plain(&ended, 12, "terminal");
}

#[test]
fn s29_a_yes_typed_before_and_at_the_question_counts_for_nothing_and_the_next_line_decides() {
    let mut call = ring("yes\nyes\n");
    call.agent.say("yes");
    call.agent.type_in("yes");
    call.agent.wait_for(OPEN);
    assert!(!call.operator.all().contains("\"event\":\"consent\""), "{}", call.operator.all());
    call.agent.say("");
    call.operator.wait_for("\"granted\":[]");
    assert_eq!(call.operator.code(), 60);
    assert_eq!(call.agent.code(), 60);
    assert!(!call.agent.all().contains("You allowed"));
}

/// T2: as the window has it, whoever is being cheated on the phone reads what cheats say, and has time for it.
#[test]
fn t2_at_a_first_meeting_the_warning_stands_for_five_seconds_before_a_word_counts() {
    let call = loop {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let server = Server::start(Behaviour::Kind);
        sign_in(folders[0].path(), &server);
        set_up(folders[1].path(), &server);
        let mut call = ring_at(server, folders, "");
        let asked = Instant::now();
        // Longer than a later question needs.
        std::thread::sleep(Duration::from_millis(1500));
        call.agent.say("yes");
        // On a machine that had other things to do it was a yes in time.
        if asked.elapsed() < Duration::from_secs(4) {
            break call;
        }
    };
    let Call { mut operator, mut agent, server, folders } = call;
    agent.wait_for(OPEN);
    let said = agent.all();
    for warned in ["has never seen", "You called them yourself", "open your bank", "Ctrl+C"] {
        assert!(said.contains(warned) && !said.contains("You allowed"), "{warned}: {said}");
    }
    assert!(!operator.all().contains("\"event\":\"consent\""), "{}", operator.all());
    agent.say("yes");
    operator.wait_for("\"event\":\"consent\"");
    operator.close_input();
    let _ = (operator.code(), agent.code());
    // It is met now, and warned of all the same.
    let agent = ring_at(server, folders, "").agent;
    agent.wait_for(OPEN);
    let said = agent.all();
    assert!(said.contains("saw this computer's screen: 1") && said.contains("gift cards"), "{said}");
    assert!(!said.contains("has never seen"), "{said}");
}

#[test]
fn everything_but_yes_refuses() {
    let mut call = ring("");
    call.agent.wait_for(OPEN);
    call.agent.say("y");
    call.agent.wait_for("You refused");
    call.operator.wait_for("user_refused");
    assert_eq!((call.operator.code(), call.agent.code()), (60, 60));
}

#[test]
fn t10_a_yes_is_told_to_the_operator_with_the_rights_granted_and_looking_only_is_less() {
    let mut call = ring("");
    call.agent.wait_for(OPEN);
    call.agent.say("look");
    call.operator.wait_for("\"event\":\"consent\"");
    let said = call.operator.all();
    assert!(said.contains("see_screen") && !said.contains("\"operate\""), "{said}");
    call.agent.wait_for("You allowed looking only");
}

#[test]
fn s31_the_operators_end_of_input_withdraws_the_question() {
    let mut call = ring("");
    call.operator.close_input();
    assert_eq!(call.operator.code(), 0);
    call.agent.wait_for("withdrawn");
    call.agent.code();
    assert!(!call.agent.all().contains("You allowed"));
}

#[test]
fn s31_ctrl_c_at_the_question_refuses_at_once() {
    let mut call = ring("");
    call.agent.interrupt();
    call.operator.wait_for("user_refused");
    assert_eq!((call.operator.code(), call.agent.code()), (60, 60));
}

#[test]
fn s31_ctrl_c_before_anybody_came_is_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    sign_in(folder.path(), &server);
    let mut open = program(OPERATOR, folder.path());
    open.args(["open", "--mode", "view", "--json"]);
    let mut operator = Running::at_pipe(open);
    number_of(&operator);
    operator.interrupt();
    assert_eq!(operator.code(), 130);
}

#[test]
fn s31_a_server_that_dies_at_the_question_withdraws_it_and_is_named_as_the_reason() {
    let Call { mut operator, mut agent, server, folders: _folders } = ring("");
    server.die();
    agent.wait_for("\"event\":\"server_gone\"");
    agent.wait_for("withdrawn");
    assert_eq!(agent.code(), 67, "{}", agent.all());
    assert_eq!(operator.code(), 67, "{}", operator.all());
    assert!(!agent.all().contains("You allowed"));
}

#[test]
fn s34_an_operator_whose_server_dies_before_anybody_called_is_told_and_not_left_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    sign_in(folder.path(), &server);
    let mut open = program(OPERATOR, folder.path());
    open.args(["open", "--mode", "view"]).env(PATIENCE_WITHOUT_SERVER, "2");
    let mut operator = Running::at_pipe(open);
    operator.wait_for("Session number");
    server.die();
    assert_eq!(operator.code(), 67, "{}", operator.all());
    assert!(operator.all().contains("server"), "{}", operator.all());
}

#[test]
fn t4_s34_a_wrong_secret_is_told_at_both_ends_and_the_third_kills_the_number() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let server = Server::start(Behaviour::Kind);
    sign_in(folders[0].path(), &server);
    set_up(folders[1].path(), &server);
    let mut open = program(OPERATOR, folders[0].path());
    open.args(["open", "--mode", "control", "--json"]);
    let mut operator = Running::at_pipe(open);
    let number = number_of(&operator);
    for left in ["2", "1", "0"] {
        let mut agent = program(AGENT, folders[1].path());
        agent.args(["--no-desktop", "--number", &other_secret(&number)]);
        let mut agent = Running::at_terminal(agent);
        operator.wait_for(&format!("\"event\":\"wrong_number\",\"attempts_left\":{left}"));
        assert_eq!(agent.code(), 51, "{}", agent.all());
    }
    assert_eq!(operator.code(), 53, "{}", operator.all());
}

#[test]
fn s34_a_number_that_nobody_typed_in_time_ends_the_operators_program_with_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::ShortLivedNumbers);
    sign_in(folder.path(), &server);
    let mut open = program(OPERATOR, folder.path());
    open.args(["open", "--mode", "view", "--json"]);
    let mut operator = Running::at_pipe(open);
    number_of(&operator);
    assert_eq!(operator.code(), 52, "{}", operator.all());
}

/// The same locator, another secret, a right check digit.
fn other_secret(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(|c| *c != ' ').collect();
    let changed = if digits[6] == '0' { '1' } else { '0' };
    (b'0'..=b'9')
        .map(|check| {
            let mut typed = digits.clone();
            typed[6] = changed;
            typed[11] = char::from(check);
            typed.into_iter().collect::<String>()
        })
        .find(|typed| typed.parse::<SessionNumber>().is_ok())
        .unwrap()
}

/// One with a right check digit, that no server here has given out.
fn any_number() -> String {
    let numbers = (0..10).map(|check| format!("12345678901{check}"));
    numbers.into_iter().find(|number| number.parse::<SessionNumber>().is_ok()).unwrap()
}

/// What ends everything for an agent at its prompt: one sentence, and the code of it.
fn ended_at_its_prompt(server: &Server, meanwhile: impl FnOnce(&Server)) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path(), server);
    let mut command = program(AGENT, folder.path());
    command.arg("--no-desktop");
    let mut agent = Running::at_terminal(command);
    agent.wait_for("12-digit");
    meanwhile(server);
    agent.say(&any_number());
    let code = agent.code();
    agent.settle();
    (code, agent.all())
}

/// T14, T69: what is trusted is asked for at each session: an agent that stood at its prompt since Monday knows on
/// Thursday who was taken out on Tuesday, and that its organisation's file has ended.
#[test]
fn t14_t69_an_agent_that_has_waited_at_its_prompt_trusts_what_holds_when_the_number_is_typed() {
    let server = Server::start(Behaviour::Kind);
    let (code, said) = ended_at_its_prompt(&server, |server| server.tells((2, 1), 5, Some(5)));
    assert!(code == 21 && said.contains("is past its time"), "{code} {said}");
    let server = Server::start(Behaviour::Kind);
    let (code, said) = ended_at_its_prompt(&server, |server| server.tells((2, u64::MAX), 5, Some(4)));
    assert!(code == 21 && said.contains("does not show which operators' devices"), "{code} {said}");
}

/// T14: a server that leaves the list out that the bundle asks for, or shows an older one, names no operator to
/// whoever runs this program for the first time.
#[test]
fn t14_a_server_that_withholds_the_list_of_revoked_devices_gets_no_session_at_a_first_run() {
    for (shown, starts) in [(None, false), (Some(4), false), (Some(5), true), (Some(6), true)] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Behaviour::Kind);
        set_up(folder.path(), &server);
        server.tells((2, u64::MAX), 5, shown);
        let mut command = program(AGENT, folder.path());
        command.arg("--no-desktop").env("TASUKI_LANG", "en");
        let mut agent = Running::at_terminal(command);
        if starts {
            agent.wait_for("12-digit");
            continue;
        }
        let code = agent.code();
        agent.settle();
        let said = agent.all();
        assert!(code == 21 && said.contains("tasuki-admin key republish"), "{code} {said}");
        assert!(!said.contains("12-digit"), "{said}");
    }
}
