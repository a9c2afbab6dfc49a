//! The operator shows his screen: of two monitors the one he chooses, with a bar and a frame around it, held and let
//! go on from the bar.

use std::{thread, time::Duration};

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Hand, Painter, RETURN, Reader, Rgb, connections_of, role},
    running::{listening_of, threads_of, until},
    stack::{AgentWindow, Frame, OperatorWindow, Way, clipboard},
};
use x11rb::protocol::xproto::Rectangle;

use super::{FRAMED, OPERATOR, Room, silent, tabs::xrandr};

/// Where the second of two monitors begins on the operator's screen, beside his window.
const SECOND: i16 = 1320;
/// What stands on the first of them, on the second, and later there.
const ONE: Rgb = [200, 120, 0];
const OTHER: Rgb = [150, 30, 160];
const LATER: Rgb = [110, 140, 10];
/// So many pixels of a sheet are seen of it wherever it is shown.
const A_SHEET: usize = 2000;
/// Where the user's window has room to grow.
const ROOM: (i16, i16) = (140, 20);
/// Longer than a change of the shown screen takes to be seen.
const A_WHILE: Duration = Duration::from_secs(2);

/// S18, S26: nothing of the other monitor is in the picture, also when the one that was chosen is taken away. T1:
/// before the yes neither end touches a desktop. S90, T36: nobody can knock at either window. S29: whatever is no yes is no.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s18_t1_t33_t36_the_chosen_one_of_two_monitors_is_shown_and_marked_and_held_from_the_bar() {
    let mut room = Room::furnish();
    xrandr(&room.operator, "--setmonitor left 1320/349x840/222+0+0 screen");
    xrandr(&room.operator, "--setmonitor right 440/116x840/222+1320+0 none");
    let _one = sheet(&room.operator, Rectangle { x: 1283, y: 100, width: 30, height: 600 }, ONE);
    let other = Rectangle { x: 1340, y: 560, width: 400, height: 240 };
    let sheet_there = sheet(&room.operator, other, OTHER);
    let (hers, his) = (Reader::start().unwrap(), Reader::start().unwrap());
    let window =
        OperatorWindow::open_read(&room.house, &room.operator, Way::Auto, (&his, &[])).unwrap();
    let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &[])).unwrap();
    let programs = [window.process.id(), agent.process.id()];
    let touched = || {
        let desks = [&room.operator, &room.user];
        [0, 1].map(|end| connections_of(desks[end], programs[end]).unwrap())
    };
    nobody_can_knock(programs);

    let number = window.new_session(Mode::Share).unwrap();
    let rest = touched();
    by_link(&room, (&window, &his), (&agent, &hers), &number);
    room.hand.key(RETURN).unwrap();
    hers.wait_for(role::BUTTON, "Refuse").unwrap();
    // Beside her window's own there is the witness of hands, which listens twice.
    assert_eq!(touched(), [rest[0], rest[1] + 2], "connections while the question stands");
    assert_eq!(programs.map(at_desktops), [const { Vec::<String>::new() }; 2]);
    assert!(window.marks().unwrap().is_empty(), "marked before anybody sees it");
    agent.allow(&mut room.hand).unwrap();
    agent.put(ROOM).unwrap();
    shows(&room.user, ONE, OTHER);
    marked(&window, 0, SECOND);
    assert_eq!(at_desktops(programs[1]), Vec::<String>::new(), "who looks shows nothing");
    nobody_can_knock(programs);

    window.click_at(&his, role::RADIO_BUTTON, "2").unwrap();
    shows(&room.user, OTHER, ONE);
    marked(&window, SECOND, OPERATOR.0.cast_signed());

    window.click_at(&his, role::BUTTON, "Pause").unwrap();
    his.hear("Paused: they see the last picture").unwrap();
    window.click_at(&his, role::BUTTON, "Go on").unwrap();
    window.click_on_bar(&his, "Pause").unwrap();
    hers.hear("Paused by the operator: you see the last picture.").unwrap();
    sheet_there.fill(Rectangle { x: 0, y: 0, ..other }, LATER).unwrap();
    thread::sleep(A_WHILE);
    assert!(seen(&room.user, LATER) == 0 && seen(&room.user, OTHER) > A_SHEET, "it is held");
    window.click_on_bar(&his, "Go on").unwrap();
    shows(&room.user, LATER, OTHER);

    xrandr(&room.operator, "--delmonitor right");
    shows(&room.user, ONE, LATER);
    marked(&window, 0, SECOND);
    let receipts = agent.receipts().unwrap();
    window.click_on_bar(&his, "End").unwrap();
    agent.over(&receipts).unwrap();
    super::nothing_is_marked_any_more(&window);
    until("both ends to leave the desktops alone", || {
        Ok(programs.iter().all(|program| at_desktops(*program).is_empty()).then_some(()))
    })
    .unwrap();
    let noted = room.session_after(0);
    assert!(noted.contains("\"ended_here\"") && noted.contains("share"), "{noted}");

    she_reads_who_asks_and_says_no(&mut room.hand, (&window, &his), (&agent, &hers));
    let noted = room.session_after(1);
    assert!(noted.contains("\"refused\"") && noted.contains("view"), "{noted}");

    silent::a_closed_window_is_no(&room.house, &mut room.hand, (&window, &his), agent);
}

/// S29, S11: by the key that is under her finger, since Refuse has the focus; the operator reads it as such, and no screen
/// was touched.
fn she_reads_who_asks_and_says_no(
    hand: &mut Hand,
    (window, his): (&OperatorWindow<'_>, &Reader),
    (agent, hers): (&AgentWindow<'_>, &Reader),
) {
    // Its window is about to be as small as before.
    hers.press(role::BUTTON, "Enter another number").unwrap();
    let number = window.new_session(Mode::View).unwrap();
    the_number_runs_down(his);
    let touched = || connections_of(agent.desk(), agent.process.id()).unwrap();
    let rest = touched();
    agent.enter(hand, &number).unwrap();
    // She was shown his screen so far, and nobody has seen hers.
    agent.called_them(hand, hers).unwrap();
    for line in ["Hanako Sato", "Identity verified", "View your screen"] {
        hers.wait_for(role::LABEL, line).unwrap();
    }
    // One in the window's head, and one below his name.
    let lines = hers.names(role::LABEL);
    assert_eq!(lines.iter().filter(|line| *line == "Example Help").count(), 2, "{lines:?}");
    his.wait_for(role::LABEL, "Waiting for their answer").unwrap();
    for step in [
        "The person starts the program and types it, done",
        "The person reads what will happen, and allows it, now",
    ] {
        his.wait_for(role::LIST_ITEM, step).unwrap();
    }

    hand.key(RETURN).unwrap();
    his.wait_for(role::LABEL, "The session was refused. Nothing was shown.").unwrap();
    hers.wait_for(role::LABEL, "You refused. That is always all right.").unwrap();
    assert_eq!(agent.bar().unwrap(), None);
    let programs = [window.process.id(), agent.process.id()];
    assert_eq!(programs.map(at_desktops), [const { Vec::<String>::new() }; 2]);
    until("the witness to go", || Ok((touched() == rest).then_some(()))).unwrap();
}

/// What he reads while nobody has come yet.
fn the_number_runs_down(his: &Reader) {
    his.wait_for(role::LIST_ITEM, "You read the number to the person, now").unwrap();
    let first = his.wait_for(role::LABEL, "Valid for ").unwrap().name;
    until("the number's time to run down", || {
        Ok(his.find(role::LABEL, "Valid for ")?.filter(|now| now.name != first))
    })
    .unwrap();
}

/// One without a number does nothing but say so; the operator's own leads to his number, and calls nobody by itself.
fn by_link(
    room: &Room,
    (window, his): (&OperatorWindow<'_>, &Reader),
    (agent, hers): (&AgentWindow<'_>, &Reader),
    number: &str,
) {
    agent.follow(&room.house, "tasuki://join/#nothing").unwrap();
    hers.hear("There is no session number in this link.").unwrap();
    window.click_at(his, role::BUTTON, "Copy link").unwrap();
    let link = until("a link on the clipboard", || {
        Ok(clipboard(&room.operator)?.filter(|text| text.contains('#')))
    })
    .unwrap();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    assert!(!link.split('#').next().unwrap().contains(&digits[5..]), "no server reads it: {link}");
    agent.follow(&room.house, &link).unwrap();
    until("the number in its field", || {
        Ok((hers.text(role::ENTRY)?.replace(' ', "") == digits).then_some(()))
    })
    .unwrap();
}

fn sheet(desk: &Desktop, place: Rectangle, colour: Rgb) -> Painter {
    let painter = Painter::open(desk, place).unwrap();
    painter.fill(Rectangle { x: 0, y: 0, ..place }, colour).unwrap();
    painter
}

/// Threads that capture a desktop or act on it.
pub(super) fn at_desktops(program: u32) -> Vec<String> {
    let mut names = threads_of(program);
    names.retain(|name| ["tasuki-capture", "tasuki-hands"].contains(&name.as_str()));
    names
}

fn nobody_can_knock(programs: [u32; 2]) {
    for program in programs {
        assert_eq!(listening_of(program), [], "{program} waits for connections");
    }
}

/// How many pixels of the screen have this colour.
pub(super) fn seen(desk: &Desktop, colour: Rgb) -> usize {
    let picture = desk.picture().unwrap();
    let places = (0..picture.height).flat_map(|y| (0..picture.width).map(move |x| (x, y)));
    places.filter(|place| picture.is_near(*place, colour, 24)).count()
}

/// Waits until one colour is seen on a desktop, and another no more.
fn shows(desk: &Desktop, wanted: Rgb, gone: Rgb) {
    let mut last = (0, 0);
    until("the picture to show another monitor", || {
        last = (seen(desk, wanted), seen(desk, gone));
        Ok((last.0 > A_SHEET && last.1 == 0).then_some(()))
    })
    .unwrap_or_else(|why| panic!("{why:#}: {last:?}"));
}

/// Waits until the bar and the frame stand on what lies between two columns, and nowhere else.
fn marked(window: &OperatorWindow<'_>, left: i16, right: i16) {
    until("the bar and the frame around the shown monitor", || {
        let marks = window.marks()?;
        let ends = |mark: &Frame| mark.left + mark.width.cast_signed();
        let inside = marks.iter().all(|mark| mark.left >= left && ends(mark) <= right);
        let edges =
            marks.iter().any(|mark| mark.left == left) && marks.iter().any(|mark| ends(mark) == right);
        Ok((marks.len() == FRAMED && inside && edges).then_some(()))
    })
    .unwrap_or_else(|why| panic!("{why:#}: {:?}", window.marks()));
}
