//! Mode Manage is asked for some minutes after the sign-in.

use super::*;
use crate::operator::second_look::{Proof, Shown};

/// As the server refuses the number.
fn refused() -> Model {
    let mut model = dialled(Mode::Manage);
    let gone = Happened::Gone(Err(Fault::NotConfirmed));
    let effects = update(&mut model, Msg::Session(FIRST, gone));
    assert!(effects.is_empty(), "no session, and none of the history's: {effects:?}");
    assert_eq!(model.tabs[0].dialog, Dialog::SecondLook);
    model
}

fn show(model: &mut Model, shown: Shown) -> Vec<Effect> {
    update(model, Msg::Wish(FIRST, Wish::SecondLook(shown)))
}

fn answered(model: &mut Model, answer: Result<(), Fault>) -> Vec<Effect> {
    update(model, Msg::Session(FIRST, Happened::Confirmed(answer)))
}

#[test]
fn s1_manage_is_asked_about_once_more_in_the_window_and_then_the_wanted_session_is_dialled() {
    let mut model = refused();
    assert!(show(&mut model, Shown::This(Secret::from(" "))).is_empty(), "nothing was typed");
    let effects = show(&mut model, Shown::This(Secret::from("secret")));
    let [Effect::Confirm { tab: FIRST, by: Proof::Password, secret }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(secret.0.as_str(), "secret");
    assert!(show(&mut model, Shown::This(Secret::from("secret"))).is_empty(), "once is enough");
    assert!(answered(&mut model, Err(Fault::WrongPassword)).is_empty());
    assert_eq!(model.tabs[0].second_look.trouble, Some(Fault::WrongPassword));
    assert!(show(&mut model, Shown::By(Proof::Digits)).is_empty());
    assert_eq!(model.tabs[0].second_look.trouble, None, "of the other proof nothing is known");
    let effects = show(&mut model, Shown::This(Secret::from("123456")));
    assert!(matches!(effects.as_slice(), [Effect::Confirm { by: Proof::Digits, .. }]));
    let effects = answered(&mut model, Ok(()));
    let dials = |effect: &Effect| matches!(effect, Effect::Dial { mode: Mode::Manage, .. });
    assert_eq!(effects.iter().filter(|effect| dials(effect)).count(), 1, "{effects:?}");
    assert_eq!((model.tabs.len(), model.tabs[0].dialog), (1, Dialog::None));
    assert_eq!(model.tabs[0].stage, Stage::Dialling);
    // The next time the digits are asked for at once.
    let next = model.tabs[0].id;
    update(&mut model, Msg::Session(next, Happened::Gone(Err(Fault::NotConfirmed))));
    assert_eq!(model.tabs[0].second_look.by, Proof::Digits);
}

#[test]
fn s1_who_puts_the_second_look_off_is_asked_when_he_wants_the_number_again_and_not_before() {
    let mut model = refused();
    update(&mut model, Msg::Wish(FIRST, Wish::Dialog(Dialog::None)));
    assert!(show(&mut model, Shown::This(Secret::from("secret"))).is_empty());
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::Again)).is_empty());
    assert_eq!(model.tabs[0].dialog, Dialog::SecondLook);
    // Its answer comes after he has gone back: nothing begins behind him.
    show(&mut model, Shown::This(Secret::from("secret")));
    update(&mut model, Msg::Wish(FIRST, Wish::Dialog(Dialog::None)));
    let effects = answered(&mut model, Ok(()));
    assert!(matches!(effects.as_slice(), [Effect::Keep(_)]), "{effects:?}");
}

#[test]
fn s1_a_sign_in_that_is_over_at_the_second_look_leads_to_the_page_that_signs_in() {
    let mut model = refused();
    show(&mut model, Shown::This(Secret::from("secret")));
    answered(&mut model, Err(Fault::SignInOver));
    let Door::Out(page) = &model.door else { panic!("signed in") };
    assert_eq!(page.trouble, Some(Trouble::SignInOver));
}
