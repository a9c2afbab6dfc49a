//! A session that runs: what the operator may do and until when, what stands still, what is asked.
//!
//! Shows what the host's core decided; the acts of the person go to it and take effect there.

use std::time::{Duration, Instant};

use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::Requirement;

use super::asking::{INERT, ceil};
use super::model::{Effect, Msg, Spot};

#[derive(Debug, Clone)]
pub struct Live {
    pub manifest: Manifest,
    /// What the person has allowed, for the session or for a time.
    pub allowed: Rights,
    /// Of these, what he has taken away meanwhile.
    pub taken: Rights,
    /// Rights that end by themselves.
    pub timed: Vec<(Capability, Instant)>,
    pub since: Instant,
    /// Seconds since 1970 at the beginning, for the summary.
    pub began_at: u64,
    pub weather: Weather,
    pub stillness: Stillness,
    /// What protects the session, in the words of the path.
    pub protection: String,
    pub question: Option<LiveQuestion>,
    pub pictures_kept: u32,
    ending: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Fine,
    Reconnecting,
}

/// Why nothing moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stillness {
    None,
    /// The person uses his own mouse or keyboard (T32).
    OwnHand,
    /// He holds the picture.
    Paused,
}

/// One short question; no is the answer of silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveQuestion {
    pub kind: QuestionKind,
    until: Instant,
    awake_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionKind {
    MoreRights {
        rights: Rights,
        for_seconds: u32,
    },
    /// Asked from time to time (T34).
    Continue,
}

impl LiveQuestion {
    pub fn new(kind: QuestionKind, seconds: u32, inert_ms: u32, now: Instant) -> Self {
        let inert = INERT.max(Duration::from_millis(inert_ms.into()));
        Self { kind, until: now + Duration::from_secs(seconds.into()), awake_at: now + inert }
    }

    pub fn seconds_left(&self, now: Instant) -> u64 {
        ceil(self.until.saturating_duration_since(now))
    }

    pub fn is_awake(&self, now: Instant) -> bool {
        now >= self.awake_at
    }
}

impl Live {
    pub fn new(manifest: Manifest, allowed: Rights, began_at: u64, now: Instant) -> Self {
        Self {
            manifest,
            allowed,
            taken: Rights::NONE,
            timed: Vec::new(),
            since: now,
            began_at,
            weather: Weather::Fine,
            stillness: Stillness::None,
            protection: String::new(),
            question: None,
            pictures_kept: 0,
            ending: None,
        }
    }

    /// Whether this computer is the one that is seen.
    pub fn is_seen(&self) -> bool {
        self.manifest.mode.host() == Role::Agent
    }

    /// Whether what is pressed can no longer be the end of what was pressed at the question. The end is
    /// open from the first moment all the same.
    pub fn is_settled(&self, now: Instant) -> bool {
        now >= self.since + INERT
    }

    /// Whether the operator's hand reaches this computer: a right in force, and no pause.
    pub fn is_operated(&self) -> bool {
        self.is_seen()
            && self.allowed.has(Capability::Operate)
            && !self.taken.has(Capability::Operate)
            && self.stillness != Stillness::Paused
    }

    pub fn mode(&self) -> Mode {
        self.manifest.mode
    }

    pub fn is_recorded(&self) -> bool {
        self.manifest.recording == Requirement::Required || self.allowed.has(Capability::Record)
    }

    /// Whether this may be taken away alone. Seeing ends with the session.
    pub fn is_choosable(&self, capability: Capability) -> bool {
        let recorded = self.manifest.recording == Requirement::Required;
        self.is_seen()
            && capability != Capability::SeeScreen
            && !(recorded && capability == Capability::Record)
    }

    /// Seconds until this right ends by itself; 0 for as long as the session.
    pub fn seconds_left(&self, capability: Capability, now: Instant) -> u64 {
        let timed = self.timed.iter().find(|(right, _)| *right == capability);
        timed.map_or(0, |(_, until)| ceil(until.saturating_duration_since(now)))
    }

    pub fn end(&self) -> Vec<Effect> {
        vec![Effect::End]
    }

    pub(super) fn sleep(&mut self, now: Instant) {
        if let Some(question) = &mut self.question {
            question.awake_at = now + INERT;
        }
    }

    pub(super) fn pressed(&mut self, msg: &Msg, now: Instant) -> Vec<Effect> {
        match *msg {
            Msg::EndPressed => {
                self.ending = Some(now);
                self.end()
            }
            // The second half of a double click on Allow, which stood at the same place.
            Msg::PausePressed(_, Spot::Page) if !self.is_settled(now) => Vec::new(),
            Msg::PausePressed(wanted, Spot::Page | Spot::Bar) => {
                self.stillness = if wanted { Stillness::Paused } else { Stillness::None };
                vec![if wanted { Effect::Pause } else { Effect::Resume }]
            }
            Msg::Taken(capability, stays) if self.is_choosable(capability) => {
                self.take(capability, stays)
            }
            Msg::AnswerPressed { yes, shown } => self.answer(yes, shown, now),
            Msg::LanguageSwitched
            | Msg::ShadeChosen(_)
            | Msg::AboutShown(_)
            | Msg::Checkup(_)
            | Msg::NoticeGone
            | Msg::NumberEdited(_)
            | Msg::Linked(_)
            | Msg::Presented
            | Msg::ConnectPressed
            | Msg::CancelPressed
            | Msg::TryAgainPressed
            | Msg::ClosePressed
            | Msg::NoticeRead
            | Msg::Granted(..)
            | Msg::AcceptPressed { .. }
            | Msg::RefusePressed { .. }
            | Msg::NotByHand
            | Msg::Taken(..)
            | Msg::KeepPicturePressed
            | Msg::ReceiptOpened
            | Msg::ReceiptSaved
            | Msg::AnotherPressed
            | Msg::News(_)
            | Msg::Told(_)
            | Msg::TrayThere(_)
            | Msg::Tick => Vec::new(),
        }
    }

    fn take(&mut self, capability: Capability, stays: bool) -> Vec<Effect> {
        let right = Rights::of(&[capability]);
        if stays {
            self.taken = self.taken.without(capability);
            return vec![Effect::GiveBack(right)];
        }
        self.taken = self.taken.with(capability);
        vec![Effect::TakeAway(right)]
    }

    fn answer(&mut self, yes: bool, shown: Digest, now: Instant) -> Vec<Effect> {
        let Some(question) = self.question else { return Vec::new() };
        if yes && !question.is_awake(now) {
            return Vec::new();
        }
        self.question = None;
        vec![Effect::Answer { kind: question.kind, yes, shown }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::scenes;

    fn live(mode: Mode, now: Instant) -> Live {
        let question = scenes::question(mode);
        Live::new(*question.manifest, question.grantable, 0, now)
    }

    fn asked(kind: QuestionKind, now: Instant) -> Live {
        let mut live = live(Mode::View, now);
        live.question = Some(LiveQuestion::new(kind, 60, 0, now));
        live
    }

    #[test]
    fn s31_the_end_is_one_press_away_whatever_stands_on_the_screen() {
        let now = Instant::now();
        let mut live = asked(QuestionKind::Continue, now);
        live.weather = Weather::Reconnecting;
        live.stillness = Stillness::Paused;
        assert_eq!(live.pressed(&Msg::EndPressed, now), [Effect::End]);
    }

    #[test]
    fn t2_a_yes_in_mid_session_sleeps_for_800_milliseconds_and_a_no_does_not() {
        let now = Instant::now();
        let rights = Rights::of(&[Capability::Operate]);
        let kind = QuestionKind::MoreRights { rights, for_seconds: 900 };
        let answer = |yes| Msg::AnswerPressed { yes, shown: Digest([1; 32]) };
        let mut live = asked(kind, now);
        assert_eq!(live.pressed(&answer(true), now), []);
        assert_eq!(live.pressed(&answer(true), now + INERT).len(), 1);
        let mut live = asked(kind, now);
        assert_eq!(live.pressed(&answer(false), now).len(), 1);
        assert_eq!(live.question, None);
    }

    #[test]
    fn a_double_click_on_allow_does_not_pause_and_the_end_is_open_at_once() {
        let now = Instant::now();
        let early = now + INERT - Duration::from_millis(1);
        let mut live = live(Mode::Control, now);
        assert_eq!(live.pressed(&Msg::PausePressed(true, Spot::Page), early), []);
        assert_eq!(live.stillness, Stillness::None);
        let pressed = live.pressed(&Msg::PausePressed(true, Spot::Page), now + INERT);
        assert_eq!(pressed, [Effect::Pause]);
        assert_eq!(live.pressed(&Msg::EndPressed, early), [Effect::End]);
    }

    #[test]
    fn t33_what_is_said_to_be_operated_follows_the_rights_in_force_and_the_pause() {
        let now = Instant::now();
        let mut live = live(Mode::Control, now);
        assert!(live.is_operated());
        let _ = live.pressed(&Msg::Taken(Capability::Operate, false), now);
        assert!(!live.is_operated());
        let _ = live.pressed(&Msg::Taken(Capability::Operate, true), now);
        let _ = live.pressed(&Msg::PausePressed(true, Spot::Bar), now);
        assert!(!live.is_operated());
        let _ = live.pressed(&Msg::PausePressed(false, Spot::Bar), now);
        assert!(live.is_operated());
    }

    #[test]
    fn t33_pause_of_the_bar_holds_from_the_first_moment() {
        let now = Instant::now();
        let mut live = live(Mode::Control, now);
        assert_eq!(live.pressed(&Msg::PausePressed(true, Spot::Bar), now), [Effect::Pause]);
        assert_eq!(live.pressed(&Msg::PausePressed(false, Spot::Bar), now), [Effect::Resume]);
    }

    #[test]
    fn a_right_can_be_taken_away_and_given_back_and_seeing_ends_with_the_session_only() {
        let now = Instant::now();
        let mut live = live(Mode::Control, now);
        let right = Rights::of(&[Capability::Operate]);
        let taken = live.pressed(&Msg::Taken(Capability::Operate, false), now);
        assert_eq!(taken, [Effect::TakeAway(right)]);
        let back = live.pressed(&Msg::Taken(Capability::Operate, true), now);
        assert_eq!(back, [Effect::GiveBack(right)]);
        assert_eq!(live.pressed(&Msg::Taken(Capability::SeeScreen, false), now), []);
    }
}
