//! Rights that change in mid-session, questions to the host's person, and the held
//! picture, against a counterpart with no manners.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use tasuki_peer::core::io::{
    DesktopCommand, DesktopEvent, EndedBy, HumanAct, Input, KeyFrame, Output, PersonQuestionKind,
    Reply, SessionEvent,
};
use tasuki_peer::core::path::{PathCommand, PathEvent, VideoFrame};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::grant::{Change, MAX_GRANT_S, RightsChange};
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey};
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::message::{Asked, EndReason, HostToViewer, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::screen::{CursorPosition, MonitorId};
use tasuki_tests::hostile::puppet::{Puppet, events};
use tasuki_tests::world::desktop::layout;

const SHOWN: Digest = Digest([9; 32]);
const OPERATE: Rights = Rights::NONE.with(Capability::Operate);

fn ask(rights: Rights, seconds: u32) -> SessionMessage {
    SessionMessage::ViewerToHost(ViewerToHost::AskRights { rights, seconds })
}

fn text() -> SessionMessage {
    SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::Text("x".to_owned())))
}

fn answer(puppet: &mut Puppet, what: Asked, reply: Reply) -> Vec<Output> {
    puppet.turn(Input::Human(HumanAct::Answer { what, reply, shown: SHOWN }))
}

/// A real host whose person left out `left_out`, faced by a viewer.
fn host_without(mode: Mode, left_out: Capability) -> Puppet {
    Puppet::accepted(mode.host(), mode, mode.ceiling().without(left_out))
}

fn is_asked(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::AskPerson(_)))
}

fn injected(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Desktop(DesktopCommand::Inject(..))))
}

fn violated(outputs: &[Output]) -> Option<Capability> {
    events(outputs).into_iter().find_map(|event| {
        let SessionEvent::Violation { wanted, .. } = event else { return None };
        Some(wanted)
    })
}

fn changes(puppet: &Puppet) -> Vec<RightsChange> {
    let key = tasuki_tests::hostile::public(&match puppet.role {
        Role::Operator => tasuki_tests::hostile::operator_key(),
        Role::Agent => tasuki_tests::hostile::agent_key(),
    });
    let words = puppet.heard().into_iter().filter_map(|message| {
        let SessionMessage::HostToViewer(HostToViewer::RightsChanged { envelope }) = message else {
            return None;
        };
        Some(envelope)
    });
    words.map(|envelope| dsse::open(&envelope.0, &[key]).expect("signed by the host")).collect()
}

fn wait_a_while(puppet: &mut Puppet, seconds: u64) {
    for _ in 0..seconds * 2 {
        // Saying something takes 20 ms.
        puppet.wait(Duration::from_millis(480));
        puppet.say_items(vec![]);
    }
}

#[test]
fn t17_the_person_is_asked_only_for_what_mode_and_manifest_allow() {
    for mode in Mode::ALL {
        for wanted in Capability::ALL {
            let mut puppet = Puppet::accepted(mode.host(), mode, Rights::of(&[Capability::SeeScreen]));
            let outputs = puppet.say(ask(Rights::of(&[wanted]), 900));
            if mode.ceiling().has(wanted) {
                assert_eq!(violated(&outputs), None, "{mode} {wanted:?}");
            } else {
                assert_eq!(violated(&outputs), Some(wanted), "{mode} {wanted:?}");
                assert!(!is_asked(&outputs), "{mode} {wanted:?}");
            }
            assert!(!puppet.peer.is_over());
        }
    }
}

#[test]
fn t17_asking_for_nothing_or_for_no_time_or_too_long_is_no_question() {
    for (rights, seconds) in [(Rights::NONE, 60), (OPERATE, 0), (OPERATE, MAX_GRANT_S + 1)] {
        let mut puppet = host_without(Mode::Control, Capability::Operate);
        let outputs = puppet.say(ask(rights, seconds));
        assert!(violated(&outputs).is_some() && !is_asked(&outputs));
    }
}

#[test]
fn s20_s21_a_viewing_end_is_not_asked_for_rights_and_hears_no_receipt_before_the_end() {
    for mode in Mode::ALL {
        let mut puppet = Puppet::accepted(mode.viewer(), mode, mode.ceiling());
        let outputs = puppet.say(ask(Rights::of(&[Capability::SeeScreen]), 60));
        assert!(violated(&outputs).is_some() && !is_asked(&outputs), "{mode}");
        let early = HostToViewer::ReceiptOffered { envelope: Blob(vec![1]) };
        assert!(
            violated(&puppet.say(SessionMessage::HostToViewer(early))).is_none(),
            "told once a second"
        );
        assert_eq!(puppet.peer.stats().violations, 2, "{mode}");
    }
}

#[test]
fn t27_what_belongs_to_the_receipt_is_refused_while_the_session_lives() {
    for mode in Mode::ALL {
        for act in [
            ViewerToHost::ReceiptAwaited { software: "x".to_owned() },
            ViewerToHost::ReceiptSigned { envelope: Blob(vec![1]) },
        ] {
            let mut puppet = Puppet::accepted(mode.host(), mode, mode.ceiling());
            let outputs = puppet.say(SessionMessage::ViewerToHost(act));
            assert_eq!(violated(&outputs), Some(Capability::SeeScreen), "{mode}");
        }
    }
}

/// S44: what this machine does not let go, no question opens either.
#[test]
fn s44_what_this_machine_keeps_to_itself_is_refused_without_a_question_and_without_blame() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    let outputs = puppet.say(ask(Rights::of(&[Capability::FetchFiles]), 60));
    assert!(!is_asked(&outputs) && violated(&outputs).is_none());
    puppet.wait(Duration::from_millis(50));
    let refused = HostToViewer::Refused { wanted: Capability::FetchFiles };
    assert!(puppet.heard().contains(&SessionMessage::HostToViewer(refused)));
}

#[test]
fn s44_a_right_is_granted_for_the_asked_time_signed_counted_down_and_ends_by_itself() {
    for mode in [Mode::Manage, Mode::Control, Mode::Share] {
        let mut puppet = host_without(mode, Capability::Operate);
        assert!(!injected(&puppet.say(text())));
        let outputs = puppet.say(ask(OPERATE, 20));
        let question = outputs.iter().find_map(|output| {
            let Output::AskPerson(question) = output else { return None };
            Some(question.clone())
        });
        let asked = question.expect("the person is asked").kind;
        assert_eq!(asked, PersonQuestionKind::MoreRights { rights: OPERATE, for_seconds: 20 });
        puppet.wait(Duration::from_secs(1));
        let outputs = answer(&mut puppet, Asked::MoreRights, Reply::Yes);
        let starts = |o: &Output| matches!(o, Output::Desktop(DesktopCommand::StartInjector(_)));
        assert!(outputs.iter().any(starts), "{mode}");
        assert!(injected(&puppet.say(text())), "{mode}");
        let told = changes(&puppet);
        let [change] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((change.change, change.rights, change.seconds), (Change::Granted, OPERATE, 20));
        assert_eq!((change.shown, change.number), (SHOWN, 1));
        let line = puppet.peer.snapshot(puppet.now).rights;
        let line = line.iter().find(|line| line.right == Capability::Operate).expect("it is listed");
        assert!(line.ends_in_s.is_some_and(|left| (18..=20).contains(&left)), "{line:?}");
        wait_a_while(&mut puppet, 21);
        assert!(!injected(&puppet.say(text())), "{mode}: its time is over");
        let over = |e: &SessionEvent| matches!(e, SessionEvent::RightsEnded { rights, .. } if *rights == OPERATE);
        assert!(puppet.events().iter().any(over), "{mode}");
    }
}

#[test]
fn t2_a_yes_within_800_ms_is_none_and_while_the_person_is_asked_no_input_counts() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    let key = PhysicalKey::ENTER;
    let press = InputEvent::Key { key, action: KeyAction::Press };
    assert!(injected(&puppet.say(SessionMessage::ViewerToHost(ViewerToHost::Input(press)))));
    let outputs = puppet.say(ask(Rights::of(&[Capability::ChooseScreen]), 60));
    assert!(is_asked(&outputs));
    assert!(outputs.iter().any(|o| matches!(o, Output::Desktop(DesktopCommand::ReleaseAll))));
    assert!(!injected(&puppet.say(text())), "the viewer's hand is off");
    answer(&mut puppet, Asked::MoreRights, Reply::Yes);
    assert!(changes(&puppet).is_empty(), "too soon to be meant");
    assert!(!injected(&puppet.say(text())), "still asked");
    puppet.wait(Duration::from_millis(900));
    answer(&mut puppet, Asked::Continue, Reply::Yes);
    assert!(changes(&puppet).is_empty(), "an answer to another question");
    answer(&mut puppet, Asked::MoreRights, Reply::Yes);
    puppet.say_items(vec![]);
    assert_eq!(changes(&puppet).len(), 1);
    assert!(injected(&puppet.say(text())));
}

#[test]
fn t2_the_viewers_word_for_the_persons_yes_is_no_yes() {
    let mut puppet = host_without(Mode::Control, Capability::Operate);
    puppet.say(ask(OPERATE, 60));
    puppet.wait(Duration::from_secs(1));
    let forged = puppet.change(Change::Granted, OPERATE, 60);
    let envelope = Blob(dsse::sign(&forged, &puppet.own_key()));
    for word in
        [HostToViewer::RightsChanged { envelope }, HostToViewer::AskingOver { what: Asked::MoreRights }]
    {
        puppet.say(SessionMessage::HostToViewer(word));
    }
    assert!(!injected(&puppet.say(text())));
    assert!(changes(&puppet).is_empty());
}

#[test]
fn s29_silence_refuses_and_a_viewer_that_asks_again_and_again_is_not_heard() {
    let mut puppet = host_without(Mode::Control, Capability::Operate);
    assert!(is_asked(&puppet.say(ask(OPERATE, 60))));
    assert!(!is_asked(&puppet.say(ask(OPERATE, 60))), "one question at a time");
    wait_a_while(&mut puppet, 61);
    assert_eq!(changes(&puppet).last().map(|change| change.change), Some(Change::Silent));
    assert!(!injected(&puppet.say(text())));
    assert!(!is_asked(&puppet.say(ask(OPERATE, 60))), "just refused");
    wait_a_while(&mut puppet, 31);
    assert!(is_asked(&puppet.say(ask(OPERATE, 60))));
    answer(&mut puppet, Asked::MoreRights, Reply::No);
    puppet.say_items(vec![]);
    assert_eq!(changes(&puppet).last().map(|change| change.change), Some(Change::Refused));
    assert!(!injected(&puppet.say(text())));
}

#[test]
fn s31_the_person_takes_a_right_away_at_once_and_can_give_back_only_what_stood() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    assert!(injected(&puppet.say(text())));
    puppet.turn(Input::Human(HumanAct::TakeAway(OPERATE)));
    let outputs = puppet.say(text());
    assert!(!injected(&outputs));
    assert_eq!(violated(&outputs), Some(Capability::Operate));
    puppet.turn(Input::Human(HumanAct::GiveBack(OPERATE)));
    assert!(injected(&puppet.say(text())));
    let mut puppet = host_without(Mode::Control, Capability::Operate);
    puppet.turn(Input::Human(HumanAct::GiveBack(OPERATE)));
    assert!(!injected(&puppet.say(text())), "never granted");
}

#[test]
fn s31_without_the_right_to_see_no_frame_and_no_cursor_leaves_until_it_is_given_back() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::View, Mode::View.ceiling());
    let see = Rights::of(&[Capability::SeeScreen]);
    show(&mut puppet);
    puppet.turn(Input::Human(HumanAct::TakeAway(see)));
    assert!(nothing_leaves(&mut puppet));
    let outputs = puppet.turn(Input::Human(HumanAct::GiveBack(see)));
    assert!(demands_key_frame(&outputs));
}

/// The desktop tells everything that it can, as one that has not noticed yet.
fn show(puppet: &mut Puppet) -> Vec<Output> {
    let frame = VideoFrame { header: VideoHeader { number: 0, kind: FrameKind::Key }, vp8: vec![1] };
    let mut outputs = Vec::new();
    for event in [
        DesktopEvent::Layout(layout(MonitorId(0))),
        DesktopEvent::Cursor(CursorPosition(Some((1, 1)))),
        DesktopEvent::Frame(frame),
    ] {
        outputs.extend(puppet.turn(Input::Desktop(event)));
        puppet.wait(Duration::from_millis(20));
    }
    let path = puppet.path.expect("a path is up");
    outputs.extend(puppet.turn(Input::Path(path, PathEvent::VideoRoom)));
    outputs
}

fn nothing_leaves(puppet: &mut Puppet) -> bool {
    puppet.say_items(vec![]);
    let before = puppet.heard().len();
    let outputs = show(puppet);
    puppet.say_items(vec![]);
    let frames = outputs.iter().any(|o| matches!(o, Output::Path(_, PathCommand::SendVideo(_))));
    let demands = outputs.iter().any(|o| matches!(o, Output::Desktop(DesktopCommand::Demand(_))));
    !frames && !demands && puppet.heard().len() == before
}

fn demands_key_frame(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| {
        matches!(output, Output::Desktop(DesktopCommand::Demand(demand)) if demand.key_frame == KeyFrame::Forced)
    })
}

#[test]
fn s31_a_held_picture_sends_nothing_and_takes_no_input_in_every_mode_until_it_goes_on() {
    for mode in Mode::ALL {
        let mut puppet = Puppet::accepted(mode.host(), mode, mode.ceiling());
        show(&mut puppet);
        puppet.turn(Input::Human(HumanAct::Pause));
        assert!(nothing_leaves(&mut puppet), "{mode}");
        assert!(!injected(&puppet.say(text())), "{mode}");
        puppet.say(SessionMessage::ViewerToHost(ViewerToHost::NeedKeyFrame));
        puppet.wait(Duration::from_secs(1));
        assert!(nothing_leaves(&mut puppet), "{mode}");
        // The viewer cannot let it go on.
        puppet.say(SessionMessage::HostToViewer(HostToViewer::PictureResumed));
        assert!(nothing_leaves(&mut puppet), "{mode}");
        let outputs = puppet.turn(Input::Human(HumanAct::Resume));
        assert!(demands_key_frame(&outputs), "{mode}");
        puppet.wait(Duration::from_millis(50));
        let again = SessionMessage::HostToViewer(HostToViewer::Layout(layout(MonitorId(0))));
        assert!(puppet.heard().iter().filter(|said| **said == again).count() >= 2, "{mode}");
        assert_eq!(injected(&puppet.say(text())), mode.ceiling().has(Capability::Operate), "{mode}");
    }
}

#[test]
fn t34_outside_manage_the_person_is_asked_every_half_hour_and_silence_ends_it() {
    for mode in Mode::ALL {
        let mut puppet = Puppet::accepted(mode.host(), mode, mode.ceiling());
        wait_a_while(&mut puppet, 29 * 60);
        assert!(!is_asked(&puppet.log), "{mode}");
        wait_a_while(&mut puppet, 61);
        if mode == Mode::Manage {
            assert!(!is_asked(&puppet.log));
            continue;
        }
        assert!(is_asked(&puppet.log), "{mode}");
        assert!(!injected(&puppet.say(text())), "{mode}: no input while it is asked");
        answer(&mut puppet, Asked::Continue, Reply::Yes);
        assert_eq!(injected(&puppet.say(text())), mode.ceiling().has(Capability::Operate), "{mode}");
        puppet.log.clear();
        wait_a_while(&mut puppet, 30 * 60);
        assert!(is_asked(&puppet.log), "{mode}: asked again");
        wait_a_while(&mut puppet, 4 * 60 + 50);
        assert!(!events(&puppet.log).iter().any(|e| matches!(e, SessionEvent::Ended { .. })));
        wait_a_while(&mut puppet, 15);
        let ended = SessionEvent::Ended { reason: EndReason::NotContinued, by: EndedBy::ThisEnd };
        assert!(events(&puppet.log).contains(&ended), "{mode}");
        assert!(puppet.peer.is_over());
    }
}

#[test]
fn t34_a_no_ends_it_and_the_viewer_cannot_answer() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    wait_a_while(&mut puppet, 30 * 60 + 1);
    puppet.say(SessionMessage::HostToViewer(HostToViewer::AskingOver { what: Asked::Continue }));
    assert!(!injected(&puppet.say(text())));
    let outputs = answer(&mut puppet, Asked::Continue, Reply::No);
    let place = |wanted: fn(&Output) -> bool| outputs.iter().position(wanted).expect("it happens");
    let stop = place(|o| matches!(o, Output::Desktop(DesktopCommand::Stop)));
    assert!(stop < place(|o| matches!(o, Output::Path(..))), "local first: {outputs:?}");
    let ended = SessionEvent::Ended { reason: EndReason::NotContinued, by: EndedBy::ThisEnd };
    assert!(events(&outputs).contains(&ended));
}

/// A viewing end believes only the host's signed word, of this session, in order, in bounds.
#[test]
fn t17_a_viewing_end_takes_no_forged_replayed_or_wider_change() {
    let viewer = || {
        let granted = Mode::Control.ceiling().without(Capability::Operate);
        Puppet::accepted(Role::Operator, Mode::Control, granted)
    };
    let honest = viewer().change(Change::Granted, OPERATE, 60);
    let own = viewer().own_key();
    let stranger = SigningKey::from_bytes(&[99; 32]);
    let bad: Vec<(&str, RightsChange, &SigningKey)> = vec![
        ("another's signature", honest.clone(), &stranger),
        ("another pairing", RightsChange { transcript: Digest([1; 32]), ..honest.clone() }, &own),
        ("another manifest", RightsChange { manifest: Digest([1; 32]), ..honest.clone() }, &own),
        ("out of order", RightsChange { number: 2, ..honest.clone() }, &own),
        ("for ever", RightsChange { seconds: 0, ..honest.clone() }, &own),
        ("too long", RightsChange { seconds: MAX_GRANT_S + 1, ..honest.clone() }, &own),
        ("a time for a refusal", RightsChange { change: Change::Refused, ..honest.clone() }, &own),
        (
            "wider than the mode",
            RightsChange { rights: Rights::of(&[Capability::Reconnect]), ..honest },
            &own,
        ),
    ];
    let say = |puppet: &mut Puppet, change: &RightsChange, key: &SigningKey| {
        let envelope = Blob(dsse::sign(change, key));
        puppet.say(SessionMessage::HostToViewer(HostToViewer::RightsChanged { envelope }))
    };
    for (name, change, key) in &bad {
        let mut puppet = viewer();
        assert!(violated(&say(&mut puppet, change, key)).is_some(), "{name}");
        let outputs = puppet.turn(Input::Human(HumanAct::Operate(InputEvent::Text("x".to_owned()))));
        let refused = SessionEvent::Refused { wanted: Capability::Operate };
        assert!(events(&outputs).contains(&refused), "{name} was believed");
    }
    let mut puppet = viewer();
    assert!(violated(&say(&mut puppet, &honest, &own)).is_none());
    let outputs = puppet.turn(Input::Human(HumanAct::Operate(InputEvent::Text("x".to_owned()))));
    assert!(events(&outputs).is_empty(), "the honest word counts: {outputs:?}");
    assert!(violated(&say(&mut puppet, &honest, &own)).is_some(), "and only once");
}
