//! What every event makes of the window, and what is to be done about it.
//!
//! Pure: no clock, file, socket or toolkit. Sessions stand in [`super::session`],
//! signing in stands in [`super::entrance`].

use std::path::PathBuf;

use tasuki_peer::core::io::HumanAct;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::rights::Mode;
use zeroize::Zeroizing;

use super::entrance::{self, Answer, Found};
use super::history::Past;
use super::model::{MAX_TABS, Model, Note, Page, Tab, TabId, Toast, ToastWhat};
use super::preferences::Preferences;
use super::session::{self, Happened, Wish};

/// How long a passing line stands, in seconds.
const TOAST_SECONDS: u64 = 6;

/// Everything that happens to the window.
#[derive(Debug)]
pub enum Msg {
    /// The program has looked at its files.
    Started(Box<Found>),
    SubmitSignIn(Form),
    Answered(Answer),
    SignOut,
    Go(Page),
    Choose(Mode),
    Open { mode: Mode, note: Note },
    Session(TabId, Happened),
    Wish(TabId, Wish),
    Prefer(Preferences),
    ForgetHistory,
    SettingsSetAside(PathBuf),
    Copied(ToastWhat),
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
    Dial { tab: TabId, mode: Mode, note: Note },
    Act(TabId, HumanAct),
    /// The session's loop is to end however it stands.
    HangUp(TabId),
    Copy(Secret, ToastWhat),
    SaveScreenshot(TabId),
    AskReport(TabId),
    Keep(Preferences),
    KeepHistory(Vec<Past>),
    OpenFolder(PathBuf),
    Exit,
}

/// Changes `model`; gives what is to be done, in order.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Started(found) => entrance::started(model, *found),
        Msg::SubmitSignIn(form) => entrance::submit(model, form),
        Msg::Answered(answer) => entrance::answered(model, answer),
        Msg::SignOut => entrance::sign_out(model),
        Msg::Go(page) => go(model, page),
        Msg::Choose(mode) => {
            model.chosen = (model.chosen != Some(mode)).then_some(mode);
            Vec::new()
        }
        Msg::Open { mode, note } => open(model, mode, note),
        Msg::Session(id, happened) => session::happened(model, id, happened),
        Msg::Wish(id, wish) => session::wished(model, id, wish),
        Msg::Prefer(preferences) => {
            model.preferences = preferences.clone();
            vec![Effect::Keep(preferences)]
        }
        Msg::ForgetHistory => {
            model.history.clear();
            vec![Effect::KeepHistory(Vec::new())]
        }
        Msg::SettingsSetAside(file) => say(model, ToastWhat::SettingsSetAside(file)),
        Msg::Copied(what) => say(model, what),
        Msg::Tick(now) => tick(model, now),
        Msg::Quit => quit(model),
    }
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
        return say(model, ToastWhat::Failed(Fault::ModeNotAllowed { mode: mode.to_string() }));
    }
    if model.tabs.len() >= MAX_TABS {
        return say(model, ToastWhat::TooManyTabs);
    }
    let id = TabId(model.next_tab);
    model.next_tab += 1;
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

/// Local first: every session ends before the window goes (S31).
fn quit(model: &mut Model) -> Vec<Effect> {
    let ids: Vec<TabId> = model.tabs.iter().map(|tab| tab.id).collect();
    let mut effects: Vec<Effect> = ids.into_iter().map(Effect::HangUp).collect();
    effects.push(Effect::Exit);
    effects
}
