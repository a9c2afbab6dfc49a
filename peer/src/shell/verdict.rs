//! What became of a session, as the program's exit says it.
//!
//! Decides which of the things told on the way is the cause: the first that
//! explains the end.

use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::signal::CloseReason;

use super::fault::Fault;
use super::server::refusal;
use crate::core::io::{EndedBy, SessionEvent};

/// Hears every event of a session and knows its end.
#[derive(Debug)]
pub struct Verdict {
    role: Role,
    met: Met,
    cause: Option<Fault>,
    end: Option<(EndReason, EndedBy)>,
}

/// Whether the two ends have proven the number to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    NotYet,
    Paired,
}

impl Verdict {
    pub fn of(role: Role) -> Self {
        Self { role, met: Met::NotYet, cause: None, end: None }
    }

    pub fn hear(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::ServerRefused { reason } => self.because(refusal(*reason)),
            SessionEvent::ServerClosed { reason } => self.because(match (self.role, self.met) {
                // Whoever typed a number that leads nowhere needs another one, and no reason (S34).
                (Role::Agent, Met::NotYet) => Fault::NumberRefused,
                (Role::Agent, Met::Paired) | (Role::Operator, _) => closed(*reason),
            }),
            SessionEvent::TranscriptMismatch => self.because(Fault::TranscriptMismatch),
            SessionEvent::ManifestRefused { why } => {
                self.because(Fault::ManifestRefused { why: why.clone() });
            }
            SessionEvent::WrongNumber { attempts_left } => match self.role {
                Role::Agent => self.because(Fault::NumberRefused),
                Role::Operator if *attempts_left == 0 => self.because(Fault::NumberBurnt),
                Role::Operator => {}
            },
            SessionEvent::Ended { reason, by } => self.end = Some((*reason, *by)),
            // A session that stands has outlived what went before.
            SessionEvent::Paired { .. } => {
                self.met = Met::Paired;
                self.cause = None;
            }
            SessionEvent::PathUp { .. } => self.cause = None,
            SessionEvent::Number { .. }
            | SessionEvent::AtTheDoor { .. }
            | SessionEvent::Consent { .. }
            | SessionEvent::Disclosed { .. }
            | SessionEvent::PathDown { .. }
            | SessionEvent::PathChosen { .. }
            | SessionEvent::Reconnecting
            | SessionEvent::FirstFrame { .. }
            | SessionEvent::InputPaused { .. }
            | SessionEvent::InputResumed
            | SessionEvent::InputDiscarded { .. }
            | SessionEvent::NotSaid
            | SessionEvent::Asking { .. }
            | SessionEvent::AskingOver { .. }
            | SessionEvent::RightsChanged { .. }
            | SessionEvent::RightsEnded { .. }
            | SessionEvent::PicturePaused
            | SessionEvent::PictureResumed
            | SessionEvent::Violation { .. }
            | SessionEvent::Refused { .. }
            | SessionEvent::ScreenshotTaken
            | SessionEvent::Chat { .. }
            | SessionEvent::ServerGone => {}
        }
    }

    /// The desktop's own sentence explains an end for want of a screen.
    pub fn desktop_failed(&mut self, why: String) {
        self.because(Fault::Desktop { why });
    }

    pub fn end(&self) -> Option<(EndReason, EndedBy)> {
        self.end
    }

    /// # Errors
    /// What explains an end that nobody wished.
    pub fn finish(self) -> Result<(), Fault> {
        let Some((reason, _)) = self.end else {
            return Err(self.cause.unwrap_or(Fault::ServerGone));
        };
        match reason {
            EndReason::OperatorEnded | EndReason::UserEnded | EndReason::ProgramEnded => {
                match self.cause {
                    Some(Fault::Withdrawn) => Err(Fault::Withdrawn),
                    Some(_) | None => Ok(()),
                }
            }
            EndReason::UserRefused => Err(Fault::Refused),
            EndReason::NobodyAnswered => Err(self.cause.unwrap_or(Fault::NobodyAnswered)),
            EndReason::TimeOver => Err(Fault::TimeOver),
            EndReason::NotContinued => Err(Fault::NotContinued),
            EndReason::ServerRefused => Err(self.cause.unwrap_or(Fault::ServerGone)),
            EndReason::ConnectionLost => Err(self.cause.unwrap_or(Fault::ConnectionLost)),
            EndReason::Violation => Err(self.cause.unwrap_or(Fault::PeerViolation)),
            EndReason::ScreenLost => Err(self.cause.unwrap_or(Fault::ScreenLost)),
            EndReason::ManifestRefused => {
                Err(self.cause.unwrap_or(Fault::ManifestRefused { why: "it was refused".into() }))
            }
        }
    }

    fn because(&mut self, fault: Fault) {
        self.cause.get_or_insert(fault);
    }
}

fn closed(reason: CloseReason) -> Fault {
    match reason {
        CloseReason::Expired => Fault::NumberExpired,
        CloseReason::TooManyAttempts => Fault::NumberBurnt,
        CloseReason::OtherEnd | CloseReason::Lost => Fault::ConnectionLost,
        CloseReason::Withdrawn => Fault::Withdrawn,
        CloseReason::TimeOver => Fault::TimeOver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::signal::RefusalReason;

    fn verdict(role: Role, events: &[SessionEvent]) -> Result<(), Fault> {
        let mut verdict = Verdict::of(role);
        events.iter().for_each(|event| verdict.hear(event));
        verdict.finish()
    }

    fn ended(reason: EndReason) -> SessionEvent {
        SessionEvent::Ended { reason, by: EndedBy::Server }
    }

    #[test]
    fn s34_a_refused_number_is_the_cause_and_not_the_lost_connection_after_it() {
        let refused = SessionEvent::ServerRefused { reason: RefusalReason::Number };
        let found = verdict(Role::Agent, &[refused, ended(EndReason::ServerRefused)]);
        assert_eq!(found, Err(Fault::NumberRefused));
    }

    #[test]
    fn an_end_that_somebody_wished_is_no_fault() {
        assert_eq!(verdict(Role::Operator, &[ended(EndReason::UserEnded)]), Ok(()));
        assert_eq!(verdict(Role::Operator, &[]), Err(Fault::ServerGone));
    }

    #[test]
    fn a_wrong_try_before_the_right_one_is_forgotten() {
        let events = [
            SessionEvent::WrongNumber { attempts_left: 0 },
            SessionEvent::Paired {
                session: tasuki_protocol::ids::SessionId([0; 16]),
                transcript: tasuki_protocol::ids::Digest([0; 32]),
                peer_device: tasuki_protocol::ids::DeviceKey([0; 32]),
            },
            ended(EndReason::ConnectionLost),
        ];
        assert_eq!(verdict(Role::Operator, &events), Err(Fault::ConnectionLost));
    }
}
