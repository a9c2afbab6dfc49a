//! The master key in three parts, any two of which give it back (Shamir, CACM 22(11), 1979).
//!
//! For each byte a line through the secret over GF(256): one point says nothing of it.
//! Written down as words, the last of which checks the others.

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
        Zeroizing::new(format!("{}: {}", self.place, words::spell(&self.values)))
    }
}

impl std::str::FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let (place, words) = text.split_once([':', '：']).ok_or(NotAShare::Form)?;
        let place = match place.trim() {
            "1" | "１" => 1,
            "2" | "２" => 2,
            "3" | "３" => 3,
            _ => return Err(NotAShare::Form),
        };
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
