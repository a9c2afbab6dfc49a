//! The portable back ends, as far as an X server without a GPU lets them run.
//!
//! One test: both read DISPLAY, which belongs to the whole process.
#![cfg(feature = "portable")]

mod desktop;

use desktop::{Client, Desktop, rectangle, watch};
use tasuki_media::input::Injector;
use tasuki_media::portable::{PortableInjector, PortableScreen};
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey};
use tasuki_protocol::screen::MonitorId;
use x11rb::protocol::Event;

/// Re-runs itself with DISPLAY set, since a test must not change its own environment.
#[test]
fn a_colour_is_captured_and_a_key_arrives() {
    if std::env::var_os("TASUKI_TEST_INNER").is_some() {
        return capture_and_type();
    }
    let desktop = Desktop::start("800x600x24");
    let own = std::env::current_exe().expect("a test binary");
    let status = std::process::Command::new(own)
        .args(["--exact", "a_colour_is_captured_and_a_key_arrives", "--nocapture"])
        .env("DISPLAY", &desktop.display)
        .env("TASUKI_TEST_INNER", "1")
        .env_remove("WAYLAND_DISPLAY")
        .env("XDG_SESSION_TYPE", "x11")
        .status()
        .expect("it runs");
    assert!(status.success());
}

fn capture_and_type() {
    let display = std::env::var("DISPLAY").expect("set above");
    let client = Client::connect(&display);
    let window = client.window(0, 0, 800, 600);
    client.fill(window, rectangle(100, 100, 200, 200), 0x20_60_A0);
    let mut screen = PortableScreen::open().expect("a screen");
    let seen = watch(&mut screen, "a picture", |seen| !seen.picture.is_empty());
    assert_eq!(seen.pixel(150, 150), [0x20, 0x60, 0xA0]);
    client.fill(window, rectangle(0, 0, 16, 16), 0xFF_FF_FF);
    let next = watch(&mut screen, "a change", |seen| seen.changed.is_some());
    assert_eq!(next.changed.map(|changed| changed.count()), Some(1));
    let mut injector = PortableInjector::open().expect("an injector");
    let moved = InputEvent::PointerMove { monitor: MonitorId(0), x: 44, y: 55 };
    injector.inject(&moved).expect("moved");
    let key = PhysicalKey(0x04);
    injector.inject(&InputEvent::Key { key, action: KeyAction::Press }).expect("pressed");
    drop(injector);
    let events = client.events_until("the key", |events| {
        events.iter().any(|e| matches!(e, Event::KeyRelease(key) if key.detail == 38))
    });
    let pressed =
        |e: &Event| matches!(e, Event::KeyPress(k) if (k.detail, k.root_x, k.root_y) == (38, 44, 55));
    assert!(events.iter().any(pressed));
}
