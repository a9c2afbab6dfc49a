//! A picture that is larger than its view, and how hands bring in what lies beyond: by drawing it, by the wheel, and
//! where both are the host's by standing near an edge.

use std::rc::Rc;
use std::time::Duration;

use slint::{ComponentHandle, Global, TimerMode};

use super::Screen;
use crate::viewer::frame::Place;
use crate::viewer::hands::Reach;
use crate::windows::RemoteScreen;

/// How often the picture moves under a hand at its edge.
const PULLED_EVERY: Duration = Duration::from_millis(30);
/// Logical pixels that Slint makes of one notch of a wheel.
const NOTCH: f32 = 60.0;

impl<W> Screen<W>
where
    W: ComponentHandle + 'static,
    for<'a> RemoteScreen<'a>: Global<'a, W>,
{
    pub(super) fn pointed(&self, x: f32, y: f32) {
        let scale = self.scale();
        let place = Place { x: (x * scale) as i32, y: (y * scale) as i32 };
        let event = self.inner.state.borrow_mut().point(place);
        self.act(event);
        self.show_cursor();
        self.pull();
    }

    pub(super) fn shift(&self, x: f32, y: f32) -> bool {
        let scale = self.scale();
        self.inner.state.borrow_mut().shift((x * scale) as i32, (y * scale) as i32)
    }

    /// Goes on while the hand stands still, and not at once: a hand that only passes the edge moves nothing.
    fn pull(&self) {
        let pulling = &self.inner.pulling;
        if pulling.running() || self.inner.state.borrow().pull() == Place::default() {
            return;
        }
        let inner = Rc::downgrade(&self.inner);
        pulling.start(TimerMode::Repeated, PULLED_EVERY, move || {
            let Some(inner) = inner.upgrade() else { return };
            let pull = inner.state.borrow().pull();
            if pull == Place::default() {
                return inner.pulling.stop();
            }
            inner.state.borrow_mut().shift(pull.x, pull.y);
        });
    }

    pub(super) fn scrolled(&self, x: f32, y: f32) -> bool {
        let mut state = self.inner.state.borrow_mut();
        if state.hands.reach() == Reach::Here {
            drop(state);
            return self.shift(x, y);
        }
        // Slint gives a notch as 60 logical pixels, and its content's direction.
        let event = state.hands.scroll(-x / NOTCH, -y / NOTCH);
        drop(state);
        self.act(event);
        true
    }
}
