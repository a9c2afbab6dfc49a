//! What a session tells, as it changes its tab.
//!
//! Decides what is shown of each event. Asks for nothing.

use tasuki_peer::core::io::{EndedBy, SessionEvent, SpokenNumber};
use tasuki_peer::core::path::{Ciphers, PathKind};
use tasuki_protocol::ids::Role;
use tasuki_protocol::link::JoinLink;
use tasuki_protocol::message::{Asked, EndReason};
use tasuki_protocol::number::MAX_ATTEMPTS;
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::showable::one_line;

use super::model::{Line, More, Number, Outcome, Stage, Tab};

/// Lines of talk that a tab keeps.
const LINES: usize = 500;

pub(super) fn heard(tab: &mut Tab, event: SessionEvent, now: u64) {
    match event {
        SessionEvent::Number { number, expires_in } => {
            tab.stage = Stage::Waiting(fresh_number(number, now + expires_in));
        }
        SessionEvent::AtTheDoor { attempt } => at_the_door(tab, attempt),
        SessionEvent::WrongNumber { attempts_left } => wrong_number(tab, attempts_left),
        SessionEvent::Paired { .. } => tab.stage = Stage::AwaitsConsent,
        SessionEvent::Consent { granted, .. } if granted == Rights::NONE => {}
        SessionEvent::Consent { granted, .. } => {
            tab.granted = granted;
            tab.live_since = Some(now);
            tab.stage = Stage::Live { since: now };
        }
        SessionEvent::PathUp { .. } => {}
        SessionEvent::PathDown { path: PathKind::Direct, why } => tab.link.why_not_direct = Some(why),
        SessionEvent::PathDown { path: PathKind::Relayed, .. } => {}
        SessionEvent::PathChosen { path } => path_chosen(tab, path),
        SessionEvent::Reconnecting => tab.link.lost(now),
        SessionEvent::FirstFrame { after_ms } => tab.view.first_ms = Some(after_ms),
        SessionEvent::InputPaused { .. } => tab.view.halts.hand = true,
        SessionEvent::InputResumed => tab.view.halts.hand = false,
        SessionEvent::Refused { wanted } => refused(tab, wanted),
        SessionEvent::Asking { what: Asked::MoreRights, rights, seconds } => {
            tab.more = More::Asked { wanted: rights, until: now + u64::from(seconds) };
        }
        SessionEvent::Asking { what: Asked::Continue, .. } => tab.view.halts.question = true,
        SessionEvent::AskingOver { .. } => tab.over_asking(),
        SessionEvent::RightsChanged { change, rights, seconds, effective } => {
            tab.granted = effective;
            tab.more.hear(change, rights, seconds, now);
        }
        SessionEvent::RightsEnded { rights, effective } => {
            tab.granted = effective;
            if rights.has(Capability::Operate) {
                tab.more = More::over(now);
            }
        }
        SessionEvent::PicturePaused => tab.view.halts.host = true,
        SessionEvent::PictureResumed => tab.view.halts.host = false,
        SessionEvent::ScreenshotTaken => tab.pictures += 1,
        SessionEvent::Chat { line } => wrote(tab, &line, now),
        SessionEvent::Ended { reason, by } => {
            if !matches!(tab.stage, Stage::Over(_)) {
                tab.stage = Stage::Over(ended(tab, reason, by));
            }
        }
        // Told by the fault that the loop ends with.
        SessionEvent::TranscriptMismatch
        | SessionEvent::ManifestRefused { .. }
        | SessionEvent::ServerRefused { .. }
        | SessionEvent::ServerClosed { .. }
        | SessionEvent::ServerGone
        | SessionEvent::Disclosed { .. }
        | SessionEvent::InputDiscarded { .. }
        | SessionEvent::NotSaid
        | SessionEvent::Violation { .. } => {}
    }
}

fn fresh_number(number: SpokenNumber, expires_at: u64) -> Number {
    let spoken = number.0.to_string();
    Number { spoken, link: JoinLink(number.0).to_string(), expires_at, wrong_tries: 0 }
}

fn path_chosen(tab: &mut Tab, path: PathKind) {
    tab.link.path = Some(path);
    tab.link.reconnecting = None;
    if path == PathKind::Direct {
        tab.link.why_not_direct = None;
    }
}

fn wrote(tab: &mut Tab, line: &str, now: u64) {
    let line = one_line(line);
    if !line.is_empty() {
        add_line(tab, Role::Agent, line, now);
    }
}

fn refused(tab: &mut Tab, wanted: Capability) {
    tab.view.refused = Some(wanted);
    if wanted == Capability::Chat {
        let mut own = tab.chat.iter_mut().rev().filter(|line| line.by == Role::Operator);
        if let Some(last) = own.find(|line| !line.unsent) {
            last.unsent = true;
        }
    }
}

pub(super) fn cipher_words(ciphers: &Ciphers) -> String {
    match ciphers {
        Ciphers::Direct { dtls, srtp } => format!("{dtls}, {srtp}"),
        Ciphers::Relayed { noise, tls } => format!("{noise}, {tls}"),
    }
}

fn ended(tab: &Tab, reason: EndReason, by: EndedBy) -> Outcome {
    match &tab.stage {
        Stage::Dialling | Stage::Waiting(_) | Stage::AtTheDoor { .. } if tab.leaving => {
            Outcome::Cancelled
        }
        Stage::Dialling
        | Stage::Waiting(_)
        | Stage::AtTheDoor { .. }
        | Stage::AwaitsConsent
        | Stage::Live { .. }
        | Stage::Over(_) => Outcome::Ended { reason, by },
    }
}

fn at_the_door(tab: &mut Tab, attempt: u8) {
    if let Stage::Waiting(number) | Stage::AtTheDoor { number, .. } = &tab.stage {
        tab.stage = Stage::AtTheDoor { number: number.clone(), attempt };
    }
}

fn wrong_number(tab: &mut Tab, attempts_left: u8) {
    if let Stage::Waiting(number) | Stage::AtTheDoor { number, .. } = &tab.stage {
        let wrong_tries = MAX_ATTEMPTS.saturating_sub(attempts_left);
        tab.stage = Stage::Waiting(Number { wrong_tries, ..number.clone() });
    }
}

pub(super) fn add_line(tab: &mut Tab, by: Role, text: String, at: u64) {
    tab.chat.push(Line { by, text, at, unsent: false });
    if tab.chat.len() > LINES {
        tab.chat.remove(0);
    }
    if by == Role::Agent {
        tab.unread += 1;
    }
}
