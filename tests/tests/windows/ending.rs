//! The end of what is seen, by whatever the person ends it.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tasuki_peer::shell::receipt;
use tasuki_protocol::{ids::Role, rights::Mode};
use tasuki_tests::{
    desktop::{Desktop, Notepad, Panel, connections_of},
    running::{Process, until},
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{Room, alone};

/// S31.
const WITHIN: Duration = Duration::from_millis(200);
/// A machine that is shared may be late, and not each time.
const TRIES: usize = 3;

/// What is out of order, which way the session goes, whether the operator's program is frozen (else the server), and
/// by what the person ends it.
type Case = (&'static str, Way, bool, Ends);

#[derive(Clone, Copy)]
enum Ends {
    Bar,
    StopKey,
    Tray,
}

/// S31, S97: what a hand's press needs is on this computer alone, at the bar, the keys and the icon of the panel.
/// The receipt then has one name.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s31_end_needs_neither_server_nor_network_nor_the_operators_program() {
    let mut room = Room::furnish_in(alone());
    let cases: [Case; 3] = [
        ("the server stopped", Way::Direct, false, Ends::Bar),
        // Everything passes through the server's relay, which is stopped.
        ("the network cut", Way::Relayed, false, Ends::StopKey),
        ("the operator's program frozen", Way::Direct, true, Ends::Tray),
    ];
    let mut held = 0;
    for case in cases {
        let mut took = Vec::new();
        while took.len() < TRIES && took.iter().min().is_none_or(|least| *least >= WITHIN) {
            took.push(end_with(&mut room, held, case));
            held += 1;
        }
        assert!(took.iter().min() < Some(&WITHIN), "{}: {took:?}", case.0);
    }
}

/// One session after `before` others; gives how long after the press nothing saw the screen any more.
fn end_with(room: &mut Room, before: usize, (trouble, way, freezes_operator, ends): Case) -> Duration {
    let window = OperatorWindow::open(&room.house, &room.operator, way).unwrap();
    let panel = matches!(ends, Ends::Tray).then(|| Panel::open(&room.user).unwrap());
    let agent = match &panel {
        Some(panel) => AgentWindow::open_beside(&room.house, &room.user, panel).unwrap(),
        None => AgentWindow::open(&room.house, &room.user).unwrap(),
    };
    let rests = connections_of(&room.user, agent.process.id()).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    let runs = connections_of(&room.user, agent.process.id()).unwrap();
    assert!(runs > rests, "{trouble}: {rests} connections before, {runs} while it is seen");
    let stopped: &Process = if freezes_operator { &window.process } else { &room.house.server };
    stopped.signal(Signal::STOP).unwrap();

    let receipts = agent.receipts().unwrap();
    let gone = || Ok((connections_of(&room.user, agent.process.id())? <= rests).then_some(()));
    let pressed = match ends {
        Ends::Tray => end_by_icon(panel.as_ref().unwrap(), (&room.user, &room.users_notes), &gone),
        Ends::Bar => {
            agent.press_end(&mut room.hand).unwrap();
            Instant::now()
        }
        Ends::StopKey => {
            let pressed = Instant::now();
            let mut key = room.user.command("xdotool");
            assert!(key.args(["key", "ctrl+alt+shift+e"]).status().unwrap().success());
            pressed
        }
    };
    until("capture, injection and watching to be gone", gone)
        .unwrap_or_else(|why| panic!("{trouble}: {why:#}"));
    let took = pressed.elapsed();
    eprintln!("End with {trouble}: nothing reads the screen {took:.0?} later");
    let page = agent.over(&receipts).unwrap();
    assert!(receipt::verify(&page).unwrap().signed_by.contains(&Role::Agent));
    // Only now does the other side live again.
    stopped.signal(Signal::CONT).unwrap();
    let heard = room.session_after(before);
    assert!(heard.contains("\"ended_there\"") || heard.contains("\"lost\""), "{trouble}: {heard}");
    took
}

/// Chooses the end in the icon's menu until it is taken: a panel that has just come up does not hear each press.
fn end_by_icon(
    panel: &Panel,
    (user, notes): (&Desktop, &Notepad),
    gone: &dyn Fn() -> anyhow::Result<Option<()>>,
) -> Instant {
    panel.wait_for_icon().unwrap();
    until("the icon's menu to end the session", || {
        // Keys that no menu takes go where they end nothing.
        notes.take_keys(user)?;
        let pressed = panel.choose_last(user)?;
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            if gone()?.is_some() {
                return Ok(Some(pressed));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(None)
    })
    .unwrap()
}
