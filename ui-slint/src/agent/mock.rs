//! `--mock`: the window in made-up states, with everything that stands around it, and no server.
//!
//! Nothing is sent and nothing is kept. Each state's name goes to standard output as it is shown, for
//! scripts that press buttons from outside.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use slint::winit_030::EventResult;
use slint::{ComponentHandle, Timer, TimerMode};
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::{Capability, Rights};
use tokio::sync::mpsc;

use super::guard::Guard;
use super::model::{Effect, Msg, Page};
use super::news::News;
use super::program::locale;
use super::scenes::{self, Scene};
use super::view;
use super::wiring::{self, Ear, Opening};
use crate::look::Shade;
use crate::room;
use crate::turns::{self, Turn};
use crate::upkeep::NextIsKept;
use crate::viewer::made_up;
use crate::walk::{Keys, Step};
use crate::windows::{AgentWindow, Means};

const TICK: Duration = Duration::from_millis(200);
/// No state but what happens in one: the operator's program writes as fast as it can, as long as it is shown.
const FLOOD: (&str, &str) = ("agent-live-flood", "agent-live-view");
/// What may wait for the window, as in a session.
const TOLD: usize = 256;

/// Begins with the state `first`, or with the first one; F6 shows the next, and with Shift the one before.
///
/// # Errors
/// The toolkit does not start.
pub(super) fn walk(
    first: &str,
    lang: Option<&str>,
    next_is_bar: NextIsKept,
) -> Result<(), slint::PlatformError> {
    let lang = Lang::of_locale(lang.map_or_else(locale, str::to_owned).as_str());
    let scenes = scenes::all(lang, Shade::Desktop, Instant::now());
    let window = AgentWindow::new()?;
    let is_flooded = first == FLOOD.0;
    let name = if is_flooded { FLOOD.1 } else { first };
    let at = scenes.iter().position(|scene| scene.name == name).unwrap_or_default();
    let mock = Rc::new(Mock {
        window: window.as_weak(),
        scenes: RefCell::new(scenes),
        at: Cell::new(at),
        since: Cell::new(Instant::now()),
        guard: RefCell::new(Guard::new(next_is_bar)),
    });
    let (walked, keys) = (Rc::downgrade(&mock), Keys::default());
    mock.guard.borrow().hear(&window, move |event| match (walked.upgrade(), keys.step(event)) {
        (Some(mock), Some(step)) => {
            mock.turn(step);
            EventResult::PreventDefault
        }
        (Some(_) | None, _) => EventResult::Propagate,
    });
    wiring::wire(&window, &mock);
    room::keep_on_screen(&window);
    made_up::lay_into(&window);
    window.show()?;
    mock.make_room();
    mock.show();
    match is_flooded {
        true => mock.flood(),
        false => mock.tell(),
    }
    let ticking = Rc::clone(&mock);
    let tick = Timer::default();
    tick.start(TimerMode::Repeated, TICK, move || {
        ticking.guard.borrow_mut().comes_round();
        ticking.send(Msg::Tick);
    });
    slint::run_event_loop()
}

struct Mock {
    window: slint::Weak<AgentWindow>,
    scenes: RefCell<Vec<Scene>>,
    at: Cell<usize>,
    /// Since when this state is shown: its clock goes on from there.
    since: Cell<Instant>,
    guard: RefCell<Guard>,
}

impl Mock {
    fn show(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let Some(scene) = self.scene() else { return };
        let now = self.now(&scene);
        view::show(&scene.model, &window, now);
        made_up::seen(&window, scene.shows_picture());
        let changed = self.guard.borrow_mut().look_after(&scene.model, &window, self);
        self.guard.borrow().show(&scene.model, now);
        if let Some(msg) = changed {
            self.send(msg);
        }
    }

    fn turn(self: &Rc<Self>, step: Step) {
        self.at.set(step.from(self.at.get(), self.scenes.borrow().len()));
        self.since.set(Instant::now());
        self.make_room();
        self.show();
        self.tell();
    }

    /// As the program does for a picture.
    fn make_room(&self) {
        let shows = self.scene().is_some_and(|scene| scene.shows_picture());
        if let Some(window) = self.window.upgrade().filter(|_| shows) {
            let _ = room::grow(window.window(), room::PICTURE);
        }
    }

    fn flood(self: &Rc<Self>) {
        let (told, heard) = mpsc::channel(TOLD);
        std::thread::spawn(move || {
            let lines = (0_u64..).map(|number| News::Wrote(format!("{number}: please write to me")));
            for news in lines {
                if told.blocking_send(news).is_err() {
                    return;
                }
            }
        });
        let mock = Rc::clone(self);
        let _ = slint::spawn_local(turns::hear_all(heard, move |news| {
            if mock.scene().is_none_or(|scene| scene.name != FLOOD.1) {
                return Turn::Over;
            }
            mock.send(Msg::News(Box::new(news)));
            Turn::GoesOn
        }));
        self.say(FLOOD.0);
    }

    fn now(&self, scene: &Scene) -> Instant {
        scene.now + self.since.get().elapsed()
    }

    fn scene(&self) -> Option<Scene> {
        self.scenes.borrow().get(self.at.get()).cloned()
    }

    fn tell(&self) {
        self.say(self.scene().map_or("", |scene| scene.name));
    }

    fn say(&self, line: &str) {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

impl Ear for Rc<Mock> {
    fn send(&self, msg: Msg) {
        if matches!(msg, Msg::EndPressed) {
            self.say("end");
        } else if matches!(msg, Msg::RefusePressed { .. } | Msg::AnswerPressed { yes: false, .. }) {
            self.say("refuse");
        } else if matches!(msg, Msg::Presented) {
            self.say("to the front");
        } else if matches!(msg, Msg::TrayThere(true)) {
            self.say("tray");
        }
        if let Some(scene) = self.scenes.borrow_mut().get_mut(self.at.get()) {
            let now = self.now(scene);
            let given = scene.model.update(msg, now).into_iter().find_map(|effect| {
                if let Effect::GiveBack(rights) = effect { Some(rights) } else { None }
            });
            // As the host's core would.
            if let (Some(given), Page::Live(live)) = (given, &scene.model.page) {
                let holds = |right: &Capability| !live.taken.has(*right) || given.has(*right);
                let holding: Vec<Capability> = live.allowed.iter().filter(holds).collect();
                let news = News::Effective(Rights::of(&holding));
                let _ = scene.model.update(Msg::News(Box::new(news)), now);
            }
        }
        self.show();
    }

    fn pressed(&self, opening: Opening, means: Means) {
        let by_hand = self.guard.borrow_mut().pressed_by_hand(opening, means);
        if by_hand.is_none() {
            self.say("not by hand");
            return self.send(Msg::NotByHand);
        }
        self.say("by hand");
        match opening {
            Opening::ReadNotice | Opening::Accept | Opening::AnswerYes => self.turn(Step::Next),
            Opening::Tick(right) => self.send(Msg::Granted(right, true)),
            Opening::GiveBack(right) => self.send(Msg::Taken(right, true)),
            Opening::GoOnShowing(spot) => self.send(Msg::PausePressed(false, spot)),
        }
    }
}
