//! Whose the keys are: all go to the shown computer while its picture has the focus, and none before or after.

use std::thread;

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::Desktop,
    running::until,
    stack::{AgentWindow, OperatorWindow, Way},
};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, GrabMode, GrabStatus},
};

use super::{OWN_HAND, Room, USER, click_until_focused};

/// X's number of the letter A.
const A: u8 = 38;

/// T50: what was held when the focus went is let go.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t50_keys_are_grabbed_while_the_picture_has_the_focus_and_let_go_with_it() {
    let mut room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    assert!(is_free(&room.operator), "keys are grabbed before the picture has the focus");
    thread::sleep(OWN_HAND);
    let notes = &room.users_notes;
    let mut click = || window.click_at_host(USER, notes.middle);
    click_until_focused(&room.user, notes, OWN_HAND, &mut click).unwrap();
    until("the keys to be the picture's alone", || Ok((!is_free(&room.operator)).then_some(())))
        .unwrap();

    xdotool(&room.operator, &["keydown", "a"]);
    until("the key to be down at the host", || Ok(is_down(&room.user).then_some(()))).unwrap();
    room.operators_notes.take_keys(&room.operator).unwrap();
    until("the key to be let go of at the host", || Ok((!is_down(&room.user)).then_some(()))).unwrap();
    xdotool(&room.operator, &["keyup", "a"]);
    until("the keys to be free", || Ok(is_free(&room.operator).then_some(()))).unwrap();
    agent.end(&mut room.hand).unwrap();
}

fn is_down(desktop: &Desktop) -> bool {
    let display = desktop.connect().unwrap();
    let keys = display.query_keymap().unwrap().reply().unwrap().keys;
    keys[usize::from(A / 8)] & (1 << (A % 8)) != 0
}

/// Whether another program gets the keyboard, which it gives back at once.
fn is_free(desktop: &Desktop) -> bool {
    let display = desktop.connect().unwrap();
    let root = display.setup().roots[0].root;
    let (mode, now) = (GrabMode::ASYNC, x11rb::CURRENT_TIME);
    let grabbed = display.grab_keyboard(false, root, now, mode, mode).unwrap().reply().unwrap();
    display.ungrab_keyboard(now).unwrap().check().unwrap();
    grabbed.status == GrabStatus::SUCCESS
}

fn xdotool(desktop: &Desktop, arguments: &[&str]) {
    assert!(desktop.command("xdotool").args(arguments).status().unwrap().success());
}
