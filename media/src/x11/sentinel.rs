//! What must stay visible, and the key that stops everything (T32, T33).
//!
//! Watches windows of this program: one that is covered, unmapped, moved, shrunk, cut out, made
//! transparent or put into another window stands again; one that is gone, or that somebody puts down
//! faster than it can be put up, is told; so is a change of monitors. Grabs one key chord of the whole display. Decides nothing of
//! what is stopped.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tasuki_protocol::screen::Layout;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::shape::{self, ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    Atom, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, EventMask,
    GetGeometryReply, MapState, Property, StackMode, Window,
};

use super::connection::{Desktop, Woken, lost, refused};
use super::layout;
use super::stop_key::Grip;
use crate::desktop::{Alarm, Standing, StopKey};
use crate::screen::{ScreenError, Waker};

/// Two windows that both want to be on top must not turn the display into a race.
const PAUSE: Duration = Duration::from_millis(100);
/// A window that was put up so many times within [`FIGHT`] is not seen: somebody puts it down each time.
const TOO_OFTEN: usize = 40;
const FIGHT: Duration = Duration::from_secs(10);
/// Where more windows lie above ours, they are not looked at one by one: ours come up at once. However
/// many windows somebody opens, a look costs no more than this many.
const MOST_LOOKED_AT: usize = 64;
/// What a compositor makes a window transparent by.
const OPACITY: &[u8] = b"_NET_WM_WINDOW_OPACITY";

#[derive(Debug)]
pub struct Sentinel {
    desktop: Desktop,
    standings: Vec<Standing>,
    opacity: Atom,
    looked_at: Option<Instant>,
    /// Something changed among the windows; they are looked at then, at most every [`PAUSE`].
    due: Option<Instant>,
    /// Somebody did to one of ours what its place does not show.
    touched: bool,
    /// The monitors as they were told last, and whether they may be others by now.
    monitors: Option<Layout>,
    monitors_changed: bool,
    grip: Grip,
    /// What was told of it, and whether other keys may be it by now.
    stop_key: Option<StopKey>,
    keys_changed: bool,
    /// When they were put up, of late.
    raised: VecDeque<Instant>,
}

impl Sentinel {
    /// # Errors
    /// [`ScreenError`]: the display is not reached, or does not know one of the windows: the connection that
    /// makes them may not have said so yet.
    pub fn open(display: Option<&str>, standings: &[Standing]) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        let c = &desktop.connection;
        layout::watch(&desktop)?;
        let all = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY;
        let all = ChangeWindowAttributesAux::new().event_mask(all);
        c.change_window_attributes(desktop.root, &all).map_err(lost)?;
        let has_shapes = desktop.has(shape::X11_EXTENSION_NAME)?;
        for Standing { window, .. } in standings {
            // What others put into ours lies above what ours show.
            let events = EventMask::STRUCTURE_NOTIFY
                | EventMask::SUBSTRUCTURE_NOTIFY
                | EventMask::PROPERTY_CHANGE;
            let aux = ChangeWindowAttributesAux::new().event_mask(events);
            let asked = c.change_window_attributes(*window, &aux).map_err(lost)?;
            asked.check().map_err(refused("window"))?;
            if has_shapes {
                c.shape_select_input(*window, true).map_err(lost)?.ignore_error();
            }
        }
        let opacity =
            c.intern_atom(false, OPACITY).map_err(lost)?.reply().map_err(refused("an atom"))?;
        let mut sentinel = Self {
            opacity: opacity.atom,
            standings: standings.to_vec(),
            looked_at: None,
            due: None,
            touched: false,
            monitors: None,
            monitors_changed: true,
            grip: Grip::take(&desktop)?,
            stop_key: None,
            keys_changed: false,
            raised: VecDeque::with_capacity(TOO_OFTEN),
            desktop,
        };
        sentinel.raise()?;
        // Whatever was done to them before anybody watched.
        sentinel.due = Some(Instant::now());
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
            let now = Instant::now();
            // Between two events as well: whoever never stops telling holds no look up.
            if self.due.is_some_and(|due| due <= now)
                && let Some(alarm) = self.look(now)?
            {
                return Ok(Some(alarm));
            }
            if let Some(event) = self.desktop.arrived()? {
                match self.heed(&event) {
                    Some(alarm) => return Ok(Some(alarm)),
                    None => continue,
                }
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
            && self.is_ours(gone.window)
        {
            return Some(Alarm::Gone);
        }
        self.touched |= self.touches(event);
        self.monitors_changed |= self.is_of_monitors(event);
        self.keys_changed |= matches!(event, Event::MappingNotify(_));
        let is_odd =
            self.touched || self.monitors_changed || self.keys_changed || self.may_cover(event);
        if self.due.is_none() && is_odd {
            let now = Instant::now();
            let earliest = self.looked_at.map_or(now, |at| at + PAUSE);
            self.due = Some(earliest.max(now));
        }
        None
    }

    /// The order of the windows tells what is covered. `VisibilityNotify` would not: where windows are
    /// composed, as on most desktops and for windows with transparency, each counts as seen.
    fn may_cover(&self, event: &Event) -> bool {
        matches!(event, Event::UnmapNotify(gone) if self.is_ours(gone.window))
            || matches!(event, Event::MapNotify(come) if !self.is_ours(come.window))
            || matches!(
                event,
                Event::ConfigureNotify(_) | Event::ReparentNotify(_) | Event::CirculateNotify(_)
            )
    }

    fn is_of_monitors(&self, event: &Event) -> bool {
        let of_others = matches!(event, Event::ConfigureNotify(it) if it.window != self.desktop.root);
        layout::is_told_by(event) && !of_others
    }

    /// A hole in one of ours, for the eye or for the pointer, or a compositor told to let it fade.
    fn touches(&self, event: &Event) -> bool {
        matches!(event, Event::ShapeNotify(cut) if cut.shaped && self.is_ours(cut.affected_window))
            || matches!(event, Event::PropertyNotify(set) if set.atom == self.opacity
                && set.state == Property::NEW_VALUE && self.is_ours(set.window))
    }

    fn look(&mut self, now: Instant) -> Result<Option<Alarm>, ScreenError> {
        self.looked_at = Some(now);
        self.due = None;
        if std::mem::take(&mut self.monitors_changed) {
            let now_there = Some(layout::read(&self.desktop, None)?);
            if now_there != self.monitors {
                self.monitors = now_there;
                // The windows themselves are looked at next.
                self.due = Some(now);
                return Ok(Some(Alarm::Monitors));
            }
        }
        if std::mem::take(&mut self.keys_changed) {
            self.grip.renew(&self.desktop)?;
        }
        if self.stop_key != Some(self.grip.state) {
            self.stop_key = Some(self.grip.state);
            self.due = Some(now);
            return Ok(Some(Alarm::StopKeyIs(self.grip.state)));
        }
        let touched = std::mem::take(&mut self.touched);
        if !touched && self.stand()? && !self.is_covered_from_inside()? {
            return Ok(None);
        }
        self.raised.retain(|at| now.saturating_duration_since(*at) < FIGHT);
        self.raised.push_back(now);
        if self.raised.len() > TOO_OFTEN {
            return Ok(Some(Alarm::Gone));
        }
        self.raise()?;
        Ok(None)
    }

    /// Whether each of the windows is in its place, and nothing lies on it.
    fn stand(&self) -> Result<bool, ScreenError> {
        let c = &self.desktop.connection;
        let tree = c.query_tree(self.desktop.root).map_err(lost)?;
        let order = tree.reply().map_err(refused("windows"))?.children;
        let Some(lowest) = order.iter().position(|window| self.is_ours(*window)) else {
            return Ok(self.standings.is_empty());
        };
        let upper = order.get(lowest..).unwrap_or_default();
        if upper.len() > self.standings.len() + MOST_LOOKED_AT {
            return Ok(false);
        }
        // All is asked before the first answer is read: one trip to the display.
        let mut asked = Vec::with_capacity(upper.len());
        for window in upper {
            let facts = c.get_window_attributes(*window).map_err(lost)?;
            asked.push((*window, facts, c.get_geometry(*window).map_err(lost)?));
        }
        let mut above: Vec<GetGeometryReply> = Vec::new();
        let mut standing = 0;
        // From the top one down.
        for (window, facts, place) in asked.into_iter().rev() {
            // One that is not seen, or is gone by now, covers nothing.
            let is_seen = facts.reply().is_ok_and(|facts| facts.map_state == MapState::VIEWABLE);
            let place = place.reply().ok().filter(|_| is_seen);
            let ours = self.standings.iter().find(|standing| standing.window == window);
            match (ours, place) {
                (None, place) => above.extend(place),
                (Some(ours), Some(place)) if ours.is_at(&place) => {
                    if above.iter().any(|other| overlap(other, &place)) {
                        return Ok(false);
                    }
                    standing += 1;
                }
                (Some(_), _) => return Ok(false),
            }
        }
        Ok(standing == self.standings.len())
    }

    /// Ours have no windows inside, so that each one there is somebody else's.
    fn is_covered_from_inside(&self) -> Result<bool, ScreenError> {
        let c = &self.desktop.connection;
        for standing in &self.standings {
            let inside = c.query_tree(standing.window).map_err(lost)?.reply();
            let inside = inside.map(|tree| tree.children).unwrap_or_default();
            if inside.len() > MOST_LOOKED_AT {
                return Ok(true);
            }
            for window in inside {
                let facts = c.get_window_attributes(window).map_err(lost)?.reply();
                if facts.is_ok_and(|facts| facts.map_state == MapState::VIEWABLE) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn is_ours(&self, window: Window) -> bool {
        self.standings.iter().any(|standing| standing.window == window)
    }

    /// One that is gone by now is told of by the display itself.
    fn raise(&self) -> Result<(), ScreenError> {
        let c = &self.desktop.connection;
        let has_shapes = self.desktop.has(shape::X11_EXTENSION_NAME)?;
        for standing in &self.standings {
            let window = standing.window;
            // A window manager that was told to care for it would move it.
            let aux = ChangeWindowAttributesAux::new().override_redirect(1);
            c.change_window_attributes(window, &aux).map_err(lost)?.ignore_error();
            let tree = c.query_tree(window).map_err(lost)?.reply();
            if tree.is_ok_and(|tree| tree.parent != self.desktop.root) {
                let (root, left, top) = (self.desktop.root, standing.left, standing.top);
                c.reparent_window(window, root, left, top).map_err(lost)?.ignore_error();
            }
            if has_shapes {
                for kind in [SK::BOUNDING, SK::CLIP, SK::INPUT] {
                    let whole = c.shape_mask(SO::SET, kind, window, 0, 0, x11rb::NONE);
                    whole.map_err(lost)?.ignore_error();
                }
            }
            c.unmap_subwindows(window).map_err(lost)?.ignore_error();
            c.delete_property(window, self.opacity).map_err(lost)?.ignore_error();
            c.map_window(window).map_err(lost)?.ignore_error();
            c.configure_window(window, &standing.place()).map_err(lost)?.ignore_error();
        }
        c.flush().map_err(lost)
    }
}

/// The next one over the same display gets the chord.
impl Drop for Sentinel {
    fn drop(&mut self) {
        Grip::let_go(&self.desktop);
    }
}

impl Standing {
    fn is_at(&self, place: &GetGeometryReply) -> bool {
        (self.left, self.top, self.width, self.height, 0)
            == (place.x, place.y, place.width, place.height, place.border_width)
    }

    fn place(&self) -> ConfigureWindowAux {
        ConfigureWindowAux::new()
            .x(i32::from(self.left))
            .y(i32::from(self.top))
            .width(u32::from(self.width))
            .height(u32::from(self.height))
            .border_width(0)
            .stack_mode(StackMode::ABOVE)
    }
}

fn overlap(one: &GetGeometryReply, other: &GetGeometryReply) -> bool {
    let meet = |start: i16, length: u16, other_start: i16, other_length: u16| {
        i32::from(start) < i32::from(other_start) + i32::from(other_length)
            && i32::from(other_start) < i32::from(start) + i32::from(length)
    };
    meet(one.x, one.width, other.x, other.width) && meet(one.y, one.height, other.y, other.height)
}
