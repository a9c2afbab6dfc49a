//! The key that stops everything, on real displays, in every layout and beside other programs.

mod desktop;

use desktop::{Client, Desktop};
use tasuki_media::x11::{Alarm, Sentinel, Standing, StopKey};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, ModMask};

/// Where a keyboard has its E.
const PLACE: u8 = 26;

fn sentinel(desktop: &Desktop, client: &Client) -> Sentinel {
    let window = client.window(0, 0, 200, 40);
    let standing = Standing { window, left: 0, top: 0, width: 200, height: 40 };
    Sentinel::open(Some(&desktop.display), &[standing]).expect("a sentinel")
}

/// The next thing that is told of the key.
fn told(sentinel: &mut Sentinel) -> Alarm {
    loop {
        match sentinel.watch().expect("the display answers") {
            Some(Alarm::Monitors) => {}
            Some(alarm) => return alarm,
            None => panic!("nobody woke it"),
        }
    }
}

#[test]
fn s31_t32_the_stop_key_is_there_in_layouts_without_latin_letters_and_after_a_change() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    for (layout, key) in [("ru", "26"), ("gr", "26"), ("ara", "26"), ("ru,us", "26"), ("us", "e")] {
        desktop.call("setxkbmap", &["-layout", layout]);
        let mut sentinel = sentinel(&desktop, &client);
        assert_eq!(told(&mut sentinel), Alarm::StopKeyIs(StopKey::Held), "{layout}");
        desktop.call("xdotool", &["key", &format!("ctrl+alt+shift+{key}")]);
        assert_eq!(told(&mut sentinel), Alarm::StopKey, "{layout}");
        // Here the letter lies elsewhere.
        desktop.call("setxkbmap", &["-layout", "us", "-variant", "dvorak"]);
        let waker = sentinel.waker();
        std::thread::sleep(std::time::Duration::from_millis(300));
        waker.wake();
        assert_eq!(sentinel.watch(), Ok(None), "{layout}");
        desktop.call("xdotool", &["key", "ctrl+alt+shift+e"]);
        assert_eq!(told(&mut sentinel), Alarm::StopKey, "{layout}, then Dvorak");
    }
}

#[test]
fn s31_a_stop_key_that_another_program_holds_is_told_of_and_the_next_sentinel_gets_it() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    let other = Client::connect(&desktop.display);
    let mode = GrabMode::ASYNC;
    let grab = other.connection.grab_key(false, other.root, ModMask::ANY, PLACE, mode, mode);
    grab.expect("sent").check().expect("it is free");
    assert_eq!(told(&mut sentinel(&desktop, &client)), Alarm::StopKeyIs(StopKey::Missing));
    drop(other);
    // One layout of two has the letter where somebody else holds it.
    desktop.call("setxkbmap", &["-layout", "us,us", "-variant", ",dvorak"]);
    let other = Client::connect(&desktop.display);
    let grab = other.connection.grab_key(false, other.root, ModMask::ANY, PLACE, mode, mode);
    grab.expect("sent").check().expect("it is free again");
    assert_eq!(told(&mut sentinel(&desktop, &client)), Alarm::StopKeyIs(StopKey::Missing));
    drop(other);
    let mut first = sentinel(&desktop, &client);
    assert_eq!(told(&mut first), Alarm::StopKeyIs(StopKey::Held));
    assert_eq!(told(&mut sentinel(&desktop, &client)), Alarm::StopKeyIs(StopKey::Missing));
    drop(first);
    assert_eq!(told(&mut sentinel(&desktop, &client)), Alarm::StopKeyIs(StopKey::Held));
    client.connection.flush().expect("the display answers");
}
