//! What must stay visible, and the key that stops everything (T32, T33).
//!
//! Watches windows of this program: one that is covered or unmapped comes up again, one that is gone
//! is told. Grabs one key chord of the whole display. Decides nothing of what is stopped.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, EventMask, GetGeometryReply,
    GrabMode, KeyButMask, MapState, ModMask, StackMode, Window,
};

use super::connection::{Desktop, Woken, lost, refused};
use crate::screen::{ScreenError, Waker};

/// Two windows that both want to be on top must not turn the display into a race.
const PAUSE: Duration = Duration::from_millis(100);
/// The keysym of `e`, for "end".
const STOP_KEYSYM: u32 = 0x65;
/// With and without Caps Lock and Num Lock.
const LOCKS: [u16; 4] = [0, 1 << 1, 1 << 4, 1 << 1 | 1 << 4];

/// What has happened to the watched windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Ctrl+Alt+Shift+E.
    StopKey,
    /// A watched window was destroyed.
    Gone,
}

#[derive(Debug)]
pub struct Sentinel {
    desktop: Desktop,
    windows: Vec<Window>,
    looked_at: Option<Instant>,
    /// Something changed among the windows; they are looked at then, at most every [`PAUSE`].
    due: Option<Instant>,
}

impl Sentinel {
    /// # Errors
    /// [`ScreenError`]: the display is not reached, or does not know one of the windows: the connection that
    /// makes them may not have said so yet.
    pub fn open(display: Option<&str>, windows: &[Window]) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        let c = &desktop.connection;
        let all = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        c.change_window_attributes(desktop.root, &all).map_err(lost)?;
        for window in windows {
            let aux = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
            let asked = c.change_window_attributes(*window, &aux).map_err(lost)?;
            asked.check().map_err(refused("window"))?;
        }
        let sentinel = Self { desktop, windows: windows.to_vec(), looked_at: None, due: None };
        sentinel.grab_stop_key()?;
        sentinel.raise()?;
        Ok(sentinel)
    }

    pub fn waker(&self) -> Waker {
        self.desktop.waker()
    }

    /// Keeps the windows up until something must be told; `None` when woken.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone.
    pub fn watch(&mut self) -> Result<Option<Alarm>, ScreenError> {
        loop {
            while let Some(event) = self.desktop.arrived()? {
                if let Some(alarm) = self.heed(&event) {
                    return Ok(Some(alarm));
                }
            }
            let now = Instant::now();
            if self.due.is_some_and(|due| due <= now) {
                if self.is_down()? {
                    self.raise()?;
                }
                self.looked_at = Some(now);
                self.due = None;
            }
            let until = self.due.unwrap_or(now + Duration::from_secs(3600));
            match self.desktop.sleep(until)? {
                Woken::Bell => return Ok(None),
                Woken::Desktop | Woken::Time => {}
            }
        }
    }

    fn heed(&mut self, event: &Event) -> Option<Alarm> {
        if let Event::KeyPress(_) = event {
            return Some(Alarm::StopKey);
        }
        if let Event::DestroyNotify(gone) = event
            && self.windows.contains(&gone.window)
        {
            return Some(Alarm::Gone);
        }
        if self.due.is_none() && self.may_cover(event) {
            let now = Instant::now();
            let earliest = self.looked_at.map_or(now, |at| at + PAUSE);
            self.due = Some(earliest.max(now));
        }
        None
    }

    /// The order of the windows tells what is covered. `VisibilityNotify` would not: where windows are
    /// composed, as on most desktops and for windows with transparency, each counts as seen.
    fn may_cover(&self, event: &Event) -> bool {
        let other = |window: &Window| !self.windows.contains(window);
        matches!(event, Event::UnmapNotify(gone) if !other(&gone.window))
            || matches!(event, Event::MapNotify(come) if other(&come.window))
            || matches!(event, Event::ConfigureNotify(moved) if other(&moved.window))
            || matches!(event, Event::ReparentNotify(framed) if other(&framed.window))
            || matches!(event, Event::CirculateNotify(_))
    }

    /// Whether one of the windows is not mapped, or another one lies on it.
    fn is_down(&self) -> Result<bool, ScreenError> {
        let c = &self.desktop.connection;
        let tree =
            c.query_tree(self.desktop.root).map_err(lost)?.reply().map_err(refused("windows"))?;
        let mut above: Vec<GetGeometryReply> = Vec::new();
        // From the top one down.
        for window in tree.children.into_iter().rev() {
            let Some(place) = self.seen_at(window)? else {
                if self.windows.contains(&window) {
                    return Ok(true);
                }
                continue;
            };
            if !self.windows.contains(&window) {
                above.push(place);
            } else if above.iter().any(|other| overlap(other, &place)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `None` for a window that is not seen, or is gone by now.
    fn seen_at(&self, window: Window) -> Result<Option<GetGeometryReply>, ScreenError> {
        let c = &self.desktop.connection;
        let facts = c.get_window_attributes(window).map_err(lost)?;
        let place = c.get_geometry(window).map_err(lost)?;
        let is_seen = facts.reply().is_ok_and(|facts| facts.map_state == MapState::VIEWABLE);
        Ok(place.reply().ok().filter(|_| is_seen))
    }

    fn raise(&self) -> Result<(), ScreenError> {
        let c = &self.desktop.connection;
        for window in &self.windows {
            c.map_window(*window).map_err(lost)?.ignore_error();
            let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            c.configure_window(*window, &above).map_err(lost)?.ignore_error();
        }
        c.flush().map_err(lost)
    }

    /// Another program may hold the chord already; then the window's own button remains.
    fn grab_stop_key(&self) -> Result<(), ScreenError> {
        let c = &self.desktop.connection;
        let (first, last) = (c.setup().min_keycode, c.setup().max_keycode);
        let map = c.get_keyboard_mapping(first, last - first + 1).map_err(lost)?;
        let map = map.reply().map_err(refused("keyboard map"))?;
        let width = usize::from(map.keysyms_per_keycode).max(1);
        let held =
            u16::from(KeyButMask::CONTROL) | u16::from(KeyButMask::SHIFT) | u16::from(KeyButMask::MOD1);
        let keys = map
            .keysyms
            .chunks(width)
            .zip(first..=last)
            .filter(|(row, _)| row.first() == Some(&STOP_KEYSYM));
        for (_, keycode) in keys {
            for locks in LOCKS {
                let chord = ModMask::from(held | locks);
                c.grab_key(false, self.desktop.root, chord, keycode, GrabMode::ASYNC, GrabMode::ASYNC)
                    .map_err(lost)?
                    .ignore_error();
            }
        }
        Ok(())
    }
}

fn overlap(one: &GetGeometryReply, other: &GetGeometryReply) -> bool {
    let meet = |start: i16, length: u16, other_start: i16, other_length: u16| {
        i32::from(start) < i32::from(other_start) + i32::from(other_length)
            && i32::from(other_start) < i32::from(start) + i32::from(length)
    };
    meet(one.x, one.width, other.x, other.width) && meet(one.y, one.height, other.y, other.height)
}
