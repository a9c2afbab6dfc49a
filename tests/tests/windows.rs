//! The operator's window on a real desktop, used by clicks and keys, against an agent on another.
//!
//! `./dev test` builds the windows first; they are a workspace of their own.

#![allow(clippy::unwrap_used)]

use std::{thread, time::Duration};

use tasuki_protocol::{
    ids::Role,
    rights::{Capability, Mode},
};
use tasuki_tests::{
    desktop::{Desktop, Ear, Notepad, Size, nudge_pointer},
    running::{Mark, Process, until},
    stack::{House, OperatorWindow, WINDOW, Way, set_layout, start_agent},
};

const HOST: (u16, u16) = (1280, 800);
/// Longer than an agent ignores what is typed at a fresh question.
const READING_TIME: Duration = Duration::from_millis(1200);

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

    /// From the window's number to the user's yes.
    fn connect(&self, window: &OperatorWindow<'_>, mode: Mode) -> Process {
        let number = window.new_session(mode).unwrap();
        let mut agent = start_agent(&self.house, &self.user).unwrap();
        agent.say(&number).unwrap();
        agent.event(Mark::default(), "question", |e| e["event"] == "question").unwrap();
        thread::sleep(READING_TIME);
        agent.say("yes").unwrap();
        let viewer_is_window = mode.viewer() == Role::Operator;
        if viewer_is_window {
            self.wait_for_picture(window);
        } else {
            agent.event(Mark::default(), "first frame", |e| e["event"] == "first_frame").unwrap();
        }
        agent
    }

    /// The user's wallpaper stands in the middle of the window: the picture is there.
    fn wait_for_picture(&self, window: &OperatorWindow<'_>) {
        until("the user's screen in the operator's window", || {
            let (host, seen) = (self.user.picture()?, window.picture()?);
            let near = |at: (usize, usize), place: (usize, usize)| {
                seen.is_near(place, host.at(at.0, at.1), 24)
            };
            // Two points of the host, and where Fit shows them.
            let (scale, left, top) = (0.84375, 142.0, 95.0);
            let shown = |(x, y): (usize, usize)| {
                ((left + x as f64 * scale) as usize, (top + y as f64 * scale) as usize)
            };
            Ok([(1200, 60), (1000, 700)].into_iter().all(|at| near(at, shown(at))).then_some(()))
        })
        .unwrap();
    }

    fn end(&self, window: &OperatorWindow<'_>, agent: &mut Process) {
        // The End button, then "End now" of its question.
        window.click(1220, 67).unwrap();
        window.click(758, 432).unwrap();
        agent.event(Mark::default(), "the end", |e| e["event"] == "ended").unwrap();
        agent.wait_end().unwrap();
    }
}

/// S1, S2, S14, S18, S24: all five modes from the window, by clicks and keys alone.
#[test]
#[ignore = "./dev test builds the windows and runs this"]
fn s1_the_operators_window_holds_all_five_modes_by_clicks_and_keys() {
    let room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    for mode in Mode::ALL {
        let mut agent = room.connect(&window, mode);
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
        room.end(&window, &mut agent);
    }
}

/// Keys go by their place: with the same layout at both ends every letter arrives as typed.
#[test]
#[ignore = "./dev test builds the windows and runs this"]
fn s2_what_is_typed_into_the_window_arrives_with_us_jp_de_and_fr_layouts() {
    let room = Room::furnish();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let mut agent = room.connect(&window, Mode::Control);
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
    room.end(&window, &mut agent);
}
