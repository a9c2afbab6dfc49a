//! Every message in every mode, from either end, by a counterpart with no
//! manners: what has no right has no effect, is counted, and is told.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopCommand, EndedBy, HumanAct, Output, SessionEvent};
use tasuki_peer::core::path::VideoFrame;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::message::{
    Either, EndReason, HostToViewer, Numbered, Packet, SessionMessage, ViewerToHost,
};
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::screen::{CursorPosition, CursorShape, MonitorId};
use tasuki_tests::hostile::puppet::{Puppet, events};
use tasuki_tests::world::desktop::layout;

/// The counterpart of `role`'s end in `mode`, everything granted that can be.
fn facing(role: Role, mode: Mode) -> Puppet {
    Puppet::accepted(role, mode, mode.ceiling())
}

/// All that a viewer can ask, with the right that it takes.
fn acts() -> Vec<(ViewerToHost, Capability)> {
    use Capability as C;
    use ViewerToHost as V;
    let key = PhysicalKey::ENTER;
    let input = |event| (V::Input(event), C::Operate);
    vec![
        input(InputEvent::PointerMove { monitor: MonitorId(0), x: 5, y: 5 }),
        input(InputEvent::Button { button: PointerButton::Left, action: KeyAction::Press }),
        input(InputEvent::Wheel { dx: 0, dy: 120 }),
        input(InputEvent::Key { key, action: KeyAction::Press }),
        input(InputEvent::Text("x".to_owned())),
        input(InputEvent::ReleaseAll),
        (V::ShowMonitor(MonitorId(1)), C::ChooseScreen),
        (V::NeedKeyFrame, C::SeeScreen),
        (V::ScreenshotTaken, C::Screenshot),
        (V::RecordingStarted, C::Record),
        (V::ListFolder { path: "/".to_owned() }, C::FetchFiles),
        (V::FetchFile { path: "/etc/passwd".to_owned() }, C::FetchFiles),
        (V::SendFile { name: "a".to_owned(), size: 1 }, C::SendFiles),
        (V::ReadClipboard, C::ReadClipboard),
        (V::WriteClipboard { content: Blob(vec![1]) }, C::WriteClipboard),
        (V::Draw { points: vec![(1, 1)] }, C::Point),
        (V::Reconnect, C::Reconnect),
    ]
}

fn words() -> Vec<HostToViewer> {
    vec![
        HostToViewer::Layout(layout(MonitorId(0))),
        HostToViewer::CursorShape(CursorShape {
            width: 1,
            height: 1,
            hot_x: 0,
            hot_y: 0,
            rgba: vec![0; 4],
        }),
        HostToViewer::Cursor(CursorPosition(None)),
        HostToViewer::InputPaused { for_ms: 1000 },
        HostToViewer::InputResumed,
        HostToViewer::Refused { wanted: Capability::Operate },
    ]
}

/// What this build can do at all.
const ABLE: [Capability; 5] = [
    Capability::SeeScreen,
    Capability::Operate,
    Capability::ChooseScreen,
    Capability::Screenshot,
    Capability::Chat,
];

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
            let told = tasuki_peer::core::io::DesktopEvent::Layout(layout(MonitorId(0)));
            puppet.turn(tasuki_peer::core::io::Input::Desktop(told));
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

/// S10, S23, T23: a viewer that tells of a screen of its own is not believed.
#[test]
fn s10_s23_a_host_takes_no_picture_no_layout_and_no_cursor_from_its_viewer() {
    for mode in Mode::ALL {
        for word in words() {
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

/// S17, S20, S25: all that an honest host says is on the list, and a viewer takes it.
#[test]
fn s17_a_viewer_shows_what_a_host_may_tell() {
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
    use tasuki_peer::core::io::{DesktopEvent, Input};
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

#[test]
fn s2_a_text_beyond_its_bound_and_a_pointer_on_another_monitor_do_not_reach_the_desktop() {
    let mut puppet = facing(Role::Agent, Mode::Control);
    let told = tasuki_peer::core::io::DesktopEvent::Layout(layout(MonitorId(0)));
    puppet.turn(tasuki_peer::core::io::Input::Desktop(told));
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
        ("falling numbers", tasuki_protocol::message::encode(&packet(vec![text(1), text(0)]))),
        ("the same number twice", tasuki_protocol::message::encode(&packet(vec![text(0), text(0)]))),
        ("far ahead", tasuki_protocol::message::encode(&packet(vec![text(1 << 40)]))),
        (
            "acknowledges what was never said",
            tasuki_protocol::message::encode(&Packet { acked: 1 << 40, ..packet(vec![]) }),
        ),
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
    let outputs = puppet
        .turn(tasuki_peer::core::io::Input::Human(HumanAct::Operate(InputEvent::Text("x".to_owned()))));
    assert!(events(&outputs).iter().any(|e| matches!(e, SessionEvent::InputDiscarded { .. })));
    puppet.say(SessionMessage::HostToViewer(HostToViewer::PictureResumed));
    puppet
        .turn(tasuki_peer::core::io::Input::Human(HumanAct::Operate(InputEvent::Text("y".to_owned()))));
    puppet.log.clear();
    for _ in 0..40 {
        puppet.wait(Duration::from_millis(100));
    }
    assert!(puppet.events().iter().any(|e| matches!(e, SessionEvent::InputDiscarded { .. })));
}
