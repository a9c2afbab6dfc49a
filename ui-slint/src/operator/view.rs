//! Shows a model in the window.
//!
//! Decides nothing: every property follows from the model. Words stand in the `.slint`
//! files; only faults bring sentences of their own, in the window's language.

use slint::{ComponentHandle, SharedString};
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::Requirement;

use super::history::{How, Past};
use super::model::{
    Account, Asks, Busy, Door, Leave, Missing, Model, Page, SignIn, Stage, Tab, ToastWhat, Trouble,
};
use super::preferences::{Grab, Keyboard, Language};
use super::{password, view_session};
use crate::rows::fill;
use crate::windows::{
    HistoryHow, LanguageChoice, Leaving, ModeCard, ModeName, Operator, OperatorPage, OperatorWindow,
    PasswordTrouble, PastSession, SessionStage, SessionTab, SignInAsks, SignInTrouble, ToastLine,
};
use crate::{checkup, clock, dress, examining, kept};

/// Before a certificate's end, in seconds: as `tasuki login` tells it.
const ASK_BEFORE_S: u64 = 14 * 86_400;

/// Everything that the window shows of `model`.
pub fn show(model: &Model, window: &OperatorWindow) {
    dress::dress(window, model.lang(), model.preferences.shade);
    let operator = window.global::<Operator<'_>>();
    show_door(model, &operator);
    show_home(model, &operator);
    show_tabs(model, &operator);
    show_history(model, &operator);
    show_settings(model, &operator);
    show_toast(model, &operator);
    show_leaving(model, &operator);
    show_password(model, &operator);
    view_session::show(model, window);
    examining::show(model.checkup.as_ref(), model.lang(), window);
    operator.set_page(page(model));
}

fn page(model: &Model) -> OperatorPage {
    match (&model.door, model.page) {
        (Door::Shut(_), _) => OperatorPage::Shut,
        (Door::Out(_), _) => OperatorPage::SignIn,
        (Door::In(_), Page::Home) => OperatorPage::Home,
        (Door::In(_), Page::Session(_)) => OperatorPage::Session,
        (Door::In(_), Page::History) => OperatorPage::History,
        (Door::In(_), Page::Settings) => OperatorPage::Settings,
        (Door::In(_), Page::About) => OperatorPage::About,
    }
}

fn show_door(model: &Model, operator: &Operator<'_>) {
    match &model.door {
        Door::Shut(fault) => {
            operator.set_shut_why(fault.sentence(model.lang()).into());
            let more = fault.for_administrator(model.lang());
            operator.set_shut_details(more.unwrap_or_default().into());
        }
        Door::Out(page) => show_sign_in(model, page, operator),
        Door::In(account) => show_account(account, operator),
    }
}

fn show_sign_in(model: &Model, page: &SignIn, operator: &Operator<'_>) {
    operator.set_organisation(text(&page.organisation));
    operator.set_server(text(&page.server));
    operator.set_user(text(&page.user));
    operator.set_authenticator_key(text(&page.key));
    operator.set_busy(page.busy == Busy::Working);
    operator.set_asks(match page.asks {
        Asks::Password => SignInAsks::Password,
        Asks::Totp => SignInAsks::Totp,
        Asks::TotpSetup => SignInAsks::TotpSetup,
        Asks::Enrolment => SignInAsks::Enrolment,
    });
    let (mut words, mut device, mut wait) = (String::new(), String::new(), 0);
    let failed = matches!(&page.trouble, Some(Trouble::Failed(fault)) if checkup::may_tell(fault));
    operator.set_checkable(failed);
    operator.set_trouble(match &page.trouble {
        None => SignInTrouble::None,
        Some(Trouble::Failed(Fault::WrongPassword)) if page.asks == Asks::Password => {
            SignInTrouble::Wrong
        }
        Some(Trouble::Failed(fault)) => {
            words = fault.sentence(model.lang());
            SignInTrouble::Failed
        }
        Some(Trouble::SignInOver) => SignInTrouble::Over,
        Some(Trouble::Missing(Missing::User)) => SignInTrouble::NoUser,
        Some(Trouble::Missing(Missing::Password)) => SignInTrouble::NoPassword,
        Some(Trouble::Missing(Missing::Code)) => SignInTrouble::NoCode,
        Some(Trouble::Locked { until }) => {
            wait = until.saturating_sub(model.now);
            SignInTrouble::Locked
        }
        Some(Trouble::DevicePending { words }) => {
            device.clone_from(words);
            SignInTrouble::DevicePending
        }
        Some(Trouble::Busy { until }) => {
            wait = until.saturating_sub(model.now);
            SignInTrouble::Busy
        }
    });
    operator.set_trouble_words(words.into());
    operator.set_device_words(device.into());
    operator.set_wait_seconds(whole(wait));
}

fn show_account(account: &Account, operator: &Operator<'_>) {
    operator.set_organisation(text(&account.organisation));
    operator.set_server(text(&account.server));
    operator.set_name(text(&account.name));
    operator.set_user(text(&account.user));
    let initial = account.name.chars().next().map(|c| c.to_uppercase().collect::<String>());
    operator.set_initial(initial.unwrap_or_default().into());
}

fn show_home(model: &Model, operator: &Operator<'_>) {
    let (allowed, reason): (&[Mode], Requirement) = match &model.door {
        Door::In(account) => (&account.modes, account.reason),
        Door::Shut(_) | Door::Out(_) => (&[], Requirement::default()),
    };
    operator.set_reason_wanted(reason == Requirement::Required);
    let ends = certificate_ends(model);
    let ends = ends.map(|until| clock::day_and_time(until, &model.zone, model.lang()));
    operator.set_certificate_ends(ends.unwrap_or_default().into());
    operator.set_went_back(went_back(model).unwrap_or_default().into());
    let cards = Mode::ALL.into_iter().map(|mode| ModeCard {
        mode: mode_name(mode),
        allowed: allowed.contains(&mode),
        chosen: model.chosen == Some(mode),
    });
    fill(&operator.get_cards(), cards, |rows| operator.set_cards(rows));
    operator.set_can_open(model.chosen.is_some_and(|mode| allowed.contains(&mode)));
}

fn went_back(model: &Model) -> Option<String> {
    let Door::In(account) = &model.door else { return None };
    account.went_back.as_ref().map(|fault| fault.sentence(model.lang()))
}

/// Where its person has to ask for another.
fn certificate_ends(model: &Model) -> Option<u64> {
    let Door::In(account) = &model.door else { return None };
    account.certified_until.filter(|until| until.saturating_sub(model.now) < ASK_BEFORE_S)
}

fn show_tabs(model: &Model, operator: &Operator<'_>) {
    let tabs = model.tabs.iter().map(|tab| SessionTab {
        id: tab.id.0.cast_signed(),
        mode: mode_name(tab.mode),
        title: text(&tab.note.customer),
        stage: stage(tab),
        unread: i32::try_from(tab.unread).unwrap_or(i32::MAX),
        chosen: model.page == Page::Session(tab.id),
    });
    fill(&operator.get_tabs(), tabs, |rows| operator.set_tabs(rows));
}

fn show_history(model: &Model, operator: &Operator<'_>) {
    if model.page != Page::History {
        return;
    }
    let rows = model.history.iter().map(|past| row(past, model));
    fill(&operator.get_history(), rows, |rows| operator.set_history(rows));
}

fn row(past: &Past, model: &Model) -> PastSession {
    PastSession {
        when: clock::day_and_time(past.at, &model.zone, model.lang()).into(),
        mode: mode_name(past.mode),
        customer: text(&past.customer),
        ticket: text(&past.ticket),
        minutes: whole(past.seconds / 60),
        seconds: whole(past.seconds),
        how: match past.how {
            How::EndedHere => HistoryHow::EndedHere,
            How::EndedThere => HistoryHow::EndedThere,
            How::Refused => HistoryHow::Refused,
            How::NobodyCame => HistoryHow::NobodyCame,
            How::Cancelled => HistoryHow::Cancelled,
            How::Lost => HistoryHow::Lost,
            How::Failed => HistoryHow::Failed,
        },
        pictures: past.pictures.cast_signed(),
    }
}

fn show_settings(model: &Model, operator: &Operator<'_>) {
    let chosen = &model.preferences;
    operator.set_language(match chosen.language {
        Language::System => LanguageChoice::Desktop,
        Language::English => LanguageChoice::English,
        Language::Japanese => LanguageChoice::Japanese,
    });
    operator.set_shade(chosen.shade.into());
    let folder = chosen.pictures.as_ref().map(|folder| folder.display().to_string());
    operator.set_pictures_folder(folder.unwrap_or_default().into());
    operator.set_usual_folder(model.usual_folder.display().to_string().into());
    operator.set_by_letters(chosen.keyboard == Keyboard::Letters);
    operator.set_grab(chosen.grab == Grab::All);
}

fn show_toast(model: &Model, operator: &Operator<'_>) {
    let mut words = String::new();
    operator.set_toast(match model.toast.as_ref().map(|toast| &toast.what) {
        None => ToastLine::None,
        Some(ToastWhat::NumberCopied) => ToastLine::NumberCopied,
        Some(ToastWhat::LinkCopied) => ToastLine::LinkCopied,
        Some(ToastWhat::Screenshot(file)) => {
            words = file.display().to_string();
            ToastLine::Screenshot
        }
        Some(ToastWhat::Saved(file)) => {
            words = file.display().to_string();
            ToastLine::Saved
        }
        Some(ToastWhat::Failed(fault)) => {
            words = fault.sentence(model.lang());
            ToastLine::Failed
        }
        Some(ToastWhat::SettingsSetAside(files)) => {
            words = kept::names(files).unwrap_or_default();
            ToastLine::SetAside
        }
        Some(ToastWhat::Asked(tab)) => {
            words.clone_from(tab);
            ToastLine::Asked
        }
        Some(ToastWhat::PictureTaken(tab)) => {
            words.clone_from(tab);
            ToastLine::PictureTaken
        }
        Some(ToastWhat::TooManyTabs) => ToastLine::TooMany,
        Some(ToastWhat::TextSent) => ToastLine::TextSent,
        Some(ToastWhat::PasswordChanged) => ToastLine::PasswordChanged,
    });
    operator.set_toast_words(words.into());
}

fn show_leaving(model: &Model, operator: &Operator<'_>) {
    operator.set_leaving(match model.leaving {
        None => Leaving::No,
        Some(Leave::SignOut) => Leaving::SignOut,
        Some(Leave::Close) => Leaving::Close,
    });
    let live = model.tabs.iter().filter(|tab| tab.is_live()).count();
    operator.set_live_sessions(i32::try_from(live).unwrap_or(i32::MAX));
}

fn show_password(model: &Model, operator: &Operator<'_>) {
    let changing = model.password.as_ref();
    operator.set_password_shown(changing.is_some());
    operator.set_password_busy(changing.is_some_and(|changing| changing.busy == Busy::Working));
    let mut words = String::new();
    operator.set_password_trouble(match changing.and_then(|changing| changing.trouble.as_ref()) {
        None => PasswordTrouble::None,
        Some(password::Trouble::NoOld) => PasswordTrouble::NoOld,
        Some(password::Trouble::NoNew) => PasswordTrouble::NoNew,
        Some(password::Trouble::Differ) => PasswordTrouble::Differ,
        Some(password::Trouble::WrongOld) => PasswordTrouble::WrongOld,
        Some(password::Trouble::Unusable) => PasswordTrouble::Unusable,
        Some(password::Trouble::Failed(fault)) => {
            words = fault.sentence(model.lang());
            PasswordTrouble::Failed
        }
    });
    operator.set_password_words(words.into());
}

pub(super) fn stage(tab: &Tab) -> SessionStage {
    match tab.stage {
        Stage::Dialling => SessionStage::Dialling,
        Stage::Waiting(_) => SessionStage::Waiting,
        Stage::AtTheDoor { .. } => SessionStage::AtTheDoor,
        Stage::AwaitsConsent => SessionStage::AwaitsConsent,
        Stage::Live { .. } => SessionStage::Live,
        Stage::Over(_) => SessionStage::Over,
    }
}

pub(super) fn mode_name(mode: Mode) -> ModeName {
    match mode {
        Mode::Manage => ModeName::Manage,
        Mode::Control => ModeName::Control,
        Mode::View => ModeName::View,
        Mode::Share => ModeName::Share,
        Mode::Show => ModeName::Show,
    }
}

pub(super) fn mode_of(name: ModeName) -> Mode {
    match name {
        ModeName::Manage => Mode::Manage,
        ModeName::Control => Mode::Control,
        ModeName::View => Mode::View,
        ModeName::Share => Mode::Share,
        ModeName::Show => Mode::Show,
    }
}

pub(super) fn text(text: &str) -> SharedString {
    SharedString::from(text)
}

pub(super) fn whole(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
