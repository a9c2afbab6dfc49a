//! What an operator can do and come by who only looks, because the person took control back: a picture, the
//! whole screen, control for a while.

use std::{path::Path, thread};

use tasuki_tests::{
    desktop::{Ear, Hand, Notepad, Picture, Reader},
    running::until,
    stack::{AgentWindow, OperatorWindow},
};

use super::{OWN_HAND, USER, click_until_focused};

/// How the bar's second line begins.
const OPERATED: &str = "sees and operates this screen  ·  for ";
const SEEN: &str = "sees this screen  ·  for ";

/// S7, T2, T17: the picture is kept as the person's screen stands, the whole screen is filled with it, and
/// control is asked for, lent, counted down and taken back, by clicks and keys in both windows.
pub(super) fn who_looks_is_lent_control_until_it_is_taken_back(
    profile: &Path,
    notes: &Notepad,
    window: &mut OperatorWindow<'_>,
    (agent, hers): (&AgentWindow<'_>, &Reader),
    hand: &mut Hand,
) {
    let user = agent.desk();
    agent.take_back(hand).unwrap();
    window.wait_for_the_end_of_control().unwrap();
    // As it stood before: the person is told of the picture, and sees it.
    let screen = user.picture().unwrap();
    let file = window.keep_picture(profile).unwrap();
    let kept = Picture::load(&file).unwrap();
    let alike = kept.likeness(&screen).unwrap();
    assert!(alike > 25.0, "the file is like the user's screen by {alike:.1} dB");
    window.fill_screen(user).unwrap();
    window.leave_full_screen().unwrap();
    window.wait_for_picture(user).unwrap();

    let ear = Ear::open(user).unwrap();
    window.ask_for_control().unwrap();
    window.click_at_host(USER, notes.middle).unwrap();
    assert_eq!(ear.heard().unwrap(), 0, "asked for is not granted");
    agent.allow_more(hand).unwrap();
    thread::sleep(OWN_HAND);
    click_until_focused(user, &notes.title, &mut || window.click_at_host(USER, notes.middle));
    window.type_text("lent").unwrap();
    window.key("Return").unwrap();
    notes.wait_for("lent").unwrap();
    window.wait_for_countdown().unwrap();
    the_bar_counts_down(hers);

    agent.take_back(hand).unwrap();
    window.wait_for_the_end_of_control().unwrap();
    let ear = Ear::open(user).unwrap();
    window.click_at_host(USER, notes.middle).unwrap();
    window.type_text("late").unwrap();
    assert_eq!(ear.heard().unwrap(), 0, "what was lent is taken back");
    until("the bar to tell of no time any more", || {
        Ok(hers.heard(SEEN).filter(|bar| !bar.contains(" left")).map(drop))
    })
    .unwrap();
}

/// T33: until when, on the bar of her screen.
fn the_bar_counts_down(hers: &Reader) {
    let counts = |before: Option<&str>| {
        let bar = hers.heard(OPERATED)?;
        let left = bar.split("  ·  ").find(|fact| fact.ends_with(" left"))?;
        (Some(left) != before).then(|| left.to_owned())
    };
    let first = until("the time that is left on the bar", || Ok(counts(None))).unwrap();
    assert!(first.starts_with("14:"), "{first}");
    until("the bar's time to go down", || Ok(counts(Some(&first)))).unwrap();
}
