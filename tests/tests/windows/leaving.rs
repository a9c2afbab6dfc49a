//! What is left on the person's computer when a session is over.

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    running::until,
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{OPERATOR, Room, click_until_focused, keys};

/// T21: in Share the picture has all keys while it has the focus, and the end gives them back, whoever ends it.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t21_after_a_session_in_share_the_keyboard_is_free_for_other_programs() {
    let mut room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Share).unwrap();
    let (theirs, hand) = (&room.operators_notes, &mut room.hand);
    click_until_focused(&room.operator, &theirs.title, &mut || {
        agent.click_at_host(hand, OPERATOR, theirs.middle)
    });
    until("the picture to have all keys", || Ok((!keys::is_free(&room.user)).then_some(()))).unwrap();

    let mut stop = room.operator.command("xdotool");
    assert!(stop.args(["key", "ctrl+alt+shift+e"]).status().unwrap().success());
    room.session_after(0);
    until("the keyboard to be free", || Ok(keys::is_free(&room.user).then_some(()))).unwrap();
    let own = &room.users_notes;
    own.take_keys(&room.user).unwrap();
    room.hand.type_line("mine again").unwrap();
    own.wait_for("mine again").unwrap();
}
