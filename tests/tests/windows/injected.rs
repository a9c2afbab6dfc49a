//! Presses that no hand did, at the question of a real session.

use std::{thread, time::Duration};

use rustix::process::Signal;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Hand, Reader, role},
    running::{run, until},
    stack::{AgentWindow, OperatorWindow},
};

use super::{A_YES_COUNTS, showing::at_desktops};

/// Longer than a press stays fresh in a window that had the time to hear of it.
const LATE: Duration = Duration::from_millis(2500);

/// Longer than something injected taints by the clock alone.
const A_MOMENT: Duration = Duration::from_millis(600);

const NOT_BY_HAND: &str = "Only a mouse or keyboard at this computer can press this button.";
const WAITING: &str = "Waiting for their answer";

/// T2: five hundred clicks and keys of a program at Allow begin nothing, and she and the operator stand where they stood.
pub(super) fn five_hundred_presses_do_nothing(
    (agent, hers): (&AgentWindow<'_>, &Reader),
    his: &Reader,
) {
    his.wait_for(role::LABEL, WAITING).unwrap();
    let (x, y) = agent.place_at(hers, role::BUTTON, "Allow").unwrap();
    let (x, y) = (x.to_string(), y.to_string());
    thread::sleep(A_YES_COUNTS);
    xdotool(agent, &["mousemove", &x, &y, "click", "--repeat", "250", "--delay", "5", "1"]);
    hers.hear(NOT_BY_HAND).unwrap();
    for press in ["space", "Return"] {
        // From Refuse, which has the focus, to Allow and back.
        thread::sleep(A_YES_COUNTS);
        xdotool(agent, &["key", "--repeat", "42", "--delay", "5", "Tab", press, "shift+Tab"]);
    }
    assert!(hers.find(role::BUTTON, "Allow").unwrap().is_some(), "the question is answered");
    assert!(his.find(role::LABEL, WAITING).unwrap().is_some(), "the operator has an answer");
    assert_eq!(agent.bar().unwrap(), None);
    assert_eq!(at_desktops(agent.process.id()), Vec::<String>::new());
}

fn xdotool(agent: &AgentWindow<'_>, words: &[&str]) {
    let mut command = agent.desk().command("xdotool");
    command.args(words);
    run(command).unwrap();
}

/// T2: a program clicks at Allow while hers stands still, and then she does at Refuse: hers hears of the one when she has
/// made the other, too. Then she is asked anew.
pub(super) fn what_is_heard_late_is_no_yes_of_hers(
    hand: &mut Hand,
    (agent, hers): (&AgentWindow<'_>, &Reader),
    (window, his): (&OperatorWindow<'_>, &Reader),
) {
    thread::sleep(A_YES_COUNTS);
    hers.wait_to_use(role::BUTTON, "Allow").unwrap();
    let (x, y) = agent.place_at(hers, role::BUTTON, "Allow").unwrap();
    let refuse = agent.place_at(hers, role::BUTTON, "Refuse").unwrap();
    a_slow_program_hears_late(agent, || {
        xdotool(agent, &["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
        thread::sleep(A_MOMENT);
        hand.click(refuse).unwrap();
    });
    his.wait_for(role::LABEL, "The session was refused. Nothing was shown.").unwrap();
    hers.wait_for(role::LABEL, "You refused. That is always all right.").unwrap();
    assert_eq!(agent.bar().unwrap(), None);
    assert_eq!(at_desktops(agent.process.id()), Vec::<String>::new());
    agent.click_at(hand, hers, role::BUTTON, "Enter another number").unwrap();
    agent.enter(hand, &window.new_session(Mode::View).unwrap()).unwrap();
}

/// T2: what a hand does counts, however late her program hears of it.
pub(super) fn a_slow_program_hears_late(agent: &AgentWindow<'_>, act: impl FnOnce()) {
    agent.process.signal(Signal::STOP).unwrap();
    act();
    thread::sleep(LATE);
    agent.process.signal(Signal::CONT).unwrap();
}

/// By the first click, which is made while the program is busy elsewhere.
pub(super) fn her_own_click_begins_it(hand: &mut Hand, (agent, hers): (&AgentWindow<'_>, &Reader)) {
    thread::sleep(A_YES_COUNTS);
    hers.wait_to_use(role::BUTTON, "Allow").unwrap();
    let place = agent.place_at(hers, role::BUTTON, "Allow").unwrap();
    a_slow_program_hears_late(agent, || hand.click(place).unwrap());
    until("her bar", || agent.bar()).unwrap();
}
