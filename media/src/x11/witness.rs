//! Whether a hand at this computer did what a window has just received (T2).
//!
//! X tells of each press which device it came from: what XTEST injects comes from XTEST's own
//! devices, and what one program merely sends to another comes from none. A press counts once, while
//! it is fresh or the window had no time for it yet, and not where something else has aimed it: moved
//! the pointer or the window last, or what lay over it, or given the window a key since the question
//! came, which may have moved the focus, or acted in a device's name; nor where the window may be
//! hearing only now of what something else did. Decides nothing of what a press is good for.

use std::ops::RangeInclusive;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _, DeviceId, PointerEventFlags, XIEventMask};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    Window, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::connection::{Desktop, lost, refused};
use super::covers::{Covers, is_covered};
use super::devices::{Devices, Holder};
use super::forgery::Forgeries;
use super::seen::{Act, Seen};
use crate::desktop::{Deed, Doer, Judged};
use crate::screen::ScreenError;

/// Frames around a window; more is nobody's desktop.
const DEEPEST: usize = 8;
/// What a display tells in the meantime; more is meant to keep the window from its person.
const MOST_AT_ONCE: usize = 20_000;
/// Buttons of a mouse that click; the wheel's follow.
const CLICKS: RangeInclusive<u32> = 1..=3;
/// What a look at the display's devices costs of these.
const A_LOOK: usize = 500;

/// Watches a display's devices and one window, so that it can be asked who pressed there.
#[derive(Debug)]
pub struct Witness {
    desktop: Desktop,
    devices: Devices,
    window: Window,
    /// The window, and whatever it lies in.
    line: Vec<Window>,
    /// A window of its own, by which the display tells its time.
    clock: Window,
    covers: Covers,
    forgeries: Forgeries,
    seen: Seen,
    /// Where the pointer came to last in the window, on the screen.
    pointed: Option<(i32, i32)>,
}

impl Witness {
    /// Of what happens to `window`.
    ///
    /// # Errors
    /// [`ScreenError`]: no display, no such window, or no XInput 2 or RECORD, without which nothing can be told
    /// apart.
    pub fn open(display: Option<&str>, window: Window) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        let devices = Devices::watch(&desktop)?;
        let c = &desktop.connection;
        let clock = c.generate_id().map_err(|_| ScreenError::Lost)?;
        let aux = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        c.create_window(0, clock, desktop.root, -1, -1, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)
            .map_err(lost)?;
        // Where the pointer comes to, also without a device: another program may put it there (XWarpPointer).
        let mask = xinput::EventMask {
            deviceid: xinput::Device::ALL_MASTER.into(),
            mask: vec![XIEventMask::MOTION | XIEventMask::FOCUS_IN | XIEventMask::FOCUS_OUT],
        };
        let asked = c.xinput_xi_select_events(window, &[mask]).map_err(lost)?;
        asked.check().map_err(refused("window"))?;
        let covers = Covers::watch(&desktop)?;
        let forgeries = Forgeries::watch(display, &desktop)?;
        let (line, seen, pointed) = (Vec::new(), Seen::default(), None);
        let mut witness =
            Self { desktop, devices, window, line, clock, covers, forgeries, seen, pointed };
        witness.follow()?;
        witness.find_focus()?;
        Ok(witness)
    }

    pub fn is_of(&self, window: Window) -> bool {
        self.window == window
    }

    /// Whether the pointer is over the window now, and over nothing that lies on it.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone.
    pub fn is_pointed_at(&self) -> Result<bool, ScreenError> {
        let asked = self.desktop.connection.query_pointer(self.desktop.root).map_err(lost)?;
        let over = asked.reply().map_err(refused("pointer"))?.child;
        Ok(self.line.last() == Some(&over))
    }

    /// Takes note of what has happened so far; to be called now and then while nobody asks, each time that the window
    /// comes round to what happened to it, and not while it is at that.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone, tells too much at once, or tells no more what programs do in
    /// a device's name: another witness may see again.
    pub fn catch_up(&mut self) -> Result<(), ScreenError> {
        self.seen.comes_round();
        self.read_on(None)?;
        if let Some(at) = self.forgeries.take()? {
            self.seen.forged(at);
        }
        if self.seen.wants_time() {
            let now = self.display_time()?;
            self.seen.it_is(now);
        }
        Ok(())
    }

    /// There was another witness before this one, which saw no more. To be said after
    /// [`Witness::question_stands`].
    pub fn comes_late(&mut self) {
        self.seen.missed();
    }

    /// Whether a question stands now; to be said as often as one likes. While one stands a key that no hand
    /// gave the window makes every later key of a hand nobody's: hers was meant for the button that had the
    /// focus before.
    pub fn question_stands(&mut self, stands: bool) {
        self.seen.question_stands(stands);
    }

    /// The window has received a press of the key `keycode`, X's number; `None` where it is not known.
    /// To be told of each one, before what comes of it is asked. A repetition of a held key is none.
    ///
    /// # Errors
    /// As [`Witness::catch_up`]; then no key of this question counts.
    pub fn key_received(&mut self, keycode: Option<u8>) -> Result<(), ScreenError> {
        let now = self.display_time()?;
        self.seen.key_received(keycode, now);
        Ok(())
    }

    /// Who did the deed that the window has just received. Each press answers once.
    ///
    /// # Errors
    /// As [`Witness::catch_up`]; then nobody did it.
    pub fn ask(&mut self, deed: Deed) -> Result<Judged, ScreenError> {
        // First: of what goes away after this look the display tells before it tells its time.
        let is_covered = deed == Deed::Click && self.is_covered()?;
        let now = self.display_time()?;
        if let Some(at) = self.forgeries.up_to_now(&self.desktop)? {
            self.seen.forged(at);
        }
        let (by, ago) = self.seen.judge(deed, now);
        let by = if is_covered { Doer::Nobody } else { by };
        Ok(Judged { by, ago: Duration::from_millis(ago.into()) })
    }

    /// Where the pointer came to in the window, and where it is now: another program may have taken it away after
    /// the click.
    fn is_covered(&self) -> Result<bool, ScreenError> {
        let asked = self.desktop.connection.query_pointer(self.desktop.root).map_err(lost)?;
        let now = asked.reply().map_err(refused("pointer"))?;
        let now = (i32::from(now.root_x), i32::from(now.root_y));
        is_covered(&self.desktop, &self.line, &[now, self.pointed.unwrap_or(now)])
    }

    /// The display's clock. What it told before the answer has been noted with it: whoever else lets it tell a
    /// time by the same window does so earlier or later.
    fn display_time(&mut self) -> Result<u32, ScreenError> {
        let c = &self.desktop.connection;
        let asked =
            c.change_property8(PropMode::APPEND, self.clock, AtomEnum::WM_NAME, AtomEnum::STRING, &[]);
        // A number of events is the lower half of a request's.
        let number = asked.map_err(lost)?.sequence_number() as u16;
        c.sync().map_err(refused("time"))?;
        let time = self.read_on(Some(number))?;
        time.ok_or_else(|| {
            self.seen.missed();
            ScreenError::Lost
        })
    }

    /// Notes what has arrived; the time is that by which the display answered the request `number`.
    fn read_on(&mut self, number: Option<u16>) -> Result<Option<u32>, ScreenError> {
        let (mut time, mut left) = (None, MOST_AT_ONCE);
        while let Some(event) = self.desktop.arrived()? {
            if let Event::PropertyNotify(told) = &event
                && (told.window, Some(told.sequence)) == (self.clock, number)
                && event.server_generated()
            {
                time = time.or(Some(told.time));
            }
            left = left.saturating_sub(self.note(&event)?);
            if left == 0 {
                self.seen.missed();
                return Err(ScreenError::Lost);
            }
        }
        if self.covers.has_lost_own() {
            self.follow()?;
        }
        Ok(time)
    }

    /// What it costs.
    fn note(&mut self, event: &Event) -> Result<usize, ScreenError> {
        // Whoever sends one may have it tell what he likes.
        if !event.server_generated() {
            return Ok(1);
        }
        if self.devices.heed(&self.desktop, event)? {
            self.seen.moved();
            return Ok(A_LOOK);
        }
        let is_ours = subject(event).is_some_and(|window| self.line.contains(&window));
        if is_ours {
            self.covers.lose_own();
        }
        if self.covers.heed(event, &self.line) || is_ours {
            self.seen.moved();
        }
        if let Event::XinputFocusIn(focus) = event {
            self.seen.focus_came(focus.deviceid);
        } else if let Event::XinputFocusOut(focus) = event {
            self.seen.focus_went(focus.deviceid);
        } else if let Some((act, source, at)) = read(event) {
            let by = match self.devices.holder(source) {
                Holder::Hand => Doer::Hand,
                Holder::Program => Doer::Nobody,
            };
            self.seen.take(act, by, at);
        }
        if let Event::XinputMotion(motion) = event {
            // In parts of 1/65536 of a pixel.
            self.pointed = Some((motion.root_x >> 16, motion.root_y >> 16));
        }
        Ok(1)
    }

    /// Finds what the window lies in, and asks to be told when one of them is moved, or something in them: the
    /// finger stays where it is.
    fn follow(&mut self) -> Result<(), ScreenError> {
        let c = &self.desktop.connection;
        self.line.clear();
        let mut window = self.window;
        while window != self.desktop.root && window != x11rb::NONE && self.line.len() < DEEPEST {
            let mask = EventMask::STRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_NOTIFY;
            let aux = ChangeWindowAttributesAux::new().event_mask(mask);
            c.change_window_attributes(window, &aux).map_err(lost)?.ignore_error();
            self.line.push(window);
            // Of one that is gone by now no press comes.
            let Ok(tree) = c.query_tree(window).map_err(lost)?.reply() else { break };
            self.covers.learn(&self.desktop, &tree.children)?;
            window = tree.parent;
        }
        self.covers.find_own(&self.desktop, &self.line)
    }

    /// Of a focus that was there before, no event tells. 1: keys go wherever the pointer is.
    fn find_focus(&mut self) -> Result<(), ScreenError> {
        let c = &self.desktop.connection;
        for keyboard in self.devices.keyboards() {
            let focus = c.xinput_xi_get_focus(keyboard).map_err(lost)?.reply();
            if focus.is_ok_and(|focus| [1, self.window].contains(&focus.focus)) {
                self.seen.focus_came(keyboard);
            }
        }
        Ok(())
    }
}

/// The window that is moved, shown, hidden, or put into another.
fn subject(event: &Event) -> Option<Window> {
    if let Event::ConfigureNotify(it) = event {
        return Some(it.window);
    }
    if let Event::ReparentNotify(it) = event {
        return Some(it.window);
    }
    if let Event::MapNotify(it) = event {
        return Some(it.window);
    }
    if let Event::UnmapNotify(it) = event {
        return Some(it.window);
    }
    if let Event::CirculateNotify(it) = event {
        return Some(it.window);
    }
    if let Event::GravityNotify(it) = event {
        return Some(it.window);
    }
    None
}

fn read(event: &Event) -> Option<(Act, DeviceId, u32)> {
    if let Event::XinputRawKeyPress(key) = event {
        let keycode = u8::try_from(key.detail).ok();
        return Some((Act::Key { keyboard: key.deviceid, keycode }, key.sourceid, key.time));
    }
    if let Event::XinputRawButtonPress(button) = event {
        // As the device counts them; whose left and right are changed clicks with another of the three.
        let act = if CLICKS.contains(&button.detail) { Act::Button } else { Act::Notch };
        return Some((act, button.sourceid, button.time));
    }
    if let Event::XinputRawButtonRelease(button) = event {
        return Some((Act::Release, button.sourceid, button.time));
    }
    if let Event::XinputRawTouchBegin(touch) = event {
        return Some((Act::Touch, touch.sourceid, touch.time));
    }
    if let Event::XinputRawMotion(motion) = event {
        return Some((Act::Motion, motion.sourceid, motion.time));
    }
    if let Event::XinputMotion(motion) = event {
        // Of a finger, which is where it is.
        let emulated = motion.flags.contains(PointerEventFlags::POINTER_EMULATED);
        return (!emulated).then_some((Act::Arrival, motion.sourceid, motion.time));
    }
    None
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.forgeries.end(&self.desktop);
    }
}
