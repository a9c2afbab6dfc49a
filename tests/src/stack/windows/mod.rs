//! The windows, used as a person uses them: real clicks and keys, real pixels, the real clipboard.
//!
//! Places in a window are logical pixels of its committed pictures (docs/images/windows).

mod agent;
mod hands;
mod operator;
mod read;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, Window,
            WindowClass,
        },
    },
    wrapper::ConnectionExt as _,
};

pub use self::{
    agent::{AWAKE, AgentWindow, allow_in_window, place_in_window},
    operator::{OperatorWindow, shows_in_window},
};
use crate::{
    desktop::{Desktop, Picture},
    running::{run, until},
};

/// The size at which the operator's window opens: that of its pictures.
pub const WINDOW: (u16, u16) = (1280, 800);

/// What a window manager draws around a window is no wider than this.
const FRAME: u16 = 40;

/// Where a window stands on its screen, without what a window manager draws around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub id: Window,
    pub left: i16,
    pub top: i16,
    pub width: u16,
    pub height: u16,
}

/// Clicks until the window of this name has the keys, each time waiting `pause`. Once is enough, unless this machine is so
/// busy that the person's own hand of before still holds the viewer's off.
///
/// # Errors
/// It never had them.
pub fn click_until_focused(
    host: &Desktop,
    title: &str,
    pause: Duration,
    click: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    until("a click to focus a window", || {
        click()?;
        let end = Instant::now() + pause;
        while Instant::now() < end {
            if focused(host) == title {
                return Ok(Some(()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(None)
    })
}

impl Frame {
    /// The window that is seen under a name (a regular expression), if one is.
    ///
    /// # Errors
    /// The display is gone.
    pub fn named(desk: &Desktop, name: &str) -> Result<Option<Self>> {
        Ok(Self::all_named(desk, name)?.into_iter().next())
    }

    /// All windows that are seen under a name (a regular expression).
    ///
    /// # Errors
    /// The display is gone.
    pub fn all_named(desk: &Desktop, name: &str) -> Result<Vec<Self>> {
        let found = xdotool(desk, &["search", "--onlyvisible", "--name", name]).unwrap_or_default();
        let connection = desk.connect()?;
        let root = connection.setup().roots[0].root;
        let mut all = Vec::new();
        for id in found.lines().filter_map(|id| id.parse().ok()) {
            // It may be gone by now.
            let Ok(size) = connection.get_geometry(id)?.reply() else { continue };
            let Ok(at) = connection.translate_coordinates(id, root, 0, 0)?.reply() else { continue };
            let (left, top) = (at.dst_x, at.dst_y);
            all.push(Self { id, left, top, width: size.width, height: size.height });
        }
        Ok(all)
    }

    /// Moves the window of this name to a place of its own, beside what else stands on the screen: where a
    /// window manager puts a new one is its own affair.
    ///
    /// # Errors
    /// It is gone, or cannot be moved.
    pub fn put(desk: &Desktop, name: &str, (left, top): (i16, i16)) -> Result<Self> {
        let (x, y) = (left.to_string(), top.to_string());
        until("the window to stand where it was put", || {
            let Some(frame) = Self::named(desk, name)? else { return Ok(None) };
            // By the frame around it, where it has one, and so a little lower.
            if frame.left.abs_diff(left) <= FRAME && frame.top.abs_diff(top) <= FRAME {
                return Ok(Some(frame));
            }
            xdotool(desk, &["windowmove", &frame.id.to_string(), &x, &y])?;
            thread::sleep(Duration::from_millis(200));
            Ok(None)
        })
    }

    /// As a window manager does at its button (EWMH).
    fn close(&self, desk: &Desktop) -> Result<()> {
        let connection = desk.connect()?;
        let root = connection.setup().roots[0].root;
        let close = connection.intern_atom(false, b"_NET_CLOSE_WINDOW")?.reply()?.atom;
        let by_a_person = [0, 2, 0, 0, 0];
        let wish = ClientMessageEvent::new(32, self.id, close, by_a_person);
        let heard_by = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        connection.send_event(false, root, heard_by, wish)?;
        Ok(connection.sync()?)
    }

    /// Whether it stands above all others that the window manager keeps, and has the keys (EWMH).
    fn is_in_front(&self, desk: &Desktop) -> Result<bool> {
        let connection = desk.connect()?;
        let root = connection.setup().roots[0].root;
        let last = |name: &[u8]| -> Result<Option<Window>> {
            let list = connection.intern_atom(false, name)?.reply()?.atom;
            let told = connection.get_property(false, root, list, AtomEnum::WINDOW, 0, 1024)?;
            Ok(told.reply()?.value32().and_then(Iterator::last))
        };
        let front = [last(b"_NET_CLIENT_LIST_STACKING")?, last(b"_NET_ACTIVE_WINDOW")?];
        Ok(front == [Some(self.id); 2])
    }

    /// A place in the window on the screen.
    pub fn at(&self, (x, y): (f64, f64)) -> (u16, u16) {
        let on_screen = |start: i16, by: f64| (f64::from(start) + by).round().max(0.0) as u16;
        (on_screen(self.left, x), on_screen(self.top, y))
    }
}

/// The part of a window that shows the other end's screen: where it begins, and how large it is.
#[derive(Debug, Clone, Copy)]
struct View {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl View {
    /// Where in the window a pixel of a screen is shown that is fitted into this view.
    fn place_of(self, screen: (u16, u16), (x, y): (f64, f64)) -> (f64, f64) {
        let fit = (self.width / f64::from(screen.0)).min(self.height / f64::from(screen.1));
        let scale = if (1.0..1.25).contains(&fit) { 1.0 } else { fit };
        let corner = |start: f64, room: f64, length: u16| {
            start + ((room - f64::from(length) * scale) / 2.0).floor()
        };
        let left = corner(self.left, self.width, screen.0);
        let top = corner(self.top, self.height, screen.1);
        (left + x * scale, top + y * scale)
    }

    /// Whether places all over `host`, but its uppermost part with the bar, stand in this view of a window.
    fn shows(self, window: &Frame, host: &Picture, seen: &Picture) -> Result<bool> {
        let size = (u16::try_from(host.width)?, u16::try_from(host.height)?);
        let places = (5..16).flat_map(|row| (1..16).map(move |column| (column, row)));
        let places = places.map(|(column, row)| (host.width * column / 16, host.height * row / 16));
        // A place on the edge of a letter is scaled into another colour.
        let is_plain = |(x, y): &(usize, usize)| {
            let colour = host.at(*x, *y);
            let mut near = (y - 2..y + 3).flat_map(|y| (x - 2..x + 3).map(move |x| (x, y)));
            near.all(|place| host.is_near(place, colour, 8))
        };
        let (alike, others): (Vec<_>, Vec<_>) = places.filter(is_plain).partition(|(x, y)| {
            let (left, top) = window.at(self.place_of(size, (*x as f64, *y as f64)));
            seen.is_near((left.into(), top.into()), host.at(*x, *y), 24)
        });
        Ok(alike.len() >= 100 && others.len() * 10 <= alike.len())
    }
}

fn xdotool(desk: &Desktop, arguments: &[&str]) -> Result<String> {
    let mut command = desk.command("xdotool");
    command.args(arguments);
    run(command)
}

/// A program of the windows' own workspace, built as this one is.
///
/// # Errors
/// It is not built.
pub fn window_program(name: &str) -> Result<PathBuf> {
    let is_release = env::current_exe()?.iter().any(|part| part == "release");
    let built = if is_release { "release" } else { "debug" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui-slint/target").join(built);
    let path = folder.join(name);
    ensure!(path.is_file(), "{} is not built: cd ui-slint && cargo build --bins", path.display());
    Ok(path)
}

/// The name of the window that keys go to; empty where none has one.
pub fn focused(desk: &Desktop) -> String {
    let name = xdotool(desk, &["getwindowfocus", "getwindowname"]).unwrap_or_default();
    name.trim().to_owned()
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
