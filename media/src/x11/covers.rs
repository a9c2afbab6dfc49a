//! What lies over a window, or has just lain there (T2).
//!
//! A click at a window that was uncovered under the finger was meant for what lay there, and one at a window that is
//! painted over, for what is painted. What lies there may be a window of the display's, of the frame's that a window
//! manager has put around ours, or one inside ours. Decides nothing of what such a click is good for.

use std::collections::BTreeMap;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, GetGeometryReply, MapState, Window,
    WindowClass,
};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// The numbers of windows have three bits that belong to nobody, or to the display itself.
const CLIENTS: u32 = 0x1fff_ffff;
/// Of so many windows the places are known; what others do counts wherever they are.
const MOST: usize = 4096;
/// So many windows lie above ours and are looked at; more are a wall.
const MOST_ABOVE: usize = 1024;

/// In pixels of the window that it lies in: from the left and the top, to the right and the foot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    from: (i32, i32),
    to: (i32, i32),
}

/// Where the other windows are, and ours.
#[derive(Debug, Default)]
pub(super) struct Covers {
    others: BTreeMap<Window, Area>,
    /// In itself, and in each that it lies in; nothing where that may have changed.
    own: BTreeMap<Window, Area>,
}

impl Covers {
    /// Asks to be told of windows that come, go, and are moved.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone.
    pub(super) fn watch(desktop: &Desktop) -> Result<Self, ScreenError> {
        let c = &desktop.connection;
        let aux = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        c.change_window_attributes(desktop.root, &aux).map_err(lost)?.ignore_error();
        let tree = c.query_tree(desktop.root).map_err(lost)?.reply().map_err(refused("windows"))?;
        let mut covers = Self::default();
        covers.learn(desktop, &tree.children)?;
        Ok(covers)
    }

    /// Where these windows are.
    pub(super) fn learn(&mut self, desktop: &Desktop, windows: &[Window]) -> Result<(), ScreenError> {
        let room = MOST.saturating_sub(self.others.len());
        let mut asked = Vec::new();
        for window in windows.iter().take(room) {
            let place = desktop.connection.get_geometry(*window).map_err(lost)?;
            asked.push((*window, place));
        }
        let areas = asked.into_iter().filter_map(|(window, place)| {
            // One that is gone by now covers nothing.
            place.reply().ok().map(|place| (window, Area::of(&place)))
        });
        self.others.extend(areas);
        Ok(())
    }

    /// Ours, the first of `line`, lies somewhere else, or may.
    pub(super) fn lose_own(&mut self) {
        self.own.clear();
    }

    pub(super) fn has_lost_own(&self) -> bool {
        self.own.is_empty()
    }

    /// Where the first of `line` lies, in each of the others and on the screen.
    pub(super) fn find_own(&mut self, desktop: &Desktop, line: &[Window]) -> Result<(), ScreenError> {
        let c = &desktop.connection;
        self.own.clear();
        let Some(window) = line.first() else { return Ok(()) };
        let Ok(place) = c.get_geometry(*window).map_err(lost)?.reply() else { return Ok(()) };
        for around in line.iter().chain([&desktop.root]) {
            let corner = c.translate_coordinates(*window, *around, 0, 0).map_err(lost)?.reply();
            let Ok(corner) = corner else { continue };
            let from = (corner.dst_x, corner.dst_y);
            self.own.insert(*around, Area::new(from, (place.width, place.height), 0));
        }
        Ok(())
    }

    /// Whether `event`, which the display itself tells, is of another window that comes over the first of `line`,
    /// goes from there, or may do either.
    pub(super) fn heed(&mut self, event: &Event, line: &[Window]) -> bool {
        if let Event::CreateNotify(it) = event {
            let area = Area::new((it.x, it.y), (it.width, it.height), it.border_width);
            self.put(it.window, area);
            return false;
        }
        if let Event::DestroyNotify(it) = event {
            self.others.remove(&it.window);
            return false;
        }
        if let Event::ReparentNotify(it) = event {
            // Where it is from now on, only its next event tells.
            self.others.remove(&it.window);
            return false;
        }
        // Above or below all the others.
        if let Event::CirculateNotify(it) = event {
            return !line.contains(&it.window);
        }
        let (other, around, areas) = if let Event::ConfigureNotify(it) = event {
            let area = Area::new((it.x, it.y), (it.width, it.height), it.border_width);
            let was = self.put(it.window, area);
            (it.window, it.event, was.map(|was| [was, area]))
        } else if let Event::MapNotify(it) = event {
            (it.window, it.event, self.others.get(&it.window).map(|area| [*area; 2]))
        } else if let Event::UnmapNotify(it) = event {
            (it.window, it.event, self.others.get(&it.window).map(|area| [*area; 2]))
        } else if let Event::GravityNotify(it) = event {
            (it.window, it.event, self.others.remove(&it.window).and(None))
        } else {
            return false;
        };
        if line.contains(&other) {
            return false;
        }
        // One that came out of another window may have been anywhere, and so may ours.
        let (Some(areas), Some(own)) = (areas, self.own.get(&around)) else { return true };
        areas.iter().any(|area| own.meets(*area))
    }

    /// Where it was, as far as that was known.
    fn put(&mut self, window: Window, area: Area) -> Option<Area> {
        let has_room = self.others.len() < MOST || self.others.contains_key(&window);
        has_room.then(|| self.others.insert(window, area)).flatten()
    }
}

/// Whether something that is seen lies above the first of `line`, or inside it, at one of `places` on the screen:
/// what lets the click through is painted there all the same.
pub(super) fn is_covered(
    desktop: &Desktop,
    line: &[Window],
    places: &[(i32, i32)],
) -> Result<bool, ScreenError> {
    let c = &desktop.connection;
    let Some(window) = line.first() else { return Ok(true) };
    let mut above = c.query_tree(*window).map_err(lost)?.reply().map_err(refused("windows"))?.children;
    let around = line.iter().skip(1).chain([&desktop.root]);
    for (own, around) in line.iter().zip(around) {
        let tree = c.query_tree(*around).map_err(lost)?.reply().map_err(refused("windows"))?;
        let Some(place) = tree.children.iter().position(|child| child == own) else { return Ok(true) };
        above.extend(&tree.children[place + 1..]);
    }
    above.retain(|window| !is_the_displays_own(desktop, *window));
    if above.len() > MOST_ABOVE {
        return Ok(true);
    }
    let mut asked = Vec::with_capacity(above.len());
    for window in above {
        let facts = c.get_window_attributes(window).map_err(lost)?;
        let place = c.get_geometry(window).map_err(lost)?;
        asked.push((facts, place, c.translate_coordinates(window, desktop.root, 0, 0).map_err(lost)?));
    }
    let mut covers = asked.into_iter().map(|(facts, place, corner)| {
        let is_painted = facts.reply().is_ok_and(|facts| {
            facts.map_state == MapState::VIEWABLE && facts.class == WindowClass::INPUT_OUTPUT
        });
        let (Ok(place), Ok(corner)) = (place.reply(), corner.reply()) else { return false };
        let border = place.border_width as i16;
        let from = (corner.dst_x.saturating_sub(border), corner.dst_y.saturating_sub(border));
        let area = Area::new(from, (place.width, place.height), place.border_width);
        is_painted && places.iter().any(|at| area.has(*at))
    });
    Ok(covers.any(|covers| covers))
}

/// As the one on which a compositor paints all the others: no program's number for a window is such a one.
fn is_the_displays_own(desktop: &Desktop, window: Window) -> bool {
    let setup = desktop.connection.setup();
    let clients = !setup.resource_id_mask & CLIENTS;
    window & clients == 0
}

impl Area {
    fn of(place: &GetGeometryReply) -> Self {
        Self::new((place.x, place.y), (place.width, place.height), place.border_width)
    }

    fn new(from: (i16, i16), size: (u16, u16), border: u16) -> Self {
        let from = (i32::from(from.0), i32::from(from.1));
        let length = |inside: u16| i32::from(inside) + 2 * i32::from(border);
        Self { from, to: (from.0 + length(size.0), from.1 + length(size.1)) }
    }

    fn has(&self, (x, y): (i32, i32)) -> bool {
        self.from.0 <= x && x < self.to.0 && self.from.1 <= y && y < self.to.1
    }

    fn meets(&self, other: Self) -> bool {
        self.from.0 < other.to.0
            && other.from.0 < self.to.0
            && self.from.1 < other.to.1
            && other.from.1 < self.to.1
    }
}
