//! What the person or script at this end is told beside the events themselves.
//!
//! Decides which sentence is one too many, and where a sentence goes.

use tasuki_protocol::ids::Role;

use super::{Console, Stage};
use crate::core::io::SessionEvent;
use crate::programs::say::{self, Added, Form};
use crate::shell::texts::Text;

impl Console<'_> {
    /// Why nothing came of it, the program's last sentence tells; and whoever ends a session need not
    /// hear how its paths close.
    pub(super) fn is_known_already(&self, event: &SessionEvent) -> bool {
        if let SessionEvent::Ended { reason, .. } = event {
            return self.receipt.began.is_none() && (!reason.is_wished() || self.refused.is_some());
        }
        matches!(event, SessionEvent::PathDown { .. }) && self.give_up.is_some()
    }

    pub(super) fn banner(&self, host: Role) {
        let text = match (self.manner.role, host) {
            (Role::Operator, Role::Agent) => return,
            (Role::Operator, Role::Operator) => Text::BannerOwn,
            (Role::Agent, Role::Agent) => Text::BannerYours,
            (Role::Agent, Role::Operator) => Text::BannerTheirs,
        };
        let receipt = &self.receipt;
        self.tell(&text.fill(self.manner.lang, &[&receipt.with, &receipt.organisation]));
    }

    /// S97: who, what, how long, at the end. Only where something had begun.
    pub(super) fn sum_up(&self) {
        let Some(began) = self.receipt.began else { return };
        let seconds = began.elapsed().as_secs().to_string();
        let receipt = &self.receipt;
        if self.manner.role == Role::Agent && self.stage == Stage::Before {
            self.tell(Text::EndedUnconnected.say(self.manner.lang));
        } else if self.manner.role == Role::Agent {
            self.tell(Text::EndedHere.say(self.manner.lang));
            let pictures = receipt.pictures.to_string();
            let values = [receipt.with.as_str(), &receipt.mode, &seconds, &pictures];
            self.tell(&Text::Summary.fill(self.manner.lang, &values));
        }
    }

    pub(super) fn complain(&self, text: Text, values: &[&str]) {
        self.complain_of(&text.code(), text.fill(self.manner.lang, values));
    }

    pub(super) fn complain_of(&self, code: &str, message: String) {
        match self.manner.form {
            Form::Json => say::json(&Added::Error { code, message, exit_code: None }),
            Form::Plain => say::to_person(&message),
        }
    }

    /// A sentence for whoever sits here; with events on standard output, beside them.
    pub(super) fn tell(&self, sentence: &str) {
        match (self.manner.role, self.manner.form) {
            (Role::Operator, Form::Json) => {}
            (Role::Operator, Form::Plain) => say::print(sentence),
            (Role::Agent, _) => say::to_person(sentence),
        }
    }
}
