//! The remote-desktop programs that are measured, each with a viewer that decodes.
//!
//! Decides how each is started. A viewer of any kind says `update NANOSECONDS CODE BYTES` after
//! every decoded picture (mark.rs).

use std::{
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::mark::Seen;
use crate::{
    desktop::Desktop,
    running::{Mark, Process, run, until},
    stack::free_port,
};

/// A host of a VNC screen, from Debian's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vnc {
    X11vnc,
    TigerVnc,
}

impl Vnc {
    fn command(self, desktop: &Desktop, port: u16) -> Command {
        let port = port.to_string();
        match self {
            Self::X11vnc => {
                let mut command = desktop.command("x11vnc");
                command.args(["-display", desktop.display(), "-rfbport", &port]);
                command.args(["-localhost", "-nopw", "-forever", "-shared", "-noipv6", "-quiet"]);
                command
            }
            Self::TigerVnc => {
                let mut command = desktop.command("X0tigervnc");
                command.args(["-display", desktop.display(), "-rfbport", &port]);
                command.args(["-localhost", "-SecurityTypes", "None"]);
                command
            }
        }
    }
}

/// A host and its viewer at work.
#[derive(Debug)]
pub struct Pair {
    pub host: Process,
    pub viewer: Process,
    /// What else works between them: a server, a relay.
    pub between: Vec<Process>,
}

impl Pair {
    /// # Errors
    /// The host or the probe is not installed, or does not start.
    pub fn of_vnc(vnc: Vnc, desktop: &Desktop, probe: &Path) -> Result<Self> {
        let port = free_port()?;
        let host = Process::start(&format!("{vnc:?}"), vnc.command(desktop, port))?;
        until("the VNC host to listen", || {
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop))
        })?;
        let mut command = Command::new(probe);
        command.arg(port.to_string());
        let viewer = Process::start("vnc_probe", command)?;
        let pair = Self { host, viewer, between: Vec::new() };
        pair.wait_first()?;
        Ok(pair)
    }

    /// # Errors
    /// The viewer decoded nothing.
    pub fn wait_first(&self) -> Result<()> {
        let patience = crate::running::PATIENCE;
        self.viewer
            .log()
            .wait(Mark::default(), "decoded picture", patience, |l| Seen::from_line(&l.text))
            .map(drop)
    }

    /// What the viewer saw since `mark`.
    pub fn seen(&self, mark: Mark) -> Vec<Seen> {
        self.viewer.log().since(mark).iter().filter_map(|l| Seen::from_line(&l.text)).collect()
    }
}

/// Compiles the VNC viewer without a window.
///
/// # Errors
/// There is no C compiler or no libvncclient.
pub fn build_probe(folder: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/vnc_probe.c");
    let probe = folder.join("vnc_probe");
    let mut command = Command::new("cc");
    command.args(["-O2", "-o"]).arg(&probe).arg(source).arg("-lvncclient");
    run(command).context("building the VNC viewer; it needs libvncserver-dev")?;
    Ok(probe)
}
