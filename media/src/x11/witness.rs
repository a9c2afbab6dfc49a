//! Whether a hand at this computer did what a window has just received (T2).
//!
//! X tells of each press which device it came from: what XTEST injects comes from XTEST's own
//! devices, and what one program merely sends to another comes from none. A press counts once, while
//! it is fresh, and not while something else moves the same pointer or keyboard. Decides nothing of
//! what a press is good for.

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

/// Watches a display's devices while a question stands.
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
}

#[derive(Debug, Clone, Copy)]
struct Press {
    at: u32,
    by: Doer,
}

impl Seen {
    fn note(&mut self, event: &Event, synthetic: &[xinput::DeviceId]) {
        let Some((deed, source, at)) = read(event) else { return };
        let by = if synthetic.contains(&source) { Doer::Nobody } else { Doer::Hand };
        if by == Doer::Nobody {
            self.injected_at = Some(at);
        }
        match deed {
            Some(Deed::Click) => self.click = Some(Press { at, by }),
            Some(Deed::Key) => self.key = Some(Press { at, by }),
            None => {}
        }
    }

    fn judge(&mut self, deed: Deed, now: u32) -> Doer {
        let slot = match deed {
            Deed::Click => &mut self.click,
            Deed::Key => &mut self.key,
        };
        let Some(press) = slot.take() else { return Doer::Nobody };
        let age = |at: u32| now.wrapping_sub(at);
        let tainted = self.injected_at.is_some_and(|at| age(at) < TAINT_MS);
        if age(press.at) > FRESH_MS || tainted { Doer::Nobody } else { press.by }
    }
}

fn read(event: &Event) -> Option<(Option<Deed>, xinput::DeviceId, u32)> {
    if let Event::XinputRawKeyPress(key) = event {
        return Some((Some(Deed::Key), key.sourceid, key.time));
    }
    if let Event::XinputRawButtonPress(button) = event {
        return Some((Some(Deed::Click), button.sourceid, button.time));
    }
    if let Event::XinputRawTouchBegin(touch) = event {
        return Some((Some(Deed::Click), touch.sourceid, touch.time));
    }
    if let Event::XinputRawMotion(motion) = event {
        return Some((None, motion.sourceid, motion.time));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(click: Option<(u32, Doer)>, injected_at: Option<u32>) -> Seen {
        Seen { click: click.map(|(at, by)| Press { at, by }), key: None, injected_at }
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
    fn the_displays_clock_may_wrap() {
        let mut seen = seen(Some((u32::MAX - 5, Doer::Hand)), None);
        assert_eq!(seen.judge(Deed::Click, 100), Doer::Hand);
    }
}
