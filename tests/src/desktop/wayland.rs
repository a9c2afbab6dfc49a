//! A Wayland desktop of its own: a compositor without a screen (sway), whose keys a test presses (wtype) and whose mouse
//! is a device of its own.
//!
//! Decides how it is started and torn down. Nothing on it has a display of X.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use rustix::process::getuid;
use serde_json::Value;
use tempfile::TempDir;

use super::{mouse::Mouse, picture::Picture, xvfb::Size};
use crate::running::{Process, run, until};

/// Wlroots runs for no administrator.
const NOBODY: u32 = 65_534;
/// Windows stand where they have the size that they want; nobody brings an X server in.
const MANNERS: &str = "xwayland disable\nfor_window [app_id=\".*\"] floating enable\n";
/// Until the window has learnt that there is a keyboard, and after the last key, in milliseconds.
const ARRIVING: &str = "700";

#[derive(Debug)]
pub struct Wayland {
    _compositor: Process,
    folder: TempDir,
    socket: String,
    orders: PathBuf,
    screen: Size,
}

impl Wayland {
    /// # Errors
    /// sway is not installed, or did not come up.
    pub fn start(size: Size) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tasuki-wayland-").tempdir()?;
        let manners = folder.path().join("manners");
        let output = format!("output HEADLESS-1 resolution {}x{}\n", size.width, size.height);
        fs::write(&manners, output + MANNERS)?;
        let mut command = if getuid().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sway"]);
            command
        } else {
            Command::new("sway")
        };
        command.arg("--config").arg(&manners).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env("XDG_RUNTIME_DIR", folder.path()).env("HOME", folder.path());
        command.envs([("WLR_BACKENDS", "headless"), ("WLR_RENDERER", "pixman")]);
        command.env("WLR_LIBINPUT_NO_DEVICES", "1").env_remove("SWAYSOCK");
        let compositor = Process::start("sway", command)?;
        let named = |begin: &str, end: &str| found(folder.path(), begin, end);
        let (socket, orders) = until("sway to listen", || {
            let lock = named("wayland-", ".lock");
            Ok(lock
                .and_then(|lock| lock.file_stem().map(OsStr::to_owned))
                .zip(named("sway-ipc.", ".sock")))
        })
        .with_context(|| compositor.log().tail(20))?;
        let socket = socket.into_string().ok().context("a strange socket")?;
        Ok(Self { _compositor: compositor, folder, socket, orders, screen: size })
    }

    /// A command that will find this desktop and no other.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("WAYLAND_DISPLAY", &self.socket).env("XDG_RUNTIME_DIR", self.folder.path());
        command.env("SWAYSOCK", &self.orders).env("LC_ALL", "C.UTF-8");
        command.env_remove("DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
        command
    }

    /// This program's window, once it is seen; a program's name is that of its menu entry.
    ///
    /// # Errors
    /// The compositor is gone.
    pub fn window_of(&self, program: &str) -> Result<Option<Surface>> {
        let mut command = self.command("swaymsg");
        command.args(["-t", "get_tree"]);
        let tree: Value = serde_json::from_str(&run(command)?)?;
        let is_seen = |node: &Value| node["app_id"] == program && node["visible"] == true;
        Ok(find(&tree, &is_seen).and_then(Surface::of))
    }

    /// What stands on the screen now.
    ///
    /// # Errors
    /// grim is not installed, or the compositor is gone.
    pub fn picture(&self) -> Result<Picture> {
        let file = self.folder.path().join("screen.png");
        let mut command = self.command("grim");
        command.arg(&file);
        run(command)?;
        Picture::load(&file)
    }

    /// A mouse, for as long as it is held.
    ///
    /// # Errors
    /// The compositor takes none.
    pub fn mouse(&self) -> Result<Mouse> {
        Mouse::plug_in(&self.folder.path().join(&self.socket), self.screen)
    }

    /// Presses keys of a keyboard that comes and goes with them; `keys` as wtype takes them.
    ///
    /// # Errors
    /// wtype is not installed, or the compositor is gone.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        let mut command = self.command("wtype");
        command.args(["-s", ARRIVING]).args(keys).args(["-s", ARRIVING]);
        run(command).map(drop)
    }
}

/// A window, and where its own part stands on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surface {
    pub title: String,
    pub left: u16,
    pub top: u16,
    pub width: u16,
    pub height: u16,
}

impl Surface {
    /// The middle of an area in it, on the screen.
    ///
    /// # Errors
    /// It stands nowhere there.
    pub fn middle(&self, [left, top, width, height]: [i32; 4]) -> Result<(u16, u16)> {
        let on_screen = |start: u16, by: i32| u16::try_from(i32::from(start) + by);
        Ok((on_screen(self.left, left + width / 2)?, on_screen(self.top, top + height / 2)?))
    }

    fn of(node: &Value) -> Option<Self> {
        let length =
            |of: &str, what: &str| node[of][what].as_u64().and_then(|it| u16::try_from(it).ok());
        Some(Self {
            title: node["name"].as_str()?.to_owned(),
            left: length("rect", "x")? + length("window_rect", "x")?,
            top: length("rect", "y")? + length("window_rect", "y")?,
            width: length("window_rect", "width")?,
            height: length("window_rect", "height")?,
        })
    }
}

fn found(folder: &Path, begin: &str, end: &str) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.map_while(Result::ok).map(|entry| entry.path());
    let mut files = files.filter(|file| {
        let name = file.file_name().map(OsStr::to_string_lossy);
        name.is_some_and(|name| name.starts_with(begin) && name.ends_with(end))
    });
    files.next()
}

fn find<'a>(node: &'a Value, is_wanted: &impl Fn(&Value) -> bool) -> Option<&'a Value> {
    if is_wanted(node) {
        return Some(node);
    }
    let children = |kind: &str| node[kind].as_array().into_iter().flatten();
    children("nodes").chain(children("floating_nodes")).find_map(|child| find(child, is_wanted))
}
