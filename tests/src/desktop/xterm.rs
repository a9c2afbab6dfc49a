//! A real application that keeps what is typed into it, and one that only shows text.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use x11rb::{
    connection::Connection,
    protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, MapState, Window},
    rust_connection::RustConnection,
};

use super::xvfb::Desktop;
use crate::running::until;

/// A font with kanji, and what stands in for it.
const FONT: &str = "VL Gothic,Noto Sans Mono,DejaVu Sans Mono,monospace";

/// An xterm running `cat`: each line that is typed and entered stands in its file.
#[derive(Debug)]
pub struct Notepad {
    /// What stands in its bar.
    pub title: String,
    path: PathBuf,
    /// A point inside, to click at.
    pub middle: (i16, i16),
}

impl Notepad {
    /// Opens one on `desktop`, `title` in its bar, at `geometry` (columns x rows + x + y).
    ///
    /// # Errors
    /// xterm is not installed, or its window did not come up.
    pub fn open(desktop: &mut Desktop, title: &str, geometry: &str, path: &Path) -> Result<Self> {
        fs::write(path, "").with_context(|| format!("writing {}", path.display()))?;
        let script = format!("cat > '{}'", path.display());
        start(desktop, title, geometry, &script)?;
        let middle = middle_of(desktop, title)?;
        let notepad = Self { title: title.to_owned(), path: path.to_owned(), middle };
        notepad.take_keys(desktop)?;
        Ok(notepad)
    }

    /// Has the window manager send it the keys of its desktop, as a taskbar does (EWMH
    /// `_NET_ACTIVE_WINDOW`), and waits until they go there.
    ///
    /// # Errors
    /// They never do.
    pub fn take_keys(&self, desktop: &Desktop) -> Result<()> {
        let connection = desktop.connect()?;
        let root = connection.setup().roots[0].root;
        let active = connection.intern_atom(false, b"_NET_ACTIVE_WINDOW")?.reply()?.atom;
        let window = window_named(&connection, &self.title)?.context("its window is gone")?;
        let from_a_taskbar = [2, 0, 0, 0, 0];
        let wish = ClientMessageEvent::new(32, window, active, from_a_taskbar);
        let heard_by = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        connection.send_event(false, root, heard_by, wish)?;
        connection.flush()?;
        wait_focused(desktop, &self.title)
    }

    /// What arrived so far.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn text(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.path)?).into_owned())
    }

    /// Waits for `line` to stand in the file.
    ///
    /// # Errors
    /// It did not come; says what came.
    pub fn wait_for(&self, line: &str) -> Result<()> {
        let found = until("", || Ok(self.text()?.lines().any(|l| l == line).then_some(())));
        let text = self.text()?;
        found.with_context(|| format!("{line:?} never arrived; what arrived is {text:?}"))
    }
}

/// Opens an xterm that runs `script` in a shell and stays.
///
/// # Errors
/// As [`Notepad::open`].
pub fn open_terminal(desktop: &mut Desktop, title: &str, geometry: &str, script: &str) -> Result<()> {
    start(desktop, title, geometry, &format!("{script}; exec sleep 100000"))?;
    middle_of(desktop, title).map(drop)
}

fn start(desktop: &mut Desktop, title: &str, geometry: &str, script: &str) -> Result<()> {
    // A still cursor and no bell: nothing on the screen changes by itself.
    let arguments = [
        "-u8",
        "-fa",
        FONT,
        "-fs",
        "13",
        "-bg",
        "#12161f",
        "-fg",
        "#e6e1d6",
        "-cr",
        "#e0703c",
        "-b",
        "8",
        "+bc",
        "-xrm",
        "XTerm*cursorBlink: false",
        "-T",
        title,
        "-geometry",
        geometry,
        "-e",
        "sh",
        "-c",
        script,
    ];
    desktop.run("xterm", &arguments)
}

/// The middle of the window of this name, once it is there; in pixels of the desktop.
///
/// # Errors
/// It does not come.
pub fn middle_of(desktop: &Desktop, title: &str) -> Result<(i16, i16)> {
    let connection = desktop.connect()?;
    until(&format!("the window {title:?}"), || {
        let Some(window) = window_named(&connection, title)? else { return Ok(None) };
        let geometry = connection.get_geometry(window)?.reply()?;
        let root = connection.setup().roots[0].root;
        let (x, y) = (geometry.width as i16 / 2, geometry.height as i16 / 2);
        let at = connection.translate_coordinates(window, root, x, y)?.reply()?;
        Ok(Some((at.dst_x, at.dst_y)))
    })
}

/// Waits until the keys of `desktop` go to the window of this name: a window manager takes its
/// time after a click.
///
/// # Errors
/// They never do.
pub fn wait_focused(desktop: &Desktop, title: &str) -> Result<()> {
    let connection = desktop.connect()?;
    let root = connection.setup().roots[0].root;
    let active = connection.intern_atom(false, b"_NET_ACTIVE_WINDOW")?.reply()?.atom;
    until(&format!("the keys to go to {title:?}"), || {
        let reply = connection.get_property(false, root, active, AtomEnum::WINDOW, 0, 1)?.reply()?;
        let focused = reply.value32().and_then(|mut windows| windows.next());
        Ok((focused.is_some() && focused == window_named(&connection, title)?).then_some(()))
    })
}

/// The window that the window manager lists under this name, once it is on the screen.
fn window_named(connection: &RustConnection, title: &str) -> Result<Option<Window>> {
    let root = connection.setup().roots[0].root;
    let list = connection.intern_atom(false, b"_NET_CLIENT_LIST")?.reply()?.atom;
    let reply = connection.get_property(false, root, list, AtomEnum::WINDOW, 0, 1024)?.reply()?;
    for window in reply.value32().into_iter().flatten() {
        let name = connection.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 256)?;
        let Ok(name) = name.reply() else { continue };
        let state = connection.get_window_attributes(window)?.reply()?.map_state;
        if name.value == title.as_bytes() && state == MapState::VIEWABLE {
            return Ok(Some(window));
        }
    }
    Ok(None)
}
