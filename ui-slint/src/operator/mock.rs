//! `--mock`: every state of the window without a server, and a picture to look at.
//!
//! F6 walks through the states, and back with Shift. Nothing is sent anywhere. Each state's name
//! goes to standard output as it is shown, for scripts that press buttons from outside.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use slint::winit_030::{EventResult, WinitWindowAccessor};
use slint::{ComponentHandle, Timer, TimerMode};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::screen::Monitor;

use super::program::{no_window, open_window};
use super::scenes::{self, Scene};
use super::session::{Happened, RightsWish, Wish};
use super::sharing::{Sharing, Sharings};
use super::update::Msg;
use super::view;
use crate::look::Shade;
use crate::viewer::made_up;
use crate::walk::{Keys, Step};
use crate::windows::{OperatorWindow, Session};

const TICK: Duration = Duration::from_millis(200);

/// # Errors
/// No desktop to show the window on.
pub fn run(lang: Lang, first: &str) -> Result<(), Fault> {
    let (window, next_is_kept) = open_window()?;
    let scenes = scenes::all(lang, Shade::Desktop);
    let first = scenes.iter().position(|scene| scene.name == first).unwrap_or_default();
    made_up::lay_into(&window);
    let walk = Rc::new(Walk {
        window: window.as_weak(),
        scenes,
        at: Cell::new(first),
        monitor: Cell::new(own_monitor()),
        sharing: RefCell::new(Sharing::new(next_is_kept)),
    });
    walk.show();
    let (walked, keys) = (Rc::downgrade(&walk), Keys::default());
    window.window().on_winit_window_event(move |_, event| match (walked.upgrade(), keys.step(event)) {
        (Some(walk), Some(step)) => {
            walk.turn(step);
            EventResult::PreventDefault
        }
        (Some(_) | None, _) => EventResult::Propagate,
    });
    let (sharing, tick) = (Rc::clone(&walk), Timer::default());
    tick.start(TimerMode::Repeated, TICK, move || sharing.share());
    window.run().map_err(|why| no_window(&why))
}

struct Walk {
    window: slint::Weak<OperatorWindow>,
    scenes: Vec<Scene>,
    at: Cell<usize>,
    /// Of this display, in place of the made-up one.
    monitor: Cell<Option<Monitor>>,
    sharing: RefCell<Sharing>,
}

impl Walk {
    fn turn(self: &Rc<Self>, step: Step) {
        self.at.set(step.from(self.at.get(), self.scenes.len()));
        self.show();
    }

    fn show(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let scene = &self.scenes[self.at.get()];
        show(scene, &window);
        self.share();
        say(scene.name);
    }

    /// The bar and the frame of a state in which this screen is shown.
    fn share(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let model = &self.scenes[self.at.get()].model;
        let mut all = Sharings::of(model);
        for shown in &mut all.shown {
            shown.monitor = self.monitor.get().unwrap_or(shown.monitor);
        }
        let walk = Rc::downgrade(self);
        let tell = move |msg| {
            if let Some(walk) = walk.upgrade() {
                walk.hear(&msg);
            }
        };
        let manner = (model.lang(), model.preferences.shade);
        let bare = self.sharing.borrow_mut().show(&all, manner, window.window(), &tell);
        bare.iter().for_each(|msg| self.hear(msg));
    }

    fn hear(&self, msg: &Msg) {
        if matches!(msg, Msg::Session(_, Happened::MonitorsChanged)) {
            self.monitor.set(own_monitor());
        } else if matches!(msg, Msg::Wish(_, Wish::EndNow)) {
            say("end");
        } else if matches!(msg, Msg::Session(_, Happened::Unmarked)) {
            say("unmarked");
        } else if matches!(msg, Msg::ToQuestion(_)) {
            say("to the question");
        } else if matches!(msg, Msg::Wish(_, Wish::Rights(RightsWish::Pause))) {
            say("pause");
        }
    }
}

fn own_monitor() -> Option<Monitor> {
    tasuki_media::desktop::monitors(None).ok()?.shown_monitor().copied()
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Shows a state, with what is not of the model: its picture, and the open chat.
pub fn show(scene: &Scene, window: &OperatorWindow) {
    view::show(&scene.model, window);
    let seen = scene.model.current().is_some_and(|tab| tab.view.first_ms.is_some());
    made_up::seen(window, seen);
    let talks = scene.model.current().is_some_and(|tab| !tab.chat.is_empty());
    window.global::<Session<'_>>().set_chat_shown(talks);
}
