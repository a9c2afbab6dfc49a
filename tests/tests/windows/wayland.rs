//! The windows on a desktop without X.

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Painter, Size, Wayland},
    running::{Process, until},
    stack::{AWAKE, House, OperatorWindow, Way, allow_in_window, place_in_window, window_program},
};
use x11rb::protocol::xproto::Rectangle;

use super::{OPERATOR, sessions_of, taking_turns};

const SCREEN: Size = Size::new(1400, 900);
const AGENT: &str = "tasuki-agent";
/// On the operator's screen, beside his window.
const SHEET: [u8; 3] = [30, 160, 90];
/// What lies behind a sentence that says why nothing began.
const TROUBLE: [u8; 3] = [253, 236, 238];
/// From Refuse, which has the focus on each page that asks, to the button beside it.
const ALLOW: [&str; 4] = ["-k", "Tab", "-k", "space"];

/// S24, S97, T33: on Wayland nothing stands above other windows or sees them, so no screen is shown from
/// there, by neither end; what the other shows is looked at as everywhere.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t33_on_wayland_a_user_shows_no_screen_and_is_told_so_and_looks_at_the_operators_by_keys_alone() {
    let _turn = taking_turns();
    let house = House::set_up().unwrap();
    let operator = Desktop::start(Size::new(OPERATOR.0, OPERATOR.1)).unwrap();
    let wayland = Wayland::start(SCREEN).unwrap();
    let beside = Rectangle { x: 1300, y: 0, width: OPERATOR.0 - 1300, height: OPERATOR.1 };
    let sheet = Painter::open(&operator, beside).unwrap();
    sheet.fill(Rectangle { x: 0, ..beside }, SHEET).unwrap();
    let window = OperatorWindow::open(&house, &operator, Way::Auto).unwrap();
    let _agent = open(&house, &wayland);
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
