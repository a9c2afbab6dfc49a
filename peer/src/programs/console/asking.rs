//! The question at the agent's terminal, from its appearance to its answer.
//!
//! Decides when a line begins to count (T2); what it means is [`consent`]'s.
//!
//! [`consent`]: crate::programs::consent

use tokio::time::Instant;

use super::{Asked, Console, Opening, OwnDesktop};
use crate::core::io::{HumanAct, Question};
use crate::programs::consent::{Answer, Shown};
use crate::programs::say::{self, Added, Form};
use crate::shell::desktop;
use crate::shell::fault::Fault;
use crate::shell::terminal::TypedLine;
use crate::shell::texts::Text;

impl Console<'_> {
    pub(super) async fn ask(&mut self, question: Question) {
        let lang = self.manner.lang;
        let shown = Shown::of(&question, self.manner.met_before, lang);
        let manifest = &question.manifest;
        self.receipt.with = manifest.operator_name.clone();
        self.receipt.organisation = question.organisation.clone();
        say::to_person(&shown.text);
        if self.manner.form == Form::Json {
            say::json(&Added::Question {
                organisation: &question.organisation,
                operator: &manifest.operator_name,
                mode: manifest.mode.to_string(),
                grantable: question.grantable,
                seconds: question.seconds,
                text: &shown.text,
            });
        }
        if manifest.mode.host() == self.manner.role && self.manner.desktop == OwnDesktop::None {
            self.refused = Some(desktop::named().err().unwrap_or(Fault::NoDisplay));
            return self.front.act(HumanAct::Refuse { shown: shown.digest() }).await;
        }
        let open = Opening::At(Instant::now() + shown.inert);
        self.asked = Some(Asked { shown, open });
    }

    /// From now on a line counts. T2: nothing typed before does.
    pub(super) fn open_question(&mut self) {
        self.lines.discard();
        say::prompt(">");
        if let Some(asked) = &mut self.asked {
            asked.open = Opening::Since(std::time::Instant::now());
            if self.manner.form == Form::Json {
                say::json(&Added::QuestionOpen);
            }
        }
    }

    pub(super) fn withdraw(&mut self) {
        if self.asked.take().is_some() {
            self.tell(Text::QuestionGone.say(self.manner.lang));
            if self.manner.form == Form::Json {
                say::json(&Added::QuestionWithdrawn);
            }
        }
    }

    pub(super) async fn answer(&mut self, line: &TypedLine) {
        let Some(asked) = self.asked.take() else { return };
        match asked.open {
            Opening::Since(since) if line.at >= since => {}
            Opening::Since(_) | Opening::At(_) => {
                self.asked = Some(asked);
                return;
            }
        }
        let shown = asked.shown.digest();
        match asked.shown.answer(&line.text) {
            Answer::Yes(granted) => {
                let is_all = asked.shown.answer("yes") == Answer::Yes(granted);
                let text = if is_all { Text::AnswerYes } else { Text::AnswerLook };
                self.tell(text.say(self.manner.lang));
                self.front.act(HumanAct::Accept { granted, shown }).await;
            }
            Answer::No => {
                self.tell(Text::AnswerNo.say(self.manner.lang));
                self.front.act(HumanAct::Refuse { shown }).await;
            }
        }
    }
}
