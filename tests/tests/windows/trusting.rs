//! What the windows hear of keys that change while they are open.

use tasuki_protocol::rights::Mode;
use tasuki_tests::stack::{AgentWindow, OperatorWindow, Way};

use super::Room;

/// T17, T69: the user's window has the file of before, and asks for what is newer at each number.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t17_t69_new_keys_that_sign_sessions_reach_a_users_window_that_is_open() {
    let mut room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let agent = AgentWindow::open(&room.house, &room.user).unwrap();
    for kept in [&[][..], &["--drop-old"]] {
        room.house.administrate(&[&["key", "rotate", "manifest"], kept].concat()).unwrap();
    }
    window.meet(&agent, &mut room.hand, Mode::View).unwrap();
    agent.end(&mut room.hand).unwrap();
    assert!(room.session_after(0).contains("\"ended_there\""));
}
