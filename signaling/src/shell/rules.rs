//! What accounts must keep to, and which passwords may be chosen. After NIST SP 800-63B-4: long enough, not one that was in
//! a breach or that names the account; of any characters.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha1::{Digest as _, Sha1};
use tasuki_protocol::admin::ProblemCode;
use unicode_normalization::UnicodeNormalization;

use super::passwords::Cost;

/// The most characters of a password.
pub(crate) const MOST_CHARS: usize = 256;
/// Bytes of a breached-password line that can matter: 40 of hash, and a count.
const LINE_BYTES: u64 = 64;
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "motdepasse",
    "letmein",
    "welcome",
    "qwerty",
    "iloveyou",
    "administrator",
    "changeme",
    "asdfghjkl",
    "1q2w3e4r",
    "sunshine",
    "football",
    "himitsu",
    "tasuki",
];

#[derive(Debug, Clone)]
pub struct AccountRules {
    pub cost: Cost,
    /// Failed logins that suspend an account. T51.
    pub lock_after: u32,
    pub lock_for: Duration,
    /// Of devices that are not approved, from one IPv4 address or IPv6 /64 at once, and one more in each `lock_for`. R5.
    pub wrong_per_address: u32,
    pub token_idle: Duration,
    pub token_absolute: Duration,
    /// How long a code for a new device, or a token for a new administrator, can be used.
    pub code_lifetime: Duration,
    /// How long a person counts as having shown that it is he, for acts that ask for it.
    pub confirm_for: Duration,
    /// Whether every operator and administrator needs an authenticator.
    pub second_factor_required: bool,
    pub passwords: PasswordRules,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// Where the password is the only thing that its owner knows or has beside the device.
    pub least_chars: usize,
    /// Where an authenticator is asked for as well.
    pub least_chars_with_totp: usize,
    /// SHA-1 hashes in hexadecimal, one a line in rising order, each with `:COUNT` behind it or
    /// not: the form in which Have I Been Pwned gives its list away.
    pub breached: Option<PathBuf>,
}

/// What else is asked for at a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    Totp,
}

/// The one form of a password that is hashed, however it was typed: full-width letters, and
/// accents in one piece or two. SP 800-63B-4 §3.1.1.2.
pub(crate) fn normal(password: &str) -> String {
    password.nfkc().collect()
}

impl PasswordRules {
    /// Whether `password` may be chosen for the account `name`.
    ///
    /// # Errors
    /// [`ProblemCode::Unusable`] for its length, [`ProblemCode::Breached`] for one that is known,
    /// [`ProblemCode::Busy`] when the list of known ones cannot be read.
    pub(crate) fn check(&self, password: &str, name: &str, beside: Beside) -> Result<(), ProblemCode> {
        let password = normal(password);
        let least = match beside {
            Beside::Nothing => self.least_chars,
            Beside::Totp => self.least_chars_with_totp,
        };
        if !(least..=MOST_CHARS).contains(&password.chars().count()) {
            return Err(ProblemCode::Unusable);
        }
        if is_guessable(&password, name) {
            return Err(ProblemCode::Breached);
        }
        let Some(file) = &self.breached else { return Ok(()) };
        let hash: String = Sha1::digest(&password).iter().map(|byte| format!("{byte:02X}")).collect();
        match is_listed(file, &hash) {
            Ok(false) => Ok(()),
            Ok(true) => Err(ProblemCode::Breached),
            Err(error) => {
                tracing::error!(file = %file.display(), %error, "the list of breached passwords");
                Err(ProblemCode::Busy)
            }
        }
    }
}

/// Little more than one character, a well-known word or the account's own name, repeated or
/// counted up.
fn is_guessable(password: &str, name: &str) -> bool {
    let plain = password.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = plain.chars().collect();
    let name = name.to_lowercase();
    let words = COMMON.iter().copied().chain((name.chars().count() >= 4).then_some(name.as_str()));
    let rest = words.fold(plain.clone(), |rest, word| rest.replace(word, ""));
    let rest = rest.chars().filter(|c| c.is_alphabetic()).count();
    distinct.len() < 4 || (rest == 0 && plain.chars().any(char::is_alphabetic))
}

fn is_listed(file: &Path, hash: &str) -> std::io::Result<bool> {
    let file = File::open(file)?;
    let length = file.metadata()?.len();
    is_in_list(file, length, hash)
}

/// Binary search over the lines of a file far larger than memory, of so many bytes.
///
/// # Errors
/// It cannot be read.
pub fn is_in_list(list: impl Read + Seek, length: u64, hash: &str) -> std::io::Result<bool> {
    let mut file = BufReader::new(list);
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        let (start, line) = line_at(&mut file, middle)?;
        let found = line.split(':').next().unwrap_or_default().trim().to_ascii_uppercase();
        match found.as_str().cmp(hash) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = start + u64::try_from(line.len()).unwrap_or(u64::MAX),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    Ok(false)
}

/// The line that holds the byte at `place`, its end included, and where it starts.
fn line_at(file: &mut BufReader<impl Read + Seek>, place: u64) -> std::io::Result<(u64, String)> {
    let before = place.saturating_sub(LINE_BYTES);
    file.seek(SeekFrom::Start(before))?;
    let mut piece = vec![0; usize::try_from(place - before).unwrap_or_default()];
    file.read_exact(&mut piece)?;
    let newline = piece.iter().rposition(|byte| *byte == b'\n');
    let start = newline.map_or(before, |at| before + u64::try_from(at).unwrap_or_default() + 1);
    file.seek(SeekFrom::Start(start))?;
    let mut line = Vec::new();
    file.by_ref().take(2 * LINE_BYTES).read_until(b'\n', &mut line)?;
    Ok((start, String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(breached: Option<PathBuf>) -> PasswordRules {
        PasswordRules { least_chars: 15, least_chars_with_totp: 8, breached }
    }

    #[test]
    fn a_password_is_long_enough_in_characters_whatever_they_are() {
        let rules = rules(None);
        let check = |password: &str, beside| rules.check(password, "hanako", beside);
        assert_eq!(check("fourteen chars", Beside::Nothing), Err(ProblemCode::Unusable));
        assert_eq!(check("fifteen chars!!", Beside::Nothing), Ok(()));
        assert_eq!(check("ひらがなだけのながいあいことば", Beside::Nothing), Ok(()));
        assert_eq!(check("eight ch", Beside::Totp), Ok(()));
        assert_eq!(check("seven c", Beside::Totp), Err(ProblemCode::Unusable));
        assert_eq!(check(&"long ".repeat(60), Beside::Nothing), Err(ProblemCode::Unusable));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        let rules = rules(None);
        for guess in ["passwordpassword", "hanakohanako2026", "aaaaaaaaaaaaaaaa", "1212121212121212"] {
            let refused = rules.check(guess, "hanako", Beside::Nothing);
            assert_eq!(refused, Err(ProblemCode::Breached), "{guess}");
        }
        assert_eq!(rules.check("3141592653589793238", "hanako", Beside::Nothing), Ok(()));
    }

    #[test]
    fn a_breached_password_is_found_wherever_it_stands_in_the_list() {
        let known: Vec<String> = (0..300).map(|n| format!("a password of number {n}")).collect();
        let mut lines: Vec<String> = known
            .iter()
            .map(|password| {
                let hash = Sha1::digest(password);
                let hash: String = hash.iter().map(|byte| format!("{byte:02X}")).collect();
                format!("{hash}:{}", hash.len() * 7)
            })
            .collect();
        lines.sort();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("breached.txt");
        for newline in ["\n", "\r\n"] {
            std::fs::write(&file, lines.join(newline)).unwrap();
            let rules = rules(Some(file.clone()));
            for password in &known {
                let refused = rules.check(password, "hanako", Beside::Nothing);
                assert_eq!(refused, Err(ProblemCode::Breached), "{password}");
            }
            assert_eq!(rules.check("a password of no number", "hanako", Beside::Nothing), Ok(()));
        }
        std::fs::write(&file, "").unwrap();
        let rules = rules(Some(file));
        assert_eq!(rules.check(&known[0], "hanako", Beside::Nothing), Ok(()));
    }

    #[test]
    fn a_list_that_cannot_be_read_lets_no_password_through() {
        let rules = rules(Some(PathBuf::from("/nowhere/breached.txt")));
        assert_eq!(rules.check("fifteen chars!!", "x", Beside::Nothing), Err(ProblemCode::Busy));
    }

    #[test]
    fn the_same_password_typed_another_way_is_the_same() {
        assert_eq!(normal("ＡＢＣ１２３"), normal("ABC123"));
        assert_eq!(normal("e\u{301}"), normal("\u{e9}"));
    }
}
