//! The operator's window in the hands of xdotool.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use tasuki_protocol::{ids::Role, rights::Mode};

use super::{
    super::{House, Way, accept_at_terminal},
    AgentWindow, Frame, View, WINDOW, clipboard, window_program,
};
use crate::{
    desktop::{Desktop, Hand, Picture, Reader, Rgb},
    running::{Mark, Process, until},
};

/// The viewer's part of the window.
pub(super) const VIEW: View = View { left: 84.0, top: 95.0, width: 1196.0, height: 675.0 };
/// Where the user's window stands once it has grown to show the operator's screen.
const WATCHING: (i16, i16) = (140, 20);
/// Where the line over the picture is seen, above its letters.
const LINE: (f64, f64) = (682.0, 111.0);
/// What lies behind it, once control is over.
const OVER: Rgb = [255, 243, 218];
/// Where the words of the head stand that tell how it stands: above their letters, and of letters beside no clock.
const HEAD: std::ops::Range<u16> = 90..780;
const ABOVE_LETTERS: f64 = 57.0;
const LETTERS: std::ops::Range<u16> = 58..71;
/// What lies behind them, while control is asked for or lent.
const GOOD_NEWS: Rgb = [229, 238, 254];
/// Where a line in passing is seen, above its letters, and what lies behind it.
const PASSING: (f64, f64) = (640.0, 713.0);
const PASSING_COLOUR: Rgb = [27, 36, 51];
/// The picture's part of a window that fills the screen: below the bar, above the line of figures.
const FULL: (u16, u16) = (56, 30);
/// What lies behind "Ended by you" in the history.
const ENDED_BY_YOU: [u8; 3] = [226, 245, 236];

/// Whether a user's screen stands in an operator's window of the usual size that is seen on another screen.
///
/// # Errors
/// It is larger than a screen can be.
pub fn shows_in_window(window: &Frame, host: &Picture, seen: &Picture) -> Result<bool> {
    VIEW.shows(window, host, seen)
}

pub(super) fn command(desk: &Desktop, profile: &Path) -> Result<Command> {
    let mut command = desk.networked(window_program("tasuki-operator")?);
    command.arg("--profile").arg(profile).env("SLINT_BACKEND", "winit-software");
    // Where its pictures go.
    command.env("HOME", profile);
    Ok(command)
}

/// The operator's window on his desktop, at the size of its pictures.
#[derive(Debug)]
pub struct OperatorWindow<'a> {
    pub process: Process,
    pub(super) desk: &'a Desktop,
    pub(super) frame: Frame,
    /// The number before, which may stand on the clipboard still.
    last: RefCell<String>,
}

impl<'a> OperatorWindow<'a> {
    /// Opens it and waits until it is painted.
    ///
    /// # Errors
    /// It is not built, or shows nothing.
    pub fn open(house: &House, desk: &'a Desktop, way: Way) -> Result<Self> {
        Self::open_with(desk, &house.profile(), &["--path", way.name(), "--lang", "en"])
    }

    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(desk: &'a Desktop, profile: &Path, more: &[&str]) -> Result<Self> {
        let mut command = command(desk, profile)?;
        command.args(more);
        Self::started(desk, command)
    }

    /// On a computer where nobody has signed in, and read out by `reader`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_anew(
        house: &House,
        desk: &'a Desktop,
        profile: &Path,
        reader: &Reader,
    ) -> Result<Self> {
        let mut command = command(desk, profile)?;
        command.arg("--tenant").arg(house.bundle()).args(["--lang", "en"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", reader.session());
        Self::started(desk, command)
    }

    pub(super) fn started(desk: &'a Desktop, command: Command) -> Result<Self> {
        let process = Process::start("tasuki-operator", command)?;
        let frame = until("the operator's window", || Frame::named(desk, "Tasuki"))?;
        let mut window = Self { process, desk, frame, last: RefCell::default() };
        // Where nobody manages windows, nobody else gives it the focus.
        window.focus()?;
        until("the window to be painted", || Ok((window.picture()?.colours() > 20).then_some(())))?;
        // A window manager may have framed it meanwhile.
        window.frame = Frame::put(desk, "Tasuki", (0, 0))?;
        Ok(window)
    }

    /// Writes down for whom the next session is, and why.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn note_down(&self, customer: &str, ticket: &str, reason: &str) -> Result<()> {
        self.click(42, 90)?;
        let fields = [(267, customer), (347, ticket), (428, reason)];
        for (y, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
            self.click(997, y)?;
            self.type_text(text)?;
        }
        Ok(())
    }

    /// Chooses the mode's card and presses the one big button; gives the number, as copied.
    ///
    /// # Errors
    /// No number came to the clipboard.
    pub fn new_session(&self, mode: Mode) -> Result<String> {
        let row = Mode::ALL.iter().position(|known| *known == mode).context("a sixth mode")?;
        self.click(42, 90)?;
        self.click(450, 201 + 102 * i32::try_from(row)?)?;
        self.click(1029, 489)?;
        let mut tries = 0;
        until("a number on the clipboard", || {
            tries += 1;
            self.click(614, 435)?;
            let text = clipboard(self.desk)?.unwrap_or_default();
            // A link, which has the same digits, may stand there from before.
            let is_number = !text.contains(char::is_alphabetic)
                && text.chars().filter(char::is_ascii_digit).count() == 12;
            Ok((is_number && *self.last.borrow() != text).then_some(text))
        })
        .inspect(|number| self.last.borrow_mut().clone_from(number))
        .with_context(|| format!("{tries} clicks at Copy number"))
    }

    /// From the window's number to the user's yes, and the viewer's first picture.
    ///
    /// # Errors
    /// A program refused or fell silent.
    pub fn connect(&self, house: &House, user: &Desktop, mode: Mode) -> Result<Process> {
        let number = self.new_session(mode)?;
        let agent = accept_at_terminal(house, user, &number)?;
        match mode.viewer() {
            Role::Operator => self.wait_for_picture(user)?,
            Role::Agent => {
                agent.event(Mark::default(), "first frame", |e| e["event"] == "first_frame")?;
            }
        }
        Ok(agent)
    }

    /// As [`Self::connect`], where the user has a window and presses Allow in it with his hand. Gives how long
    /// after that press the picture was seen.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn meet(&self, agent: &AgentWindow<'_>, hand: &mut Hand, mode: Mode) -> Result<Duration> {
        let number = self.new_session(mode)?;
        agent.enter(hand, &number)?;
        let allowed = agent.allow(hand)?;
        match mode.viewer() {
            Role::Operator => self.wait_for_picture(agent.desk())?,
            Role::Agent => {
                agent.put(WATCHING)?;
                agent.wait_for_picture(self.desk)?;
            }
        }
        Ok(allowed.elapsed())
    }

    /// Waits until two far corners of the user's screen stand in the window, scaled.
    ///
    /// # Errors
    /// They never did.
    pub fn wait_for_picture(&self, user: &Desktop) -> Result<()> {
        let shown = tasuki_media::x11::monitors(Some(user.display()))?.shown;
        self.wait_for_monitor(user, shown.0.into())
    }

    /// The same of one of the user's monitors, counted from 0.
    ///
    /// # Errors
    /// They never did, or there is no such monitor.
    pub fn wait_for_monitor(&self, user: &Desktop, number: usize) -> Result<()> {
        let layout = tasuki_media::x11::monitors(Some(user.display()))?;
        let monitor = layout.monitors.get(number).context("no such monitor")?;
        let (x0, y0) = (usize::try_from(monitor.x)?, usize::try_from(monitor.y)?);
        let (width, height) = (usize::from(monitor.width), usize::from(monitor.height));
        until("the user's screen in the operator's window", || {
            let (host, seen) = (user.picture()?, self.picture()?);
            let alike = [(width - 80, 60), (width - 280, height - 100)];
            let alike = alike.into_iter().all(|(x, y)| {
                let size = (monitor.width, monitor.height);
                let (left, top) = self.frame.at(VIEW.place_of(size, (x as f64, y as f64)));
                seen.is_near((left.into(), top.into()), host.at(x0 + x, y0 + y), 24)
            });
            Ok(alike.then_some(()))
        })
    }

    /// Clicks at the tab of a session, counted from 0 as they stand.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn choose_tab(&self, number: i32) -> Result<()> {
        self.click(160 + 300 * number, 20)
    }

    /// Clicks at the button of one of two monitors of a host that is operated, counted from 0.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn choose_monitor(&self, number: i32) -> Result<()> {
        self.click(835 + 40 * number, 67)
    }

    /// Goes to the history; gives how many sessions it lists as ended by the operator, until they are
    /// `wanted` ones and no more.
    ///
    /// # Errors
    /// They never were.
    pub fn wait_for_history(&self, wanted: usize) -> Result<()> {
        self.click(42, 150)?;
        until("the history of so many sessions", || {
            let seen = self.picture()?;
            let rows = (0..8).map(|row| self.frame.at((1066.0, f64::from(190 + 68 * row))));
            let listed = rows
                .take_while(|(x, y)| seen.is_near((usize::from(*x), usize::from(*y)), ENDED_BY_YOU, 6));
            Ok((listed.count() == wanted).then_some(()))
        })
    }

    /// Keeps a picture of the user's screen, while nothing operates it; gives the file.
    ///
    /// # Errors
    /// None was kept.
    pub fn keep_picture(&self, profile: &Path) -> Result<PathBuf> {
        self.click(1035, 67)?;
        until("the picture's file", || {
            let mut files = fs::read_dir(profile)?.map_while(Result::ok).map(|entry| entry.path());
            // It is written in one go, and may be seen before.
            Ok(files.find(|file| {
                file.extension().is_some_and(|ending| ending == "png") && Picture::load(file).is_ok()
            }))
        })
    }

    /// "Ask for more rights", then "Control for 15 minutes", which has the focus.
    ///
    /// # Errors
    /// The window never said that it asked.
    pub fn ask_for_control(&self) -> Result<()> {
        self.click(1073, 67)?;
        self.key("Return")?;
        until("the head to say that control is asked for", || {
            Ok(self.head_says(GOOD_NEWS)?.then_some(()))
        })
    }

    /// Waits until the time that is left of what was lent is another one.
    ///
    /// # Errors
    /// It never was.
    pub fn wait_for_countdown(&self) -> Result<()> {
        let words = || -> Result<Vec<Rgb>> {
            let picture = self.picture()?;
            let places = LETTERS.flat_map(|y| HEAD.map(move |x| (f64::from(x), f64::from(y))));
            let places = places.map(|place| self.frame.at(place));
            Ok(places.map(|(x, y)| picture.at(x.into(), y.into())).collect())
        };
        let before = words()?;
        until("the time that is left to be another", || {
            Ok((self.head_says(GOOD_NEWS)? && words()? != before).then_some(()))
        })
    }

    /// Waits until the line over the picture says that control is over.
    ///
    /// # Errors
    /// It never did.
    pub fn wait_for_the_end_of_control(&self) -> Result<()> {
        until("the line that says that control is over", || Ok(self.line(OVER)?.then_some(())))
    }

    /// Whether a line stands over the foot of the picture, that is said in passing.
    ///
    /// # Errors
    /// The display is gone.
    pub fn says_in_passing(&self) -> Result<bool> {
        let (x, y) = self.frame.at(PASSING);
        Ok(self.picture()?.is_near((x.into(), y.into()), PASSING_COLOUR, 6))
    }

    /// Whether words on this ground stand in the head.
    fn head_says(&self, ground: Rgb) -> Result<bool> {
        let picture = self.picture()?;
        let places = HEAD.map(|x| self.frame.at((f64::from(x), ABOVE_LETTERS)));
        let on_it = places.filter(|(x, y)| picture.is_near(((*x).into(), (*y).into()), ground, 6));
        Ok(on_it.count() > 20)
    }

    fn line(&self, colour: Rgb) -> Result<bool> {
        let (x, y) = self.frame.at(LINE);
        Ok(self.picture()?.is_near((x.into(), y.into()), colour, 6))
    }

    /// Fills the screen with a user's picture that is not operated, and waits until it is seen there.
    ///
    /// # Errors
    /// It never was.
    pub fn fill_screen(&self, user: &Desktop) -> Result<()> {
        self.click(997, 67)?;
        until("the user's screen on all of the operator's", || {
            let (host, seen) = (user.picture()?, self.picture()?);
            let (width, height) = (u16::try_from(seen.width)?, u16::try_from(seen.height)?);
            let frame = Frame::named(self.desk, "Tasuki")?.context("the window is gone")?;
            if (frame.left, frame.top, frame.width, frame.height) != (0, 0, width, height) {
                return Ok(None);
            }
            let (top, foot) = (f64::from(FULL.0), f64::from(FULL.1));
            let view = View {
                left: 0.0,
                top,
                width: f64::from(width),
                height: f64::from(height) - top - foot,
            };
            Ok(view.shows(&frame, &host, &seen)?.then_some(()))
        })
    }

    /// The same button, where it is now.
    ///
    /// # Errors
    /// The window did not come back to its size.
    pub fn leave_full_screen(&mut self) -> Result<()> {
        let all = Frame::named(self.desk, "Tasuki")?.context("the window is gone")?;
        let (x, y) = (i32::from(all.width) - 283, 28);
        self.frame = all;
        self.click(x, y)?;
        self.frame = until("the window at its size again", || {
            let frame = Frame::named(self.desk, "Tasuki")?;
            Ok(frame.filter(|frame| (frame.width, frame.height) == WINDOW))
        })?;
        Ok(())
    }

    /// The End button, then "End now" of its question.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn press_end(&self) -> Result<()> {
        self.click(1220, 67)?;
        self.click(758, 432)
    }

    /// The same, in a session with a terminal's agent.
    ///
    /// # Errors
    /// The agent did not hear of it.
    pub fn end(&self, agent: &mut Process) -> Result<()> {
        self.press_end()?;
        agent.event(Mark::default(), "the end", |e| e["event"] == "ended")?;
        agent.wait_end().map(drop)
    }

    /// The windows that say on the operator's screen that it is shown: a bar, and the sides of a frame.
    ///
    /// # Errors
    /// The display is gone.
    pub fn marks(&self) -> Result<Vec<Frame>> {
        Frame::all_named(self.desk, "^Your screen is shown")
    }

    /// What stands on the operator's screen.
    ///
    /// # Errors
    /// The display is gone.
    pub fn picture(&self) -> Result<Picture> {
        self.desk.picture()
    }
}
