//! A question that gets no answer: nobody is there, or its window is closed.

use std::{
    thread,
    time::{Duration, Instant},
};

use tasuki_peer::core::setup::CONSENT_TIME_OUT;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Hand, Reader, connections_of, role},
    running::{Process, connected_of, until},
    stack::{AgentWindow, House, OperatorWindow, Way, free_port},
};

use super::{Room, late, sessions_of, showing::at_desktops};

/// Between two looks, for as long as nobody answers.
const PAUSE: Duration = Duration::from_secs(2);

/// S29, T1: of two sessions by a relay of its own, which is the one way for pictures, the first one's picture is late (S24);
/// at the second one's question nobody is there.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s29_t1_s24_a_picture_that_is_late_is_told_and_a_question_that_nobody_answers_is_no() {
    let mut room = Room::furnish();
    let relay = room.house.move_relay_out(free_port().unwrap()).unwrap();
    let (hers, his) = (Reader::start().unwrap(), Reader::start().unwrap());
    let window =
        OperatorWindow::open_read(&room.house, &room.operator, Way::Relayed, (&his, &[])).unwrap();
    let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &[])).unwrap();
    let (operators, users) = ((&window, &his), (&agent, &hers));
    late::is_told_as_such_until_it_comes(&mut room.hand, &relay, operators, users);
    agent.end(&mut room.hand).unwrap();
    room.session_after(0);
    nobody_is_there(&mut room.hand, &relay, operators, users);
    let noted = room.session_after(1);
    assert!(noted.contains("\"nobody_came\"") && noted.contains("view"), "{noted}");
}

/// As long as the question stands, and afterwards, nothing looks at a screen and nothing goes by the relay.
fn nobody_is_there(
    hand: &mut Hand,
    relay: &Process,
    (window, his): (&OperatorWindow<'_>, &Reader),
    (agent, hers): (&AgentWindow<'_>, &Reader),
) {
    hers.press(role::BUTTON, "Enter another number").unwrap();
    until("the session before to be gone", || Ok(connected_of(relay.id()).is_empty().then_some(())))
        .unwrap();
    let touched = || connections_of(agent.desk(), agent.process.id()).unwrap();
    let (rest, receipts) = (touched(), agent.receipts().unwrap());
    let number = window.new_session(Mode::View).unwrap();
    let began = Instant::now();
    agent.enter(hand, &number).unwrap();
    hers.wait_for(role::BUTTON, "Allow").unwrap();
    his.wait_for(role::LABEL, "Waiting for their answer").unwrap();
    let programs = [window.process.id(), agent.process.id()];
    let nothing_is_seen = || {
        assert_eq!(programs.map(at_desktops), [const { Vec::<String>::new() }; 2]);
        assert_eq!(connected_of(relay.id()), [], "somebody waits for pictures");
        assert_eq!(agent.bar().unwrap(), None);
    };
    while hers.find(role::BUTTON, "Allow").unwrap().is_some() {
        nothing_is_seen();
        assert!(began.elapsed() < CONSENT_TIME_OUT * 2, "it stands for ever");
        thread::sleep(PAUSE);
    }
    assert!(began.elapsed() > CONSENT_TIME_OUT, "she was hurried");
    for line in ["Nothing was shown.", "There was no answer, which counts as no."] {
        hers.wait_for(role::LABEL, line).unwrap();
    }
    his.wait_for(role::LABEL, "Nobody answered in time, which counts as no. Nothing was shown.")
        .unwrap();
    nothing_is_seen();
    until("the witness to go", || Ok((touched() == rest).then_some(()))).unwrap();
    assert_eq!(agent.receipts().unwrap(), receipts, "nothing was, and is signed");
}

/// S29, T1: who closes the window at the question says no. The operator reads it as that, and nothing has touched a screen.
pub(super) fn a_closed_window_is_no(
    house: &House,
    hand: &mut Hand,
    (window, his): (&OperatorWindow<'_>, &Reader),
    mut agent: AgentWindow<'_>,
) {
    agent.enter(hand, &window.new_session(Mode::Control).unwrap()).unwrap();
    his.wait_for(role::LABEL, "Waiting for their answer").unwrap();
    agent.close().unwrap();
    his.wait_for(role::LABEL, "The session was refused. Nothing was shown.").unwrap();
    agent.process.wait_end().unwrap();
    assert_eq!(agent.bar().unwrap(), None);
    assert_eq!(connections_of(agent.desk(), agent.process.id()).unwrap(), 0);
    assert_eq!(at_desktops(window.process.id()), Vec::<String>::new());
    until("the operator's note", || {
        let last = sessions_of(house).pop().unwrap_or_default();
        Ok((last.contains("\"refused\"") && last.contains("control")).then_some(()))
    })
    .unwrap();
}
