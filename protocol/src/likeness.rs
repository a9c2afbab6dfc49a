//! Which names a person takes for one another, so that none passes for another: no account, nor what end users
//! are shown (T8).
//!
//! Wide and narrow forms, capitals, and letters of other scripts with the same face count as one,
//! after the idea of Unicode's UTS #39 and without its tables: these are the letters that names in
//! Latin letters and in Japanese are imitated with.

use unicode_normalization::UnicodeNormalization;

/// Letters in small form, each with the one that it passes for.
const FACES: [(&str, &str); 7] = [
    // Cyrillic, Greek, Armenian.
    ("аеорсухіјѕԁһԛԝкмтнвгпьѵӏ", "aeopcyxijsdhqwkmthbrnbvl"),
    ("αορνυικχτηβεζμωγσϲϳϱ", "aopvuikxthbezmwyocjp"),
    ("ցօոսհյզ", "gonuhjq"),
    // Latin letters that are not of the alphabet.
    ("ıɩɑɡȷʋʏᴏᴄᴠᴡᴢꜱ", "iiagjvyocvwzs"),
    ("01|", "oll"),
    ("二八口囗力夕工卜千匕又丿才厶亻ヘベペリ", "ニハロロカタエトチヒヌノオムイへべぺり"),
    ("ー一―‐‑‒–—−〇○◯•・", "---------ooo··"),
];

/// Capital I and small l are one stroke, and capitals count as small letters.
const STROKE: (char, char) = ('i', 'l');

/// What two letters side by side pass for.
const PAIRS: [(&str, &str); 2] = [("rn", "m"), ("vv", "w")];

/// The same for any two names that look alike.
pub fn likeness(name: &str) -> String {
    let seen = name.nfkc().flat_map(char::to_lowercase).filter(|letter| !is_overlooked(*letter));
    let faces: String = seen.map(face).collect();
    PAIRS.iter().fold(faces, |faces, (pair, one)| faces.replace(pair, one))
}

/// The same for texts that differ in capitals, in wide and narrow forms, and in the width of their spaces: what is looked
/// for is found however it was typed.
pub fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The same for one name in whatever form it was written: composed or not, wide or narrow. Capitals stay.
pub fn composed(name: &str) -> String {
    name.nfkc().collect()
}

/// Whether a person takes one name for the other.
pub fn alike(one: &str, other: &str) -> bool {
    likeness(one) == likeness(other)
}

/// Nobody hears them, and a page makes one space of two.
fn is_overlooked(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '.' | ',' | '\'' | '’' | '·' | '・' | '、' | '。')
}

fn face(letter: char) -> char {
    let known = FACES.iter().find_map(|(imitations, faces)| {
        let place = imitations.chars().position(|imitation| imitation == letter)?;
        faces.chars().nth(place)
    });
    let face = known.unwrap_or(letter);
    if face == STROKE.0 { STROKE.1 } else { face }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_names_with_one_face_are_alike_and_others_are_not() {
        for imitation in ["Hanako", "ｈａｎａｋｏ", "h\u{430}n\u{430}k\u{43e}", "HANAK\u{39f}"] {
            assert_eq!(likeness(imitation), likeness("hanako"), "{imitation}");
        }
        assert_eq!(likeness("\u{4e8c}\u{30b3}"), likeness("ニコ"));
        assert_eq!(likeness("ﾆｺ"), likeness("ニコ"));
        for (imitation, name) in [
            ("tar\u{585}", "taro"),
            ("tar0", "taro"),
            ("te1ephone", "telephone"),
            ("mo\u{43f}a", "mona"),
            ("modem", "modern"),
            ("vvatanabe", "watanabe"),
            ("スーパ一", "スーパー"),
            ("リえ", "りえ"),
            ("千カ", "チ力"),
            ("Ｔａｒｏ", "taro"),
            ("Iaura", "laura"),
            ("1aura", "Iaura"),
            ("｜aura", "laura"),
            ("Hanako  Sato", "Hanako Sato"),
            ("HanakoSato", "Hanako Sato"),
            ("Hanako Sato.", "Hanako Sato"),
            ("田中健", "田中 健"),
            ("田中・健", "田中\u{3000}健"),
        ] {
            assert_eq!(likeness(imitation), likeness(name), "{imitation}");
        }
        for other in ["hanako2", "hanaka", "花子", "hana-ko"] {
            assert_ne!(likeness(other), likeness("hanako"));
        }
        for (imitations, faces) in FACES {
            assert_eq!(imitations.chars().count(), faces.chars().count());
        }
    }
}
