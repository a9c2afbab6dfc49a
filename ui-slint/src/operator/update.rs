//! What every event makes of the window, and what is to be done about it.
//!
//! Pure: no clock, file, socket or toolkit. Sessions stand in [`super::session`],
//! signing in stands in [`super::entrance`].

use std::path::PathBuf;

use tasuki_peer::core::io::HumanAct;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::Mode;
use zeroize::Zeroizing;

use super::ending::note_down;
use super::entrance::{self, Answer, Found};
use super::history::Past;
use super::model::{Asks, MAX_TABS, Model, Note, Page, Tab, TabId, Toast, ToastWhat};
use super::preferences::{Language, Preferences};
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
    Answered(Answer),
    SignOut,
    /// What shuts the door may be mended by now.
    TryAgain,
    Go(Page),
    Choose(Mode),
    /// The number for the chosen card.
    OpenChosen(Note),
    Session(TabId, Happened),
    Wish(TabId, Wish),
    Change(fn(&mut Preferences)),
    ChooseLanguage(Language),
    SwitchLanguage,
    ChooseShade(Shade),
    /// Empty for the usual folder.
    ChooseFolder(PathBuf),
    ForgetHistory,
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
    Dial {
        tab: TabId,
        mode: Mode,
        note: Note,
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
    match msg {
        Msg::Started(found) => entrance::started(model, *found),
        Msg::SubmitSignIn(form) => entrance::submit(model, form),
        Msg::Answered(answer) => entrance::answered(model, answer),
        Msg::SignOut => entrance::sign_out(model),
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
        Msg::Quit => quit(model),
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
        return say(model, ToastWhat::Failed(Fault::ModeNotAllowed { mode: mode.to_string() }));
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

/// Local first: every session ends before the window goes (S31).
fn quit(model: &mut Model) -> Vec<Effect> {
    let ids: Vec<TabId> = model.tabs.iter().map(|tab| tab.id).collect();
    let mut effects: Vec<Effect> = ids.iter().copied().map(Effect::HangUp).collect();
    effects.extend(note_down(model, &ids));
    effects.push(Effect::Exit);
    effects
}

#[cfg(test)]
mod tests {
    use tasuki_peer::core::io::{
        EndedBy, PersonQuestion, PersonQuestionKind, SessionEvent, SpokenNumber,
    };
    use tasuki_protocol::grant::Change;
    use tasuki_protocol::ids::Role;
    use tasuki_protocol::input::InputEvent;
    use tasuki_protocol::message::{Asked, EndReason};
    use tasuki_protocol::rights::{Capability, Rights};

    use super::*;
    use crate::operator::entrance::Trusted;
    use crate::operator::history::How;
    use crate::operator::model::{
        Account, Busy, Dialog, Door, Missing, More, Outcome, Paused, Stage, Trouble,
    };

    const FIRST: TabId = TabId(1);

    fn found(account: Option<Account>) -> Msg {
        Msg::Started(Box::new(Found {
            preferences: Preferences::default(),
            set_aside: Vec::new(),
            history: Vec::new(),
            trust: Ok(Trusted { server: "help.example".into(), organisation: "Example".into() }),
            account,
        }))
    }

    fn account(modes: &[Mode]) -> Account {
        Account {
            user: "hanako".into(),
            name: "Hanako".into(),
            organisation: "Example".into(),
            server: "help.example".into(),
            modes: modes.to_vec(),
        }
    }

    fn signed_in(modes: &[Mode]) -> Model {
        let mut model = Model::new(Lang::En, 1000);
        update(&mut model, found(Some(account(modes))));
        model
    }

    fn form(user: &str, password: &str, code: &str) -> Msg {
        let (password, code) = (Secret::from(password), Secret::from(code));
        Msg::SubmitSignIn(Form { user: user.into(), password, code, asks: Asks::Password })
    }

    fn dialled(mode: Mode) -> Model {
        let mut model = signed_in(&Mode::ALL);
        update(&mut model, Msg::Choose(mode));
        let effects = update(&mut model, Msg::OpenChosen(Note::default()));
        assert!(matches!(effects.as_slice(), [Effect::Dial { .. }]));
        model
    }

    fn event(model: &mut Model, event: SessionEvent) -> Vec<Effect> {
        update(model, Msg::Session(FIRST, Happened::Event(event)))
    }

    fn number() -> SessionEvent {
        let number = SpokenNumber("4829 1530 6126".parse().unwrap());
        SessionEvent::Number { number, expires_in: 600 }
    }

    fn live(mode: Mode, granted: Rights) -> Model {
        let mut model = dialled(mode);
        event(&mut model, number());
        event(&mut model, SessionEvent::AtTheDoor { attempt: 0 });
        event(&mut model, SessionEvent::Consent { mode, granted });
        model
    }

    fn stage(model: &Model) -> &Stage {
        &model.tabs[0].stage
    }

    #[test]
    fn nothing_is_sent_before_name_and_password_stand_there() {
        let mut model = Model::new(Lang::En, 0);
        update(&mut model, found(None));
        assert!(update(&mut model, form(" ", "secret", "")).is_empty());
        assert!(update(&mut model, form("hanako", "", "")).is_empty());
        let Door::Out(page) = &model.door else { panic!("signed in") };
        assert_eq!(page.trouble, Some(Trouble::Missing(Missing::Password)));
        let effects = update(&mut model, form(" hanako ", "secret", ""));
        assert!(matches!(effects.as_slice(), [Effect::SignIn(form)] if form.user == "hanako"));
        assert!(update(&mut model, form("hanako", "secret", "")).is_empty(), "once is enough");
    }

    #[test]
    fn s64_a_locked_account_says_until_when_and_asks_nothing_of_the_server_meanwhile() {
        let mut model = Model::new(Lang::En, 1000);
        update(&mut model, found(None));
        update(&mut model, form("hanako", "wrong", ""));
        update(&mut model, Msg::Answered(Answer::Locked { seconds: 900 }));
        assert!(update(&mut model, form("hanako", "right", "")).is_empty());
        update(&mut model, Msg::Tick(1899));
        assert!(model.counts(), "the window counts down");
        assert!(update(&mut model, form("hanako", "right", "")).is_empty());
        update(&mut model, Msg::Tick(1900));
        assert_eq!(update(&mut model, form("hanako", "right", "")).len(), 1);
    }

    #[test]
    fn a_second_factor_and_a_new_device_are_asked_for_only_when_the_server_wants_them() {
        let mut model = Model::new(Lang::En, 0);
        update(&mut model, found(None));
        for (answer, asks) in
            [(Answer::NeedsTotp, Asks::Totp), (Answer::NeedsEnrolment, Asks::Enrolment)]
        {
            update(&mut model, form("hanako", "secret", ""));
            update(&mut model, Msg::Answered(answer));
            let Door::Out(page) = &model.door else { panic!("signed in") };
            assert_eq!((page.asks, page.busy), (asks, Busy::Idle));
        }
        update(&mut model, Msg::Answered(Answer::SignedIn(account(&[Mode::View]))));
        assert!(matches!(model.door, Door::In(_)));
        assert_eq!(model.preferences.user, "hanako");
    }

    #[test]
    fn s66_a_mode_that_the_account_may_not_open_is_not_dialled() {
        let mut model = signed_in(&[Mode::View]);
        update(&mut model, Msg::Choose(Mode::Control));
        assert!(update(&mut model, Msg::OpenChosen(Note::default())).is_empty());
        assert!(model.tabs.is_empty());
        assert!(matches!(model.toast, Some(Toast { what: ToastWhat::Failed(_), .. })));
    }

    #[test]
    fn r11_the_number_is_shown_in_groups_and_its_link_keeps_the_secret_behind_the_hash() {
        let mut model = dialled(Mode::Control);
        event(&mut model, number());
        let Stage::Waiting(number) = stage(&model) else { panic!("{:?}", stage(&model)) };
        assert_eq!((number.spoken.as_str(), number.expires_at), ("4829 1530 6126", 1600));
        assert_eq!(number.link, "tasuki://join/48291#5306126");
        let effects = update(&mut model, Msg::Wish(FIRST, Wish::CopyLink));
        assert!(matches!(effects.as_slice(), [Effect::Copy(_, ToastWhat::LinkCopied)]));
    }

    #[test]
    fn a_session_passes_door_question_and_consent_to_its_picture() {
        let mut model = dialled(Mode::Control);
        event(&mut model, number());
        event(&mut model, SessionEvent::AtTheDoor { attempt: 0 });
        assert!(matches!(stage(&model), Stage::AtTheDoor { attempt: 0, .. }));
        event(&mut model, SessionEvent::WrongNumber { attempts_left: 2 });
        assert!(matches!(stage(&model), Stage::Waiting(number) if number.wrong_tries == 1));
        let granted = Mode::Control.ceiling();
        event(&mut model, SessionEvent::Consent { mode: Mode::Control, granted });
        assert!(model.tabs[0].operates());
    }

    #[test]
    fn s14_in_view_no_hand_leaves_the_window() {
        let mut model = live(Mode::View, Mode::View.ceiling());
        let press = InputEvent::Text("x".into());
        assert!(update(&mut model, Msg::Wish(FIRST, Wish::Operate(press))).is_empty());
        assert!(update(&mut model, Msg::Wish(FIRST, Wish::CtrlAltDel)).is_empty());
        assert!(update(&mut model, Msg::Wish(FIRST, Wish::TypeText("x".into()))).is_empty());
    }

    #[test]
    fn t32_while_the_person_uses_his_own_mouse_input_waits() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        event(&mut model, SessionEvent::InputPaused { for_ms: 2000 });
        assert_eq!(model.tabs[0].view.halts.told(), Paused::ByHand);
        assert!(!model.tabs[0].operates());
        event(&mut model, SessionEvent::InputResumed);
        assert!(model.tabs[0].operates());
    }

    #[test]
    fn t33_a_pause_of_the_person_outlasts_his_own_hand_and_the_question() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        let told = |model: &Model| model.tabs[0].view.halts.told();
        event(&mut model, SessionEvent::PicturePaused);
        event(&mut model, SessionEvent::InputPaused { for_ms: 2000 });
        assert_eq!(told(&model), Paused::ByHost);
        event(&mut model, SessionEvent::InputResumed);
        assert_eq!(told(&model), Paused::ByHost);
        let what = Asked::Continue;
        event(&mut model, SessionEvent::Asking { what, rights: Rights::NONE, seconds: 60 });
        event(&mut model, SessionEvent::InputResumed);
        event(&mut model, SessionEvent::AskingOver { what });
        assert_eq!(told(&model), Paused::ByHost);
        assert!(!model.tabs[0].operates());
        event(&mut model, SessionEvent::PictureResumed);
        assert!(model.tabs[0].operates());
    }

    #[test]
    fn what_comes_while_nothing_counts_counts_from_the_moment_at_which_it_comes() {
        let mut model = signed_in(&Mode::ALL);
        assert!(!model.counts(), "no tick comes");
        update(&mut model, Msg::Choose(Mode::View));
        update_at(&mut model, 9000, Msg::OpenChosen(Note::default()));
        assert_eq!(model.tabs[0].opened_at, 9000);
        update_at(&mut model, 9002, Msg::Session(FIRST, Happened::Event(number())));
        assert!(matches!(stage(&model), Stage::Waiting(number) if number.expires_at == 9602));
    }

    #[test]
    fn only_control_that_is_over_is_told_as_over_and_not_for_ever() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        let ended = |right| {
            let rights = Rights::of(&[right]);
            let effective = Mode::Control.ceiling().without(right);
            SessionEvent::RightsChanged { change: Change::TakenAway, rights, seconds: 0, effective }
        };
        event(&mut model, ended(Capability::ChooseScreen));
        assert_eq!(model.tabs[0].more, More::None);
        event(&mut model, ended(Capability::Operate));
        assert!(matches!(model.tabs[0].more, More::Revoked { .. }));
        event(&mut model, ended(Capability::ChooseScreen));
        assert!(matches!(model.tabs[0].more, More::Revoked { .. }));
        let later = model.now + 10;
        update(&mut model, Msg::Tick(later));
        assert_eq!(model.tabs[0].more, More::None);
    }

    #[test]
    fn s100_the_language_of_the_command_line_wins_for_its_run_until_another_is_chosen() {
        let mut model = signed_in(&Mode::ALL);
        model.preferences.language = Language::Japanese;
        model.told_lang = Some(Lang::En);
        assert_eq!(model.lang(), Lang::En);
        assert_eq!(model.preferences.language, Language::Japanese, "what is kept stays");
        update(&mut model, Msg::ChooseLanguage(Language::Japanese));
        assert_eq!(model.lang(), Lang::Ja);
    }

    #[test]
    fn a_lost_connection_waits_calmly_and_needs_no_new_consent() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        event(&mut model, SessionEvent::Reconnecting);
        assert!(!model.tabs[0].operates() && model.tabs[0].is_live());
        let path = tasuki_peer::core::path::PathKind::Relayed;
        event(&mut model, SessionEvent::PathChosen { path });
        assert!(model.tabs[0].operates());
    }

    #[test]
    fn ending_a_live_session_asks_first_and_cancelling_a_number_does_not() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        assert!(update(&mut model, Msg::Wish(FIRST, Wish::End)).is_empty());
        assert_eq!(model.tabs[0].dialog, Dialog::End);
        let effects = update(&mut model, Msg::Wish(FIRST, Wish::EndNow));
        assert!(matches!(effects.as_slice(), [Effect::Act(FIRST, HumanAct::End(_))]));
        let mut waiting = dialled(Mode::View);
        event(&mut waiting, number());
        assert_eq!(update(&mut waiting, Msg::Wish(FIRST, Wish::Cancel)).len(), 1);
    }

    #[test]
    fn how_a_session_ended_stands_in_its_tab_and_in_the_history() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        update(&mut model, Msg::Tick(1065));
        let (reason, by) = (EndReason::UserEnded, EndedBy::OtherEnd);
        event(&mut model, SessionEvent::Ended { reason, by });
        let effects = update(&mut model, Msg::Session(FIRST, Happened::Gone(Ok(()))));
        assert!(matches!(effects.as_slice(), [Effect::KeepHistory(kept)] if kept.len() == 1));
        assert_eq!(*stage(&model), Stage::Over(Outcome::Ended { reason, by }));
        assert_eq!((model.history[0].seconds, model.history[0].mode), (65, Mode::Control));
    }

    #[test]
    fn a_refusal_is_told_as_one_and_the_same_tab_takes_a_new_number() {
        let mut model = dialled(Mode::Control);
        event(&mut model, number());
        update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::Refused))));
        assert_eq!(*stage(&model), Stage::Over(Outcome::Failed(Fault::Refused)));
        let effects = update(&mut model, Msg::Wish(FIRST, Wish::Again));
        assert!(matches!(effects.as_slice(), [Effect::Dial { tab: TabId(2), .. }]), "{effects:?}");
        assert_eq!((stage(&model), model.page), (&Stage::Dialling, Page::Session(TabId(2))));
        assert_eq!(model.history.len(), 1);
    }

    #[test]
    fn what_the_old_session_still_tells_does_not_end_the_new_one_in_its_tab() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        let (reason, by) = (EndReason::UserEnded, EndedBy::OtherEnd);
        event(&mut model, SessionEvent::Ended { reason, by });
        update(&mut model, Msg::Wish(FIRST, Wish::Again));
        update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::Refused))));
        assert_eq!(*stage(&model), Stage::Dialling);
        assert_eq!((model.history.len(), model.history[0].how), (1, How::EndedThere));
    }

    #[test]
    fn a_live_session_is_closed_by_its_cross_only_after_a_question_and_its_line_is_kept() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        update(&mut model, Msg::Go(Page::Home));
        assert!(update(&mut model, Msg::Wish(FIRST, Wish::Close)).is_empty());
        assert_eq!((model.tabs[0].dialog, model.page), (Dialog::End, Page::Session(FIRST)));
        update(&mut model, Msg::Wish(FIRST, Wish::EndNow));
        assert!(update(&mut model, Msg::Wish(FIRST, Wish::EndNow)).is_empty(), "once is enough");
        let effects = update(&mut model, Msg::Wish(FIRST, Wish::Close));
        assert!(matches!(effects.as_slice(), [Effect::HangUp(FIRST), Effect::KeepHistory(_)]));
        assert_eq!((model.tabs.len(), model.history[0].how), (0, How::EndedHere));
    }

    #[test]
    fn signing_out_keeps_the_lines_of_the_sessions_that_it_ends() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        let effects = update(&mut model, Msg::SignOut);
        assert!(
            effects.iter().any(|effect| matches!(effect, Effect::KeepHistory(kept) if kept.len() == 1))
        );
    }

    #[test]
    fn t2_a_question_in_another_tab_takes_no_keys_from_the_session_that_is_attended_to() {
        let mut model = live(Mode::Share, Mode::Share.ceiling());
        update(&mut model, Msg::Choose(Mode::Control));
        update(&mut model, Msg::OpenChosen(Note::default()));
        let second = TabId(2);
        let consent = SessionEvent::Consent { mode: Mode::Control, granted: Mode::Control.ceiling() };
        update(&mut model, Msg::Session(second, Happened::Event(consent)));
        let kind = PersonQuestionKind::Continue;
        let question = || PersonQuestion { kind: kind.clone(), seconds: 300, inert_ms: 800 };
        update(&mut model, Msg::Session(FIRST, Happened::Asked(question())));
        assert_eq!((model.page, model.tabs[0].unread), (Page::Session(second), 1));
        assert!(matches!(model.toast, Some(Toast { what: ToastWhat::Asked(_), .. })));
        update(&mut model, Msg::Go(Page::Home));
        update(&mut model, Msg::Session(FIRST, Happened::Asked(question())));
        assert_eq!(model.page, Page::Session(FIRST), "nobody is attended to");
    }

    #[test]
    fn s31_closing_the_window_ends_every_session_first() {
        let mut model = dialled(Mode::Control);
        update(&mut model, Msg::Choose(Mode::View));
        update(&mut model, Msg::OpenChosen(Note::default()));
        let effects = update(&mut model, Msg::Quit);
        let [Effect::HangUp(_), Effect::HangUp(_), Effect::KeepHistory(_), Effect::Exit] =
            effects.as_slice()
        else {
            panic!("{effects:?}")
        };
    }

    #[test]
    fn no_more_sessions_are_opened_than_the_window_can_hold() {
        let mut model = signed_in(&Mode::ALL);
        for _ in 0..MAX_TABS + 2 {
            update(&mut model, Msg::Choose(Mode::View));
            update(&mut model, Msg::OpenChosen(Note::default()));
        }
        assert_eq!(model.tabs.len(), MAX_TABS);
    }

    #[test]
    fn a_line_of_chat_is_counted_until_its_tab_is_looked_at() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        update(&mut model, Msg::Go(Page::Home));
        event(&mut model, SessionEvent::Chat { line: "hello".into() });
        assert_eq!((model.tabs[0].unread, model.tabs[0].chat[0].by), (1, Role::Agent));
        update(&mut model, Msg::Go(Page::Session(FIRST)));
        assert_eq!(model.tabs[0].unread, 0);
    }

    #[test]
    fn a_line_of_the_person_is_one_line_and_one_that_did_not_go_out_is_marked() {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        update(&mut model, Msg::Go(Page::Session(FIRST)));
        event(&mut model, SessionEvent::Chat { line: "he\n\n\u{202E}llo\u{200B}".into() });
        event(&mut model, SessionEvent::Chat { line: "\n".into() });
        assert_eq!(model.tabs[0].chat.len(), 1);
        assert_eq!(model.tabs[0].chat[0].text, "he llo");
        update(&mut model, Msg::Wish(FIRST, Wish::Say("One".into())));
        update(&mut model, Msg::Wish(FIRST, Wish::Say("Two".into())));
        event(&mut model, SessionEvent::Refused { wanted: Capability::Chat });
        let unsent: Vec<_> = model.tabs[0].chat.iter().map(|line| line.unsent).collect();
        assert_eq!(unsent, [false, false, true]);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret(..)");
    }
}
