//! A session number as a link that can be sent instead of read aloud.
//!
//! `tasuki://join/LLLLL#SSSSSSC`: the locator in the path, the secret and the check
//! digit behind `#`, which no client sends to a server (R11). A link carries a
//! number and nothing else: no server, key, option or name (T70).

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroize;

use crate::number::{LOCATOR_DIGITS, NUMBER_DIGITS, SessionNumber};

/// The longest text that is looked at, in bytes.
pub const MAX_LINK_BYTES: usize = 64;
const HEAD: &str = "tasuki://join/";

/// A number on its way to the end user's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinLink(pub SessionNumber);

impl fmt::Display for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits: String = self.0.to_string().split_whitespace().collect();
        let (locator, secret) = digits.split_at(LOCATOR_DIGITS);
        let written = write!(f, "{HEAD}{locator}#{secret}");
        digits.zeroize();
        written
    }
}

impl FromStr for JoinLink {
    type Err = NotALink;

    /// Forgives the scheme's case and spaces around the whole; nothing else.
    fn from_str(text: &str) -> Result<Self, NotALink> {
        let text = text.trim();
        let head = text.get(..HEAD.len()).filter(|_| text.len() <= MAX_LINK_BYTES).ok_or(NotALink)?;
        if !head.eq_ignore_ascii_case(HEAD) {
            return Err(NotALink);
        }
        let (locator, secret) = text[HEAD.len()..].split_once('#').ok_or(NotALink)?;
        let plain = |digits: &str, count| {
            digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !plain(locator, LOCATOR_DIGITS) || !plain(secret, NUMBER_DIGITS - LOCATOR_DIGITS) {
            return Err(NotALink);
        }
        let mut digits = format!("{locator}{secret}");
        let number = digits.parse().map_err(|_| NotALink);
        digits.zeroize();
        number.map(Self)
    }
}

/// Not a link that this product makes. It is told so, and nothing of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a Tasuki link")]
pub struct NotALink;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Locator, SessionSecret};
    use crate::seed::Seed;

    fn number() -> SessionNumber {
        let secret = SessionSecret::draw(&Seed::from_bytes([7; 32]));
        SessionNumber { locator: Locator::try_from(48291).unwrap(), secret }
    }

    #[test]
    fn r11_a_link_carries_the_secret_behind_the_hash_and_comes_back_as_the_number() {
        let link = JoinLink(number()).to_string();
        let (before, behind) = link.split_once('#').unwrap();
        assert_eq!(before, "tasuki://join/48291");
        assert_eq!(behind.len(), 7);
        assert_eq!(link.parse(), Ok(JoinLink(number())));
        assert_eq!(format!(" {} ", link.replace("tasuki", "TASUKI")).parse(), Ok(JoinLink(number())));
    }

    #[test]
    fn t70_a_link_with_anything_else_in_it_is_no_link() {
        let good = JoinLink(number()).to_string();
        let swapped = good.replace("48291", "48921");
        for bad in [
            "",
            "tasuki://join/",
            "tasuki://join/48291",
            "襷://join/48291#5306123",
            &swapped,
            &good.replace("join", "join/x"),
            &good.replace("join/", "evil.example/join/"),
            &good.replace('#', "?server=evil#"),
            &good.replace('#', "&"),
            &format!("{good}&accept=1"),
            &format!("{good}#"),
            &good.replace("tasuki", "https"),
            &format!("{}{good}", " ".repeat(3)).replace("48291", "４８２９１"),
        ] {
            assert_eq!(bad.parse::<JoinLink>(), Err(NotALink), "{bad:?}");
        }
    }
}
