//! The windows, used as a person uses them: real clicks and keys (xdotool), real pixels, the real
//! clipboard.
//!
//! Places in a window are logical pixels of its committed pictures (docs/images/windows).

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tasuki_protocol::{ids::Role, rights::Mode};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xproto::{AtomEnum, ConnectionExt as _, CreateWindowAux, WindowClass},
    },
    wrapper::ConnectionExt as _,
};

use super::{House, Way, start_agent};
use crate::{
    desktop::{Desktop, Picture},
    running::{Mark, Process, run, until},
};

/// The size at which the operator's window opens: that of its pictures.
pub const WINDOW: (u16, u16) = (1280, 800);
/// Where the viewer's part of the window begins, and how large it is.
const VIEW: (f64, f64, f64, f64) = (84.0, 95.0, 1196.0, 675.0);
/// Longer than an agent ignores what is typed at a fresh question.
const READING_TIME: Duration = Duration::from_millis(1200);
/// A hand's pause between two acts.
const PAUSE: Duration = Duration::from_millis(120);

/// The operator's window on his desktop, full size at the top left corner.
#[derive(Debug)]
pub struct OperatorWindow<'a> {
    pub process: Process,
    desk: &'a Desktop,
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
        let mut command = desk.command(window_program("tasuki-operator")?);
        command.arg("--profile").arg(profile).args(more).env("SLINT_BACKEND", "winit-software");
        let process = Process::start("tasuki-operator", command)?;
        let window = Self { process, desk };
        let id = until("the operator's window", || {
            let found = window.xdotool(&["search", "--onlyvisible", "--name", "Tasuki"]);
            Ok(found.ok().and_then(|ids| ids.lines().next().map(str::to_owned)))
        })?;
        // Nobody manages windows here, so that nobody else gives it the focus.
        window.xdotool(&["windowfocus", "--sync", &id])?;
        until("the window to be painted", || Ok((window.picture()?.colours() > 20).then_some(())))?;
        Ok(window)
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
            let is_number = text.chars().filter(char::is_ascii_digit).count() == 12;
            Ok(is_number.then_some(text))
        })
        .with_context(|| format!("{tries} clicks at Copy number"))
    }

    /// From the window's number to the user's yes, and the viewer's first picture.
    ///
    /// # Errors
    /// A program refused or fell silent.
    pub fn connect(&self, house: &House, user: &Desktop, mode: Mode) -> Result<Process> {
        let number = self.new_session(mode)?;
        let mut agent = start_agent(house, user)?;
        agent.say(&number)?;
        agent.event(Mark::default(), "question", |e| e["event"] == "question")?;
        thread::sleep(READING_TIME);
        agent.say("yes")?;
        match mode.viewer() {
            Role::Operator => self.wait_for_picture(user)?,
            Role::Agent => {
                agent.event(Mark::default(), "first frame", |e| e["event"] == "first_frame")?;
            }
        }
        Ok(agent)
    }

    /// Waits until two far corners of the user's screen stand in the window, scaled.
    ///
    /// # Errors
    /// They never did.
    pub fn wait_for_picture(&self, user: &Desktop) -> Result<()> {
        until("the user's screen in the operator's window", || {
            let (host, seen) = (user.picture()?, self.picture()?);
            let size = (u16::try_from(host.width)?, u16::try_from(host.height)?);
            let alike = [(host.width - 80, 60), (host.width - 280, host.height - 100)];
            let alike = alike.into_iter().all(|(x, y)| {
                let (left, top) = place_of(size, (x as f64, y as f64));
                seen.is_near((left as usize, top as usize), host.at(x, y), 24)
            });
            Ok(alike.then_some(()))
        })
    }

    /// The End button, then "End now" of its question.
    ///
    /// # Errors
    /// The agent did not hear of it.
    pub fn end(&self, agent: &mut Process) -> Result<()> {
        self.click(1220, 67)?;
        self.click(758, 432)?;
        agent.event(Mark::default(), "the end", |e| e["event"] == "ended")?;
        agent.wait_end().map(drop)
    }

    /// # Errors
    /// xdotool failed.
    pub fn click(&self, x: i32, y: i32) -> Result<()> {
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&["mousemove", "--sync", &x, &y, "click", "1"])?;
        thread::sleep(PAUSE);
        Ok(())
    }

    /// Clicks at a pixel of the host's screen, as it is seen in the window.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn click_at_host(&self, host: (u16, u16), (x, y): (i16, i16)) -> Result<()> {
        let (x, y) = place_of(host, (f64::from(x), f64::from(y)));
        self.click(x.round() as i32, y.round() as i32)
    }

    /// # Errors
    /// xdotool failed.
    pub fn type_text(&self, text: &str) -> Result<()> {
        self.xdotool(&["type", "--delay", "25", text]).map(drop)
    }

    /// # Errors
    /// xdotool failed.
    pub fn key(&self, chord: &str) -> Result<()> {
        self.xdotool(&["key", chord]).map(drop)
    }

    /// What stands on the operator's screen.
    ///
    /// # Errors
    /// The display is gone.
    pub fn picture(&self) -> Result<Picture> {
        self.desk.picture()
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.desk.command("xdotool");
        command.args(arguments);
        run(command)
    }
}

/// Where the window shows a pixel of a host's screen that it fits into its view.
fn place_of(host: (u16, u16), (x, y): (f64, f64)) -> (f64, f64) {
    let (left, top, width, height) = VIEW;
    let fit = (width / f64::from(host.0)).min(height / f64::from(host.1));
    let scale = if (1.0..1.25).contains(&fit) { 1.0 } else { fit };
    let corner =
        |start: f64, room: f64, length: u16| start + ((room - f64::from(length) * scale) / 2.0).floor();
    (corner(left, width, host.0) + x * scale, corner(top, height, host.1) + y * scale)
}

/// A program of the windows' own workspace.
///
/// # Errors
/// It is not built.
pub fn window_program(name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui-slint/target/debug");
    let path = folder.join(name);
    ensure!(path.is_file(), "{} is not built: cd ui-slint && cargo build --bins", path.display());
    Ok(path)
}

/// The clipboard's text, if anybody offers one.
///
/// # Errors
/// The display is gone.
pub fn clipboard(desk: &Desktop) -> Result<Option<String>> {
    let connection = desk.connect()?;
    let root = connection.setup().roots[0].root;
    let atom = |name: &[u8]| -> Result<u32> { Ok(connection.intern_atom(false, name)?.reply()?.atom) };
    let (selection, utf8, place) = (atom(b"CLIPBOARD")?, atom(b"UTF8_STRING")?, atom(b"TASUKI_TEST")?);
    if connection.get_selection_owner(selection)?.reply()?.owner == x11rb::NONE {
        return Ok(None);
    }
    let window = connection.generate_id()?;
    let aux = CreateWindowAux::new();
    connection.create_window(0, window, root, 0, 0, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)?;
    connection.convert_selection(window, selection, utf8, place, x11rb::CURRENT_TIME)?;
    connection.sync()?;
    until("the clipboard's owner to answer", || {
        let Some(event) = connection.poll_for_event()? else { return Ok(None) };
        let Event::SelectionNotify(answer) = event else { return Ok(None) };
        if answer.property == x11rb::NONE {
            return Ok(Some(None));
        }
        let reply = connection.get_property(true, window, place, AtomEnum::ANY, 0, 4096)?.reply()?;
        Ok(Some(String::from_utf8(reply.value).ok()))
    })
}

/// Gives the keyboard of `desk` another layout.
///
/// # Errors
/// setxkbmap is not installed.
pub fn set_layout(desk: &Desktop, layout: &str) -> Result<()> {
    let mut command: Command = desk.command("setxkbmap");
    command.arg(layout);
    run(command).map(drop)
}
