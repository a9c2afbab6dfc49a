//! What the operator's window knows: account, pages, and one tab a session.
//!
//! Plain data. Knows neither the toolkit nor a socket; what changes it stands in
//! [`super::update`].

use std::path::PathBuf;

use jiff::tz::TimeZone;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::Requirement;

use super::history::Past;
use super::password::Changing;
use super::preferences::{Language, Preferences};
pub use super::question::Question;
pub use super::tab::{
    Dialog, Halts, Line, Link, More, MoreRights, Note, Number, Outcome, Paused, Rates, Stage, Tab,
    TabId, View,
};
use crate::checkup::Checkup;

/// Sessions that one window holds at a time.
pub const MAX_TABS: usize = 8;

/// Everything that is shown, and nothing that is not.
#[derive(Debug)]
pub struct Model {
    /// What the desktop speaks.
    pub desktop_lang: Lang,
    pub door: Door,
    pub page: Page,
    pub tabs: Vec<Tab>,
    /// Of the way to the server, when the operator asked for one.
    pub checkup: Option<Checkup>,
    /// The mode card that is chosen on the home page.
    pub chosen: Option<Mode>,
    pub history: Vec<Past>,
    pub preferences: Preferences,
    /// Where pictures go while no folder is chosen.
    pub usual_folder: PathBuf,
    /// What this run was told to speak, until another is chosen in the window.
    pub told_lang: Option<Lang>,
    /// What waits for the operator's word that running sessions may end.
    pub leaving: Option<Leave>,
    /// The dialog for another password, while it is open.
    pub password: Option<Changing>,
    /// One line that goes away by itself.
    pub toast: Option<Toast>,
    /// Seconds since 1970 at the last tick.
    pub now: u64,
    /// In which moments are shown.
    pub zone: TimeZone,
    pub next_tab: u32,
}

/// Whether somebody is signed in.
#[derive(Debug)]
pub enum Door {
    /// The program is not set up; the fault says why and what to do.
    Shut(Fault),
    Out(SignIn),
    In(Account),
}

impl Default for Door {
    fn default() -> Self {
        Self::Out(SignIn::default())
    }
}

/// The sign-in page.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// `host:port` of the signed bundle; never typed (T70).
    pub server: String,
    pub organisation: String,
    pub user: String,
    pub asks: Asks,
    pub busy: Busy,
    pub trouble: Option<Trouble>,
    /// Whether the last try was one with a wrong password, as far as anybody knows.
    pub has_failed: bool,
    /// How often in a row the server was busy.
    pub busy_before: u32,
    /// What the authenticator is set up with, in base 32.
    pub key: String,
}

/// What is asked beside name and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asks {
    #[default]
    Password,
    /// The six digits of an authenticator.
    Totp,
    /// The same, of one that is to be set up now with [`SignIn::key`].
    TotpSetup,
    /// The one-time code that lets this device in.
    Enrolment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Busy {
    #[default]
    Idle,
    Working,
}

/// Why nobody is signed in yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    Failed(Fault),
    Missing(Missing),
    /// The server knows the sign-in of before no more.
    SignInOver,
    /// Too many failures; until this moment, in seconds since 1970.
    Locked {
        until: u64,
    },
    /// An administrator must let this device in; these words name it to him.
    DevicePending {
        words: String,
    },
    /// The server is busy; try again by itself then.
    Busy {
        until: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    User,
    Password,
    Code,
}

/// Who is signed in, and what the server says he may open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    pub name: String,
    pub organisation: String,
    pub server: String,
    pub modes: Vec<Mode>,
    /// Whether the policy wants a reason before each number.
    pub reason: Requirement,
    /// When this device's certificate ends, in seconds since 1970, where the server said it.
    pub certified_until: Option<u64>,
    /// The server's keys or ledger are from before what this computer has seen (T67).
    pub went_back: Option<Fault>,
}

/// Whether the window waits for its person, who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    SignedIn,
    /// Or a session tells how the sign-in stands, or what became of one is being read.
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    #[default]
    Home,
    Session(TabId),
    History,
    Settings,
    About,
}

/// What ends every session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    SignOut,
    Close,
}

/// One short line for a few seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub what: ToastWhat,
    pub until: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToastWhat {
    NumberCopied,
    LinkCopied,
    Screenshot(PathBuf),
    /// A copy of a receipt.
    Saved(PathBuf),
    Failed(Fault),
    /// Files that could not be read and lie aside under these names.
    SettingsSetAside(Vec<PathBuf>),
    TooManyTabs,
    /// The person at this computer is asked something in the tab of that name.
    Asked(String),
    /// The other side has kept a picture of this screen, in the session of that name (T27).
    PictureTaken(String),
    TextSent,
    PasswordChanged,
}

impl Model {
    pub fn new(desktop_lang: Lang, now: u64) -> Self {
        Self {
            desktop_lang,
            door: Door::default(),
            page: Page::default(),
            tabs: Vec::new(),
            checkup: None,
            chosen: None,
            history: Vec::new(),
            preferences: Preferences::default(),
            usual_folder: PathBuf::new(),
            told_lang: None,
            leaving: None,
            password: None,
            toast: None,
            now,
            zone: TimeZone::UTC,
            next_tab: 1,
        }
    }

    /// What the window speaks.
    pub fn lang(&self) -> Lang {
        self.told_lang.unwrap_or(match self.preferences.language {
            Language::System => self.desktop_lang,
            Language::English => Lang::En,
            Language::Japanese => Lang::Ja,
        })
    }

    /// Whether anything on the screen changes by the passing of time.
    pub fn counts(&self) -> bool {
        let waits = match &self.door {
            Door::Out(page) => {
                matches!(page.trouble, Some(Trouble::Locked { .. } | Trouble::Busy { .. }))
            }
            Door::Shut(_) | Door::In(_) => false,
        };
        let runs = |tab: &Tab| !matches!(tab.stage, Stage::Over(_));
        waits || self.toast.is_some() || self.tabs.iter().any(runs)
    }

    pub fn idle(&self) -> Idle {
        let runs = |tab: &Tab| !matches!(tab.stage, Stage::Over(_));
        let is_in = matches!(self.door, Door::In(_));
        if is_in && self.current().is_none() && !self.tabs.iter().any(runs) {
            Idle::SignedIn
        } else {
            Idle::No
        }
    }

    /// For a session that begins now; none is given twice.
    pub(super) fn next_id(&mut self) -> TabId {
        let id = TabId(self.next_tab);
        self.next_tab += 1;
        id
    }

    pub fn tab(&self, id: TabId) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.id == id)
    }

    pub fn tab_mut(&mut self, id: TabId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == id)
    }

    /// The session that is looked at.
    pub fn current(&self) -> Option<&Tab> {
        match self.page {
            Page::Session(id) => self.tab(id),
            Page::Home | Page::History | Page::Settings | Page::About => None,
        }
    }
}
