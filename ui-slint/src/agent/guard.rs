//! What stands around the window while something is at stake: the witness of hands, the bar on every
//! monitor, the key that stops everything, the icon in the tray.
//!
//! Decides when each is there: the witness while a question stands or somebody sees this screen (T2),
//! the others while somebody sees it (T33).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use slint::ComponentHandle;
use slint::winit_030::winit::event::{ElementState, WindowEvent};
use slint::winit_030::winit::platform::scancode::PhysicalKeyExtScancode as _;
use slint::winit_030::{EventResult, WinitWindowAccessor as _};
use tasuki_media::desktop::{Alarm, Deed, Doer, Standing, StopKey, Witness};

use super::live::Stillness;
use super::model::{Model, Msg, Page, Spot};
use super::tray::{TraySlot, look_for_tray};
use super::view;
use super::wiring::{self, Ear, Opening};
use crate::upkeep::{self, NextIsKept, Place, Unwatched, Watch, on_wayland};
use crate::windows::{Agent, AgentWindow, BannerWindow, Means};

/// The bar is no wider than this, in logical pixels.
const WIDEST: f64 = 860.0;

#[derive(Default)]
pub(super) struct Guard {
    next_is_bar: NextIsKept,
    witness: Rc<RefCell<Option<Witness>>>,
    /// Whether the last one saw no more before it was of use no more.
    was_blinded: Cell<bool>,
    bars: Vec<Bar>,
    watch: Option<Watch>,
    /// Whether the monitors may be others than those that the bars stand on.
    monitors_changed: Rc<Cell<bool>>,
    /// What the display said of the chord that ends everything.
    stop_key: Rc<Cell<Option<StopKey>>>,
    unwatched: Unwatched,
    tray: TraySlot,
}

struct Bar {
    window: BannerWindow,
    place: Place,
    /// Of its own: to that of the main window the bar is something that lies over it.
    witness: Option<Witness>,
    was_blinded: bool,
}

impl Guard {
    pub(super) fn new(next_is_bar: NextIsKept) -> Self {
        Self { next_is_bar, ..Self::default() }
    }

    pub(super) fn show(&self, model: &Model, now: Instant) {
        for bar in &self.bars {
            view::show_banner(model, &bar.window, now);
        }
    }

    /// What the model needs around it, and no longer than it needs it.
    /// Tells when a tray is gone, and when the session must end because no bar stands; a tray that is
    /// found is told later, to `ear`.
    pub(super) fn look_after(
        &mut self,
        model: &Model,
        window: &AgentWindow,
        ear: &impl Ear,
    ) -> Option<Msg> {
        let (asks, lives) = at_stake(&model.page);
        self.look_after_witness(asks, lives, window);
        let had_bars = !self.bars.is_empty();
        match (had_bars, lives) {
            (false, true) => self.raise_bars(model, window, ear),
            (true, false) => self.take_down(),
            (true, true) => self.keep_up(model, window, ear),
            (false, false) => {}
        }
        let is_held = is_held(&model.page);
        self.bars.iter_mut().for_each(|bar| bar.look_after_witness(is_held));
        // The page tells of no key that does nothing.
        let is_missing = self.stop_key.get() == Some(StopKey::Missing);
        window.global::<Agent<'_>>().set_stop_key(!is_missing);
        if self.unwatched.for_too_long(lives, self.watch.as_ref()) {
            return Some(Msg::EndPressed);
        }
        (had_bars == self.bars.is_empty()).then_some(Msg::TrayThere(false))
    }

    fn look_after_witness(&self, asks: bool, lives: bool, window: &impl ComponentHandle) {
        let wanted = asks || lives;
        let it = if wanted && !on_wayland() { upkeep::x11_id(window.window()) } else { None };
        let mut witness = self.witness.borrow_mut();
        if !wanted {
            self.was_blinded.set(false);
        }
        // The toolkit may have made another window in its place.
        if witness.as_ref().map(|witness| it.is_some_and(|it| witness.is_of(it))) == Some(false) {
            *witness = None;
        }
        if let (None, Some(it)) = (&*witness, it) {
            *witness = witness_of(it, asks, self.was_blinded.get());
        }
        if let Some(witness) = &mut *witness {
            witness.question_stands(asks);
        }
    }

    /// The program has come round to what happened to its windows, and is not in the midst of that.
    pub(super) fn comes_round(&mut self) {
        let is_blind = catch_up(&mut self.witness.borrow_mut());
        self.was_blinded.set(self.was_blinded.get() || is_blind);
        for bar in &mut self.bars {
            bar.was_blinded |= catch_up(&mut bar.witness);
        }
    }

    /// Has the witness hear of each key that the window receives, before it goes to `next`. The toolkit has one
    /// place for whoever listens so.
    pub(super) fn hear(
        &self,
        window: &impl ComponentHandle,
        next: impl Fn(&WindowEvent) -> EventResult + 'static,
    ) {
        let witness = Rc::clone(&self.witness);
        window.window().on_winit_window_event(move |_, event| {
            if let (Some(keycode), Some(witness)) = (pressed(event), &mut *witness.borrow_mut()) {
                // Of a display that is gone no press counts anyway.
                let _ = witness.key_received(keycode);
            }
            next(event)
        });
    }

    /// How long ago a hand at this computer pressed. Fails closed: without a witness nobody did.
    pub(super) fn pressed_by_hand(&mut self, opening: Opening, means: Means) -> Option<Duration> {
        let deed = match means {
            Means::Pointer => Deed::Click,
            Means::Key => Deed::Key,
            Means::Service => return None,
        };
        // A compositor hands events of its own devices to the focused window alone.
        if on_wayland() {
            return Some(Duration::ZERO);
        }
        let asked = if opening == Opening::GoOnShowing(Spot::Bar) {
            self.pressed_bar().map(|witness| witness.ask(deed))
        } else {
            self.witness.borrow_mut().as_mut().map(|witness| witness.ask(deed))
        };
        let judged = asked?.ok()?;
        (judged.by == Doer::Hand).then_some(judged.ago)
    }

    /// Each monitor has a bar.
    fn pressed_bar(&mut self) -> Option<&mut Witness> {
        let all = self.bars.iter_mut().filter_map(|bar| bar.witness.as_mut());
        all.into_iter().find(|witness| matches!(witness.is_pointed_at(), Ok(true)))
    }

    fn raise_bars(&mut self, model: &Model, window: &impl ComponentHandle, ear: &impl Ear) {
        // Before the window itself stands there is nothing to cover; the next moment looks again.
        let Some(places) = places(window) else { return };
        self.put_up(&places, model, ear);
        look_for_tray(&self.tray, ear);
    }

    fn put_up(&mut self, places: &[Place], model: &Model, ear: &impl Ear) {
        let next_is_bar = self.next_is_bar.clone();
        next_is_bar.while_making(|| {
            for place in places {
                if let Ok(bar) = Bar::put_up(*place, model, ear) {
                    self.bars.push(bar);
                }
            }
        });
        self.watch = self.watch(ear);
    }

    /// Monitors come and go, and the toolkit may make a bar's window later than it is shown, and another
    /// in its place.
    fn keep_up(&mut self, model: &Model, window: &impl ComponentHandle, ear: &impl Ear) {
        let stands: Vec<Place> = self.bars.iter().map(|bar| bar.place).collect();
        let wanted = if self.monitors_changed.take() { places(window) } else { None };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != stands) {
            self.watch = None;
            let old = std::mem::take(&mut self.bars);
            self.put_up(&wanted, model, ear);
            // Only now: there is no moment without a bar.
            hide(old);
            return;
        }
        let kept = standings(&self.bars);
        let is_watched =
            matches!((&self.watch, &kept), (Some(watch), Some(kept)) if watch.is_over(kept));
        if !is_watched {
            // The old one holds the stop key until it is gone.
            self.watch = None;
            self.watch = self.watch(ear);
        }
    }

    /// Ends the session at the stop key, and when a bar is destroyed from outside or cannot be kept up.
    /// `None` while a bar is not made yet.
    fn watch(&self, ear: &impl Ear) -> Option<Watch> {
        let bars = standings(&self.bars).filter(|bars| !bars.is_empty())?;
        let (ear, monitors_changed) = (ear.clone(), Rc::clone(&self.monitors_changed));
        let stop_key = Rc::clone(&self.stop_key);
        Watch::over(bars, move |alarm| match alarm {
            Alarm::Monitors => monitors_changed.set(true),
            Alarm::StopKeyIs(state) => stop_key.set(Some(state)),
            Alarm::StopKey | Alarm::Gone => ear.send(Msg::EndPressed),
        })
    }

    fn take_down(&mut self) {
        self.watch = None;
        self.stop_key = Rc::default();
        // Whoever still looks for a place finds this slot gone.
        self.tray = TraySlot::default();
        hide(std::mem::take(&mut self.bars));
    }
}

/// Whether a question stands, and whether somebody sees this screen. Of a policy, a manifest or a right it asks
/// nothing: none of them takes the bar away (T33).
fn at_stake(page: &Page) -> (bool, bool) {
    match page {
        Page::Asking(_) => (true, false),
        Page::Live(live) => (live.question.is_some(), live.is_seen()),
        Page::Trouble(_) | Page::Number(_) | Page::Connecting(_) | Page::Ended(_) => (false, false),
    }
}

/// Whether the picture stands still by the person's wish, and a press of the bar would let it go on.
fn is_held(page: &Page) -> bool {
    matches!(page, Page::Live(live) if live.stillness == Stillness::Paused)
}

/// X's number of a key that goes down, as far as it is known. What repeats was pressed once.
fn pressed(event: &WindowEvent) -> Option<Option<u8>> {
    let WindowEvent::KeyboardInput { event, is_synthetic: false, .. } = event else { return None };
    let goes_down = event.state == ElementState::Pressed && !event.repeat;
    let place = || event.physical_key.to_scancode().and_then(|place| u8::try_from(place + 8).ok());
    goes_down.then(place)
}

fn hide(bars: Vec<Bar>) {
    for bar in bars {
        let _ = bar.window.hide();
    }
}

impl Bar {
    fn put_up(place: Place, model: &Model, ear: &impl Ear) -> Result<Self, slint::PlatformError> {
        let bar = BannerWindow::new()?;
        view::show_banner(model, &bar, Instant::now());
        wiring::wire_banner(&bar, ear);
        // Closing the bar is a way to end the session, and nothing less.
        let end = ear.clone();
        bar.window().on_close_requested(move || {
            end.send(Msg::EndPressed);
            slint::CloseRequestResponse::KeepWindowShown
        });
        place.put(bar.window())?;
        Ok(Self { window: bar, place, witness: None, was_blinded: false })
    }

    /// While it could let the picture go on: another program may lay something over it, or put it under a finger (T2).
    fn look_after_witness(&mut self, is_held: bool) {
        let id = upkeep::x11_id(self.window.window()).filter(|_| is_held);
        if self.witness.as_ref().is_some_and(|witness| id.is_none_or(|id| !witness.is_of(id))) {
            self.witness = None;
        }
        self.was_blinded &= is_held;
        if let (None, Some(id)) = (&self.witness, id) {
            self.witness = witness_of(id, false, self.was_blinded);
        }
    }
}

/// `comes_late`: there was one before that saw no more.
fn witness_of(window: u32, asks: bool, comes_late: bool) -> Option<Witness> {
    let mut witness = Witness::open(None, window).ok()?;
    witness.question_stands(asks);
    if comes_late {
        witness.comes_late();
    }
    Some(witness)
}

/// Whether this witness sees no more; it is gone then.
fn catch_up(witness: &mut Option<Witness>) -> bool {
    let is_blind = matches!(witness.as_mut().map(Witness::catch_up), Some(Err(_)));
    if is_blind {
        *witness = None;
    }
    is_blind
}

/// The bar's place on each monitor: at the top, in the middle. `None` before the toolkit has a window.
fn places(window: &impl ComponentHandle) -> Option<Vec<Place>> {
    let mut monitors = upkeep::monitors(window.window())?;
    if monitors.is_empty() {
        monitors.push((slint::PhysicalPosition::default(), WIDEST as u32, 1.0));
    }
    let place = |(at, width, scale)| {
        let room = f64::from(width) / scale;
        Place::at_the_top((at, width), 0.0, (WIDEST, height(room)), scale)
    };
    Some(monitors.into_iter().map(place).collect())
}

/// Of a bar on a monitor so wide, both in logical pixels: as many lines as it takes to read who it is.
fn height(monitor: f64) -> f64 {
    match monitor {
        ..640.0 => 104.0,
        640.0..840.0 => 84.0,
        _ => 56.0,
    }
}

/// `None` while one is not made yet.
fn standings(bars: &[Bar]) -> Option<Vec<Standing>> {
    bars.iter().map(|bar| bar.place.standing(bar.window.window())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tasuki_peer::shell::texts::Lang;
    use tasuki_protocol::ids::Role;
    use tasuki_protocol::policy::preset::Preset;
    use tasuki_protocol::rights::Mode;

    use super::*;
    use crate::agent::news::News;
    use crate::agent::scenes;
    use crate::look::Shade;

    /// What an operator may at most under a policy of one preset, taken in by this computer.
    fn begun(preset: Preset, mode: Mode, now: Instant) -> Option<Model> {
        let question = scenes::allowed_by(preset, mode, Lang::En)?;
        let granted = question.grantable;
        let mut model = Model::new(Lang::En, Shade::Light, "Example Help");
        for news in [News::Asked { question, met_before: 1 }, News::Answered { granted, at: 0 }] {
            let _ = model.update(Msg::News(Box::new(news)), now);
        }
        Some(model)
    }

    #[test]
    fn t33_under_every_preset_and_whatever_was_taken_away_the_bar_stands_while_this_screen_is_seen() {
        let (now, mut seen) = (Instant::now(), 0);
        for (preset, mode) in Preset::ALL.into_iter().flat_map(|it| Mode::ALL.map(|mode| (it, mode))) {
            let Some(mut model) = begun(preset, mode, now) else { continue };
            let is_shown = mode.host() == Role::Agent;
            let later = now + Duration::from_secs(60);
            let states = [
                Msg::Tick,
                Msg::News(Box::new(News::Effective(tasuki_protocol::rights::Rights::NONE))),
                Msg::News(Box::new(News::Paused(true))),
                Msg::News(Box::new(News::OwnHand(true))),
                Msg::News(Box::new(News::Reconnecting)),
                Msg::AboutShown(true),
                Msg::EndPressed,
            ];
            for state in states {
                let told = format!("{preset:?} {mode} {state:?}");
                let _ = model.update(state, later);
                assert_eq!(at_stake(&model.page).1, is_shown, "{told}");
            }
            seen += u32::from(is_shown);
        }
        assert!(seen > 5, "{seen}");
    }
}
