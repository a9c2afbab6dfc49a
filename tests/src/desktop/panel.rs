//! A panel along the lower edge of a desktop, with a place for icons and nothing else (StatusNotifierItem).

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{bus::Bus, xvfb::Desktop};
use crate::running::{Process, run, until};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const HEIGHT: u16 = 32;
/// Until a menu that was asked for stands there.
const MENU: Duration = Duration::from_millis(700);
const SETTINGS: &str = include_str!("panel.xml");

/// xfce4-panel, on a session bus of its own.
#[derive(Debug)]
pub struct Panel {
    // It goes before its bus, or it complains.
    _panel: Process,
    bus: Bus,
    icon: (String, String),
}

impl Panel {
    /// # Errors
    /// xfce4-panel or dbus-daemon is not installed, or shows no icons.
    pub fn open(desktop: &Desktop) -> Result<Self> {
        let bus = Bus::start(Some(desktop))?;
        let folder = bus.home().join("config/xfce4/xfconf/xfce-perchannel-xml");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("xfce4-panel.xml"), SETTINGS)?;
        let mut command = desktop.command("xfce4-panel");
        command.arg("--disable-wm-check").env("DBUS_SESSION_BUS_ADDRESS", bus.address());
        command.env("HOME", bus.home()).env("XDG_CONFIG_HOME", bus.home().join("config"));
        let process = Process::start("xfce4-panel", command)?;
        until("the panel to show icons", || {
            Ok(ask(&bus, "IsStatusNotifierHostRegistered").contains("true").then_some(()))
        })?;
        let height = desktop.picture()?.height;
        let middle = height - usize::from(HEIGHT / 2);
        let icon = ((HEIGHT / 2).to_string(), middle.to_string());
        Ok(Self { _panel: process, bus, icon })
    }

    /// Of the session bus, for programs that have an icon.
    pub fn session(&self) -> &str {
        self.bus.address()
    }

    /// # Errors
    /// There never is one.
    pub fn wait_for_icon(&self) -> Result<()> {
        until("an icon in the panel", || {
            let icons = ask(&self.bus, "RegisteredStatusNotifierItems");
            Ok(icons.contains("StatusNotifierItem").then_some(()))
        })
    }

    /// Chooses the last entry of the first icon's menu; gives the moment before it was chosen.
    ///
    /// # Errors
    /// xdotool is not installed.
    pub fn choose_last(&self, desktop: &Desktop) -> Result<Instant> {
        let hand = |arguments: &[&str]| {
            let mut command = desktop.command("xdotool");
            command.args(arguments);
            run(command)
        };
        let (x, y) = (&self.icon.0, &self.icon.1);
        hand(&["mousemove", x, y, "click", "3"])?;
        thread::sleep(MENU);
        hand(&["key", "Up"])?;
        let before = Instant::now();
        hand(&["key", "Return"])?;
        Ok(before)
    }
}

/// A property of whoever keeps the icons, as dbus-send prints it; empty while there is none.
fn ask(bus: &Bus, property: &str) -> String {
    let mut command = Command::new("dbus-send");
    command.args([
        "--session",
        "--print-reply",
        &format!("--dest={WATCHER}"),
        "/StatusNotifierWatcher",
    ]);
    command.arg("org.freedesktop.DBus.Properties.Get");
    command.args([format!("string:{WATCHER}"), format!("string:{property}")]);
    command.env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    run(command).unwrap_or_default()
}
