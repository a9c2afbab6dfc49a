//! What the session that runs tells, and what of it is shown.
//!
//! Decides which page a session stands on. What may happen was decided before it is told.

use std::path::PathBuf;
use std::time::Instant;

use tasuki_peer::core::io::{EndedBy, Question};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Rights};

use super::asking::Asking;
use super::ended::{Ended, Ending, Summary};
use super::live::{Live, LiveQuestion, Open, QuestionKind, Stillness, Weather};
use super::model::{Effect, Model, NumberPage, Page, Said};

/// More letters of what the operator writes are not shown at a time.
const LONGEST_LINE: usize = 400;

#[derive(Debug, Clone)]
pub enum News {
    /// No session came about.
    Failed(Fault),
    Asked {
        question: Question,
        /// Sessions of this organisation that this computer has had before.
        met_before: u32,
    },
    /// The person's answer stands and the session begins; nothing granted means that it does not.
    Answered {
        granted: Rights,
        /// Seconds since 1970.
        at: u64,
    },
    /// A path stands, and what protects it.
    PathUp {
        path: PathKind,
        ciphers: String,
    },
    /// The session goes by this path from now on.
    PathChosen(PathKind),
    Reconnecting,
    /// The person's own hand is on the mouse or keyboard.
    OwnHand(bool),
    Paused(bool),
    AskedMore {
        kind: QuestionKind,
        seconds: u32,
        inert_ms: u32,
    },
    AskedMoreOver,
    /// A right begins or goes on, for so many seconds where it is not for the whole session.
    Allowed {
        rights: Rights,
        seconds: Option<u32>,
    },
    /// What the viewer may do from now on.
    Effective(Rights),
    PictureKept,
    /// The operator has written this.
    Wrote(String),
    /// The line that the person wrote last did not go out.
    NotSent,
    Receipt(PathBuf),
    Over {
        end: Option<(EndReason, EndedBy)>,
        fault: Option<Fault>,
    },
}

impl Model {
    pub(super) fn hear(&mut self, news: News, now: Instant) -> Vec<Effect> {
        match news {
            News::Failed(fault) => self.failed(fault),
            News::Asked { question, met_before } => {
                self.page = Page::Asking(Box::new(Asking::new(question, met_before, now)));
                vec![Effect::Present]
            }
            News::Answered { granted, at } => self.answered(granted, at, now),
            News::Receipt(file) => {
                if let Page::Ended(ended) = &mut self.page {
                    ended.receipt = Some(file);
                }
                Vec::new()
            }
            News::Over { end, fault } => self.over(end, fault, now),
            News::Wrote(line) => self.wrote(line),
            News::NotSent => {
                self.notice = Some(Said::NotSent);
                Vec::new()
            }
            News::PathUp { .. }
            | News::PathChosen(_)
            | News::Reconnecting
            | News::OwnHand(_)
            | News::Paused(_)
            | News::AskedMore { .. }
            | News::AskedMoreOver
            | News::Allowed { .. }
            | News::Effective(_)
            | News::PictureKept => match &mut self.page {
                Page::Live(live) => live.hear(news, now),
                Page::Trouble(_)
                | Page::Number(_)
                | Page::Connecting(_)
                | Page::Asking(_)
                | Page::Ended(_) => Vec::new(),
            },
        }
    }

    /// Kept whole, and told with as much of it as there is room for, unless the person looks at it.
    fn wrote(&mut self, line: String) -> Vec<Effect> {
        let Page::Live(live) = &mut self.page else { return Vec::new() };
        live.talk.add(Role::Operator, line.clone());
        if live.open == Open::Talk {
            live.talk.read();
            return vec![Effect::Present];
        }
        let end = if line.chars().nth(LONGEST_LINE).is_some() { "…" } else { "" };
        let shown: String = line.chars().take(LONGEST_LINE).chain(end.chars()).collect();
        self.notice = Some(Said::Wrote(shown));
        vec![Effect::Present]
    }

    /// The number stays where it was typed, unless it is used up.
    fn failed(&mut self, fault: Fault) -> Vec<Effect> {
        let mut page = NumberPage::default();
        if let Page::Connecting(entry) = &mut self.page
            && !uses_up_the_number(&fault)
        {
            page.entry = std::mem::take(entry);
        }
        if fault == Fault::NumberRefused {
            page.entry.refused();
        } else {
            page.trouble = Some(fault);
        }
        self.page = Page::Number(page);
        Vec::new()
    }

    fn answered(&mut self, granted: Rights, at: u64, now: Instant) -> Vec<Effect> {
        let Page::Asking(asking) = &self.page else { return Vec::new() };
        if granted == Rights::NONE {
            return Vec::new();
        }
        let live = Live::new((*asking.question.manifest).clone(), granted, at, now);
        self.page = Page::Live(Box::new(live));
        vec![Effect::Met]
    }

    fn over(
        &mut self,
        end: Option<(EndReason, EndedBy)>,
        fault: Option<Fault>,
        now: Instant,
    ) -> Vec<Effect> {
        let summary = match &self.page {
            Page::Live(live) => Some(Summary::of(live, now)),
            Page::Asking(_) => None,
            // Given up before anybody was asked.
            Page::Number(_) | Page::Trouble(_) | Page::Ended(_) => return Vec::new(),
            Page::Connecting(_) => return self.failed(fault.unwrap_or(Fault::ServerGone)),
        };
        let how = Ending::of(end, fault);
        self.page = Page::Ended(Box::new(Ended { how, summary, receipt: None }));
        vec![Effect::Present]
    }
}

/// Whether no other try can be made with the same number.
fn uses_up_the_number(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NumberRefused
            | Fault::NumberExpired
            | Fault::NumberBurnt
            | Fault::NumberMistyped
            | Fault::TranscriptMismatch
            | Fault::ManifestRefused { .. }
            | Fault::Refused
            | Fault::NobodyAnswered
            | Fault::Withdrawn
            | Fault::PeerViolation
            | Fault::Wayland
            | Fault::NoDisplay
            | Fault::Desktop { .. }
    )
}

impl Live {
    fn hear(&mut self, news: News, now: Instant) -> Vec<Effect> {
        match news {
            News::PathUp { path, ciphers } => self.protection.stands(path, ciphers),
            News::PathChosen(path) => {
                self.protection.goes(Some(path));
                self.weather = Weather::Fine;
            }
            News::Reconnecting => {
                self.protection.goes(None);
                self.weather = Weather::Reconnecting;
            }
            // A held picture stays held, whatever the hand does.
            News::OwnHand(_) if self.stillness == Stillness::Paused => {}
            News::OwnHand(true) => self.stillness = Stillness::OwnHand,
            News::OwnHand(false) | News::Paused(false) => self.stillness = Stillness::None,
            News::Paused(true) => self.stillness = Stillness::Paused,
            News::AskedMore { kind, seconds, inert_ms } => {
                self.question = Some(LiveQuestion::new(kind, seconds, inert_ms, now));
                return vec![Effect::Present];
            }
            News::AskedMoreOver => {
                self.question = None;
                self.unsettle(now);
            }
            News::Allowed { rights, seconds } => self.allow(rights, seconds, now),
            News::Effective(rights) => {
                let gone: Vec<Capability> =
                    self.allowed.iter().filter(|right| !rights.has(*right)).collect();
                self.taken = Rights::of(&gone);
                self.timed.retain(|(right, _)| rights.has(*right));
            }
            News::PictureKept => self.pictures_kept += 1,
            News::Failed(_)
            | News::Asked { .. }
            | News::Answered { .. }
            | News::Receipt(_)
            | News::Wrote(_)
            | News::NotSent
            | News::Over { .. } => {}
        }
        Vec::new()
    }
}
