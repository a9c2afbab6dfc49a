//! One session of Control that is held, used by its own person and cut off, and stays one session.

use std::{fs, thread, time::Duration};

use rustix::process::Signal;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Painter, Reader, Rgb, role},
    running::{run, until},
    stack::{AgentWindow, House, OperatorWindow, Way, set_layout},
};
use x11rb::protocol::xproto::Rectangle;

use super::{OWN_HAND, Room, USER, click_until_focused, past, showing::seen};

/// On the user's screen, beside all that stands there and off the places at which pictures are compared.
const SHEET: Rectangle = Rectangle { x: 1060, y: 520, width: 160, height: 160 };
const FIRST: Rgb = [150, 30, 160];
const SECOND: Rgb = [110, 140, 10];
const THIRD: Rgb = [200, 120, 0];
/// So many pixels of the sheet are seen wherever it is shown.
const A_SHEET: usize = 4000;
/// Nothing stands there.
const EMPTY: (u16, u16) = (1240, 740);
/// Longer than a change takes to be seen.
const A_WHILE: Duration = Duration::from_secs(2);
const NOT_BY_HAND: &str = "Only a mouse or keyboard at this computer can press this button.";
const OWN_MOUSE: &str = "They are using the mouse themselves. Your input waits until they stop.";
const PAUSED: &str = "They have paused the session. Please wait.";

/// T33: the bar holds the picture, and lets it go on by a hand alone. T32: who uses his own mouse comes first, and it
/// is said. F3: what was cut comes back by itself, nobody is asked again, and the session is the same. S2: what is typed
/// as letters arrives where the other keyboard has other letters at those places.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn f3_t32_t33_s2_a_session_is_held_and_cut_off_and_goes_on_and_letters_arrive_as_typed() {
    let mut room = Room::furnish();
    types_letters(&room.house);
    let sheet = Painter::open(&room.user, SHEET).unwrap();
    let paint = |colour| {
        sheet.fill(Rectangle { x: 0, y: 0, ..SHEET }, colour).unwrap();
    };
    paint(FIRST);
    let (hers, his) = (Reader::start().unwrap(), Reader::start().unwrap());
    let window =
        OperatorWindow::open_read(&room.house, &room.operator, Way::Relayed, (&his, &[])).unwrap();
    let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &[])).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    let bar = hers.hear("sees and operates this screen  ·  for ").unwrap();
    assert!(!bar.contains("REC"), "nothing is recorded: {bar}");

    room.hand.click(agent.on_bar(&hers, "Pause").unwrap()).unwrap();
    his.hear(PAUSED).unwrap();
    hers.hear("  ·  paused").unwrap();
    paint(SECOND);
    thread::sleep(A_WHILE);
    let shown = |colour| seen(&room.operator, colour);
    assert!(shown(SECOND) == 0 && shown(FIRST) > A_SHEET, "the picture is held");
    no_program_lets_it_go_on(&room.user, &hers, &agent);
    until("a hand to let it go on", || {
        if his.heard(PAUSED).is_some() {
            room.hand.click(agent.on_bar(&hers, "Go on showing")?)?;
            thread::sleep(Duration::from_millis(500));
        }
        Ok(his.heard(PAUSED).is_none().then_some(()))
    })
    .unwrap();
    let shows = |now, before| {
        until("the sheet as it is now", || {
            Ok((shown(now) > A_SHEET && shown(before) == 0).then_some(()))
        })
        .unwrap();
    };
    shows(SECOND, FIRST);

    room.hand.click(EMPTY).unwrap();
    his.hear(OWN_MOUSE).unwrap();
    hers.hear("  ·  operator waits").unwrap();
    until("the operator's turn", || Ok(his.heard(OWN_MOUSE).is_none().then_some(()))).unwrap();

    thread::sleep(OWN_HAND);
    letters_arrive(&room, &window, &his);

    past::by_either_way_it_looks_the_same(&room.operator, (&window, &his), &agent);

    what_carries_it_is_told(&his, &paint);

    room.house.server.signal(Signal::STOP).unwrap();
    his.hear("Reconnecting").unwrap();
    hers.hear("  ·  interrupted").unwrap();
    paint(THIRD);
    room.house.server.signal(Signal::CONT).unwrap();
    shows(THIRD, SECOND);
    until("nothing to be interrupted", || {
        Ok((his.heard("Reconnecting").is_none() && hers.heard("interrupted").is_none()).then_some(()))
    })
    .unwrap();
    assert_eq!(hers.find(role::BUTTON, "Allow").unwrap(), None, "she is asked again");
    his.wait_for(role::LABEL, "Round trip: ").unwrap();
    type_there(&room, &window, "back again");
    assert!(room.sessions().is_empty(), "it is the same session");
    agent.end(&mut room.hand).unwrap();
}

/// By which way it goes, what seals it, and how much passes while something moves.
fn what_carries_it_is_told(his: &Reader, paint: &dyn Fn(Rgb)) {
    for words in ["Path: Through the relay", "Encryption: AES-256-GCM"] {
        his.wait_for(role::LABEL, words).unwrap();
    }
    his.hear("this program was started for the relay alone").unwrap();
    let mut colours = [FIRST, SECOND].into_iter().cycle();
    for (what, unit, none) in [("Pictures: ", " fps", "0 fps"), ("Rate: ", "bit/s", "0 kbit/s")] {
        until("a figure of what moves", || {
            colours.by_ref().take(2).for_each(paint);
            let told = his.find(role::LABEL, what)?.map(|told| told.name.replacen(what, "", 1));
            Ok(told.filter(|told| told.ends_with(unit) && told != none))
        })
        .unwrap();
    }
}

/// The operator's preference, before his window opens.
fn types_letters(house: &House) {
    let preferences = r#"{"language":"english","shade":"light","pictures":null,"keyboard":"letters",
        "grab":"all","user":""}"#;
    fs::write(house.profile().join("operator-window.json"), preferences).unwrap();
}

/// T2: an injected click at the bar's button.
fn no_program_lets_it_go_on(user: &Desktop, hers: &Reader, agent: &AgentWindow<'_>) {
    let (x, y) = agent.on_bar(hers, "Go on showing").unwrap();
    until("an injected press to be refused", || {
        let mut command = user.command("xdotool");
        command.args(["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
        run(command)?;
        thread::sleep(Duration::from_millis(300));
        Ok(hers.heard(NOT_BY_HAND))
    })
    .unwrap();
    assert!(hers.heard("  ·  paused").is_some(), "a program has let it go on");
}

/// By a keyboard with other letters than the host's, and as a whole text.
fn letters_arrive(room: &Room, window: &OperatorWindow<'_>, his: &Reader) {
    for (here, there, line) in
        [("de", "us", "äöü zy ß # +"), ("jp", "fr", "@^[]:;_ kana 123 \\"), ("us", "us", "as ever")]
    {
        set_layout(&room.operator, here).unwrap();
        set_layout(&room.user, there).unwrap();
        thread::sleep(Duration::from_millis(400));
        type_there(room, window, line);
    }
    signs_of_two_keys_arrive(room, window);
    window.click_at(his, role::BUTTON, "Type a text").unwrap();
    his.wait_for(role::ENTRY, "Text").unwrap();
    window.type_text("a whole text; 100%").unwrap();
    window.key("Return").unwrap();
    until("the text to be sent", || Ok(his.find(role::BUTTON, "Type it")?.is_none().then_some(())))
        .unwrap();
    end_line(room, window);
    room.users_notes.wait_for("a whole text; 100%").unwrap();
}

/// Those that AltGr makes, and those that a dead key makes of the next one, which the other keyboard has nowhere.
fn signs_of_two_keys_arrive(room: &Room, window: &OperatorWindow<'_>) {
    set_layout(&room.operator, "de").unwrap();
    set_layout(&room.user, "us").unwrap();
    thread::sleep(Duration::from_millis(400));
    type_there(room, window, "me@host | {a} [b] ~ \\ €");
    take_keys(room, window);
    // AltGr and the keys of Q and 7, then the dead ^ and ´ before A and E.
    window.strokes("keydown 108 key 24 key 16 keyup 108 key 49 38 key 21 26 key 36").unwrap();
    room.users_notes.wait_for("@{âé").unwrap();
}

/// A line into the user's notes, once they have the keys.
fn type_there(room: &Room, window: &OperatorWindow<'_>, line: &str) {
    take_keys(room, window);
    window.type_text(line).unwrap();
    window.key("Return").unwrap();
    room.users_notes.wait_for(line).unwrap();
}

fn end_line(room: &Room, window: &OperatorWindow<'_>) {
    take_keys(room, window);
    window.key("Return").unwrap();
}

fn take_keys(room: &Room, window: &OperatorWindow<'_>) {
    let notes = &room.users_notes;
    window.click_at_host(USER, notes.middle).unwrap();
    click_until_focused(&room.user, &notes.title, &mut || window.click_at_host(USER, notes.middle));
}
