//! Still pictures of a monitor by `xcap`, compared with the one before.
//!
//! There is no damage to wait for: it looks five times a second while it is
//! asked, and not at all otherwise.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tasuki_protocol::screen::{Layout, MAX_HEIGHT, MAX_MONITORS, MAX_WIDTH, Monitor, MonitorId};

use crate::blocks::{Area, ChangedBlocks};
use crate::canvas::Canvas;
use crate::screen::{Grab, Paused, Pixels, Screen, ScreenError, Waker};

const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct PortableScreen {
    layout: Layout,
    told: Option<Layout>,
    canvas: Canvas,
    changed: ChangedBlocks,
    next_look: Instant,
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<Option<Rung>>,
    news: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct Rung;

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = Some(Rung);
        self.news.notify_all();
    }

    fn rest(&self, until: Instant) -> Paused {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if rung.take().is_some() {
                return Paused::Woken;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Paused::Over;
            }
            let waited = self.news.wait_timeout(rung, left);
            rung = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl PortableScreen {
    /// # Errors
    /// [`ScreenError::NoMonitor`] or what `xcap` says of the desktop.
    pub fn open() -> Result<Self, ScreenError> {
        Ok(Self {
            layout: read_layout(None)?,
            told: None,
            canvas: Canvas::new(0, 0),
            changed: ChangedBlocks::none(0, 0),
            next_look: Instant::now(),
            bell: Arc::default(),
        })
    }

    /// One look: what changed is marked.
    fn look(&mut self) -> Result<(), ScreenError> {
        self.next_look = Instant::now() + BETWEEN_LOOKS;
        self.layout = read_layout(Some(self.layout.shown))?;
        let place = usize::from(self.layout.shown.0);
        let monitors = xcap::Monitor::all().map_err(refused("list of monitors"))?;
        let monitor = monitors.get(place).ok_or(ScreenError::NoMonitor)?;
        let image = monitor.capture_image().map_err(refused("picture"))?;
        let (Ok(width), Ok(height)) = (u16::try_from(image.width()), u16::try_from(image.height()))
        else {
            return Err(ScreenError::TooLarge { width: image.width(), height: image.height() });
        };
        // On a scaled desktop the picture has more pixels than the monitor says.
        self.layout.monitors[place].width = width;
        self.layout.monitors[place].height = height;
        let mut pixels = image.into_raw();
        pixels.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
        if (self.canvas.width, self.canvas.height) != (width, height) || self.told.is_none() {
            self.canvas = Canvas::new(width, height);
            self.changed = ChangedBlocks::all(width, height);
        }
        let whole = Area { left: 0, top: 0, right: width.into(), bottom: height.into() };
        self.canvas.absorb(whole, &pixels, &mut self.changed);
        Ok(())
    }
}

impl Screen for PortableScreen {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn show(&mut self, monitor: MonitorId) -> Result<(), ScreenError> {
        if !self.layout.monitors.iter().any(|known| known.id == monitor) {
            return Err(ScreenError::UnknownMonitor(monitor));
        }
        if self.layout.shown != monitor {
            self.layout.shown = monitor;
            self.told = None;
            self.next_look = Instant::now();
        }
        Ok(())
    }

    fn grab(&mut self, patience: Duration) -> Result<Grab<'_>, ScreenError> {
        let deadline = Instant::now() + patience;
        self.changed.clear();
        loop {
            if Instant::now() >= self.next_look {
                self.look()?;
            }
            let news = !self.changed.is_empty() || self.told.as_ref() != Some(&self.layout);
            let until = self.next_look.min(deadline);
            if news || self.bell.rest(until) == Paused::Woken || Instant::now() >= deadline {
                break;
            }
        }
        let layout = (self.told.as_ref() != Some(&self.layout)).then(|| self.layout.clone());
        self.told = Some(self.layout.clone());
        let picture = (!self.changed.is_empty()).then_some(Pixels {
            bgra: &self.canvas.bgra,
            stride: self.canvas.stride(),
            width: self.canvas.width,
            height: self.canvas.height,
            changed: &self.changed,
        });
        Ok(Grab { layout, cursor_shape: None, cursor_position: None, picture })
    }

    fn pause(&mut self, patience: Duration) -> Result<Paused, ScreenError> {
        Ok(self.bell.rest(Instant::now() + patience))
    }

    fn waker(&self) -> Waker {
        let bell = Arc::clone(&self.bell);
        Waker::new(move || bell.ring())
    }
}

pub(super) fn read_layout(wanted: Option<MonitorId>) -> Result<Layout, ScreenError> {
    let all = xcap::Monitor::all().map_err(refused("list of monitors"))?;
    let mut monitors = Vec::new();
    for (id, told) in (0u8..).zip(all.iter().take(MAX_MONITORS)) {
        monitors.push(describe(MonitorId(id), told)?);
    }
    let first = monitors.iter().find(|m| m.primary).or(monitors.first());
    let first = first.map(|m| m.id).ok_or(ScreenError::NoMonitor)?;
    let shown = wanted.filter(|id| usize::from(id.0) < monitors.len()).unwrap_or(first);
    Ok(Layout { monitors, shown })
}

fn describe(id: MonitorId, told: &xcap::Monitor) -> Result<Monitor, ScreenError> {
    let what = refused("description of a monitor");
    let (width, height) = (told.width().map_err(&what)?, told.height().map_err(&what)?);
    let fits = |edge: u32, most: u16| u16::try_from(edge).ok().filter(|e| (1..=most).contains(e));
    let (Some(w), Some(h)) = (fits(width, MAX_WIDTH), fits(height, MAX_HEIGHT)) else {
        return Err(ScreenError::TooLarge { width, height });
    };
    let (x, y) = (told.x().map_err(&what)?, told.y().map_err(&what)?);
    let primary = told.is_primary().map_err(&what)?;
    Ok(Monitor { id, x, y, width: w, height: h, primary })
}

fn refused(request: &'static str) -> impl Fn(xcap::XCapError) -> ScreenError {
    move |_| ScreenError::Refused { request }
}
