//! The session number: what an operator reads to an end user on the phone.
//!
//! `LLLLL SSSSSS C`: five locator digits that the server gave, six secret digits
//! that the operator's program drew and the server never sees, one check digit
//! over both (R11). A mistyped number is caught here and costs no attempt.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::seed::Seed;

/// Digits of the part that the server knows.
pub const LOCATOR_DIGITS: usize = 5;
/// Digits of the part that keys the encryption.
pub const SECRET_DIGITS: usize = 6;
/// Digits of the whole number, check digit included.
pub const NUMBER_DIGITS: usize = LOCATOR_DIGITS + SECRET_DIGITS + 1;
/// Failed confirmations that kill a number; both ends count. T4.
pub const MAX_ATTEMPTS: u8 = 3;
/// Seconds a number waits for its end user. T5.
pub const NUMBER_LIFETIME_S: u64 = 600;

/// The room's place on the server, 00000 to 99999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Locator(u32);

impl Locator {
    pub const COUNT: u32 = 100_000;
}

impl TryFrom<u32> for Locator {
    type Error = NumberError;

    fn try_from(value: u32) -> Result<Self, NumberError> {
        if value < Self::COUNT { Ok(Self(value)) } else { Err(NumberError::Length) }
    }
}

impl From<Locator> for u32 {
    fn from(locator: Locator) -> Self {
        locator.0
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
    }
}

/// The digits that never leave the two ends, except inside the PAKE (T3).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SessionSecret([u8; SECRET_DIGITS]);

impl SessionSecret {
    pub fn draw(seed: &Seed) -> Self {
        let value = seed.digits("session secret", 6);
        let mut digits = [0; SECRET_DIGITS];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            let shifted = value / 10u64.pow(u32::try_from(place).unwrap_or_default());
            *digit = u8::try_from(shifted % 10).unwrap_or_default();
        }
        Self(digits)
    }

    pub(crate) fn digits(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(..)")
    }
}

/// Locator and secret together. Displays as three groups of four, to be read aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionNumber {
    pub locator: Locator,
    pub secret: SessionSecret,
}

impl fmt::Display for SessionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = payload_digits(self.locator, &self.secret);
        digits.push(damm(&digits));
        for (place, digit) in digits.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        digits.zeroize();
        Ok(())
    }
}

impl FromStr for SessionNumber {
    type Err = NumberError;

    /// Forgives spaces, dashes and full-width digits.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let mut digits = Vec::with_capacity(NUMBER_DIGITS);
        for c in text.chars().filter(|c| !is_separator(*c)) {
            digits.push(digit(c).ok_or(NumberError::Character(c))?);
            if digits.len() > NUMBER_DIGITS {
                return Err(NumberError::Length);
            }
        }
        if digits.len() != NUMBER_DIGITS {
            return Err(NumberError::Length);
        }
        if damm(&digits) != 0 {
            return Err(NumberError::CheckDigit);
        }
        let (locator, rest) = digits.split_at(LOCATOR_DIGITS);
        let mut secret = [0; SECRET_DIGITS];
        secret.copy_from_slice(&rest[..SECRET_DIGITS]);
        let locator = locator.iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit));
        digits.zeroize();
        Ok(Self { locator: Locator(locator), secret: SessionSecret(secret) })
    }
}

/// Why what was typed is no session number. Nothing is sent for any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("{0:?} is not a digit")]
    Character(char),
    #[error("a session number has {NUMBER_DIGITS} digits")]
    Length,
    #[error("a digit is mistyped")]
    CheckDigit,
}

fn payload_digits(locator: Locator, secret: &SessionSecret) -> Vec<u8> {
    let mut digits = Vec::with_capacity(NUMBER_DIGITS);
    digits.extend(locator.to_string().bytes().map(|b| b - b'0'));
    digits.extend_from_slice(secret.digits());
    digits
}

/// What may stand between digits and counts for nothing.
pub fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '.' | '‐'..='―' | '−' | '－' | 'ー' | '・')
}

/// The value of an ASCII or full-width digit, 0 to 9.
pub fn digit(c: char) -> Option<u8> {
    let value = match c {
        '0'..='9' => u32::from(c) - u32::from('0'),
        '０'..='９' => u32::from(c) - u32::from('０'),
        _ => return None,
    };
    u8::try_from(value).ok()
}

/// Damm's check digit (2004): finds every single error and every swap of neighbours.
fn damm(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |state, digit| DAMM[usize::from(state)][usize::from(*digit)])
}

const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn number(seed: u8) -> SessionNumber {
        let seed = Seed::from_bytes([seed; 32]);
        SessionNumber {
            locator: Locator::try_from(u32::from(seed.derive::<1>("l")[0]) * 301).unwrap(),
            secret: SessionSecret::draw(&seed),
        }
    }

    #[test]
    fn a_number_read_back_with_odd_spacing_and_full_width_digits_is_the_same() {
        for seed in 0..200 {
            let number = number(seed);
            let plain = number.to_string();
            assert_eq!(plain.parse::<SessionNumber>(), Ok(number.clone()));
            let wide: String = plain
                .chars()
                .map(|c| match c.to_digit(10) {
                    Some(d) => char::from_u32(u32::from('０') + d).unwrap(),
                    None => '－',
                })
                .collect();
            assert_eq!(wide.parse::<SessionNumber>(), Ok(number));
        }
    }

    #[test]
    fn every_single_mistyped_digit_and_every_swap_of_neighbours_is_caught_here() {
        let plain: Vec<u8> = number(7).to_string().bytes().filter(|b| *b != b' ').collect();
        for place in 0..plain.len() {
            for other in b'0'..=b'9' {
                let mut typed = plain.clone();
                typed[place] = other;
                let parsed = String::from_utf8(typed.clone()).unwrap().parse::<SessionNumber>();
                assert_eq!(parsed.is_ok(), typed == plain);
            }
            let mut swapped = plain.clone();
            swapped.swap(place, (place + 1).min(plain.len() - 1));
            let parsed = String::from_utf8(swapped.clone()).unwrap().parse::<SessionNumber>();
            assert_eq!(parsed.is_ok(), swapped == plain);
        }
    }

    #[test]
    fn what_is_no_number_is_told_apart_from_what_is_mistyped() {
        assert_eq!("".parse::<SessionNumber>(), Err(NumberError::Length));
        assert_eq!("12345".parse::<SessionNumber>(), Err(NumberError::Length));
        assert_eq!("1234 5678 90a2".parse::<SessionNumber>(), Err(NumberError::Character('a')));
        assert_eq!("1".repeat(4000).parse::<SessionNumber>(), Err(NumberError::Length));
    }

    #[test]
    fn t3_the_secret_prints_nothing() {
        assert_eq!(format!("{:?}", number(1).secret), "SessionSecret(..)");
    }
}
