//! A wheel's fine steps, gathered into the clicks that a desktop understands.

/// A detent of the wheel, in the unit of `InputEvent::Wheel`.
const DETENT: i32 = 120;
/// The most clicks one event makes: no hand turns further between two frames.
const MOST: i32 = 30;

/// What is left of a detent, in each direction.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    x: i32,
    y: i32,
}

/// Whole clicks; positive is right and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clicks {
    pub(crate) right: i32,
    pub(crate) down: i32,
}

impl Wheel {
    pub(crate) fn turn(&mut self, dx: i16, dy: i16) -> Clicks {
        Clicks { right: gather(&mut self.x, dx), down: gather(&mut self.y, dy) }
    }
}

fn gather(rest: &mut i32, step: i16) -> i32 {
    // A turn back begins from the detent, not from what was left of the turn there.
    if i32::from(step.signum()) == -rest.signum() {
        *rest = 0;
    }
    let whole = *rest + i32::from(step);
    *rest = whole % DETENT;
    (whole / DETENT).clamp(-MOST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_steps_gather_into_clicks_and_a_turn_back_starts_anew() {
        let mut wheel = Wheel::default();
        assert_eq!(wheel.turn(0, 119), Clicks { right: 0, down: 0 });
        assert_eq!(wheel.turn(0, 1), Clicks { right: 0, down: 1 });
        assert_eq!(wheel.turn(-240, 100), Clicks { right: -2, down: 0 });
        assert_eq!(wheel.turn(0, -120), Clicks { right: 0, down: -1 });
    }

    #[test]
    fn an_absurd_turn_is_bounded() {
        let clicks = Wheel::default().turn(i16::MIN, i16::MAX);
        assert_eq!(clicks, Clicks { right: -30, down: 30 });
    }
}
