//! What the window's model makes of every event.

use tasuki_peer::core::io::{EndedBy, PersonQuestion, PersonQuestionKind, SessionEvent, SpokenNumber};
use tasuki_peer::core::path::PathKind;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::message::{Asked, EndReason};
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::terms::Requirement;

use super::*;
use crate::operator::entrance::Trusted;
use crate::operator::history::How;
use crate::operator::model::{
    Account, Busy, Dialog, Door, Missing, More, Outcome, Paused, Stage, Trouble,
};

mod second_look;
mod sessions;
mod signed_out;

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
        reason: Requirement::default(),
        certified_until: None,
        went_back: None,
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
fn s64_a_locked_account_says_until_when_and_is_tried_again_as_an_administrator_may_have_opened_it() {
    let mut model = Model::new(Lang::En, 1000);
    update(&mut model, found(None));
    update(&mut model, form("hanako", "wrong", ""));
    update(&mut model, Msg::Answered(Answer::Locked { seconds: 900 }));
    update(&mut model, Msg::Tick(1899));
    assert!(model.counts(), "the window counts down");
    let Door::Out(page) = &model.door else { panic!("signed in") };
    assert_eq!(page.trouble, Some(Trouble::Locked { until: 1900 }));
    assert_eq!(update(&mut model, form("hanako", "right", "")).len(), 1);
    update(&mut model, Msg::Answered(Answer::Locked { seconds: 1 }));
    update(&mut model, Msg::Tick(1900));
    let Door::Out(page) = &model.door else { panic!("signed in") };
    assert_eq!(page.trouble, None);
}

#[test]
fn a_second_factor_and_a_new_device_are_asked_for_only_when_the_server_wants_them() {
    let mut model = Model::new(Lang::En, 0);
    update(&mut model, found(None));
    for (answer, asks) in [(Answer::NeedsTotp, Asks::Totp), (Answer::NeedsEnrolment, Asks::Enrolment)] {
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
fn signing_out_keeps_the_lines_of_the_sessions_that_it_ends() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    assert!(update(&mut model, Msg::SignOut).is_empty(), "somebody is connected");
    let effects = update(&mut model, Msg::Leave(true));
    assert!(matches!(effects.last(), Some(Effect::SignOut)) && model.tabs.is_empty());
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::KeepHistory(kept) if kept.len() == 1))
    );
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
fn s31_what_ends_every_running_session_at_once_asks_before_that() {
    for (msg, leave) in [(Msg::Quit, Leave::Close), (Msg::SignOut, Leave::SignOut)] {
        let mut model = live(Mode::Control, Mode::Control.ceiling());
        assert!(update(&mut model, msg).is_empty(), "{leave:?}");
        assert_eq!(model.leaving, Some(leave));
        assert!(update(&mut model, Msg::Leave(false)).is_empty());
        assert!(model.leaving.is_none() && model.tabs[0].is_live(), "{leave:?}: it goes on");
        assert!(update(&mut model, Msg::Leave(true)).is_empty(), "nothing was asked");
        model.leaving = Some(leave);
        let effects = update(&mut model, Msg::Leave(true));
        assert!(
            matches!(effects[..], [Effect::HangUp(FIRST), Effect::KeepHistory(_), _]),
            "{effects:?}"
        );
    }
    let mut model = dialled(Mode::Control);
    assert!(!update(&mut model, Msg::SignOut).is_empty(), "nobody is connected yet");
}

#[test]
fn a_password_that_is_wrong_once_is_asked_for_again_and_twice_may_mean_that_this_computer_is_unknown() {
    let mut model = Model::new(Lang::En, 1000);
    update(&mut model, found(None));
    for asks in [Asks::Password, Asks::Enrolment] {
        update(&mut model, form("hanako", "secret", ""));
        update(&mut model, Msg::Answered(Answer::Failed(Fault::WrongPassword)));
        let Door::Out(page) = &model.door else { panic!("signed in") };
        assert_eq!(page.asks, asks);
    }
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
fn a_secret_is_not_printed() {
    assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret(..)");
}

#[test]
fn s69_a_number_whose_policy_wants_a_reason_is_not_asked_for_without_one() {
    let mut model = signed_in(&Mode::ALL);
    let Door::In(account) = &mut model.door else { panic!("signed out") };
    account.reason = Requirement::Required;
    update(&mut model, Msg::Choose(Mode::View));
    assert!(update(&mut model, Msg::OpenChosen(Note::default())).is_empty());
    assert!(model.tabs.is_empty() && model.chosen == Some(Mode::View));
    let told = |model: &Model| model.toast.as_ref().map(|toast| toast.what.clone());
    assert_eq!(told(&model), Some(ToastWhat::Failed(Fault::ReasonNeeded)));
    let note = Note { reason: "printer".into(), ..Note::default() };
    let effects = update(&mut model, Msg::OpenChosen(note.clone()));
    assert!(matches!(effects.as_slice(), [Effect::Dial { note: sent, .. }] if *sent == note));
}

#[test]
fn s69_a_policy_that_wants_a_reason_since_the_sign_in_is_learnt_from_the_servers_no() {
    let mut model = dialled(Mode::View);
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::ReasonNeeded))));
    update(&mut model, Msg::Go(Page::Home));
    update(&mut model, Msg::Choose(Mode::View));
    assert!(update(&mut model, Msg::OpenChosen(Note::default())).is_empty());
}

#[test]
fn what_was_noted_of_a_session_stands_in_its_tab_and_in_the_history() {
    let mut model = signed_in(&Mode::ALL);
    update(&mut model, Msg::Choose(Mode::View));
    let note = Note { customer: "Tanaka".into(), ticket: "#4410".into(), reason: "printer".into() };
    update(&mut model, Msg::OpenChosen(note.clone()));
    assert_eq!(model.tabs[0].note, note);
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::NobodyAnswered))));
    let past = &model.history[0];
    assert_eq!((past.customer.as_str(), past.ticket.as_str()), ("Tanaka", "#4410"));
    assert_eq!(past.reason, "printer");
}

/// Most often a server is busy for a moment; one that stays so is left alone for longer each time.
#[test]
fn f14_a_busy_server_is_asked_again_soon_and_then_less_and_less_often() {
    let mut model = Model::new(Lang::En, 1000);
    update(&mut model, found(None));
    let mut now = 1000;
    let mut busy = |model: &mut Model, answer| {
        update(model, Msg::Tick(now));
        assert_eq!(update(model, form("hanako", "secret", "")).len(), 1, "at {now}");
        update(model, Msg::Answered(answer));
        let Door::Out(page) = &model.door else { panic!("signed in") };
        let Some(Trouble::Busy { until }) = page.trouble else { return 0 };
        let waits = until - now;
        now = until;
        waits
    };
    for wait in [5, 10, 20, 40, 60, 60] {
        assert_eq!(busy(&mut model, Answer::Busy), wait);
    }
    busy(&mut model, Answer::Failed(Fault::WrongPassword));
    assert_eq!(busy(&mut model, Answer::Busy), 5, "it has answered meanwhile");
}

#[test]
fn what_is_wrong_with_a_field_is_told_until_it_is_written_in() {
    let mut model = Model::new(Lang::En, 1000);
    update(&mut model, found(None));
    let trouble = |model: &Model| match &model.door {
        Door::Out(page) => page.trouble.clone(),
        Door::Shut(_) | Door::In(_) => panic!("no page to sign in"),
    };
    update(&mut model, form("", "", ""));
    update(&mut model, Msg::Typed(Missing::Password));
    assert_eq!(trouble(&model), Some(Trouble::Missing(Missing::User)), "another field");
    update(&mut model, Msg::Typed(Missing::User));
    assert_eq!(trouble(&model), None);

    update(&mut model, form("hanako", "wrong", ""));
    update(&mut model, Msg::Answered(Answer::Failed(Fault::WrongPassword)));
    update(&mut model, Msg::Typed(Missing::Password));
    assert_eq!(trouble(&model), None);
    update(&mut model, form("hanako", "wrong", ""));
    update(&mut model, Msg::Answered(Answer::Locked { seconds: 900 }));
    update(&mut model, Msg::Typed(Missing::Password));
    assert!(trouble(&model).is_some(), "that does not unlock it");
}

/// What the page asks and says after each answer; no answer leaves it busy.
#[test]
fn each_answer_to_a_sign_in_leads_on() {
    let setup = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=y".to_owned();
    let words = "amber canoe".to_owned();
    let failed = Fault::WrongPassword;
    let stays = [
        (Answer::NeedsTotp, Asks::Totp, None),
        (Answer::TotpSetup { uri: setup }, Asks::TotpSetup, None),
        (Answer::NeedsEnrolment, Asks::Enrolment, None),
        (
            Answer::DevicePending { words: words.clone() },
            Asks::Password,
            Some(Trouble::DevicePending { words }),
        ),
        (Answer::Locked { seconds: 900 }, Asks::Password, Some(Trouble::Locked { until: 1900 })),
        (Answer::Busy, Asks::Password, Some(Trouble::Busy { until: 1005 })),
        (Answer::Failed(failed.clone()), Asks::Password, Some(Trouble::Failed(failed))),
    ];
    for (answer, asks, trouble) in stays {
        let mut model = Model::new(Lang::En, 1000);
        update(&mut model, found(None));
        update(&mut model, form("hanako", "secret", ""));
        let told = format!("{answer:?}");
        assert!(update(&mut model, Msg::Answered(answer)).is_empty(), "{told}");
        let Door::Out(page) = &model.door else { panic!("{told} signs in") };
        assert_eq!((page.asks, &page.trouble, page.busy), (asks, &trouble, Busy::Idle), "{told}");
        let key = if asks == Asks::TotpSetup { "JBSW Y3DP EHPK 3PXP" } else { "" };
        assert_eq!(page.key, key, "{told}");
        let waits = matches!(trouble, Some(Trouble::Busy { .. }));
        let effects = update(&mut model, form("hanako", "secret", ""));
        let asks_code = matches!(asks, Asks::Totp | Asks::TotpSetup);
        assert_eq!(effects.is_empty(), waits || asks_code, "{told}");
        if asks_code {
            let Door::Out(page) = &model.door else { panic!("signed in") };
            assert_eq!(page.trouble, Some(Trouble::Missing(Missing::Code)), "{told}");
        }
    }
    let mut model = Model::new(Lang::En, 1000);
    update(&mut model, found(None));
    update(&mut model, form("hanako", "secret", ""));
    let effects = update(&mut model, Msg::Answered(Answer::SignedIn(account(&[Mode::View]))));
    assert!(matches!(effects.as_slice(), [Effect::Keep(kept)] if kept.user == "hanako"));
    assert_eq!((matches!(model.door, Door::In(_)), model.page), (true, Page::Home));
}

#[test]
fn colours_and_folder_are_kept_as_they_are_chosen_and_an_empty_folder_is_the_usual_one() {
    let mut model = signed_in(&Mode::ALL);
    let kept = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Keep(kept)] => kept.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kept(update(&mut model, Msg::ChooseShade(Shade::Dark))).shade, Shade::Dark);
    let folder = PathBuf::from("/srv/pictures");
    let chosen = kept(update(&mut model, Msg::ChooseFolder(folder.clone())));
    assert_eq!(chosen.pictures, Some(folder));
    assert_eq!(kept(update(&mut model, Msg::ChooseFolder(PathBuf::new()))).pictures, None);
}
