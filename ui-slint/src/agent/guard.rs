//! What stands around the window while something is at stake: the witness of hands, the bar on every
//! monitor, the key that stops everything, the icon in the tray.
//!
//! Decides when each is there: the witness while a question stands (T2), the others while somebody
//! sees this screen (T33).

use std::cell::Cell;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use slint::winit_030::winit::raw_window_handle::{HasWindowHandle, RawWindowHandle};
use slint::winit_030::{WinitWindowAccessor, winit};
use slint::{ComponentHandle, PhysicalPosition, PhysicalSize};
use tasuki_media::screen::Waker;
use tasuki_media::x11::{Alarm, Deed, Doer, Sentinel, Standing, Witness};
use tasuki_peer::shell::fault::Fault;

use super::model::{Model, Msg, Page};
use super::tray::{TraySlot, look_for_tray};
use super::view;
use super::wiring::{self, Ear};
use crate::windows::{BannerWindow, Means};

/// The bar is no wider than this, in logical pixels.
const WIDEST: f64 = 860.0;
const HEIGHT: f64 = 44.0;
/// How long the toolkit may take to make a bar. A session whose bar nobody keeps up ends (T33).
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the toolkit that the window which is made next is the bar: no window manager covers it,
/// moves it or puts it away.
#[derive(Debug, Clone, Default)]
pub(super) struct NextIsBar(Rc<Cell<bool>>);

#[derive(Default)]
pub(super) struct Guard {
    next_is_bar: NextIsBar,
    witness: Option<Witness>,
    bars: Vec<Bar>,
    watch: Option<Watch>,
    /// Whether the monitors may be others than those that the bars stand on.
    monitors_changed: Rc<Cell<bool>>,
    /// Since when somebody sees this screen and no bar is watched.
    unwatched: Option<Instant>,
    tray: TraySlot,
}

struct Bar {
    window: BannerWindow,
    place: Place,
}

/// On the whole desktop, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: PhysicalPosition,
    size: PhysicalSize,
}

impl Place {
    /// At the top of a monitor, in the middle.
    fn on(at: PhysicalPosition, monitor_width: u32, scale: f64) -> Self {
        let width = WIDEST.min(f64::from(monitor_width) / scale - 40.0).max(200.0) * scale;
        let indent = (f64::from(monitor_width) - width) / 2.0;
        Self {
            at: PhysicalPosition::new(at.x + indent as i32, at.y),
            size: PhysicalSize::new(width.round() as u32, (HEIGHT * scale).round() as u32),
        }
    }
}

/// The sentinel's thread. Dropping it ends it.
#[derive(Debug)]
struct Watch {
    bars: Vec<Standing>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Takes the software renderer, and lets [`NextIsBar`] have its say on each window.
///
/// # Errors
/// The toolkit does not start: no display that it can use.
pub(super) fn choose_toolkit() -> Result<NextIsBar, Fault> {
    let next = NextIsBar::default();
    let asked = next.clone();
    let toolkit = slint::BackendSelector::new()
        .backend_name("winit".to_owned())
        .renderer_name("software".to_owned())
        .with_winit_window_attributes_hook(move |attributes| asked.dress(attributes));
    crate::start_toolkit(|| toolkit.select())?;
    let _ = slint::set_xdg_app_id("tasuki-agent");
    crate::last_words::prepare();
    Ok(next)
}

impl NextIsBar {
    fn dress(&self, attributes: winit::window::WindowAttributes) -> winit::window::WindowAttributes {
        if !self.0.get() {
            return attributes;
        }
        #[cfg(all(unix, not(target_os = "macos")))]
        {
            use slint::winit_030::winit::platform::x11::WindowAttributesExtX11;
            attributes.with_override_redirect(true)
        }
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        attributes
    }
}

impl Guard {
    pub(super) fn new(next_is_bar: NextIsBar) -> Self {
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
        window: &impl ComponentHandle,
        ear: &impl Ear,
    ) -> Option<Msg> {
        let (asks, lives) = match &model.page {
            Page::Asking(_) => (true, false),
            Page::Live(live) => (live.question.is_some(), live.is_seen()),
            Page::Trouble(_) | Page::Number(_) | Page::Connecting | Page::Ended(_) => (false, false),
        };
        match (&mut self.witness, asks) {
            (Some(witness), true) => drop(witness.catch_up()),
            (None, true) if !on_wayland() => self.witness = Witness::open(None).ok(),
            (None, true | false) => {}
            (Some(_), false) => self.witness = None,
        }
        let had_bars = !self.bars.is_empty();
        match (had_bars, lives) {
            (false, true) => self.raise_bars(model, window, ear),
            (true, false) => self.take_down(),
            (true, true) => self.keep_up(model, window, ear),
            (false, false) => {}
        }
        if self.is_bare(lives) {
            return Some(Msg::EndPressed);
        }
        (had_bars == self.bars.is_empty()).then_some(Msg::TrayThere(false))
    }

    /// Whether this screen was seen for too long without a bar that somebody keeps up. Tells it once.
    fn is_bare(&mut self, lives: bool) -> bool {
        if !lives || self.watch.is_some() || on_wayland() {
            self.unwatched = None;
            return false;
        }
        let since = *self.unwatched.get_or_insert_with(Instant::now);
        let is_bare = since.elapsed() >= PATIENCE;
        if is_bare {
            self.unwatched = None;
        }
        is_bare
    }

    /// Whether a hand at this computer pressed. Fails closed: without a witness nobody did.
    pub(super) fn is_by_hand(&mut self, means: Means) -> bool {
        let deed = match means {
            Means::Pointer => Deed::Click,
            Means::Key => Deed::Key,
            Means::Service => return false,
        };
        // A compositor hands events of its own devices to the focused window alone.
        if on_wayland() {
            return true;
        }
        let asked = self.witness.as_mut().map(|witness| witness.ask(deed));
        matches!(asked, Some(Ok(Doer::Hand)))
    }

    fn raise_bars(&mut self, model: &Model, window: &impl ComponentHandle, ear: &impl Ear) {
        // Before the window itself stands there is nothing to cover; the next moment looks again.
        let Some(places) = places(window) else { return };
        self.put_up(&places, model, ear);
        look_for_tray(&self.tray, ear);
    }

    fn put_up(&mut self, places: &[Place], model: &Model, ear: &impl Ear) {
        // The toolkit asks when a window is made, which may be as late as it is shown.
        self.next_is_bar.0.set(true);
        for place in places {
            if let Ok(bar) = Bar::put_up(*place, model, ear) {
                self.bars.push(bar);
            }
        }
        self.next_is_bar.0.set(false);
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
        let watched = self.watch.as_ref().map(|watch| &watch.bars);
        if watched != standings(&self.bars).as_ref() {
            // The old one holds the stop key until it is gone.
            self.watch = None;
            self.watch = self.watch(ear);
        }
    }

    /// Ends the session at the stop key, and when a bar is destroyed from outside or cannot be kept up.
    /// `None` while a bar is not made yet.
    fn watch(&self, ear: &impl Ear) -> Option<Watch> {
        if on_wayland() || self.bars.is_empty() {
            return None;
        }
        let bars = standings(&self.bars)?;
        let (told, mut alarms) = tokio::sync::mpsc::channel::<Alarm>(4);
        let mut sentinel = Sentinel::open(None, &bars).ok()?;
        let waker = sentinel.waker();
        let thread = std::thread::Builder::new().name("tasuki-sentinel".to_owned()).spawn(move || {
            loop {
                // A sentinel that can watch no more is as good as a bar that is gone.
                let alarm = match sentinel.watch() {
                    Ok(Some(alarm)) => alarm,
                    Ok(None) => return,
                    Err(_) => Alarm::Gone,
                };
                if told.blocking_send(alarm).is_err() || alarm == Alarm::Gone {
                    return;
                }
            }
        });
        let (ear, monitors_changed) = (ear.clone(), Rc::clone(&self.monitors_changed));
        let _ = slint::spawn_local(async move {
            while let Some(alarm) = alarms.recv().await {
                match alarm {
                    Alarm::Monitors => monitors_changed.set(true),
                    Alarm::StopKey | Alarm::Gone => ear.send(Msg::EndPressed),
                }
            }
        });
        Some(Watch { bars, waker, thread: thread.ok() })
    }

    fn take_down(&mut self) {
        self.watch = None;
        // Whoever still looks for a place finds this slot gone.
        self.tray = TraySlot::default();
        hide(std::mem::take(&mut self.bars));
    }
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
        bar.window().set_size(place.size);
        bar.window().set_position(place.at);
        bar.show()?;
        bar.window().set_position(place.at);
        Ok(Self { window: bar, place })
    }

    /// `None` while its window is not made yet.
    fn standing(&self) -> Option<Standing> {
        let (at, size) = (self.place.at, self.place.size);
        Some(Standing {
            window: x11_id(&self.window)?,
            left: i16::try_from(at.x).ok()?,
            top: i16::try_from(at.y).ok()?,
            width: u16::try_from(size.width).ok()?,
            height: u16::try_from(size.height).ok()?,
        })
    }
}

/// The bar's place on each monitor: at the top, in the middle. `None` before the toolkit has a window.
fn places(window: &impl ComponentHandle) -> Option<Vec<Place>> {
    window.window().with_winit_window(|winit| {
        let mut places: Vec<Place> =
            monitors(winit).into_iter().map(|(at, width, scale)| Place::on(at, width, scale)).collect();
        if places.is_empty() {
            places.push(Place::on(PhysicalPosition::default(), WIDEST as u32, 1.0));
        }
        places
    })
}

/// Where each begins, how wide it is, and how many pixels make one of the windows' own. The display is
/// asked beside the toolkit, which is told of no change (winit on X11).
fn monitors(winit: &winit::window::Window) -> Vec<(PhysicalPosition, u32, f64)> {
    let known = winit.available_monitors().map(|monitor| {
        let (at, size, scale) = (monitor.position(), monitor.size(), monitor.scale_factor());
        (PhysicalPosition::new(at.x, at.y), size.width, scale)
    });
    let known: Vec<_> = known.collect();
    if on_wayland() {
        return known;
    }
    let Ok(layout) = tasuki_media::x11::monitors(None) else { return known };
    let now = layout.monitors.iter().map(|monitor| {
        let at = PhysicalPosition::new(monitor.x, monitor.y);
        let scale = known.iter().find(|(its, ..)| *its == at).map_or(winit.scale_factor(), |it| it.2);
        (at, u32::from(monitor.width), scale)
    });
    now.collect()
}

fn x11_id(bar: &BannerWindow) -> Option<u32> {
    let id = bar.window().with_winit_window(|winit| {
        let raw = winit.window_handle().ok()?.as_raw();
        if let RawWindowHandle::Xlib(handle) = raw {
            return u32::try_from(handle.window).ok();
        }
        let RawWindowHandle::Xcb(handle) = raw else { return None };
        Some(handle.window.get())
    });
    id.flatten()
}

/// `None` while one is not made yet.
fn standings(bars: &[Bar]) -> Option<Vec<Standing>> {
    bars.iter().map(Bar::standing).collect()
}

fn on_wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty())
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
