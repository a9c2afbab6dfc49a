//! A session bus of its own, as a desktop has one.

use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use super::xvfb::Desktop;
use crate::running::{Process, until};

/// Ended when it is dropped, and what it started with it.
#[derive(Debug)]
pub(super) struct Bus {
    _daemon: Process,
    home: TempDir,
    address: String,
}

impl Bus {
    /// What it starts is seen on `desktop`, if it is given.
    ///
    /// # Errors
    /// dbus-daemon is not installed.
    pub(super) fn start(desktop: Option<&Desktop>) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("tasuki-bus-").tempdir()?;
        let mut command = match desktop {
            Some(desktop) => desktop.command("dbus-daemon"),
            None => Command::new("dbus-daemon"),
        };
        if desktop.is_none() {
            command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        }
        command.args(["--session", "--nofork", "--nopidfile", "--print-address"]);
        // A place in the file system, which is the same in every network.
        command.arg(format!("--address=unix:path={}", home.path().join("bus").display()));
        command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path());
        command.env("XDG_CONFIG_HOME", home.path().join("config"));
        let daemon = Process::start("dbus-daemon", command)?;
        let address = until("the bus to tell its address", || {
            let said = daemon.log().tail(20);
            let address = said.lines().find_map(|line| line.find("unix:").map(|start| &line[start..]));
            Ok(address.map(|address| address.trim().to_owned()))
        })?;
        Ok(Self { _daemon: daemon, home, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn home(&self) -> &std::path::Path {
        self.home.path()
    }
}
