//! What the hands over the picture come to: which acts go to the host.
//!
//! Decides what counts as held, and that all of it is let go when the window is no
//! longer looked at (T50). Does not know whether the host agrees.

use std::collections::BTreeSet;

use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::screen::MonitorId;

/// One turn of a wheel's notch.
const DETENT: f32 = 120.0;

/// Whether acts over the picture are for the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Not allowed, not connected, or the keyboard is somewhere else in the window.
    #[default]
    Here,
    /// Keys and pointer go to the host.
    Host,
}

/// What is held, and where the pointer was last said to be.
#[derive(Debug, Default)]
pub struct Hands {
    reach: Reach,
    keys: BTreeSet<PhysicalKey>,
    buttons: Vec<PointerButton>,
    pointer: Option<(MonitorId, u16, u16)>,
    /// Parts of a wheel's step that were not yet sent, right and down.
    rest: (f32, f32),
}

impl Hands {
    /// Lets go of everything where the hands no longer reach the host. Whose hand moves the host's
    /// pointer meanwhile is not known here, so that its place is said anew afterwards.
    pub fn set_reach(&mut self, reach: Reach) -> Option<InputEvent> {
        let left = self.reach == Reach::Host && reach == Reach::Here;
        if left {
            self.forget_pointer();
        }
        self.reach = reach;
        if left { self.let_go() } else { None }
    }

    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Everything held comes up at the host.
    pub fn let_go(&mut self) -> Option<InputEvent> {
        let held = !self.keys.is_empty() || !self.buttons.is_empty();
        self.keys.clear();
        self.buttons.clear();
        self.rest = (0.0, 0.0);
        held.then_some(InputEvent::ReleaseAll)
    }

    /// A key went down; a repeat of a held key is for the host's own repeat to make.
    pub fn press(&mut self, key: PhysicalKey) -> Option<InputEvent> {
        let fresh = self.reach == Reach::Host && self.keys.insert(key);
        fresh.then_some(InputEvent::Key { key, action: KeyAction::Press })
    }

    pub fn release(&mut self, key: PhysicalKey) -> Option<InputEvent> {
        self.keys.remove(&key).then_some(InputEvent::Key { key, action: KeyAction::Release })
    }

    /// `None` where the host knows it already.
    pub fn point(&mut self, monitor: MonitorId, (x, y): (u16, u16)) -> Option<InputEvent> {
        let fresh = self.reach == Reach::Host && self.pointer != Some((monitor, x, y));
        fresh.then(|| {
            self.pointer = Some((monitor, x, y));
            InputEvent::PointerMove { monitor, x, y }
        })
    }

    pub fn press_button(&mut self, button: PointerButton) -> Option<InputEvent> {
        if self.reach == Reach::Here || self.buttons.contains(&button) {
            return None;
        }
        self.buttons.push(button);
        Some(InputEvent::Button { button, action: KeyAction::Press })
    }

    pub fn release_button(&mut self, button: PointerButton) -> Option<InputEvent> {
        let place = self.buttons.iter().position(|held| *held == button)?;
        self.buttons.remove(place);
        Some(InputEvent::Button { button, action: KeyAction::Release })
    }

    /// `right` and `down` in notches of a wheel; parts add up.
    pub fn scroll(&mut self, right: f32, down: f32) -> Option<InputEvent> {
        if self.reach == Reach::Here || !right.is_finite() || !down.is_finite() {
            return None;
        }
        let whole = |rest: &mut f32, more: f32| {
            let sum = (*rest + more * DETENT).clamp(f32::from(i16::MIN), f32::from(i16::MAX));
            *rest = sum.fract();
            sum.trunc() as i16
        };
        let (dx, dy) = (whole(&mut self.rest.0, right), whole(&mut self.rest.1, down));
        (dx != 0 || dy != 0).then_some(InputEvent::Wheel { dx, dy })
    }

    /// The pointer's place is unknown again: another monitor, another picture.
    pub fn forget_pointer(&mut self) {
        self.pointer = None;
    }

    pub fn holds(&self, key: PhysicalKey) -> bool {
        self.keys.contains(&key)
    }
}

/// Ctrl+Alt+Del, pressed in order and let go in reverse.
pub fn ctrl_alt_del() -> Vec<InputEvent> {
    let keys = [PhysicalKey::LEFT_CONTROL, PhysicalKey::LEFT_ALT, PhysicalKey(0x4C)];
    let event = |action| move |key| InputEvent::Key { key, action };
    let down = keys.into_iter().map(event(KeyAction::Press));
    down.chain(keys.into_iter().rev().map(event(KeyAction::Release))).collect()
}

/// A text in pieces that one event may carry, none cut inside a character; control
/// characters but the line's end and the tab are left out, as no host types them.
pub fn typing(text: &str) -> Vec<InputEvent> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let plain = text.replace("\r\n", "\n");
    for character in plain.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')) {
        if piece.len() + character.len_utf8() > tasuki_protocol::input::MAX_TEXT_BYTES {
            pieces.push(InputEvent::Text(std::mem::take(&mut piece)));
        }
        piece.push(character);
    }
    if !piece.is_empty() {
        pieces.push(InputEvent::Text(piece));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PhysicalKey = PhysicalKey(0x04);

    fn reaching() -> Hands {
        let mut hands = Hands::default();
        hands.set_reach(Reach::Host);
        hands
    }

    #[test]
    fn t50_everything_held_is_let_go_when_the_window_is_left() {
        let mut hands = reaching();
        assert!(hands.press(A).is_some());
        assert!(hands.press_button(PointerButton::Left).is_some());
        assert_eq!(hands.set_reach(Reach::Here), Some(InputEvent::ReleaseAll));
        assert_eq!(hands.release(A), None, "it came up already");
        assert_eq!(hands.set_reach(Reach::Here), None);
    }

    #[test]
    fn nothing_reaches_the_host_without_reach() {
        let mut hands = Hands::default();
        assert_eq!(hands.press(A), None);
        assert_eq!(hands.press_button(PointerButton::Right), None);
        assert_eq!(hands.point(MonitorId(0), (1, 1)), None);
        assert_eq!(hands.scroll(0.0, 1.0), None);
    }

    #[test]
    fn a_key_is_pressed_once_however_often_it_repeats_and_comes_up_once() {
        let mut hands = reaching();
        assert!(hands.press(A).is_some());
        assert_eq!(hands.press(A), None);
        assert!(hands.release(A).is_some());
        assert_eq!(hands.release(A), None);
    }

    #[test]
    fn parts_of_a_notch_add_up() {
        let mut hands = reaching();
        let steps: i32 = (0..480)
            .filter_map(|_| hands.scroll(0.0, 0.00625))
            .map(|event| if let InputEvent::Wheel { dy, .. } = event { i32::from(dy) } else { 0 })
            .sum();
        assert!((359..=360).contains(&steps), "{steps}");
        assert_eq!(hands.scroll(f32::NAN, 0.0), None);
    }

    #[test]
    fn a_place_is_said_once() {
        let mut hands = reaching();
        assert!(hands.point(MonitorId(0), (3, 4)).is_some());
        assert_eq!(hands.point(MonitorId(0), (3, 4)), None);
        hands.forget_pointer();
        assert!(hands.point(MonitorId(0), (3, 4)).is_some());
    }

    #[test]
    fn t32_a_place_is_said_again_once_the_persons_own_hand_has_been_on_the_mouse() {
        let mut hands = reaching();
        assert!(hands.point(MonitorId(0), (3, 4)).is_some());
        let _ = hands.set_reach(Reach::Here);
        let _ = hands.set_reach(Reach::Host);
        assert!(hands.point(MonitorId(0), (3, 4)).is_some(), "a click would land where he left it");
    }

    #[test]
    fn a_long_text_goes_in_pieces_and_without_control_characters() {
        let text = format!("a\r\nb\u{1B}{}", "襷".repeat(2000));
        let pieces = typing(&text);
        let sent: String = pieces
            .iter()
            .map(|event| if let InputEvent::Text(text) = event { text.as_str() } else { "" })
            .collect();
        assert_eq!(sent, format!("a\nb{}", "襷".repeat(2000)));
        assert!(pieces.len() == 2 && typing("").is_empty());
    }

    #[test]
    fn ctrl_alt_del_leaves_nothing_held() {
        let mut held = BTreeSet::new();
        for event in ctrl_alt_del() {
            if let InputEvent::Key { key, action } = event {
                match action {
                    KeyAction::Press => assert!(held.insert(key)),
                    KeyAction::Release => assert!(held.remove(&key)),
                }
            }
        }
        assert!(held.is_empty());
    }
}
