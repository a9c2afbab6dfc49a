//! Shows a model in the window, and turns what the person does into messages.
//!
//! Decides nothing: every property follows from the model.

use slint::{ComponentHandle, Global};

use super::entry;
use super::model::{Model, Msg, NumberPage, Page};
use crate::look;
use crate::windows::{Agent, AgentPage, AgentWindow, Complaint};

/// Every act of the person goes to `send`.
pub fn wire(window: &AgentWindow, send: impl Fn(Msg) + Clone + 'static) {
    let agent = window.global::<Agent<'_>>();
    let told = send.clone();
    agent.on_switch_language(move || told(Msg::LanguageSwitched));
    let told = send.clone();
    agent.on_choose_shade(move |shade| told(Msg::ShadeChosen(shade.into())));
    let told = send.clone();
    agent.on_show_about(move |shown| told(Msg::AboutShown(shown)));
    let told = send.clone();
    agent.on_number_edited(move |text| told(Msg::NumberEdited(text.into())));
    agent.on_connect(move || send(Msg::ConnectPressed));
}

pub fn show(model: &Model, window: &AgentWindow) {
    look::dress(window, model.lang, model.shade);
    let agent = window.global::<Agent<'_>>();
    agent.set_organisation(model.organisation.as_str().into());
    agent.set_about(model.about);
    match &model.page {
        Page::Number(page) => {
            show_number(model, page, &agent);
            agent.set_page(AgentPage::Number);
        }
        Page::Connecting => agent.set_page(AgentPage::Connecting),
    }
}

fn show_number(model: &Model, page: &NumberPage, agent: &Agent<'_>) {
    agent.set_number(page.entry.text().into());
    agent.set_complaint(page.entry.complaint().into());
    let trouble = page.trouble.as_ref().map(|fault| fault.sentence(model.lang));
    agent.set_trouble(trouble.unwrap_or_default().into());
}

impl From<Option<entry::Complaint>> for Complaint {
    fn from(complaint: Option<entry::Complaint>) -> Self {
        match complaint {
            None => Self::None,
            Some(entry::Complaint::NotDigits) => Self::NotDigits,
            Some(entry::Complaint::TooFew) => Self::TooFew,
            Some(entry::Complaint::TooMany) => Self::TooMany,
            Some(entry::Complaint::Mistyped) => Self::Mistyped,
            Some(entry::Complaint::Refused) => Self::Refused,
        }
    }
}
