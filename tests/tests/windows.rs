//! The windows on real desktops, by clicks and keys: the operator's in the hands of xdotool; the end user's
//! in a hand that is a device of its own to his display, since nothing else may consent.
//!
//! `./dev test` and `./dev windows` build the windows first and run this; they are a workspace of their own.

#![allow(clippy::unwrap_used)]

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tasuki_peer::shell::receipt;
use tasuki_protocol::{
    ids::Role,
    rights::{Capability, Mode},
};
use tasuki_tests::{
    desktop::{Desktop, Ear, Hand, Notepad, Size, connections_of, nudge_pointer},
    running::{Process, until},
    stack::{AgentWindow, House, OperatorWindow, WINDOW, Way, set_layout},
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

/// Where both have their windows.
struct TwoWindows {
    house: House,
    operator: Desktop,
    user: Desktop,
    hand: Hand,
}

impl TwoWindows {
    fn open_rooms() -> Self {
        let house = House::set_up().unwrap();
        let operator = Desktop::start(Size::new(WINDOW.0 + 40, WINDOW.1 + 40)).unwrap();
        let (user, hand) = Desktop::start_with_hand(Size::new(HOST.0, HOST.1)).unwrap();
        Self { house, operator, user, hand }
    }

    /// What the operator's window notes of its sessions.
    fn sessions(&self) -> Vec<String> {
        let text = fs::read_to_string(self.house.profile().join("sessions.jsonl")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The next note after so many: the operator's window has heard of the end.
    fn session_after(&self, before: usize) -> String {
        let sessions = until("the operator's window to hear of the end", || {
            Ok(Some(self.sessions()).filter(|sessions| sessions.len() > before))
        });
        sessions.unwrap().swap_remove(before)
    }
}

/// S31, S97: what a hand's press needs is on this computer alone. The receipt then has one name.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s31_end_needs_neither_server_nor_network_nor_the_operators_program() {
    let mut room = TwoWindows::open_rooms();
    let cases = [
        ("the server stopped", Way::Direct, false),
        // Everything passes through the server's relay, which is stopped.
        ("the network cut", Way::Relayed, false),
        ("the operator's program frozen", Way::Direct, true),
    ];
    for (before, (trouble, way, freezes_operator)) in cases.into_iter().enumerate() {
        let window = OperatorWindow::open(&room.house, &room.operator, way).unwrap();
        let agent = AgentWindow::open(&room.house, &room.user).unwrap();
        let rests = connections_of(&room.user, agent.process.id()).unwrap();
        window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
        let runs = connections_of(&room.user, agent.process.id()).unwrap();
        assert!(runs > rests, "{trouble}: {rests} connections before, {runs} while it is seen");
        let stopped: &Process = if freezes_operator { &window.process } else { &room.house.server };
        stopped.signal(Signal::STOP).unwrap();

        let receipts = agent.receipts().unwrap();
        agent.press_end(&mut room.hand).unwrap();
        let pressed = Instant::now();
        until("capture, injection and watching to be gone", || {
            Ok((connections_of(&room.user, agent.process.id())? <= rests).then_some(()))
        })
        .unwrap_or_else(|why| panic!("{trouble}: {why:#}"));
        eprintln!("End with {trouble}: nothing reads the screen {:.0?} later", pressed.elapsed());
        let page = agent.over(&receipts).unwrap();
        assert!(receipt::verify(&page).unwrap().signed_by.contains(&Role::Agent));
        // Only now does the other side live again.
        stopped.signal(Signal::CONT).unwrap();
        let heard = room.session_after(before);
        assert!(heard.contains("\"ended_there\"") || heard.contains("\"lost\""), "{trouble}: {heard}");
    }
}
