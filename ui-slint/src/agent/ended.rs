//! What remains of a session: how it ended, and a receipt.

use std::path::PathBuf;

use tasuki_peer::core::io::EndedBy;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;

use super::live::Live;

#[derive(Debug, Clone)]
pub struct Ended {
    pub how: Ending,
    /// Of a session that had begun; nothing was shown without one.
    pub summary: Option<Summary>,
    /// Where it lies, or why it lies nowhere, once the session has one.
    pub receipt: Option<Result<PathBuf, Fault>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    ByYou,
    ByOperator,
    Refused,
    Unanswered,
    Lost,
    TimeOver,
    Program,
    /// By an administrator of the operator's, or by what the policy allows now.
    Withdrawn,
    NotContinued,
    ScreenLost,
    /// This end has seen the operator's program do what it may not.
    Violation,
    Unexpected,
    /// In the peer's own sentence.
    Other(Fault),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub operator: String,
    pub mode: Mode,
    /// Seconds since 1970.
    pub began_at: u64,
    pub seconds: u64,
    pub pictures_kept: u32,
}

impl Summary {
    pub fn of(live: &Live, now: std::time::Instant) -> Self {
        Self {
            operator: live.manifest.operator_name.clone(),
            mode: live.mode(),
            began_at: live.began_at,
            seconds: now.saturating_duration_since(live.since).as_secs(),
            pictures_kept: live.pictures_kept,
        }
    }
}

impl Ending {
    /// `fault` explains an end that nobody wished.
    pub fn of(end: Option<(EndReason, EndedBy)>, fault: Option<Fault>) -> Self {
        match end {
            Some((EndReason::UserEnded, _)) => Self::ByYou,
            Some((EndReason::OperatorEnded, _)) => Self::ByOperator,
            Some((EndReason::UserRefused, _)) => Self::Refused,
            Some((EndReason::NobodyAnswered, _)) => Self::Unanswered,
            Some((EndReason::TimeOver, _)) => Self::TimeOver,
            Some((EndReason::ProgramEnded, EndedBy::ThisEnd)) => Self::Program,
            Some((EndReason::ProgramEnded, _)) => Self::ByOperator,
            // What another says of it is nobody's fault that this end saw.
            Some((EndReason::Violation, EndedBy::ThisEnd)) => Self::Violation,
            Some((EndReason::Violation, _)) => Self::Unexpected,
            Some((EndReason::Withdrawn, _)) => Self::Withdrawn,
            Some((EndReason::NotContinued, _)) => Self::NotContinued,
            Some(_) | None => Self::told_by(fault.unwrap_or(Fault::ServerGone)),
        }
    }

    /// The sentences of these faults tell an operator what to do, and nobody else.
    fn told_by(fault: Fault) -> Self {
        if matches!(fault, Fault::ConnectionLost | Fault::ServerGone) {
            Self::Lost
        } else if fault == Fault::ScreenLost {
            Self::ScreenLost
        } else if fault == Fault::PeerViolation {
            Self::Unexpected
        } else {
            Self::Other(fault)
        }
    }
}
