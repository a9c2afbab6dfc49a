//! Every message in every mode, from either end, by a counterpart with no
//! manners: what has no right has no effect, is counted, and is told.

mod hand;
mod telling;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tasuki_peer::core::io::{
    DesktopCommand, DesktopEvent, EndedBy, HumanAct, Input, Output, SessionEvent,
};
use tasuki_peer::core::path::VideoFrame;
use tasuki_peer::shell::clock::Clock;
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::message::{
    Either, EndReason, HostToViewer, Numbered, Packet, SessionMessage, ViewerToHost, encode,
};
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::screen::{CursorPosition, MonitorId};
use tasuki_tests::hostile::puppet::{Puppet, events};
use tasuki_tests::hostile::vocabulary::{ABLE, acts, askings, signed_words, words};
use tasuki_tests::world::desktop::layout;

/// The counterpart of `role`'s end in `mode`, everything granted that can be.
fn facing(role: Role, mode: Mode) -> Puppet {
    Puppet::accepted(role, mode, mode.ceiling())
}

/// Every kind that the wire knows stands in the lists that these tests say: whoever adds a
/// message and forgets its refusals fails here.
#[test]
fn every_kind_of_message_that_the_wire_knows_is_said_by_these_tests() {
    let acts: Vec<ViewerToHost> = acts().into_iter().map(|(act, _)| act).chain(askings()).collect();
    let input = |act: &ViewerToHost| {
        let ViewerToHost::Input(event) = act else { return None };
        Some(event.clone())
    };
    assert_complete(&acts.iter().filter_map(input).collect::<Vec<_>>());
    assert_complete(&acts);
    assert_complete(&words().into_iter().chain(signed_words()).collect::<Vec<_>>());
}

/// Postcard begins an enum with its variant's number, and zeros are a value of everything else.
fn assert_complete<M: Serialize + DeserializeOwned>(said: &[M]) {
    let said: BTreeSet<u8> = said.iter().map(|message| encode(message)[0]).collect();
    let begins =
        |tag: &u8| postcard::take_from_bytes::<M>(&[&[*tag], [0; 64].as_slice()].concat()).is_ok();
    let known: BTreeSet<u8> = (0..0x80).filter(begins).collect();
    assert_eq!(said, known, "kinds of {}", std::any::type_name::<M>());
}

fn violation(outputs: &[Output]) -> Option<Capability> {
    events(outputs).into_iter().find_map(|event| {
        let SessionEvent::Violation { wanted, .. } = event else { return None };
        Some(wanted)
    })
}

/// The desktop was touched for the viewer.
fn touched(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| match output {
        Output::Desktop(
            DesktopCommand::Inject(..) | DesktopCommand::ReleaseAll | DesktopCommand::ShowMonitor(_),
        ) => true,
        Output::Desktop(
            DesktopCommand::StartCapture(_)
            | DesktopCommand::StartInjector(_)
            | DesktopCommand::Demand(_)
            | DesktopCommand::Stop,
        )
        | Output::ToServer(_)
        | Output::AskConsent(_)
        | Output::WithdrawQuestion
        | Output::OpenDirect(..)
        | Output::OpenRelay(..)
        | Output::Path(..)
        | Output::Picture(_)
        | Output::AskPerson(_)
        | Output::WithdrawPersonQuestion(_)
        | Output::Keep(_)
        | Output::Tell(_) => false,
    })
}

/// View: S14, S15, S16, T19. Share and show: S20, S24, S25, S26, S39, T22. All: T25,
/// T26, T27, T28. Each act against each mode, at the host.
#[test]
fn t19_t22_t25_t26_t27_t28_a_host_refuses_every_act_without_its_right_in_every_mode() {
    for mode in Mode::ALL {
        for (act, wanted) in acts() {
            let mut puppet = facing(mode.host(), mode);
            let told = DesktopEvent::Layout(layout(MonitorId(0)));
            puppet.turn(Input::Desktop(told));
            let outputs = puppet.say(SessionMessage::ViewerToHost(act.clone()));
            let may = mode.ceiling().has(wanted) && ABLE.contains(&wanted);
            assert_eq!(violation(&outputs), (!may).then_some(wanted), "{mode}: {act:?}");
            if !may {
                assert!(!touched(&outputs), "{mode}: {act:?} had an effect");
                puppet.wait(Duration::from_millis(50));
                let refused = SessionMessage::HostToViewer(HostToViewer::Refused { wanted });
                assert!(puppet.heard().contains(&refused), "{mode}: {act:?} was not told");
            }
            assert!(!puppet.peer.is_over(), "{mode}: a refusal is no end");
        }
    }
}

/// S21, T20-T23: the end that looks is never operated, asked or shown to itself.
#[test]
fn s20_s21_s23_t20_t23_a_viewing_end_does_nothing_for_a_host_that_plays_viewer() {
    for mode in Mode::ALL {
        for (act, wanted) in acts() {
            let mut puppet = facing(mode.viewer(), mode);
            let outputs = puppet.say(SessionMessage::ViewerToHost(act.clone()));
            assert_eq!(violation(&outputs), Some(wanted), "{mode}: {act:?}");
            let desktop = |output: &Output| matches!(output, Output::Desktop(_));
            assert!(!puppet.log.iter().any(desktop), "{mode}: {act:?} reached a desktop");
            assert!(puppet.heard().is_empty(), "{mode}: {act:?} was answered");
        }
    }
}

/// S10, S23, S96, T23: a viewer that tells of a screen of its own is not believed.
#[test]
fn s10_s23_a_host_takes_no_picture_no_layout_and_no_cursor_from_its_viewer() {
    for mode in Mode::ALL {
        for word in words().into_iter().chain(signed_words()) {
            let mut puppet = facing(mode.host(), mode);
            let outputs = puppet.say(SessionMessage::HostToViewer(word.clone()));
            assert_eq!(violation(&outputs), Some(Capability::SeeScreen), "{mode}: {word:?}");
            let shown = |output: &Output| matches!(output, Output::Picture(_));
            assert!(!puppet.log.iter().any(shown), "{mode}: {word:?} was shown");
        }
        let mut puppet = facing(mode.host(), mode);
        let outputs = puppet.show(frame(0, FrameKind::Key));
        assert_eq!(violation(&outputs), Some(Capability::SeeScreen), "{mode}");
        assert!(!outputs.iter().any(|output| matches!(output, Output::Picture(_))));
    }
}

/// All that an honest host tells is taken for what it is.
#[test]
fn a_viewer_shows_what_a_host_may_tell() {
    for mode in Mode::ALL {
        for word in words() {
            let mut puppet = facing(mode.viewer(), mode);
            let outputs = puppet.say(SessionMessage::HostToViewer(word.clone()));
            assert_eq!(violation(&outputs), None, "{mode}: {word:?}");
        }
    }
}

#[test]
fn s17_s20_s23_without_anybodys_act_the_viewing_end_says_nothing_at_all() {
    for mode in Mode::ALL {
        let mut puppet = facing(mode.viewer(), mode);
        for second in 0..5 {
            puppet.show(frame(second, FrameKind::Key));
            puppet.wait(Duration::from_secs(1));
        }
        assert!(puppet.heard().is_empty(), "{mode}: {:?}", puppet.heard());
    }
}

/// T21: there is no hook. What happens on the viewing end's own desktop is no act of its
/// person over the picture, and nothing of it leaves.
#[test]
fn t21_nothing_that_the_viewing_ends_own_desktop_tells_leaves_it() {
    for mode in Mode::ALL {
        let mut puppet = facing(mode.viewer(), mode);
        for event in [
            DesktopEvent::LocalInput,
            DesktopEvent::Layout(layout(MonitorId(0))),
            DesktopEvent::Cursor(CursorPosition(Some((1, 1)))),
            DesktopEvent::Frame(frame(0, FrameKind::Key)),
        ] {
            puppet.turn(Input::Desktop(event));
            puppet.wait(Duration::from_millis(200));
        }
        assert!(puppet.heard().is_empty(), "{mode}: {:?}", puppet.heard());
    }
}

fn frame(number: u32, kind: FrameKind) -> VideoFrame {
    VideoFrame { header: VideoHeader { number, kind }, vp8: vec![1, 2, 3] }
}

#[test]
fn chat_passes_both_ways_where_it_was_granted_and_not_where_it_was_not() {
    let line = SessionMessage::Either(Either::Chat("hello".to_owned()));
    for mode in Mode::ALL {
        for role in [Role::Operator, Role::Agent] {
            let outputs = facing(role, mode).say(line.clone());
            assert!(events(&outputs).contains(&SessionEvent::Chat { line: "hello".to_owned() }));
            let granted = mode.ceiling().without(Capability::Chat);
            let outputs = Puppet::accepted(role, mode, granted).say(line.clone());
            assert_eq!(violation(&outputs), Some(Capability::Chat), "{mode} {role:?}");
            let long = SessionMessage::Either(Either::Chat("x".repeat(4097)));
            let outputs = facing(role, mode).say(long);
            assert_eq!(violation(&outputs), Some(Capability::Chat), "{mode} {role:?}");
        }
    }
}

/// S31: a flood of lines is a load on the window in which End stands.
#[test]
fn s31_lines_that_come_faster_than_anybody_reads_are_counted_and_not_shown() {
    for role in [Role::Operator, Role::Agent] {
        let mut puppet = facing(role, Mode::Control);
        let mut shown = 0;
        for number in 0..1000 {
            let line = SessionMessage::Either(Either::Chat(format!("line {number}")));
            let outputs = puppet.say(line);
            shown += events(&outputs).iter().filter(|e| matches!(e, SessionEvent::Chat { .. })).count();
        }
        assert!((60..200).contains(&shown), "{role:?}: {shown}");
    }
}

/// S11, T16: what the person did not grant is not there, whatever the manifest says.
#[test]
fn s11_what_the_person_left_out_is_refused_like_what_the_mode_lacks() {
    for mode in [Mode::Manage, Mode::Control, Mode::Share] {
        let granted = mode.ceiling().without(Capability::Operate);
        let mut puppet = Puppet::accepted(mode.host(), mode, granted);
        let injector =
            |output: &Output| matches!(output, Output::Desktop(DesktopCommand::StartInjector(_)));
        assert!(!puppet.log.iter().any(injector), "{mode}: an injector without the right");
        let text = InputEvent::Text("x".to_owned());
        let outputs = puppet.say(SessionMessage::ViewerToHost(ViewerToHost::Input(text)));
        assert_eq!(violation(&outputs), Some(Capability::Operate), "{mode}");
    }
}

#[test]
fn t12_an_act_after_the_rights_end_has_no_effect() {
    let mut puppet = facing(Role::Agent, Mode::Control);
    puppet.now += Duration::from_secs(2 * 3600);
    let text = InputEvent::Text("x".to_owned());
    let outputs = puppet.say(SessionMessage::ViewerToHost(ViewerToHost::Input(text)));
    let stopped = |output: &Output| matches!(output, Output::Desktop(DesktopCommand::Stop));
    assert!(!touched(&outputs) && puppet.log.iter().any(stopped));
    let ended = SessionEvent::Ended { reason: EndReason::TimeOver, by: EndedBy::ThisEnd };
    assert!(puppet.events().contains(&ended));
}

/// F10, T12: rights of two hours, and a machine that sleeps for nine on the shell's own clock.
#[test]
fn t12_f10_what_the_machine_sleeps_through_ends_the_rights() {
    static ASLEEP_S: AtomicU64 = AtomicU64::new(0);
    let clock = Clock::reading(|| Duration::from_secs(ASLEEP_S.load(Ordering::Relaxed)));
    let mut puppet = facing(Role::Agent, Mode::Control);
    puppet.now = clock.now();
    let text = SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::Text("x".to_owned())));
    assert!(touched(&puppet.say(text.clone())), "awake, it counts");
    ASLEEP_S.store(9 * 3600, Ordering::Relaxed);
    puppet.now = clock.now();
    assert!(!touched(&puppet.say(text)));
    let ended = SessionEvent::Ended { reason: EndReason::TimeOver, by: EndedBy::ThisEnd };
    assert!(puppet.events().contains(&ended));
}

#[test]
fn s2_a_text_beyond_its_bound_and_a_pointer_on_another_monitor_do_not_reach_the_desktop() {
    let mut puppet = facing(Role::Agent, Mode::Control);
    let told = DesktopEvent::Layout(layout(MonitorId(0)));
    puppet.turn(Input::Desktop(told));
    let say = |puppet: &mut Puppet, event| {
        puppet.say(SessionMessage::ViewerToHost(ViewerToHost::Input(event)))
    };
    assert!(!touched(&say(&mut puppet, InputEvent::Text("x".repeat(4097)))));
    let away = InputEvent::PointerMove { monitor: MonitorId(1), x: 1, y: 1 };
    assert!(!touched(&say(&mut puppet, away)));
    let outside = InputEvent::PointerMove { monitor: MonitorId(0), x: 60_000, y: 60_000 };
    let outputs = say(&mut puppet, outside);
    let corner = InputEvent::PointerMove { monitor: MonitorId(0), x: 1919, y: 1079 };
    assert!(outputs.iter().any(
        |output| matches!(output, Output::Desktop(DesktopCommand::Inject(_, at)) if *at == corner)
    ));
}

#[test]
fn s30_t50_a_replayed_message_has_no_second_effect() {
    let mut puppet = facing(Role::Agent, Mode::Control);
    let text = SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::Text("x".to_owned())));
    let item = Numbered { number: 0, message: text };
    assert!(touched(&puppet.say_items(vec![item.clone()])));
    for _ in 0..10 {
        assert!(!touched(&puppet.say_items(vec![item.clone()])));
    }
}

#[test]
fn t59_what_breaks_the_protocol_ends_the_session_and_stops_the_desktop() {
    let text = |number| Numbered {
        number,
        message: SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::Text("x".to_owned()))),
    };
    let packet = |items| Packet { acked: 0, sent_ms: 1, echo: None, items };
    let broken: Vec<(&str, Vec<u8>)> = vec![
        ("no packet", vec![0xFF; 40]),
        ("nothing", vec![]),
        ("too long", vec![0; 301 * 1024]),
        ("falling numbers", encode(&packet(vec![text(1), text(0)]))),
        ("the same number twice", encode(&packet(vec![text(0), text(0)]))),
        ("far ahead", encode(&packet(vec![text(1 << 40)]))),
        ("acknowledges what was never said", encode(&Packet { acked: 1 << 40, ..packet(vec![]) })),
    ];
    for (name, bytes) in broken {
        for mode in Mode::ALL {
            let mut puppet = facing(mode.host(), mode);
            let outputs = puppet.say_bytes(bytes.clone());
            assert!(!touched(&outputs), "{name}");
            let ended = SessionEvent::Ended { reason: EndReason::Violation, by: EndedBy::ThisEnd };
            assert!(events(&outputs).contains(&ended), "{name}");
            let first = outputs.first();
            assert!(matches!(first, Some(Output::Desktop(DesktopCommand::Stop))), "{name}: {first:?}");
        }
    }
}

#[test]
fn t59_a_flood_of_refused_acts_neither_grows_nor_floods_the_log() {
    let mut puppet = facing(Role::Agent, Mode::View);
    let text = InputEvent::Text("x".to_owned());
    for _ in 0..5000 {
        puppet.say(SessionMessage::ViewerToHost(ViewerToHost::Input(text.clone())));
    }
    assert_eq!(puppet.peer.stats().violations, 5000);
    let told = puppet.events().iter().filter(|e| matches!(e, SessionEvent::Violation { .. })).count();
    assert!(told <= 101, "{told} events in 100 seconds");
}

/// A console must not look as if it had sent what it could not (T50).
#[test]
fn t50_a_viewing_end_tells_its_person_what_it_did_not_send() {
    let mut puppet = Puppet::accepted(Role::Operator, Mode::Control, Mode::Control.ceiling());
    puppet.say(SessionMessage::HostToViewer(HostToViewer::PicturePaused));
    let outputs = puppet.turn(Input::Human(HumanAct::Operate(InputEvent::Text("x".to_owned()))));
    assert!(events(&outputs).iter().any(|e| matches!(e, SessionEvent::InputDiscarded { .. })));
    puppet.say(SessionMessage::HostToViewer(HostToViewer::PictureResumed));
    puppet.turn(Input::Human(HumanAct::Operate(InputEvent::Text("y".to_owned()))));
    puppet.log.clear();
    for _ in 0..40 {
        puppet.wait(Duration::from_millis(100));
    }
    assert!(puppet.events().iter().any(|e| matches!(e, SessionEvent::InputDiscarded { .. })));
}
