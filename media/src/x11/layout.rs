//! The monitors of a display, as RandR tells them.
//!
//! Capture and injection both number them by this order. Tells no names (S17, S20).

use tasuki_protocol::screen::{Layout, MAX_HEIGHT, MAX_MONITORS, MAX_WIDTH, Monitor, MonitorId};
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// The monitors of a display now.
///
/// # Errors
/// [`ScreenError`]: the display is not reached, or has none that can be shown.
pub fn monitors(display: Option<&str>) -> Result<Layout, ScreenError> {
    read(&Desktop::connect(display)?, None)
}

/// Asks to be told of every change of monitors, and of nothing else of the root window.
///
/// RandR tells outputs and modes; a monitor that is only a part of an output is told
/// by the root window's configuration, which stays as it was.
pub(super) fn watch(desktop: &Desktop) -> Result<(), ScreenError> {
    let c = &desktop.connection;
    let root = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
    c.change_window_attributes(desktop.root, &root).map_err(lost)?;
    if !desktop.has(randr::X11_EXTENSION_NAME)? {
        return Ok(());
    }
    c.randr_query_version(1, 5).map_err(lost)?.reply().map_err(refused("RandR version"))?;
    let what = randr::NotifyMask::SCREEN_CHANGE
        | randr::NotifyMask::CRTC_CHANGE
        | randr::NotifyMask::OUTPUT_CHANGE;
    c.randr_select_input(desktop.root, what).map_err(lost)?;
    Ok(())
}

/// Whether the monitors may be others after this.
pub(super) fn is_told_by(event: &Event) -> bool {
    matches!(
        event,
        Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) | Event::ConfigureNotify(_)
    )
}

/// The monitors now; `wanted` stays the shown one while it is there.
pub(super) fn read(desktop: &Desktop, wanted: Option<MonitorId>) -> Result<Layout, ScreenError> {
    let c = &desktop.connection;
    let root =
        c.get_geometry(desktop.root).map_err(lost)?.reply().map_err(refused("size of the desktop"))?;
    let desk = Desk { width: i32::from(root.width), height: i32::from(root.height) };
    let mut monitors = Vec::new();
    if desktop.has(randr::X11_EXTENSION_NAME)?
        && let Ok(reply) = c.randr_get_monitors(desktop.root, true).map_err(lost)?.reply()
    {
        monitors.extend(reply.monitors.iter().filter_map(|m| desk.clip(m)));
    }
    if monitors.is_empty() {
        monitors.push(desk.whole());
    }
    arrange(monitors, wanted)
}

#[derive(Debug, Clone, Copy)]
struct Desk {
    width: i32,
    height: i32,
}

impl Desk {
    /// A monitor may reach beyond the desktop while it is being resized; a grab may not.
    fn clip(self, told: &randr::MonitorInfo) -> Option<Monitor> {
        let (left, top) = (i32::from(told.x).max(0), i32::from(told.y).max(0));
        let right = (i32::from(told.x) + i32::from(told.width)).min(self.width);
        let bottom = (i32::from(told.y) + i32::from(told.height)).min(self.height);
        Some(Monitor {
            id: MonitorId(0),
            x: left,
            y: top,
            width: u16::try_from(right - left).ok().filter(|w| *w > 0)?,
            height: u16::try_from(bottom - top).ok().filter(|h| *h > 0)?,
            primary: told.primary,
        })
    }

    fn whole(self) -> Monitor {
        Monitor {
            id: MonitorId(0),
            x: 0,
            y: 0,
            width: u16::try_from(self.width).unwrap_or(u16::MAX),
            height: u16::try_from(self.height).unwrap_or(u16::MAX),
            primary: true,
        }
    }
}

fn arrange(mut monitors: Vec<Monitor>, wanted: Option<MonitorId>) -> Result<Layout, ScreenError> {
    monitors.truncate(MAX_MONITORS);
    for (place, monitor) in (0u8..).zip(&mut monitors) {
        monitor.id = MonitorId(place);
        if monitor.width > MAX_WIDTH || monitor.height > MAX_HEIGHT {
            let (width, height) = (monitor.width.into(), monitor.height.into());
            return Err(ScreenError::TooLarge { width, height });
        }
    }
    let first = monitors.iter().find(|m| m.primary).or(monitors.first());
    let Some(first) = first.map(|m| m.id) else {
        return Err(ScreenError::NoMonitor);
    };
    let shown = wanted.filter(|id| usize::from(id.0) < monitors.len()).unwrap_or(first);
    Ok(Layout { monitors, shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(x: i16, y: i16, width: u16, height: u16) -> randr::MonitorInfo {
        randr::MonitorInfo { x, y, width, height, ..Default::default() }
    }

    #[test]
    fn a_monitor_is_cut_to_the_desktop_and_dropped_when_nothing_is_left() {
        let desk = Desk { width: 100, height: 80 };
        let cut = desk.clip(&told(60, -10, 100, 40));
        assert_eq!(cut.map(|m| (m.x, m.y, m.width, m.height)), Some((60, 0, 40, 30)));
        assert_eq!(desk.clip(&told(100, 0, 50, 50)), None);
        assert_eq!(desk.clip(&told(0, 90, 50, 50)), None);
    }

    #[test]
    fn the_primary_is_shown_until_another_is_wanted() {
        let mut two = vec![Desk { width: 10, height: 10 }.whole(); 2];
        two[0].primary = false;
        let shown = |wanted| arrange(two.clone(), wanted).map(|layout| layout.shown);
        assert_eq!(shown(None), Ok(MonitorId(1)));
        assert_eq!(shown(Some(MonitorId(0))), Ok(MonitorId(0)));
        assert_eq!(shown(Some(MonitorId(7))), Ok(MonitorId(1)));
    }
}
