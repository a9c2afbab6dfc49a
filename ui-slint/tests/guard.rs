//! What stands around the end user's window, on a real display: consent is a hand's (T2), and the bar
//! stays where it is seen (T33).

#![allow(clippy::unwrap_used)]

mod aimed;
mod hand;
mod rival;

use std::time::{Duration, Instant};

use hand::{Desk, Mock, PATIENCE};
use rival::Rival;
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, MapState, WindowClass,
};

const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agent");
const OPERATOR: &str = env!("CARGO_BIN_EXE_tasuki-operator");
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

/// She has Refuse under her finger, and something else moves the focus to Allow.
#[test]
fn t2_a_hands_key_is_no_consent_after_an_injected_one_has_moved_the_focus() {
    let mut desk = Desk::start();
    for state in ["agent-consent-view", "agent-live-more-rights"] {
        let window = Mock::start(AGENT, state, &desk.display);
        allow_is_seen(&desk);
        desk.xdotool(&["key", "Tab"]);
        std::thread::sleep(Duration::from_secs(1));
        desk.key(SPACE);
        assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "{state}");
    }
}

/// Also what leads to the question at a first meeting, once it can be pressed; a held picture goes on by a hand alone.
#[test]
fn t2_no_program_reads_the_notice_or_lets_a_held_picture_go_on() {
    let mut desk = Desk::start();
    for state in ["agent-notice", "agent-live-paused"] {
        let window = Mock::start(AGENT, state, &desk.display);
        // Where Allow stands in a question.
        let go_on = allow(&desk);
        let (x, y) = (go_on.0.to_string(), go_on.1.to_string());
        until(&format!("{state}: the injected click reached the button and was refused there"), || {
            desk.xdotool(&["mousemove", &x, &y, "click", "1"]);
            window.line(Duration::from_secs(1)).as_deref() == Some("not by hand")
        });
        until_by_hand(&window, || desk.click(go_on));
    }
}

/// The bound of what is shown is the session's; here everything that is written is.
#[test]
fn t59_a_flood_of_messages_takes_neither_the_keys_nor_the_window_from_the_person() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-flood", &desk.display);
    allow_is_seen(&desk);
    desk.key(SPACE);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "End has the focus, as before");
    desk.key(TAB);
    desk.key(SPACE);
    desk.xdotool(&["key", "ctrl+alt+shift+e"]);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "the stop key");
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

/// On a screen that is smaller than the window would like to be.
#[test]
fn a_window_lies_on_its_screen_with_its_title_bar() {
    let desk = Desk::start();
    let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
    let root = client.setup().roots[screen].root;
    let extents = client.intern_atom(false, b"_NET_FRAME_EXTENTS").unwrap().reply().unwrap().atom;
    let framed = |name: &str| -> Option<[i32; 4]> {
        let found = desk.xdotool(&["search", "--onlyvisible", "--name", name]);
        let id = found.lines().next()?.parse().ok()?;
        let around = client.get_property(false, id, extents, AtomEnum::CARDINAL, 0, 4).unwrap();
        let around: Vec<u32> = around.reply().ok()?.value32()?.collect();
        let [left, right, above, below] = around[..] else { return None };
        let size = client.get_geometry(id).unwrap().reply().ok()?;
        let at = client.translate_coordinates(id, root, 0, 0).unwrap().reply().ok()?;
        let (x, y) = (i32::from(at.dst_x), i32::from(at.dst_y));
        let (right, below) = (right as i32, below as i32);
        let ends = [x + i32::from(size.width) + right, y + i32::from(size.height) + below];
        Some([x - left as i32, y - above as i32, ends[0], ends[1]])
    };
    for (program, state, name) in
        [(OPERATOR, "operator-home", "operators$"), (AGENT, "agent-number", "Remote support$")]
    {
        let _window = Mock::start(program, state, &desk.display);
        until("the whole window lies on the screen", || {
            let Some([left, top, right, bottom]) = framed(name) else { return false };
            left >= 0 && top >= 0 && right <= 1024 && bottom <= 800 && bottom - top > 600
        });
    }
}

#[test]
fn t33_whatever_another_program_does_to_the_bar_it_stands_again_as_before() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let rival = Rival::of(&desk);
    assert!(rival.whole.2 > 400 && rival.whole.3 > 30 && rival.whole.1 == 0, "{:?}", rival.whole);
    rival.does_all();
    assert!(window.said().is_empty(), "none of it ended the session");
}

/// S31, T32: in whatever layout, also one that is chosen in mid-session, and none is told of that does
/// nothing.
#[test]
fn s31_t32_the_stop_key_is_there_in_every_layout_or_the_window_does_not_tell_of_it() {
    let desk = Desk::start();
    desk.run("setxkbmap", &["ru"]);
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let _ = bar(&desk);
    let ends = |layout: &str, key: &str| {
        until(&format!("the stop key of {layout}"), || {
            desk.xdotool(&["key", &format!("ctrl+alt+shift+{key}")]);
            window.line(Duration::from_secs(1)).as_deref() == Some("end")
        });
    };
    ends("ru", "26");
    desk.run("setxkbmap", &["us", "-variant", "dvorak"]);
    ends("dvorak", "e");
    desk.run("setxkbmap", &["ru,us"]);
    ends("ru and us", "26");
}

/// Share and Show: what the operator shows is framed, and says so, as long as it is shown.
#[test]
fn t33_the_operators_bar_and_frame_stand_again_or_the_session_ends() {
    let desk = Desk::start();
    let window = Mock::start(OPERATOR, "operator-share", &desk.display);
    let mut kept = Vec::new();
    until("the bar and the four sides of the frame are there", || {
        let found = desk.xdotool(&["search", "--onlyvisible", "--name", "^Your screen is shown"]);
        kept = found.lines().filter_map(|id| id.parse().ok()).collect();
        kept.len() == 5
    });
    let places: Vec<_> = kept.iter().map(|window| desk.geometry(*window)).collect();
    for side in [(0, 0, 1024, 4), (0, 796, 1024, 4), (0, 4, 4, 792), (1020, 4, 4, 792)] {
        assert!(places.contains(&side), "{side:?} is no side of the frame: {places:?}");
    }
    let bar = places.iter().position(|place| place.3 > 30).unwrap();
    for target in [kept[bar], kept[(bar + 1) % 5]] {
        let rival = Rival::at(&desk, target).beside(kept.clone());
        rival.does_all();
    }
    assert!(window.said().is_empty(), "none of it ended the session");

    desk.xdotool(&["key", "ctrl+alt+shift+e"]);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "the stop key");
    let (client, _) = x11rb::connect(Some(&desk.display)).unwrap();
    client.destroy_window(kept[(bar + 1) % 5]).unwrap().check().unwrap();
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "a side that is gone ends the session");
}

/// Who works in another program while his screen is shown is led to what he is asked.
#[test]
fn t34_the_operators_bar_leads_to_the_question() {
    let desk = Desk::start();
    let window = Mock::start(OPERATOR, "operator-share-question", &desk.display);
    until("the bar is there", || {
        !desk.xdotool(&["search", "--onlyvisible", "--name", "^Your screen is shown"]).is_empty()
    });
    // From the middle of the bar, which is 640 wide on a screen of 1024, to where Pause begins.
    let told = (512..640).rev().step_by(16).find_map(|x| {
        desk.xdotool(&["mousemove", &x.to_string(), "30", "click", "1"]);
        window.line(Duration::from_millis(700))
    });
    assert_eq!(told.as_deref(), Some("to the question"));
}

/// They are not looked at one by one.
#[test]
fn t33_a_wall_of_windows_makes_neither_the_bar_nor_the_stop_key_slow() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let rival = Rival::of(&desk);
    for _ in 0..600 {
        rival.client.map_window(rival.window((300, 60), 1)).unwrap();
    }
    until("the bar stands above six hundred windows", || rival.sees_it_stand());
    rival.stands_again_in_time("covered by one more", &|| rival.cover());
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

#[test]
fn t33_every_monitor_has_a_bar_of_its_own_also_one_that_comes_in_mid_session_and_none_may_go() {
    let desk = Desk::start();
    let monitor = |name: &str, left: u16, output: &str| {
        let place = format!("512/135x800/211+{left}+0");
        desk.run("xrandr", &["--setmonitor", name, &place, output]);
    };
    monitor("left", 0, "VNC-0");
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    let bars = || {
        let found = desk.xdotool(&["search", "--onlyvisible", "--name", "^Connected"]);
        let bars: Vec<u32> = found.lines().filter_map(|id| id.parse().ok()).collect();
        bars
    };
    let stand_at = |middles: &[i32]| {
        let mut at: Vec<i32> =
            bars().iter().map(|bar| desk.geometry(*bar)).map(|it| it.0 + it.2 / 2).collect();
        at.sort_unstable();
        at.len() == middles.len()
            && at.iter().zip(middles).all(|(at, middle)| at.abs_diff(*middle) <= 1)
    };
    until("one monitor has its bar", || stand_at(&[256]));
    monitor("right", 512, "none");
    until("the monitor that came has one, too", || stand_at(&[256, 768]));
    for bar in bars() {
        Rival::at(&desk, bar).beside(bars()).does_all();
    }
    assert!(window.said().is_empty(), "none of it ended the session");
    let second = bars().into_iter().find(|bar| desk.geometry(*bar).0 > 512).unwrap();
    let (client, _) = x11rb::connect(Some(&desk.display)).unwrap();
    client.destroy_window(second).unwrap().check().unwrap();
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "one of two is gone");
}

/// Of the window's own, as xdotool takes it.
fn id(desk: &Desk) -> String {
    let found = desk.xdotool(&["search", "--onlyvisible", "--name", "Remote support"]);
    found.lines().next().unwrap().to_owned()
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

/// The middle of Allow: in the right half of the bar at the window's foot, once the window has the size that its
/// page wants.
fn allow(desk: &Desk) -> (u16, u16) {
    let deadline = Instant::now() + PATIENCE;
    let mut before = None;
    loop {
        let now = foot(desk);
        if let (Some(place), true) = (now, now == before) {
            return place;
        }
        before = now;
        assert!(Instant::now() < deadline, "the window is seen");
        std::thread::sleep(Duration::from_millis(400));
    }
}

fn foot(desk: &Desk) -> Option<(u16, u16)> {
    let found = desk.xdotool(&["search", "--onlyvisible", "--name", "Remote support"]);
    let text = desk.xdotool(&["getwindowgeometry", "--shell", found.lines().next()?]);
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.and_then(|value| value.parse::<u16>().ok())
    };
    let (x, y) = (value("X")?, value("Y")?);
    // xdotool counts the height of the frame twice.
    Some((x + value("WIDTH")? * 3 / 4, y + value("HEIGHT")? - 75))
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
