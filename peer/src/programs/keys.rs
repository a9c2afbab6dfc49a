//! Names of keys, as a person writes them, to places on the keyboard.
//!
//! A US layout names the places (`a`, `;`, `f5`); what a place produces is the
//! host's own affair. USB HID Usage Tables 1.5, page 0x07.

use tasuki_protocol::input::PhysicalKey;

/// Names beyond letters, digits and function keys.
const NAMED: &[(&str, u16)] = &[
    ("enter", 0x28),
    ("return", 0x28),
    ("escape", 0x29),
    ("esc", 0x29),
    ("backspace", 0x2A),
    ("tab", 0x2B),
    ("space", 0x2C),
    ("minus", 0x2D),
    ("-", 0x2D),
    ("equal", 0x2E),
    ("=", 0x2E),
    ("bracketleft", 0x2F),
    ("[", 0x2F),
    ("bracketright", 0x30),
    ("]", 0x30),
    ("backslash", 0x31),
    ("\\", 0x31),
    ("semicolon", 0x33),
    (";", 0x33),
    ("apostrophe", 0x34),
    ("'", 0x34),
    ("grave", 0x35),
    ("`", 0x35),
    ("comma", 0x36),
    (",", 0x36),
    ("period", 0x37),
    (".", 0x37),
    ("slash", 0x38),
    ("/", 0x38),
    ("capslock", 0x39),
    ("printscreen", 0x46),
    ("scrolllock", 0x47),
    ("pause", 0x48),
    ("insert", 0x49),
    ("home", 0x4A),
    ("pageup", 0x4B),
    ("delete", 0x4C),
    ("del", 0x4C),
    ("end", 0x4D),
    ("pagedown", 0x4E),
    ("right", 0x4F),
    ("left", 0x50),
    ("down", 0x51),
    ("up", 0x52),
    ("numlock", 0x53),
    ("kp_divide", 0x54),
    ("kp_multiply", 0x55),
    ("kp_subtract", 0x56),
    ("kp_add", 0x57),
    ("kp_enter", 0x58),
    ("kp_0", 0x62),
    ("kp_decimal", 0x63),
    ("intl_backslash", 0x64),
    ("menu", 0x65),
    ("ro", 0x87),
    ("katakana_hiragana", 0x88),
    ("yen", 0x89),
    ("henkan", 0x8A),
    ("muhenkan", 0x8B),
    ("hangul", 0x90),
    ("hanja", 0x91),
    ("katakana", 0x92),
    ("hiragana", 0x93),
    ("zenkaku_hankaku", 0x94),
    ("ctrl", 0xE0),
    ("control", 0xE0),
    ("shift", 0xE1),
    ("alt", 0xE2),
    ("super", 0xE3),
    ("meta", 0xE3),
    ("win", 0xE3),
    ("rctrl", 0xE4),
    ("rshift", 0xE5),
    ("ralt", 0xE6),
    ("altgr", 0xE6),
    ("rsuper", 0xE7),
];

/// The key called `name`, in any case.
pub(super) fn key(name: &str) -> Option<PhysicalKey> {
    let name = name.to_ascii_lowercase();
    let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, usage)| *usage);
    named.or_else(|| letter_or_digit(&name)).or_else(|| numbered(&name)).map(PhysicalKey)
}

/// The keys of a chord like `ctrl+shift+t`, in the order of pressing.
///
/// # Errors
/// The part that names no key.
pub(super) fn chord(text: &str) -> Result<Vec<PhysicalKey>, String> {
    // `+` itself is the key `=` with shift on a US keyboard.
    let parts = text.split('+').map(str::trim);
    parts.map(|part| key(part).ok_or_else(|| part.to_owned())).collect()
}

fn letter_or_digit(name: &str) -> Option<u16> {
    match name.as_bytes() {
        [letter @ b'a'..=b'z'] => Some(0x04 + u16::from(letter - b'a')),
        [b'0'] => Some(0x27),
        [digit @ b'1'..=b'9'] => Some(0x1E + u16::from(digit - b'1')),
        _ => None,
    }
}

fn numbered(name: &str) -> Option<u16> {
    if let Some(digit) = name.strip_prefix("kp_") {
        let digit = digit.parse::<u16>().ok().filter(|digit| (1..=9).contains(digit))?;
        return Some(0x58 + digit);
    }
    let number = name.strip_prefix('f')?.parse::<u16>().ok()?;
    match number {
        1..=12 => Some(0x39 + number),
        13..=24 => Some(0x68 + number - 13),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_at_their_places_of_the_usage_tables() {
        for (name, usage) in [
            ("a", 0x04),
            ("Z", 0x1D),
            ("1", 0x1E),
            ("0", 0x27),
            ("f1", 0x3A),
            ("F12", 0x45),
            ("f13", 0x68),
            ("f24", 0x73),
            ("kp_1", 0x59),
            ("kp_9", 0x61),
        ] {
            assert_eq!(key(name), Some(PhysicalKey(usage)), "{name}");
        }
        for name in ["", "ä", "f0", "f25", "kp_10", "hyper"] {
            assert_eq!(key(name), None, "{name}");
        }
    }

    #[test]
    fn a_chord_is_pressed_in_its_order_and_its_unknown_part_is_named() {
        let keys = chord("ctrl+shift+t").unwrap();
        assert_eq!(keys, [PhysicalKey(0xE0), PhysicalKey(0xE1), PhysicalKey(0x17)]);
        assert_eq!(chord("ctrl+wrong"), Err("wrong".to_owned()));
    }
}
