//! What the person or script at this end is told beside the events themselves.
//!
//! Decides which sentence is one too many, and where a sentence goes.

use std::time::Duration;

use tasuki_protocol::ids::Role;
use tokio::time::Instant;

use super::{Console, Link, Stage};
use crate::core::io::SessionEvent;
use crate::programs::say::{self, Added, Form};
use crate::shell::texts::{self, SessionText, Text};

/// Refusals of the same right that come closer together are told once.
const A_GESTURE: Duration = Duration::from_secs(1);
/// A terminal has no bar that stays in sight: what it would say is said again and again.
pub(super) const REMINDS: Duration = Duration::from_secs(60);

impl Console<'_> {
    /// Why nothing came of it, the program's last sentence tells; that paths close with a session goes without
    /// saying, and that a way is looked for in vain once more; and a click is three acts of the hand, of which one
    /// refusal is enough.
    pub(super) fn is_known_already(&self, event: &SessionEvent) -> bool {
        if let SessionEvent::Ended { reason, .. } = event {
            return self.receipt.began.is_none() && (!reason.is_wished() || self.refused.is_some());
        }
        if let SessionEvent::Refused { wanted } = event {
            return self.not_done.is_some_and(|(last, at)| last == *wanted && at.elapsed() < A_GESTURE);
        }
        let is_over = self.give_up.is_some() || self.link == Link::Over;
        let SessionEvent::PathDown { path, .. } = event else { return false };
        is_over || self.not_found.contains(path)
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

    /// T33: who, in which mode, for how long, and how to end it; or that nothing new is seen, as no path carries it.
    /// Not into a question, and not of a session that is over.
    pub(super) fn remind(&mut self) {
        self.reminds = (self.link != Link::Over).then(|| Instant::now() + REMINDS);
        let (Some(host), Some(began)) = (self.host, self.receipt.began) else { return };
        if self.stage == Stage::Before || self.link == Link::Over || self.person.is_some() {
            return;
        }
        let text = match (self.manner.role, host) {
            (Role::Operator, Role::Agent) => return,
            (Role::Agent, Role::Agent | Role::Operator) | (Role::Operator, Role::Operator)
                if self.link == Link::Away =>
            {
                SessionText::StillAway
            }
            (Role::Agent, Role::Agent) | (Role::Operator, Role::Operator) if self.is_paused => {
                SessionText::StillPaused
            }
            (Role::Operator, Role::Operator) => SessionText::StillOwn,
            (Role::Agent, Role::Agent) => SessionText::StillYours,
            (Role::Agent, Role::Operator) => SessionText::StillTheirs,
        };
        let lasts = u32::try_from(began.elapsed().as_secs()).unwrap_or(u32::MAX);
        let (receipt, lasts) = (&self.receipt, texts::span(lasts, self.manner.lang));
        let values = [&*receipt.mode, &lasts, &receipt.with, &receipt.organisation];
        self.tell(&text.fill(self.manner.lang, &values));
    }

    /// S97: who, what, how long, at the end. Only where something had begun.
    pub(super) fn sum_up(&self) {
        let Some(began) = self.receipt.began else { return };
        let seconds = u32::try_from(began.elapsed().as_secs()).unwrap_or(u32::MAX);
        let lasted = texts::span(seconds, self.manner.lang);
        let receipt = &self.receipt;
        if self.manner.role == Role::Agent && self.stage == Stage::Before {
            self.tell(Text::EndedUnconnected.say(self.manner.lang));
        } else if self.manner.role == Role::Agent {
            self.tell(Text::EndedHere.say(self.manner.lang));
            let pictures = receipt.pictures.to_string();
            let looked_only = Text::LookedOnly.fill(self.manner.lang, &[&receipt.mode]);
            let mode = if receipt.looked_only { &looked_only } else { &receipt.mode };
            let values = [receipt.with.as_str(), mode, &lasted, &pictures];
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
