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
    server: Server,
}

/// Whether the server was there when it was last heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Heard,
    Gone,
}

/// Whether the two ends have proven the number to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    NotYet,
    Paired,
}

impl Verdict {
    pub fn of(role: Role) -> Self {
        Self { role, met: Met::NotYet, cause: None, end: None, server: Server::Heard }
    }

    pub fn hear(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::ServerRefused { reason } => self.because(refusal(*reason)),
            SessionEvent::ServerClosed { reason } => {
                self.server = Server::Heard;
                self.perhaps(match (self.role, self.met) {
                    // Whoever typed a number that leads nowhere needs another one, and no reason (S34).
                    (Role::Agent, Met::NotYet) => Some(Fault::NumberRefused),
                    (Role::Agent, Met::Paired) | (Role::Operator, _) => closed(*reason),
                });
            }
            SessionEvent::ServerGone => self.server = Server::Gone,
            SessionEvent::TranscriptMismatch => {
                tracing::error!("security.transcript_mismatch");
                self.because(Fault::TranscriptMismatch);
            }
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
            | SessionEvent::Chat { .. } => {}
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
        let Some((reason, by)) = self.end else {
            return Err(self.cause.unwrap_or(Fault::ServerGone));
        };
        match reason {
            EndReason::OperatorEnded | EndReason::UserEnded | EndReason::ProgramEnded => Ok(()),
            EndReason::Withdrawn => Err(Fault::Withdrawn),
            EndReason::UserRefused => Err(Fault::Refused),
            EndReason::NobodyAnswered => Err(self.cause.unwrap_or(Fault::NobodyAnswered)),
            EndReason::TimeOver => Err(Fault::TimeOver),
            EndReason::NotContinued => Err(Fault::NotContinued),
            EndReason::ServerRefused => Err(self.cause.unwrap_or(Fault::ServerGone)),
            EndReason::ConnectionLost => Err(self.cause.unwrap_or(match (self.server, by) {
                (Server::Gone, EndedBy::Server) => Fault::ServerGone,
                (Server::Gone | Server::Heard, _) => Fault::ConnectionLost,
            })),
            EndReason::Violation => Err(self.cause.unwrap_or(Fault::PeerViolation)),
            EndReason::ScreenLost => Err(self.cause.unwrap_or(Fault::ScreenLost)),
            EndReason::ManifestRefused => {
                Err(self.cause.unwrap_or(Fault::ManifestRefused { why: "it was refused".into() }))
            }
        }
    }

    fn perhaps(&mut self, fault: Option<Fault>) {
        fault.into_iter().for_each(|fault| self.because(fault));
    }

    fn because(&mut self, fault: Fault) {
        self.cause.get_or_insert(fault);
    }
}

/// `None`: that the other end left explains nothing that the end's own reason does not.
fn closed(reason: CloseReason) -> Option<Fault> {
    match reason {
        CloseReason::Expired => Some(Fault::NumberExpired),
        CloseReason::TooManyAttempts => Some(Fault::NumberBurnt),
        CloseReason::OtherEnd | CloseReason::Lost => None,
        CloseReason::Withdrawn => Some(Fault::Withdrawn),
        CloseReason::TimeOver => Some(Fault::TimeOver),
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
    fn a_session_that_the_organisation_took_back_is_not_said_to_be_ended_by_the_operator() {
        let closed = SessionEvent::ServerClosed { reason: CloseReason::Withdrawn };
        for events in [vec![closed, ended(EndReason::Withdrawn)], vec![ended(EndReason::Withdrawn)]] {
            assert_eq!(verdict(Role::Agent, &events), Err(Fault::Withdrawn));
        }
    }

    #[test]
    fn the_other_ends_leaving_the_server_hides_no_reason() {
        for (reason, fault) in [
            (EndReason::Violation, Fault::PeerViolation),
            (EndReason::ScreenLost, Fault::ScreenLost),
            (EndReason::NobodyAnswered, Fault::NobodyAnswered),
            (EndReason::ConnectionLost, Fault::ConnectionLost),
        ] {
            let left = SessionEvent::ServerClosed { reason: CloseReason::OtherEnd };
            assert_eq!(verdict(Role::Operator, &[left, ended(reason)]), Err(fault));
        }
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
