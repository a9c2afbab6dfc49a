//! A desktop of its own: an X server without a screen, with a window manager on it.
//!
//! Decides how it is started and torn down. Refuses to know who looks at it.

use std::{ffi::OsStr, fs::File, os::unix::process::CommandExt, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use x11rb::{
    connection::Connection,
    protocol::xproto::{AtomEnum, ConnectionExt, ImageFormat},
    rust_connection::RustConnection,
};

use super::{hand::Hand, picture::Picture};
use crate::{
    running::{Mark, Process, until},
    stack::{free_port, inside},
};

/// Dropped, it takes the desktop and all that runs on it along.
#[derive(Debug)]
pub struct Desktop {
    // The window manager goes first, or it complains of the lost server.
    manager: Option<Process>,
    programs: Vec<Process>,
    server: Option<Process>,
    display: String,
    /// Words in front of the product's programs, which put them into a network; none for this computer's own.
    network: Vec<String>,
}

/// In pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl Size {
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }
}

impl Desktop {
    /// # Errors
    /// Xvfb or openbox is not installed, or did not come up.
    pub fn start(size: Size) -> Result<Self> {
        Self::start_bare(size)?.managed()
    }

    /// With a window manager, and a mouse and a keyboard that a person has in his hand.
    ///
    /// # Errors
    /// Xvnc or openbox is not installed, or did not come up.
    pub fn start_with_hand(size: Size) -> Result<(Self, Hand)> {
        let port = free_port()?;
        let mut command = Command::new("Xvnc");
        command.args(["-geometry", &format!("{}x{}", size.width, size.height), "-depth", "24"]);
        command.args(["-SecurityTypes", "None", "-localhost", "-rfbport", &port.to_string()]);
        let desktop = Self::serve("Xvnc", command)?.managed()?;
        Ok((desktop, Hand::take(port)?))
    }

    fn managed(mut self) -> Result<Self> {
        let desktop = &mut self;
        let mut manager = desktop.command("openbox");
        manager.args(["--sm-disable", "--config-file", "/etc/xdg/openbox/rc.xml"]);
        desktop.manager = Some(Process::start("openbox", manager)?);
        let display = desktop.display.clone();
        until("openbox to manage windows", || is_managed(&display))?;
        Ok(self)
    }

    /// Without a window manager.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_bare(size: Size) -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-screen", "0", &format!("{}x{}x24", size.width, size.height)]);
        Self::serve("Xvfb", command)
    }

    fn serve(name: &'static str, mut command: Command) -> Result<Self> {
        // The server picks a free display itself, so that tests can run side by side; two that
        // look at the same moment may pick the same one.
        let turns = File::create(std::env::temp_dir().join("tasuki-tests-x.lock"))?;
        turns.lock()?;
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"]);
        command.process_group(0);
        let server = Process::start(name, command)?;
        let number = server
            .log()
            .wait(Mark::default(), "display number", Duration::from_secs(30), |line| {
                line.text.trim().parse::<u32>().ok()
            })
            .context(name)?;
        let display = format!(":{number}");
        until("the display to answer", || Ok(x11rb::connect(Some(&display)).ok().map(drop)))?;
        let network = Vec::new();
        Ok(Self { manager: None, programs: Vec::new(), server: Some(server), display, network })
    }

    /// A display that is somebody else's: nothing of it is started or ended, besides what
    /// [`Self::run`] puts on it.
    ///
    /// # Errors
    /// There is no such display.
    pub fn existing(display: &str) -> Result<Self> {
        let (display, network) = (display.to_owned(), Vec::new());
        let found = Self { manager: None, programs: Vec::new(), server: None, display, network };
        found.connect()?;
        Ok(found)
    }

    pub fn display(&self) -> &str {
        &self.display
    }

    /// The X server's process, where it is ours.
    pub fn server(&self) -> Option<&Process> {
        self.server.as_ref()
    }

    /// Ends the X server as a crash or a log-off would.
    pub fn crash(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill();
        }
    }

    /// Has it stand in a network: what [`Self::networked`] starts gets these words in front.
    #[must_use]
    pub fn in_network(self, network: Vec<String>) -> Self {
        Self { network, ..self }
    }

    /// As [`Self::command`], in the network that this desktop stands in.
    pub fn networked(&self, program: impl AsRef<OsStr>) -> Command {
        self.at_home(inside(&self.network, program))
    }

    /// A command that will find this desktop and no other.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.at_home(Command::new(program))
    }

    fn at_home(&self, mut command: Command) -> Command {
        command.env("DISPLAY", &self.display).env_remove("WAYLAND_DISPLAY");
        command.env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs a program for as long as the desktop lives.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&mut self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = self.command(program);
        command.args(arguments);
        self.programs.push(Process::start(program, command)?);
        Ok(())
    }

    /// # Errors
    /// The server is gone.
    pub fn connect(&self) -> Result<RustConnection> {
        let (connection, _) = RustConnection::connect(Some(&self.display))
            .with_context(|| format!("no X server answers at {}", self.display))?;
        Ok(connection)
    }

    /// What stands on the screen now, without the cursor.
    ///
    /// # Errors
    /// The server is gone, or has another depth than 24 bits.
    pub fn picture(&self) -> Result<Picture> {
        let connection = self.connect()?;
        let screen = &connection.setup().roots[0];
        ensure!(screen.root_depth == 24, "{} is not 24 bits deep", self.display);
        let geometry = connection.get_geometry(screen.root)?.reply()?;
        let (width, height) = (geometry.width, geometry.height);
        let image = connection
            .get_image(ImageFormat::Z_PIXMAP, screen.root, 0, 0, width, height, !0)?
            .reply()?;
        Ok(Picture::from_bgrx(width.into(), height.into(), &image.data))
    }

    /// The picture, once two looks 200 ms apart saw the same.
    ///
    /// # Errors
    /// As [`Self::picture`], or something on it never rests.
    pub fn still_picture(&self) -> Result<Picture> {
        let mut last = self.picture()?;
        until("a screen at rest", || {
            std::thread::sleep(Duration::from_millis(200));
            let now = self.picture()?;
            let is_still = now == last;
            last = now;
            Ok(is_still.then(|| last.clone()))
        })
    }
}

fn is_managed(display: &str) -> Result<Option<()>> {
    let (connection, _) = RustConnection::connect(Some(display))?;
    let root = connection.setup().roots[0].root;
    let sign = connection.intern_atom(false, b"_NET_SUPPORTING_WM_CHECK")?.reply()?.atom;
    let found = connection.get_property(false, root, sign, AtomEnum::WINDOW, 0, 1)?.reply()?;
    Ok((found.value_len == 1).then_some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desktop_has_its_own_display_and_size() {
        let one = Desktop::start(Size::new(320, 200)).unwrap();
        let other = Desktop::start_bare(Size::new(300, 100)).unwrap();
        assert_ne!(one.display(), other.display());
        assert_eq!(one.picture().unwrap().width, 320);
        assert_eq!(other.picture().unwrap().height, 100);
    }
}
