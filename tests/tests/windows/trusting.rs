//! What the windows hear of keys that change while they are open.

use std::{path::PathBuf, thread};

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Ear, Hand, RETURN, Reader, SPACE, TAB, role},
    running::until,
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{OWN_HAND, Room, USER, injected, papers};

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
    each_comes_to_the_front(&room, &window, &agent);
    for kept in [&[][..], &["--drop-old"]] {
        room.house.administrate(&[&["key", "rotate", "manifest"], kept].concat()).unwrap();
    }
    let page = lets_him_look_alone(&window, (&agent, &hers), &mut room.hand);
    papers::it_grants_no_hand(&page);
    assert!(room.session_after(0).contains("\"ended_there\""));
}

/// S11: of what he asks for in Control she leaves out that he operates, before she says yes. He sees her screen, and no
/// click of his reaches it. S31, S97: from the number to the receipt she has nothing but her keyboard. Gives the receipt's
/// page.
fn lets_him_look_alone(
    window: &OperatorWindow<'_>,
    (agent, hers): (&AgentWindow<'_>, &Reader),
    hand: &mut Hand,
) -> PathBuf {
    let presses = |hand: &mut Hand, keys: &[u32], role, name: &str| {
        hers.walk_to(role, name, || hand.key(TAB)).unwrap();
        keys.iter().for_each(|key| hand.key(*key).unwrap());
    };
    let number = window.new_session(Mode::Control).unwrap();
    let digits = number.chars().filter(char::is_ascii_digit).map(u32::from);
    let keys: Vec<u32> = digits.chain([RETURN]).collect();
    presses(hand, &keys, role::ENTRY, "Session number");
    hers.wait_to_use(role::BUTTON, "I called them myself").unwrap();
    presses(hand, &[SPACE], role::BUTTON, "I called them myself");
    hers.wait_for(role::SWITCH, OPERATES).unwrap();
    presses(hand, &[SPACE], role::SWITCH, OPERATES);
    hers.wait_to_use(role::BUTTON, "Allow").unwrap();
    presses(hand, &[], role::BUTTON, "Allow");
    injected::a_slow_program_hears_late(agent, || hand.key(RETURN).unwrap());
    window.wait_for_picture(agent.desk()).unwrap();
    hers.hear("sees this screen  ·  for ").unwrap();
    thread::sleep(OWN_HAND);
    let ear = Ear::open(agent.desk()).unwrap();
    window.click_at_host(USER, THERE).unwrap();
    window.type_text("no hand").unwrap();
    assert_eq!(ear.heard().unwrap(), 0, "what was left out is done");
    let receipts = agent.receipts().unwrap();
    presses(hand, &[SPACE], role::BUTTON, "End now");
    let page = agent.over(&receipts).unwrap();
    hers.wait_for(role::LABEL, "You ended the session.").unwrap();
    for button in ["Open the receipt", "Save it"] {
        hers.walk_to(role::BUTTON, button, || hand.key(TAB)).unwrap();
    }
    page
}

/// Who starts a program again that is open somewhere below gets to it.
fn each_comes_to_the_front(room: &Room, window: &OperatorWindow<'_>, agent: &AgentWindow<'_>) {
    room.operators_notes.take_keys(&room.operator).unwrap();
    assert!(!window.is_in_front().unwrap());
    window.start_again(&room.house).unwrap();
    until("the operator's window in front", || Ok(window.is_in_front()?.then_some(()))).unwrap();
    room.users_notes.take_keys(&room.user).unwrap();
    assert!(!agent.is_in_front().unwrap());
    agent.start_again(&room.house).unwrap();
    until("the user's window in front", || Ok(agent.is_in_front()?.then_some(()))).unwrap();
}
