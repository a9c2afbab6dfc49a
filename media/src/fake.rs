//! A desktop without a display: for tests that simulate the world.
//!
//! [`FakeScreen`] shows what its [`FakeDesk`] paints; [`RecordingInjector`] writes
//! down what it was told. Both behave as the real ones do towards their callers
//! and draw nothing by themselves: same calls, same pictures.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout, Monitor, MonitorId};

use crate::blocks::{Area, ChangedBlocks};
use crate::input::{InjectError, Injector, Interrupt, Leave};
use crate::screen::{Grab, Paused, Pixels, Screen, ScreenError, Waker};

/// The painter's side of a [`FakeScreen`]; clones share one desktop.
#[derive(Debug, Clone)]
pub struct FakeDesk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug)]
struct State {
    monitors: Vec<Canvas>,
    layout: Layout,
    relaid: bool,
    shape: Option<CursorShape>,
    position: Option<CursorPosition>,
    lost: bool,
    rung: bool,
    ticks: u32,
}

#[derive(Debug)]
struct Canvas {
    bgra: Vec<u8>,
    changed: ChangedBlocks,
}

/// A screen that shows what its [`FakeDesk`] paints.
#[derive(Debug)]
pub struct FakeScreen {
    shared: Arc<Shared>,
    layout: Layout,
    bgra: Vec<u8>,
    changed: ChangedBlocks,
}

/// Pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl FakeScreen {
    /// Monitors side by side, each grey; the first is primary and shown.
    pub fn new(monitors: &[Size]) -> (Self, FakeDesk) {
        let state = State::new(monitors);
        let layout = state.layout.clone();
        let shared = Arc::new(Shared { state: Mutex::new(state), news: Condvar::new() });
        let desk = FakeDesk(Arc::clone(&shared));
        let changed = ChangedBlocks::none(0, 0);
        (Self { shared, layout, bgra: Vec::new(), changed }, desk)
    }
}

impl FakeDesk {
    /// Fills a rectangle of a monitor with a colour; beyond the edge nothing happens.
    pub fn paint(&self, monitor: MonitorId, area: Area, [red, green, blue]: [u8; 3]) {
        self.change(|state| {
            let place = usize::from(monitor.0);
            let (Some(told), Some(canvas)) =
                (state.layout.monitors.get(place), state.monitors.get_mut(place))
            else {
                return;
            };
            let right = area.right.min(told.width.into());
            for y in area.top..area.bottom.min(told.height.into()) {
                let line = y * usize::from(told.width);
                for x in area.left..right {
                    canvas.bgra[(line + x) * 4..][..4].copy_from_slice(&[blue, green, red, 0]);
                }
            }
            canvas.changed.insert_area(area);
        });
    }

    /// A next, deterministic change: a 32x32 square of another place and colour.
    pub fn tick(&self) {
        let (ticks, size) = {
            let mut state = lock(&self.0.state);
            state.ticks += 1;
            let shown = state.layout.shown_monitor().map(|m| (m.width, m.height));
            (state.ticks as usize, shown.unwrap_or((1, 1)))
        };
        let left = ticks * 67 % usize::from(size.0.saturating_sub(32).max(1));
        let top = ticks * 41 % usize::from(size.1.saturating_sub(32).max(1));
        let colour = [ticks * 37 % 256, ticks * 91 % 256, ticks * 151 % 256].map(|c| c as u8);
        let shown = lock(&self.0.state).layout.shown;
        self.paint(shown, Area { left, top, right: left + 32, bottom: top + 32 }, colour);
    }

    /// Other monitors from now on.
    pub fn rearrange(&self, monitors: &[Size]) {
        self.change(|state| {
            let shown = state.layout.shown;
            *state = State::new(monitors);
            if usize::from(shown.0) < monitors.len() {
                state.layout.shown = shown;
            }
        });
    }

    pub fn set_cursor(&self, shape: CursorShape) {
        self.change(|state| state.shape = Some(shape));
    }

    pub fn move_cursor(&self, position: CursorPosition) {
        self.change(|state| state.position = Some(position));
    }

    /// The desktop ends: every later grab fails.
    pub fn lose(&self) {
        self.change(|state| state.lost = true);
    }

    fn change(&self, act: impl FnOnce(&mut State)) {
        act(&mut lock(&self.0.state));
        self.0.news.notify_all();
    }
}

impl State {
    fn new(sizes: &[Size]) -> Self {
        let mut x = 0;
        let mut monitors = Vec::new();
        for (id, size) in (0u8..).zip(sizes) {
            let Size { width, height } = *size;
            monitors.push(Monitor { id: MonitorId(id), x, y: 0, width, height, primary: id == 0 });
            x += i32::from(width);
        }
        let canvases = sizes.iter().map(|size| Canvas {
            bgra: vec![0x80; usize::from(size.width) * usize::from(size.height) * 4],
            changed: ChangedBlocks::all(size.width, size.height),
        });
        Self {
            monitors: canvases.collect(),
            layout: Layout { monitors, shown: MonitorId(0) },
            relaid: true,
            shape: None,
            position: None,
            lost: false,
            rung: false,
            ticks: 0,
        }
    }

    fn has_news(&self) -> bool {
        let painted = self.monitors.get(usize::from(self.layout.shown.0));
        self.relaid
            || self.lost
            || self.shape.is_some()
            || self.position.is_some()
            || painted.is_some_and(|canvas| !canvas.changed.is_empty())
    }
}

impl FakeScreen {
    fn wait(&self, patience: Duration, enough: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + patience;
        let mut state = lock(&self.shared.state);
        while !enough(&state) && !state.rung {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

impl Screen for FakeScreen {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn show(&mut self, monitor: MonitorId) -> Result<(), ScreenError> {
        let mut state = lock(&self.shared.state);
        if usize::from(monitor.0) >= state.monitors.len() {
            return Err(ScreenError::UnknownMonitor(monitor));
        }
        state.layout.shown = monitor;
        state.relaid = true;
        self.layout = state.layout.clone();
        Ok(())
    }

    fn grab(&mut self, patience: Duration) -> Result<Grab<'_>, ScreenError> {
        let mut state = self.wait(patience, State::has_news);
        state.rung = false;
        if state.lost {
            return Err(ScreenError::Lost);
        }
        let mut grab = Grab {
            layout: std::mem::take(&mut state.relaid).then(|| state.layout.clone()),
            cursor_shape: state.shape.take(),
            cursor_position: state.position.take(),
            picture: None,
        };
        let Some(shown) = state.layout.shown_monitor().copied() else {
            return Err(ScreenError::NoMonitor);
        };
        let (width, height) = (shown.width, shown.height);
        let layout = state.layout.clone();
        let canvas = &mut state.monitors[usize::from(shown.id.0)];
        let nothing = ChangedBlocks::none(width, height);
        let mut changed = std::mem::replace(&mut canvas.changed, nothing);
        if grab.layout.is_some() {
            changed = ChangedBlocks::all(width, height);
        }
        let mut bgra = std::mem::take(&mut canvas.bgra);
        bgra.clone_into(&mut canvas.bgra);
        drop(state);
        std::mem::swap(&mut self.bgra, &mut bgra);
        (self.layout, self.changed) = (layout, changed);
        if !self.changed.is_empty() {
            let stride = usize::from(width) * 4;
            grab.picture =
                Some(Pixels { bgra: &self.bgra, stride, width, height, changed: &self.changed });
        }
        Ok(grab)
    }

    fn pause(&mut self, patience: Duration) -> Result<Paused, ScreenError> {
        let mut state = self.wait(patience, |_| false);
        let woken = std::mem::take(&mut state.rung);
        Ok(if woken { Paused::Woken } else { Paused::Over })
    }

    fn waker(&self) -> Waker {
        let shared = Arc::clone(&self.shared);
        Waker::new(move || {
            lock(&shared.state).rung = true;
            shared.news.notify_all();
        })
    }
}

/// An injector that writes down what it was told, and what it let go.
#[derive(Debug, Default)]
pub struct RecordingInjector {
    record: Recording,
    keys: Vec<PhysicalKey>,
    buttons: Vec<PointerButton>,
    interrupt: Interrupt,
}

/// The reader's side of a [`RecordingInjector`]; clones share one record.
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<InputEvent>>>);

impl Recording {
    /// All events so far, oldest first. Letting go of held keys and buttons shows as their releases.
    pub fn events(&self) -> Vec<InputEvent> {
        lock(&self.0).clone()
    }
}

impl RecordingInjector {
    pub fn new() -> (Self, Recording) {
        let injector = Self::default();
        let record = injector.record.clone();
        (injector, record)
    }

    fn hold(&mut self, event: &InputEvent) {
        match event {
            InputEvent::Key { key, action } => track(&mut self.keys, *key, *action),
            InputEvent::Button { button, action } => track(&mut self.buttons, *button, *action),
            InputEvent::PointerMove { .. }
            | InputEvent::Wheel { .. }
            | InputEvent::Text(_)
            | InputEvent::ReleaseAll => {}
        }
    }
}

impl Injector for RecordingInjector {
    fn inject_with(&mut self, event: &InputEvent, leave: &Leave) -> Result<(), InjectError> {
        leave.check()?;
        self.hold(event);
        lock(&self.record.0).push(event.clone());
        if *event == InputEvent::ReleaseAll {
            self.release_all();
        }
        Ok(())
    }

    fn release_all(&mut self) {
        let action = KeyAction::Release;
        let mut record = lock(&self.record.0);
        record.extend(self.keys.drain(..).rev().map(|key| InputEvent::Key { key, action }));
        let buttons = self.buttons.drain(..).rev();
        record.extend(buttons.map(|button| InputEvent::Button { button, action }));
    }

    fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

impl Drop for RecordingInjector {
    fn drop(&mut self) {
        self.release_all();
    }
}

fn track<T: PartialEq>(held: &mut Vec<T>, one: T, action: KeyAction) {
    held.retain(|other| *other != one);
    if action == KeyAction::Press {
        held.push(one);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { width: 64, height: 48 };

    #[test]
    fn a_fake_screen_tells_everything_once_and_then_only_changes() {
        let (mut screen, desk) = FakeScreen::new(&[SMALL, SMALL]);
        let first = screen.grab(Duration::ZERO).expect("a grab");
        assert!(first.layout.is_some_and(|layout| layout.is_sane()));
        assert_eq!(first.picture.map(|p| p.changed.count()), Some(12));
        assert!(screen.grab(Duration::ZERO).expect("a grab").is_unchanged());
        desk.paint(MonitorId(0), Area { left: 0, top: 0, right: 5, bottom: 5 }, [255, 0, 0]);
        desk.paint(MonitorId(1), Area { left: 0, top: 0, right: 64, bottom: 48 }, [0, 255, 0]);
        let next = screen.grab(Duration::ZERO).expect("a grab");
        let pixels = next.picture.expect("a picture");
        assert_eq!((pixels.changed.count(), &pixels.bgra[..3]), (1, &[0, 0, 255][..]));
        screen.show(MonitorId(1)).expect("a second monitor");
        let other = screen.grab(Duration::ZERO).expect("a grab");
        assert_eq!(other.picture.map(|p| p.bgra[1]), Some(255));
    }

    #[test]
    fn a_waker_ends_a_grab_that_waits() {
        let (mut screen, _desk) = FakeScreen::new(&[SMALL]);
        let _ = screen.grab(Duration::ZERO);
        let waker = screen.waker();
        let waiting = std::thread::spawn(move || {
            screen.grab(Duration::from_secs(3600)).map(|grab| grab.is_unchanged())
        });
        waker.wake();
        assert_eq!(waiting.join().expect("no panic"), Ok(true));
    }

    #[test]
    fn a_dropped_injector_lets_go_of_what_it_holds() {
        let (mut injector, record) = RecordingInjector::new();
        let shift = |action| InputEvent::Key { key: PhysicalKey::LEFT_SHIFT, action };
        injector.inject(&shift(KeyAction::Press)).expect("it records everything");
        drop(injector);
        assert_eq!(record.events(), vec![shift(KeyAction::Press), shift(KeyAction::Release)]);
    }
}
