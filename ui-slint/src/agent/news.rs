//! What the session that runs tells, and what of it is shown.
//!
//! Decides which page a session stands on. What may happen was decided before it is told.

use std::path::PathBuf;
use std::time::Instant;

use tasuki_peer::core::io::{EndedBy, Question};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::showable::one_line;

use super::asking::Asking;
use super::ended::{Ended, Ending, Summary};
use super::live::{Live, LiveQuestion, Open, QuestionKind, Stillness, Weather};
use super::model::{Effect, Model, NumberPage, Page, Said};

/// More letters of what the operator writes are not shown at a time.
const LONGEST_LINE: usize = 200;

#[derive(Debug, Clone)]
pub enum News {
    /// No session came about.
    Failed(Fault),
    Asked {
        question: Question,
        /// Sessions of this organisation that this computer has had before.
        met_before: u32,
    },
    /// The person's answer stands and the session begins; nothing granted means that it does not.
    Answered {
        granted: Rights,
        /// Seconds since 1970.
        at: u64,
    },
    /// A path stands, and what protects it.
    PathUp {
        path: PathKind,
        ciphers: String,
    },
    /// The session goes by this path from now on.
    PathChosen(PathKind),
    Reconnecting,
    /// The person's own hand is on the mouse or keyboard.
    OwnHand(bool),
    Paused(bool),
    AskedMore {
        kind: QuestionKind,
        seconds: u32,
        inert_ms: u32,
    },
    AskedMoreOver,
    /// A right begins or goes on, for so many seconds where it is not for the whole session.
    Allowed {
        rights: Rights,
        seconds: Option<u32>,
    },
    /// What the viewer may do from now on.
    Effective(Rights),
    PictureKept,
    /// The operator has written this.
    Wrote(String),
    /// The line that the person wrote last did not go out.
    NotSent,
    /// Where the page lies that both ends signed, or why it could not be kept.
    Receipt(Result<PathBuf, Fault>),
    Over {
        end: Option<(EndReason, EndedBy)>,
        fault: Option<Fault>,
    },
}

impl Model {
    pub(super) fn hear(&mut self, news: News, now: Instant) -> Vec<Effect> {
        match news {
            News::Failed(fault) => self.failed(fault),
            News::Asked { question, met_before } => {
                self.page = Page::Asking(Box::new(Asking::new(question, met_before, now)));
                vec![Effect::Present]
            }
            News::Answered { granted, at } => self.answered(granted, at, now),
            News::Receipt(kept) => {
                if let Page::Ended(ended) = &mut self.page {
                    ended.receipt = Some(kept);
                }
                Vec::new()
            }
            News::Over { end, fault } => self.over(end, fault, now),
            News::Wrote(line) => self.wrote(&line, now),
            News::PictureKept => {
                let Page::Live(live) = &mut self.page else { return Vec::new() };
                // Of this end's own pictures the person knows (T27).
                if live.is_seen() {
                    self.notice = Some(Said::PictureKept);
                }
                live.hear(news, now)
            }
            News::NotSent => {
                self.notice = Some(Said::NotSent);
                if let Page::Live(live) = &mut self.page {
                    live.talk.not_sent();
                }
                Vec::new()
            }
            News::PathUp { .. }
            | News::PathChosen(_)
            | News::Reconnecting
            | News::OwnHand(_)
            | News::Paused(_)
            | News::AskedMore { .. }
            | News::AskedMoreOver
            | News::Allowed { .. }
            | News::Effective(_) => match &mut self.page {
                Page::Live(live) => live.hear(news, now),
                Page::Trouble(_)
                | Page::Number(_)
                | Page::Connecting(_)
                | Page::Asking(_)
                | Page::Ended(_) => Vec::new(),
            },
        }
    }

    /// Kept whole, and told with as much of it as there is room for, unless the person looks at it.
    /// Takes the keys from nobody: what is being typed elsewhere may be a password.
    fn wrote(&mut self, line: &str, now: Instant) -> Vec<Effect> {
        let Page::Live(live) = &mut self.page else { return Vec::new() };
        let line = one_line(line);
        if line.is_empty() {
            return Vec::new();
        }
        live.talk.add(Role::Operator, line.clone(), live.moment(now));
        if live.open == Open::Talk {
            live.talk.read();
            return vec![Effect::Attend];
        }
        let end = if line.chars().nth(LONGEST_LINE).is_some() { "…" } else { "" };
        let shown: String = line.chars().take(LONGEST_LINE).chain(end.chars()).collect();
        self.notice = Some(Said::Wrote(shown));
        vec![Effect::Attend]
    }

    /// The number stays where it was typed, unless it is used up.
    fn failed(&mut self, fault: Fault) -> Vec<Effect> {
        let mut page = NumberPage::default();
        if let Page::Connecting(entry) = &mut self.page
            && !uses_up_the_number(&fault)
        {
            page.entry = std::mem::take(entry);
        }
        if fault == Fault::NumberRefused {
            page.entry.refused();
        } else {
            page.trouble = Some(fault);
        }
        self.page = Page::Number(page);
        Vec::new()
    }

    fn answered(&mut self, granted: Rights, at: u64, now: Instant) -> Vec<Effect> {
        let Page::Asking(asking) = &self.page else { return Vec::new() };
        if granted == Rights::NONE {
            return Vec::new();
        }
        let live = Live::new((*asking.question.manifest).clone(), granted, at, now);
        // Who only shows a screen of his own is let in nowhere.
        let met = live.is_seen().then_some(Effect::Met);
        self.page = Page::Live(Box::new(live));
        met.into_iter().collect()
    }

    fn over(
        &mut self,
        end: Option<(EndReason, EndedBy)>,
        fault: Option<Fault>,
        now: Instant,
    ) -> Vec<Effect> {
        let summary = match &self.page {
            Page::Live(live) => Some(Summary::of(live, now)),
            Page::Asking(_) => None,
            // Given up before anybody was asked.
            Page::Number(_) | Page::Trouble(_) | Page::Ended(_) => return Vec::new(),
            Page::Connecting(_) => return self.failed(fault.unwrap_or(Fault::ServerGone)),
        };
        // Of a session that is over; its summary counts the pictures.
        self.notice.take_if(|said| matches!(said, Said::PictureKept | Said::Wrote(_) | Said::NotSent));
        let how = Ending::of(end, fault);
        self.page = Page::Ended(Box::new(Ended { how, summary, receipt: None }));
        vec![Effect::Present]
    }
}

/// Whether no other try can be made with the same number.
fn uses_up_the_number(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NumberRefused
            | Fault::NumberExpired
            | Fault::NumberBurnt
            | Fault::NumberMistyped
            | Fault::TranscriptMismatch
            | Fault::ManifestRefused { .. }
            | Fault::Refused
            | Fault::NobodyAnswered
            | Fault::Withdrawn
            | Fault::PeerViolation
            | Fault::Wayland
            | Fault::OtherSystem
            | Fault::NoDisplay
            | Fault::Desktop { .. }
    )
}

impl Live {
    pub(super) fn hear(&mut self, news: News, now: Instant) -> Vec<Effect> {
        match news {
            News::PathUp { path, ciphers } => self.protection.stands(path, ciphers),
            News::PathChosen(path) => {
                self.protection.goes(Some(path));
                self.weather = Weather::Fine;
            }
            News::Reconnecting => {
                self.protection.goes(None);
                self.weather = Weather::Reconnecting;
            }
            // A held picture stays held, whatever the hand does.
            News::OwnHand(_) if self.stillness == Stillness::Paused => {}
            News::OwnHand(true) => self.stillness = Stillness::OwnHand,
            News::OwnHand(false) | News::Paused(false) => self.stillness = Stillness::None,
            News::Paused(true) => self.stillness = Stillness::Paused,
            News::AskedMore { kind, seconds, inert_ms } => {
                self.question = Some(LiveQuestion::new(kind, seconds, inert_ms, now));
                return vec![Effect::Present];
            }
            News::AskedMoreOver => {
                self.question = None;
                self.unsettle(now);
            }
            News::Allowed { rights, seconds } => self.allow(rights, seconds, now),
            News::Effective(rights) => {
                let gone: Vec<Capability> =
                    self.allowed.iter().filter(|right| !rights.has(*right)).collect();
                self.taken = Rights::of(&gone);
                self.timed.retain(|(right, _)| rights.has(*right));
            }
            News::PictureKept => self.pictures_kept = self.pictures_kept.saturating_add(1),
            News::Failed(_)
            | News::Asked { .. }
            | News::Answered { .. }
            | News::Receipt(_)
            | News::Wrote(_)
            | News::NotSent
            | News::Over { .. } => {}
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::model::Msg;
    use crate::agent::scenes;
    use crate::look::Shade;
    use std::time::Duration;
    use tasuki_peer::shell::texts::Lang;
    use tasuki_protocol::rights::Mode;

    fn scene(name: &str, now: Instant) -> Model {
        let mut all = scenes::all(Lang::En, Shade::Light, now).into_iter();
        all.find(|scene| scene.name == name).map(|scene| scene.model).expect("there is such a scene")
    }

    fn live(model: &Model) -> &Live {
        let Page::Live(live) = &model.page else { panic!("it lives") };
        live
    }

    fn wrote(model: &mut Model, line: &str, now: Instant) -> Vec<Effect> {
        model.hear(News::Wrote(line.to_owned()), now)
    }

    /// T2: or a look at the operator's own screen would save a cheat the five seconds before he sees hers.
    #[test]
    fn t2_an_organisation_is_met_by_a_session_that_lets_it_in_and_by_no_other() {
        let now = Instant::now();
        for mode in Mode::ALL {
            let mut model = scene("agent-number", now);
            let question = scenes::question(mode, Lang::En);
            let granted = question.grantable;
            let _ = model.hear(News::Asked { question, met_before: 1 }, now);
            let met = if mode.host() == Role::Agent { vec![Effect::Met] } else { Vec::new() };
            assert_eq!(model.hear(News::Answered { granted, at: 0 }, now), met, "{mode}");
        }
    }

    #[test]
    fn t2_what_the_operator_writes_is_one_short_line_and_stands_over_no_question() {
        let now = Instant::now();
        let mut model = scene("agent-live-more-rights", now);
        wrote(&mut model, &format!("Press\u{202E} Allow{}now", "\n".repeat(30)), now);
        assert_eq!(live(&model).talk.lines()[0].text, "Press Allow now");
        assert_eq!(model.told(), None, "the question stands alone");
        let _ = model.update(Msg::NotByHand, now);
        assert_eq!(model.told(), Some(&Said::NotByHand));
        wrote(&mut model, &"x".repeat(4000), now);
        let _ = model.hear(News::AskedMoreOver, now);
        let Some(Said::Wrote(shown)) = model.told() else { panic!("it is told after the question") };
        assert_eq!(shown.chars().count(), LONGEST_LINE + 1);
        let before = live(&model).talk.lines().len();
        assert_eq!(wrote(&mut model, "\n\u{200B}", now), [], "there is nothing to read");
        assert_eq!(live(&model).talk.lines().len(), before);
    }

    #[test]
    fn t2_a_line_of_the_operator_takes_the_keys_from_nobody_and_a_question_comes_to_the_front() {
        let now = Instant::now();
        for name in ["agent-live-view", "agent-live-talk", "agent-live-more-rights"] {
            let mut model = scene(name, now);
            assert_eq!(wrote(&mut model, "Hello", now), [Effect::Attend], "{name}");
        }
        let mut model = scene("agent-live-view", now);
        let kind = QuestionKind::Continue;
        let asked = model.hear(News::AskedMore { kind, seconds: 60, inert_ms: 800 }, now);
        assert_eq!(asked, [Effect::Present]);
    }

    #[test]
    fn a_line_that_did_not_go_out_is_marked_and_the_others_are_not() {
        let now = Instant::now();
        let mut model = scene("agent-live-talk", now);
        let later = now + Duration::from_secs(60);
        let _ = model.update(Msg::Written("And now?".to_owned()), later);
        let _ = model.hear(News::NotSent, later);
        let lines = live(&model).talk.lines();
        let unsent: Vec<_> = lines.iter().map(|line| (line.by, line.unsent)).collect();
        let expected = [(Role::Operator, false), (Role::Agent, false), (Role::Agent, true)];
        assert_eq!(unsent, expected);
        assert_eq!(model.told(), Some(&Said::NotSent));
    }

    #[test]
    fn t27_the_person_is_told_of_each_picture_of_his_screen_and_not_of_his_own() {
        let now = Instant::now();
        for name in ["agent-live-control", "agent-live-view", "agent-live-paused"] {
            let mut model = scene(name, now);
            let _ = model.update(Msg::News(Box::new(News::PictureKept)), now);
            assert_eq!(model.told(), Some(&Said::PictureKept), "{name}");
            assert_eq!(live(&model).pictures_kept, 1, "{name}");
        }
        let mut model = scene("agent-live-more-rights", now);
        let _ = model.update(Msg::News(Box::new(News::PictureKept)), now);
        assert_eq!(model.told(), None, "the question stands alone");
        let _ = model.hear(News::AskedMoreOver, now);
        assert_eq!(model.told(), Some(&Said::PictureKept), "after the question");
        let mut model = scene("agent-watching-show", now);
        let _ = model.update(Msg::News(Box::new(News::PictureKept)), now);
        assert_eq!((model.told(), live(&model).pictures_kept), (None, 1));
        let mut model = scene("agent-live-view", now);
        let _ = model.hear(News::PictureKept, now);
        let _ = model.hear(News::Over { end: None, fault: None }, now);
        assert_eq!(model.told(), None, "the summary counts it");
    }
}
