//! What lies over a window, or has just lain there (T2).
//!
//! A click at a window that was uncovered under the finger was meant for what lay there, and one at a window that is
//! painted over, for what is painted. Decides nothing of what such a click is good for.

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

/// On the screen, in pixels: from the left and the top, to the right and the foot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    from: (i32, i32),
    to: (i32, i32),
}

/// Where the other windows of a display are.
#[derive(Debug)]
pub(super) struct Covers(BTreeMap<Window, Area>);

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
        let mut asked = Vec::with_capacity(tree.children.len());
        for window in tree.children {
            asked.push((window, c.get_geometry(window).map_err(lost)?));
        }
        let areas = asked.into_iter().filter_map(|(window, place)| {
            // One that is gone by now covers nothing.
            place.reply().ok().map(|place| (window, Area::of(&place)))
        });
        Ok(Self(areas.collect()))
    }

    /// Whether `event` tells of another window that comes over the first of `line`, goes from there, or may do
    /// either.
    pub(super) fn heed(
        &mut self,
        desktop: &Desktop,
        event: &Event,
        line: &[Window],
    ) -> Result<bool, ScreenError> {
        if let Event::CreateNotify(it) = event {
            let (from, size) = ((it.x, it.y), (it.width, it.height));
            self.0.insert(it.window, Area::new(from, size, it.border_width));
            return Ok(false);
        }
        if let Event::DestroyNotify(it) = event {
            self.0.remove(&it.window);
            return Ok(false);
        }
        let (other, now) = if let Event::ConfigureNotify(it) = event {
            let area = Area::new((it.x, it.y), (it.width, it.height), it.border_width);
            (
                it.window,
                self.0
                    .get_mut(&it.window)
                    .map(|known| std::mem::replace(known, area))
                    .map(|was| (was, area)),
            )
        } else if let Event::MapNotify(it) = event {
            (it.window, self.0.get(&it.window).map(|area| (*area, *area)))
        } else if let Event::UnmapNotify(it) = event {
            (it.window, self.0.get(&it.window).map(|area| (*area, *area)))
        } else {
            return Ok(false);
        };
        let Some(window) = line.first().filter(|_| !line.contains(&other)) else { return Ok(false) };
        // One that came out of another window, and may have been anywhere.
        let Some((was, is)) = now else { return Ok(true) };
        let own = area_of(desktop, *window)?;
        Ok(own.is_none_or(|own| own.meets(was) || own.meets(is)))
    }
}

/// Whether something that is seen lies above `top`, one of the display's outermost windows, where the pointer is:
/// what lets the click through to `top` is painted there all the same.
pub(super) fn is_covered(desktop: &Desktop, top: Window) -> Result<bool, ScreenError> {
    let c = &desktop.connection;
    let tree = c.query_tree(desktop.root).map_err(lost)?.reply().map_err(refused("windows"))?;
    let pointer = c.query_pointer(desktop.root).map_err(lost)?.reply().map_err(refused("pointer"))?;
    let at = (i32::from(pointer.root_x), i32::from(pointer.root_y));
    let Some(own) = tree.children.iter().position(|window| *window == top) else { return Ok(true) };
    let above = tree.children.iter().skip(own + 1);
    for window in above.filter(|window| !is_the_displays_own(desktop, **window)) {
        let facts = c.get_window_attributes(*window).map_err(lost)?.reply();
        let is_painted = facts.is_ok_and(|facts| {
            facts.map_state == MapState::VIEWABLE && facts.class == WindowClass::INPUT_OUTPUT
        });
        if is_painted && area_of(desktop, *window)?.is_some_and(|area| area.has(at)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As the one on which a compositor paints all the others: no program's number for a window is such a one.
fn is_the_displays_own(desktop: &Desktop, window: Window) -> bool {
    let setup = desktop.connection.setup();
    let clients = !setup.resource_id_mask & CLIENTS;
    window & clients == 0
}

fn area_of(desktop: &Desktop, window: Window) -> Result<Option<Area>, ScreenError> {
    let c = &desktop.connection;
    let Ok(place) = c.get_geometry(window).map_err(lost)?.reply() else { return Ok(None) };
    let corner = c.translate_coordinates(window, desktop.root, 0, 0).map_err(lost)?.reply();
    let from = corner.ok().map(|corner| (corner.dst_x, corner.dst_y));
    Ok(from.map(|from| Area::new(from, (place.width, place.height), 0)))
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
