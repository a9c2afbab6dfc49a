//! The screen of an X display: DAMAGE says where to look, shared memory shows it.
//!
//! Decides when there is news. Sleeps on the connection otherwise: no timer runs
//! while nothing changes, only a moving mouse is asked for its place at most
//! every 8 ms. Does not know what becomes of the pixels.

use std::time::{Duration, Instant};

use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout, Monitor, MonitorId};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _, CursorNotifyMask};
use x11rb::protocol::xinput::{self, ConnectionExt as _, XIEventMask};
use x11rb::protocol::xproto::ImageOrder;

use super::connection::{Desktop, Woken, lost, no_id, refused};
use super::fetch::Fetcher;
use super::{cursor, layout};
use crate::blocks::{Area, ChangedBlocks};
use crate::canvas::Canvas;
use crate::screen::{Grab, Paused, Pixels, Screen, ScreenError, Waker};

/// A program that moves the cursor itself is not told by the server; so the end of
/// a wait looks for it, at most this often.
const BETWEEN_GLANCES: Duration = Duration::from_millis(100);
/// A mouse may report a thousand times a second; nobody sees more than this.
const BETWEEN_POSITIONS: Duration = Duration::from_millis(8);

#[derive(Debug)]
pub struct X11Screen {
    desktop: Desktop,
    damage: damage::Damage,
    damaged: xfixes::Region,
    fetcher: Fetcher,
    layout: Layout,
    canvas: Canvas,
    suspects: ChangedBlocks,
    changed: ChangedBlocks,
    position: CursorPosition,
    position_read: Instant,
    due: Due,
}

/// What the display's events said must be looked at.
#[derive(Debug, Default)]
struct Due {
    damage: Option<Look>,
    layout: Option<Look>,
    shape: Option<Look>,
    position: Option<Look>,
    tell_layout: Option<Look>,
}

#[derive(Debug, Clone, Copy)]
struct Look;

impl Due {
    fn note(&mut self, event: &Event) {
        if matches!(event, Event::DamageNotify(_)) {
            self.damage = Some(Look);
        } else if matches!(event, Event::XfixesCursorNotify(_)) {
            self.shape = Some(Look);
        } else if matches!(event, Event::XinputRawMotion(_)) {
            self.position = Some(Look);
        } else if layout::is_told_by(event) {
            self.layout = Some(Look);
        }
    }
}

#[derive(Debug, Default)]
struct News {
    layout: Option<Layout>,
    shape: Option<CursorShape>,
    position: Option<CursorPosition>,
}

impl X11Screen {
    /// `display` as in DISPLAY (`:0`); `None` takes the environment's.
    ///
    /// # Errors
    /// [`ScreenError`]: no display, no DAMAGE or XFIXES, an unusual depth.
    pub fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        check_pixels(&desktop)?;
        desktop.require(xfixes::X11_EXTENSION_NAME, "XFIXES")?;
        desktop.require(damage::X11_EXTENSION_NAME, "DAMAGE")?;
        layout::watch(&desktop)?;
        watch_cursor(&desktop)?;
        let (damage, damaged) = watch_damage(&desktop)?;
        let fetcher = Fetcher::new(&desktop)?;
        let layout = layout::read(&desktop, None)?;
        let mut screen = Self {
            desktop,
            damage,
            damaged,
            fetcher,
            layout,
            canvas: Canvas::new(0, 0),
            suspects: ChangedBlocks::none(0, 0),
            changed: ChangedBlocks::none(0, 0),
            position: CursorPosition(None),
            position_read: Instant::now(),
            due: Due { shape: Some(Look), position: Some(Look), ..Due::default() },
        };
        screen.start_afresh();
        Ok(screen)
    }

    fn shown(&self) -> Result<Monitor, ScreenError> {
        self.layout.shown_monitor().copied().ok_or(ScreenError::NoMonitor)
    }

    /// The shown monitor is another one, or of another size: everything is new.
    fn start_afresh(&mut self) {
        if let Some(monitor) = self.layout.shown_monitor() {
            self.canvas = Canvas::new(monitor.width, monitor.height);
            self.suspects = ChangedBlocks::all(monitor.width, monitor.height);
            self.changed = self.suspects.clone();
        }
        self.due.tell_layout = Some(Look);
        self.due.position = Some(Look);
    }

    /// Notes what has arrived; gives how many events that were.
    fn read_events(&mut self) -> Result<usize, ScreenError> {
        let mut read = 0;
        while let Some(event) = self.desktop.arrived()? {
            self.due.note(&event);
            read += 1;
        }
        Ok(read)
    }

    /// Looks at everything that is due.
    fn look(&mut self) -> Result<News, ScreenError> {
        let mut news = News::default();
        if self.due.layout.take().is_some() {
            self.look_at_layout()?;
        }
        if self.due.tell_layout.take().is_some() {
            news.layout = Some(self.layout.clone());
        }
        if self.due.damage.take().is_some() {
            self.look_at_damage()?;
        }
        self.look_at_picture()?;
        if self.due.shape.take().is_some() {
            news.shape = Some(cursor::shape(&self.desktop)?);
            self.due.position = Some(Look);
        }
        // Only programs that move the mouse themselves send no motion; they draw as well.
        let moved = self.due.position.is_some() && Instant::now() >= self.position_due();
        if moved || !self.changed.is_empty() {
            news.position = self.look_at_position()?;
        }
        Ok(news)
    }

    fn look_at_layout(&mut self) -> Result<(), ScreenError> {
        let before = self.shown()?;
        let now = layout::read(&self.desktop, Some(self.layout.shown))?;
        if now == self.layout {
            return Ok(());
        }
        self.layout = now;
        self.due.tell_layout = Some(Look);
        if self.shown()? != before {
            self.start_afresh();
        }
        Ok(())
    }

    /// Empties the damage into the suspects: before the grab, so that what is
    /// drawn meanwhile is told again.
    fn look_at_damage(&mut self) -> Result<(), ScreenError> {
        let monitor = self.shown()?;
        let c = &self.desktop.connection;
        c.damage_subtract(self.damage, x11rb::NONE, self.damaged).map_err(lost)?;
        let region =
            c.xfixes_fetch_region(self.damaged).map_err(lost)?.reply().map_err(refused("damage"))?;
        for r in region.rectangles {
            let along = |start: i32, length: i32, origin: i32| {
                let from = (start - origin).max(0) as usize;
                (from, (start - origin + length).max(0) as usize)
            };
            let (left, right) = along(r.x.into(), r.width.into(), monitor.x);
            let (top, bottom) = along(r.y.into(), r.height.into(), monitor.y);
            self.suspects.insert_area(Area { left, top, right, bottom });
        }
        Ok(())
    }

    fn look_at_picture(&mut self) -> Result<(), ScreenError> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        let monitor = self.shown()?;
        let fetched = self.fetcher.refresh(
            &self.desktop,
            &monitor,
            &self.suspects,
            &mut self.canvas,
            &mut self.changed,
        );
        match fetched {
            Ok(()) => self.suspects.clear(),
            // The monitor shrank while we looked: its news are on the way.
            Err(ScreenError::Refused { .. }) if self.is_outdated()? => self.due.layout = Some(Look),
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn is_outdated(&self) -> Result<bool, ScreenError> {
        Ok(layout::read(&self.desktop, Some(self.layout.shown))? != self.layout)
    }

    fn look_at_position(&mut self) -> Result<Option<CursorPosition>, ScreenError> {
        self.due.position = None;
        self.position_read = Instant::now();
        let now = cursor::position(&self.desktop, &self.shown()?)?;
        let moved = now != self.position;
        self.position = now;
        Ok(moved.then_some(now))
    }

    fn position_due(&self) -> Instant {
        self.position_read + BETWEEN_POSITIONS
    }

    /// Sleeps until something may be due; `None` when the grab's time is over.
    fn sleep(&self, deadline: Instant) -> Result<Option<Look>, ScreenError> {
        let until = match self.due.position {
            Some(Look) => self.position_due().min(deadline),
            None => deadline,
        };
        Ok(match self.desktop.sleep(until)? {
            Woken::Desktop => Some(Look),
            Woken::Bell => None,
            Woken::Time => (until < deadline).then_some(Look),
        })
    }
}

impl Screen for X11Screen {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn show(&mut self, monitor: MonitorId) -> Result<(), ScreenError> {
        if !self.layout.monitors.iter().any(|known| known.id == monitor) {
            return Err(ScreenError::UnknownMonitor(monitor));
        }
        if self.layout.shown != monitor {
            self.layout.shown = monitor;
            self.start_afresh();
        }
        Ok(())
    }

    fn grab(&mut self, patience: Duration) -> Result<Grab<'_>, ScreenError> {
        let deadline = Instant::now() + patience;
        let fresh = self.due.tell_layout.is_some();
        if !fresh {
            self.changed.clear();
        }
        let mut news = loop {
            self.read_events()?;
            let news = self.look()?;
            let found = news.layout.is_some() || news.shape.is_some() || news.position.is_some();
            if found || !self.changed.is_empty() {
                break news;
            }
            // A reply awaited by the look may have brought events along: the socket is
            // silent about them, and damage is told once only.
            if self.read_events()? == 0 && self.sleep(deadline)?.is_none() {
                break news;
            }
        };
        if news.position.is_none() && self.position_read.elapsed() > BETWEEN_GLANCES {
            news.position = self.look_at_position()?;
        }
        let stride = self.canvas.stride();
        let picture = (!self.changed.is_empty()).then_some(Pixels {
            bgra: &self.canvas.bgra,
            stride,
            width: self.canvas.width,
            height: self.canvas.height,
            changed: &self.changed,
        });
        Ok(Grab {
            layout: news.layout,
            cursor_shape: news.shape,
            cursor_position: news.position,
            picture,
        })
    }

    fn pause(&mut self, patience: Duration) -> Result<Paused, ScreenError> {
        let woken = self.desktop.rest(Instant::now() + patience)?;
        Ok(if woken == Woken::Bell { Paused::Woken } else { Paused::Over })
    }

    fn waker(&self) -> Waker {
        self.desktop.waker()
    }
}

/// Blue, green, red, unused in four bytes, or a sentence that says what else it is.
fn check_pixels(desktop: &Desktop) -> Result<(), ScreenError> {
    let setup = desktop.connection.setup();
    let depth = desktop.depth;
    let packed = setup.pixmap_formats.iter().any(|f| f.depth == depth && f.bits_per_pixel == 32);
    let visuals = setup.roots.iter().filter(|screen| screen.root == desktop.root).flat_map(|screen| {
        let all = screen.allowed_depths.iter().flat_map(|d| &d.visuals);
        all.filter(|visual| visual.visual_id == screen.root_visual)
    });
    let mut visuals = visuals;
    let bgr = visuals.any(|v| (v.red_mask, v.green_mask, v.blue_mask) == (0xFF_0000, 0xFF00, 0xFF));
    let ordered = setup.image_byte_order == ImageOrder::LSB_FIRST;
    if matches!(depth, 24 | 32) && packed && bgr && ordered {
        Ok(())
    } else {
        Err(ScreenError::UnsupportedDepth { depth })
    }
}

fn watch_damage(desktop: &Desktop) -> Result<(damage::Damage, xfixes::Region), ScreenError> {
    let c = &desktop.connection;
    c.damage_query_version(1, 1).map_err(lost)?.reply().map_err(refused("DAMAGE version"))?;
    let damage = c.generate_id().map_err(no_id)?;
    let region = c.generate_id().map_err(no_id)?;
    c.damage_create(damage, desktop.root, damage::ReportLevel::NON_EMPTY).map_err(lost)?;
    c.xfixes_create_region(region, &[]).map_err(lost)?;
    Ok((damage, region))
}

/// XFIXES tells shapes; XInput 2 tells that the mouse moved, if the server has it.
fn watch_cursor(desktop: &Desktop) -> Result<(), ScreenError> {
    let c = &desktop.connection;
    c.xfixes_query_version(5, 0).map_err(lost)?.reply().map_err(refused("XFIXES version"))?;
    c.xfixes_select_cursor_input(desktop.root, CursorNotifyMask::DISPLAY_CURSOR).map_err(lost)?;
    if !desktop.has(xinput::X11_EXTENSION_NAME)? {
        return Ok(());
    }
    c.xinput_xi_query_version(2, 2).map_err(lost)?.reply().map_err(refused("XInput version"))?;
    let motion = xinput::EventMask {
        deviceid: xinput::Device::ALL_MASTER.into(),
        mask: vec![XIEventMask::RAW_MOTION],
    };
    c.xinput_xi_select_events(desktop.root, &[motion]).map_err(lost)?;
    Ok(())
}
