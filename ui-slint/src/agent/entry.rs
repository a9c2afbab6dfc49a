//! The number as it is typed: what of it is kept, how it stands on the screen and where the caret
//! does, what is wrong.
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

/// The line as a key or a paste has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub text: String,
    /// Bytes of it that stand before the caret.
    pub caret: usize,
    pub key: Key,
}

/// What changed the line last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Deletes what stands after the caret.
    Delete,
    Other,
}

impl Typed {
    /// All of it at once, with the caret at its end.
    pub fn whole(text: &str) -> Self {
        Self { text: text.to_owned(), caret: text.len(), key: Key::Other }
    }

    fn before(&self) -> &str {
        self.text.get(..self.caret).unwrap_or(&self.text)
    }
}

/// The line that the person types into.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entry {
    text: String,
    caret: usize,
    complaint: Option<Complaint>,
}

impl Entry {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn complaint(&self) -> Option<Complaint> {
        self.complaint
    }

    /// Bytes of the text that stand before the caret.
    pub fn caret(&self) -> usize {
        self.caret
    }

    /// A number that stands there at once.
    pub fn edit(&mut self, text: &str) {
        self.take(&Typed::whole(text));
    }

    /// What stands in the line after a key or a paste: the caret stays among the digits that it stood
    /// among. A wrong digit is told as soon as the number is whole, missing ones only when the person
    /// wants to go on.
    pub fn take(&mut self, typed: &Typed) {
        let before = digits(typed.before());
        if let Some(shown) = grouped(&typed.text) {
            (self.text, self.caret) = match self.parted(typed, &shown) {
                Some(place) => without(&shown, place),
                None => (shown, place_after(before)),
            };
            self.caret = self.caret.min(self.text.len());
        } else {
            let caret = typed.before().chars().take(LONGEST).map(char::len_utf8).sum();
            self.text = typed.text.chars().take(LONGEST).collect();
            self.caret = caret;
        }
        self.complaint = match self.text.parse::<SessionNumber>() {
            Ok(_) => None,
            Err(NumberError::Character(_)) => Some(Complaint::NotDigits),
            Err(NumberError::CheckDigit) => Some(Complaint::Mistyped),
            Err(NumberError::Length) => {
                (digits(&self.text) > NUMBER_DIGITS).then_some(Complaint::TooMany)
            }
        };
    }

    /// The digit that was meant when a key took only the gap between two groups, which comes back by
    /// itself.
    fn parted(&self, typed: &Typed, shown: &str) -> Option<usize> {
        if self.text != shown || typed.text.len() + 1 != shown.len() {
            return None;
        }
        let before = digits(typed.before());
        match typed.key {
            Key::Delete => Some(before),
            Key::Other => before.checked_sub(1),
        }
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
        self.caret = 0;
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

/// Where the caret stands after so many digits in groups.
fn place_after(digits: usize) -> usize {
    digits + digits.saturating_sub(1) / GROUP
}

/// The digits in groups without the one at this place, and the caret where it was.
fn without(shown: &str, place: usize) -> (String, usize) {
    let others = shown.chars().filter(|c| *c != ' ').enumerate().filter(|(at, _)| *at != place);
    let others: String = others.map(|(_, digit)| digit).collect();
    (grouped(&others).unwrap_or_default(), place_after(place))
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

    fn left(text: &str, caret: usize, key: Key) -> Typed {
        Typed { text: text.to_owned(), caret, key }
    }

    fn stands(entry: &Entry) -> (&str, usize) {
        (entry.text(), entry.caret())
    }

    #[test]
    fn a_digit_is_mended_where_it_stands() {
        let mut entry = Entry::default();
        entry.edit("4829 1530 6126");
        assert_eq!(stands(&entry), ("4829 1530 6126", 14), "the caret is at the end");
        // Backspace after the 2, then a 7 in its place.
        entry.take(&left("489 1530 6126", 2, Key::Other));
        assert_eq!(stands(&entry), ("4891 5306 126", 2));
        entry.take(&left("4879 1530 6126", 3, Key::Other));
        assert_eq!(stands(&entry), ("4879 1530 6126", 3));
        entry.take(&left("４８79 1530 6126", 6, Key::Other));
        assert_eq!(stands(&entry), ("4879 1530 6126", 2), "digits count, not bytes");
    }

    #[test]
    fn a_gap_is_no_digit_and_what_stands_beside_it_is_deleted_through_it() {
        let mut entry = Entry::default();
        entry.edit("4829 1530");
        entry.take(&left("48291530", 4, Key::Other));
        assert_eq!(stands(&entry), ("4821 530", 3), "Backspace takes the 9");
        entry.edit("4829 1530");
        entry.take(&left("48291530", 4, Key::Delete));
        assert_eq!(stands(&entry), ("4829 530", 4), "Delete takes the 1");
    }

    #[test]
    fn what_is_no_number_keeps_its_caret_too() {
        let mut entry = Entry::default();
        entry.edit("48a9");
        entry.take(&left("48ab9", 4, Key::Other));
        assert_eq!(stands(&entry), ("48ab9", 4));
        entry.take(&left("489", 2, Key::Delete));
        assert_eq!(stands(&entry), ("489", 2), "letters were taken away, and no digit");
    }
}
