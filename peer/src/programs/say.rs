//! How what happens is told: a JSON object a line for programs, a sentence for people.
//!
//! Events go to standard output as JSON, sentences to standard error; without
//! `--json` the sentences go to standard output where a program only tells.

use std::io::Write;

use serde::Serialize;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::{Asked, EndReason};
use tasuki_protocol::rights::Rights;

use crate::core::io::{Discarded, SessionEvent};
use crate::core::path::{Ciphers, PathKind};
use crate::core::snapshot::RightLine;
use crate::shell::fault::Fault;
use crate::shell::reasons::reason;
use crate::shell::run::Report;
use crate::shell::texts::{self, Lang, SessionText, Text};

/// How a program tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Plain,
}

/// A line on standard error. A closed one is no reason to stop.
pub(super) fn to_person(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A prompt on standard error, the cursor left behind it.
pub(super) fn prompt(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{text} ");
    let _ = err.flush();
}

/// A line on standard output.
pub(super) fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// One JSON object on standard output.
pub(super) fn json<T: Serialize>(value: &T) {
    if let Ok(line) = serde_json::to_string(value) {
        print(&line);
    }
}

/// An event that a program adds to the session's own.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Added<'a> {
    /// Agent: the person is being asked.
    Question {
        organisation: &'a str,
        operator: &'a str,
        mode: String,
        grantable: Rights,
        seconds: u64,
        text: &'a str,
    },
    /// From now on an answer to it counts.
    QuestionOpen,
    QuestionWithdrawn,
    /// Host: the person is being asked in mid-session.
    PersonQuestion {
        what: Asked,
        rights: Rights,
        seconds: u32,
        text: &'a str,
    },
    PersonQuestionWithdrawn {
        what: Asked,
    },
    /// Before any number: this mode shows the operator's own screen, and what its viewer can do (S22).
    OwnScreen {
        viewer_may: Rights,
    },
    /// The session's receipt was kept.
    Receipt {
        file: String,
    },
    /// A receipt was checked and holds.
    ReceiptHolds {
        session: String,
        signed_by: Vec<String>,
    },
    Rights {
        rights: &'a [RightLine],
    },
    Screenshot {
        file: String,
        width: u16,
        height: u16,
    },
    Stats {
        #[serde(flatten)]
        report: &'a Report,
    },
    /// A watched pixel has another colour. Microseconds on CLOCK_MONOTONIC.
    Pixel {
        x: u16,
        y: u16,
        colour: String,
        frame: u32,
        at_us: u64,
    },
    Waited {
        #[serde(rename = "for")]
        what: &'static str,
        frame: u64,
    },
    /// A line was not carried out, or the program stops for this.
    Error {
        code: &'a str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_code: Option<u8>,
    },
}

pub(super) fn fault_event(fault: &Fault, lang: Lang) {
    json(&Added::Error {
        code: &fault.code(),
        message: fault.sentence(lang),
        exit_code: Some(fault.exit_code()),
    });
}

/// What a person is told of an event; `None` for what is only for logs. `host` shows its screen, once that is agreed.
pub(super) fn sentence(
    event: &SessionEvent,
    (role, host): (Role, Option<Role>),
    lang: Lang,
) -> Option<String> {
    let fill = |text: Text, values: &[&str]| Some(text.fill(lang, values));
    let live = |text: SessionText| Some(text.say(lang).to_owned());
    let to_operator = |said: Option<String>| said.filter(|_| role == Role::Operator);
    match event {
        SessionEvent::Number { number, expires_in } => {
            // Whole minutes, as people say it.
            let lasts = u32::try_from(expires_in.saturating_add(30) / 60 * 60).unwrap_or(u32::MAX);
            fill(Text::TheNumber, &[&number.0.to_string(), &texts::span(lasts.max(60), lang)])
        }
        SessionEvent::AtTheDoor { .. } => fill(Text::AtTheDoor, &[]),
        SessionEvent::WrongNumber { attempts_left } => {
            to_operator(fill(Text::WrongNumberTried, &[&attempts_left.to_string()]))
        }
        SessionEvent::TranscriptMismatch => fill(Text::FaultTranscriptMismatch, &[]),
        SessionEvent::Paired { .. } => match role {
            Role::Operator => fill(Text::WaitingForConsent, &[]),
            Role::Agent => fill(Text::Checked, &[]),
        },
        SessionEvent::ManifestRefused { why } => fill(Text::FaultManifestRefused, &[reason(why, lang)]),
        SessionEvent::Consent { mode, granted } => match role {
            Role::Operator if *granted != Rights::NONE => {
                fill(Text::Granted, &[texts::mode(*mode).say(lang), &texts::rights(*granted, lang)])
            }
            Role::Operator | Role::Agent => None,
        },
        // To an end user the path that carries the session is told, and no other.
        SessionEvent::PathUp { path, ciphers, .. } => {
            to_operator(fill(Text::PathIs, &[path_name(*path).say(lang), &cipher_names(ciphers)]))
        }
        SessionEvent::PathDown { path, why } => {
            to_operator(fill(Text::PathLost, &[path_name(*path).say(lang), reason(why, lang)]))
        }
        SessionEvent::PathChosen { path } => fill(in_use(role), &[path_name(*path).say(lang)]),
        SessionEvent::Disclosed { .. } => None,
        SessionEvent::Reconnecting => fill(Text::Reconnecting, &[]),
        SessionEvent::FirstFrame { .. } if role == Role::Agent => live(SessionText::PictureIsHere),
        SessionEvent::FirstFrame { after_ms } => fill(Text::FirstFrame, &[&after_ms.to_string()]),
        SessionEvent::InputPaused { .. } if host == Some(role) => fill(Text::InputPaused, &[]),
        SessionEvent::InputPaused { .. } => live(SessionText::OwnInputWaits),
        SessionEvent::InputResumed if host == Some(role) => fill(Text::InputResumed, &[]),
        SessionEvent::InputResumed => live(SessionText::OwnInputWorks),
        SessionEvent::InputDiscarded { why } => live(discarded(*why)),
        SessionEvent::NotSaid => live(SessionText::NotSaid),
        SessionEvent::PicturePaused => live(SessionText::PicturePaused),
        SessionEvent::PictureResumed => live(SessionText::PictureResumed),
        SessionEvent::RightsChanged { change, rights, seconds, .. } => {
            Some(changed(*change, *rights, *seconds, lang))
        }
        SessionEvent::RightsEnded { rights, .. } => {
            Some(SessionText::RightsOver.fill(lang, &[&texts::rights(*rights, lang)]))
        }
        SessionEvent::Asking { .. } | SessionEvent::AskingOver { .. } => None,
        SessionEvent::Violation { wanted, .. } => {
            fill(Text::Violation, &[texts::right(*wanted).say(lang)])
        }
        SessionEvent::Refused { wanted } => fill(Text::RefusedAct, &[texts::right(*wanted).say(lang)]),
        SessionEvent::ScreenshotTaken => fill(Text::ScreenshotOfYours, &[]),
        SessionEvent::Chat { line } => fill(Text::ChatLine, &[&harmless(line)]),
        SessionEvent::ServerRefused { .. } | SessionEvent::ServerClosed { .. } => None,
        SessionEvent::ServerGone => fill(Text::ServerAway, &[]),
        SessionEvent::Ended { reason, .. } => fill(Text::EndedBy, &[ending(*reason).say(lang)]),
    }
}

fn in_use(role: Role) -> Text {
    match role {
        Role::Operator => Text::PathInUse,
        Role::Agent => Text::PathIsSealed,
    }
}

fn discarded(why: Discarded) -> SessionText {
    match why {
        Discarded::NoConnection => SessionText::DiscardedNoConnection,
        Discarded::KeysDown => SessionText::DiscardedKeysDown,
        Discarded::Waiting => SessionText::DiscardedWaiting,
    }
}

fn changed(change: Change, rights: Rights, seconds: u32, lang: Lang) -> String {
    let text = match change {
        Change::Granted => SessionText::RightsGranted,
        Change::Refused => SessionText::RightsRefused,
        Change::Silent => SessionText::RightsSilent,
        Change::TakenAway => SessionText::RightsTaken,
        Change::GivenBack => SessionText::RightsBack,
    };
    text.fill(lang, &[&texts::rights(rights, lang), &texts::span(seconds, lang)])
}

/// Another's text without what moves a terminal's cursor or turns its letters. T66.
pub(super) fn harmless(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

pub(super) fn path_name(path: PathKind) -> Text {
    match path {
        PathKind::Direct => Text::PathDirect,
        PathKind::Relayed => Text::PathRelayed,
    }
}

/// What protects the session and how it goes, a line each.
pub(super) fn stats(report: &Report, lang: Lang) -> Vec<String> {
    let text = |text: SessionText, values: &[&str]| text.fill(lang, values);
    let mut lines = Vec::new();
    match (report.stats.path, &report.stats.ciphers) {
        (Some(path), Some(ciphers)) => {
            let values = [path_name(path).say(lang), &cipher_names(ciphers)];
            lines.push(text(SessionText::StatsPath, &values));
        }
        (Some(_), None) | (None, _) => lines.push(text(SessionText::StatsNoPath, &[])),
    }
    if let Some(round_trip) = report.stats.round_trip_ms {
        lines.push(text(SessionText::StatsRoundTrip, &[&round_trip.to_string()]));
    }
    let (pictures, rate) = (report.now.frames_per_second, report.now.bits_per_second / 1000);
    lines.push(text(SessionText::StatsPicture, &[&pictures.to_string(), &rate.to_string()]));
    if let Some(lasted) = report.now.lasted_s {
        let lasted = texts::span(u32::try_from(lasted).unwrap_or(u32::MAX), lang);
        lines.push(text(SessionText::StatsLasted, &[&lasted]));
    }
    lines.push(text(SessionText::StatsViolations, &[&report.stats.violations.to_string()]));
    lines
}

fn cipher_names(ciphers: &Ciphers) -> String {
    match ciphers {
        Ciphers::Direct { dtls, srtp } => format!("{dtls}, {srtp}"),
        Ciphers::Relayed { noise, tls } => format!("{noise}, {tls}"),
    }
}

pub(super) fn ending(reason: EndReason) -> Text {
    match reason {
        EndReason::OperatorEnded => Text::ReasonOperatorEnded,
        EndReason::UserEnded => Text::ReasonUserEnded,
        EndReason::UserRefused => Text::ReasonUserRefused,
        EndReason::NobodyAnswered => Text::ReasonNobodyAnswered,
        EndReason::TimeOver => Text::ReasonTimeOver,
        EndReason::ConnectionLost => Text::ReasonConnectionLost,
        EndReason::Violation => Text::ReasonViolation,
        EndReason::ScreenLost => Text::ReasonScreenLost,
        EndReason::ManifestRefused => Text::ReasonManifestRefused,
        EndReason::ProgramEnded => Text::ReasonProgramEnded,
        EndReason::NotContinued => Text::ReasonNotContinued,
        EndReason::ServerRefused => Text::ReasonServerRefused,
        EndReason::Withdrawn => Text::ReasonWithdrawn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t66_a_chat_line_cannot_move_the_cursor_or_turn_letters_around() {
        let line = "a\u{1b}[2Jb\rc\u{202e}d".to_owned();
        let told = sentence(&SessionEvent::Chat { line }, (Role::Agent, None), Lang::En).unwrap();
        assert!(told.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{told:?}");
    }
}
