//! Consent is a hand's (T2): a real window on a real display, hundreds of injected clicks and keys at
//! Allow, and then one of a device.

mod hand;

use std::time::{Duration, Instant};

use hand::{Desk, Mock, PATIENCE};

const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agent");
const TAB: u32 = 0xff09;
const SPACE: u32 = 0x20;

#[test]
fn t2_five_hundred_injected_clicks_and_keys_at_accept_do_nothing_and_a_hand_does() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let allow = allow(&desk);
    let (x, y) = (allow.0.to_string(), allow.1.to_string());

    desk.xdotool(&["mousemove", &x, &y, "click", "--repeat", "250", "--delay", "5", "1"]);
    desk.xdotool(&["key", "--repeat", "60", "--delay", "5", "Tab", "space"]);
    desk.xdotool(&["key", "--repeat", "65", "--delay", "5", "Tab", "Return"]);

    let said = window.said();
    assert!(said.iter().all(|line| line == "not by hand"), "{said:?}");
    assert!(!said.is_empty(), "the presses reached the button and were refused there");
    until_by_hand(&window, || desk.click(allow));
    assert_eq!(window.line(PATIENCE).as_deref(), Some("agent-consent-share"), "a click of a hand");
    until_by_hand(&window, || {
        desk.key(TAB);
        desk.key(SPACE);
    });
    assert_eq!(window.line(PATIENCE).as_deref(), Some("agent-consent-show"), "a key of a hand");
}

/// The middle of Allow: in the right half of the bar at the window's foot.
fn allow(desk: &Desk) -> (u16, u16) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = desk.xdotool(&["search", "--onlyvisible", "--name", "Remote support"]);
        if let Some(id) = found.lines().next() {
            let text = desk.xdotool(&["getwindowgeometry", "--shell", id]);
            let value = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
                line.and_then(|value| value.parse::<u16>().ok())
            };
            if let (Some(x), Some(y), Some(width), Some(height)) =
                (value("X"), value("Y"), value("WIDTH"), value("HEIGHT"))
            {
                return (x + width * 3 / 4, y + height - 65);
            }
        }
        assert!(Instant::now() < deadline, "the window is seen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The button sleeps for a moment after a press that was no hand's, so that a hand may have to press
/// again.
fn until_by_hand(window: &Mock, mut press: impl FnMut()) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        press();
        match window.line(Duration::from_millis(900)).as_deref() {
            Some("by hand") => return,
            Some("not by hand") | None => {}
            Some(other) => panic!("{other} came without a hand"),
        }
    }
    panic!("a hand could not press");
}
