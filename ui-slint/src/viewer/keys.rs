//! From a key that the window system reports to its place on a keyboard.
//!
//! Decides nothing about letters: what a place makes is the host's keyboard map's
//! affair. USB HID Usage Tables 1.5, page 0x07; W3C UI Events `code` values.

use slint::winit_030::winit::keyboard::{KeyCode, NativeKeyCode, PhysicalKey as WinitKey};
use tasuki_protocol::input::{PhysicalKey, PointerButton};

use crate::windows::ViewButton;

/// What a button of the toolkit is at the host.
pub(super) fn button(button: ViewButton) -> PointerButton {
    match button {
        ViewButton::Left => PointerButton::Left,
        ViewButton::Middle => PointerButton::Middle,
        ViewButton::Right => PointerButton::Right,
        ViewButton::Back => PointerButton::Back,
        ViewButton::Forward => PointerButton::Forward,
    }
}

/// The place of a key, or `None` for one that no keyboard page names (Fn, Eject).
pub fn place(key: WinitKey) -> Option<PhysicalKey> {
    let usage = match key {
        WinitKey::Code(code) => usage(code),
        WinitKey::Unidentified(NativeKeyCode::Xkb(keycode)) => return x_place(keycode),
        WinitKey::Unidentified(_) => None,
    };
    usage.map(PhysicalKey)
}

/// The place of an X keycode, by the evdev rules that every X server of today uses.
pub fn x_place(keycode: u32) -> Option<PhysicalKey> {
    tasuki_media::keys::place(u8::try_from(keycode).ok()?)
}

fn usage(code: KeyCode) -> Option<u16> {
    PLACES.iter().find(|(known, _)| *known == code).map(|(_, usage)| *usage)
}

/// Every code that has a usage.
#[rustfmt::skip]
const PLACES: &[(KeyCode, u16)] = {
    use KeyCode as K;
    &[
        (K::KeyA, 0x04), (K::KeyB, 0x05), (K::KeyC, 0x06), (K::KeyD, 0x07), (K::KeyE, 0x08),
        (K::KeyF, 0x09), (K::KeyG, 0x0A), (K::KeyH, 0x0B), (K::KeyI, 0x0C), (K::KeyJ, 0x0D),
        (K::KeyK, 0x0E), (K::KeyL, 0x0F), (K::KeyM, 0x10), (K::KeyN, 0x11), (K::KeyO, 0x12),
        (K::KeyP, 0x13), (K::KeyQ, 0x14), (K::KeyR, 0x15), (K::KeyS, 0x16), (K::KeyT, 0x17),
        (K::KeyU, 0x18), (K::KeyV, 0x19), (K::KeyW, 0x1A), (K::KeyX, 0x1B), (K::KeyY, 0x1C),
        (K::KeyZ, 0x1D),
        (K::Digit1, 0x1E), (K::Digit2, 0x1F), (K::Digit3, 0x20), (K::Digit4, 0x21), (K::Digit5, 0x22),
        (K::Digit6, 0x23), (K::Digit7, 0x24), (K::Digit8, 0x25), (K::Digit9, 0x26), (K::Digit0, 0x27),
        (K::Enter, 0x28), (K::Escape, 0x29), (K::Backspace, 0x2A), (K::Tab, 0x2B), (K::Space, 0x2C),
        (K::Minus, 0x2D), (K::Equal, 0x2E), (K::BracketLeft, 0x2F), (K::BracketRight, 0x30),
        (K::Backslash, 0x31), (K::Semicolon, 0x33), (K::Quote, 0x34), (K::Backquote, 0x35),
        (K::Comma, 0x36), (K::Period, 0x37), (K::Slash, 0x38), (K::CapsLock, 0x39),
        (K::F1, 0x3A), (K::F2, 0x3B), (K::F3, 0x3C), (K::F4, 0x3D), (K::F5, 0x3E), (K::F6, 0x3F),
        (K::F7, 0x40), (K::F8, 0x41), (K::F9, 0x42), (K::F10, 0x43), (K::F11, 0x44), (K::F12, 0x45),
        (K::PrintScreen, 0x46), (K::ScrollLock, 0x47), (K::Pause, 0x48), (K::Insert, 0x49),
        (K::Home, 0x4A), (K::PageUp, 0x4B), (K::Delete, 0x4C), (K::End, 0x4D), (K::PageDown, 0x4E),
        (K::ArrowRight, 0x4F), (K::ArrowLeft, 0x50), (K::ArrowDown, 0x51), (K::ArrowUp, 0x52),
        (K::NumLock, 0x53), (K::NumpadDivide, 0x54), (K::NumpadMultiply, 0x55),
        (K::NumpadSubtract, 0x56), (K::NumpadAdd, 0x57), (K::NumpadEnter, 0x58),
        (K::Numpad1, 0x59), (K::Numpad2, 0x5A), (K::Numpad3, 0x5B), (K::Numpad4, 0x5C),
        (K::Numpad5, 0x5D), (K::Numpad6, 0x5E), (K::Numpad7, 0x5F), (K::Numpad8, 0x60),
        (K::Numpad9, 0x61), (K::Numpad0, 0x62), (K::NumpadDecimal, 0x63),
        (K::IntlBackslash, 0x64), (K::ContextMenu, 0x65), (K::NumpadEqual, 0x67),
        (K::F13, 0x68), (K::F14, 0x69), (K::F15, 0x6A), (K::F16, 0x6B), (K::F17, 0x6C),
        (K::F18, 0x6D), (K::F19, 0x6E), (K::F20, 0x6F), (K::F21, 0x70), (K::F22, 0x71),
        (K::F23, 0x72), (K::F24, 0x73),
        (K::Open, 0x74), (K::Help, 0x75), (K::Props, 0x76), (K::Select, 0x77), (K::Again, 0x79),
        (K::Undo, 0x7A), (K::Cut, 0x7B), (K::Copy, 0x7C), (K::Paste, 0x7D), (K::Find, 0x7E),
        (K::AudioVolumeMute, 0x7F), (K::AudioVolumeUp, 0x80), (K::AudioVolumeDown, 0x81),
        (K::NumpadComma, 0x85),
        (K::IntlRo, 0x87), (K::KanaMode, 0x88), (K::IntlYen, 0x89), (K::Convert, 0x8A),
        (K::NonConvert, 0x8B),
        (K::Lang1, 0x90), (K::Lang2, 0x91), (K::Lang3, 0x92), (K::Katakana, 0x92),
        (K::Lang4, 0x93), (K::Hiragana, 0x93), (K::Lang5, 0x94),
        (K::NumpadParenLeft, 0xB6), (K::NumpadParenRight, 0xB7),
        (K::ControlLeft, 0xE0), (K::ShiftLeft, 0xE1), (K::AltLeft, 0xE2), (K::SuperLeft, 0xE3),
        (K::ControlRight, 0xE4), (K::ShiftRight, 0xE5), (K::AltRight, 0xE6), (K::SuperRight, 0xE7),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_and_right_modifiers_the_number_pad_and_japanese_keys_have_places_of_their_own() {
        for (code, usage) in [
            (KeyCode::ShiftLeft, 0xE1),
            (KeyCode::ShiftRight, 0xE5),
            (KeyCode::AltRight, 0xE6),
            (KeyCode::Digit1, 0x1E),
            (KeyCode::Numpad1, 0x59),
            (KeyCode::Enter, 0x28),
            (KeyCode::NumpadEnter, 0x58),
            (KeyCode::Convert, 0x8A),
            (KeyCode::NonConvert, 0x8B),
            (KeyCode::IntlRo, 0x87),
            (KeyCode::IntlYen, 0x89),
            (KeyCode::Lang5, 0x94),
            (KeyCode::IntlBackslash, 0x64),
        ] {
            assert_eq!(place(WinitKey::Code(code)), Some(PhysicalKey(usage)), "{code:?}");
        }
        assert_eq!(place(WinitKey::Code(KeyCode::Fn)), None);
    }

    #[test]
    fn no_two_codes_share_a_place_but_the_two_names_of_kana_keys() {
        for (at, (code, usage)) in PLACES.iter().enumerate() {
            let same = PLACES[at + 1..].iter().find(|(_, other)| other == usage);
            let kana = matches!(code, KeyCode::Lang3 | KeyCode::Lang4);
            assert!(same.is_none() || kana, "{code:?} and {same:?}");
        }
    }

    #[test]
    fn a_place_is_the_same_whichever_way_the_key_was_reported() {
        // Letters of other layouts stand at these X keycodes: q/a, z/y, the dead keys of de and fr.
        for (keycode, code) in [
            (24, KeyCode::KeyQ),
            (38, KeyCode::KeyA),
            (52, KeyCode::KeyZ),
            (29, KeyCode::KeyY),
            (49, KeyCode::Backquote),
            (21, KeyCode::Equal),
            (34, KeyCode::BracketLeft),
            (94, KeyCode::IntlBackslash),
            (97, KeyCode::IntlRo),
            (132, KeyCode::IntlYen),
            (100, KeyCode::Convert),
            (102, KeyCode::NonConvert),
            (108, KeyCode::AltRight),
        ] {
            assert_eq!(x_place(keycode), place(WinitKey::Code(code)), "keycode {keycode}");
        }
        assert_eq!(x_place(300), None);
    }
}
