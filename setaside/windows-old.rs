//! The operator's window on a real desktop, used by clicks and keys, against an agent on another.
//!
//! `./dev test` and `./dev windows` build the windows first and run this; they are a workspace of their own.

#![allow(clippy::unwrap_used)]

use std::{thread, time::Duration};

use tasuki_protocol::{
    ids::Role,
    rights::{Capability, Mode},
};
use tasuki_tests::{
    desktop::{Desktop, Ear, Notepad, Size, nudge_pointer},
    stack::{House, OperatorWindow, WINDOW, Way, set_layout},
};

const HOST: (u16, u16) = (1280, 800);

struct Room {
    house: House,
    operator: Desktop,
    user: Desktop,
    notes: Notepad,
}

impl Room {
    fn furnish() -> Self {
        let house = House::set_up().unwrap();
        let operator = Desktop::start_bare(Size::new(WINDOW.0, WINDOW.1)).unwrap();
        let mut user = Desktop::start(Size::new(HOST.0, HOST.1)).unwrap();
        let file = house.folder().join("notes.txt");
        let notes = Notepad::open(&mut user, "Notes", "50x10+40+250", &file).unwrap();
        nudge_pointer(&user, notes.middle.0, notes.middle.1).unwrap();
        Self { house, operator, user, notes }
    }
}

/// S1, S2, S14, S18, S24: all five modes from the window, by clicks and keys alone.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s1_the_operators_window_holds_all_five_modes_by_clicks_and_keys() {
    let room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    for mode in Mode::ALL {
        let mut agent = window.connect(&room.house, &room.user, mode).unwrap();
        if mode.viewer() == Role::Operator {
            let ear = Ear::open(&room.user).unwrap();
            let before = room.notes.text().unwrap();
            window.click_at_host(HOST, room.notes.middle).unwrap();
            let line = format!("typed in {mode}");
            window.type_text(&line).unwrap();
            window.key("Return").unwrap();
            if mode.ceiling().has(Capability::Operate) {
                room.notes.wait_for(&line).unwrap();
            } else {
                assert_eq!(ear.heard().unwrap(), 0, "input reached the host in {mode}");
                assert_eq!(room.notes.text().unwrap(), before);
            }
        }
        window.end(&mut agent).unwrap();
    }
}

/// Keys go by their place: with the same layout at both ends every letter arrives as typed.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s2_what_is_typed_into_the_window_arrives_with_us_jp_de_and_fr_layouts() {
    let room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let mut agent = window.connect(&room.house, &room.user, Mode::Control).unwrap();
    window.click_at_host(HOST, room.notes.middle).unwrap();
    for (layout, line) in [
        ("us", "The quick {brown} fox; 100% [ok] @home"),
        ("jp", "@^[]:;_ kana 123 \\"),
        ("de", "zy ä ö ü ß + # < > 'yes'"),
        ("fr", "azerty & é \" ( - è _ ç à ) = 123"),
    ] {
        set_layout(&room.operator, layout).unwrap();
        set_layout(&room.user, layout).unwrap();
        thread::sleep(Duration::from_millis(400));
        window.type_text(line).unwrap();
        window.key("Return").unwrap();
        room.notes.wait_for(line).unwrap();
    }
    window.end(&mut agent).unwrap();
}
