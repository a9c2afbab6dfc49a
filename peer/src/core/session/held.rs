//! Keys and buttons that are down for the viewer, so that every one comes up again.

use std::collections::BTreeSet;

use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};

/// More keys than a hand has; presses beyond are not passed on.
const MAX_KEYS: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Held {
    keys: BTreeSet<PhysicalKey>,
    buttons: Vec<PointerButton>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.buttons.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.buttons.clear();
    }

    /// Notes the event; whether it has a meaning: what is not held is not let go.
    pub(super) fn note(&mut self, event: &InputEvent) -> Meaning {
        match event {
            InputEvent::Key { key, action: KeyAction::Press } => {
                if self.keys.len() >= MAX_KEYS && !self.keys.contains(key) {
                    return Meaning::Void;
                }
                self.keys.insert(*key);
                Meaning::Effective
            }
            InputEvent::Key { key, action: KeyAction::Release } => meaning(self.keys.remove(key)),
            InputEvent::Button { button, action: KeyAction::Press } => {
                if !self.buttons.contains(button) {
                    self.buttons.push(*button);
                }
                Meaning::Effective
            }
            InputEvent::Button { button, action: KeyAction::Release } => {
                let before = self.buttons.len();
                self.buttons.retain(|held| held != button);
                meaning(self.buttons.len() < before)
            }
            InputEvent::ReleaseAll => {
                let any = !self.is_empty();
                self.clear();
                meaning(any)
            }
            InputEvent::PointerMove { .. } | InputEvent::Wheel { .. } | InputEvent::Text(_) => {
                Meaning::Effective
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Effective,
    Void,
}

fn meaning(changed: bool) -> Meaning {
    if changed { Meaning::Effective } else { Meaning::Void }
}
