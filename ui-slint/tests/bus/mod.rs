//! A session bus of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ended with the test.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The bus, and its address. What it starts lives in `home`, and on `display`.
pub(crate) fn start(home: &Path, display: &str) -> (Running, String) {
    let mut command = Command::new("dbus-daemon");
    command.args(["--session", "--nofork", "--print-address"]);
    command.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config")).env("DISPLAY", display);
    command.env("XDG_RUNTIME_DIR", home).env_remove("WAYLAND_DISPLAY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut daemon = command.spawn().expect("dbus-daemon starts (package dbus-daemon)");
    let mut address = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (Running(daemon), address.trim().to_owned())
}
