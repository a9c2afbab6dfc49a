//! How much of its screen a window takes.
//!
//! Decides size and place, so that a window with what is drawn around it lies in the part of the
//! monitor that panels leave free.

use slint::ComponentHandle;
use slint::winit_030::WinitWindowAccessor;
use slint::winit_030::winit;
use slint::winit_030::winit::dpi::PhysicalPosition;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

use crate::upkeep::{on_wayland, x11_id};

/// Room for the operator's screen in the end user's window, in logical pixels.
pub(crate) const PICTURE: (f64, f64) = (1000.0, 720.0);
/// What a window manager draws around a window at most: at both sides together, above and below together;
/// in logical pixels. How much it is, it tells only once the window stands.
const FRAME: (f64, f64) = (16.0, 40.0);

/// A part of the whole desktop, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    left: i32,
    top: i32,
    width: u32,
    height: u32,
}

/// Makes a window smaller that would not lie on its screen, as soon as it is made.
pub(crate) fn keep_on_screen<W: ComponentHandle + 'static>(window: &W) {
    let weak = window.as_weak();
    let _ = slint::spawn_local(async move {
        let Some(window) = weak.upgrade() else { return };
        if let Ok(winit) = window.window().winit_window().await {
            let size = winit.inner_size();
            let _ = take(&winit, window.window(), (size.width, size.height));
        }
    });
}

/// How large a window was before it grew, in logical pixels, and what it has grown to in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Before {
    size: (f64, f64),
    grown: (u32, u32),
}

/// Gives a window room for a picture of this size in logical pixels, as far as the screen has it. Gives what it was,
/// where it has changed.
pub(crate) fn grow(window: &slint::Window, size: (f64, f64)) -> Option<Before> {
    let (now, scale) = (window.size(), f64::from(window.scale_factor()));
    let before = (f64::from(now.width) / scale, f64::from(now.height) / scale);
    let wished = wished(window, size);
    let grown = window.with_winit_window(|winit| take(winit, window, wished)).flatten()?;
    Some(Before { size: before, grown })
}

/// What has grown is as large as before; whoever has sized it since keeps his own.
pub(crate) fn shrink(window: &slint::Window, before: Before) {
    let now = window.size();
    if (now.width, now.height) == before.grown {
        let wished = wished(window, before.size);
        window.with_winit_window(|winit| take(winit, window, wished));
    }
}

fn wished(window: &slint::Window, (width, height): (f64, f64)) -> (u32, u32) {
    let scale = f64::from(window.scale_factor());
    ((width * scale).round() as u32, (height * scale).round() as u32)
}

/// Gives the size that it gets, where it is another one.
fn take(
    winit: &winit::window::Window,
    window: &slint::Window,
    wished: (u32, u32),
) -> Option<(u32, u32)> {
    let free = free(winit)?;
    let frame = drawn(window).unwrap_or_else(|| frame(f64::from(window.scale_factor())));
    let now = winit.outer_position().map_or((free.left, free.top), |at| (at.x, at.y));
    let fits = fit(free, wished, frame, now);
    let size = (fits.width, fits.height);
    let is_other = size != (winit.inner_size().width, winit.inner_size().height);
    is_other.then(|| {
        window.set_size(slint::PhysicalSize::new(fits.width, fits.height));
        winit.set_outer_position(PhysicalPosition::new(fits.left, fits.top));
        size
    })
}

/// The wished size as far as it fits with the frame around it, where it stands or as near as can be.
fn fit(free: Area, wished: (u32, u32), frame: (u32, u32), now: (i32, i32)) -> Area {
    let width = wished.0.min(free.width.saturating_sub(frame.0)).max(1);
    let height = wished.1.min(free.height.saturating_sub(frame.1)).max(1);
    let place = |now: i32, start: i32, room: u32, length: u32| {
        let last = start.saturating_add_unsigned(room.saturating_sub(length));
        now.clamp(start, last)
    };
    Area {
        left: place(now.0, free.left, free.width, width + frame.0),
        top: place(now.1, free.top, free.height, height + frame.1),
        width,
        height,
    }
}

/// The window's monitor, without what panels take of it where that is known.
fn free(winit: &winit::window::Window) -> Option<Area> {
    let monitor = winit.current_monitor().or_else(|| winit.primary_monitor())?;
    let (at, size) = (monitor.position(), monitor.size());
    let whole = Area { left: at.x, top: at.y, width: size.width, height: size.height };
    if on_wayland() {
        return Some(whole);
    }
    Some(work_area().and_then(|free| both(whole, free)).unwrap_or(whole))
}

/// What two areas share.
fn both(one: Area, other: Area) -> Option<Area> {
    let end = |start: i32, length: u32| start.saturating_add_unsigned(length);
    let (left, top) = (one.left.max(other.left), one.top.max(other.top));
    let right = end(one.left, one.width).min(end(other.left, other.width));
    let bottom = end(one.top, one.height).min(end(other.top, other.height));
    let width = u32::try_from(right - left).ok().filter(|width| *width > 0)?;
    let height = u32::try_from(bottom - top).ok().filter(|height| *height > 0)?;
    Some(Area { left, top, width, height })
}

/// `_NET_WORKAREA` of the current desktop (EWMH 1.5); `None` where nobody manages windows.
fn work_area() -> Option<Area> {
    let (client, screen) = x11rb::connect(None).ok()?;
    let root = client.setup().roots.get(screen)?.root;
    let read = |name: &[u8], from: u32, count: u32| {
        let atom = client.intern_atom(true, name).ok()?.reply().ok()?.atom;
        let asked = client.get_property(false, root, atom, AtomEnum::CARDINAL, from, count);
        asked.ok()?.reply().ok()?.value32().map(Iterator::collect::<Vec<u32>>)
    };
    let desktop = read(b"_NET_CURRENT_DESKTOP", 0, 1)?.first().copied()?;
    let [left, top, width, height] = read(b"_NET_WORKAREA", desktop.checked_mul(4)?, 4)?[..] else {
        return None;
    };
    Some(Area { left: i32::try_from(left).ok()?, top: i32::try_from(top).ok()?, width, height })
}

/// `_NET_FRAME_EXTENTS` (EWMH 1.5) of a window that stands; `None` where nobody has told it yet.
fn drawn(window: &slint::Window) -> Option<(u32, u32)> {
    let id = x11_id(window)?;
    let (client, _) = x11rb::connect(None).ok()?;
    let atom = client.intern_atom(true, b"_NET_FRAME_EXTENTS").ok()?.reply().ok()?.atom;
    let asked = client.get_property(false, id, atom, AtomEnum::CARDINAL, 0, 4).ok()?;
    let around: Vec<u32> = asked.reply().ok()?.value32()?.collect();
    let [left, right, above, below] = around[..] else { return None };
    Some((left.checked_add(right)?, above.checked_add(below)?))
}

/// Nothing is drawn around a window where nobody manages windows.
fn frame(scale: f64) -> (u32, u32) {
    let bare = cfg!(all(unix, not(target_os = "macos"))) && !on_wayland() && work_area().is_none();
    let pixels = |length: f64| if bare { 0 } else { (length * scale).ceil() as u32 };
    (pixels(FRAME.0), pixels(FRAME.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Area = Area { left: 0, top: 0, width: 1280, height: 800 };

    #[test]
    fn a_window_as_large_as_its_screen_leaves_room_for_its_title_bar() {
        let fits = fit(SCREEN, (1280, 800), (16, 40), (0, 0));
        assert_eq!(fits, Area { left: 0, top: 0, width: 1264, height: 760 });
    }

    #[test]
    fn a_window_that_fits_keeps_its_size_and_its_place() {
        let fits = fit(SCREEN, (460, 740), (16, 40), (300, 5));
        assert_eq!(fits, Area { left: 300, top: 5, width: 460, height: 740 });
    }

    #[test]
    fn panels_and_other_monitors_take_their_part_and_a_window_comes_back_onto_its_own() {
        let monitor = Area { left: 1280, top: 0, width: 1024, height: 768 };
        let free = both(monitor, Area { left: 0, top: 30, width: 2304, height: 738 }).unwrap();
        assert_eq!(free, Area { left: 1280, top: 30, width: 1024, height: 738 });
        let fits = fit(free, (1280, 800), (16, 40), (1200, 700));
        assert_eq!(fits, Area { left: 1280, top: 30, width: 1008, height: 698 });
        assert_eq!(both(SCREEN, monitor), None);
    }
}
