//! What the host's person is asked in mid-session, one question at a time, and
//! what his silence means. While one stands, the viewer's hand is off.
//!
//! Knows no rights and signs nothing: it says what was decided.

use std::time::{Duration, Instant};

use tasuki_protocol::message::Asked;
use tasuki_protocol::rights::{Mode, Rights};

use crate::core::io::{Output, PersonQuestion, PersonQuestionKind, Reply, SessionEvent};
use crate::core::outbox::Outbox;
use crate::core::setup::SessionTimes;
use crate::core::snapshot::{AskingLine, seconds};

/// A yes within this time of the question's appearance does not count (T2).
const INERT: Duration = Duration::from_millis(800);
/// After a no, or silence, nobody is asked for rights again before this has passed.
const REST: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Askings {
    times: SessionTimes,
    open: Option<Open>,
    /// When it is to be asked whether to go on; never in Manage (T34).
    continue_at: Option<Instant>,
    rests_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    question: Question,
    opens: Instant,
    until: Instant,
}

#[derive(Debug, Clone, Copy)]
enum Question {
    MoreRights { rights: Rights, seconds: u32 },
    Continue,
}

/// What an answer, or silence, comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed { rights: Rights, seconds: u32 },
    Refused { rights: Rights, seconds: u32 },
    Silent { rights: Rights, seconds: u32 },
    GoesOn,
    Ends,
}

/// Somebody is being asked already, or has just refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotNow;

impl Askings {
    pub(super) fn new(mode: Mode, times: SessionTimes, now: Instant) -> Self {
        let continue_at = match mode {
            Mode::Manage => None,
            Mode::Control | Mode::View | Mode::Share | Mode::Show => Some(now + times.continue_every),
        };
        Self { times, open: None, continue_at, rests_until: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn line(&self, now: Instant) -> Option<AskingLine> {
        let open = self.open.as_ref()?;
        Some(AskingLine { what: open.question.name(), seconds_left: seconds(open.until, now) })
    }

    /// How long the person has, once he is asked.
    ///
    /// # Errors
    /// [`NotNow`]: he is not asked.
    pub(super) fn ask_rights(
        &mut self,
        rights: Rights,
        seconds: u32,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<u32, NotNow> {
        let rests = self.rests_until.is_some_and(|until| now < until);
        if self.is_open() || rests {
            return Err(NotNow);
        }
        let question = Question::MoreRights { rights, seconds };
        Ok(self.open(question, self.times.rights_answer, now, out))
    }

    /// How long the person has, if it is time to ask whether to go on.
    pub(super) fn ask_continue(&mut self, now: Instant, out: &mut Outbox) -> Option<u32> {
        if self.is_open() || self.continue_at.is_none_or(|at| now < at) {
            return None;
        }
        Some(self.open(Question::Continue, self.times.continue_answer, now, out))
    }

    fn open(&mut self, question: Question, span: Duration, now: Instant, out: &mut Outbox) -> u32 {
        self.open = Some(Open { question, opens: now + INERT, until: now + span });
        let seconds = u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        let (kind, rights) = match question {
            Question::MoreRights { rights, seconds } => {
                (PersonQuestionKind::MoreRights { rights, for_seconds: seconds }, rights)
            }
            Question::Continue => (PersonQuestionKind::Continue, Rights::NONE),
        };
        let inert_ms = u32::try_from(INERT.as_millis()).unwrap_or_default();
        out.push(Output::AskPerson(PersonQuestion { kind, seconds, inert_ms }));
        out.tell(SessionEvent::Asking { what: question.name(), rights, seconds });
        seconds
    }

    /// `None`: no such question, or a yes that came too soon to be meant.
    pub(super) fn answer(
        &mut self,
        what: Asked,
        reply: Reply,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<Decision> {
        let open = self.open.filter(|open| open.question.name() == what)?;
        if reply == Reply::Yes && now < open.opens {
            return None;
        }
        self.close(out);
        Some(match (open.question, reply) {
            (Question::MoreRights { rights, seconds }, Reply::Yes) => {
                Decision::Allowed { rights, seconds }
            }
            (Question::MoreRights { rights, seconds }, Reply::No) => {
                self.rests_until = Some(now + REST);
                Decision::Refused { rights, seconds }
            }
            (Question::Continue, Reply::Yes) => {
                self.continue_at = Some(now + self.times.continue_every);
                Decision::GoesOn
            }
            (Question::Continue, Reply::No) => Decision::Ends,
        })
    }

    /// What silence has come to.
    pub(super) fn review(&mut self, now: Instant, out: &mut Outbox) -> Option<(Asked, Decision)> {
        let open = self.open.filter(|open| now >= open.until)?;
        self.close(out);
        let decision = match open.question {
            Question::MoreRights { rights, seconds } => {
                self.rests_until = Some(now + REST);
                Decision::Silent { rights, seconds }
            }
            Question::Continue => Decision::Ends,
        };
        Some((open.question.name(), decision))
    }

    /// The session is over, and so is whatever was asked.
    pub(super) fn close(&mut self, out: &mut Outbox) {
        if let Some(open) = self.open.take() {
            out.push(Output::WithdrawPersonQuestion(open.question.name()));
            out.tell(SessionEvent::AskingOver { what: open.question.name() });
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.open {
            Some(open) => Some(open.until),
            None => self.continue_at,
        }
    }
}

impl Question {
    fn name(self) -> Asked {
        match self {
            Self::MoreRights { .. } => Asked::MoreRights,
            Self::Continue => Asked::Continue,
        }
    }
}
