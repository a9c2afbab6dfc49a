//! Which texts of strangers may stand before a person. T8.
//!
//! It refuses to know which other names there are: that is [`crate::likeness`].

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, ScriptExtension, UnicodeScript};

/// The longest operator name, in characters. T8.
pub const MAX_NAME_CHARS: usize = 40;
/// The longest reason that an operator may give, in characters.
pub const MAX_REASON_CHARS: usize = 120;
/// The most marks over and under one letter (UTS #39, 5.4), as languages need them.
pub const MAX_MARKS: usize = 4;

/// What one word may be written in beside a single script, after the "highly restrictive" level of
/// UTS #39, 5.2: as Japanese, Chinese and Korean are.
const WRITTEN_TOGETHER: [&[Script]; 3] = [
    &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// Whether a name may stand before a person: it has no [`NameFault`]. T8.
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
    /// A mark that stands on no letter, is one of more than [`MAX_MARKS`], or comes a second time.
    Marks(char),
    /// The letter is of another script than those before it in its word.
    Mixed(char),
    /// Not in Unicode's composed form (NFC): two that look the same would be two.
    Form,
}

/// What of a name keeps it from standing before a person, the first thing of several.
pub fn name_fault(name: &str) -> Option<NameFault> {
    if let Some(hidden) = name.chars().find(|c| is_deceptive(*c)) {
        return Some(NameFault::Hidden(hidden));
    }
    match name.chars().count() {
        0 => return Some(NameFault::Empty),
        count if count > MAX_NAME_CHARS => return Some(NameFault::Long(count)),
        _ if name.trim() != name => return Some(NameFault::OuterSpace),
        _ => {}
    }
    let mut words = name.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
    let marks = excessive_mark(name).map(NameFault::Marks);
    let mixed = || words.find_map(foreign_letter).map(NameFault::Mixed);
    let form = || (!unicode_normalization::is_nfc(name)).then_some(NameFault::Form);
    marks.or_else(mixed).or_else(form)
}

/// What a person typed, in the one form in which names are kept (NFC).
pub fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// Whether a reason may stand before a person: one line of up to [`MAX_REASON_CHARS`], in any scripts.
pub fn is_showable_reason(reason: &str) -> bool {
    let count = reason.chars().count();
    (1..=MAX_REASON_CHARS).contains(&count)
        && reason.trim() == reason
        && !reason.chars().any(is_deceptive)
        && excessive_mark(reason).is_none()
}

/// A stranger's text as one line that may stand before a person: breaks and runs of spaces become one
/// space, controls and invisible or bidirectional characters go. As long as the text at most.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let seen = words.map(|word| word.chars().filter(|c| !is_deceptive(*c)).collect::<String>());
    seen.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A mark that would be drawn over another line or over its neighbours, or that nobody would notice.
fn excessive_mark(text: &str) -> Option<char> {
    let mut marks: Option<Vec<char>> = None;
    for c in text.chars() {
        if !is_combining_mark(c) {
            marks = (!c.is_whitespace()).then(Vec::new);
            continue;
        }
        match &mut marks {
            Some(marks) if marks.len() < MAX_MARKS && !marks.contains(&c) => marks.push(c),
            Some(_) | None => return Some(c),
        }
    }
    None
}

/// The first letter of a word that is written in none of the scripts in which those before it are.
fn foreign_letter(word: &str) -> Option<char> {
    let mut one = ScriptExtension::default();
    let mut together = WRITTEN_TOGETHER.map(Some);
    for letter in word.chars() {
        let scripts = letter.script_extension();
        one.intersect_with(scripts);
        for scripts_of in &mut together {
            let holds = |all: &&[Script]| all.iter().any(|script| scripts.contains_script(*script));
            *scripts_of = scripts_of.filter(holds);
        }
        if one.is_empty() && together.iter().all(Option::is_none) {
            return Some(letter);
        }
    }
    None
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn t8_a_strangers_text_is_one_line_without_breaks_controls_or_turning_letters() {
        let text = "Please\r\n\n\u{2028}wait \u{202E}now\u{200B}\t\u{1b}[2J\u{3000}\u{2066}";
        assert_eq!(one_line(text), "Please wait now [2J");
        assert_eq!(one_line("設定を開いて ください。"), "設定を開いて ください。");
        assert_eq!(one_line("\n\u{200B}\n"), "");
    }

    #[test]
    fn t8_names_as_people_write_them_are_taken_in_every_language() {
        for name in [
            "山田 花子",
            "ヘルプデスク",
            "サポートＡ班",
            "IT推進部",
            "Webサポート",
            "佐々木（東京）",
            "ﾔﾏﾀﾞ ﾊﾅｺ",
            "スーパー・マーケット",
            "〆切チーム",
            "O’Connor-Smith",
            "Zoë Müller",
            "Nguyễn Thị Ánh",
            "Иван Петров (IT)",
            "Άννα Παπαδοπούλου",
            "김철수 팀장",
            "李小龍",
            "สมชาย กิ๊บเก๋",
            "מֹשֶׁה",
            "अनुराधा श्रीवास्तव",
            "မြို့တော်",
            "R2-D2 №5 ☎",
        ] {
            assert_eq!(name_fault(&composed(name)), None, "{name}");
        }
    }

    #[test]
    fn t8_letters_of_two_scripts_in_one_word_are_refused() {
        for (name, foreign) in [
            ("h\u{430}nako", '\u{430}'),
            ("\u{41d}anako", 'a'),
            ("hanak\u{3bf}", '\u{3bf}'),
            ("hanak\u{585}", '\u{585}'),
            ("Help D\u{435}sk", '\u{435}'),
            ("花\u{430}子", '\u{430}'),
            ("\u{3b2}版", '版'),
            ("やま\u{ae40}", '\u{ae40}'),
            ("ลาวa", 'a'),
        ] {
            assert_eq!(name_fault(name), Some(NameFault::Mixed(foreign)), "{name}");
        }
    }

    #[test]
    fn t8_marks_stand_on_a_letter_and_few_at_a_time() {
        let pile: String = std::iter::once('a').chain('\u{300}'..='\u{304}').collect();
        assert_eq!(name_fault(&pile), Some(NameFault::Marks('\u{304}')));
        assert_eq!(name_fault("a\u{316}\u{316}"), Some(NameFault::Marks('\u{316}')));
        assert_eq!(name_fault("\u{301}a"), Some(NameFault::Marks('\u{301}')));
        assert_eq!(name_fault("a \u{301}b"), Some(NameFault::Marks('\u{301}')));
        assert!(!is_showable_reason(&pile) && is_showable_reason("更新の確認 (Иван, β)"));
    }

    #[test]
    fn t8_a_name_has_one_form_and_what_is_typed_is_brought_into_it() {
        for (typed, kept) in [("Zoe\u{308}", "Zoë"), ("か\u{3099}", "が"), ("\u{212a}ai", "Kai")] {
            assert_eq!(name_fault(typed), Some(NameFault::Form), "{typed}");
            assert_eq!(composed(typed), kept);
            assert_eq!(name_fault(kept), None);
        }
    }

    proptest! {
        /// Whatever is taken has one form, no letters of two alphabets that are mistaken for each other, and
        /// no pile of marks.
        #[test]
        fn t8_no_name_that_is_taken_has_latin_letters_beside_cyrillic_or_greek_ones(
            name in "[a-zа-яα-ωあ-んァ-ヶ一-丰\u{300}-\u{304} .0-9-]{1,12}"
        ) {
            let of = |c: char, script| c.script() == script;
            let lookalikes = [Script::Latin, Script::Cyrillic, Script::Greek];
            let words = || name.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
            let mixes = words().any(|word| {
                let has = |script| word.chars().any(|c| of(c, script));
                lookalikes.into_iter().filter(|script| has(*script)).count() > 1
            });
            if is_showable_name(&name) {
                prop_assert!(!mixes);
                prop_assert_eq!(composed(&name), name);
            }
        }
    }
}
