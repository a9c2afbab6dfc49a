//! The operator's own sessions of the past, kept in his profile.
//!
//! A help for memory, not a record: the ledger is the server's. Decides how much is
//! kept, and that a line that cannot be read costs that line alone.

use serde::{Deserialize, Serialize};
use tasuki_protocol::rights::Mode;

use super::model::Note;

/// The file's name in the state folder: one JSON object a line, the newest last.
pub const FILE: &str = "sessions.jsonl";
/// As many of the newest are kept.
pub const KEPT: usize = 500;

/// One session that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Seconds since 1970.
    pub at: u64,
    pub seconds: u64,
    pub mode: Mode,
    pub customer: String,
    pub ticket: String,
    pub reason: String,
    pub how: How,
    pub pictures: u32,
    pub session: Option<String>,
}

/// How it ended, in so far as the operator cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    EndedHere,
    EndedThere,
    Refused,
    NobodyCame,
    Cancelled,
    Lost,
    Failed,
}

impl Past {
    pub fn note(&self) -> Note {
        Note {
            customer: self.customer.clone(),
            ticket: self.ticket.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// The sessions in a file's `text`, the newest first. Lines that cannot be read are passed over.
pub fn of(text: &str) -> Vec<Past> {
    let lines = text.lines().rev().filter(|line| line.starts_with('{'));
    lines.filter_map(|line| serde_json::from_str(line).ok()).take(KEPT).collect()
}

/// The file's bytes for `sessions`, the newest first.
pub fn bytes(sessions: &[Past]) -> Vec<u8> {
    let kept = sessions.iter().take(KEPT).rev();
    kept.filter_map(|past| serde_json::to_string(past).ok())
        .flat_map(|line| (line + "\n").into_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(at: u64) -> Past {
        Past {
            at,
            seconds: 60,
            mode: Mode::Control,
            customer: "田中".to_owned(),
            ticket: String::new(),
            reason: String::new(),
            how: How::EndedHere,
            pictures: 0,
            session: None,
        }
    }

    #[test]
    fn the_newest_stand_first_and_a_damaged_line_costs_itself_alone() {
        let mut kept = bytes(&[past(3), past(2)]);
        kept.extend_from_slice(b"{\"at\": \nnonsense\n[]\n");
        kept.extend(bytes(&[past(4)]));
        assert_eq!(of(&String::from_utf8(kept).unwrap()), [past(4), past(3), past(2)]);
    }

    #[test]
    fn no_more_than_the_newest_are_kept() {
        let many: Vec<Past> = (0..KEPT as u64 + 50).rev().map(past).collect();
        let back = of(&String::from_utf8(bytes(&many)).unwrap());
        assert_eq!((back.len(), back[0].at), (KEPT, KEPT as u64 + 49));
    }
}
