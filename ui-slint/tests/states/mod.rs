//! Whatever a page of either window can show, some made-up state shows: `--mock`, the pictures and the tests leave
//! nothing out.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Instant;

use slint::{ComponentHandle, Model};
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::agent;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::{mock, scenes};
use tasuki_ui_slint::windows::{
    Agent, AgentPage, AgentWindow, Complaint, Ending, HistoryHow, Leaving, Manner, ModeName, MoreState,
    Opened, Operator, OperatorPage, OperatorWindow, OverTone, OverWhat, PasswordTrouble, PathName,
    PausedBy, QuestionKind, Said, Session, SessionDialog, SessionStage, SignInAsks, SignInTrouble,
    Stillness, ToastLine, Weather,
};

/// Every value of an enum of the windows. One that is new does not compile before it stands here, and is missed
/// before a state shows it.
macro_rules! each {
    ($($kind:ident: $($value:ident)+;)+) => {{
        let mut all = BTreeSet::new();
        $({
            let is_complete = |value: $kind| match value { $($kind::$value => {})+ };
            $(is_complete($kind::$value); all.insert(name(&$kind::$value));)+
        })+
        all
    }};
}

pub(crate) fn every_value_that_a_page_can_show_is_one_of_a_made_up_state() {
    let missed: Vec<_> = of_the_operator().difference(&seen_at_the_operator()).cloned().collect();
    assert!(missed.is_empty(), "no state of the operator's window shows {missed:#?}");
    let missed: Vec<_> = of_the_agent().difference(&seen_at_the_agent()).cloned().collect();
    assert!(missed.is_empty(), "no state of the end user's window shows {missed:#?}");
}

fn of_the_operator() -> BTreeSet<String> {
    each! {
        OperatorPage: Shut SignIn Home Session History Settings About;
        SignInAsks: Password Totp TotpSetup Enrolment;
        SignInTrouble: None Failed Wrong NoUser NoPassword NoCode Locked DevicePending Busy Over;
        PasswordTrouble: None NoOld WrongOld NoNew Unusable Differ Failed;
        SessionStage: Dialling Waiting AtTheDoor AwaitsConsent Live Over;
        ModeName: Manage Control View Share Show;
        MoreState: None Asked Granted Refused Revoked;
        PausedBy: None Hand Host Question;
        PathName: None Direct Relayed;
        OverTone: Calm Refused Trouble;
        OverWhat: Cancelled EndedHere EndedThere Failed Lost Stopped SignedOut NotConfirmed NotAllowed;
        SessionDialog: None TypeText MoreRights End Details SecondLook;
        ToastLine: None NumberCopied LinkCopied Screenshot Saved Failed SetAside TooMany TextSent Asked
            PictureTaken PasswordChanged;
        Leaving: No SignOut Close;
        HistoryHow: EndedHere EndedThere Refused NobodyCame Cancelled Lost Failed;
    }
}

/// Of what is on the page, not of what lies behind it.
fn seen_at_the_operator() -> BTreeSet<String> {
    let (mut seen, mut full_screens) = (BTreeSet::new(), 0);
    for scene in scenes::all(Lang::En, Shade::Light) {
        let window = OperatorWindow::new().unwrap();
        mock::show(&scene, &window);
        let (operator, session) = (window.global::<Operator<'_>>(), window.global::<Session<'_>>());
        let page = operator.get_page();
        seen.extend([name(&page), name(&operator.get_toast()), name(&operator.get_leaving())]);
        if page == OperatorPage::SignIn {
            seen.extend([name(&operator.get_asks()), name(&operator.get_trouble())]);
        }
        if operator.get_password_shown() {
            seen.insert(name(&operator.get_password_trouble()));
        }
        if page == OperatorPage::History {
            seen.extend(operator.get_history().iter().map(|past| name(&past.how)));
        }
        if page != OperatorPage::Session {
            continue;
        }
        let stage = session.get_stage();
        seen.extend([name(&stage), name(&session.get_mode()), name(&session.get_dialog())]);
        match stage {
            SessionStage::Live => {
                full_screens += usize::from(session.get_full_screen());
                seen.extend([name(&session.get_more()), name(&session.get_paused())]);
                seen.insert(name(&session.get_path()));
            }
            SessionStage::Over => {
                seen.extend([name(&session.get_over()), name(&session.get_over_tone())]);
            }
            SessionStage::Dialling
            | SessionStage::Waiting
            | SessionStage::AtTheDoor
            | SessionStage::AwaitsConsent => {}
        }
    }
    assert!(full_screens > 0, "no picture fills the operator's screen");
    seen
}

fn of_the_agent() -> BTreeSet<String> {
    each! {
        AgentPage: Number Connecting Notice Consent Live Watching Ended Trouble;
        Complaint: None NotDigits TooFew TooMany Mistyped Refused;
        Manner: Manage Control View Share Show;
        Weather: Fine Reconnecting;
        Stillness: None OwnHand Paused Asked;
        QuestionKind: None MoreRights GoOn;
        Opened: Nothing Talk Details;
        PathName: None Direct Relayed;
        Said: None SettingsAside Saved BadLink NotByHand PictureKept Wrote NotSent Sentence;
        Ending: ByYou ByOperator Refused Unanswered Lost TimeOver Program Withdrawn NotContinued ScreenLost
            Violation Unexpected Other;
    }
}

fn seen_at_the_agent() -> BTreeSet<String> {
    let (mut seen, mut full_screens) = (BTreeSet::new(), 0);
    for scene in agent::scenes::all(Lang::En, Shade::Light, Instant::now()) {
        let window = AgentWindow::new().unwrap();
        agent::view::show(&scene.model, &window, scene.now);
        let agent = window.global::<Agent<'_>>();
        let page = agent.get_page();
        seen.extend([name(&page), name(&agent.get_said())]);
        match page {
            AgentPage::Number => seen.extend([name(&agent.get_complaint())]),
            AgentPage::Consent => seen.extend([name(&agent.get_manner())]),
            AgentPage::Live | AgentPage::Watching => {
                full_screens += usize::from(agent.get_full_screen());
                seen.extend([name(&agent.get_weather()), name(&agent.get_stillness())]);
                seen.extend([name(&agent.get_question()), name(&agent.get_opened())]);
                seen.insert(name(&agent.get_path()));
            }
            AgentPage::Ended => seen.extend([name(&agent.get_ending())]),
            AgentPage::Connecting | AgentPage::Notice | AgentPage::Trouble => {}
        }
    }
    assert!(full_screens > 0, "no picture fills the end user's screen");
    seen
}

fn name<T: Debug>(value: &T) -> String {
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    format!("{kind}::{value:?}")
}
