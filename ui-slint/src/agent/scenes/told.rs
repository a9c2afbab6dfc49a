//! States that differ from another one in a sentence: for `--mock` and the tests, and without a picture.

use std::time::Duration;

use tasuki_peer::core::io::EndedBy;
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;

use super::{Scene, Stage, begun, news, not_kept, question, then};
use crate::agent::entry::Typed;
use crate::agent::live::Open;
use crate::agent::model::{Msg, Said};
use crate::agent::news::News;

impl Stage {
    pub(super) fn in_a_sentence(self) -> Vec<Scene> {
        let mut scenes = self.of_a_number();
        scenes.extend(self.in_passing());
        scenes.extend(self.of_an_end());
        scenes
    }

    fn of_a_number(self) -> Vec<Scene> {
        let typed = |name, text| {
            let typed = Msg::NumberEdited(Typed::whole(text));
            self.told(name, vec![typed, Msg::ConnectPressed], Duration::ZERO)
        };
        vec![
            typed("agent-told-not-digits", "4829 15E0 6126"),
            typed("agent-told-too-few", "4829 1530"),
            typed("agent-told-too-many", "4829 1530 6126 4"),
        ]
    }

    fn in_passing(self) -> Vec<Scene> {
        let (early, late) = (Duration::from_secs(23), Duration::from_secs(754));
        let session = |mode, msg| {
            let mut msgs = begun(mode, self.lang);
            msgs.push(msg);
            msgs
        };
        let asked = News::Asked { question: question(Mode::View, self.lang), met_before: 2 };
        let over = News::Over { end: Some((EndReason::UserEnded, EndedBy::ThisEnd)), fault: None };
        let saved = Said::Saved("Documents/tasuki-receipt-1.html".to_owned());
        let mut relayed = session(Mode::Control, Msg::Opened(Open::Details));
        let (path, ciphers) = (PathKind::Relayed, "Noise · AES-256-GCM · TLS 1.3".to_owned());
        relayed.extend([news(News::PathUp { path, ciphers }), news(News::PathChosen(path))]);
        let mut unsent = session(Mode::View, Msg::Opened(Open::Talk));
        unsent.extend([Msg::Written(self.message().to_owned()), news(News::NotSent)]);
        vec![
            self.told("agent-told-bad-link", vec![Msg::Linked(None)], Duration::ZERO),
            self.told("agent-told-a-fault", vec![Msg::Told(Said::Fault(not_kept()))], Duration::ZERO),
            self.told("agent-told-not-by-hand", vec![news(asked), Msg::NotByHand], early),
            self.told("agent-told-picture-kept", session(Mode::View, news(News::PictureKept)), late),
            self.told("agent-told-not-sent", unsent, late),
            self.told("agent-told-details-relayed", relayed, late),
            then(
                self.told("agent-told-saved", begun(Mode::View, self.lang), late),
                [news(over), Msg::Told(saved)],
            ),
        ]
    }

    fn of_an_end(self) -> Vec<Scene> {
        let ended = |name, reason, by, fault| {
            let live = self.told(name, begun(Mode::Control, self.lang), Duration::from_secs(754));
            then(live, [news(News::Over { end: Some((reason, by)), fault })])
        };
        let (here, there) = (EndedBy::ThisEnd, EndedBy::OtherEnd);
        let desktop = Fault::Desktop { why: "no X server answers at :0; check DISPLAY".to_owned() };
        vec![
            ended("agent-told-time-over", EndReason::TimeOver, here, Some(Fault::TimeOver)),
            ended("agent-told-stopped", EndReason::ProgramEnded, here, None),
            ended("agent-told-not-continued", EndReason::NotContinued, here, Some(Fault::NotContinued)),
            ended("agent-told-screen-lost", EndReason::ScreenLost, here, Some(Fault::ScreenLost)),
            ended("agent-told-unexpected", EndReason::Violation, there, Some(Fault::PeerViolation)),
            ended("agent-told-another-end", EndReason::ScreenLost, here, Some(desktop)),
        ]
    }
}
