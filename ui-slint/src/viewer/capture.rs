//! Who has the keyboard: the host or this window, and what each key report comes to.
//!
//! Pure: decides from focus and rights whether keys are for the host, and which
//! chord brings them back (Ctrl+Alt+Home). Does not grab by itself.

use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey};

use super::hands::{Hands, Reach};

const HOME: PhysicalKey = PhysicalKey(0x4A);

/// What decides where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    pub window: Focus,
    pub picture: Focus,
    /// The host lets this end operate, and the session is connected.
    pub allowed: Allowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    #[default]
    Elsewhere,
    Here,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allowed {
    #[default]
    No,
    Yes,
}

impl Standing {
    pub fn reach(self) -> Reach {
        let all =
            self.window == Focus::Here && self.picture == Focus::Here && self.allowed == Allowed::Yes;
        if all { Reach::Host } else { Reach::Here }
    }
}

/// What a key report comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// For the host; this window must not see it. `None` where the host knows it already.
    Host(Option<InputEvent>),
    /// For this window.
    Own,
    /// The way out was pressed: everything is let go, the keyboard is this window's.
    WayOut(Option<InputEvent>),
}

/// Decides about one key; the last word on repeats and releases is with `hands`.
pub fn key(hands: &mut Hands, place: PhysicalKey, action: KeyAction) -> Key {
    match (hands.reach(), action) {
        (Reach::Here, KeyAction::Press) => Key::Own,
        // What was pressed for the host comes up there; all else is this window's.
        (Reach::Here, KeyAction::Release) => match hands.release(place) {
            Some(event) => Key::Host(Some(event)),
            None => Key::Own,
        },
        (Reach::Host, KeyAction::Press) if place == HOME && is_way_out(hands) => {
            Key::WayOut(hands.set_reach(Reach::Here))
        }
        (Reach::Host, KeyAction::Press) => Key::Host(hands.press(place)),
        (Reach::Host, KeyAction::Release) => Key::Host(hands.release(place)),
    }
}

fn is_way_out(hands: &Hands) -> bool {
    let either = |left, right| hands.holds(left) || hands.holds(right);
    either(PhysicalKey::LEFT_CONTROL, PhysicalKey::RIGHT_CONTROL)
        && either(PhysicalKey::LEFT_ALT, PhysicalKey::RIGHT_ALT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PhysicalKey = PhysicalKey(0x04);
    const STANDS: Standing =
        Standing { window: Focus::Here, picture: Focus::Here, allowed: Allowed::Yes };

    #[test]
    fn keys_reach_the_host_only_with_focus_on_the_picture_and_the_right_to_operate() {
        assert_eq!(STANDS.reach(), Reach::Host);
        for lacking in [
            Standing { window: Focus::Elsewhere, ..STANDS },
            Standing { picture: Focus::Elsewhere, ..STANDS },
            Standing { allowed: Allowed::No, ..STANDS },
        ] {
            assert_eq!(lacking.reach(), Reach::Here);
        }
    }

    #[test]
    fn ctrl_alt_home_gives_the_keyboard_back_and_leaves_nothing_held() {
        let mut hands = Hands::default();
        hands.set_reach(Reach::Host);
        for held in [PhysicalKey::RIGHT_CONTROL, PhysicalKey::LEFT_ALT] {
            assert!(matches!(key(&mut hands, held, KeyAction::Press), Key::Host(Some(_))));
        }
        let out = key(&mut hands, HOME, KeyAction::Press);
        assert_eq!(out, Key::WayOut(Some(InputEvent::ReleaseAll)));
        assert_eq!(key(&mut hands, A, KeyAction::Press), Key::Own);
        assert_eq!(key(&mut hands, HOME, KeyAction::Release), Key::Own);
    }

    #[test]
    fn home_alone_is_the_hosts_and_a_repeat_is_swallowed() {
        let mut hands = Hands::default();
        hands.set_reach(Reach::Host);
        assert!(matches!(key(&mut hands, HOME, KeyAction::Press), Key::Host(Some(_))));
        assert_eq!(key(&mut hands, HOME, KeyAction::Press), Key::Host(None));
        assert!(matches!(key(&mut hands, HOME, KeyAction::Release), Key::Host(Some(_))));
    }
}
