//! A session that runs: what the operator may do and until when, what stands still, what is asked.
//!
//! Shows what the host's core decided; the acts of the person go to it and take effect there.

use std::time::{Duration, Instant};

use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::message::MAX_CHAT_BYTES;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::Requirement;

use super::asking::{INERT, Sleep, ceil};
use super::looking::Look;
use super::model::{Effect, Msg, Spot};
use super::protection::Protection;
use super::talk::Talk;

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
    pub protection: Protection,
    pub talk: Talk,
    pub open: Open,
    pub look: Look,
    pub question: Option<LiveQuestion>,
    pub pictures_kept: u32,
    /// Rights that came in mid-session, in order: their rows stand below the others, and move none.
    joined: Vec<Capability>,
    settled_at: Instant,
    /// Before it no other picture is kept.
    next_picture: Option<Instant>,
}

/// What the person has opened over the list of rights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Open {
    #[default]
    Nothing,
    Talk,
    /// How the session is protected.
    Details,
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
    sleep: Sleep,
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
        let until = now + Duration::from_secs(seconds.into());
        Self { kind, until, sleep: Sleep::of(inert, now) }
    }

    pub fn seconds_left(&self, now: Instant) -> u64 {
        ceil(self.until.saturating_duration_since(now))
    }

    pub fn is_awake(&self, now: Instant) -> bool {
        self.sleep.is_over(now)
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
            protection: Protection::default(),
            talk: Talk::default(),
            open: Open::Nothing,
            look: Look::default(),
            question: None,
            pictures_kept: 0,
            joined: Vec::new(),
            settled_at: now + INERT,
            next_picture: None,
        }
    }

    /// Whether this computer is the one that is seen.
    pub fn is_seen(&self) -> bool {
        self.manifest.mode.host() == Role::Agent
    }

    /// `now` by the clock of the day, in seconds since 1970.
    pub(super) fn moment(&self, now: Instant) -> u64 {
        self.began_at.saturating_add(now.saturating_duration_since(self.since).as_secs())
    }

    /// Whether what is pressed on the page can no longer be the end of what was pressed at a question,
    /// before the session or in it. The end is open from the first moment all the same.
    pub fn is_settled(&self, now: Instant) -> bool {
        now >= self.settled_at
    }

    pub(super) fn unsettle(&mut self, now: Instant) {
        self.settled_at = now + INERT;
    }

    /// In which order the rows of rights stand: as at the beginning, then as they came.
    pub fn row(&self, capability: Capability) -> usize {
        self.joined.iter().position(|joined| *joined == capability).map_or(0, |place| place + 1)
    }

    pub(super) fn allow(&mut self, rights: Rights, seconds: Option<u32>, now: Instant) {
        for right in rights.iter() {
            if !self.allowed.has(right) {
                self.joined.push(right);
            }
            self.allowed = self.allowed.with(right);
            self.taken = self.taken.without(right);
            self.timed.retain(|(timed, _)| *timed != right);
            if let Some(seconds) = seconds {
                self.timed.push((right, now + Duration::from_secs(seconds.into())));
            }
        }
    }

    /// Whether either side may write to the other now.
    pub fn may_write(&self) -> bool {
        self.allowed.has(Capability::Chat) && !self.taken.has(Capability::Chat)
    }

    /// Whether this end may keep pictures of the other's screen (T27).
    pub fn may_keep(&self) -> bool {
        !self.is_seen()
            && self.allowed.has(Capability::Screenshot)
            && !self.taken.has(Capability::Screenshot)
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

    /// Whether it may come to end by itself while its row stands.
    pub fn is_lendable(&self, capability: Capability) -> bool {
        capability == Capability::Operate || self.joined.contains(&capability)
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
            question.sleep = Sleep::of(INERT, now);
        }
    }

    pub(super) fn comes_round(&mut self, now: Instant) {
        if let Some(question) = &mut self.question {
            question.sleep.comes_round(now);
        }
    }

    pub(super) fn pressed(&mut self, msg: &Msg, now: Instant) -> Vec<Effect> {
        match *msg {
            Msg::EndPressed => self.end(),
            // The second half of a double click on Allow, which stood at the same place. What takes away
            // is never late.
            Msg::PausePressed(_, Spot::Page) | Msg::Taken(_, true) if !self.is_settled(now) => {
                Vec::new()
            }
            Msg::PausePressed(wanted, Spot::Page | Spot::Bar) => {
                self.stillness = if wanted { Stillness::Paused } else { Stillness::None };
                vec![if wanted { Effect::Pause } else { Effect::Resume }]
            }
            Msg::Taken(capability, stays) if self.is_choosable(capability) => {
                self.take(capability, stays)
            }
            Msg::AnswerPressed { yes, shown } => self.answer(yes, shown, now),
            Msg::Opened(what) => {
                self.open = what;
                if what == Open::Talk {
                    self.talk.read();
                }
                Vec::new()
            }
            Msg::Looked(how) => {
                self.look.change(how);
                Vec::new()
            }
            Msg::Written(ref line) => self.write(line, now),
            // The other side is told of each, and of no more than the core lets be told (T27).
            Msg::KeepPicturePressed
                if self.may_keep() && self.next_picture.is_none_or(|at| at <= now) =>
            {
                self.next_picture = Some(now + INERT);
                vec![Effect::KeepPicture]
            }
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
        // It holds once the host's core says so: meanwhile its time may have ended.
        if stays {
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
        self.unsettle(now);
        vec![Effect::Answer { kind: question.kind, yes, shown }]
    }

    /// The host's core decides anew; what the right does not cover is not even asked of it.
    fn write(&mut self, line: &str, now: Instant) -> Vec<Effect> {
        let line = line.trim();
        if line.is_empty() || line.len() > MAX_CHAT_BYTES || !self.may_write() {
            return Vec::new();
        }
        self.talk.add(Role::Agent, line.to_owned(), self.moment(now));
        vec![Effect::Write(line.to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::asking::PAINTED;
    use crate::agent::news::News;
    use crate::agent::scenes;
    use tasuki_peer::shell::texts::Lang;

    fn live(mode: Mode, now: Instant) -> Live {
        let question = scenes::question(mode, Lang::En);
        Live::new(*question.manifest, question.grantable, 0, now)
    }

    #[test]
    fn t27_a_picture_of_the_other_screen_is_kept_by_right_only() {
        let now = Instant::now();
        let mut live = live(Mode::Show, now);
        live.allowed = live.allowed.with(Capability::Screenshot);
        assert_eq!(live.pressed(&Msg::KeepPicturePressed, now), [Effect::KeepPicture]);
        let soon = live.pressed(&Msg::KeepPicturePressed, now + Duration::from_millis(499));
        assert_eq!(soon, [], "the other side would not be told of it");
        let later = now + INERT;
        assert_eq!(live.pressed(&Msg::KeepPicturePressed, later), [Effect::KeepPicture]);
        live.allowed = live.allowed.without(Capability::Screenshot);
        assert!(live.pressed(&Msg::KeepPicturePressed, later + INERT).is_empty());
    }

    fn asked(kind: QuestionKind, now: Instant) -> Live {
        let mut live = live(Mode::View, now);
        live.question = Some(LiveQuestion::new(kind, 60, 0, now));
        (0..PAINTED).for_each(|_| live.comes_round(now));
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
    fn a_double_click_on_an_answer_in_mid_session_neither_pauses_nor_gives_and_taking_away_holds_at_once()
     {
        let now = Instant::now();
        let rights = Rights::of(&[Capability::Operate]);
        let mut live = asked(QuestionKind::MoreRights { rights, for_seconds: 900 }, now);
        let later = now + Duration::from_secs(20);
        let yes = Msg::AnswerPressed { yes: true, shown: Digest([1; 32]) };
        assert_eq!(live.pressed(&yes, later).len(), 1);
        let second = later + INERT - Duration::from_millis(1);
        assert_eq!(live.pressed(&Msg::PausePressed(true, Spot::Page), second), []);
        let right = Rights::of(&[Capability::Screenshot]);
        let stays = |stays| Msg::Taken(Capability::Screenshot, stays);
        assert_eq!(live.pressed(&stays(false), second), [Effect::TakeAway(right)]);
        assert_eq!(live.pressed(&stays(true), second), []);
        assert!(live.taken.has(Capability::Screenshot));
        assert_eq!(live.pressed(&stays(true), later + INERT), [Effect::GiveBack(right)]);
    }

    #[test]
    fn a_line_goes_out_only_while_messages_are_allowed_and_as_long_as_one_may_be() {
        let now = Instant::now();
        let write = |live: &mut Live, line: &str| live.pressed(&Msg::Written(line.to_owned()), now);
        let mut live = live(Mode::View, now);
        assert_eq!(write(&mut live, " It is on. "), [Effect::Write("It is on.".to_owned())]);
        assert_eq!(write(&mut live, "  "), []);
        assert_eq!(write(&mut live, &"x".repeat(MAX_CHAT_BYTES + 1)), []);
        assert_eq!(live.talk.lines().len(), 1);
        live.taken = Rights::of(&[Capability::Chat]);
        assert_eq!(write(&mut live, "And now?"), [], "it was taken away");
        let mut mute = Live::new(live.manifest, Rights::of(&[Capability::SeeScreen]), 0, now);
        assert_eq!(write(&mut mute, "And I?"), [], "it was never allowed");
        assert!(mute.talk.lines().is_empty());
    }

    #[test]
    fn t33_what_is_said_to_be_operated_follows_the_rights_in_force_and_the_pause() {
        let now = Instant::now();
        let mut live = live(Mode::Control, now);
        assert!(live.is_operated());
        let now = now + INERT;
        let _ = live.pressed(&Msg::Taken(Capability::Operate, false), now);
        assert!(!live.is_operated());
        let _ = live.pressed(&Msg::Taken(Capability::Operate, true), now);
        assert!(!live.is_operated(), "asked for is not given");
        let _ = live.hear(News::Effective(live.allowed), now);
        assert!(live.is_operated());
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
        let now = now + INERT;
        let taken = live.pressed(&Msg::Taken(Capability::Operate, false), now);
        assert_eq!(taken, [Effect::TakeAway(right)]);
        let back = live.pressed(&Msg::Taken(Capability::Operate, true), now);
        assert_eq!(back, [Effect::GiveBack(right)]);
        assert_eq!(live.pressed(&Msg::Taken(Capability::SeeScreen, false), now), []);
    }
}
