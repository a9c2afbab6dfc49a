//! The operator's screen in the end user's window: it comes with a session that shows it, and goes with it.
//!
//! Decides when keys may leave this computer. How the picture is looked at stands in [`super::looking`].

use std::rc::Rc;
use std::time::{Duration, Instant};

use slint::{ComponentHandle, Timer};
use tasuki_peer::core::io::HumanAct;
use tasuki_protocol::rights::Mode;

use super::looking::{Look, Looked};
use super::model::{Msg, Page};
use super::running::Program;
use crate::room;
use crate::viewer::capture::Allowed;
use crate::viewer::frame::Zoom;
use crate::viewer::screen::{Screen, Told};
use crate::windows::Agent;

/// A person's, at the slowest that desktops take for one.
const DOUBLE_CLICK: Duration = Duration::from_millis(800);

pub(super) fn show(look: Look, agent: &Agent<'_>) {
    agent.set_fit(look.zoom == Zoom::Fit);
    agent.set_full_screen(look.full);
    let size = look.size.map(|(width, height)| format!("{width} × {height}"));
    agent.set_size(size.unwrap_or_default().into());
}

impl Program {
    /// The picture comes with a session that shows the operator's screen, and goes with it. Keys leave
    /// this computer only in Share, and only while the picture has the focus (T21, T22).
    pub(super) fn look_at_theirs(self: &Rc<Self>) {
        let operating = match &self.model.borrow().page {
            Page::Live(live) if !live.is_seen() => {
                let operates = live.mode() == Mode::Share && live.is_settled(Instant::now());
                Some(if operates { Allowed::Yes } else { Allowed::No })
            }
            Page::Live(_)
            | Page::Trouble(_)
            | Page::Number(_)
            | Page::Connecting(_)
            | Page::Asking(_)
            | Page::Ended(_) => None,
        };
        let watched = self.theirs.borrow().is_some();
        match (operating, watched) {
            (Some(_), false) => self.begin_watching(),
            (None, true) => {
                if let Some(screen) = self.theirs.take() {
                    screen.allow(Allowed::No);
                    screen.watch(None);
                    self.shrink();
                }
            }
            (Some(allowed), true) => {
                // Not held while it is told: letting go of keys comes back as an act.
                let screen = self.theirs.borrow().clone();
                if let Some(screen) = screen {
                    screen.allow(allowed);
                    screen.zoom(self.model.borrow().look().zoom);
                }
            }
            (None, false) => {}
        }
    }

    fn begin_watching(self: &Rc<Self>) {
        let viewer = self.session.borrow().as_ref().and_then(|session| session.viewer.clone());
        let program = Rc::downgrade(self);
        let screen = Screen::attach(&self.window, self.runtime.clone(), move |told| {
            if let Some(program) = program.upgrade() {
                program.told(told);
            }
        });
        screen.watch(viewer);
        *self.theirs.borrow_mut() = Some(screen);
        if let Some(before) = room::grow(self.window.window(), room::PICTURE) {
            self.before.set(Some(before));
        }
    }

    /// Once the end of a double click on End has come, which is for no other window.
    fn shrink(self: &Rc<Self>) {
        let program = Rc::downgrade(self);
        Timer::single_shot(DOUBLE_CLICK, move || {
            let Some(program) = program.upgrade().filter(|program| program.theirs.borrow().is_none())
            else {
                return;
            };
            if let Some(before) = program.before.take() {
                room::shrink(program.window.window(), before);
            }
        });
    }

    pub(super) fn told(self: &Rc<Self>, told: Told) {
        match told {
            Told::Act(event) => self.act(HumanAct::Operate(event)),
            Told::Layout(layout) => {
                let size = layout.shown_monitor().map(|monitor| (monitor.width, monitor.height));
                self.dispatch(Msg::Looked(Looked::Size(size)));
            }
            Told::Reach(_) => {}
        }
    }
}
