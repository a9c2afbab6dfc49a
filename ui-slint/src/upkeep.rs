//! Windows of this program that must stay where they are seen while a screen is shown: bars, frames (T33).
//!
//! Decides how they are made and watched: no window manager has them, the display's sentinel puts them up
//! again, and none stands for long without it. What an alarm means is for whoever shows them to say.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use slint::winit_030::winit::raw_window_handle::{HasWindowHandle, RawWindowHandle};
use slint::winit_030::{WinitWindowAccessor, winit};
use slint::{PhysicalPosition, PhysicalSize, PlatformError};
use tasuki_media::desktop::{Alarm, Sentinel, Standing};
use tasuki_media::screen::Waker;
use tasuki_peer::programs::visit;
use tasuki_peer::shell::fault::Fault;
use tokio::sync::mpsc::Receiver;

/// How long the toolkit may take to make such a window. A session whose windows nobody keeps up ends (T33).
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the toolkit that the windows which are made next are such ones: no window manager covers them,
/// moves them or puts them away.
#[derive(Debug, Clone, Default)]
pub(crate) struct NextIsKept(Rc<Cell<bool>>);

impl NextIsKept {
    /// The toolkit asks when a window is made, which may be as late as it is shown.
    pub(crate) fn while_making<T>(&self, make: impl FnOnce() -> T) -> T {
        self.0.set(true);
        let made = make();
        self.0.set(false);
        made
    }

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

/// Takes the software renderer, and lets [`NextIsKept`] have its say on each window. `name` is that of the
/// menu entry (ui-slint/desktop), so that a desktop knows whose windows they are.
///
/// # Errors
/// [`Fault::NoDisplay`] where a desktop has a name and none is named, else what the toolkit says of it.
pub(crate) fn choose_toolkit(name: &str) -> Result<NextIsKept, Fault> {
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(target_os = "linux") && !named("DISPLAY") && !named("WAYLAND_DISPLAY") {
        return Err(Fault::NoDisplay);
    }
    let next = NextIsKept::default();
    let asked = next.clone();
    let toolkit = slint::BackendSelector::new()
        .backend_name("winit".to_owned())
        .renderer_name("software".to_owned())
        .with_winit_window_attributes_hook(move |attributes| asked.dress(attributes));
    crate::start_toolkit(|| toolkit.select())?;
    let _ = slint::set_xdg_app_id(name);
    crate::last_words::prepare();
    Ok(next)
}

/// Where a window belongs on the whole desktop, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: PhysicalPosition,
    pub(crate) size: PhysicalSize,
}

impl Place {
    /// At the top of a monitor, so far `below` its edge, in the middle; `size` in the windows' own pixels,
    /// made narrower where the monitor is. `scale` is how many pixels make one of those.
    pub(crate) fn at_the_top(
        (monitor, monitor_width): (PhysicalPosition, u32),
        below: f64,
        size: (f64, f64),
        scale: f64,
    ) -> Self {
        let width = size.0.min(f64::from(monitor_width) / scale - 40.0).max(200.0) * scale;
        let indent = (f64::from(monitor_width) - width) / 2.0;
        Self {
            at: PhysicalPosition::new(monitor.x + indent as i32, monitor.y + (below * scale) as i32),
            size: PhysicalSize::new(width.round() as u32, (size.1 * scale).round() as u32),
        }
    }

    /// # Errors
    /// The desktop gives no window.
    pub(crate) fn put(self, window: &slint::Window) -> Result<(), PlatformError> {
        window.set_size(self.size);
        window.set_position(self.at);
        window.show()?;
        window.set_position(self.at);
        Ok(())
    }

    /// As the sentinel knows the window; `None` while it is not made yet.
    pub(crate) fn standing(self, window: &slint::Window) -> Option<Standing> {
        Some(Standing {
            window: x11_id(window)?,
            left: i16::try_from(self.at.x).ok()?,
            top: i16::try_from(self.at.y).ok()?,
            width: u16::try_from(self.size.width).ok()?,
            height: u16::try_from(self.size.height).ok()?,
        })
    }
}

/// Where each monitor begins, how wide it is, and how many pixels make one of the windows' own; `None`
/// before the toolkit has a window. The display is asked beside the toolkit, which is told of no change
/// (winit on X11).
pub(crate) fn monitors(window: &slint::Window) -> Option<Vec<(PhysicalPosition, u32, f64)>> {
    let chosen = chosen_scale();
    window.with_winit_window(|winit| {
        let known = winit.available_monitors().map(|monitor| {
            let (at, size) = (monitor.position(), monitor.size());
            let scale = chosen.unwrap_or(monitor.scale_factor());
            (PhysicalPosition::new(at.x, at.y), size.width, scale)
        });
        let known: Vec<_> = known.collect();
        if on_wayland() {
            return known;
        }
        let Ok(layout) = tasuki_media::desktop::monitors(None) else { return known };
        let now = layout.monitors.iter().map(|monitor| {
            let at = PhysicalPosition::new(monitor.x, monitor.y);
            let scale = known.iter().find(|(its, ..)| *its == at).map(|it| it.2);
            let scale = scale.or(chosen).unwrap_or(winit.scale_factor());
            (at, u32::from(monitor.width), scale)
        });
        now.collect()
    })
}

/// What the toolkit takes for every monitor where the person has said so.
fn chosen_scale() -> Option<f64> {
    let scale = std::env::var("SLINT_SCALE_FACTOR").ok()?.parse::<f64>().ok()?;
    (scale > 0.0).then_some(scale)
}

/// The sentinel's thread over such windows. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Watch {
    kept: Vec<Standing>,
    waker: Waker,
    alarms: Rc<RefCell<Receiver<Alarm>>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Tells what happens to them, on the window's thread. `None` where the display cannot be watched.
    pub(crate) fn over(kept: Vec<Standing>, told: impl Fn(Alarm) + 'static) -> Option<Self> {
        let (tell, alarms) = tokio::sync::mpsc::channel::<Alarm>(4);
        let mut sentinel = Sentinel::open(None, &kept).ok()?;
        let waker = sentinel.waker();
        let thread = std::thread::Builder::new().name("tasuki-sentinel".to_owned()).spawn(move || {
            loop {
                // A sentinel that can watch no more is as good as a window that is gone.
                let alarm = match sentinel.watch() {
                    Ok(Some(alarm)) => alarm,
                    Ok(None) => return,
                    Err(_) => Alarm::Gone,
                };
                if tell.blocking_send(alarm).is_err() || alarm == Alarm::Gone {
                    return;
                }
            }
        });
        let alarms = Rc::new(RefCell::new(alarms));
        let heard = Rc::clone(&alarms);
        let _ = slint::spawn_local(async move {
            while let Some(alarm) = poll_fn(|woken| heard.borrow_mut().poll_recv(woken)).await {
                told(alarm);
            }
        });
        Some(Self { kept, waker, alarms, thread: thread.ok() })
    }

    pub(crate) fn is_over(&self, kept: &[Standing]) -> bool {
        self.kept == kept
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Else the thread could wait for this one to hear an alarm.
        self.alarms.borrow_mut().close();
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Since when a screen is shown and nobody keeps its windows up.
#[derive(Debug, Default)]
pub(crate) struct Unwatched(Option<Instant>);

impl Unwatched {
    /// Whether that went on for too long. Tells it once.
    pub(crate) fn for_too_long(&mut self, is_shown: bool, watch: Option<&Watch>) -> bool {
        if !is_shown || watch.is_some() {
            self.0 = None;
            return false;
        }
        let since = *self.0.get_or_insert_with(Instant::now);
        let too_long = since.elapsed() >= PATIENCE;
        if too_long {
            self.0 = None;
        }
        too_long
    }
}

/// The display whose screen can be shown, with the windows above it that must be seen.
///
/// # Errors
/// [`Fault::Wayland`]: no program of a Wayland desktop stands above others there, or sees what they show.
/// Else as [`visit::display`].
pub(crate) fn own_display() -> Result<String, Fault> {
    if on_wayland() { Err(Fault::Wayland) } else { visit::display() }
}

pub(crate) fn on_wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty())
}

pub(crate) fn x11_id(window: &slint::Window) -> Option<u32> {
    let id = window.with_winit_window(|winit| {
        let raw = winit.window_handle().ok()?.as_raw();
        if let RawWindowHandle::Xlib(handle) = raw {
            return u32::try_from(u128::from(handle.window)).ok();
        }
        let RawWindowHandle::Xcb(handle) = raw else { return None };
        Some(handle.window.get())
    });
    id.flatten()
}
