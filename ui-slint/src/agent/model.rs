//! What the end user's window shows and how it changes: `update(model, message) -> effects`.
//!
//! Knows no toolkit, no clock and no session: times are handed in, effects are carried out by
//! the program, and what comes of them returns as a message.

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::number::SessionNumber;

use super::entry::Entry;
use crate::look::{Shade, other};

/// Everything that can be seen.
#[derive(Debug, Clone)]
pub struct Model {
    pub lang: Lang,
    pub shade: Shade,
    pub organisation: String,
    pub about: bool,
    pub page: Page,
}

#[derive(Debug, Clone)]
pub enum Page {
    Number(NumberPage),
    Connecting,
}

#[derive(Debug, Clone, Default)]
pub struct NumberPage {
    pub entry: Entry,
    /// What hindered the last try, beside the number itself.
    pub trouble: Option<Fault>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Msg {
    LanguageSwitched,
    ShadeChosen(Shade),
    AboutShown(bool),
    NumberEdited(String),
    ConnectPressed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Language and colours, for the next start.
    Remember,
    Connect(SessionNumber),
}

impl Model {
    pub fn new(lang: Lang, shade: Shade, organisation: &str) -> Self {
        Self {
            lang,
            shade,
            organisation: organisation.to_owned(),
            about: false,
            page: Page::Number(NumberPage::default()),
        }
    }

    #[must_use]
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::LanguageSwitched => {
                self.lang = other(self.lang);
                vec![Effect::Remember]
            }
            Msg::ShadeChosen(shade) => {
                self.shade = shade;
                vec![Effect::Remember]
            }
            Msg::AboutShown(shown) => {
                self.about = shown;
                Vec::new()
            }
            Msg::NumberEdited(text) => {
                if let Page::Number(page) = &mut self.page {
                    page.entry.edit(&text);
                    page.trouble = None;
                }
                Vec::new()
            }
            Msg::ConnectPressed => self.connect(),
        }
    }

    fn connect(&mut self) -> Vec<Effect> {
        let Page::Number(page) = &mut self.page else { return Vec::new() };
        let Some(number) = page.entry.accept() else { return Vec::new() };
        self.page = Page::Connecting;
        vec![Effect::Connect(number)]
    }
}
