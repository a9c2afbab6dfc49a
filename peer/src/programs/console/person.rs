//! What the host's person is asked in mid-session, at the terminal, and what he
//! does by himself with the viewer's rights.
//!
//! A lone yes or no answers; every other line stays a command. What was typed
//! before the question stood is no answer (T2); the core holds to that too.

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::message::Asked;
use tasuki_protocol::rights::{Capability, Rights};

use super::{Console, Opening};
use crate::core::io::{HumanAct, PersonQuestion, PersonQuestionKind, Reply};
use crate::core::snapshot::{RightLine, RightStand};
use crate::programs::granting::Grant;
use crate::programs::say::{self, Added, Form};
use crate::shell::receipt;
use crate::shell::terminal::TypedLine;
use crate::shell::texts::{self, SessionText};

/// A question of the running session that waits for a line.
#[derive(Debug)]
pub(super) struct PersonAsked {
    what: Asked,
    shown: Digest,
    pub(super) open: Opening,
}

impl Console<'_> {
    pub(super) fn ask_person(&mut self, question: &PersonQuestion) {
        let lang = self.manner.lang;
        // Who came to the operator has no name here.
        let with = match self.receipt.with.is_empty() {
            true => self.live(SessionText::TheOtherSide),
            false => self.receipt.with.clone(),
        };
        let answer = texts::span(question.seconds, lang);
        let (what, rights, text) = match question.kind {
            PersonQuestionKind::MoreRights { rights, for_seconds } => {
                let names = texts::rights(rights, lang);
                let values = [&*with, &names, &texts::span(for_seconds, lang), &answer];
                (Asked::MoreRights, rights, SessionText::AskMoreRights.fill(lang, &values))
            }
            PersonQuestionKind::Continue => {
                let text = SessionText::AskContinue.fill(lang, &[&with, &answer]);
                (Asked::Continue, Rights::NONE, text)
            }
        };
        say::to_person(&text);
        if self.manner.form == Form::Json {
            let seconds = question.seconds;
            say::json(&Added::PersonQuestion { what, rights, seconds, text: &text });
        }
        let inert = Duration::from_millis(question.inert_ms.into());
        self.person = Some(PersonAsked {
            what,
            shown: Digest(Sha256::digest(text.as_bytes()).into()),
            open: Opening::At(tokio::time::Instant::now() + inert),
        });
    }

    /// From now on a yes counts.
    pub(super) fn open_person_question(&mut self) {
        if self.manner.role == Role::Agent {
            self.lines.discard();
            say::prompt(">");
        }
        if let Some(person) = &mut self.person {
            person.open = Opening::Since(Instant::now());
            if self.manner.form == Form::Json {
                say::json(&Added::QuestionOpen);
            }
        }
    }

    pub(super) fn withdraw_person_question(&mut self, what: Asked) {
        self.person = None;
        if self.manner.form == Form::Json {
            say::json(&Added::PersonQuestionWithdrawn { what });
        }
    }

    /// `None`: it is a line like any other.
    pub(super) fn reply(text: &str) -> Option<Reply> {
        match text.trim().to_lowercase().as_str() {
            "yes" | "はい" | "ｙｅｓ" => Some(Reply::Yes),
            "no" | "いいえ" | "ｎｏ" => Some(Reply::No),
            _ => None,
        }
    }

    pub(super) async fn answer_person(&mut self, reply: Reply, line: &TypedLine) {
        let Some(person) = &self.person else {
            return self.complain_of("nothing_asked", self.live(SessionText::NothingAsked));
        };
        let meant = match person.open {
            Opening::Since(since) => line.at >= since,
            Opening::At(_) => false,
        };
        if reply == Reply::Yes && !self.is_a_persons(line) {
            return self.complain_of("not_a_person", self.live(SessionText::NotAPerson));
        }
        if reply == Reply::Yes && !meant {
            return self.complain_of("answer_too_soon", self.live(SessionText::AnswerTooSoon));
        }
        let (what, shown) = (person.what, person.shown);
        self.front.act(HumanAct::Answer { what, reply, shown }).await;
    }

    pub(super) fn live(&self, text: SessionText) -> String {
        text.say(self.manner.lang).to_owned()
    }

    pub(super) async fn grant(&mut self, grant: Grant) {
        match grant {
            Grant::Ask { rights, .. } if rights.and(self.granted) == rights => {
                let names = texts::rights(rights, self.manner.lang);
                let text = SessionText::AllowedAlready.fill(self.manner.lang, &[&names]);
                self.complain_of("allowed_already", text);
            }
            Grant::Ask { rights, seconds } => {
                self.tell_when_it_goes_out();
                self.front.act(HumanAct::AskRights { rights, seconds }).await;
            }
            Grant::Take(rights) => self.front.act(HumanAct::TakeAway(rights)).await,
            Grant::Back(rights) => self.front.act(HumanAct::GiveBack(rights)).await,
            Grant::List => self.list_rights().await,
        }
    }

    async fn list_rights(&self) {
        let Some(report) = self.front.report().await else { return };
        match self.manner.form {
            Form::Json => say::json(&Added::Rights { rights: &report.now.rights }),
            Form::Plain => report.now.rights.iter().for_each(|line| self.tell(&self.right_line(line))),
        }
    }

    fn right_line(&self, line: &RightLine) -> String {
        let lang = self.manner.lang;
        let name = texts::right(line.right).say(lang);
        let left =
            line.ends_in_s.map(|left| texts::span(u32::try_from(left).unwrap_or(u32::MAX), lang));
        match (line.stand, left) {
            (RightStand::Granted, None) => SessionText::RightGrantedLine.fill(lang, &[name]),
            (RightStand::Granted, Some(left)) => {
                SessionText::RightGrantedForLine.fill(lang, &[name, &left])
            }
            (RightStand::TakenAway, _) => SessionText::RightTakenLine.fill(lang, &[name]),
            (RightStand::CanBeAsked, _) => SessionText::RightAskableLine.fill(lang, &[name]),
            (RightStand::NotHere, _) => SessionText::RightNotHereLine.fill(lang, &[name]),
        }
    }

    pub(super) fn rights_changed(&mut self, change: Change, effective: Rights) {
        self.granted = effective;
        self.receipt.looked_only &= !effective.has(Capability::Operate);
        if let (Change::Granted, Some(host)) = (change, self.host) {
            self.banner(host);
        }
    }

    /// S97: what is left of the session, for whoever wants to know later.
    pub(super) fn keep_receipt(&self, envelope: &[u8]) {
        match receipt::keep(self.profile, envelope) {
            Ok(file) => {
                let file = file.display().to_string();
                self.tell(&SessionText::ReceiptKept.fill(self.manner.lang, &[&file]));
                if self.manner.form == Form::Json {
                    say::json(&Added::Receipt { file });
                }
            }
            Err(fault) => self.complain_of(&fault.code(), fault.sentence(self.manner.lang)),
        }
    }

    /// The other side's person is asked; this side's sees the question itself.
    pub(super) fn they_are_asked(&self, what: Asked, seconds: u32) {
        if self.host == Some(self.manner.role) {
            return;
        }
        let text = match what {
            Asked::MoreRights => SessionText::TheyAreAskedRights,
            Asked::Continue => SessionText::TheyAreAskedContinue,
        };
        let lang = self.manner.lang;
        self.tell(&text.fill(lang, &[&texts::span(seconds, lang)]));
    }
}
