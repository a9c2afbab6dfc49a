//! What a witness has seen, and what it makes of it (T2).
//!
//! Decides which press of a hand counts. Knows no display: it is told who acted, when, and what the window
//! received. Times are the display's, in milliseconds.

use std::collections::{BTreeSet, VecDeque};

use x11rb::protocol::xinput::DeviceId;

use crate::desktop::{Deed, Doer};

/// How old a press may be when its window asks: a slow hand holds a button for a second.
const FRESH_MS: u32 = 1500;
/// So often a window may have come round to what happened to it since something was known, and may not have heard of it
/// yet, however old that is: a slow one hears late. By the next time it had all that belongs to it.
const ROUNDS: u64 = 1;
/// So long after an injected act no press counts, nor while the window may not have heard of that act: whose it is could
/// not be told.
const TAINT_MS: u32 = 400;
/// Keys of a hand that the window has not received yet; no hand is faster.
const MOST_WAITING: usize = 64;

/// What a device did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// With the master keyboard that it came by.
    Key {
        keyboard: DeviceId,
        keycode: Option<u8>,
    },
    /// Where the pointer is.
    Button,
    /// Of any button.
    Release,
    /// A press that is no click: the wheel's, or that of a button beside.
    Notch,
    /// Where the finger is, wherever the pointer was.
    Touch,
    Motion,
    /// The pointer came to another place in the window. Where another program has put it there, the display
    /// names the device that moved it before, and tells of no motion of it.
    Arrival,
}

/// The newest press of each kind, and the newest act of no hand.
#[derive(Debug, Default)]
pub(super) struct Seen {
    click: Option<Press>,
    key: Option<Press>,
    /// When a program acted, and when something else had come to lie under the pointer at the latest.
    injected_at: Option<Moment>,
    moved_at: Option<Moment>,
    moved: Moved,
    pointer: Pointer,
    /// When a hand moved, for the arrival that comes of it.
    moved_by_hand: Option<u32>,
    question: Question,
    focus: Focus,
    /// The keyboards whose keys go to the window.
    keyboards: BTreeSet<DeviceId>,
    /// Keys that a hand has pressed for the window, and that it has not received yet.
    waiting: VecDeque<(u8, Moment)>,
    /// How often the window has come round.
    rounds: u64,
}

/// When something was done, and in which round of the window it was known.
#[derive(Debug, Default, Clone, Copy)]
struct Moment {
    at: u32,
    round: u64,
}

/// Who decided last what lies under the pointer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Pointer {
    #[default]
    AHand,
    Nobody,
}

/// Whether something else came to lie under the pointer at a time that the display has not told: not later
/// than the next that it tells.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Moved {
    #[default]
    NotSince,
    JustNow,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Question {
    #[default]
    None,
    Stands,
}

/// Whose doing it may be that a button has the focus.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Focus {
    #[default]
    Hers,
    /// The window has had a key that no hand pressed.
    Anybodys,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    when: Moment,
    /// The first one that the window may hear of together with this one.
    since: u32,
    by: Doer,
    aim: Aim,
}

/// What a press stays good for when the pointer goes elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Pointer,
    Itself,
}

impl Seen {
    /// A question begins and ends with a focus of its own.
    pub(super) fn question_stands(&mut self, stands: bool) {
        let now = if stands { Question::Stands } else { Question::None };
        if self.question != now {
            self.question = now;
            self.focus = Focus::Hers;
        }
    }

    pub(super) fn focus_came(&mut self, keyboard: DeviceId) {
        self.keyboards.insert(keyboard);
    }

    pub(super) fn focus_went(&mut self, keyboard: DeviceId) {
        self.keyboards.remove(&keyboard);
    }

    /// Something else lies under the pointer now, or may. When, is what [`Self::it_is`] says next.
    pub(super) fn moved(&mut self) {
        self.stray();
        self.moved = Moved::JustNow;
    }

    /// What is let go of from now on is not where a hand pressed.
    fn stray(&mut self) {
        self.pointer = Pointer::Nobody;
        self.click = self.click.filter(|press| press.aim == Aim::Itself);
    }

    /// The window comes round to whatever has happened to it, also to what was noted since it did last.
    pub(super) fn comes_round(&mut self) {
        self.rounds += 1;
    }

    fn known(&self, at: u32) -> Moment {
        Moment { at, round: self.rounds }
    }

    fn may_be_unheard(&self, when: Moment) -> bool {
        self.rounds - when.round <= ROUNDS
    }

    fn is_fresh(&self, when: Moment, now: u32) -> bool {
        now.wrapping_sub(when.at) <= FRESH_MS || self.may_be_unheard(when)
    }

    /// Whether the window may take this act's doing for the press.
    fn taints(&self, act: Option<Moment>, press: Press, now: u32) -> bool {
        act.is_some_and(|act| {
            let follows = |then: u32| then.wrapping_sub(act.at) < TAINT_MS;
            self.may_be_unheard(act) || [press.since, press.when.at, now].into_iter().any(follows)
        })
    }

    pub(super) fn wants_time(&self) -> bool {
        self.moved == Moved::JustNow
    }

    /// The display's time, after all that it has told so far.
    pub(super) fn it_is(&mut self, now: u32) {
        if std::mem::take(&mut self.moved) == Moved::JustNow {
            self.moved_at = Some(self.known(now));
        }
    }

    /// A program has acted in a hand's name: whatever was done by then may be its doing.
    pub(super) fn forged(&mut self, at: u32) {
        self.forget();
        self.injected_at = Some(self.known(at));
        if self.question == Question::Stands {
            self.focus = Focus::Anybodys;
        }
    }

    /// Something was not seen that anybody may have done.
    pub(super) fn missed(&mut self) {
        self.forget();
        self.moved = Moved::JustNow;
        self.focus = Focus::Anybodys;
    }

    fn forget(&mut self) {
        self.pointer = Pointer::Nobody;
        self.moved_by_hand = None;
        (self.click, self.key) = (None, None);
        self.waiting.clear();
    }

    pub(super) fn take(&mut self, act: Act, by: Doer, at: u32) {
        self.it_is(at);
        if by == Doer::Nobody {
            self.injected_at = Some(self.known(at));
        }
        match act {
            Act::Touch => self.press(Aim::Itself, by, at),
            Act::Button => {
                let by = if self.pointer == Pointer::AHand { by } else { Doer::Nobody };
                self.press(Aim::Pointer, by, at);
            }
            // What the window takes for a click then began with a press of the same program.
            Act::Release if by == Doer::Nobody => self.click = None,
            Act::Release => self.let_go(at),
            Act::Notch => {}
            Act::Key { keyboard, keycode } => self.take_key(keyboard, keycode, by, at),
            Act::Motion if by == Doer::Hand => {
                self.pointer = Pointer::AHand;
                self.moved_by_hand = Some(at);
            }
            Act::Motion => {
                self.stray();
                self.moved_by_hand = None;
            }
            Act::Arrival if self.moved_by_hand.take() == Some(at) => {}
            Act::Arrival => {
                self.stray();
                self.injected_at = Some(self.known(at));
            }
        }
    }

    fn made(&self, at: u32, by: Doer, aim: Aim) -> Press {
        Press { when: self.known(at), since: at, by, aim }
    }

    /// What the window asks for next may be the one before, where it has not heard of that either: the two are good for
    /// no more than the worse of them.
    fn press(&mut self, aim: Aim, by: Doer, at: u32) {
        let mut press = self.made(at, by, aim);
        if let Some(before) = self.click.filter(|before| self.may_be_unheard(before.when)) {
            press.since = before.since;
            if before.by == Doer::Nobody {
                press.by = Doer::Nobody;
            }
        }
        self.click = Some(press);
    }

    /// Only now the window takes it for a click.
    fn let_go(&mut self, at: u32) {
        if let Some(press) = &mut self.click
            && at.wrapping_sub(press.when.at) <= FRESH_MS
        {
            press.when.round = self.rounds;
        }
    }

    fn take_key(&mut self, keyboard: DeviceId, keycode: Option<u8>, by: Doer, at: u32) {
        if by == Doer::Nobody && self.question == Question::Stands {
            self.focus = Focus::Anybodys;
        }
        let Some(keycode) = keycode.filter(|_| by == Doer::Hand) else { return };
        if self.keyboards.contains(&keyboard) && self.waiting.len() < MOST_WAITING {
            self.waiting.push_back((keycode, self.known(at)));
        }
    }

    /// What came by no keyboard was sent by a program, and so was what came twice.
    pub(super) fn key_received(&mut self, keycode: Option<u8>, now: u32) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|(_, when)| self.is_fresh(*when, now));
        self.waiting = waiting;
        let pressed = self.waiting.iter().position(|(waiting, _)| Some(*waiting) == keycode);
        let pressed = pressed.and_then(|place| self.waiting.remove(place));
        self.key = match pressed {
            Some((_, Moment { at, .. })) => Some(self.made(at, Doer::Hand, Aim::Itself)),
            None => {
                self.focus = Focus::Anybodys;
                Some(self.made(now, Doer::Nobody, Aim::Itself))
            }
        };
    }

    /// Who pressed what the window asks for, and how many milliseconds ago at most.
    pub(super) fn judge(&mut self, deed: Deed, now: u32) -> (Doer, u32) {
        self.it_is(now);
        let slot = match deed {
            Deed::Click => &mut self.click,
            Deed::Key => &mut self.key,
        };
        let Some(press) = slot.take() else { return (Doer::Nobody, 0) };
        let is_tainted = self.taints(self.injected_at, press, now)
            || self.taints(self.moved_at, press, now)
            || deed == Deed::Key && self.focus == Focus::Anybodys;
        let counts = self.is_fresh(press.when, now) && !is_tainted;
        (if counts { press.by } else { Doer::Nobody }, now.wrapping_sub(press.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYBOARD: DeviceId = 3;
    const TAB: u8 = 23;
    const SPACE: u8 = 65;

    impl Seen {
        fn asked(&mut self, deed: Deed, now: u32) -> Doer {
            self.judge(deed, now).0
        }

        fn comes_round_often(&mut self) {
            (0..=ROUNDS).for_each(|_| self.comes_round());
        }
    }

    fn clicked(at: u32, by: Doer) -> Seen {
        let seen = Seen::default();
        Seen { click: Some(seen.made(at, by, Aim::Pointer)), ..seen }
    }

    /// With the focus, and a question.
    fn questioned() -> Seen {
        let mut seen = Seen::default();
        seen.focus_came(KEYBOARD);
        seen.question_stands(true);
        seen
    }

    fn key(keycode: u8) -> Act {
        Act::Key { keyboard: KEYBOARD, keycode: Some(keycode) }
    }

    fn types(seen: &mut Seen, keycode: u8, at: u32) -> Doer {
        seen.take(key(keycode), Doer::Hand, at);
        seen.key_received(Some(keycode), at + 5);
        seen.asked(Deed::Key, at + 10)
    }

    #[test]
    fn t2_a_hands_press_counts_once_and_only_while_it_is_fresh() {
        let mut fresh = clicked(1000, Doer::Hand);
        assert_eq!(fresh.asked(Deed::Click, 1200), Doer::Hand);
        assert_eq!(fresh.asked(Deed::Click, 1200), Doer::Nobody, "it was used");
        let mut stale = clicked(1000, Doer::Hand);
        stale.comes_round_often();
        assert_eq!(stale.asked(Deed::Click, 1001 + FRESH_MS), Doer::Nobody);
        let mut other = clicked(1000, Doer::Hand);
        assert_eq!(other.asked(Deed::Key, 1200), Doer::Nobody, "a click is no key");
    }

    /// However slow the window is: what it had no time for is not what it had no use for.
    #[test]
    fn t2_a_hands_press_counts_in_a_window_that_hears_of_it_late_and_not_once_it_had_come_round() {
        let much = 60_000;
        let mut seen = clicked(1000, Doer::Hand);
        seen.comes_round();
        assert_eq!(seen.judge(Deed::Click, 1000 + much), (Doer::Hand, much));

        let held = |release: u32| {
            let mut seen = clicked(1000, Doer::Hand);
            seen.comes_round_often();
            seen.take(Act::Release, Doer::Hand, release);
            seen.comes_round();
            seen
        };
        assert_eq!(held(1100).asked(Deed::Click, much), Doer::Hand, "painted between the two");
        assert_eq!(held(1001 + FRESH_MS).asked(Deed::Click, much), Doer::Nobody, "held too long");
        let mut seen = held(1100);
        seen.comes_round();
        assert_eq!(seen.asked(Deed::Click, much), Doer::Nobody, "it was meant for another window");

        let mut seen = questioned();
        seen.take(key(TAB), Doer::Hand, 1000);
        seen.take(key(SPACE), Doer::Hand, 1100);
        seen.comes_round();
        seen.key_received(Some(TAB), much);
        seen.key_received(Some(SPACE), much);
        assert_eq!(seen.judge(Deed::Key, much + 10), (Doer::Hand, much - 1090));
        assert_eq!(types(&mut seen, SPACE, 2 * much), Doer::Hand, "the question stands still");
        seen.take(key(SPACE), Doer::Hand, 3 * much);
        seen.comes_round_often();
        seen.key_received(Some(SPACE), 3 * much + FRESH_MS + 1);
        assert_eq!(seen.asked(Deed::Key, 3 * much + FRESH_MS + 2), Doer::Nobody, "another had it");
    }

    #[test]
    fn t2_what_was_injected_before_a_press_taints_it_also_where_the_window_hears_of_both_late() {
        let mut seen = Seen::default();
        seen.take(Act::Key { keyboard: KEYBOARD, keycode: None }, Doer::Nobody, 900);
        seen.take(Act::Button, Doer::Hand, 1000);
        assert_eq!(seen.asked(Deed::Click, 5000), Doer::Nobody);
    }

    /// The window handles what came first first; she has clicked elsewhere by then.
    #[test]
    fn t2_what_was_injected_or_moved_and_the_window_hears_of_late_is_not_made_hers_by_a_later_press() {
        let injected: fn(&mut Seen) = |seen| {
            for act in [Act::Motion, Act::Button, Act::Release] {
                seen.take(act, Doer::Nobody, 1000);
            }
        };
        let forged: fn(&mut Seen) = |seen| seen.forged(1000);
        let moved: fn(&mut Seen) = |seen| {
            seen.moved();
            seen.it_is(1000);
        };
        for act in [injected, forged, moved] {
            for press in [Act::Button, Act::Touch] {
                let done = || {
                    let mut seen = Seen::default();
                    act(&mut seen);
                    seen
                };
                let mut late = done();
                late.take(Act::Motion, Doer::Hand, 1500);
                late.take(press, Doer::Hand, 1600);
                late.comes_round();
                assert_eq!(late.asked(Deed::Click, 5000), Doer::Nobody, "{press:?}");
                let mut heard = done();
                heard.comes_round_often();
                heard.take(Act::Motion, Doer::Hand, 1500);
                heard.take(press, Doer::Hand, 1600);
                heard.comes_round();
                assert_eq!(heard.asked(Deed::Click, 5000), Doer::Hand, "{press:?}");
            }
        }
    }

    #[test]
    fn t2_what_was_moved_before_a_press_taints_it_also_where_the_window_hears_of_it_late() {
        for press in [Act::Button, Act::Touch] {
            let mut seen = Seen::default();
            seen.moved();
            seen.take(Act::Motion, Doer::Hand, 7000);
            // However fast it comes round.
            seen.comes_round_often();
            seen.take(press, Doer::Hand, 7050);
            seen.comes_round();
            assert_eq!(seen.asked(Deed::Click, 9000), Doer::Nobody, "{press:?}");
        }
    }

    /// A program had put the pointer where she pressed first, or the button slept.
    #[test]
    fn t2_a_press_is_good_for_no_more_than_the_one_before_that_the_window_has_not_heard_of_either() {
        let put = || {
            let mut seen = Seen::default();
            seen.take(Act::Motion, Doer::Nobody, 1000);
            seen.comes_round_often();
            seen.take(Act::Button, Doer::Hand, 2000);
            seen
        };
        let elsewhere = |seen: &mut Seen| {
            seen.take(Act::Motion, Doer::Hand, 2500);
            seen.take(Act::Button, Doer::Hand, 2600);
            seen.comes_round();
        };
        let mut seen = put();
        elsewhere(&mut seen);
        assert_eq!(seen.asked(Deed::Click, 5000), Doer::Nobody, "it may be the first");
        let mut seen = put();
        seen.comes_round_often();
        elsewhere(&mut seen);
        assert_eq!(seen.asked(Deed::Click, 5000), Doer::Hand, "the first was heard");

        let mut seen = Seen::default();
        seen.take(Act::Motion, Doer::Hand, 1900);
        seen.take(Act::Button, Doer::Hand, 2000);
        elsewhere(&mut seen);
        assert_eq!(seen.judge(Deed::Click, 5000), (Doer::Hand, 3000), "the button may have slept");
    }

    #[test]
    fn t2_an_injected_press_never_counts_and_taints_what_comes_with_it() {
        let mut nobodys = clicked(1000, Doer::Nobody);
        assert_eq!(nobodys.asked(Deed::Click, 1010), Doer::Nobody);
        let injected = |at| Some(Moment { at, round: 0 });
        let mut moved = Seen { injected_at: injected(990), ..clicked(1000, Doer::Hand) };
        moved.comes_round_often();
        let why = "the pointer was not where the hand is";
        assert_eq!(moved.asked(Deed::Click, 1010), Doer::Nobody, "{why}");
        let mut later = Seen { injected_at: injected(1000), ..clicked(1000 + TAINT_MS, Doer::Hand) };
        later.comes_round_often();
        assert_eq!(later.asked(Deed::Click, 1000 + TAINT_MS), Doer::Hand);
    }

    #[test]
    fn t2_a_hands_key_counts_no_more_once_a_key_was_injected_while_the_question_stood() {
        let mut seen = questioned();
        assert_eq!(types(&mut seen, SPACE, 1000), Doer::Hand);
        seen.take(key(TAB), Doer::Nobody, 2000);
        seen.comes_round_often();
        assert_eq!(types(&mut seen, SPACE, 60_000), Doer::Nobody, "Refuse had the focus before");
        seen.take(Act::Motion, Doer::Hand, 61_000);
        seen.take(Act::Button, Doer::Hand, 61_000);
        assert_eq!(seen.asked(Deed::Click, 61_010), Doer::Hand, "a click is where she sees it");
        seen.question_stands(false);
        seen.take(key(SPACE), Doer::Nobody, 70_000);
        seen.comes_round_often();
        assert_eq!(types(&mut seen, SPACE, 71_000), Doer::Hand, "the operator types in a session");
    }

    #[test]
    fn t2_a_key_that_was_sent_to_the_window_is_nobodys_whatever_a_hand_does_beside() {
        let mut seen = questioned();
        seen.take(key(121), Doer::Hand, 1000);
        seen.key_received(Some(TAB), 1010);
        seen.key_received(Some(SPACE), 1020);
        assert_eq!(seen.asked(Deed::Key, 1030), Doer::Nobody, "a hand made it louder");
        assert_eq!(types(&mut seen, SPACE, 9000), Doer::Nobody, "the sent Tab moved the focus");

        let mut seen = questioned();
        assert_eq!(types(&mut seen, TAB, 1000), Doer::Hand);
        seen.key_received(Some(TAB), 1100);
        assert_eq!(types(&mut seen, SPACE, 9000), Doer::Nobody, "she pressed it once");

        let mut seen = questioned();
        seen.focus_went(KEYBOARD);
        seen.take(key(TAB), Doer::Hand, 1000);
        seen.key_received(Some(TAB), 1010);
        assert_eq!(types(&mut seen, SPACE, 9000), Doer::Nobody, "she typed elsewhere");
        assert_eq!(seen.asked(Deed::Key, 9020), Doer::Nobody);
    }

    #[test]
    fn t2_a_click_counts_only_where_a_hand_has_brought_the_pointer() {
        let mut seen = Seen::default();
        seen.take(Act::Motion, Doer::Nobody, 1000);
        seen.comes_round_often();
        seen.take(Act::Button, Doer::Hand, 5000);
        assert_eq!(seen.asked(Deed::Click, 5010), Doer::Nobody, "it was moved under her finger");
        seen.take(Act::Touch, Doer::Hand, 6000);
        assert_eq!(seen.asked(Deed::Click, 6010), Doer::Hand, "a finger is where it is");
        seen.take(Act::Motion, Doer::Hand, 7000);
        seen.take(Act::Button, Doer::Hand, 7100);
        assert_eq!(seen.asked(Deed::Click, 7110), Doer::Hand);
    }

    #[test]
    fn t2_a_click_counts_only_where_the_pointer_has_come_by_a_motion() {
        let mut seen = Seen::default();
        seen.take(Act::Motion, Doer::Hand, 1000);
        seen.take(Act::Arrival, Doer::Hand, 1000);
        seen.take(Act::Button, Doer::Hand, 1100);
        assert_eq!(seen.asked(Deed::Click, 1110), Doer::Hand);
        for at in [1100, 1000] {
            seen.take(Act::Arrival, Doer::Hand, at);
            seen.comes_round_often();
            seen.take(Act::Button, Doer::Hand, 5000);
            assert_eq!(seen.asked(Deed::Click, 5010), Doer::Nobody, "nothing moved at {at}");
        }
    }

    #[test]
    fn t2_a_click_counts_only_where_the_window_was_when_a_hand_was_there() {
        let mut seen = Seen::default();
        seen.take(Act::Motion, Doer::Hand, 1000);
        seen.moved();
        seen.it_is(1100);
        seen.comes_round_often();
        seen.take(Act::Button, Doer::Hand, 5000);
        assert_eq!(seen.asked(Deed::Click, 5010), Doer::Nobody, "it was moved under her finger");
        seen.moved();
        seen.take(Act::Motion, Doer::Hand, 7000);
        seen.take(Act::Button, Doer::Hand, 7100);
        assert_eq!(seen.asked(Deed::Click, 7110), Doer::Nobody, "while her hand moved");
        seen.comes_round_often();
        seen.take(Act::Motion, Doer::Hand, 8000);
        seen.take(Act::Button, Doer::Hand, 8100);
        assert_eq!(seen.asked(Deed::Click, 8110), Doer::Hand);
        seen.moved();
        assert!(seen.wants_time());
        seen.it_is(9000);
        seen.comes_round_often();
        seen.take(Act::Motion, Doer::Hand, 9500);
        seen.take(Act::Button, Doer::Hand, 9510);
        assert_eq!(seen.asked(Deed::Click, 9520), Doer::Hand, "she saw it where it is");
    }

    #[test]
    fn t2_what_a_program_did_in_a_hands_name_counts_for_nobody() {
        let mut seen = questioned();
        seen.take(Act::Motion, Doer::Hand, 1000);
        seen.take(Act::Button, Doer::Hand, 1010);
        seen.forged(1005);
        seen.comes_round_often();
        assert_eq!(seen.asked(Deed::Click, 1500), Doer::Nobody);
        seen.take(Act::Button, Doer::Hand, 2000);
        assert_eq!(seen.asked(Deed::Click, 2010), Doer::Nobody, "it brought the pointer there");
        seen.take(Act::Motion, Doer::Hand, 3000);
        seen.take(Act::Button, Doer::Hand, 3100);
        assert_eq!(seen.asked(Deed::Click, 3110), Doer::Hand);
        assert_eq!(types(&mut seen, SPACE, 60_000), Doer::Nobody, "it moved the focus, perhaps");
    }

    /// She moves and clicks while a program holds its own press on Allow; it brings the pointer back there, and
    /// lets go.
    #[test]
    fn t2_a_programs_release_makes_no_other_press_of_a_hand_a_click() {
        let pressed = || {
            let mut seen = Seen::default();
            seen.take(Act::Motion, Doer::Hand, 1000);
            seen.take(Act::Button, Doer::Hand, 1100);
            seen
        };
        let asked_later = |seen: &mut Seen| {
            seen.comes_round_often();
            seen.asked(Deed::Click, 1600)
        };
        let mut seen = pressed();
        seen.take(Act::Release, Doer::Hand, 1200);
        assert_eq!(asked_later(&mut seen), Doer::Hand, "let go of by her");
        let mut seen = pressed();
        seen.take(Act::Motion, Doer::Nobody, 1150);
        assert_eq!(asked_later(&mut seen), Doer::Nobody, "the pointer was brought back");
        let mut seen = pressed();
        seen.take(Act::Arrival, Doer::Hand, 1150);
        assert_eq!(asked_later(&mut seen), Doer::Nobody, "without a device");
        let mut seen = pressed();
        seen.moved();
        seen.it_is(1150);
        assert_eq!(asked_later(&mut seen), Doer::Nobody, "or the window was");
        for act in [Act::Button, Act::Touch] {
            let mut seen = pressed();
            seen.take(act, Doer::Hand, 1150);
            seen.take(Act::Release, Doer::Nobody, 1160);
            assert_eq!(asked_later(&mut seen), Doer::Nobody, "{act:?}: it let go");
        }
        let mut seen = Seen::default();
        seen.take(Act::Touch, Doer::Hand, 1000);
        seen.take(Act::Motion, Doer::Nobody, 1010);
        assert_eq!(asked_later(&mut seen), Doer::Hand, "a finger is where it is");
        seen.take(Act::Notch, Doer::Hand, 2000);
        assert_eq!(seen.asked(Deed::Click, 2010), Doer::Nobody, "a notch of the wheel is no click");
        seen.take(Act::Notch, Doer::Nobody, 3000);
        seen.take(Act::Touch, Doer::Hand, 3010);
        assert_eq!(seen.asked(Deed::Click, 3020), Doer::Nobody, "an injected one taints all the same");
    }

    #[test]
    fn t2_what_was_not_seen_may_be_anybodys_doing() {
        let mut seen = questioned();
        seen.take(Act::Motion, Doer::Hand, 1000);
        seen.take(Act::Button, Doer::Hand, 1010);
        seen.missed();
        assert_eq!(seen.asked(Deed::Click, 1500), Doer::Nobody);
        seen.comes_round_often();
        seen.take(Act::Button, Doer::Hand, 2000);
        assert_eq!(seen.asked(Deed::Click, 2010), Doer::Nobody, "who brought the pointer there?");
        seen.take(Act::Motion, Doer::Hand, 3000);
        seen.take(Act::Button, Doer::Hand, 3100);
        assert_eq!(seen.asked(Deed::Click, 3110), Doer::Hand);
        assert_eq!(types(&mut seen, SPACE, 60_000), Doer::Nobody, "who moved the focus?");
    }

    #[test]
    fn the_displays_clock_may_wrap() {
        let mut seen = clicked(u32::MAX - 5, Doer::Hand);
        assert_eq!(seen.asked(Deed::Click, 100), Doer::Hand);
    }
}
