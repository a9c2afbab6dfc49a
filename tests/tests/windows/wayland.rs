//! The windows on a desktop without X.

use std::{fs, time::Duration};

use tasuki_peer::shell::texts::{Lang, Text};
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Ear, Mouse, Notepad, Painter, Reader, Size, Wayland, role},
    running::{Process, run, until},
    stack::{
        AWAKE, Frame, House, OperatorWindow, Way, accept_at_terminal, allow_in_window, place_in_window,
        shows_in_window, window_program,
    },
};
use x11rb::protocol::xproto::Rectangle;

use super::{OPERATOR, USER, beside_others, scaled::lands, sessions_of};

const SCREEN: Size = Size::new(1400, 900);
const AGENT: &str = "tasuki-agent";
const OPERATOR_WINDOW: &str = "tasuki-operator";
const NUMBER: &str = "Session number ";
const LETTERS: &str = "seen";
/// A key may be long on its way on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// On the operator's screen, beside his window.
const SHEET: [u8; 3] = [30, 160, 90];
/// From Refuse, which has the focus on each page that asks, to the button beside it.
const ALLOW: [&str; 4] = ["-k", "Tab", "-k", "space"];

/// S2, S18, S24, S97, T33: on Wayland nothing stands above other windows or sees them, so no screen is shown from
/// there, by neither end; what the other shows is looked at and operated as everywhere, by keys and by the mouse.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t33_on_wayland_a_user_shows_no_screen_and_is_told_so_and_looks_at_the_operators_by_keys_alone() {
    let _turn = beside_others();
    let house = House::set_up().unwrap();
    let operator = Desktop::start(Size::new(OPERATOR.0, OPERATOR.1)).unwrap();
    let wayland = Wayland::start(SCREEN).unwrap();
    let beside = Rectangle { x: 1300, y: 0, width: OPERATOR.0 - 1300, height: OPERATOR.1 };
    let sheet = Painter::open(&operator, beside).unwrap();
    sheet.fill(Rectangle { x: 0, ..beside }, SHEET).unwrap();
    let window = OperatorWindow::open(&house, &operator, Way::Auto).unwrap();
    let hers = Reader::start().unwrap();
    let agent = open(&house, &wayland, &hers);

    enter(&wayland, &window.new_session(Mode::Control).unwrap());
    hers.wait_for(role::LABEL, Text::FaultWayland.say(Lang::En)).unwrap();
    until("the operator to hear of it", || {
        Ok(sessions_of(&house).first().filter(|line| line.contains("refused")).cloned())
    })
    .unwrap();

    enter(&wayland, &window.new_session(Mode::Show).unwrap());
    until("the operator's screen in the user's window", || {
        if shows(&wayland)? {
            return Ok(Some(()));
        }
        if may_allow(&wayland)? {
            wayland.press(&ALLOW)?;
        }
        Ok(None)
    })
    .unwrap();
    let mut mouse = wayland.mouse().unwrap();
    mouse.click(place(&wayland, AGENT, (&hers, "Remote support"), (role::BUTTON, "End now"))).unwrap();
    hers.wait_for(role::LABEL, "You ended the session.").unwrap();
    drop((agent, window));

    sees_and_operates_from_there(&house, &wayland, &mut mouse);
}

/// The middle of something in a program's window, on the screen.
fn place(
    wayland: &Wayland,
    program: &str,
    (reader, title): (&Reader, &str),
    (role, name): (u32, &str),
) -> (u16, u16) {
    until(name, || {
        let area = reader.areas(title, role, name)?.first().copied();
        let window = wayland.window_of(program)?;
        window.zip(area).map(|(window, area)| window.middle(area)).transpose()
    })
    .unwrap()
}

/// The other way round: what needs a desktop that shows itself is refused before a number is given out; all else
/// works.
fn sees_and_operates_from_there(house: &House, wayland: &Wayland, mouse: &mut Mouse) {
    let mut user = Desktop::start(Size::new(USER.0, USER.1)).unwrap();
    let file = house.folder().join("users-notes.txt");
    let notes = Notepad::open(&mut user, "Notes", "50x10+40+250", &file).unwrap();
    let reader = Reader::start().unwrap();
    let _window = open_operator(house, wayland, &reader);

    reader.press(role::RADIO_BUTTON, "Share my screen").unwrap();
    reader.press(role::BUTTON, "New session").unwrap();
    reader.wait_for(role::LABEL, Text::FaultWayland.say(Lang::En)).unwrap();
    assert_eq!(reader.find(role::LABEL, NUMBER).unwrap(), None, "no number is given out");

    let mut click = |role, name: &str| {
        mouse.click(place(wayland, OPERATOR_WINDOW, (&reader, "operators"), (role, name))).unwrap();
    };
    click(role::TAB, "New");
    click(role::RADIO_BUTTON, "Control");
    click(role::BUTTON, "New session");
    let number = reader.wait_for(role::LABEL, NUMBER).unwrap().name;
    let _agent = accept_at_terminal(house, &user, number.trim_start_matches(NUMBER)).unwrap();
    until("the user's screen in the operator's window", || {
        let Some(window) = wayland.window_of(OPERATOR_WINDOW)? else { return Ok(None) };
        let (left, top) = (window.left.try_into()?, window.top.try_into()?);
        let frame = Frame { id: 0, left, top, width: window.width, height: window.height };
        Ok(shows_in_window(&frame, &user.picture()?, &wayland.picture()?)?.then_some(()))
    })
    .unwrap();

    // The middle of the one is that of the other.
    click(role::IMAGE, "Their screen");
    lands(&user, (USER.0.cast_signed() / 2, USER.1.cast_signed() / 2));
    let ear = Ear::open(&user).unwrap();
    reader.focus(role::IMAGE, "Their screen").unwrap();
    wayland.press(&["-d", "60", LETTERS]).unwrap();
    for letter in LETTERS.chars() {
        assert!(ear.next_key(PATIENCE).unwrap().is_some(), "{letter} never came");
    }
    // A keyboard that comes and goes has keys in no place that a host would know: the line is ended there.
    let mut command = user.command("xdotool");
    command.args(["key", "Return"]);
    run(command).unwrap();
    notes.wait_for(LETTERS).unwrap();
}

/// What is typed goes as letters; a keyboard of wtype has them in places of its own.
fn open_operator(house: &House, wayland: &Wayland, reader: &Reader) -> Process {
    let preferences = r#"{"language":"english","shade":"light","pictures":null,"keyboard":"letters",
        "grab":"all","user":""}"#;
    fs::write(house.profile().join("operator-window.json"), preferences).unwrap();
    let mut command = wayland.command(window_program(OPERATOR_WINDOW).unwrap());
    command.arg("--profile").arg(house.profile()).args(["--path", "auto", "--lang", "en"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", reader.session()).env("SLINT_BACKEND", "winit-software");
    Process::start(OPERATOR_WINDOW, command).unwrap()
}

fn open(house: &House, wayland: &Wayland, reader: &Reader) -> Process {
    let mut command = wayland.command(window_program(AGENT).unwrap());
    command.arg("--tenant").arg(house.bundle());
    command.arg("--profile").arg(house.folder().join("agent-window")).args(["--lang", "en"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", reader.session());
    let process = Process::start(AGENT, command).unwrap();
    let window = until("the user's window", || wayland.window_of(AGENT)).unwrap();
    assert!(window.title.starts_with("Example Help"), "{window:?}");
    process
}

/// The field for the number has the keys from the first moment.
fn enter(wayland: &Wayland, number: &str) {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    wayland.press(&["-d", "20", &digits, "-k", "Return"]).unwrap();
}

/// Whether the button that allows stands there and can be pressed now.
fn may_allow(wayland: &Wayland) -> anyhow::Result<bool> {
    let Some(window) = wayland.window_of(AGENT)? else { return Ok(false) };
    let (x, y) = allow_in_window((window.width, window.height));
    let place = (usize::from(window.left) + x as usize, usize::from(window.top) + y as usize);
    let picture = wayland.picture()?;
    Ok(place.0 < picture.width && place.1 < picture.height && picture.is_near(place, AWAKE, 24))
}

/// Whether two places beside the operator's window stand in the user's.
fn shows(wayland: &Wayland) -> anyhow::Result<bool> {
    let Some(window) = wayland.window_of(AGENT)? else { return Ok(false) };
    let picture = wayland.picture()?;
    Ok([(OPERATOR.0 - 260, 120), (OPERATOR.0 - 280, OPERATOR.1 - 40)].into_iter().all(|pixel| {
        let (x, y) = place_in_window((window.width, window.height), OPERATOR, pixel);
        let place = (usize::from(window.left) + x as usize, usize::from(window.top) + y as usize);
        place.0 < picture.width && place.1 < picture.height && picture.is_near(place, SHEET, 24)
    }))
}
