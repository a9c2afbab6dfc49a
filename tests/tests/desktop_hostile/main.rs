//! A modified client at either end of a real session: it pairs, is accepted, and then says over the
//! real relay all that an honest program never says. A real host on a real desktop refuses.

#![allow(clippy::unwrap_used)]

mod applications;
mod hands;
mod queue;
mod stranger;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};
use stranger::Stranger;
use tasuki_protocol::message::{
    Either, EndReason, EndToEnd, HostToViewer, SessionMessage, ViewerToHost,
};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_tests::desktop::{Desktop, Ear, Notepad, Size};
use tasuki_tests::hostile::vocabulary::{ABLE, acts};
use tasuki_tests::running::{Mark, Process, until};
use tasuki_tests::stack::{House, Way, start_operator};

const SIZE: Size = Size::new(800, 600);
/// The title of a window on the host's desktop: it may be seen, and not read.
const TITLE: &str = "title-of-a-private-window";

/// S14, S15, S16, S17, S53, T19. In Control the same viewer's hand counts, which shows that it would
/// have been heard.
#[tokio::test(flavor = "multi_thread")]
async fn s14_s15_s16_a_modified_viewer_over_the_real_relay_moves_nothing_on_a_real_desktop() {
    let (house, mut desk) = (House::set_up().unwrap(), Desktop::start(SIZE).unwrap());
    let kept = house.folder().join("kept.txt");
    let notes = Notepad::open(&mut desk, TITLE, "40x10+40+200", &kept).unwrap();
    for mode in [Mode::View, Mode::Control] {
        let (mut viewer, mut agent) = Stranger::as_operator(&house, &desk, mode).await;
        assert_bounds(&mut viewer, &mut agent, &desk, mode).await;
        assert_untouched(&notes, mode);
        viewer.say(SessionMessage::Either(Either::End(EndReason::OperatorEnded))).await;
        agent.wait_end().unwrap();
        if mode == Mode::View {
            assert_recorded(&house);
        }
    }
}

/// S53, T19: for whoever reads the ledger, and in what is counted of it.
fn assert_recorded(house: &House) {
    let tried = |record: &Value| {
        let event = &record["event"];
        event["type"] == "violation" && event["right"] == "operate" && record["by"] == "agent"
    };
    until("a record of the forbidden hand", || {
        let list = house.administrate(&["audit", "list", "--last", "0"]).ok();
        let records = list.as_ref().and_then(|list| list["records"].as_array());
        Ok(records.is_some_and(|records| records.iter().any(tried)).then_some(()))
    })
    .unwrap();
    let report = house.administrate(&["audit", "report"]).unwrap();
    assert!(report["totals"][0]["violations"].as_u64() > Some(0), "{report}");
}

/// S20, S21, S24, S25, S26, S39, T22, with the roles reversed: the operator's own program is the
/// host. In Share the user's hand counts, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn s20_s24_s25_s26_s39_a_modified_agent_gets_nothing_from_a_real_operators_desktop() {
    let (house, mut desk) = (House::set_up().unwrap(), Desktop::start(SIZE).unwrap());
    let kept = house.folder().join("kept.txt");
    let notes = Notepad::open(&mut desk, TITLE, "40x10+40+200", &kept).unwrap();
    let able = Rights::of(&ABLE);
    for mode in [Mode::Show, Mode::Share] {
        let mut operator = start_operator(&house, &desk, mode, Way::Relayed).unwrap();
        let mut viewer = Stranger::as_agent(&house, &operator, mode.ceiling().and(able), &[]).await;
        assert_bounds(&mut viewer, &mut operator, &desk, mode).await;
        assert_untouched(&notes, mode);
        viewer.say(SessionMessage::Either(Either::End(EndReason::UserEnded))).await;
        operator.wait_end().unwrap();
    }
}

/// S10, T23, T24, R1: all that a user's program gets from a real operator who looks at its screen or
/// operates it, byte by byte: through the path, and through the server under seal. Of addresses only
/// what the server's STUN saw, and relayed none.
#[tokio::test(flavor = "multi_thread")]
async fn s10_t23_t24_a_modified_agent_learns_no_name_and_no_hidden_address_of_a_real_operator() {
    let (mut house, desk) = (House::set_up().unwrap(), Desktop::start_bare(SIZE).unwrap());
    house.set(&["address_disclosure=public"]).unwrap();
    let names = names_of_this_computer(&house);
    // Whoever is written to there reads the operator's own address, which no translator hides.
    let lure = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    lure.set_nonblocking(true).unwrap();
    let place = lure.local_addr().unwrap();
    for (mode, way) in [(Mode::View, Way::Relayed), (Mode::Control, Way::Auto)] {
        let granted = mode.ceiling().and(Rights::of(&ABLE));
        // The stranger takes up one leg of the relay. On a busy machine the operator's program may
        // have given that one up already, for another: then they have missed each other.
        let (mut operator, mut agent) = loop {
            let mut operator = start_operator(&house, &desk, mode, way).unwrap();
            let mut agent = Stranger::as_agent(&house, &operator, granted, &[place]).await;
            operator.event(Mark::default(), "a path", |e| e["event"] == "path_up").unwrap();
            for line in ["chat good morning", "click 5 5", "key a"] {
                operator.say(line).unwrap();
            }
            agent.listen(Duration::from_secs(4)).await;
            if !agent.heard.is_empty() {
                break (operator, agent);
            }
            eprintln!("missed each other: {}", operator.log().tail(20));
            operator.kill();
        };
        let told = agent.told_through_the_server(Duration::from_secs(2)).await;
        for name in &names {
            let found = agent.bytes.windows(name.len()).any(|window| window == name.as_bytes());
            assert!(!found && !format!("{told:?}").contains(name), "{mode}: {name} was told: {told:?}");
        }
        for word in &told {
            let hidden = match word {
                EndToEnd::Candidate { line } => line.contains("typ srflx raddr 0.0.0.0"),
                EndToEnd::Software { version } => version.ends_with(env!("CARGO_PKG_VERSION")),
                EndToEnd::Consent { .. } | EndToEnd::End(_) => true,
            };
            let is_candidate = matches!(word, EndToEnd::Candidate { .. });
            assert!(hidden && !(is_candidate && way == Way::Relayed), "{mode}: {word:?}");
        }
        let came = lure.recv_from(&mut [0; 2048]).map_err(|error| error.kind());
        assert_eq!(came.map(|(_, source)| source), Err(ErrorKind::WouldBlock), "{mode}");
        agent.say(SessionMessage::Either(Either::End(EndReason::UserEnded))).await;
        operator.wait_end().unwrap();
    }
}

/// What an operator's program knows and has no reason to tell. Of three letters anything has some.
fn names_of_this_computer(house: &House) -> Vec<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let profile = house.profile().display().to_string();
    let names = [host.trim().to_owned(), std::env::var("USER").unwrap_or_default(), profile];
    names.into_iter().filter(|name| name.len() > 3).collect()
}

/// Does all that a viewer can, and looks at the host's desktop, at what its person is told, and at
/// what the viewer gets for it.
async fn assert_bounds(viewer: &mut Stranger, host: &mut Process, desk: &Desktop, mode: Mode) {
    viewer.until("a picture", |viewer| viewer.frames > 0).await;
    let ear = Ear::open(desk).unwrap();
    let mut refused = BTreeSet::new();
    for (act, wanted) in acts() {
        if !mode.ceiling().has(wanted) || !ABLE.contains(&wanted) {
            refused.insert(wanted);
        }
        viewer.act(act).await;
    }
    // A picture after all of it: the host lives, and has read what came before.
    let frames = viewer.frames;
    viewer.act(ViewerToHost::NeedKeyFrame).await;
    viewer.until("a picture after it", |viewer| viewer.frames > frames).await;
    let heard = ear.heard().unwrap();
    assert_eq!(heard > 0, mode.ceiling().has(Capability::Operate), "{mode}: {heard} events");
    for wanted in &refused {
        let is_told = |e: &Value| e["event"] == "violation" && e["wanted"] == json!(wanted);
        host.event(Mark::default(), &format!("violation for {wanted:?}"), is_told).unwrap();
        let told = SessionMessage::HostToViewer(HostToViewer::Refused { wanted: *wanted });
        viewer.until(&format!("{told:?}"), |viewer| viewer.heard.contains(&told)).await;
    }
    let told = host.events(Mark::default());
    let blamed: BTreeSet<String> =
        told.iter().filter(|e| e["event"] == "violation").map(|e| e["wanted"].to_string()).collect();
    let expected: BTreeSet<String> = refused.iter().map(|wanted| json!(wanted).to_string()).collect();
    assert_eq!(blamed, expected, "{mode}");
    assert!(host.is_running(), "{mode}: a refusal is no end");
    assert_tells_only_the_image(viewer, mode);
}

/// The window has the focus: whatever is typed at all is typed there.
fn assert_untouched(notes: &Notepad, mode: Mode) {
    if !mode.ceiling().has(Capability::Operate) {
        assert_eq!(notes.text().unwrap(), "", "{mode}");
    }
}

/// S17, S20, S25, S10: every byte beside the image, as it came out of the sealed leg.
fn assert_tells_only_the_image(viewer: &Stranger, mode: Mode) {
    for message in &viewer.heard {
        let SessionMessage::HostToViewer(word) = message else {
            panic!("{mode}: a host said {message:?}")
        };
        assert!(
            matches!(
                word,
                HostToViewer::Layout(_)
                    | HostToViewer::CursorShape(_)
                    | HostToViewer::Cursor(_)
                    | HostToViewer::InputPaused { .. }
                    | HostToViewer::InputResumed
                    | HostToViewer::Refused { .. }
            ),
            "{mode}: {word:?}"
        );
    }
    let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    // A name of three letters is found in anything.
    for name in [TITLE, host_name.trim()].into_iter().filter(|name| name.len() > 3) {
        let found = viewer.bytes.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(!found, "{mode}: {name} was told");
    }
}
