//! Of a sign-in that the server takes for over.

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
    let fell = || Msg::SignInFell(Fault::SignInOver);
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
