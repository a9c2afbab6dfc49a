//! Whether a hand at this computer did what a window has just received (T2).
//!
//! X tells of each press which device it came from: what XTEST injects comes from XTEST's own
//! devices, and what one program merely sends to another comes from none. A press counts once, while
//! it is fresh, and not where something else has aimed it: moved the pointer last, or pressed a key since
//! the question came, which may have moved the focus. Decides nothing of what a press is good for.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _, XIEventMask};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Window, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::connection::{Desktop, Woken, lost, refused};
use super::local::synthetic_devices;
use crate::screen::ScreenError;

/// How old a press may be when its window asks, in milliseconds of the display's clock: a slow hand
/// holds a button for a second.
const FRESH_MS: u32 = 1500;
/// So long after an injected act no press counts: whose it is could not be told.
const TAINT_MS: u32 = 400;
/// The display answers at once or is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a window received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Click,
    Key,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doer {
    Hand,
    /// Injected, sent by a program, stale, or not told apart from these.
    Nobody,
}

/// Watches a display's devices, so that it can be asked who pressed.
#[derive(Debug)]
pub struct Witness {
    desktop: Desktop,
    synthetic: Vec<xinput::DeviceId>,
    /// A window of its own, by which the display tells its time.
    clock: Window,
    seen: Seen,
}

impl Witness {
    /// # Errors
    /// [`ScreenError`]: no display, or no XInput 2, without which nothing can be told apart.
    pub fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        desktop.require(xinput::X11_EXTENSION_NAME, "XInput")?;
        let c = &desktop.connection;
        c.xinput_xi_query_version(2, 2).map_err(lost)?.reply().map_err(refused("XInput version"))?;
        let mask = xinput::EventMask {
            deviceid: xinput::Device::ALL_MASTER.into(),
            mask: vec![
                XIEventMask::RAW_KEY_PRESS
                    | XIEventMask::RAW_BUTTON_PRESS
                    | XIEventMask::RAW_MOTION
                    | XIEventMask::RAW_TOUCH_BEGIN,
            ],
        };
        c.xinput_xi_select_events(desktop.root, &[mask]).map_err(lost)?;
        let clock = c.generate_id().map_err(|_| ScreenError::Lost)?;
        let aux = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        c.create_window(0, clock, desktop.root, -1, -1, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)
            .map_err(lost)?;
        let synthetic = synthetic_devices(&desktop)?;
        Ok(Self { desktop, synthetic, clock, seen: Seen::default() })
    }

    /// Takes note of what has happened so far; to be called now and then while nobody asks, so that
    /// little waits.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone.
    pub fn catch_up(&mut self) -> Result<(), ScreenError> {
        while let Some(event) = self.desktop.arrived()? {
            self.seen.note(&event, &self.synthetic);
        }
        Ok(())
    }

    /// Whether a question stands now; to be said as often as one likes. While one stands an injected key
    /// makes every later key of a hand nobody's: hers was meant for the button that had the focus before.
    pub fn question_stands(&mut self, stands: bool) {
        self.seen.focus = match (stands, self.seen.focus) {
            (true, Focus::Unasked) => Focus::Hers,
            (true, focus) => focus,
            (false, _) => Focus::Unasked,
        };
    }

    /// Who did the deed that a window has just received. Each press answers once.
    ///
    /// # Errors
    /// As [`Witness::catch_up`]; then nobody did it.
    pub fn ask(&mut self, deed: Deed) -> Result<Doer, ScreenError> {
        let now = self.display_time()?;
        Ok(self.seen.judge(deed, now))
    }

    /// The display's clock. What it told of devices before the answer has been noted with it.
    fn display_time(&mut self) -> Result<u32, ScreenError> {
        let c = &self.desktop.connection;
        c.change_property8(PropMode::APPEND, self.clock, AtomEnum::WM_NAME, AtomEnum::STRING, &[])
            .map_err(lost)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.desktop.arrived()? {
                if let Event::PropertyNotify(notice) = &event
                    && notice.window == self.clock
                {
                    return Ok(notice.time);
                }
                self.seen.note(&event, &self.synthetic);
            }
            if let Woken::Time = self.desktop.sleep(deadline)? {
                return Err(ScreenError::Lost);
            }
        }
    }
}

/// The newest press of each kind, and the newest act of no hand. Times are the display's.
#[derive(Debug, Default)]
struct Seen {
    click: Option<Press>,
    key: Option<Press>,
    injected_at: Option<u32>,
    pointer: Pointer,
    focus: Focus,
}

/// Who moved the pointer last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Pointer {
    #[default]
    AHand,
    Nobody,
}

/// Whose doing it may be that a button has the focus.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// No question stands.
    #[default]
    Unasked,
    Hers,
    /// A key was injected since the question stands.
    Anybodys,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    at: u32,
    by: Doer,
}

impl Seen {
    fn note(&mut self, event: &Event, synthetic: &[xinput::DeviceId]) {
        let Some((act, source, at)) = read(event) else { return };
        self.take(act, if synthetic.contains(&source) { Doer::Nobody } else { Doer::Hand }, at);
    }

    fn take(&mut self, act: Act, by: Doer, at: u32) {
        if by == Doer::Nobody {
            self.injected_at = Some(at);
        }
        match act {
            Act::Touch => self.click = Some(Press { at, by }),
            Act::Button if self.pointer == Pointer::AHand => self.click = Some(Press { at, by }),
            Act::Button => self.click = Some(Press { at, by: Doer::Nobody }),
            Act::Key => {
                self.key = Some(Press { at, by });
                if by == Doer::Nobody && self.focus == Focus::Hers {
                    self.focus = Focus::Anybodys;
                }
            }
            Act::Motion => {
                self.pointer = if by == Doer::Hand { Pointer::AHand } else { Pointer::Nobody };
            }
        }
    }

    fn judge(&mut self, deed: Deed, now: u32) -> Doer {
        let slot = match deed {
            Deed::Click => &mut self.click,
            Deed::Key => &mut self.key,
        };
        let Some(press) = slot.take() else { return Doer::Nobody };
        let age = |at: u32| now.wrapping_sub(at);
        let tainted = self.injected_at.is_some_and(|at| age(at) < TAINT_MS)
            || deed == Deed::Key && self.focus == Focus::Anybodys;
        if age(press.at) > FRESH_MS || tainted { Doer::Nobody } else { press.by }
    }
}

/// What a device did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Key,
    /// Where the pointer is.
    Button,
    /// Where the finger is, wherever the pointer was.
    Touch,
    Motion,
}

fn read(event: &Event) -> Option<(Act, xinput::DeviceId, u32)> {
    if let Event::XinputRawKeyPress(key) = event {
        return Some((Act::Key, key.sourceid, key.time));
    }
    if let Event::XinputRawButtonPress(button) = event {
        return Some((Act::Button, button.sourceid, button.time));
    }
    if let Event::XinputRawTouchBegin(touch) = event {
        return Some((Act::Touch, touch.sourceid, touch.time));
    }
    if let Event::XinputRawMotion(motion) = event {
        return Some((Act::Motion, motion.sourceid, motion.time));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(click: Option<(u32, Doer)>, injected_at: Option<u32>) -> Seen {
        Seen { click: click.map(|(at, by)| Press { at, by }), injected_at, ..Seen::default() }
    }

    #[test]
    fn t2_a_hands_press_counts_once_and_only_while_it_is_fresh() {
        let mut fresh = seen(Some((1000, Doer::Hand)), None);
        assert_eq!(fresh.judge(Deed::Click, 1200), Doer::Hand);
        assert_eq!(fresh.judge(Deed::Click, 1200), Doer::Nobody, "it was used");
        let mut stale = seen(Some((1000, Doer::Hand)), None);
        assert_eq!(stale.judge(Deed::Click, 1001 + FRESH_MS), Doer::Nobody);
        let mut other = seen(Some((1000, Doer::Hand)), None);
        assert_eq!(other.judge(Deed::Key, 1200), Doer::Nobody, "a click is no key");
    }

    #[test]
    fn t2_an_injected_press_never_counts_and_taints_what_comes_with_it() {
        let mut injected = seen(Some((1000, Doer::Nobody)), Some(1000));
        assert_eq!(injected.judge(Deed::Click, 1010), Doer::Nobody);
        let mut moved = seen(Some((1000, Doer::Hand)), Some(990));
        assert_eq!(
            moved.judge(Deed::Click, 1010),
            Doer::Nobody,
            "the pointer was not where the hand is"
        );
        let mut later = seen(Some((1000 + TAINT_MS, Doer::Hand)), Some(1000));
        assert_eq!(later.judge(Deed::Click, 1000 + TAINT_MS), Doer::Hand);
    }

    #[test]
    fn t2_a_hands_key_counts_no_more_once_a_key_was_injected_while_the_question_stood() {
        let mut seen = Seen { focus: Focus::Hers, ..Seen::default() };
        seen.take(Act::Key, Doer::Hand, 1000);
        assert_eq!(seen.judge(Deed::Key, 1010), Doer::Hand);
        seen.take(Act::Key, Doer::Nobody, 2000);
        seen.take(Act::Key, Doer::Hand, 60_000);
        assert_eq!(seen.judge(Deed::Key, 60_010), Doer::Nobody, "Refuse had the focus before");
        seen.take(Act::Motion, Doer::Hand, 61_000);
        seen.take(Act::Button, Doer::Hand, 61_000);
        assert_eq!(seen.judge(Deed::Click, 61_010), Doer::Hand, "a click is where she sees it");
        seen.focus = Focus::Unasked;
        seen.take(Act::Key, Doer::Nobody, 70_000);
        seen.take(Act::Key, Doer::Hand, 71_000);
        assert_eq!(seen.judge(Deed::Key, 71_010), Doer::Hand, "the operator types in a session");
    }

    #[test]
    fn t2_a_click_counts_only_where_a_hand_has_brought_the_pointer() {
        let mut seen = Seen::default();
        seen.take(Act::Motion, Doer::Nobody, 1000);
        seen.take(Act::Button, Doer::Hand, 5000);
        assert_eq!(seen.judge(Deed::Click, 5010), Doer::Nobody, "it was moved under her finger");
        seen.take(Act::Touch, Doer::Hand, 6000);
        assert_eq!(seen.judge(Deed::Click, 6010), Doer::Hand, "a finger is where it is");
        seen.take(Act::Motion, Doer::Hand, 7000);
        seen.take(Act::Button, Doer::Hand, 7100);
        assert_eq!(seen.judge(Deed::Click, 7110), Doer::Hand);
    }

    #[test]
    fn the_displays_clock_may_wrap() {
        let mut seen = seen(Some((u32::MAX - 5, Doer::Hand)), None);
        assert_eq!(seen.judge(Deed::Click, 100), Doer::Hand);
    }
}
