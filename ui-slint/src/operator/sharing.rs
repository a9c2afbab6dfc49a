//! While this screen is shown: a bar above everything with pause and end, and a frame
//! around the monitor that the other side sees.
//!
//! Decides where they stand. No setting hides them (T33).

use slint::{ComponentHandle, PhysicalPosition, PlatformError};
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::Capability;
use tasuki_protocol::screen::Monitor;

use super::model::{Model, Paused, Stage, Tab, TabId};
use super::session::{RightsWish, Wish};
use super::update::Msg;
use crate::look::{self, Shade};
use crate::windows::{SharingBar, SharingEdge};

/// How thick the frame is, in physical pixels.
const EDGE: i32 = 4;
/// How far the bar stands below the monitor's upper edge.
const BELOW: i32 = 8;

/// What is shown of this computer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub tab: TabId,
    pub monitor: Monitor,
    pub hands: Hands,
    pub picture: Paused,
}

/// Whether the other side may operate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    Looking,
    Operating,
}

impl Shown {
    /// The first live session in which this end is the host.
    pub fn of(model: &Model) -> Option<Self> {
        let hosting = |tab: &&Tab| matches!(tab.stage, Stage::Live { .. }) && !tab.watches();
        let tab = model.tabs.iter().find(hosting)?;
        let monitor = *tab.view.layout.as_ref()?.shown_monitor()?;
        let hands = if tab.has(Capability::Operate) { Hands::Operating } else { Hands::Looking };
        Some(Self { tab: tab.id, monitor, hands, picture: tab.view.paused })
    }
}

/// The windows, while there is something to say.
#[derive(Default)]
pub struct Sharing {
    shown: Option<Shown>,
    bar: Option<SharingBar>,
    edges: Vec<SharingEdge>,
}

impl std::fmt::Debug for Sharing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sharing").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl Sharing {
    /// # Errors
    /// The desktop gives no window.
    pub fn show(
        &mut self,
        shown: Option<Shown>,
        (lang, shade): (Lang, Shade),
        send: impl Fn(Msg) + Clone + 'static,
    ) -> Result<(), PlatformError> {
        if shown == self.shown {
            return Ok(());
        }
        let moved = self.shown.map(|shown| (shown.tab, shown.monitor))
            != shown.map(|shown| (shown.tab, shown.monitor));
        self.shown = shown;
        if moved {
            self.hide();
        }
        let Some(shown) = shown else { return Ok(()) };
        if self.bar.is_none() {
            self.frame(shown.monitor)?;
            self.bar = Some(open_bar(shown, send)?);
        }
        if let Some(bar) = &self.bar {
            look::dress(bar, lang, shade);
            bar.set_operated(shown.hands == Hands::Operating);
            bar.set_paused(shown.picture == Paused::ByHost);
        }
        Ok(())
    }

    fn hide(&mut self) {
        if let Some(bar) = self.bar.take() {
            let _ = bar.hide();
        }
        for edge in self.edges.drain(..) {
            let _ = edge.hide();
        }
    }

    fn frame(&mut self, monitor: Monitor) -> Result<(), PlatformError> {
        for (x, y, width, height) in sides(monitor) {
            let edge = SharingEdge::new()?;
            edge.show()?;
            let scale = edge.window().scale_factor();
            edge.set_long(width as f32 / scale);
            edge.set_high(height as f32 / scale);
            edge.window().set_position(PhysicalPosition::new(x, y));
            self.edges.push(edge);
        }
        Ok(())
    }
}

/// Left, top, width and height of the frame's four sides.
fn sides(monitor: Monitor) -> [(i32, i32, i32, i32); 4] {
    let (x, y) = (monitor.x, monitor.y);
    let (width, height) = (i32::from(monitor.width), i32::from(monitor.height));
    [
        (x, y, width, EDGE),
        (x, y + height - EDGE, width, EDGE),
        (x, y + EDGE, EDGE, height - 2 * EDGE),
        (x + width - EDGE, y + EDGE, EDGE, height - 2 * EDGE),
    ]
}

fn open_bar(shown: Shown, send: impl Fn(Msg) + Clone + 'static) -> Result<SharingBar, PlatformError> {
    let bar = SharingBar::new()?;
    let tab = shown.tab;
    let told = send.clone();
    bar.on_pause(move |pause| {
        let wish = if pause { RightsWish::Pause } else { RightsWish::Resume };
        told(Msg::Wish(tab, Wish::Rights(wish)));
    });
    bar.on_end(move || send(Msg::Wish(tab, Wish::EndNow)));
    bar.show()?;
    let width = bar.window().size().width.cast_signed();
    let room = i32::from(shown.monitor.width) - width;
    let place = PhysicalPosition::new(shown.monitor.x + room / 2, shown.monitor.y + BELOW);
    bar.window().set_position(place);
    Ok(bar)
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::screen::MonitorId;

    use super::*;

    #[test]
    fn the_frame_lies_inside_its_monitor_and_its_sides_do_not_overlap() {
        let monitor =
            Monitor { id: MonitorId(1), x: 1280, y: -100, width: 800, height: 600, primary: false };
        let mut covered = std::collections::BTreeSet::new();
        for (x, y, width, height) in sides(monitor) {
            for pixel in (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y))) {
                assert!((1280..2080).contains(&pixel.0) && (-100..500).contains(&pixel.1));
                assert!(covered.insert(pixel), "{pixel:?} twice");
            }
        }
        assert_eq!(covered.len(), 2 * 4 * 800 + 2 * 4 * 592);
    }
}
