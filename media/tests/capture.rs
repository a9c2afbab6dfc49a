//! What an X display shows arrives, and nothing more than what changed.

mod desktop;

use std::time::{Duration, Instant};

use desktop::{Client, Desktop, rectangle, settle, watch};
use tasuki_media::screen::{Screen, ScreenError};
use tasuki_media::x11::X11Screen;
use tasuki_protocol::screen::{CursorPosition, MonitorId};
use x11rb::protocol::xproto::ConnectionExt as _;

const QUIET: Duration = Duration::from_millis(150);

fn open(desktop: &Desktop) -> X11Screen {
    X11Screen::open(Some(&desktop.display)).expect("a screen")
}

#[test]
fn a_drawn_colour_is_captured() {
    let desktop = Desktop::start("1920x1080x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(300, 200, 400, 300);
    client.fill(window, rectangle(0, 0, 400, 300), 0x12_34_56);
    let seen = settle(&mut open(&desktop), QUIET);
    assert_eq!(seen.pixel(500, 350), [0x12, 0x34, 0x56]);
    assert_eq!(seen.pixel(299, 350), [0, 0, 0]);
    let layout = seen.layouts.first().expect("a layout comes first");
    assert!(layout.is_sane());
    let shown = layout.shown_monitor().expect("a monitor is shown");
    assert_eq!((shown.width, shown.height), (1920, 1080));
}

#[test]
fn damage_tells_just_the_blocks_whose_colours_changed() {
    let desktop = Desktop::start("1920x1080x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 1920, 1080);
    let mut screen = open(&desktop);
    let first = settle(&mut screen, QUIET);
    assert_eq!(first.changed.map(|c| c.count()), Some(120 * 68), "the first picture is whole");
    client.fill(window, rectangle(0, 0, 1920, 1080), 0);
    assert!(settle(&mut screen, QUIET).changed.is_none(), "the same colour is no change");
    client.fill(window, rectangle(30, 30, 4, 4), 0xFF_FF_FF);
    client.fill(window, rectangle(1910, 1070, 10, 10), 0xFF_00_00);
    let seen =
        watch(&mut screen, "two changes", |s| s.changed.as_ref().is_some_and(|c| c.count() >= 6));
    let changed = seen.changed.as_ref().expect("changes");
    assert_eq!(changed.count(), 6);
    assert!(changed.contains(1, 1) && changed.contains(2, 2) && changed.contains(119, 67));
    assert_eq!(seen.pixel(1919, 1079), [255, 0, 0]);
}

#[test]
fn a_still_screen_says_nothing_until_it_is_woken() {
    let desktop = Desktop::start("640x480x24");
    let mut screen = open(&desktop);
    settle(&mut screen, QUIET);
    let waker = screen.waker();
    let waiting = std::thread::spawn(move || {
        screen.grab(Duration::from_secs(3600)).map(|grab| grab.is_unchanged())
    });
    waker.wake();
    assert_eq!(waiting.join().expect("no panic"), Ok(true));
}

#[test]
fn the_cursor_comes_as_a_shape_and_a_place_and_is_not_in_the_picture() {
    let desktop = Desktop::start("800x600x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 800, 600);
    let mut screen = open(&desktop);
    desktop.call("xdotool", &["mousemove", "10", "10"]);
    let first = settle(&mut screen, QUIET);
    assert!(first.shapes.iter().all(|shape| shape.is_sane()) && !first.shapes.is_empty());
    desktop.call("xdotool", &["mousemove_relative", "113", "67"]);
    let there = CursorPosition(Some((123, 77)));
    let moved = watch(&mut screen, "the cursor moves", |s| s.positions.contains(&there));
    assert!(moved.changed.is_none(), "a moving cursor changes no pixel");
    desktop.call("xdotool", &["mousemove", "44", "55"]);
    let warped = CursorPosition(Some((44, 55)));
    watch(&mut screen, "a program moves the cursor", |s| s.positions.contains(&warped));
    let font = client_cursor(&client, window, 150);
    let cross = watch(&mut screen, "another shape", |s| !s.shapes.is_empty());
    assert_ne!(cross.shapes, first.shapes, "cursor {font}");
}

/// Gives a window another cursor of the standard font.
fn client_cursor(client: &Client, window: u32, glyph: u16) -> u32 {
    use x11rb::connection::Connection as _;
    use x11rb::protocol::xproto::ChangeWindowAttributesAux;
    let c = &client.connection;
    let (font, cursor) = (c.generate_id().expect("an id"), c.generate_id().expect("an id"));
    c.open_font(font, b"cursor").expect("sent");
    c.create_glyph_cursor(cursor, font, font, glyph, glyph + 1, 0, 0, 0, 0xFFFF, 0xFFFF, 0xFFFF)
        .expect("sent");
    let aux = ChangeWindowAttributesAux::new().cursor(cursor);
    c.change_window_attributes(window, &aux).expect("sent").check().expect("a cursor");
    cursor
}

#[test]
fn a_resize_in_mid_session_brings_a_new_layout_and_a_whole_picture() {
    let desktop = Desktop::start("1280x1024x24");
    let mut screen = open(&desktop);
    settle(&mut screen, QUIET);
    let timing = ["38.25", "800", "832", "912", "1024", "600", "603", "607", "624"];
    desktop.call("xrandr", &[&["--newmode", "small"], &timing[..]].concat());
    desktop.call("xrandr", &["--addmode", "screen", "small"]);
    desktop.call("xrandr", &["--output", "screen", "--mode", "small"]);
    let seen = watch(&mut screen, "a smaller layout", |s| {
        s.layouts.iter().any(|l| l.shown_monitor().is_some_and(|m| (m.width, m.height) == (800, 600)))
    });
    assert_eq!(seen.changed.map(|c| (c.cols(), c.rows(), c.count())), Some((50, 38, 50 * 38)));
    assert_eq!(seen.picture.len(), 800 * 600 * 4);
    desktop.call("xrandr", &["--output", "screen", "--mode", "1280x1024"]);
    watch(&mut screen, "the old layout", |s| s.picture.len() == 1280 * 1024 * 4);
}

#[test]
fn each_of_two_monitors_can_be_shown() {
    let desktop = Desktop::start("1000x500x24");
    desktop.call("xrandr", &["--setmonitor", "left", "500/100x500/100+0+0", "screen"]);
    desktop.call("xrandr", &["--setmonitor", "right", "500/100x500/100+500+0", "none"]);
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 1000, 500);
    client.fill(window, rectangle(500, 0, 500, 500), 0x00_FF_00);
    let mut screen = open(&desktop);
    let left = settle(&mut screen, QUIET);
    assert_eq!(screen.layout().monitors.len(), 2);
    assert_eq!(left.pixel(250, 250), [0, 0, 0]);
    screen.show(MonitorId(1)).expect("a second monitor");
    let right = settle(&mut screen, QUIET);
    assert_eq!(right.layouts.last().map(|l| l.shown), Some(MonitorId(1)));
    assert_eq!(right.pixel(250, 250), [0, 255, 0]);
    client.fill(window, rectangle(0, 0, 100, 100), 0xFF_FF_FF);
    assert!(settle(&mut screen, QUIET).changed.is_none(), "the other monitor is not shown");
    assert_eq!(screen.show(MonitorId(2)), Err(ScreenError::UnknownMonitor(MonitorId(2))));
}

#[test]
fn monitors_that_come_and_go_in_mid_session_are_noticed_and_the_shown_one_is_shown_whole() {
    let desktop = Desktop::start("1000x500x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 1000, 500);
    client.fill(window, rectangle(500, 0, 500, 500), 0x00_FF_00);
    let mut screen = open(&desktop);
    settle(&mut screen, QUIET);
    desktop.call("xrandr", &["--setmonitor", "left", "500/100x500/100+0+0", "screen"]);
    let half = watch(&mut screen, "half a screen", |s| s.picture.len() == 500 * 500 * 4);
    assert_eq!(half.layouts.last().map(|l| l.monitors.len()), Some(1));
    desktop.call("xrandr", &["--setmonitor", "right", "500/100x500/100+500+0", "none"]);
    watch(&mut screen, "a second monitor", |s| s.layouts.iter().any(|l| l.monitors.len() == 2));
    screen.show(MonitorId(1)).expect("the new monitor");
    let right = watch(&mut screen, "the new monitor's picture", |s| !s.picture.is_empty());
    assert_eq!(right.pixel(250, 250), [0, 255, 0]);
    desktop.call("xrandr", &["--delmonitor", "right"]);
    let left = watch(&mut screen, "the monitor that is left", |s| {
        s.layouts.last().is_some_and(|l| l.monitors.len() == 1 && l.shown == MonitorId(0))
            && !s.picture.is_empty()
    });
    assert_eq!(left.pixel(250, 250), [0, 0, 0]);
}

#[test]
fn an_odd_size_is_captured_to_its_last_pixel() {
    let desktop = Desktop::start("1001x701x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 1001, 701);
    client.fill(window, rectangle(1000, 700, 1, 1), 0xAB_CD_EF);
    let seen = settle(&mut open(&desktop), QUIET);
    assert_eq!(seen.pixel(1000, 700), [0xAB, 0xCD, 0xEF]);
}

#[test]
fn a_server_that_shares_no_memory_is_captured_through_the_socket() {
    let desktop = Desktop::start_with("640x480x24", &["-extension", "MIT-SHM"]);
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 640, 480);
    client.fill(window, rectangle(100, 100, 50, 50), 0x77_88_99);
    let seen = settle(&mut open(&desktop), QUIET);
    assert_eq!(seen.pixel(120, 120), [0x77, 0x88, 0x99]);
}

#[test]
fn a_display_behind_a_network_is_captured_through_the_socket() {
    let desktop = Desktop::start_with("640x480x24", &["-listen", "tcp", "-ac"]);
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 640, 480);
    client.fill(window, rectangle(100, 100, 50, 50), 0x77_88_99);
    let far = format!("127.0.0.1{}", desktop.display);
    let mut screen = X11Screen::open(Some(&far)).expect("a screen");
    assert_eq!(settle(&mut screen, QUIET).pixel(120, 120), [0x77, 0x88, 0x99]);
}

#[test]
fn what_is_missing_is_named() {
    let shallow = Desktop::start("640x480x16");
    let depth = X11Screen::open(Some(&shallow.display)).expect_err("16 bits");
    assert_eq!(depth, ScreenError::UnsupportedDepth { depth: 16 });
    let bare = Desktop::start_with("640x480x24", &["-extension", "DAMAGE"]);
    let damage = X11Screen::open(Some(&bare.display)).expect_err("no DAMAGE");
    assert_eq!(damage, ScreenError::MissingExtension { name: "DAMAGE" });
    let nobody = X11Screen::open(Some(":64999")).expect_err("no such display");
    assert!(matches!(nobody, ScreenError::Unreachable { .. }), "{nobody:?}");
    assert_eq!(X11Screen::open(Some("")).expect_err("no name"), ScreenError::NoDisplay);
}

#[test]
fn a_desktop_that_ends_is_reported_and_does_not_hang() {
    let mut desktop = Desktop::start("640x480x24");
    let mut screen = open(&desktop);
    settle(&mut screen, QUIET);
    desktop.stop_server();
    let deadline = Instant::now() + desktop::PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "the loss was not noticed");
        match screen.grab(Duration::from_secs(1)) {
            Ok(_) => {}
            Err(fault) => {
                assert_eq!(fault, ScreenError::Lost);
                return;
            }
        }
    }
}
