//! The picture past the toolkit: finished pixels, the cursor among them, on a pane of the window.
//!
//! Serves while nothing of the window lies over the picture, and the toolkit's tiles whenever something does; both show
//! the same. Decides which pixels are made anew; how they come to the screen is [`crate::system`]'s.

use tasuki_media::blocks::{Area, ChangedBlocks};
use tasuki_media::screen::ScreenError;
use tasuki_media::tiling::{TILE, Tile, Tiling};
use tasuki_protocol::screen::CursorShape;

use super::frame::{Frame, Place};
use crate::system::Pane;

/// A byte each of blue, green, red and nothing.
const PIXEL: usize = 4;

/// Where in which window the picture may be shown so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// As the system calls it.
    pub window: u32,
    /// Of the view, in the window.
    pub view: Place,
    /// So much at each edge of the view is the window's.
    pub edge: u16,
    /// Of this end's pointer, where it leads the host's.
    pub pointer: Option<Place>,
}

/// The picture as it is now, and what of it is new.
pub(super) struct Sight<'a> {
    pub(super) frame: Frame,
    pub(super) rgba: &'a [u8],
    pub(super) changed: &'a ChangedBlocks,
    /// Whether all of it is new.
    pub(super) afresh: bool,
    pub(super) cursor: Option<&'a CursorShape>,
    /// Whether that is another one than before.
    pub(super) other_cursor: bool,
    /// Of the host's hot spot, in pixels of the source.
    pub(super) at: Option<(u16, u16)>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) parts: u64,
    /// Something of the window came to light.
    pub(super) bares: bool,
}

/// Of one painter.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Of the window that was asked last; `None` where that has none.
    over: Option<(u32, Option<Pane>)>,
    /// Where in the window it lies, and which part of the picture is on it.
    laid: Option<((i16, i16), Area)>,
    stamp: Option<Stamp>,
    lost: bool,
}

/// Where the cursor lies, in pixels of the target; some of it may be outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    left: i32,
    top: i32,
    width: u16,
    height: u16,
}

impl Past {
    /// `None` where the toolkit has to show it.
    pub(super) fn show(&mut self, way: Way, tiling: &mut Tiling, sight: &Sight<'_>) -> Option<Done> {
        let part = sight.frame.seen_part(way.edge)?;
        let corner = sight.frame.corner;
        let along =
            |view: i32, corner: i32, first: usize| i16::try_from(view + corner + first as i32).ok();
        let place = (along(way.view.x, corner.x, part.left)?, along(way.view.y, corner.y, part.top)?);
        if self.over.as_ref().is_none_or(|(window, _)| *window != way.window) {
            self.hide();
            self.over = Some((way.window, Pane::over(way.window)));
        }
        let (_, pane) = self.over.as_mut()?;
        let shown = {
            let pane = pane.as_mut()?;
            let again = std::mem::take(&mut self.lost) || sight.afresh;
            let whole = self.laid.replace((place, part)) != Some((place, part)) || again;
            let stamp = stamp(way, sight);
            let before = std::mem::replace(&mut self.stamp, stamp);
            let fresh = fresh_parts(part, tiling, sight, (before, stamp), whole);
            paint(pane, (place, part), &fresh, tiling, sight, stamp)
        };
        match shown {
            Ok(done) => Some(done),
            Err(why) => {
                tracing::debug!(%why, "the toolkit shows the picture");
                *pane = None;
                self.laid = None;
                None
            }
        }
    }

    /// Whether it was seen.
    pub(super) fn hide(&mut self) -> bool {
        self.laid = None;
        self.stamp = None;
        self.pane().is_some_and(Pane::hide)
    }

    /// Until some of what is shown has to be shown again; that is done by the next [`Self::show`].
    pub(super) async fn lost_pixels(&mut self) {
        let is_seen = self.laid.is_some();
        match self.pane().filter(|_| is_seen) {
            Some(pane) => pane.lost_pixels().await,
            None => std::future::pending().await,
        }
        self.lost = true;
    }

    fn pane(&mut self) -> Option<&mut Pane> {
        self.over.as_mut()?.1.as_mut()
    }
}

fn stamp(way: Way, sight: &Sight<'_>) -> Option<Stamp> {
    let shape = sight.cursor.filter(|shape| shape.width > 0 && shape.height > 0)?;
    let spot = way.pointer.or_else(|| sight.at.map(|at| sight.frame.seen(at)))?;
    Some(Stamp {
        left: spot.x - sight.frame.corner.x - i32::from(shape.hot_x),
        top: spot.y - sight.frame.corner.y - i32::from(shape.hot_y),
        width: shape.width,
        height: shape.height,
    })
}

impl Stamp {
    /// What of it is within `part`.
    fn area(self, part: Area) -> Option<Area> {
        let axis = |first: i32, length: u16| {
            let end = (first + i32::from(length)).max(0) as usize;
            (first.max(0) as usize, end)
        };
        let (left, right) = axis(self.left, self.width);
        let (top, bottom) = axis(self.top, self.height);
        within(Area { left, top, right, bottom }, part)
    }
}

/// The parts to be made anew; the cursor's old place and its new one are among them where either is touched.
fn fresh_parts(
    part: Area,
    tiling: &Tiling,
    sight: &Sight<'_>,
    (before, now): (Option<Stamp>, Option<Stamp>),
    whole: bool,
) -> Vec<Area> {
    if whole {
        return vec![part];
    }
    let stale = tiling.tiles().filter(|tile| tiling.is_stale(*tile, sight.changed));
    let mut fresh: Vec<Area> = stale.filter_map(|tile| within(area(tile), part)).collect();
    let stamps = [before, now].map(|stamp| stamp.and_then(|stamp| stamp.area(part)));
    let touches = |stamp: &Area| fresh.iter().any(|fresh| within(*fresh, *stamp).is_some());
    if before != now || sight.other_cursor || stamps.iter().flatten().any(touches) {
        fresh.extend(stamps.into_iter().flatten());
    }
    fresh
}

fn paint(
    pane: &mut Pane,
    (place, part): ((i16, i16), Area),
    fresh: &[Area],
    tiling: &mut Tiling,
    sight: &Sight<'_>,
    stamp: Option<Stamp>,
) -> Result<Done, ScreenError> {
    let bares = pane.lay(place, (part.width() as u16, part.height() as u16))?;
    let mut sheet = Sheet { part, pixels: pane.pixels() };
    for area in fresh {
        // A scaler is quicker with what its cache holds.
        let step = if tiling.source() == tiling.target() { area.width() } else { TILE.width.into() };
        for left in (area.left..area.right).step_by(step) {
            sheet.paint(tiling, sight.rgba, Area { left, right: area.right.min(left + step), ..*area });
        }
    }
    if let (Some(stamp), Some(shape)) = (stamp, sight.cursor)
        && let Some(seen) = stamp.area(part)
        && fresh.iter().any(|fresh| within(*fresh, seen).is_some())
    {
        sheet.press(stamp, seen, &shape.rgba);
    }
    let put: Vec<[u16; 4]> = fresh.iter().map(|area| sheet.place(*area)).collect();
    pane.put(&put)?;
    Ok(Done { parts: fresh.len() as u64, bares })
}

/// A part of the picture as the screen takes it.
struct Sheet<'a> {
    part: Area,
    pixels: &'a mut [u8],
}

impl Sheet<'_> {
    fn at(&self, left: usize, top: usize) -> usize {
        ((top - self.part.top) * self.part.width() + left - self.part.left) * PIXEL
    }

    fn place(&self, area: Area) -> [u16; 4] {
        let (left, top) = (area.left - self.part.left, area.top - self.part.top);
        [left, top, area.width(), area.height()].map(|length| length as u16)
    }

    fn paint(&mut self, tiling: &mut Tiling, rgba: &[u8], area: Area) {
        let [left, top, width, height] =
            [area.left, area.top, area.width(), area.height()].map(|length| length as u16);
        let (at, stride) = (self.at(area.left, area.top), self.part.width() * PIXEL);
        let tile = Tile { index: 0, left, top, width, height };
        tiling.paint_for_screen(rgba, tile, &mut self.pixels[at..], stride);
    }

    /// The cursor over what was painted, as the toolkit blends it: its colours hold their share already.
    fn press(&mut self, stamp: Stamp, seen: Area, rgba: &[u8]) {
        for y in seen.top..seen.bottom {
            let row = (y as i32 - stamp.top) as usize * usize::from(stamp.width);
            let from = (row + (seen.left as i32 - stamp.left) as usize) * PIXEL;
            let (at, length) = (self.at(seen.left, y), seen.width() * PIXEL);
            let Some(over) = rgba.get(from..from + length) else { return };
            let under = self.pixels[at..at + length].as_chunks_mut::<PIXEL>().0;
            for (under, over) in under.iter_mut().zip(over.as_chunks::<PIXEL>().0) {
                let rest = u16::from(u8::MAX - over[3]);
                let blend =
                    |under: u8, over: u8| ((u16::from(under) * rest / 255) as u8).saturating_add(over);
                let [blue, green, red, _] = *under;
                *under = [blend(blue, over[2]), blend(green, over[1]), blend(red, over[0]), u8::MAX];
            }
        }
    }
}

fn area(tile: Tile) -> Area {
    let [left, top, width, height] = [tile.left, tile.top, tile.width, tile.height].map(usize::from);
    Area { left, top, right: left + width, bottom: top + height }
}

fn within(one: Area, other: Area) -> Option<Area> {
    let (left, right) = (one.left.max(other.left), one.right.min(other.right));
    let (top, bottom) = (one.top.max(other.top), one.bottom.min(other.bottom));
    (left < right && top < bottom).then_some(Area { left, top, right, bottom })
}
