//! Signing in and out: what is asked, and what each answer of the server means.
//!
//! Decides what the page says. The password passes through and is not kept.

use std::path::PathBuf;

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::showable::one_line;
use tasuki_protocol::terms::Requirement;

use super::history::Past;
use super::model::{Account, Asks, Busy, Door, Missing, Model, Note, Page, SignIn, Trouble};
use super::preferences::Preferences;
use super::update::{Effect, Form, say};

/// How long a server that is busy is left alone, in seconds: most often it is a moment. Each time in a row twice as long.
const BUSY_S: u64 = 5;
const BUSY_MOST_S: u64 = 60;

/// What the program's files say at its start.
#[derive(Debug)]
pub struct Found {
    pub preferences: Preferences,
    /// Where files lie now that could not be read.
    pub set_aside: Vec<PathBuf>,
    pub history: Vec<Past>,
    /// Server and organisation of the signed bundle.
    pub trust: Result<Trusted, Fault>,
    /// A sign-in of before that is not over yet.
    pub account: Option<Account>,
}

/// What the signed bundle names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    pub server: String,
    pub organisation: String,
}

/// What the server made of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    SignedIn(Account),
    NeedsTotp,
    /// An authenticator must be set up first; its `otpauth:` address.
    TotpSetup {
        uri: String,
    },
    /// This device is new: the code of an invitation, or an administrator, lets it in.
    NeedsEnrolment,
    DevicePending {
        words: String,
    },
    /// Seconds until the account opens again.
    Locked {
        seconds: u64,
    },
    /// The server could not look at it at this moment.
    Busy,
    Failed(Fault),
}

pub(super) fn started(model: &mut Model, found: Found) -> Vec<Effect> {
    model.preferences = found.preferences;
    model.history = found.history;
    let user = model.preferences.user.clone();
    model.door = match (found.trust, found.account) {
        (Err(fault), _) => Door::Shut(fault),
        (Ok(_), Some(account)) => Door::In(account),
        (Ok(trusted), None) => Door::Out(SignIn {
            server: trusted.server,
            organisation: trusted.organisation,
            user,
            ..SignIn::default()
        }),
    };
    if found.set_aside.is_empty() {
        return Vec::new();
    }
    say(model, super::model::ToastWhat::SettingsSetAside(found.set_aside))
}

pub(super) fn submit(model: &mut Model, form: Form) -> Vec<Effect> {
    let now = model.now;
    let Door::Out(page) = &mut model.door else { return Vec::new() };
    if page.busy == Busy::Working || waits(page, now) {
        return Vec::new();
    }
    form.user.trim().clone_into(&mut page.user);
    let missing = if page.user.is_empty() {
        Some(Missing::User)
    } else if form.password.0.is_empty() {
        Some(Missing::Password)
    } else if matches!(page.asks, Asks::Totp | Asks::TotpSetup) && form.code.0.trim().is_empty() {
        Some(Missing::Code)
    } else {
        None
    };
    if let Some(missing) = missing {
        page.trouble = Some(Trouble::Missing(missing));
        return Vec::new();
    }
    page.busy = Busy::Working;
    page.trouble = None;
    vec![Effect::SignIn(Form { user: page.user.clone(), asks: page.asks, ..form })]
}

/// What is wrong with a field is told until it is written in.
pub(super) fn typed(model: &mut Model, field: Missing) {
    let Door::Out(page) = &mut model.door else { return };
    let is_mended = match &page.trouble {
        Some(Trouble::Missing(missing)) => *missing == field,
        Some(Trouble::Failed(fault)) => {
            *fault == Fault::WrongPassword && page.asks == Asks::Password && field != Missing::Code
        }
        Some(
            Trouble::SignInOver
            | Trouble::Locked { .. }
            | Trouble::DevicePending { .. }
            | Trouble::Busy { .. },
        )
        | None => false,
    };
    if is_mended {
        page.trouble = None;
    }
}

/// Whether the server wants to be left alone. A locked account may have been opened by an administrator
/// meanwhile, which only the server knows.
fn waits(page: &SignIn, now: u64) -> bool {
    match page.trouble {
        Some(Trouble::Busy { until }) => until > now,
        Some(
            Trouble::Locked { .. }
            | Trouble::Failed(_)
            | Trouble::SignInOver
            | Trouble::Missing(_)
            | Trouble::DevicePending { .. },
        )
        | None => false,
    }
}

pub(super) fn answered(model: &mut Model, answer: Answer) -> Vec<Effect> {
    let now = model.now;
    let Door::Out(page) = &mut model.door else { return Vec::new() };
    page.busy = Busy::Idle;
    if answer != Answer::Busy {
        page.busy_before = 0;
    }
    page.trouble = match answer {
        Answer::SignedIn(account) => {
            model.preferences.digits = matches!(page.asks, Asks::Totp | Asks::TotpSetup);
            account.user.clone_into(&mut model.preferences.user);
            model.door = Door::In(account);
            model.page = Page::Home;
            return vec![Effect::Keep(model.preferences.clone())];
        }
        Answer::NeedsTotp => {
            page.asks = Asks::Totp;
            None
        }
        Answer::TotpSetup { uri } => {
            page.asks = Asks::TotpSetup;
            page.key = key_of(&uri);
            None
        }
        Answer::NeedsEnrolment => {
            page.asks = Asks::Enrolment;
            None
        }
        Answer::DevicePending { words } => Some(Trouble::DevicePending { words }),
        Answer::Locked { seconds } => Some(Trouble::Locked { until: now + seconds }),
        Answer::Busy => {
            let wait = (BUSY_S << page.busy_before.min(4)).min(BUSY_MOST_S);
            page.busy_before += 1;
            Some(Trouble::Busy { until: now + wait })
        }
        Answer::Failed(fault) => {
            // The server does not say what of it was wrong. Most often it is the password, and a second time
            // this computer may have become unknown there.
            let again = page.has_failed;
            page.has_failed = fault == Fault::WrongPassword;
            if again && page.has_failed && page.asks == Asks::Password {
                page.asks = Asks::Enrolment;
            }
            Some(Trouble::Failed(fault))
        }
    };
    Vec::new()
}

/// The part of an `otpauth:` address that a person types, in groups of four.
fn key_of(uri: &str) -> String {
    let key = uri.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).unwrap_or_default();
    let letters: Vec<char> = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// The server takes the sign-in for over, or this computer has none any more.
pub(super) fn is_sign_in_over(fault: &Fault) -> bool {
    matches!(fault, Fault::SignInOver | Fault::NotSignedIn | Fault::HoursOver { .. })
}

/// Running sessions end with the sign-in that opened them. Whether anybody was signed in.
pub(super) fn sign_out(model: &mut Model) -> bool {
    let Door::In(account) = &model.door else { return false };
    let page = SignIn {
        server: account.server.clone(),
        organisation: account.organisation.clone(),
        user: account.user.clone(),
        ..SignIn::default()
    };
    model.door = Door::Out(page);
    model.page = Page::Home;
    model.tabs.clear();
    true
}

/// What the account may not do is not offered; the server refuses it all the same.
pub(super) fn may_open(model: &Model, mode: Mode) -> bool {
    match &model.door {
        Door::In(account) => account.modes.contains(&mode),
        Door::Shut(_) | Door::Out(_) => false,
    }
}

/// The policy wants a reason, and in this note nobody could read one.
pub(super) fn lacks_reason(model: &Model, note: &Note) -> bool {
    let asks = matches!(&model.door, Door::In(account) if account.reason == Requirement::Required);
    asks && one_line(&note.reason).is_empty()
}

/// The policy is another than at the sign-in.
pub(super) fn learn_to_ask(model: &mut Model) {
    if let Door::In(account) = &mut model.door {
        account.reason = Requirement::Required;
    }
}

/// Nor is this mode what it was at the sign-in: it is offered no more until the next one. What is said of it, by
/// the name that people read.
pub(super) fn learn_not_to_offer(model: &mut Model, mode: Mode) -> Fault {
    if let Door::In(account) = &mut model.door {
        account.modes.retain(|allowed| *allowed != mode);
    }
    not_allowed(model, mode)
}

pub(super) fn not_allowed(model: &Model, mode: Mode) -> Fault {
    Fault::ModeNotAllowed { mode: texts::mode(mode).say(model.lang()).to_owned() }
}

pub(super) fn tick(model: &mut Model) {
    let now = model.now;
    let Door::Out(page) = &mut model.door else { return };
    if let Some(Trouble::Locked { until } | Trouble::Busy { until }) = page.trouble
        && until <= now
    {
        page.trouble = None;
    }
}
