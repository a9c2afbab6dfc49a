//! The end user's window, in a hand that is a device of its own to the display.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{super::House, Frame, View, focused, window_program};
use crate::{
    desktop::{Desktop, Hand, Panel, Picture, RETURN},
    running::{Process, until},
};

/// The part of the window that shows the operator's screen, once it has grown for it.
const VIEW: View = View { left: 0.0, top: 108.0, width: 1000.0, height: 612.0 };
/// Where in a user's window of this size a pixel of the operator's screen is seen.
pub fn place_in_window(window: (u16, u16), screen: (u16, u16), pixel: (u16, u16)) -> (f64, f64) {
    let (width, height) = (f64::from(window.0), f64::from(window.1) - VIEW.top);
    let view = View { width, height, ..VIEW };
    view.place_of(screen, (f64::from(pixel.0), f64::from(pixel.1)))
}

/// A place on Allow, without letters, in a user's window of this size.
pub fn allow_in_window(window: (u16, u16)) -> (f64, f64) {
    (f64::from(window.0) / 2.0 + ALLOW.0, f64::from(window.1) + ALLOW.1)
}

/// The field for the number, in the middle of the window's width.
const NUMBER: (f64, f64) = (230.0, 232.0);
/// From the right half's edge and from the window's foot: a place on Allow without letters.
const ALLOW: (f64, f64) = (24.0, -65.0);
/// From the middle of the window's width: a column through Allow of the short question, without letters.
const ALLOW_MORE: i16 = 160;
/// A column through the left ends of the switches of a running session, and where it begins.
const SWITCHES: (f64, u16) = (394.0, 290);
/// Of a button that can be pressed now, under the pointer or not.
pub const AWAKE: [u8; 3] = [28, 88, 200];
/// "End now", from the right edge and the top of the bar.
const BAR_END: (f64, f64) = (-40.0, 22.0);
/// "End now" and the camera, from the right edge and the top of the window, while it shows the operator's screen.
const WATCHING_END: (f64, f64) = (-50.0, 82.0);
const WATCHING_KEEP: (f64, f64) = (-130.0, 82.0);

/// Longer than a press takes to be seen.
const TAKEN: Duration = Duration::from_secs(3);

const NAME: &str = "Remote support";
/// On a desktop of 1280x800: below the bar, beside the middle of a notepad at its left edge, and off the places at
/// which pictures are compared.
const BESIDE: (i16, i16) = (500, 40);

/// The window on the user's desktop. Dropped, it is killed.
#[derive(Debug)]
pub struct AgentWindow<'a> {
    pub process: Process,
    pub(super) desk: &'a Desktop,
    pub(super) profile: PathBuf,
}

impl<'a> AgentWindow<'a> {
    /// Opens it; one profile a house, so that a house is met once for the first time.
    ///
    /// # Errors
    /// It is not built, or shows nothing.
    pub fn open(house: &House, desk: &'a Desktop) -> Result<Self> {
        Self::start(house, desk, |command| command.env_remove("DBUS_SESSION_BUS_ADDRESS"))
    }

    /// As [`Self::open`], where a panel shows icons.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_beside(house: &House, desk: &'a Desktop, panel: &Panel) -> Result<Self> {
        Self::start(house, desk, |command| command.env("DBUS_SESSION_BUS_ADDRESS", panel.session()))
    }

    pub(super) fn start(
        house: &House,
        desk: &'a Desktop,
        bus: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<Self> {
        let profile = house.folder().join("agent-window");
        let mut command = desk.networked(window_program("tasuki-agent")?);
        command.arg("--tenant").arg(house.bundle()).arg("--profile").arg(&profile);
        // Where its pictures go.
        command.args(["--lang", "en"]).env("HOME", house.folder());
        bus(&mut command);
        let process = Process::start("tasuki-agent", command)?;
        let window = Self { process, desk, profile };
        until("the user's window", || window.frame())?;
        window.put(BESIDE)?;
        Ok(window)
    }

    /// Puts it somewhere on the screen.
    ///
    /// # Errors
    /// It is gone.
    pub fn put(&self, place: (i16, i16)) -> Result<Frame> {
        Frame::put(self.desk, NAME, place)
    }

    /// By the button that a window manager gives each window.
    ///
    /// # Errors
    /// It is gone already.
    pub fn close(&self) -> Result<()> {
        self.frame()?.context("the user's window is gone")?.close(self.desk)
    }

    pub fn desk(&self) -> &'a Desktop {
        self.desk
    }

    /// Types a number as it is read aloud, and Return.
    ///
    /// # Errors
    /// The display is gone.
    pub fn enter(&self, hand: &mut Hand, number: &str) -> Result<()> {
        let digits = number.chars().filter(char::is_ascii_digit);
        let window = self.frame()?.context("the user's window is gone")?;
        hand.click(window.at(NUMBER))?;
        // A window manager takes its time, and the digits must not go where the keys went before.
        until("the keys to go to the user's window", || {
            Ok(focused(self.desk).contains(NAME).then_some(()))
        })?;
        for digit in digits {
            hand.key(u32::from(digit))?;
        }
        hand.key(RETURN)
    }

    /// Presses Allow as soon as it can be pressed, and before it "I called them myself" where this
    /// computer meets the organisation for the first time. Until then nothing is pressed. Gives when Allow was
    /// let go.
    ///
    /// # Errors
    /// No session began.
    pub fn allow(&self, hand: &mut Hand) -> Result<Instant> {
        let (mut presses, mut last) = (0, None);
        until("the user's yes", || {
            if self.is_live()? {
                return Ok(last);
            }
            if let Some(place) = self.awake()? {
                // As whoever double-clicks everything: the second press opens, ends and holds nothing.
                hand.click(place)?;
                last = Some(Instant::now());
                hand.click(place)?;
                presses += 1;
                // One that came too late to count is not told again.
                let end = Instant::now() + TAKEN;
                while Instant::now() < end && !self.is_live()? && self.awake()?.is_some() {
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Ok(None)
        })
        .with_context(|| format!("Allow was pressed {presses} times"))
    }

    fn is_live(&self) -> Result<bool> {
        Ok(self.bar()?.is_some() || self.watches()?)
    }

    /// Where Allow can be pressed now.
    fn awake(&self) -> Result<Option<(u16, u16)>> {
        let Some(window) = self.frame()? else { return Ok(None) };
        let (x, y) = window.at(allow_in_window((window.width, window.height)));
        let picture = self.desk.picture()?;
        Ok(picture.is_near((x.into(), y.into()), AWAKE, 24).then_some((x, y)))
    }

    /// Presses Allow of the short question in mid-session, as soon as it can be pressed.
    ///
    /// # Errors
    /// Nothing is asked, or the press was not taken.
    pub fn allow_more(&self, hand: &mut Hand) -> Result<()> {
        let place = until("Allow of the question", || self.lowest_blue(ALLOW_MORE))?;
        hand.click(place)?;
        until("the press to be taken", || {
            Ok(self.lowest_blue(ALLOW_MORE)?.is_none_or(|now| now != place).then_some(()))
        })
    }

    /// Takes back the right to operate: the second switch that is on, after that to choose a monitor.
    ///
    /// # Errors
    /// There are fewer.
    pub fn take_back(&self, hand: &mut Hand) -> Result<()> {
        let place = until("the switch of the right to operate", || {
            let Some(window) = self.frame()? else { return Ok(None) };
            let picture = self.desk.picture()?;
            let (x, top) = SWITCHES;
            let places = (top..window.height).map(|y| window.at((x, f64::from(y))));
            let blue =
                |(x, y): (u16, u16)| picture.is_near((usize::from(x), usize::from(y)), AWAKE, 24);
            let mut below = None;
            let tops = places.filter(|place| {
                let was = below.replace(blue(*place));
                was == Some(false) && blue(*place)
            });
            Ok(tops.collect::<Vec<_>>().get(1).copied())
        })?;
        // Their left ends are round: a little lower is well inside.
        hand.click((place.0, place.1 + 6))
    }

    /// The lowest place of a column, from the window's middle, in the colour of a button that can be pressed.
    fn lowest_blue(&self, right: i16) -> Result<Option<(u16, u16)>> {
        let Some(window) = self.frame()? else { return Ok(None) };
        let column = f64::from(window.width) / 2.0 + f64::from(right);
        let picture = self.desk.picture()?;
        let places = (1..window.height).rev().map(|y| window.at((column, f64::from(y))));
        let is_blue =
            |(x, y): &(u16, u16)| picture.is_near((usize::from(*x), usize::from(*y)), AWAKE, 24);
        // Not on its edge, nor on a line of that colour around something else.
        Ok(places.skip_while(|place| !is_blue(place)).nth(8).filter(is_blue))
    }

    /// The window itself.
    ///
    /// # Errors
    /// The display is gone.
    pub fn frame(&self) -> Result<Option<Frame>> {
        Frame::named(self.desk, NAME)
    }

    /// # Errors
    /// It is gone.
    pub fn is_in_front(&self) -> Result<bool> {
        self.frame()?.context("the user's window is gone")?.is_in_front(self.desk)
    }

    /// The bar that stands above everything while somebody sees this screen.
    ///
    /// # Errors
    /// The display is gone.
    pub fn bar(&self) -> Result<Option<Frame>> {
        Frame::named(self.desk, "^Connected")
    }

    /// Whether the window has grown to show the operator's screen.
    fn watches(&self) -> Result<bool> {
        Ok(self.frame()?.is_some_and(|window| window.width >= 1000))
    }

    /// Waits until two places of the operator's screen, beside his window, stand in this one.
    ///
    /// # Errors
    /// They never did.
    pub fn wait_for_picture(&self, operator: &Desktop) -> Result<()> {
        until("the operator's screen in the user's window", || {
            let Some(window) = self.frame()? else { return Ok(None) };
            let (host, seen) = (operator.picture()?, self.desk.picture()?);
            let size = (u16::try_from(host.width)?, u16::try_from(host.height)?);
            let alike = [(host.width - 260, 120), (host.width - 280, host.height - 40)];
            let alike = alike.into_iter().all(|(x, y)| {
                let (left, top) = window.at(VIEW.place_of(size, (x as f64, y as f64)));
                seen.is_near((left.into(), top.into()), host.at(x, y), 24)
            });
            Ok(alike.then_some(()))
        })
    }

    /// Clicks at a pixel of the operator's screen, as it is seen in this window.
    ///
    /// # Errors
    /// The display is gone.
    pub fn click_at_host(&self, hand: &mut Hand, host: (u16, u16), (x, y): (i16, i16)) -> Result<()> {
        let window = self.frame()?.context("the user's window is gone")?;
        hand.click(window.at(VIEW.place_of(host, (f64::from(x), f64::from(y)))))
    }

    /// Keeps a picture of the operator's screen, which this window shows; gives it.
    ///
    /// # Errors
    /// None was kept.
    pub fn keep_picture(&self, hand: &mut Hand) -> Result<Picture> {
        let window = self.frame()?.context("the user's window is gone")?;
        let (x, y) = WATCHING_KEEP;
        let home = self.profile.parent().context("a profile without a folder")?;
        let pictures = || -> Result<Vec<PathBuf>> {
            let entries = fs::read_dir(home)?.map_while(Result::ok).map(|entry| entry.path());
            let is_picture = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "png");
            Ok(entries.filter(is_picture).collect())
        };
        let before = pictures()?;
        hand.click(window.at((f64::from(window.width) + x, y)))?;
        until("the picture's file", || {
            let fresh = pictures()?.into_iter().find(|file| !before.contains(file));
            // It is seen before it is written to its end.
            Ok(fresh.and_then(|file| Picture::load(&file).ok()))
        })
    }

    /// Presses End and waits for what follows; gives the receipt's file.
    ///
    /// # Errors
    /// Something is still seen, or no receipt was kept.
    pub fn end(&self, hand: &mut Hand) -> Result<PathBuf> {
        let before = self.receipts()?;
        self.press_end(hand)?;
        self.over(&before)
    }

    /// "End now" of the bar, or of the window where there is no bar.
    ///
    /// # Errors
    /// The display is gone.
    pub fn press_end(&self, hand: &mut Hand) -> Result<()> {
        let (frame, (x, y)) = match self.bar()? {
            Some(bar) => (bar, BAR_END),
            None => (self.frame()?.context("the user's window is gone")?, WATCHING_END),
        };
        hand.click(frame.at((f64::from(frame.width) + x, y)))
    }

    /// Waits for the bar to go and for a receipt beside those `before`.
    ///
    /// # Errors
    /// Something is still seen, or no receipt was kept.
    pub fn over(&self, before: &[PathBuf]) -> Result<PathBuf> {
        until("the bar to go", || Ok(self.bar()?.is_none().then_some(())))?;
        let kept = until("the receipt to be kept", || {
            Ok(self.receipts()?.into_iter().find(|file| !before.contains(file)))
        })?;
        ensure!(fs::metadata(&kept)?.len() > 0, "an empty receipt");
        Ok(kept)
    }

    /// The signed receipts that this window's profile keeps.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn receipts(&self) -> Result<Vec<PathBuf>> {
        let Ok(entries) = fs::read_dir(self.profile.join("receipts")) else { return Ok(Vec::new()) };
        let files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        let is_page = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "html");
        Ok(files.into_iter().filter(is_page).collect())
    }
}
