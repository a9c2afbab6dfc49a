//! The windows on a desktop without X.

use std::{fs, time::Duration};

use tasuki_peer::shell::texts::{Lang, Text};
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Ear, Notepad, Painter, Reader, Size, Wayland, role},
    running::{Process, run, until},
    stack::{
        AWAKE, Frame, House, OperatorWindow, Way, accept_at_terminal, allow_in_window, place_in_window,
        shows_in_window, window_program,
    },
};
use x11rb::protocol::xproto::Rectangle;

use super::{OPERATOR, USER, beside_others, sessions_of};

const SCREEN: Size = Size::new(1400, 900);
const AGENT: &str = "tasuki-agent";
const OPERATOR_WINDOW: &str = "tasuki-operator";
const NUMBER: &str = "Session number ";
const LETTERS: &str = "seen";
/// A key may be long on its way on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// On the operator's screen, beside his window.
const SHEET: [u8; 3] = [30, 160, 90];
/// What lies behind a sentence that says why nothing began.
const TROUBLE: [u8; 3] = [253, 236, 238];
/// From Refuse, which has the focus on each page that asks, to the button beside it.
const ALLOW: [&str; 4] = ["-k", "Tab", "-k", "space"];

/// S2, S18, S24, S97, T33: on Wayland nothing stands above other windows or sees them, so no screen is shown from
/// there, by neither end; what the other shows is looked at as everywhere.
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
    let agent = open(&house, &wayland);
    assert_eq!(seen(&wayland, TROUBLE), 0);

    enter(&wayland, &window.new_session(Mode::Control).unwrap());
    until("the sentence that says why", || Ok((seen(&wayland, TROUBLE) > 2000).then_some(()))).unwrap();
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
    drop((agent, window));

    sees_and_operates_from_there(&house, &wayland);
}

/// The other way round: what needs a desktop that shows itself is refused before a number is given out; all else
/// works.
fn sees_and_operates_from_there(house: &House, wayland: &Wayland) {
    let mut user = Desktop::start(Size::new(USER.0, USER.1)).unwrap();
    let file = house.folder().join("users-notes.txt");
    let notes = Notepad::open(&mut user, "Notes", "50x10+40+250", &file).unwrap();
    let reader = Reader::start().unwrap();
    let _window = open_operator(house, wayland, &reader);

    reader.press(role::RADIO_BUTTON, "Share my screen").unwrap();
    reader.press(role::BUTTON, "New session").unwrap();
    reader.wait_for(role::LABEL, Text::FaultWayland.say(Lang::En)).unwrap();
    assert_eq!(reader.find(role::LABEL, NUMBER).unwrap(), None, "no number is given out");

    reader.press(role::TAB, "New").unwrap();
    reader.press(role::RADIO_BUTTON, "Control").unwrap();
    reader.press(role::BUTTON, "New session").unwrap();
    let number = reader.wait_for(role::LABEL, NUMBER).unwrap().name;
    let _agent = accept_at_terminal(house, &user, number.trim_start_matches(NUMBER)).unwrap();
    until("the user's screen in the operator's window", || {
        let Some(window) = wayland.window_of(OPERATOR_WINDOW)? else { return Ok(None) };
        let (left, top) = (window.left.try_into()?, window.top.try_into()?);
        let frame = Frame { id: 0, left, top, width: window.width, height: window.height };
        Ok(shows_in_window(&frame, &user.picture()?, &wayland.picture()?)?.then_some(()))
    })
    .unwrap();

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

fn open(house: &House, wayland: &Wayland) -> Process {
    let mut command = wayland.command(window_program(AGENT).unwrap());
    command.arg("--tenant").arg(house.bundle());
    command.arg("--profile").arg(house.folder().join("agent-window")).args(["--lang", "en"]);
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

/// How many pixels of the screen have this colour.
fn seen(wayland: &Wayland, colour: [u8; 3]) -> usize {
    let picture = wayland.picture().unwrap();
    let places = (0..picture.height).flat_map(|y| (0..picture.width).map(move |x| (x, y)));
    places.filter(|place| picture.is_near(*place, colour, 2)).count()
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
