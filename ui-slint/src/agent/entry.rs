//! The number as it is typed: what of it is kept, how it stands on the screen, what is wrong.
//!
//! Forgives spaces, dashes and full-width digits, and groups by fours. Nothing is sent from here;
//! the check digit is looked at before anything could be (S34).

use tasuki_protocol::number::{NUMBER_DIGITS, NumberError, SessionNumber, digit, is_separator};

/// Digits of a group, as the operator reads them.
const GROUP: usize = 4;
/// More letters than any number has, so that a pasted page is not carried along.
const LONGEST: usize = 64;

/// Why what stands there is no session number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    NotDigits,
    TooFew,
    TooMany,
    Mistyped,
    /// The check digit is right, but nobody waits under this number.
    Refused,
}

/// The line that the person types into.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entry {
    text: String,
    complaint: Option<Complaint>,
}

impl Entry {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn complaint(&self) -> Option<Complaint> {
        self.complaint
    }

    /// What stands in the line after a key or a paste. A wrong digit is told as soon as the
    /// number is whole, missing ones only when the person wants to go on.
    pub fn edit(&mut self, text: &str) {
        self.text = grouped(text).unwrap_or_else(|| text.chars().take(LONGEST).collect());
        self.complaint = match self.text.parse::<SessionNumber>() {
            Ok(_) => None,
            Err(NumberError::Character(_)) => Some(Complaint::NotDigits),
            Err(NumberError::CheckDigit) => Some(Complaint::Mistyped),
            Err(NumberError::Length) => {
                (digits(&self.text) > NUMBER_DIGITS).then_some(Complaint::TooMany)
            }
        };
    }

    /// The number, when it is one.
    pub fn accept(&mut self) -> Option<SessionNumber> {
        match self.text.parse() {
            Ok(number) => return Some(number),
            Err(NumberError::Length) if digits(&self.text) == 0 => self.complaint = None,
            Err(NumberError::Length) if digits(&self.text) < NUMBER_DIGITS => {
                self.complaint = Some(Complaint::TooFew);
            }
            Err(NumberError::Length) => self.complaint = Some(Complaint::TooMany),
            Err(NumberError::Character(_)) => self.complaint = Some(Complaint::NotDigits),
            Err(NumberError::CheckDigit) => self.complaint = Some(Complaint::Mistyped),
        }
        None
    }

    /// The server or the other end did not know the number: it is used up or was never there.
    pub fn refused(&mut self) {
        self.text.clear();
        self.complaint = Some(Complaint::Refused);
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("complaint", &self.complaint).finish_non_exhaustive()
    }
}

fn digits(text: &str) -> usize {
    text.chars().filter_map(digit).count()
}

/// ASCII digits in groups; `None` with anything in it that is neither digit nor separator.
fn grouped(text: &str) -> Option<String> {
    let mut shown = String::new();
    let mut count = 0;
    for c in text.chars().filter(|c| !is_separator(*c)) {
        let value = digit(c)?;
        if count > 0 && count % GROUP == 0 {
            shown.push(' ');
        }
        shown.push(char::from(b'0' + value));
        count += 1;
    }
    (count <= LONGEST / 2).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::number::{Locator, SessionSecret};
    use tasuki_protocol::seed::Seed;

    fn number() -> String {
        let locator = Locator::try_from(48_291).unwrap();
        let secret = SessionSecret::draw(&Seed::from_bytes([7; 32]));
        SessionNumber { locator, secret }.to_string()
    }

    fn typed(text: &str) -> Entry {
        let mut entry = Entry::default();
        entry.edit(text);
        entry
    }

    #[test]
    fn full_width_digits_dashes_and_spaces_are_the_same_number_in_groups_of_four() {
        let plain = number();
        let wide: String = plain
            .chars()
            .map(|c| c.to_digit(10).and_then(|d| char::from_u32(0xff10 + d)).unwrap_or('－'))
            .collect();
        for text in [plain.replace(' ', ""), plain.replace(' ', "-"), format!("　{wide} "), wide] {
            let mut entry = typed(&text);
            assert_eq!(entry.text(), plain, "{text}");
            assert_eq!(entry.complaint(), None);
            assert!(entry.accept().is_some());
        }
    }

    #[test]
    fn a_wrong_digit_is_told_when_the_number_is_whole_and_never_sent() {
        let plain = number();
        let last = plain.chars().last().and_then(|c| c.to_digit(10)).unwrap();
        let wrong = format!("{}{}", &plain[..plain.len() - 1], (last + 1) % 10);
        let mut entry = typed(&wrong);
        assert_eq!(entry.complaint(), Some(Complaint::Mistyped));
        assert!(entry.accept().is_none());
        assert_eq!(typed(&wrong[..9]).complaint(), None);
    }

    #[test]
    fn what_is_missing_is_told_only_when_the_person_wants_to_go_on() {
        let mut entry = typed("12345");
        assert_eq!(entry.complaint(), None);
        assert!(entry.accept().is_none());
        assert_eq!(entry.complaint(), Some(Complaint::TooFew));
        let mut nothing = typed("");
        assert!(nothing.accept().is_none());
        assert_eq!(nothing.complaint(), None);
    }

    #[test]
    fn letters_and_a_pasted_page_are_refused_and_do_not_grow() {
        assert_eq!(typed("12a4").complaint(), Some(Complaint::NotDigits));
        let page = typed(&"x1 ".repeat(100_000));
        assert_eq!(page.complaint(), Some(Complaint::NotDigits));
        assert!(page.text().chars().count() <= LONGEST);
        assert_eq!(typed(&"1".repeat(100_000)).complaint(), Some(Complaint::TooMany));
    }
}
