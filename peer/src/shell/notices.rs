//! What waits to be shown to people, and what gives way where nobody reads.
//!
//! Decides what may be missed: news may, of which the other end can make as much as it likes. What a person
//! is asked, what her rights are and how it ended never gives way (T59). Knows no session.

use tasuki_protocol::message::Asked;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::core::io::{PersonQuestion, Question, SessionEvent};

/// News that may wait; beyond it people miss lines, the session does not wait.
const NEWS: usize = 4096;
/// Room beyond that for what matters. A surface that has left so much unread shows nothing to anybody.
const MATTERS: usize = 256;
/// And for the end, which comes once.
const LAST: usize = 16;

/// What the loop has for a surface.
#[derive(Debug)]
pub enum Notice {
    Event(SessionEvent),
    Ask(Question),
    WithdrawQuestion,
    /// Host: in mid-session; to be answered by [`HumanAct::Answer`](crate::core::io::HumanAct::Answer).
    AskPerson(PersonQuestion),
    WithdrawPersonQuestion(Asked),
    /// After [`SessionEvent::Ended`]: the receipt's envelope, to be kept. The last
    /// notice of a session that had begun.
    Receipt(Vec<u8>),
    /// The desktop's own sentence on why it cannot be shown or operated.
    DesktopFailed(String),
}

#[derive(Debug)]
pub(super) struct Notices(mpsc::Sender<Notice>);

/// Nobody reads what matters: whoever is asked cannot answer, and nobody would end the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deaf;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    News,
    Matters,
    Last,
}

impl Notices {
    pub(super) fn channel() -> (Self, mpsc::Receiver<Notice>) {
        let (tell, told) = mpsc::channel(NEWS + MATTERS + LAST);
        (Self(tell), told)
    }

    /// Without waiting.
    ///
    /// # Errors
    /// [`Deaf`]: what matters found no room.
    pub(super) fn tell(&self, notice: Notice) -> Result<(), Deaf> {
        let weight = weight(&notice);
        let kept_free = match weight {
            Weight::News => MATTERS + LAST,
            Weight::Matters => LAST,
            Weight::Last => 0,
        };
        if self.0.capacity() <= kept_free && !self.0.is_closed() {
            return missed(weight);
        }
        match self.0.try_send(notice) {
            // Where its surface is gone the session hears of that by itself.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => missed(weight),
        }
    }
}

fn missed(weight: Weight) -> Result<(), Deaf> {
    tracing::warn!("a line for people was dropped: nobody reads them");
    match weight {
        Weight::News => Ok(()),
        Weight::Matters | Weight::Last => Err(Deaf),
    }
}

fn weight(notice: &Notice) -> Weight {
    match notice {
        Notice::Event(event) => weight_of(event),
        Notice::Ask(_)
        | Notice::WithdrawQuestion
        | Notice::AskPerson(_)
        | Notice::WithdrawPersonQuestion(_) => Weight::Matters,
        Notice::Receipt(_) | Notice::DesktopFailed(_) => Weight::Last,
    }
}

fn weight_of(event: &SessionEvent) -> Weight {
    match event {
        SessionEvent::Ended { .. } => Weight::Last,
        SessionEvent::Number { .. }
        | SessionEvent::TranscriptMismatch
        | SessionEvent::Paired { .. }
        | SessionEvent::ManifestRefused { .. }
        | SessionEvent::Consent { .. }
        | SessionEvent::Asking { .. }
        | SessionEvent::AskingOver { .. }
        | SessionEvent::RightsChanged { .. }
        | SessionEvent::RightsEnded { .. }
        | SessionEvent::PicturePaused
        | SessionEvent::PictureResumed => Weight::Matters,
        SessionEvent::AtTheDoor { .. }
        | SessionEvent::WrongNumber { .. }
        | SessionEvent::Disclosed { .. }
        | SessionEvent::PathUp { .. }
        | SessionEvent::PathDown { .. }
        | SessionEvent::PathChosen { .. }
        | SessionEvent::Reconnecting
        | SessionEvent::FirstFrame { .. }
        | SessionEvent::InputPaused { .. }
        | SessionEvent::InputResumed
        | SessionEvent::InputDiscarded { .. }
        | SessionEvent::NotSaid
        | SessionEvent::Violation { .. }
        | SessionEvent::Refused { .. }
        | SessionEvent::ScreenshotTaken
        | SessionEvent::Chat { .. }
        | SessionEvent::ServerRefused { .. }
        | SessionEvent::ServerClosed { .. }
        | SessionEvent::ServerGone => Weight::News,
    }
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::message::EndReason;
    use tasuki_protocol::rights::Rights;

    use super::*;
    use crate::core::io::{EndedBy, PersonQuestionKind};

    fn news() -> Notice {
        Notice::Event(SessionEvent::ScreenshotTaken)
    }

    fn question() -> Notice {
        let kind = PersonQuestionKind::MoreRights { rights: Rights::NONE, for_seconds: 60 };
        Notice::AskPerson(PersonQuestion { kind, seconds: 60, inert_ms: 800 })
    }

    fn end() -> Notice {
        let (reason, by) = (EndReason::UserEnded, EndedBy::ThisEnd);
        Notice::Event(SessionEvent::Ended { reason, by })
    }

    #[test]
    fn t59_a_flood_of_news_keeps_neither_a_question_nor_the_end_from_a_person() {
        let (notices, mut told) = Notices::channel();
        for _ in 0..2 * NEWS {
            assert_eq!(notices.tell(news()), Ok(()));
        }
        assert_eq!(notices.tell(question()), Ok(()));
        assert_eq!(notices.tell(end()), Ok(()));
        drop(notices);
        let heard: Vec<Notice> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert!(heard.iter().any(|notice| matches!(notice, Notice::AskPerson(_))));
        assert!(matches!(heard.last(), Some(Notice::Event(SessionEvent::Ended { .. }))));
        assert!(heard.len() <= NEWS + 2, "{}", heard.len());
    }

    #[test]
    fn t59_whoever_reads_nothing_of_what_matters_is_told_apart_and_hears_the_end() {
        let (notices, mut told) = Notices::channel();
        let asked = (0..2 * (NEWS + MATTERS)).filter(|_| notices.tell(question()).is_ok()).count();
        assert_eq!(asked, NEWS + MATTERS);
        assert_eq!(notices.tell(question()), Err(Deaf));
        assert_eq!(notices.tell(end()), Ok(()));
        drop(notices);
        let heard: Vec<Notice> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert!(matches!(heard.last(), Some(Notice::Event(SessionEvent::Ended { .. }))));
    }

    #[test]
    fn a_surface_that_is_gone_is_no_deaf_one() {
        let (notices, told) = Notices::channel();
        drop(told);
        assert_eq!(notices.tell(question()), Ok(()));
    }
}
