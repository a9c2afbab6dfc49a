//! From a key's place on a USB keyboard to the number that the desktop knows it by.
//!
//! Both are places, so no keyboard map is asked. Linux's own codes (evdev) lie
//! between: X's number is 8 more, by the evdev rules that every X server of
//! today uses.

use tasuki_protocol::input::PhysicalKey;

const X_OFFSET: u8 = 8;

/// The place of X's `keycode`, or `None` where no keyboard has a key. Of several
/// usages for one key the first counts.
pub fn place(keycode: u8) -> Option<PhysicalKey> {
    let evdev = keycode.checked_sub(X_OFFSET).filter(|evdev| *evdev != 0)?;
    let usage = EVDEV.iter().position(|known| *known == evdev)?;
    u16::try_from(usage).ok().map(PhysicalKey)
}

/// X's keycode, or `None` for a usage that names no key.
#[cfg(target_os = "linux")]
pub(crate) fn keycode(key: PhysicalKey) -> Option<u8> {
    let evdev = *EVDEV.get(usize::from(key.0))?;
    (evdev != 0).then(|| evdev + X_OFFSET)
}

/// evdev codes by usage of page 0x07, sixteen a line; 0 is no key. 0xE8 and on
/// are the media keys that Linux knows there.
#[rustfmt::skip]
const EVDEV: [u8; 256] = [
      0,   0,   0,   0,  30,  48,  46,  32,  18,  33,  34,  35,  23,  36,  37,  38,
     50,  49,  24,  25,  16,  19,  31,  20,  22,  47,  17,  45,  21,  44,   2,   3,
      4,   5,   6,   7,   8,   9,  10,  11,  28,   1,  14,  15,  57,  12,  13,  26,
     27,  43,  43,  39,  40,  41,  51,  52,  53,  58,  59,  60,  61,  62,  63,  64,
     65,  66,  67,  68,  87,  88,  99,  70, 119, 110, 102, 104, 111, 107, 109, 106,
    105, 108, 103,  69,  98,  55,  74,  78,  96,  79,  80,  81,  75,  76,  77,  71,
     72,  73,  82,  83,  86, 127, 116, 117, 183, 184, 185, 186, 187, 188, 189, 190,
    191, 192, 193, 194, 134, 138, 130, 132, 128, 129, 131, 137, 133, 135, 136, 113,
    115, 114,   0,   0,   0, 121,   0,  89,  93, 124,  92,  94,  95,   0,   0,   0,
    122, 123,  90,  91,  85,   0,   0,   0,   0,   0,   0,   0, 111,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0, 179, 180,   0,   0,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0, 118,   0,   0,   0,   0,   0,   0,   0,   0,
     29,  42,  56, 125,  97,  54, 100, 126, 164, 166, 165, 163, 161, 115, 114, 113,
    150, 158, 159, 128, 136, 177, 178, 176, 142, 152, 173, 140,   0,   0,   0,   0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_every_kind_of_key_are_known() {
        let known = [
            (0x04, 38),  // A
            (0x1D, 52),  // Z
            (0x1E, 10),  // 1
            (0x28, 36),  // Enter
            (0x2C, 65),  // Space
            (0x3A, 67),  // F1
            (0x45, 96),  // F12
            (0x4F, 114), // Right
            (0x52, 111), // Up
            (0x58, 104), // Enter of the number pad
            (0x62, 90),  // 0 of the number pad
            (0x65, 135), // Menu
            (0x68, 191), // F13
            (0x87, 97),  // International1: backslash and ro
            (0x88, 101), // International2: katakana/hiragana
            (0x89, 132), // International3: yen
            (0x8A, 100), // International4: henkan
            (0x8B, 102), // International5: muhenkan
            (0x90, 130), // LANG1
            (0x94, 93),  // LANG5: zenkaku/hankaku
            (0x7F, 121), // Mute
            (0xE0, 37),  // Left Control
            (0xE5, 62),  // Right Shift
            (0xE7, 134), // Right Meta
        ];
        for (usage, expected) in known {
            assert_eq!(keycode(PhysicalKey(usage)), Some(expected), "usage {usage:#04x}");
        }
    }

    #[test]
    fn a_usage_that_names_no_key_has_no_keycode() {
        for usage in [0, 1, 3, 0xA5, 0xFF, 0x100, u16::MAX] {
            assert_eq!(keycode(PhysicalKey(usage)), None, "usage {usage:#04x}");
        }
    }

    #[test]
    fn a_keycode_leads_back_to_a_place_that_leads_to_it() {
        for code in 0..=u8::MAX {
            if let Some(found) = place(code) {
                assert_eq!(keycode(found), Some(code), "keycode {code}");
            }
        }
        assert_eq!(place(38), Some(PhysicalKey(0x04)));
        assert_eq!([place(0), place(8), place(255)], [None; 3]);
    }
}
