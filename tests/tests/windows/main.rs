//! Both windows on real desktops: the operator's in the hands of xdotool, the end user's in a hand that
//! is a device of its own to his display, since nothing else may consent.
//!
//! `./dev test` and `./dev windows` build the windows first and run this; they are a workspace of their own.

#![allow(clippy::unwrap_used)]

mod asked;
mod ending;
mod entering;
mod full_size;
mod idle;
mod injected;
mod keys;
mod late;
mod leaving;
mod lost;
mod papers;
mod past;
mod rights;
mod scaled;
mod showing;
mod silent;
mod tabs;
mod trusting;
mod versions;
mod wayland;

use std::{
    fs,
    path::PathBuf,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::{Duration, Instant},
};

use tasuki_protocol::{
    ids::Role,
    rights::{Capability, Mode},
};
use tasuki_tests::{
    desktop::{Desktop, Ear, Hand, Notepad, Reader, Size, connections_of},
    running::{Process, until},
    stack::{self, AgentWindow, House, OperatorWindow, Site, Way},
};
use x11rb::{
    COPY_DEPTH_FROM_PARENT,
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, CreateWindowAux, MapState, WindowClass},
};

const USER: (u16, u16) = (1280, 800);
/// Room for the operator's window, and beside it for what he shows.
const OPERATOR: (u16, u16) = (1760, 840);
/// Longer than a session waits for whose hand is on the mouse of the shown computer (T32).
const OWN_HAND: Duration = Duration::from_millis(2600);

/// Longer than a yes counts for nothing after a question came, and after a press that no hand did (T2).
const A_YES_COUNTS: Duration = Duration::from_millis(1200);

/// The bar, and the four sides of the frame, on the screen that an operator shows.
const FRAMED: usize = 5;
/// From consent to the first picture, where nothing is far.
const FIRST_PICTURE: Duration = Duration::from_secs(1);
/// A machine that is shared may be late, and not each time.
const TRIES: usize = 3;
/// Two desktops with four programs wait most of the time, and there may be as many of them as test threads. A test that
/// takes a time has the machine to itself.
static TURN: RwLock<()> = RwLock::new(());

/// Held as long as a test runs.
enum Turn {
    Shared { _of: RwLockReadGuard<'static, ()> },
    Alone { _of: RwLockWriteGuard<'static, ()> },
}

fn beside_others() -> Turn {
    Turn::Shared { _of: TURN.read().unwrap_or_else(PoisonError::into_inner) }
}

fn alone() -> Turn {
    Turn::Alone { _of: TURN.write().unwrap_or_else(PoisonError::into_inner) }
}

/// What the operator's window notes of its sessions.
fn sessions_of(house: &House) -> Vec<String> {
    let text = fs::read_to_string(house.profile().join("sessions.jsonl")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

struct Room {
    house: House,
    operator: Desktop,
    user: Desktop,
    hand: Hand,
    operators_notes: Notepad,
    users_notes: Notepad,
    _turn: Turn,
}

impl Room {
    fn furnish() -> Self {
        Self::furnish_in(beside_others())
    }

    fn furnish_in(turn: Turn) -> Self {
        Self::furnish_at((Site::here().unwrap(), [Vec::new(), Vec::new()]), turn)
    }

    /// Where the server is, and with which words in front the operator's and the user's programs are started.
    fn furnish_at((site, [his, hers]): (Site, [Vec<String>; 2]), turn: Turn) -> Self {
        let house = House::set_up_at(site).unwrap();
        let operator = Desktop::start(Size::new(OPERATOR.0, OPERATOR.1)).unwrap();
        let (user, hand) = Desktop::start_with_hand(Size::new(USER.0, USER.1)).unwrap();
        let (mut operator, mut user) = (operator.in_network(his), user.in_network(hers));
        let file = |name| house.folder().join(name);
        let operators = file("operators-notes.txt");
        let users = file("users-notes.txt");
        let operators_notes =
            Notepad::open(&mut operator, "Mine", "40x10+1320+300", &operators).unwrap();
        let users_notes = Notepad::open(&mut user, "Notes", "50x10+40+250", &users).unwrap();
        Self { house, operator, user, hand, operators_notes, users_notes, _turn: turn }
    }

    fn sessions(&self) -> Vec<String> {
        sessions_of(&self.house)
    }

    /// The next note after so many: the operator's window has heard of the end.
    fn session_after(&self, before: usize) -> String {
        let sessions = until("the operator's window to hear of the end", || {
            Ok(Some(self.sessions()).filter(|sessions| sessions.len() > before))
        });
        sessions.unwrap().swap_remove(before)
    }
}

/// Clicks until the window of this name has the keys.
fn click_until_focused(host: &Desktop, title: &str, click: &mut dyn FnMut() -> anyhow::Result<()>) {
    stack::click_until_focused(host, title, OWN_HAND, click).unwrap();
}

/// T33: a bar and the sides of a frame on the operator's screen, where that is what is shown.
fn what_is_shown_is_marked(window: &OperatorWindow<'_>, mode: Mode) {
    let marks = if mode.host() == Role::Operator { FRAMED } else { 0 };
    assert_eq!(window.marks().unwrap().len(), marks, "the operator's bar and frame in {mode}");
}

fn nothing_is_marked_any_more(window: &OperatorWindow<'_>) {
    until("the bar and the frame to go", || Ok(window.marks()?.is_empty().then_some(()))).unwrap();
}

/// Pictures of others' screens, keys and tokens are in their memory.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t68_neither_window_can_leave_a_core_dump() {
    let _turn = beside_others();
    let desk = Desktop::start(Size::new(USER.0, USER.1)).unwrap();
    for name in ["tasuki-operator", "tasuki-agent"] {
        let mut command = desk.command(stack::window_program(name).unwrap());
        command.args(["--mock", "list"]);
        let process = Process::start(name, command).unwrap();
        let limit = until("the limit", || {
            let limits = fs::read_to_string(format!("/proc/{}/limits", process.id()))?;
            let core = limits.lines().find(|line| line.starts_with("Max core file size"));
            let words: Vec<&str> = core.unwrap_or_default().split_whitespace().collect();
            Ok(words.get(4..6).is_some_and(|limits| limits == ["0", "0"]).then_some(()))
        });
        limit.unwrap();
    }
}

/// S1, S2, S14, S18, S19, S22, S24, S29, S31, S97: all five modes between the two windows, by clicks and keys
/// alone, each with its picture in a second, and a receipt that says what was.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s1_all_five_modes_between_the_two_windows_by_clicks_and_keys() {
    let mut room = Room::furnish_in(alone());
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let (mut pictures, mut both_signed) = (Vec::new(), false);
    for (before, mode) in Mode::ALL.into_iter().enumerate() {
        let agent = AgentWindow::open(&room.house, &room.user).unwrap();
        let began = papers::now();
        pictures.push(window.meet(&agent, &mut room.hand, mode).unwrap());
        thread::sleep(OWN_HAND);
        let line = format!("typed in {mode}");
        let may = mode.ceiling().has(Capability::Operate);
        let (host, notes) = match mode.host() {
            Role::Agent => (&room.user, &room.users_notes),
            Role::Operator => (&room.operator, &room.operators_notes),
        };
        let (text, ear) = (notes.text().unwrap(), Ear::open(host).unwrap());
        let hand = &mut room.hand;
        let mut click = || match mode.viewer() {
            Role::Operator => window.click_at_host(USER, notes.middle),
            Role::Agent => agent.click_at_host(hand, OPERATOR, notes.middle),
        };
        if may {
            click_until_focused(host, &notes.title, &mut click);
        } else {
            click().unwrap();
        }
        match mode.viewer() {
            Role::Operator => {
                window.type_text(&line).unwrap();
                window.key("Return").unwrap();
            }
            Role::Agent => room.hand.type_line(&line).unwrap(),
        }
        if may {
            notes.wait_for(&line).unwrap();
        } else {
            assert_eq!(ear.heard().unwrap(), 0, "input reached the host in {mode}");
            assert_eq!(notes.text().unwrap(), text);
        }
        assert_eq!(agent.bar().unwrap().is_some(), mode.host() == Role::Agent, "the bar in {mode}");
        what_is_shown_is_marked(&window, mode);
        let kept = usize::from(mode.viewer() == Role::Agent);
        if kept > 0 {
            papers::a_picture_is_kept_as_the_screen_stands(&agent, &mut room.hand, &window);
        }
        if mode == Mode::Share {
            let (operator, user) = (&room.operator, &room.user);
            let (theirs, own) = (&room.operators_notes, &room.users_notes);
            keys::what_is_typed_elsewhere_stays_here((operator, theirs), (user, own), &mut room.hand);
        }

        let (page, by, noted) = ended_in(mode, &window, &agent, &mut room.hand);

        nothing_is_marked_any_more(&window);
        both_signed |= papers::it_says_what_was(&page, (mode, by), kept, &began);
        let last = room.session_after(before);
        let operators = fs::read_dir(room.house.profile().join("receipts")).unwrap();
        assert_eq!(operators.count(), before + 1, "the operator's window keeps its own");
        assert!(last.contains(noted) && last.contains(mode.name()), "{last}");
    }
    assert!(both_signed, "in five sessions no receipt has both names");
    pictures_come_in_a_second((&room.house, &room.user, &mut room.hand), &window, &pictures);
    papers::the_record_has_pictures_of_the_operators_screen(&room.house, 2);
}

/// In Show by the button of the operator's page, else by the person's. Gives the receipt's page, who ended it, and what
/// the operator's window notes of that.
fn ended_in(
    mode: Mode,
    window: &OperatorWindow<'_>,
    agent: &AgentWindow<'_>,
    hand: &mut Hand,
) -> (PathBuf, Role, &'static str) {
    if mode != Mode::Show {
        return (agent.end(hand).unwrap(), Role::Agent, "\"ended_there\"");
    }
    let receipts = agent.receipts().unwrap();
    window.press_end().unwrap();
    (agent.over(&receipts).unwrap(), Role::Operator, "\"ended_here\"")
}

/// In each mode at best, after the one that was seen already.
fn pictures_come_in_a_second(
    (house, user, hand): (&House, &Desktop, &mut Hand),
    window: &OperatorWindow<'_>,
    seen: &[Duration],
) {
    for (mode, first) in Mode::ALL.into_iter().zip(seen) {
        let mut took = vec![*first];
        while took.len() < TRIES && took.iter().min() >= Some(&FIRST_PICTURE) {
            let agent = AgentWindow::open(house, user).unwrap();
            took.push(window.meet(&agent, hand, mode).unwrap());
            agent.end(hand).unwrap();
        }
        eprintln!("from Allow to the picture in {mode}: {took:.0?}");
        assert!(took.iter().min() < Some(&FIRST_PICTURE), "{mode}: {took:?}");
    }
}

/// Keys go by their place: with the same layout at both ends every letter arrives as typed. And S7, T2, T17: what
/// is left of the session once the person takes the right to type back.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s2_what_is_typed_into_the_window_arrives_with_us_jp_de_and_fr_layouts() {
    let mut room = Room::furnish();
    let mut window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let hers = Reader::start().unwrap();
    let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &[])).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    thread::sleep(OWN_HAND);
    let notes = &room.users_notes;
    click_until_focused(&room.user, &notes.title, &mut || window.click_at_host(USER, notes.middle));
    keys::each_layout_types_its_letters(&room.operator, &room.user, &window, notes);
    let (profile, hand) = (room.house.profile(), &mut room.hand);
    rights::who_looks_is_lent_control_until_it_is_taken_back(
        &profile,
        notes,
        &mut window,
        (&agent, &hers),
        hand,
    );
    let page = agent.end(hand).unwrap();
    papers::it_lists_what_was_lent_and_taken_back(&page);
}

/// T33: the bar of a session is seen, or there is no session. T2: and none begins by presses that no hand did.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t33_a_bar_that_is_covered_or_put_away_comes_back_and_one_that_is_killed_ends_the_session() {
    let mut room = Room::furnish();
    let (hers, his) = (Reader::start().unwrap(), Reader::start().unwrap());
    let window =
        OperatorWindow::open_read(&room.house, &room.operator, Way::Auto, (&his, &[])).unwrap();
    let mut agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::View).unwrap();
    let display = room.user.connect().unwrap();
    let root = display.setup().roots[0].root;
    let bar = agent.bar().unwrap().unwrap().id;
    let is_seen = || -> anyhow::Result<Option<()>> {
        let is_mapped = |window| -> anyhow::Result<bool> {
            let facts = display.get_window_attributes(window)?.reply();
            Ok(facts.is_ok_and(|facts| facts.map_state == MapState::VIEWABLE))
        };
        let stack = display.query_tree(root)?.reply()?.children;
        for above in stack.iter().rev().take_while(|window| **window != bar) {
            if is_mapped(*above)? {
                return Ok(None);
            }
        }
        Ok(is_mapped(bar)?.then_some(()))
    };

    let cover = display.generate_id().unwrap();
    let aux = CreateWindowAux::new().override_redirect(1).background_pixel(0);
    let kind = WindowClass::INPUT_OUTPUT;
    display
        .create_window(COPY_DEPTH_FROM_PARENT, cover, root, 0, 0, 1280, 200, 0, kind, 0, &aux)
        .unwrap();
    display.map_window(cover).unwrap().check().unwrap();
    until("the covered bar to be on top again", is_seen).unwrap();
    display.unmap_window(bar).unwrap().check().unwrap();
    until("the bar that was put away to be seen again", is_seen).unwrap();
    assert!(room.sessions().is_empty(), "the session goes on");

    display.destroy_window(bar).unwrap().check().unwrap();
    let heard = room.session_after(0);
    assert!(heard.contains("\"ended_there\""), "{heard}");
    assert!(agent.process.is_running(), "the window tells what happened");
    display.destroy_window(cover).unwrap().check().unwrap();

    drop(agent);
    let mut agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &[])).unwrap();
    agent.enter(&mut room.hand, &window.new_session(Mode::View).unwrap()).unwrap();
    injected::five_hundred_presses_do_nothing((&agent, &hers), &his);
    let hand = &mut room.hand;
    injected::what_is_heard_late_is_no_yes_of_hers(hand, (&agent, &hers), (&window, &his));
    let heard = room.session_after(1);
    assert!(heard.contains("\"refused\""), "{heard}");
    injected::her_own_click_begins_it(&mut room.hand, (&agent, &hers));
    window.wait_for_picture(&room.user).unwrap();
    let bar = agent.bar().unwrap().unwrap().id;
    // As xkill does: the display throws the program's windows out, and the bar among them.
    display.kill_client(bar).unwrap().check().unwrap();
    let killed = Instant::now();
    let heard = room.session_after(2);
    eprintln!("the operator's window heard of it {:.0?} later", killed.elapsed());
    assert!(heard.contains("\"ended_there\""), "the last words of the user's program: {heard}");
    agent.process.wait_end().unwrap();
    assert_eq!(connections_of(&room.user, agent.process.id()).unwrap(), 0);
    let said = agent.process.log().tail(50);
    assert!(!said.contains("panicked"), "{said}");
}
