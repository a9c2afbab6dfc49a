//! Every decoder that reads what a stranger wrote: one line each.
//!
//! Shared by the fuzzer (`./dev fuzz`) and by the ordinary test that replays the committed corpus
//! (`tests/tests/fuzz_replay.rs`). A target must survive any bytes; where a value can be encoded
//! again, what it decodes to must come back the same.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use tasuki_protocol::{
    input::InputEvent,
    screen::{CursorPosition, CursorShape, Layout},
    ticket::{RelayAnswer, TicketKey},
};

/// A decoder under its name, which is also its corpus folder's.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub decode: fn(&[u8]),
}

const fn target(name: &'static str, decode: fn(&[u8])) -> Target {
    Target { name, decode }
}

#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    target("ticket", ticket),
    target("relay_answer", relay_answer),
    target("input_event", postcard::<InputEvent>),
    target("layout", layout),
    target("cursor_shape", cursor_shape),
    target("cursor_position", postcard::<CursorPosition>),
];

/// Also sealed as its server would have sealed it, so that the bytes reach behind the tag.
fn ticket(bytes: &[u8]) {
    const NOW: u64 = 1_000;
    let key = TicketKey::from_bytes([7; 32]);
    let _ = key.open(bytes, NOW);
    let Ok(ticket) = postcard::from_bytes(bytes) else { return };
    if let Ok(opened) = key.open(&key.seal(&ticket), NOW) {
        assert_eq!(opened, ticket);
        assert!(opened.expires > NOW);
    }
}

fn relay_answer(bytes: &[u8]) {
    for byte in bytes {
        if let Ok(answer) = RelayAnswer::try_from(*byte) {
            assert_eq!(answer as u8, *byte);
        }
    }
}

fn layout(bytes: &[u8]) {
    postcard::<Layout>(bytes);
    if let Ok(layout) = postcard::from_bytes::<Layout>(bytes) {
        assert!(!layout.is_sane() || layout.shown_monitor().is_some());
    }
}

fn cursor_shape(bytes: &[u8]) {
    postcard::<CursorShape>(bytes);
    if let Ok(shape) = postcard::from_bytes::<CursorShape>(bytes) {
        assert!(!shape.is_sane() || shape.rgba.len() <= 256 * 256 * 4);
    }
}

/// Decodes, and asks that the value survives a round trip.
fn postcard<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(value) = postcard::from_bytes::<T>(bytes) else { return };
    let again = postcard::to_stdvec(&value).expect("what was decoded can be encoded");
    assert_eq!(postcard::from_bytes::<T>(&again).as_ref(), Ok(&value));
}
