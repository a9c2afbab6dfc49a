//! The master key in three parts, any two of which give it back (Shamir, CACM 22(11), 1979).
//!
//! For each byte a line through the secret over GF(256): one point says nothing of it.
//! Written down as words, the last of which checks the others.

use std::fmt::Write as _;

use tasuki_protocol::words;
use zeroize::Zeroizing;

/// One part: its place on the line, 1 to 3, and a value for each byte.
#[derive(Clone)]
pub struct Share {
    pub place: u8,
    values: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Share({})", self.place)
    }
}

impl Share {
    /// `1: word word ...`, as it is printed and typed.
    pub fn spell(&self) -> Zeroizing<String> {
        let spelled = words::spell(&self.values);
        Zeroizing::new([self.place.to_string().as_str(), ": ", spelled.as_str()].concat())
    }
}

impl std::str::FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let (place, words) = placed(text).ok_or(NotAShare::Form)?;
        let words = &unnumbered(words);
        if let Some((at, word)) = words::stranger(words) {
            return Err(NotAShare::Word { at, word });
        }
        let count = words.split_whitespace().count();
        if count != WORDS {
            return Err(NotAShare::Count(count));
        }
        let values = words::read(words).map_err(|_| NotAShare::Check)?;
        Ok(Self { place, values: Zeroizing::new(values) })
    }
}

/// Words of a share, the last of which checks the others.
const WORDS: usize = 24;
/// In one printed line.
const WORDS_A_LINE: usize = 4;
/// Of a printed word with its place.
const WIDTH: usize = 13;

/// A share as it is printed to be copied by hand: its number and a colon, and its words in lines, each with its place.
pub fn numbered(spelled: &str) -> Zeroizing<String> {
    let (place, words) = spelled.split_once(':').unwrap_or(("", spelled));
    let words: Vec<&str> = words.split_whitespace().collect();
    // With room for all: a string that grows leaves a copy of itself behind, which nobody wipes (T68).
    let mut lines =
        Zeroizing::new(String::with_capacity(spelled.len() + words.len() * (WIDTH + 1) + 1));
    lines.push_str(place);
    lines.push(':');
    for (line, first) in words.chunks(WORDS_A_LINE).zip((1..).step_by(WORDS_A_LINE)) {
        lines.push('\n');
        for (word, at) in line.iter().zip(first..) {
            // A string takes everything.
            write!(lines, "{at:>4} {word:<8}").ok();
        }
        let end = lines.trim_end().len();
        lines.truncate(end);
    }
    lines
}

/// The words without the places that were printed before them, in whatever letters somebody typed those.
fn unnumbered(words: &str) -> Zeroizing<String> {
    let is_place = |c: char| c.is_numeric() || matches!(c, '.' | ')' | '．' | '）');
    let plain = words.split_whitespace().map(|word| word.trim_start_matches(is_place));
    let plain: Vec<&str> = plain.filter(|word| !word.is_empty()).collect();
    Zeroizing::new(plain.join(" "))
}

/// Which share `text` begins, and what follows.
fn placed(text: &str) -> Option<(u8, &str)> {
    let (place, words) = text.split_once([':', '：'])?;
    let place = match place.trim() {
        "1" | "１" => 1,
        "2" | "２" => 2,
        "3" | "３" => 3,
        _ => return None,
    };
    Some((place, words))
}

/// Whether a share begins in `line`: it goes on with none that came before.
pub fn begins(line: &str) -> bool {
    placed(line).is_some()
}

/// How many words `text` has that begins a share and ends before its last one; none: it is whole, or wrong so far.
pub fn begun(text: &str) -> Option<usize> {
    match text.parse::<Share>() {
        Err(NotAShare::Count(count)) if count < WORDS => Some(count),
        Ok(_)
        | Err(
            NotAShare::Form
            | NotAShare::Word { .. }
            | NotAShare::Count(_)
            | NotAShare::Check
            | NotAShare::Twice,
        ) => None,
    }
}

/// Not a number from 1 to 3, a colon and 24 words that belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAShare {
    #[error("no number from 1 to 3 and a colon before the words")]
    Form,
    /// The word is no secret of a share: it is on no list.
    #[error("word {at}, {word:?}, is not on the list")]
    Word { at: usize, word: String },
    #[error("{0} words of 24")]
    Count(usize),
    #[error("the words do not belong together")]
    Check,
    #[error("the same share twice")]
    Twice,
}

/// The three shares of `secret`; `slope` must be fresh random bytes.
pub fn split(secret: &[u8; 32], slope: &[u8; 32]) -> [Share; 3] {
    [1, 2, 3].map(|place| {
        let value = |n: usize| secret[n] ^ times(slope[n], place);
        Share { place, values: Zeroizing::new(std::array::from_fn(value)) }
    })
}

/// The secret of two shares. Whether they are of the same secret shows only where it is used.
///
/// # Errors
/// They are the same share.
pub fn join(one: &Share, other: &Share) -> Result<Zeroizing<[u8; 32]>, NotAShare> {
    if one.place == other.place {
        return Err(NotAShare::Twice);
    }
    // Lagrange at 0; subtraction is addition here.
    let distance = inverse(one.place ^ other.place);
    let (for_one, for_other) = (times(other.place, distance), times(one.place, distance));
    let value = |n: usize| times(one.values[n], for_one) ^ times(other.values[n], for_other);
    Ok(Zeroizing::new(std::array::from_fn(value)))
}

/// Multiplication in GF(2^8) with the polynomial of AES, without a table or a branch on secrets.
fn times(a: u8, b: u8) -> u8 {
    let (mut a, mut product) = (a, 0);
    for bit in 0..8 {
        product ^= a & 0u8.wrapping_sub(b >> bit & 1);
        a = a << 1 ^ 0x1B & 0u8.wrapping_sub(a >> 7);
    }
    product
}

/// a^254, which is 1/a.
fn inverse(a: u8) -> u8 {
    (0..253).fold(a, |power, _| times(power, a))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn bytes(from: u8) -> [u8; 32] {
        std::array::from_fn(|n| from.wrapping_add(u8::try_from(n).unwrap().wrapping_mul(37)))
    }

    #[test]
    fn multiplication_is_that_of_aes() {
        // FIPS 197, section 4.2.
        assert_eq!(times(0x57, 0x83), 0xC1);
        assert_eq!(times(0x57, 0x13), 0xFE);
        for a in 1..=255 {
            assert_eq!(times(a, inverse(a)), 1, "{a}");
        }
    }

    #[test]
    fn any_two_of_three_give_the_secret_back_also_as_words() {
        let (secret, slope) = (bytes(3), bytes(91));
        let shares = split(&secret, &slope).map(|s| s.spell().parse::<Share>().unwrap());
        for (one, other) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
            assert_eq!(*join(&shares[one], &shares[other]).unwrap(), secret);
        }
        assert!(join(&shares[0], &shares[0].clone()).is_err());
    }

    /// S49: what is copied by hand is typed as it stands on the sheet, or without the places.
    #[test]
    fn s49_a_share_is_printed_in_numbered_lines_and_read_as_it_was_printed() {
        let share = split(&bytes(3), &bytes(91))[1].clone();
        let spelled = share.spell();
        let words: Vec<&str> = spelled[3..].split(' ').collect();
        let printed = numbered(&spelled);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!((lines.len(), lines[0]), (7, "2:"));
        let place = |line: &str, at: usize| line.split_whitespace().nth(at).unwrap().to_owned();
        assert_eq!((place(lines[1], 0), place(lines[1], 1)), ("1".to_owned(), words[0].to_owned()));
        assert_eq!((place(lines[6], 6), place(lines[6], 7)), ("24".to_owned(), words[23].to_owned()));
        let joined = lines.join(" ");
        for typed in [joined.as_str(), &joined.replace(" 7 ", " ７．"), &spelled] {
            assert_eq!(typed.parse::<Share>().unwrap().values, share.values, "{typed}");
        }
        assert_eq!(begun(lines[0]), Some(0));
        assert_eq!(begun(&lines[..3].join(" ")), Some(8));
        assert_eq!(begun(&joined), None);
        let slip = joined.replacen(words[8], "qqq", 1).parse::<Share>().unwrap_err();
        assert_eq!(slip, NotAShare::Word { at: 9, word: "qqq".to_owned() });
    }

    /// T68: on the way from the secret to the sheet and back nothing is left of the words.
    #[test]
    fn t68_no_word_of_a_share_stays_in_memory_once_it_was_printed_or_read() {
        let share = split(&bytes(57), &bytes(201))[2].clone();
        // What is looked for is not to be found itself.
        let veil = |piece: &[u8]| piece.iter().rev().map(|byte| !byte).collect::<Vec<u8>>();
        let veiled =
            |text: &str| text.as_bytes().chunks_exact(24).skip(1).step_by(2).map(veil).collect();
        let needles = {
            let spelled = share.spell();
            let needles: [Vec<Vec<u8>>; 2] = [veiled(&spelled), veiled(&numbered(&spelled))];
            needles.concat()
        };
        let typed = numbered(&share.spell());
        assert!(needles.iter().any(|needle| is_in_memory(needle)), "it is found where it is");
        assert_eq!(typed.parse::<Share>().unwrap().values, share.values);
        drop(typed);
        for needle in &needles {
            assert!(!is_in_memory(needle), "a part of a share was left behind");
        }
    }

    /// Whether the bytes of which `veiled` is the complement, from the last to the first, are anywhere in what this
    /// process has written.
    fn is_in_memory(veiled: &[u8]) -> bool {
        let own = std::fs::File::open("/proc/self/mem").unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let written = maps.lines().filter(|line| line.contains(" rw-p ") && !line.contains("[stack]"));
        let spans = written.filter_map(|line| {
            let (from, to) = line.split_once(' ')?.0.split_once('-')?;
            let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
            Some((from, usize::try_from(to - from).unwrap()))
        });
        let mut page = Zeroizing::new(vec![0; 1 << 16]);
        for (from, length) in spans.collect::<Vec<_>>() {
            for at in (0..length).step_by(page.len() - veiled.len()) {
                let piece = &mut page[..(length - at).min(1 << 16)];
                // What was unmapped meanwhile holds nothing.
                if own.read_exact_at(piece, from + at as u64).is_err() {
                    continue;
                }
                let is_it =
                    |window: &[u8]| window.iter().rev().zip(veiled).all(|(is, not)| *is == !not);
                if piece.windows(veiled.len()).any(is_it) {
                    return true;
                }
            }
        }
        false
    }

    #[test]
    fn one_share_fits_every_secret() {
        let share = split(&bytes(3), &bytes(91))[0].clone();
        for guess in [[0; 32], bytes(7), [255; 32]] {
            let slope: [u8; 32] = std::array::from_fn(|n| guess[n] ^ share.values[n]);
            assert_eq!(*split(&guess, &slope)[0].values, *share.values);
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        let good = split(&bytes(3), &bytes(91))[0].spell();
        for wrong in
            ["", "1:", &good[3..], &good.replacen('1', "4", 1), &good.replacen(' ', " zoo ", 2)]
        {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
