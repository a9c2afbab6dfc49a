//! What the windows hear of keys that change while they are open.

use std::{path::PathBuf, thread};

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Ear, Hand, Reader, role},
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{OWN_HAND, Room, USER, papers};

/// How the right to operate is called in the question.
const OPERATES: &str = "The operator uses your mouse and keyboard";
/// On the user's screen, with nothing on it.
const THERE: (i16, i16) = (1100, 300);

/// T17, T69: the user's window has the file of before, and asks for what is newer at each number.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t17_t69_new_keys_that_sign_sessions_reach_a_users_window_that_is_open() {
    let mut room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let hers = Reader::start().unwrap();
    let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &[])).unwrap();
    for kept in [&[][..], &["--drop-old"]] {
        room.house.administrate(&[&["key", "rotate", "manifest"], kept].concat()).unwrap();
    }
    let page = lets_him_look_alone(&window, (&agent, &hers), &mut room.hand);
    papers::it_grants_no_hand(&page);
    assert!(room.session_after(0).contains("\"ended_there\""));
}

/// S11: of what he asks for in Control she leaves out that he operates, before she says yes. He sees her screen, and no
/// click of his reaches it. Gives the receipt's page.
fn lets_him_look_alone(
    window: &OperatorWindow<'_>,
    (agent, hers): (&AgentWindow<'_>, &Reader),
    hand: &mut Hand,
) -> PathBuf {
    let number = window.new_session(Mode::Control).unwrap();
    agent.enter(hand, &number).unwrap();
    agent.called_them(hand, hers).unwrap();
    hers.wait_for(role::SWITCH, OPERATES).unwrap();
    agent.click_at(hand, hers, role::SWITCH, OPERATES).unwrap();
    agent.allow(hand).unwrap();
    window.wait_for_picture(agent.desk()).unwrap();
    hers.hear("sees this screen  ·  for ").unwrap();
    thread::sleep(OWN_HAND);
    let ear = Ear::open(agent.desk()).unwrap();
    window.click_at_host(USER, THERE).unwrap();
    window.type_text("no hand").unwrap();
    assert_eq!(ear.heard().unwrap(), 0, "what was left out is done");
    agent.end(hand).unwrap()
}
