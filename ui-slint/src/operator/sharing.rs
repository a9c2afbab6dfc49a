//! While this screen is shown: a bar above everything with pause and end, and a frame
//! around the monitor that the other side sees.
//!
//! Decides where they stand, and that a session ends whose bar and frame cannot be kept up. No setting
//! hides them (T33).

use slint::{ComponentHandle, PhysicalPosition, PhysicalSize, PlatformError};
use tasuki_media::desktop::{Alarm, Standing};
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::screen::Monitor;

use super::model::{Model, Paused, Tab, TabId};
use super::session::{Happened, RightsWish, Wish};
use super::update::Msg;
use super::view::{mode_name, text, whole};
use crate::dress;
use crate::look::Shade;
use crate::upkeep::{self, NextIsKept, Place, Unwatched, Watch};
use crate::windows::{SharingBar, SharingEdge};

/// How thick the frame is, in physical pixels.
const EDGE: i32 = 4;
/// How far the bar stands below the monitor's upper edge, and how large it is at most, in logical pixels.
const BELOW: f64 = 8.0;
const LARGEST: (f64, f64) = (640.0, 52.0);

/// What is shown of this computer now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sharings {
    pub shown: Vec<Shown>,
    /// Sessions that show it, where nobody knows which monitor.
    pub unplaced: Vec<TabId>,
}

impl Sharings {
    /// Every live session in which this end is the host.
    pub fn of(model: &Model) -> Self {
        let mut all = Self::default();
        for tab in model.tabs.iter().filter(|tab| tab.is_shown()) {
            match Shown::of(tab, model.now) {
                Some(shown) => all.shown.push(shown),
                None => all.unplaced.push(tab.id),
            }
        }
        all
    }

    /// Those around which nothing stands, where what has its windows is watched over or not: one with its bar
    /// answers for none without.
    fn bare(&self, is_watched: bool) -> Vec<TabId> {
        let placed = self.shown.iter().map(|shown| shown.tab).filter(|_| !is_watched);
        self.unplaced.iter().copied().chain(placed).collect()
    }
}

/// What is shown of this computer in a session now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub tab: TabId,
    /// Whom the operator noted; empty where nobody.
    pub who: String,
    pub mode: Mode,
    /// For how long.
    pub seconds: u64,
    pub monitor: Monitor,
    pub hands: Hands,
    pub picture: Paused,
    /// The seconds that are left to answer what this computer's person is asked.
    pub asked: Option<u64>,
}

/// Whether the other side may operate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    Looking,
    Operating,
}

impl Shown {
    fn of(tab: &Tab, now: u64) -> Option<Self> {
        let monitor = *tab.view.layout.as_ref()?.shown_monitor()?;
        let hands = if tab.has(Capability::Operate) { Hands::Operating } else { Hands::Looking };
        let asked = tab.question.as_ref().map(|question| question.seconds_left(now));
        Some(Self {
            tab: tab.id,
            who: tab.note.customer.clone(),
            mode: tab.mode,
            seconds: now.saturating_sub(tab.live_since.unwrap_or(now)),
            monitor,
            hands,
            picture: tab.view.halts.told(),
            asked,
        })
    }

    fn place(&self) -> (TabId, Monitor) {
        (self.tab, self.monitor)
    }
}

/// The windows, while there is something to say.
#[derive(Default)]
pub(super) struct Sharing {
    next_is_kept: NextIsKept,
    sheets: Vec<Sheet>,
    watch: Option<Watch>,
    unwatched: Unwatched,
}

/// What is said of one session on the screen that it shows.
struct Sheet {
    shown: Shown,
    bar: (SharingBar, Place),
    edges: Vec<(SharingEdge, Place)>,
}

impl Sharing {
    pub(super) fn new(next_is_kept: NextIsKept) -> Self {
        Self { next_is_kept, ..Self::default() }
    }

    /// Looked at whenever something changes, and each second while a session lives: the toolkit may make
    /// a window later than it is shown. Tells of a session that must end.
    pub(super) fn show(
        &mut self,
        all: &Sharings,
        manner: (Lang, Shade),
        window: &slint::Window,
        send: &(impl Fn(Msg) + Clone + 'static),
    ) -> Vec<Msg> {
        let shown = &all.shown;
        let stands = self.sheets.iter().map(|sheet| sheet.shown.place());
        if !stands.eq(shown.iter().map(Shown::place)) {
            self.watch = None;
            let old = std::mem::take(&mut self.sheets);
            let next_is_kept = self.next_is_kept.clone();
            let made = next_is_kept.while_making(|| self.put_up(shown, window, send));
            if let Err(why) = made {
                tracing::error!(%why, "the bar over the shared screen cannot be shown");
            }
            // Only now: there is no moment without them.
            old.into_iter().for_each(Sheet::hide);
        }
        for (sheet, shown) in self.sheets.iter_mut().zip(shown) {
            sheet.say(shown, manner);
        }
        let kept = self.standings();
        let is_watched =
            matches!((&self.watch, &kept), (Some(watch), Some(kept)) if watch.is_over(kept));
        if !is_watched {
            // The old one holds the stop key until it is gone.
            self.watch = None;
            self.watch = kept.and_then(|kept| watch(kept, shown, send));
        }
        let bare = all.bare(self.watch.is_some());
        if !self.unwatched.for_too_long(!bare.is_empty(), None) {
            return Vec::new();
        }
        bare.into_iter().map(|tab| Msg::Session(tab, Happened::Unmarked)).collect()
    }

    fn put_up(
        &mut self,
        all: &[Shown],
        window: &slint::Window,
        send: &(impl Fn(Msg) + Clone + 'static),
    ) -> Result<(), PlatformError> {
        for (place, shown) in all.iter().enumerate() {
            let row = row(&all[..place], shown.monitor);
            let at = PhysicalPosition::new(shown.monitor.x, shown.monitor.y);
            let known = upkeep::monitors(window).unwrap_or_default();
            let scale = known.iter().find(|(its, ..)| *its == at).map_or(1.0, |(.., scale)| *scale);
            let below = BELOW + (LARGEST.1 + BELOW) * row as f64;
            let width = u32::from(shown.monitor.width);
            let place = Place::at_the_top((at, width), below, LARGEST, scale);
            let bar = open_bar(shown.tab, send)?;
            place.put(bar.window())?;
            let edges = frame(shown.monitor)?;
            self.sheets.push(Sheet { shown: shown.clone(), bar: (bar, place), edges });
        }
        Ok(())
    }

    /// `None` while one is not made yet, and where there is none.
    fn standings(&self) -> Option<Vec<Standing>> {
        let all = self.sheets.iter().flat_map(Sheet::windows);
        let all: Option<Vec<_>> = all.map(|(window, place)| place.standing(window)).collect();
        all.filter(|all| !all.is_empty())
    }
}

/// Below the bars that stand on the same monitor.
fn row(before: &[Shown], monitor: Monitor) -> usize {
    before.iter().filter(|shown| shown.monitor.id == monitor.id).count()
}

/// What stands on the bar: who sees this screen and since when, and what holds.
pub fn say(shown: &Shown, bar: &SharingBar, (lang, shade): (Lang, Shade)) {
    dress::dress(bar, lang, shade);
    bar.set_who(text(&shown.who));
    bar.set_mode(mode_name(shown.mode));
    bar.set_since_seconds(whole(shown.seconds));
    bar.set_operated(shown.hands == Hands::Operating);
    bar.set_paused(shown.picture == Paused::ByHost);
    bar.set_asked(shown.asked.is_some());
    bar.set_answer_seconds(shown.asked.map_or(0, whole));
}

impl Sheet {
    fn say(&mut self, shown: &Shown, manner: (Lang, Shade)) {
        self.shown.clone_from(shown);
        say(shown, &self.bar.0, manner);
    }

    fn windows(&self) -> impl Iterator<Item = (&slint::Window, Place)> {
        let edges = self.edges.iter().map(|(edge, place)| (edge.window(), *place));
        std::iter::once((self.bar.0.window(), self.bar.1)).chain(edges)
    }

    fn hide(self) {
        for (window, _) in self.windows() {
            let _ = window.hide();
        }
    }
}

/// Ends the sessions at the stop key, and when a bar or a side of a frame is destroyed from outside or
/// cannot be kept up.
fn watch(
    kept: Vec<Standing>,
    shown: &[Shown],
    send: &(impl Fn(Msg) + Clone + 'static),
) -> Option<Watch> {
    let (tabs, send): (Vec<TabId>, _) = (shown.iter().map(|shown| shown.tab).collect(), send.clone());
    Watch::over(kept, move |alarm| {
        let told = |tab: &TabId| match alarm {
            Alarm::Monitors => Some(Msg::Session(*tab, Happened::MonitorsChanged)),
            Alarm::StopKey | Alarm::Gone => Some(Msg::Wish(*tab, Wish::EndNow)),
            // These windows do not speak of it.
            Alarm::StopKeyIs(_) => None,
        };
        tabs.iter().filter_map(told).for_each(&send);
    })
}

fn frame(monitor: Monitor) -> Result<Vec<(SharingEdge, Place)>, PlatformError> {
    let sides = sides(monitor).into_iter().map(|(x, y, width, height)| {
        let (edge, at) = (SharingEdge::new()?, PhysicalPosition::new(x, y));
        let place = Place { at, size: PhysicalSize::new(width.unsigned_abs(), height.unsigned_abs()) };
        place.put(edge.window())?;
        Ok((edge, place))
    });
    sides.collect()
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

fn open_bar(tab: TabId, send: &(impl Fn(Msg) + Clone + 'static)) -> Result<SharingBar, PlatformError> {
    let bar = SharingBar::new()?;
    let told = send.clone();
    bar.on_pause(move |pause| {
        let wish = if pause { RightsWish::Pause } else { RightsWish::Resume };
        told(Msg::Wish(tab, Wish::Rights(wish)));
    });
    let told = send.clone();
    bar.on_answer(move || told(Msg::ToQuestion(tab)));
    let told = send.clone();
    bar.on_end(move || told(Msg::Wish(tab, Wish::EndNow)));
    // Closing the bar is a way to end the session, and nothing less.
    let told = send.clone();
    bar.window().on_close_requested(move || {
        told(Msg::Wish(tab, Wish::EndNow));
        slint::CloseRequestResponse::KeepWindowShown
    });
    Ok(bar)
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::screen::MonitorId;

    use super::*;

    fn shown(tab: u32, monitor: u8) -> Shown {
        let monitor = MonitorId(monitor);
        let monitor = Monitor { id: monitor, x: 0, y: 0, width: 800, height: 600, primary: false };
        let (hands, picture) = (Hands::Looking, Paused::No);
        let (tab, who, mode) = (TabId(tab), String::new(), Mode::Share);
        Shown { tab, who, mode, seconds: 0, monitor, hands, picture, asked: None }
    }

    #[test]
    fn t33_a_session_with_its_bar_answers_for_none_without() {
        let all = Sharings { shown: vec![shown(1, 0)], unplaced: vec![TabId(2)] };
        assert_eq!(all.bare(true), [TabId(2)]);
        assert_eq!(all.bare(false), [TabId(2), TabId(1)]);
        let placed = Sharings { unplaced: Vec::new(), ..all };
        assert_eq!((placed.bare(true), placed.bare(false)), (vec![], vec![TabId(1)]));
    }

    #[test]
    fn bars_stand_below_each_other_on_one_monitor_and_at_the_top_of_another() {
        let all = [shown(1, 0), shown(2, 1), shown(3, 0), shown(4, 1)];
        let rows = (0..4).map(|place| row(&all[..place], all[place].monitor));
        assert_eq!(rows.collect::<Vec<_>>(), [0, 0, 1, 1]);
    }

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
