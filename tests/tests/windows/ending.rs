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
    lab::{Kind, Layout, Side, is_possible},
    running::{Process, until},
    stack::{AgentWindow, House, OperatorWindow, Site, Way},
};

use super::{Room, alone};

/// S31.
const WITHIN: Duration = Duration::from_millis(200);
/// A machine that is shared may be late, and not each time.
const TRIES: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Trouble {
    ServerStopped,
    CablePulled,
    /// Everything passes through it.
    RelayStopped,
    OperatorFrozen,
}

#[derive(Clone, Copy)]
enum Ends {
    Bar,
    StopKey,
    Tray,
}

/// What is out of order, which way the session goes, and by what the person ends it.
type Case = (Trouble, Way, Ends);

/// S31, S97: what a hand's press needs is on this computer alone, at the bar, the keys and the icon of the panel.
/// The receipt then has one name.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s31_end_needs_neither_server_nor_network_nor_the_operators_program() {
    let net = is_possible().then(open_net);
    let place = net.as_ref().map(|net| (net.site(), Side::BOTH.map(|side| net.at(side))));
    let place = place.unwrap_or_else(|| (Site::here().unwrap(), [Vec::new(), Vec::new()]));
    let mut room = Room::furnish_at(place, alone());
    let no_network = match &net {
        Some(_) => (Trouble::CablePulled, Way::Auto, Ends::StopKey),
        None => {
            eprintln!("SKIPPED: pulling a cable needs root; the relay is stopped instead");
            (Trouble::RelayStopped, Way::Relayed, Ends::StopKey)
        }
    };
    let cases: [Case; 3] = [
        (Trouble::ServerStopped, Way::Direct, Ends::Bar),
        no_network,
        (Trouble::OperatorFrozen, Way::Direct, Ends::Tray),
    ];
    let mut held = 0;
    for case in cases {
        let mut took = Vec::new();
        while took.len() < TRIES && took.iter().min().is_none_or(|least| *least >= WITHIN) {
            took.push(end_with((&mut room, net.as_ref()), held, case));
            held += 1;
        }
        assert!(took.iter().min() < Some(&WITHIN), "{:?}: {took:?}", case.0);
    }
}

fn open_net() -> Layout {
    let mut net = Layout::new().unwrap();
    net.connect(Kind::Open, Kind::Open).unwrap();
    net
}

/// Begins the trouble, or is over with it.
fn switch(
    what: Trouble,
    begins: bool,
    (house, window): (&House, &OperatorWindow<'_>),
    net: Option<&Layout>,
) {
    let signal = |process: &Process| {
        process.signal(if begins { Signal::STOP } else { Signal::CONT }).unwrap();
    };
    match what {
        Trouble::ServerStopped | Trouble::RelayStopped => signal(&house.server),
        Trouble::OperatorFrozen => signal(&window.process),
        Trouble::CablePulled if begins => net.unwrap().pull_cable(Side::Agent).unwrap(),
        Trouble::CablePulled => net.unwrap().plug_in(Side::Agent).unwrap(),
    }
}

/// One session after `before` others; gives how long after the press nothing saw the screen any more.
fn end_with(
    (room, net): (&mut Room, Option<&Layout>),
    before: usize,
    (what, way, ends): Case,
) -> Duration {
    let window = OperatorWindow::open(&room.house, &room.operator, way).unwrap();
    let panel = matches!(ends, Ends::Tray).then(|| Panel::open(&room.user).unwrap());
    let agent = match &panel {
        Some(panel) => AgentWindow::open_beside(&room.house, &room.user, panel).unwrap(),
        None => AgentWindow::open(&room.house, &room.user).unwrap(),
    };
    let rests = connections_of(&room.user, agent.process.id()).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    let runs = connections_of(&room.user, agent.process.id()).unwrap();
    assert!(runs > rests, "{what:?}: {rests} connections before, {runs} while it is seen");
    switch(what, true, (&room.house, &window), net);

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
        .unwrap_or_else(|why| panic!("{what:?}: {why:#}"));
    let took = pressed.elapsed();
    eprintln!("End with {what:?}: nothing reads the screen {took:.0?} later");
    let page = agent.over(&receipts).unwrap();
    assert!(receipt::verify(&page).unwrap().signed_by.contains(&Role::Agent));
    // Only now does the other side live again.
    switch(what, false, (&room.house, &window), net);
    let heard = room.session_after(before);
    assert!(heard.contains("\"ended_there\"") || heard.contains("\"lost\""), "{what:?}: {heard}");
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
