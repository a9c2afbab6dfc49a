//! Whether to go on is asked of who shows his screen, answered by his hand alone, and silence is no.

use std::{thread, time::Duration};

use anyhow::Result;
use tasuki_peer::shell::{fault::Fault, texts::Lang};
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Ear, Hand, Reader, role},
    running::{run, until},
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{A_YES_COUNTS, OPERATOR, OWN_HAND, Room, nothing_is_marked_any_more};

/// Sooner and shorter than anybody would choose, for a test that waits for both.
const TIMES: [(&str, &str); 2] = [("TASUKI_CONTINUE_EVERY_S", "4"), ("TASUKI_CONTINUE_ANSWER_S", "12")];
const ASKED: &str = "Shall the session go on?";
/// At the end user's, who is told nothing that an operator has to do.
const OVER: &str = "Nobody said that the session shall go on, so it ended.";
const LEFT: &str = "Without your answer the session ends in ";
const NOT_BY_HAND: &str = "Only a mouse or keyboard at this computer can press this button.";

/// T34, T2: at the user's, by her hand and no program's; in Share at the operator's, and not by the user's hand, which
/// operates his computer otherwise.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t34_t2_who_is_shown_is_asked_whether_to_go_on_and_nobody_else_answers_and_silence_ends_it() {
    let mut room = Room::furnish();
    let (hers, his) = (Reader::start().unwrap(), Reader::start().unwrap());
    let window =
        OperatorWindow::open_read(&room.house, &room.operator, Way::Auto, (&his, &TIMES)).unwrap();
    let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &TIMES)).unwrap();
    let ended = Fault::NotContinued.sentence(Lang::En);

    window.meet(&agent, &mut room.hand, Mode::View).unwrap();
    hers.hear(ASKED).unwrap();
    no_program_answers(&room, &hers, &agent);
    let hand = &mut room.hand;
    answered_by(&hers, "Continue", || agent.click_at(hand, &hers, role::BUTTON, "Continue"));
    hers.hear(ASKED).unwrap();
    assert!(room.sessions().is_empty(), "the session went on");
    hers.hear(OVER).unwrap();
    let last = room.session_after(0);
    assert!(his.hear(&ended).is_ok() && last.contains("view"), "{last}");

    agent.click_at(&mut room.hand, &hers, role::BUTTON, "Enter another number").unwrap();
    window.meet(&agent, &mut room.hand, Mode::Share).unwrap();
    his.wait_for(role::BUTTON, "Continue").unwrap();
    his.hear("Without an answer in 12 seconds it ends.").unwrap();
    the_other_side_does_not_answer(&mut room.hand, (&room.operator, &his), (&window, &agent));
    answered_by(&his, "Continue", || window.click_at(&his, role::BUTTON, "Continue"));
    his.wait_for(role::BUTTON, "Continue").unwrap();
    assert_eq!(room.sessions().len(), 1, "the session went on");
    his.hear(&ended).unwrap();
    hers.hear(OVER).unwrap();
    nothing_is_marked_any_more(&window);
}

/// Clicks and keys that a program of her own computer makes.
fn no_program_answers(room: &Room, hers: &Reader, agent: &AgentWindow<'_>) {
    let xdotool = |words: &[&str]| {
        let mut command = room.user.command("xdotool");
        command.args(words);
        run(command).map(drop)
    };
    until("an injected press to be refused", || {
        let (x, y) = agent.place_at(hers, role::BUTTON, "Continue")?;
        xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"])?;
        thread::sleep(Duration::from_millis(300));
        Ok(hers.heard(NOT_BY_HAND))
    })
    .unwrap();
    hers.walk_to(role::BUTTON, "Continue", || xdotool(&["key", "Tab"])).unwrap();
    // A key at a button that sleeps would show nothing.
    hers.wait_to_use(role::BUTTON, "Continue").unwrap();
    let before = hers.hear(LEFT).unwrap();
    xdotool(&["key", "space"]).unwrap();
    thread::sleep(A_YES_COUNTS);
    // A question that comes after a yes has all of its time.
    let now = hers.heard(LEFT).expect("somebody else has answered");
    assert!(now < before, "{now} after {before}");
}

/// Presses until nothing is asked any more: a yes counts late after a question came, and after a press that was none.
fn answered_by(reader: &Reader, yes: &str, mut press: impl FnMut() -> Result<()>) {
    until("the yes to be taken", || {
        // The button may go while it is looked for.
        press().ok();
        thread::sleep(Duration::from_millis(500));
        Ok(reader.find(role::BUTTON, yes)?.is_none().then_some(()))
    })
    .unwrap();
}

/// Her hand, which operates this computer in Share, at the very button.
fn the_other_side_does_not_answer(
    hand: &mut Hand,
    (operator, his): (&Desktop, &Reader),
    (window, agent): (&OperatorWindow<'_>, &AgentWindow<'_>),
) {
    // Until a yes would count, and his own hand of before holds nothing off.
    thread::sleep(OWN_HAND);
    let ear = Ear::open(operator).unwrap();
    let (x, y) = window.place_at(his, role::BUTTON, "Continue").unwrap();
    agent.click_at_host(hand, OPERATOR, (x.cast_signed(), y.cast_signed())).unwrap();
    assert_eq!(ear.heard().unwrap(), 0, "the other side's hand is off while he is asked");
    assert!(his.find(role::BUTTON, "Continue").unwrap().is_some(), "she has answered for him");
}
