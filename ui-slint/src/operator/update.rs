//! What every event makes of the window, and what is to be done about it.
//!
//! Pure: no clock, file, socket or toolkit. Sessions stand in [`super::session`],
//! signing in stands in [`super::entrance`].

use std::path::PathBuf;

use tasuki_peer::core::io::HumanAct;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::standing::Word;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::Mode;
use zeroize::Zeroizing;

use super::ending;
use super::entrance::{self, Answer, Found};
use super::history::Past;
use super::model::{Asks, Leave, MAX_TABS, Missing, Model, Note, Page, Tab, TabId, Toast, ToastWhat};
use super::password;
use super::preferences::{Language, Preferences};
use super::second_look::Proof;
use super::session::{self, Happened, Wish};
use crate::checkup;
use crate::look::Shade;

/// How long a passing line stands, in seconds.
const TOAST_SECONDS: u64 = 6;

/// Everything that happens to the window.
#[derive(Debug)]
pub enum Msg {
    /// The program has looked at its files.
    Started(Box<Found>),
    SubmitSignIn(Form),
    /// Into a field of the sign-in page.
    Typed(Missing),
    Answered(Answer),
    SignOut,
    /// How the sign-in stands at the server, which nobody has asked for anything.
    SignInStands(Word),
    /// Whether that, or the closing of the window, may end what runs.
    Leave(bool),
    /// What shuts the door may be mended by now.
    TryAgain,
    Go(Page),
    Choose(Mode),
    /// The number for the chosen card.
    OpenChosen(Note),
    Session(TabId, Happened),
    Wish(TabId, Wish),
    /// The operator goes to what he is asked.
    ToQuestion(TabId),
    Change(fn(&mut Preferences)),
    ChooseLanguage(Language),
    SwitchLanguage,
    ChooseShade(Shade),
    /// Empty for the usual folder.
    ChooseFolder(PathBuf),
    ForgetHistory,
    Password(password::Msg),
    Checkup(checkup::Msg),
    ToastGone,
    /// Something is done, or could not be; said in passing.
    Told(ToastWhat),
    /// A second has passed; seconds since 1970.
    Tick(u64),
    /// The window is to be closed.
    Quit,
}

/// What was typed into the sign-in page.
#[derive(Debug, Default)]
pub struct Form {
    pub user: String,
    pub password: Secret,
    pub code: Secret,
    /// What the code is; told by the page, not by the operator.
    pub asks: Asks,
}

/// Typed, and wiped when it is dropped.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

/// What is to be done. Failures come back as messages.
#[derive(Debug)]
pub enum Effect {
    SignIn(Form),
    SignOut,
    ChangePassword {
        old: Secret,
        new: Secret,
    },
    Dial {
        tab: TabId,
        mode: Mode,
        note: Note,
    },
    Confirm {
        tab: TabId,
        by: Proof,
        secret: Secret,
    },
    Act(TabId, HumanAct),
    /// The session's loop is to end however it stands.
    HangUp(TabId),
    Copy(Secret, ToastWhat),
    SaveScreenshot(TabId),
    AskReport(TabId),
    /// Which monitors this computer has now.
    AskMonitors(TabId),
    /// What the program's files say now.
    LookAgain,
    OpenReceipt(PathBuf),
    SaveReceipt(PathBuf),
    Keep(Preferences),
    KeepHistory(Vec<Past>),
    Checkup(checkup::Effect),
    /// The window comes to the front: a question waits.
    Present,
    /// The window asks to be looked at, where it stands: the keys stay where they are.
    Attend,
    Exit,
}

/// The same at this moment, in seconds since 1970: no tick comes while nothing counts, and what is told then
/// counts from now all the same.
pub fn update_at(model: &mut Model, now: u64, msg: Msg) -> Vec<Effect> {
    model.now = now;
    update(model, msg)
}

/// Changes `model`; gives what is to be done, in order.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let effects = changed(model, msg);
    session::see_question(model);
    effects
}

fn changed(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Started(found) => entrance::started(model, *found),
        Msg::SubmitSignIn(form) => entrance::submit(model, form),
        Msg::Typed(field) => {
            entrance::typed(model, field);
            Vec::new()
        }
        Msg::Answered(answer) => entrance::answered(model, answer),
        Msg::SignOut => ending::leave(model, Leave::SignOut),
        Msg::SignInStands(word) => ending::heard(model, word),
        Msg::Leave(yes) => ending::answered(model, yes),
        Msg::TryAgain => vec![Effect::LookAgain],
        Msg::Go(page) => go(model, page),
        Msg::Choose(mode) => {
            model.chosen = (model.chosen != Some(mode)).then_some(mode);
            Vec::new()
        }
        Msg::OpenChosen(note) => match model.chosen {
            Some(mode) => open(model, mode, note),
            None => Vec::new(),
        },
        Msg::Session(id, happened) => session::happened(model, id, happened),
        Msg::Wish(id, wish) => session::wished(model, id, wish),
        Msg::ToQuestion(id) => session::to_question(model, id),
        Msg::Change(change) => prefer(model, change),
        Msg::SwitchLanguage => {
            let other = match model.lang() {
                Lang::En => Language::Japanese,
                Lang::Ja => Language::English,
            };
            choose_language(model, other)
        }
        Msg::ChooseLanguage(language) => choose_language(model, language),
        Msg::ChooseShade(shade) => prefer(model, |chosen| chosen.shade = shade),
        Msg::ChooseFolder(folder) => {
            let named = Some(folder).filter(|folder| !folder.as_os_str().is_empty());
            prefer(model, |chosen| chosen.pictures = named)
        }
        Msg::Password(msg) => password::update(model, msg),
        Msg::Checkup(msg) => {
            checkup::update(&mut model.checkup, msg).map(Effect::Checkup).into_iter().collect()
        }
        Msg::ToastGone => {
            model.toast = None;
            Vec::new()
        }
        Msg::ForgetHistory => {
            model.history.clear();
            vec![Effect::KeepHistory(Vec::new())]
        }
        Msg::Told(what) => say(model, what),
        Msg::Tick(now) => tick(model, now),
        Msg::Quit => ending::leave(model, Leave::Close),
    }
}

fn prefer(model: &mut Model, change: impl FnOnce(&mut Preferences)) -> Vec<Effect> {
    change(&mut model.preferences);
    vec![Effect::Keep(model.preferences.clone())]
}

/// What is chosen in the window holds at once, whatever this run was told to speak.
fn choose_language(model: &mut Model, language: Language) -> Vec<Effect> {
    model.told_lang = None;
    prefer(model, |chosen| chosen.language = language)
}

/// Shows one passing line.
pub(super) fn say(model: &mut Model, what: ToastWhat) -> Vec<Effect> {
    model.toast = Some(Toast { what, until: model.now + TOAST_SECONDS });
    Vec::new()
}

fn go(model: &mut Model, page: Page) -> Vec<Effect> {
    match page {
        Page::Session(id) => {
            let Some(tab) = model.tab_mut(id) else { return Vec::new() };
            tab.unread = 0;
        }
        Page::Home | Page::History | Page::Settings | Page::About => {}
    }
    model.page = page;
    Vec::new()
}

fn open(model: &mut Model, mode: Mode, note: Note) -> Vec<Effect> {
    if !entrance::may_open(model, mode) {
        let fault = entrance::not_allowed(model, mode);
        return say(model, ToastWhat::Failed(fault));
    }
    if entrance::lacks_reason(model, &note) {
        return say(model, ToastWhat::Failed(Fault::ReasonNeeded));
    }
    if model.tabs.len() >= MAX_TABS {
        return say(model, ToastWhat::TooManyTabs);
    }
    let id = model.next_id();
    model.tabs.push(Tab::new(id, mode, note.clone(), model.now));
    model.page = Page::Session(id);
    model.chosen = None;
    vec![Effect::Dial { tab: id, mode, note }]
}

fn tick(model: &mut Model, now: u64) -> Vec<Effect> {
    model.now = now;
    if model.toast.as_ref().is_some_and(|toast| toast.until <= now) {
        model.toast = None;
    }
    entrance::tick(model);
    session::tick(model)
}

#[cfg(test)]
mod tests;
