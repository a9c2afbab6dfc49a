//! The bytes of what a hand does at a desktop.

use tasuki_protocol::{
    input::{InputEvent, KeyAction, PhysicalKey, PointerButton},
    screen::MonitorId,
};

use crate::Snapshots;

#[test]
fn input_keeps_its_bytes() {
    let mut all = Snapshots::default();
    let press = KeyAction::Press;
    let (monitor, left) = (MonitorId(1), PointerButton::Left);
    let moved = InputEvent::PointerMove { monitor, x: 300, y: 5 };
    all.postcard("InputEvent::PointerMove", &moved, "00 01 ac 02 05");
    let button = InputEvent::Button { button: left, action: press };
    all.postcard("InputEvent::Button", &button, "01 00 00");
    all.postcard("InputEvent::Wheel", &InputEvent::Wheel { dx: -120, dy: 1 }, "02 ef 01 02");
    let key = InputEvent::Key { key: PhysicalKey::LEFT_META, action: KeyAction::Release };
    all.postcard("InputEvent::Key", &key, "03 e3 01 01");
    all.postcard("InputEvent::Text", &InputEvent::Text("襷".to_owned()), "04 03 e8 a5 b7");
    all.postcard("InputEvent::ReleaseAll", &InputEvent::ReleaseAll, "05");
    all.postcard("KeyAction::Press", &press, "00");
    all.postcard("KeyAction::Release", &KeyAction::Release, "01");
    all.assert_same();
}

#[test]
fn buttons_keep_their_bytes() {
    let mut all = Snapshots::default();
    all.postcard("PointerButton::Left", &PointerButton::Left, "00");
    all.postcard("PointerButton::Middle", &PointerButton::Middle, "01");
    all.postcard("PointerButton::Right", &PointerButton::Right, "02");
    all.postcard("PointerButton::Back", &PointerButton::Back, "03");
    all.postcard("PointerButton::Forward", &PointerButton::Forward, "04");
    all.assert_same();
}
