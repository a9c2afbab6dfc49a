//! Which stroke of this desktop's keyboard makes a character, if any does.
//!
//! Pure: reads a keyboard map that was handed in. Knows the core protocol's
//! columns: plain, Shift, then the second group's two, then AltGr's two.

/// An X keysym.
pub(super) type Keysym = u32;

const LEVEL3_SHIFT: Keysym = 0xFE03;
const RETURN: Keysym = 0xFF0D;
const TAB: Keysym = 0xFF09;
const UNICODE: Keysym = 0x0100_0000;

/// A key, and what must be held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) keycode: u8,
    pub(super) level: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Plain,
    Shift,
    AltGr,
    ShiftAltGr,
}

/// The group of the keyboard map that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    First,
    Second,
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Keymap {
    pub(super) first: u8,
    pub(super) columns: usize,
    pub(super) keysyms: Vec<Keysym>,
}

impl Keymap {
    /// The stroke that makes `wanted`, the simplest first.
    pub(super) fn stroke(&self, wanted: Keysym, group: Group) -> Option<Stroke> {
        let columns: &[(usize, Level)] = match group {
            Group::First => {
                &[(0, Level::Plain), (1, Level::Shift), (4, Level::AltGr), (5, Level::ShiftAltGr)]
            }
            Group::Second => &[(2, Level::Plain), (3, Level::Shift)],
            Group::Other => &[],
        };
        let has_level3 = self.level3().is_some();
        columns
            .iter()
            .filter(|(_, level)| has_level3 || matches!(level, Level::Plain | Level::Shift))
            .find_map(|(column, level)| {
                let keycode = self.keycode_of(wanted, *column)?;
                Some(Stroke { keycode, level: *level })
            })
    }

    /// The key that is AltGr here.
    pub(super) fn level3(&self) -> Option<u8> {
        self.keycode_of(LEVEL3_SHIFT, 0)
    }

    /// Keys that make nothing at all: free to be lent other characters.
    pub(super) fn spare(&self) -> Vec<u8> {
        self.rows().filter(|(_, row)| row.iter().all(|sym| *sym == 0)).map(|(code, _)| code).collect()
    }

    /// Whether `keycode` makes `keysym` in its first column.
    pub(super) fn holds(&self, keycode: u8, keysym: Keysym) -> bool {
        self.rows().any(|(code, row)| code == keycode && row.first() == Some(&keysym))
    }

    fn keycode_of(&self, wanted: Keysym, column: usize) -> Option<u8> {
        self.rows().find(|(_, row)| row.get(column) == Some(&wanted)).map(|(code, _)| code)
    }

    fn rows(&self) -> impl Iterator<Item = (u8, &[Keysym])> {
        (self.first..=u8::MAX).zip(self.keysyms.chunks_exact(self.columns.max(1)))
    }
}

/// The keysym of a character; `None` for a control character that no key makes.
pub(super) fn keysym_of(character: char) -> Option<Keysym> {
    match character {
        '\n' => Some(RETURN),
        '\t' => Some(TAB),
        ' '..='~' | '\u{A0}'..='\u{FF}' => Some(u32::from(character)),
        control if control.is_control() => None,
        other => Some(UNICODE | u32::from(other)),
    }
}

/// Whether Caps Lock turns this keysym's Shift around.
pub(super) fn has_case(keysym: Keysym) -> bool {
    char::from_u32(keysym & !UNICODE).is_some_and(|c| c.is_uppercase() || c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn german() -> Keymap {
        Keymap {
            first: 24,
            columns: 6,
            keysyms: [
                ['q' as u32, 'Q' as u32, 0x6CA, 0x6EA, '@' as u32, 0],
                [LEVEL3_SHIFT, 0, 0, 0, 0, 0],
                [0; 6],
                ['2' as u32, '"' as u32, 0, 0, 0xB2, 0],
            ]
            .concat(),
        }
    }

    #[test]
    fn a_character_is_found_with_what_must_be_held() {
        let stroke = |c: char, group| german().stroke(keysym_of(c).unwrap_or(0), group);
        let made = |keycode, level| Some(Stroke { keycode, level });
        assert_eq!(stroke('q', Group::First), made(24, Level::Plain));
        assert_eq!(stroke('"', Group::First), made(27, Level::Shift));
        assert_eq!(stroke('@', Group::First), made(24, Level::AltGr));
        assert_eq!(stroke('襷', Group::First), None);
        assert_eq!(stroke('q', Group::Second), None);
        assert_eq!(stroke('q', Group::Other), None);
    }

    #[test]
    fn only_keys_that_make_nothing_are_spare() {
        assert_eq!(german().spare(), vec![26]);
        assert!(german().holds(24, 'q' as u32) && !german().holds(26, 'q' as u32));
    }

    #[test]
    fn control_characters_have_no_keysym_but_the_line_and_the_tab() {
        assert_eq!(keysym_of('\u{1B}'), None);
        assert_eq!(keysym_of('\u{85}'), None);
        assert_eq!(keysym_of('\n'), Some(RETURN));
        assert_eq!(keysym_of('あ'), Some(0x0100_3042));
        assert_eq!(keysym_of('é'), Some(0xE9));
    }
}
