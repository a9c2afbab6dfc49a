//! What stands around the end user's window, on a real display: consent is a hand's (T2), and the bar
//! stays where it is seen (T33).

#![allow(clippy::unwrap_used)]

mod hand;

use std::time::{Duration, Instant};

use hand::{Desk, Mock, PATIENCE};
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    AtomEnum, ClipOrdering, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, MapState,
    PropMode, StackMode, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

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
    // From Refuse, which has the focus, to Allow and back.
    desk.xdotool(&["key", "--repeat", "42", "--delay", "5", "Tab", "space", "shift+Tab"]);
    desk.xdotool(&["key", "--repeat", "42", "--delay", "5", "Tab", "Return", "shift+Tab"]);

    let said = window.said();
    assert!(said.iter().all(|line| line == "not by hand"), "{said:?}");
    assert!(!said.is_empty(), "the presses reached the button and were refused there");
    until_by_hand(&window, || desk.click(allow));
    assert_eq!(window.line(PATIENCE).as_deref(), Some("agent-consent-share"), "a click of a hand");
    drop(window);
    let window = Mock::start(AGENT, "agent-consent-share", &desk.display);
    allow_is_seen(&desk);
    desk.key(TAB);
    until_by_hand(&window, || desk.key(SPACE));
    assert_eq!(window.line(PATIENCE).as_deref(), Some("agent-consent-show"), "a key of a hand");
}

#[test]
fn t33_the_bar_comes_up_again_when_covered_or_unmapped_and_its_end_is_the_sessions() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let bar = bar(&desk);
    let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
    let root = client.setup().roots[screen].root;
    let on_top = || {
        let tree = client.query_tree(root).unwrap().reply().unwrap();
        tree.children.last() == Some(&bar)
    };
    let seen = || {
        let facts = client.get_window_attributes(bar).unwrap().reply();
        facts.is_ok_and(|facts| facts.map_state == MapState::VIEWABLE)
    };

    let cover = client.generate_id().unwrap();
    let aux = CreateWindowAux::new().override_redirect(1).background_pixel(0);
    let kind = WindowClass::INPUT_OUTPUT;
    client
        .create_window(COPY_DEPTH_FROM_PARENT, cover, root, 0, 0, 1024, 200, 0, kind, 0, &aux)
        .unwrap();
    client.map_window(cover).unwrap().check().unwrap();
    until("the covered bar is on top again", || on_top() && seen());

    for _ in 0..3 {
        client.unmap_window(bar).unwrap().check().unwrap();
        until("the unmapped bar is seen again", seen);
    }

    desk.xdotool(&["key", "ctrl+alt+shift+e"]);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "the stop key");

    client.destroy_window(bar).unwrap().check().unwrap();
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "a bar that is gone ends the session");
}

#[test]
fn t33_whatever_another_program_does_to_the_bar_it_stands_again_as_before() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let bar = bar(&desk);
    let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
    let root = client.setup().roots[screen].root;
    let hidden = client.generate_id().unwrap();
    let aux = CreateWindowAux::new();
    let kind = WindowClass::INPUT_OUTPUT;
    client.create_window(COPY_DEPTH_FROM_PARENT, hidden, root, 0, 0, 9, 9, 0, kind, 0, &aux).unwrap();
    let opacity = client.intern_atom(false, b"_NET_WM_WINDOW_OPACITY").unwrap().reply().unwrap().atom;
    let configure = |aux: ConfigureWindowAux| {
        client.configure_window(bar, &aux).unwrap().check().unwrap();
    };
    let home = client.get_geometry(bar).unwrap().reply().unwrap();
    let whole = (home.x, home.y, home.width, home.height);
    assert!(home.width > 400 && home.height > 30 && home.y == 0, "{home:?}");
    let stands = || {
        let tree = client.query_tree(root).unwrap().reply().unwrap();
        let facts = client.get_window_attributes(bar).unwrap().reply().unwrap();
        let place = client.get_geometry(bar).unwrap().reply().unwrap();
        let cut = client.shape_query_extents(bar).unwrap().reply().unwrap();
        let taken = client.shape_get_rectangles(bar, SK::INPUT).unwrap().reply().unwrap().rectangles;
        let faded = client.get_property(false, bar, opacity, AtomEnum::CARDINAL, 0, 1).unwrap();
        tree.children.last() == Some(&bar)
            && facts.map_state == MapState::VIEWABLE
            && (place.x, place.y, place.width, place.height) == whole
            && place.border_width == 0
            && !cut.bounding_shaped
            && !cut.clip_shaped
            && taken.iter().any(|part| part.width >= home.width && part.height >= home.height)
            && faded.reply().unwrap().value_len == 0
    };
    let empty = |kind| {
        let order = ClipOrdering::UNSORTED;
        client.shape_rectangles(SO::SET, kind, order, bar, 0, 0, &[]).unwrap().check().unwrap();
    };
    let fade = || {
        client
            .change_property32(PropMode::REPLACE, bar, opacity, AtomEnum::CARDINAL, &[0])
            .unwrap()
            .check()
            .unwrap();
    };
    let reparent = || {
        client.reparent_window(bar, hidden, 0, 0).unwrap().check().unwrap();
    };
    let deeds: [(&str, &dyn Fn()); 9] = [
        ("moved off the screen", &|| configure(ConfigureWindowAux::new().x(5000).y(-3000))),
        ("shrunk", &|| configure(ConfigureWindowAux::new().width(1).height(1))),
        ("framed in black", &|| configure(ConfigureWindowAux::new().border_width(300))),
        ("put below all", &|| configure(ConfigureWindowAux::new().stack_mode(StackMode::BELOW))),
        ("put into a hidden window", &reparent),
        ("cut out", &|| empty(SK::BOUNDING)),
        ("painted nowhere", &|| empty(SK::CLIP)),
        ("pressed through", &|| empty(SK::INPUT)),
        ("made transparent", &fade),
    ];
    for (deed, act) in deeds {
        act();
        until(&format!("the bar that was {deed} stands again"), stands);
    }
    assert!(window.said().is_empty(), "none of it ended the session");

    // A wall of windows makes neither the bar nor the stop key slow: they are not looked at one by one.
    for _ in 0..600 {
        let wall = client.generate_id().unwrap();
        let aux = CreateWindowAux::new().override_redirect(1);
        client
            .create_window(COPY_DEPTH_FROM_PARENT, wall, root, 0, 0, 300, 60, 0, kind, 0, &aux)
            .unwrap();
        client.map_window(wall).unwrap();
    }
    until("the bar stands above six hundred windows", stands);
    desk.xdotool(&["key", "ctrl+alt+shift+e"]);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "the stop key");
}

/// T33: seen, or no session: whoever covers it faster than it comes up ends what he wanted to hide.
#[test]
fn t33_a_bar_that_somebody_never_lets_stand_ends_the_session() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let bar = bar(&desk);
    let (client, _) = x11rb::connect(Some(&desk.display)).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let away = ConfigureWindowAux::new().x(5000);
        client.configure_window(bar, &away).unwrap().check().unwrap();
        if let Some(line) = window.line(Duration::from_millis(20)) {
            break assert_eq!(line, "end");
        }
        assert!(Instant::now() < deadline, "the session goes on without its bar");
    }
}

#[test]
fn t33_the_bar_follows_its_monitor() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let before = desk.geometry(bar(&desk));
    let sizes = desk.run("xrandr", &[]);
    assert!(sizes.contains("800x600"), "{sizes}");

    desk.run("xrandr", &["--size", "800x600"]);

    until("the bar stands in the middle of the smaller screen", || {
        let found = desk.xdotool(&["search", "--onlyvisible", "--name", "^Connected"]);
        let bars: Vec<u32> = found.lines().filter_map(|id| id.parse().ok()).collect();
        let [bar] = bars[..] else { return false };
        let (x, y, width, _) = desk.geometry(bar);
        (x + width / 2).abs_diff(400) <= 1 && y == 0 && width < before.2
    });
    assert!(window.said().is_empty(), "the session goes on");
}

fn bar(desk: &Desk) -> u32 {
    let mut found = None;
    until("the bar is there", || {
        let ids = desk.xdotool(&["search", "--onlyvisible", "--name", "^Connected"]);
        found = ids.lines().next().and_then(|id| id.parse().ok());
        found.is_some()
    });
    found.unwrap()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A window that is not there yet has no focus for keys.
fn allow_is_seen(desk: &Desk) {
    let _ = allow(desk);
    until("the window has the focus", || {
        !desk.xdotool(&["getwindowfocus", "getwindowname"]).is_empty()
    });
    std::thread::sleep(Duration::from_secs(1));
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
