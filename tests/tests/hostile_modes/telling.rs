//! All that leaves a host, whatever happens there: S17, S20, S25.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopEvent, HumanAct, Input};
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::leg::FrameKind;
use tasuki_protocol::message::{Either, HostToViewer, SessionMessage, encode};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::screen::{CursorPosition, MonitorId};
use tasuki_tests::hostile::vocabulary::shape;
use tasuki_tests::world::MARKER;
use tasuki_tests::world::desktop::layout;

use super::{facing, frame};

/// What a host's word is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// The image: where its monitors are, and the pointer on it.
    Image,
    /// What the person at the host let the viewer do, and when.
    Session,
}

/// Without an arm for all: a new word has to be weighed against S17 here.
fn about(word: &HostToViewer) -> About {
    match word {
        HostToViewer::Layout(_) | HostToViewer::CursorShape(_) | HostToViewer::Cursor(_) => {
            About::Image
        }
        HostToViewer::InputPaused { .. }
        | HostToViewer::InputResumed
        | HostToViewer::Refused { .. }
        | HostToViewer::RightsChanged { .. }
        | HostToViewer::Asking { .. }
        | HostToViewer::AskingOver { .. }
        | HostToViewer::PicturePaused
        | HostToViewer::PictureResumed
        | HostToViewer::ReceiptOffered { .. } => About::Session,
    }
}

/// What the host's end has said, by subject. It says nothing that only a viewer says.
fn subjects(said: &[SessionMessage]) -> Vec<About> {
    let subject = |message: &SessionMessage| match message {
        SessionMessage::HostToViewer(word) => about(word),
        SessionMessage::Either(Either::End(_)) => About::Session,
        SessionMessage::Either(Either::Chat(_) | Either::Shown { .. })
        | SessionMessage::ViewerToHost(_)
        | SessionMessage::Withdrawn => panic!("a host said {message:?}"),
    };
    let mut subjects: Vec<About> = said.iter().map(subject).collect();
    subjects.sort();
    subjects
}

/// S17, S20, S25: everything that can happen at the host's own desktop and by its person's hand,
/// and all that leaves because of it.
#[test]
fn s17_s20_s25_all_that_a_host_says_is_the_image_its_pointer_and_how_the_session_stands() {
    use About::{Image, Session};
    let marker = String::from_utf8_lossy(MARKER).into_owned();
    let (desktop, human) = (Input::Desktop, Input::Human);
    let chat = Rights::of(&[Capability::Chat]);
    for mode in Mode::ALL {
        let mut puppet = facing(mode.host(), mode);
        let happenings: Vec<(Input, Vec<About>)> = vec![
            (desktop(DesktopEvent::Layout(layout(MonitorId(0)))), vec![Image]),
            (desktop(DesktopEvent::CursorShape(shape())), vec![Image]),
            (desktop(DesktopEvent::Cursor(CursorPosition(Some((3, 4))))), vec![Image]),
            (desktop(DesktopEvent::Frame(frame(0, FrameKind::Key))), vec![]),
            // The pause, and that it is over.
            (desktop(DesktopEvent::LocalInput), vec![Session, Session]),
            (human(HumanAct::ShowMonitor(MonitorId(1))), vec![]),
            (human(HumanAct::TakeAway(chat)), vec![Session]),
            (human(HumanAct::GiveBack(chat)), vec![Session]),
            (human(HumanAct::Pause), vec![Session]),
            // The image stands afresh.
            (human(HumanAct::Resume), vec![Image, Image, Session]),
            // Of a viewer's acts a host's person makes nothing.
            (human(HumanAct::Operate(InputEvent::Text(marker.clone()))), vec![]),
            (human(HumanAct::TookScreenshot), vec![]),
            // The sentence of a failure names files and displays: it is for this end's person.
            (desktop(DesktopEvent::Failed(marker.clone())), vec![Session]),
        ];
        for (happening, expected) in happenings {
            let shown = format!("{mode}: {happening:?}");
            let before = puppet.heard().len();
            puppet.turn(happening);
            for _ in 0..30 {
                puppet.wait(Duration::from_millis(100));
                puppet.say_items(vec![]);
            }
            let said = &puppet.heard()[before..];
            assert_eq!(subjects(said), expected, "{shown}: {said:?}");
            let bytes = said.iter().flat_map(encode).collect::<Vec<u8>>();
            assert!(!bytes.windows(MARKER.len()).any(|window| window == MARKER), "{shown}");
        }
        assert!(puppet.peer.is_over(), "{mode}: a lost screen ends it");
    }
}
