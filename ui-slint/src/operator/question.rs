//! What the operator is asked while his own screen is shown.
//!
//! Decides when a yes counts: only once the question has stood before his eyes (T2). The host's core holds
//! to its own time beside this.

use tasuki_peer::core::io::{PersonQuestion, PersonQuestionKind};
use tasuki_peer::shell::texts::{self, Lang, SessionText};
use tasuki_protocol::message::Asked;

/// What this end's person is asked while his screen is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub question: PersonQuestion,
    /// Seconds since 1970 when it came.
    pub since: u64,
    /// Since when it stands before the person's eyes without a break; `None` while another page does.
    pub seen_since: Option<u64>,
}

impl Question {
    /// Whether a yes counts by now: the time in which it does not, in whole seconds and one more. It begins when
    /// the question is seen, however long that waited in its tab (T2).
    pub fn is_open(&self, now: u64) -> bool {
        let inert = u64::from(self.question.inert_ms).div_ceil(1000);
        self.seen_since.is_some_and(|since| now > since + inert)
    }

    pub fn seconds_left(&self, now: u64) -> u64 {
        (self.since + u64::from(self.question.seconds)).saturating_sub(now)
    }

    pub fn what(&self) -> Asked {
        match self.question.kind {
            PersonQuestionKind::MoreRights { .. } => Asked::MoreRights,
            PersonQuestionKind::Continue => Asked::Continue,
        }
    }

    /// The sentence, with the whole time for an answer, as it is signed.
    pub fn text(&self, with: &str, lang: Lang) -> String {
        let answer = texts::span(self.question.seconds, lang);
        match self.question.kind {
            PersonQuestionKind::MoreRights { rights, for_seconds } => {
                let (names, span) = (texts::rights(rights, lang), texts::span(for_seconds, lang));
                SessionText::MayTheyMore.fill(lang, &[with, &names, &span, &answer])
            }
            PersonQuestionKind::Continue => SessionText::ShallItGoOn.fill(lang, &[with, &answer]),
        }
    }
}
