//! The question before a session: the notice of a first meeting, late waking of the button, what
//! the person leaves out.
//!
//! Decides when a press counts. The words are the peer's and `ui/agent/words.slint`'s.

use std::time::{Duration, Instant};

use tasuki_peer::core::io::Question;
pub use tasuki_peer::programs::consent::NOTICE;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::terms::Requirement;

use super::model::{Effect, Msg};

/// What is pressed within this time after the question appeared does not count (T2).
pub const INERT: Duration = Duration::from_millis(800);

/// What a person may leave out; seeing is what the session is for.
const CHOOSABLE: [Capability; 10] = [
    Capability::ChooseScreen,
    Capability::Operate,
    Capability::Screenshot,
    Capability::FetchFiles,
    Capability::SendFiles,
    Capability::ReadClipboard,
    Capability::WriteClipboard,
    Capability::Record,
    Capability::Chat,
    Capability::Reconnect,
];

/// So often the program has come round when what it was told to show is painted, however long that takes.
pub(super) const PAINTED: u8 = 2;
/// How long a press does not count once that is so.
const INERT_PAINTED: Duration = Duration::from_millis(400);

/// A button that does not count at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sleep {
    until: Instant,
    rounds: u8,
}

impl Sleep {
    pub(super) fn of(inert: Duration, now: Instant) -> Self {
        Self { until: now + inert, rounds: 0 }
    }

    pub(super) fn is_over(self, now: Instant) -> bool {
        self.rounds >= PAINTED && now >= self.until
    }

    /// Nobody means what is not painted yet.
    pub(super) fn comes_round(&mut self, now: Instant) {
        if self.rounds < PAINTED {
            self.rounds += 1;
            self.until = self.until.max(now + INERT_PAINTED);
        }
    }
}

#[derive(Debug, Clone)]
pub struct Asking {
    pub question: Question,
    /// Sessions of this organisation that this computer has had before.
    pub met_before: u32,
    pub granted: Rights,
    pub step: Step,
    asked_at: Instant,
    sleep: Sleep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nobody gets past it before its time.
    Notice {
        until: Instant,
    },
    Question,
}

impl Asking {
    pub fn new(question: Question, met_before: u32, now: Instant) -> Self {
        let step = match met_before {
            0 => Step::Notice { until: now + NOTICE },
            _ => Step::Question,
        };
        let granted = question.grantable;
        Self { question, met_before, granted, step, asked_at: now, sleep: Sleep::of(INERT, now) }
    }

    /// A required recording is part of the session or there is none.
    pub fn is_choosable(&self, capability: Capability) -> bool {
        let recorded = self.question.manifest.recording == Requirement::Required;
        CHOOSABLE.contains(&capability) && !(recorded && capability == Capability::Record)
    }

    pub fn is_awake(&self, now: Instant) -> bool {
        self.step == Step::Question && self.counts(now)
    }

    /// Whether a press of what leads on counts that was made then.
    pub fn counts(&self, pressed: Instant) -> bool {
        match self.step {
            Step::Notice { until } => pressed >= until,
            Step::Question => self.sleep.is_over(pressed),
        }
    }

    /// Seconds of the notice that are left, rounded up.
    pub fn notice_seconds(&self, now: Instant) -> u64 {
        match self.step {
            Step::Notice { until } => ceil(until.saturating_duration_since(now)),
            Step::Question => 0,
        }
    }

    /// Seconds until silence refuses.
    pub fn seconds_left(&self, now: Instant) -> u64 {
        let until = self.asked_at + Duration::from_secs(self.question.seconds);
        ceil(until.saturating_duration_since(now))
    }

    pub fn refuse(&self, shown: Digest) -> Vec<Effect> {
        vec![Effect::Refuse { shown }]
    }

    /// After a press that no hand did, the button sleeps once more.
    pub(super) fn sleep(&mut self, now: Instant) {
        self.sleep = Sleep::of(INERT, now);
    }

    pub(super) fn comes_round(&mut self, now: Instant) {
        self.sleep.comes_round(now);
    }

    pub(super) fn pressed(&mut self, msg: &Msg, now: Instant) -> Vec<Effect> {
        if let Msg::RefusePressed { shown } = *msg {
            return self.refuse(shown);
        }
        if matches!(msg, Msg::EndPressed | Msg::CancelPressed) {
            return self.refuse(Digest([0; 32]));
        }
        if let Msg::AcceptPressed { shown } = *msg
            && self.is_awake(now)
        {
            return vec![Effect::Accept { granted: self.granted, shown }];
        }
        if matches!(msg, Msg::NoticeRead) && self.notice_seconds(now) == 0 {
            self.step = Step::Question;
            self.sleep(now);
        }
        if let Msg::Granted(capability, wanted) = *msg
            && self.is_choosable(capability)
        {
            self.granted = match wanted {
                true => self.granted.with(capability).and(self.question.grantable),
                false => self.granted.without(capability),
            };
        }
        Vec::new()
    }
}

pub(super) fn ceil(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::scenes;
    use tasuki_peer::shell::texts::Lang;
    use tasuki_protocol::rights::Mode;

    const SHOWN: Digest = Digest([7; 32]);

    fn unpainted(mode: Mode, met_before: u32, now: Instant) -> Asking {
        Asking::new(scenes::question(mode, Lang::En), met_before, now)
    }

    fn paint(asking: &mut Asking, now: Instant) {
        (0..PAINTED).for_each(|_| asking.comes_round(now));
    }

    fn asked(mode: Mode, met_before: u32, now: Instant) -> Asking {
        let mut asking = unpainted(mode, met_before, now);
        paint(&mut asking, now);
        asking
    }

    fn accept(asking: &mut Asking, now: Instant) -> Vec<Effect> {
        asking.pressed(&Msg::AcceptPressed { shown: SHOWN }, now)
    }

    #[test]
    fn t2_accept_is_inert_for_the_first_800_milliseconds() {
        let now = Instant::now();
        let mut asking = asked(Mode::Control, 1, now);
        assert_eq!(accept(&mut asking, now + INERT - Duration::from_millis(1)), []);
        let granted = asking.question.grantable;
        assert_eq!(accept(&mut asking, now + INERT), [Effect::Accept { granted, shown: SHOWN }]);
    }

    #[test]
    fn t8_the_first_meeting_shows_a_notice_that_nothing_skips() {
        let now = Instant::now();
        let mut asking = asked(Mode::Control, 0, now);
        let early = now + NOTICE - Duration::from_millis(1);
        assert_eq!(asking.pressed(&Msg::NoticeRead, early), []);
        assert_eq!(accept(&mut asking, early), []);
        assert_eq!(asking.notice_seconds(now), 5);
        let after = now + NOTICE;
        assert_eq!(accept(&mut asking, after), [], "the notice was not read");
        assert_eq!(asking.pressed(&Msg::NoticeRead, after), []);
        paint(&mut asking, after);
        assert_eq!(accept(&mut asking, after), [], "the question has its own inert time");
        assert_eq!(accept(&mut asking, after + INERT).len(), 1);
    }

    #[test]
    fn refusing_is_possible_at_once_and_while_the_notice_stands() {
        let now = Instant::now();
        for met_before in [0, 3] {
            let mut asking = asked(Mode::Manage, met_before, now);
            let refused = asking.pressed(&Msg::RefusePressed { shown: SHOWN }, now);
            assert_eq!(refused, [Effect::Refuse { shown: SHOWN }]);
        }
    }

    #[test]
    fn what_is_left_out_is_not_granted_and_nothing_is_granted_that_was_not_asked() {
        let now = Instant::now();
        let mut asking = asked(Mode::Control, 1, now);
        let _ = asking.pressed(&Msg::Granted(Capability::Operate, false), now);
        let _ = asking.pressed(&Msg::Granted(Capability::ReadClipboard, true), now);
        let _ = asking.pressed(&Msg::Granted(Capability::SeeScreen, false), now);
        let [Effect::Accept { granted, .. }] = accept(&mut asking, now + INERT)[..] else {
            panic!("it is no yes");
        };
        assert!(!granted.has(Capability::Operate) && !granted.has(Capability::ReadClipboard));
        assert!(granted.has(Capability::SeeScreen), "seeing is what the session is for");
        assert!(granted.is_within(asking.question.grantable));
    }

    #[test]
    fn a_required_recording_cannot_be_left_out_alone() {
        let mut asking = asked(Mode::Control, 1, Instant::now());
        asking.question.manifest.recording = Requirement::Required;
        assert!(!asking.is_choosable(Capability::Record));
        assert!(asked(Mode::View, 1, Instant::now()).is_choosable(Capability::Record));
    }

    #[test]
    fn t2_a_press_of_before_the_question_was_painted_does_not_count_however_long_that_took() {
        let now = Instant::now();
        let mut asking = unpainted(Mode::Control, 1, now);
        assert!(!Sleep::of(INERT, now).is_over(now + INERT));
        let painted = now + Duration::from_secs(3);
        assert_eq!(accept(&mut asking, painted), [], "nothing was painted");
        asking.comes_round(painted);
        assert_eq!(accept(&mut asking, painted + INERT), [], "it may not have been");
        asking.comes_round(painted);
        assert_eq!(accept(&mut asking, painted), []);
        assert_eq!(accept(&mut asking, painted + INERT_PAINTED).len(), 1);
        asking.comes_round(painted + INERT_PAINTED);
        assert_eq!(accept(&mut asking, painted + INERT_PAINTED).len(), 1, "it stands for good");
    }

    #[test]
    fn t2_a_press_that_no_hand_did_puts_the_button_to_sleep_again() {
        let now = Instant::now();
        let mut asking = asked(Mode::Control, 1, now);
        let later = now + Duration::from_secs(10);
        asking.sleep(later);
        paint(&mut asking, later);
        assert_eq!(accept(&mut asking, later), []);
        assert_eq!(accept(&mut asking, later + INERT).len(), 1);
    }
}
