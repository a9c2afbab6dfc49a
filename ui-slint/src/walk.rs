//! `--mock`: the keys that lead from one made-up state to another, the same in both windows.
//!
//! Decides which key leads where. Shows nothing, and knows no state.

use std::cell::Cell;

use slint::winit_030::winit::event::{ElementState, WindowEvent};
use slint::winit_030::winit::keyboard::{KeyCode, ModifiersState, PhysicalKey};

/// Where a key leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Next,
    Back,
}

impl Step {
    /// The place of the state that comes after that at `at`, of so many.
    pub(crate) fn from(self, at: usize, many: usize) -> usize {
        let many = many.max(1);
        match self {
            Self::Next => (at + 1) % many,
            Self::Back => (at + many - 1) % many,
        }
    }
}

/// F6, and back with Shift: wherever the keys are, and where they are nowhere.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    held: Cell<ModifiersState>,
}

impl Keys {
    pub(crate) fn step(&self, event: &WindowEvent) -> Option<Step> {
        if let WindowEvent::ModifiersChanged(modifiers) = event {
            self.held.set(modifiers.state());
        }
        let WindowEvent::KeyboardInput { event, is_synthetic: false, .. } = event else { return None };
        let is_it = event.physical_key == PhysicalKey::Code(KeyCode::F6);
        let pressed = event.state == ElementState::Pressed && is_it;
        pressed.then(|| if self.held.get().shift_key() { Step::Back } else { Step::Next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_stand_in_a_ring() {
        let walked = |step: Step| (0..4).map(|at| step.from(at, 4)).collect::<Vec<_>>();
        assert_eq!(walked(Step::Next), [1, 2, 3, 0]);
        assert_eq!(walked(Step::Back), [3, 0, 1, 2]);
    }
}
