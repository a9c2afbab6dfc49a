//! The bytes of everything that crosses a wire, written down.
//!
//! A change here is a change of the protocol: peers of the version before no longer understand it,
//! so `PROTOCOL_VERSION` must change with it. To add a variant, write its line with any bytes, run
//! the test, and read the right ones in its complaint. `tests/tests/tidy` asks that no variant is
//! missing.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use tasuki_protocol::{
    ids::Role,
    input::{InputEvent, KeyAction, PhysicalKey, PointerButton},
    screen::MonitorId,
    ticket::RelayAnswer,
};

/// Collects complaints, so that one run tells all bytes.
#[derive(Debug, Default)]
struct Snapshots(Vec<String>);

impl Snapshots {
    /// A message between peers: postcard.
    fn postcard<T>(&mut self, name: &str, value: &T, expected: &str)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let bytes = postcard::to_stdvec(value).expect("a wire value encodes");
        let back = postcard::from_bytes::<T>(&bytes);
        self.expect(name, &hex(&bytes), expected);
        if back.as_ref() != Ok(value) {
            self.0.push(format!("{name}: comes back as {back:?}"));
        }
    }

    /// A word in a document or a message to a server: JSON.
    fn json<T>(&mut self, name: &str, value: &T, expected: &str)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let text = serde_json::to_string(value).expect("a wire value encodes");
        self.expect(name, &text, expected);
        let back = serde_json::from_str::<T>(&text);
        if back.as_ref().ok() != Some(value) {
            self.0.push(format!("{name}: comes back as {back:?}"));
        }
    }

    fn byte(&mut self, name: &str, byte: u8, expected: u8) {
        self.expect(name, &hex(&[byte]), &hex(&[expected]));
    }

    fn expect(&mut self, name: &str, actual: &str, expected: &str) {
        if actual != expected {
            self.0.push(format!("{name}: is    {actual:?}\n    and was {expected:?}"));
        }
    }

    #[track_caller]
    fn assert_same(self) {
        assert!(self.0.is_empty(), "\n\n{}\n", self.0.join("\n"));
    }
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

#[test]
fn names_keep_their_words() {
    let mut all = Snapshots::default();
    all.json("Role::Operator", &Role::Operator, "\"operator\"");
    all.json("Role::Agent", &Role::Agent, "\"agent\"");
    all.postcard("Role::Operator", &Role::Operator, "00");
    all.postcard("Role::Agent", &Role::Agent, "01");
    all.assert_same();
}

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

#[test]
fn a_relay_keeps_its_answers() {
    let mut all = Snapshots::default();
    all.byte("RelayAnswer::Joined", RelayAnswer::Joined as u8, 1);
    all.byte("RelayAnswer::Refused", RelayAnswer::Refused as u8, 2);
    all.byte("RelayAnswer::Busy", RelayAnswer::Busy as u8, 3);
    all.assert_same();
}
