//! A picture that is not fitted into the window: larger than its part of it, or on all of the screen. And keys that a desktop
//! has for itself, where they are to stay.

use std::{fs, thread};

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Reader, pointer, role},
    running::until,
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{OWN_HAND, Room, USER, click_until_focused, keys::is_free, scaled::lands};

/// Near the edges of the user's screen, out of sight at full size while the other two are seen.
const CORNERS: [(i16, i16); 2] = [(1275, 795), (4, 796)];
const ANYWHERE: (i16, i16) = (1105, 612);

/// S2: each pixel of a screen that is larger than the window can be reached by who operates it.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s2_a_picture_at_full_size_is_led_to_its_corners_and_one_on_all_of_the_screen_is_clicked_in() {
    let mut room = Room::furnish();
    let his = Reader::start().unwrap();
    let window = OperatorWindow::open_read(&room.house, &room.operator, Way::Auto, (&his, &[]));
    let mut window = window.unwrap();
    let agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    thread::sleep(OWN_HAND);
    let notes = &room.users_notes;
    click_until_focused(&room.user, &notes.title, &mut || window.click_at_host(USER, notes.middle));

    his.press(role::BUTTON, "Show at full size, 1:1").unwrap();
    for corner in CORNERS {
        let mut last = (0, 0);
        // It is led there by a hand that stays at the edge, as long as that takes.
        until("a click in the corner", || {
            window.click_in_corner(USER, corner)?;
            thread::sleep(OWN_HAND / 4);
            last = pointer(&room.user)?;
            Ok((last == corner).then_some(()))
        })
        .unwrap_or_else(|why| panic!("{why:#}: at {last:?}, and aimed at {corner:?}"));
    }

    his.press(role::BUTTON, "Fit into the window").unwrap();
    his.press(role::BUTTON, "Full screen").unwrap();
    window.wait_to_fill().unwrap();
    window.click_in_picture(&his, USER, ANYWHERE).unwrap();
    lands(&room.user, ANYWHERE);
    agent.end(&mut room.hand).unwrap();
}

/// S2, T22: by the settings, and where letters are sent, in which no such key has one.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s2_t22_desktop_shortcuts_stay_at_the_operators_where_he_wants_it_and_where_letters_are_sent() {
    let mut room = Room::furnish();
    for (keyboard, grab) in [("places", "ownkeysonly"), ("letters", "all")] {
        let preferences = format!(
            r#"{{"language":"english","shade":"light","pictures":null,"keyboard":"{keyboard}","grab":"{grab}","user":""}}"#
        );
        fs::write(room.house.profile().join("operator-window.json"), preferences).unwrap();
        let before = room.sessions().len();
        let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
        let agent = AgentWindow::open(&room.house, &room.user).unwrap();
        window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
        thread::sleep(OWN_HAND);
        let notes = &room.users_notes;
        let click = &mut || window.click_at_host(USER, notes.middle);
        click_until_focused(&room.user, &notes.title, click);
        for line in ["its own keys", "and no others"] {
            let line = format!("{line} by {keyboard}");
            window.type_text(&line).unwrap();
            window.key("Return").unwrap();
            notes.wait_for(&line).unwrap();
            assert!(is_free(&room.operator), "{keyboard}, {grab}: every key is the picture's");
        }
        agent.end(&mut room.hand).unwrap();
        room.session_after(before);
    }
}
