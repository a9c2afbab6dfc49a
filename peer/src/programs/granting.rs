//! The words by which rights are asked for, taken away and given back.
//!
//! Decides what they mean; whether it may be is the host's affair.

use tasuki_protocol::grant::MAX_GRANT_S;
use tasuki_protocol::rights::{Capability, Rights};

/// For how long more is asked unless it is said.
const DEFAULT_S: u32 = 15 * 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    Ask { rights: Rights, seconds: u32 },
    Take(Rights),
    Back(Rights),
    List,
}

/// Which word cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadGrant {
    Missing,
    Word(String),
    Right(String),
    Time(String),
}

/// `ask RIGHTS [MINUTES]`, `take RIGHTS`, `back RIGHTS`, `list`.
///
/// # Errors
/// See [`BadGrant`].
pub(super) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Grant, BadGrant> {
    let word = words.next().ok_or(BadGrant::Missing)?;
    match word {
        "list" => Ok(Grant::List),
        "take" => Ok(Grant::Take(rights(words.next())?)),
        "back" => Ok(Grant::Back(rights(words.next())?)),
        "ask" => {
            let rights = rights(words.next())?;
            let seconds = words.next().map_or(Ok(DEFAULT_S), seconds)?;
            Ok(Grant::Ask { rights, seconds })
        }
        other => Err(BadGrant::Word(other.to_owned())),
    }
}

fn rights(word: Option<&str>) -> Result<Rights, BadGrant> {
    let word = word.ok_or(BadGrant::Missing)?;
    word.split(',').try_fold(Rights::NONE, |rights, name| {
        let right = right(name).ok_or_else(|| BadGrant::Right(name.to_owned()))?;
        Ok(rights.with(right))
    })
}

/// By its word in a policy and in the ledger, or a shorter one.
fn right(name: &str) -> Option<Capability> {
    Some(match name {
        "see_screen" | "screen" => Capability::SeeScreen,
        "operate" => Capability::Operate,
        "choose_screen" | "monitor" => Capability::ChooseScreen,
        "fetch_files" | "fetch" => Capability::FetchFiles,
        "send_files" | "send" => Capability::SendFiles,
        "read_clipboard" | "read-clipboard" => Capability::ReadClipboard,
        "write_clipboard" | "write-clipboard" => Capability::WriteClipboard,
        "screenshot" => Capability::Screenshot,
        "record" => Capability::Record,
        "chat" => Capability::Chat,
        "point" => Capability::Point,
        _ => return None,
    })
}

/// Minutes, or seconds with an `s`.
fn seconds(word: &str) -> Result<u32, BadGrant> {
    let parsed = match word.strip_suffix('s') {
        Some(seconds) => seconds.parse().ok(),
        None => word.parse::<u32>().ok().and_then(|minutes| minutes.checked_mul(60)),
    };
    parsed
        .filter(|seconds| (1..=MAX_GRANT_S).contains(seconds))
        .ok_or_else(|| BadGrant::Time(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a policy says, and an event, is understood here too; a right to come back is nobody's to give here.
    #[test]
    fn every_right_goes_by_its_word_in_the_policy() {
        for capability in Capability::ALL {
            let word = serde_json::to_string(&capability).unwrap();
            let said = parse(["take", word.trim_matches('"')].into_iter());
            let none = Err(BadGrant::Right("reconnect".to_owned()));
            let is_none = capability == Capability::Reconnect;
            let expected = if is_none { none } else { Ok(Grant::Take(Rights::of(&[capability]))) };
            assert_eq!(said, expected, "{word}");
        }
    }

    #[test]
    fn rights_are_asked_for_by_name_for_minutes_or_seconds_and_never_beyond_an_hour() {
        let operate = Rights::of(&[Capability::Operate]);
        let said = |line: &str| parse(line.split_whitespace());
        assert_eq!(said("ask operate"), Ok(Grant::Ask { rights: operate, seconds: 900 }));
        assert_eq!(said("ask operate 5"), Ok(Grant::Ask { rights: operate, seconds: 300 }));
        assert_eq!(said("ask operate 20s"), Ok(Grant::Ask { rights: operate, seconds: 20 }));
        assert_eq!(said("take operate,chat"), Ok(Grant::Take(operate.with(Capability::Chat))));
        for bad in ["", "ask", "ask root", "ask operate 0", "ask operate 61", "ask operate x", "give"] {
            assert!(said(bad).is_err(), "{bad}");
        }
    }
}
