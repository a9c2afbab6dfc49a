//! Of a sign-in that the server takes for over.

use tasuki_peer::shell::standing::Word;

use super::*;
use crate::operator::model::Idle;

#[test]
fn s62_a_number_refused_for_a_sign_in_that_is_over_leads_to_the_page_to_sign_in() {
    let mut model = dialled(Mode::View);
    let gone = |fault| Msg::Session(FIRST, Happened::Gone(Err(fault)));
    let effects = update(&mut model, gone(Fault::SignInOver));
    assert!(matches!(effects.last(), Some(Effect::SignOut)), "{effects:?}");
    let Door::Out(page) = &model.door else { panic!("{:?}", model.door) };
    assert_eq!((page.user.as_str(), page.server.as_str()), ("hanako", "help.example"));
    assert_eq!(page.trouble, Some(Trouble::SignInOver));
    assert!(model.tabs.is_empty());
}

#[test]
fn s62_a_session_that_runs_in_another_tab_goes_on_until_its_operator_chooses_to_sign_in() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    update(&mut model, Msg::Go(Page::Home));
    update(&mut model, Msg::Choose(Mode::View));
    update(&mut model, Msg::OpenChosen(Note::default()));
    let second = TabId(2);
    let effects = update(&mut model, Msg::Session(second, Happened::Gone(Err(Fault::SignInOver))));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::HangUp(_) | Effect::SignOut)));
    assert!(model.tabs[0].is_live() && matches!(model.door, Door::In(_)));
    let effects = update(&mut model, Msg::Wish(second, Wish::Again));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::HangUp(FIRST))), "{effects:?}");
    assert!(matches!(&model.door, Door::Out(page) if page.trouble == Some(Trouble::SignInOver)));
}

#[test]
fn t17_s62_who_waits_at_his_window_is_told_that_he_is_signed_out_and_who_has_a_session_is_not() {
    let fell = || Msg::SignInStands(Word::Fell(Fault::SignInOver));
    let mut model = signed_in(&Mode::ALL);
    assert_eq!(model.idle(), Idle::SignedIn);
    update(&mut model, Msg::Go(Page::Settings));
    let effects = update(&mut model, fell());
    assert!(matches!(effects.last(), Some(Effect::SignOut)), "{effects:?}");
    assert!(matches!(&model.door, Door::Out(page) if page.trouble == Some(Trouble::SignInOver)));
    assert_eq!(model.idle(), Idle::No);
    assert!(update(&mut model, fell()).is_empty(), "and once");

    let mut model = live(Mode::Control, Mode::Control.ceiling());
    for page in [Page::Session(FIRST), Page::Home] {
        update(&mut model, Msg::Go(page));
        assert_eq!(model.idle(), Idle::No);
        assert!(update(&mut model, fell()).is_empty());
        assert!(model.tabs[0].is_live() && matches!(model.door, Door::In(_)));
    }
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Ok(()))));
    update(&mut model, Msg::Go(Page::Session(FIRST)));
    assert_eq!(model.idle(), Idle::No, "how it ended is being read");
    update(&mut model, Msg::Go(Page::Home));
    assert_eq!(model.idle(), Idle::SignedIn);
}

fn hours_over() -> Fault {
    let (opens, zone) = ("2026-11-30 09:00".to_owned(), "Asia/Tokyo".to_owned());
    Fault::HoursOver { opens, zone }
}

#[test]
fn s63_outside_the_allowed_hours_the_page_to_sign_in_says_when_they_begin_next() {
    let told = |model: &Model| matches!(&model.door, Door::Out(page) if page.trouble == Some(Trouble::Failed(hours_over())));
    let mut model = signed_in(&Mode::ALL);
    update(&mut model, Msg::SignInStands(Word::Fell(hours_over())));
    assert!(told(&model), "who waits: {:?}", model.door);

    let mut model = dialled(Mode::View);
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(hours_over()))));
    assert!(told(&model), "who asked for a number: {:?}", model.door);
}

#[test]
fn t67_who_waits_is_told_that_the_server_went_back_until_it_has_not() {
    let older = || Fault::LedgerOlder { known: 9, found: 5 };
    let warned = |model: &Model| {
        let Door::In(account) = &model.door else { panic!("nobody is signed out for it") };
        account.went_back.clone()
    };
    let mut model = signed_in(&Mode::ALL);
    for fault in [older(), Fault::ServerWentBack] {
        assert!(update(&mut model, Msg::SignInStands(Word::WentBack(fault.clone()))).is_empty());
        assert_eq!(warned(&model), Some(fault));
    }
    update(&mut model, Msg::SignInStands(Word::Stands { certified_until: 1 }));
    assert_eq!(warned(&model), None);
}

#[test]
fn s37_a_certificate_that_is_renewed_while_the_window_is_open_is_shown_as_what_it_is() {
    let mut model = signed_in(&Mode::ALL);
    let until = |model: &Model| match &model.door {
        Door::In(account) => account.certified_until,
        Door::Shut(_) | Door::Out(_) => None,
    };
    for certified_until in [2000, 9000] {
        update(&mut model, Msg::SignInStands(Word::Stands { certified_until }));
        assert_eq!(until(&model), Some(certified_until));
    }
}
