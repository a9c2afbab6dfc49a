//! Which texts of strangers may stand before a person. T8.

/// The longest operator name, in characters. T8.
pub const MAX_NAME_CHARS: usize = 40;
/// The longest reason that an operator may give, in characters.
pub const MAX_REASON_CHARS: usize = 120;

/// Whether a name may stand before a person: 1 to [`MAX_NAME_CHARS`] characters,
/// none of them a control, bidirectional or invisible one, no outer spaces. T8.
pub fn is_showable_name(name: &str) -> bool {
    name_fault(name).is_none()
}

/// Why a name may not stand before a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameFault {
    Empty,
    /// So many characters.
    Long(usize),
    /// A space in front or behind.
    OuterSpace,
    /// A control, bidirectional or invisible character.
    Hidden(char),
}

/// What of a name keeps it from standing before a person, the first thing of several.
pub fn name_fault(name: &str) -> Option<NameFault> {
    if let Some(hidden) = name.chars().find(|c| is_deceptive(*c)) {
        return Some(NameFault::Hidden(hidden));
    }
    match name.chars().count() {
        0 => Some(NameFault::Empty),
        count if count > MAX_NAME_CHARS => Some(NameFault::Long(count)),
        _ if name.trim() != name => Some(NameFault::OuterSpace),
        _ => None,
    }
}

/// Whether a reason may stand before a person: as a name, up to [`MAX_REASON_CHARS`].
pub fn is_showable_reason(reason: &str) -> bool {
    let count = reason.chars().count();
    (1..=MAX_REASON_CHARS).contains(&count)
        && reason.trim() == reason
        && !reason.chars().any(is_deceptive)
}

/// A stranger's text as one line that may stand before a person: breaks and runs of spaces become one
/// space, controls and invisible or bidirectional characters go. As long as the text at most.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let seen = words.map(|word| word.chars().filter(|c| !is_deceptive(*c)).collect::<String>());
    seen.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        )
        || matches!(c, '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
        || matches!(c, '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_a_strangers_text_is_one_line_without_breaks_controls_or_turning_letters() {
        let text = "Please\r\n\n\u{2028}wait \u{202E}now\u{200B}\t\u{1b}[2J\u{3000}\u{2066}";
        assert_eq!(one_line(text), "Please wait now [2J");
        assert_eq!(one_line("設定を開いて ください。"), "設定を開いて ください。");
        assert_eq!(one_line("\n\u{200B}\n"), "");
    }
}
