//! The icon in the task bar: with a real host of StatusNotifierItem (xfce4-panel), with a bus and no host,
//! and without a bus.

#![allow(clippy::unwrap_used)]

mod bus;
mod hand;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bus::Running;
use hand::{Desk, Mock, PATIENCE, quiet};

const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agent");
const OPERATOR: &str = env!("CARGO_BIN_EXE_tasuki-operator");
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
/// Long enough for a tray to be found that is there.
const LOOKING: Duration = Duration::from_secs(4);
/// A panel along the lower edge, with nothing on it but a place for icons.
const PANEL: &str = include_str!("../../tests/src/desktop/panel.xml");

#[test]
fn s31_the_tray_icon_brings_the_window_to_the_front_and_ends_the_session() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let (_daemon, bus) = bus::start(home.path(), &desk.display);
    let agent = |state| {
        let mut program = quiet(AGENT, &desk.display);
        program.env("DBUS_SESSION_BUS_ADDRESS", &bus);
        Mock::start_with(program, state)
    };
    let told = agent("agent-live-control");
    assert_eq!(told.line(LOOKING), None, "nobody shows icons, and the window does not say so");
    drop(told);

    let _panel = panel(home.path(), &desk.display, &bus);
    let window = agent("agent-live-control");
    assert_eq!(window.line(PATIENCE).as_deref(), Some("tray"));
    until("the panel knows of the icon", || {
        ask(&bus, "RegisteredStatusNotifierItems").contains("StatusNotifierItem")
    });
    let is_shown = || ask(&bus, "RegisteredStatusNotifierItems").contains("StatusNotifierItem");
    press_until(&desk, &window, "to the front", |desk| {
        desk.xdotool(&["mousemove", "16", "784", "click", "1"]);
    });
    press_until(&desk, &window, "end", |desk| {
        desk.xdotool(&["mousemove", "16", "784", "click", "3"]);
        std::thread::sleep(Duration::from_millis(700));
        // The menu's last entry.
        desk.xdotool(&["key", "Up", "Return"]);
    });
    drop(window);
    until("the icon goes with its program", || !is_shown());

    let over = agent("agent-live-continue");
    until("there is an icon again", is_shown);
    desk.xdotool(&["search", "--onlyvisible", "--name", "^Minato", "windowfocus", "key", "F6"]);
    until("what is only looked at needs no icon", || !is_shown());
    let lines = || std::iter::from_fn(|| over.line(Duration::ZERO)).collect::<Vec<_>>();
    assert!(lines().iter().any(|line| line == "agent-watching-show"));
    drop(over);

    // In Manage, paused, and while the line is interrupted: what goes on by itself is ended here.
    for resumable in ["agent-live-paused", "agent-live-reconnecting"] {
        let window = agent(resumable);
        assert_eq!(window.line(PATIENCE).as_deref(), Some("tray"), "{resumable}");
        until(resumable, is_shown);
        drop(window);
        until("the icon goes with its program", || !is_shown());
    }

    let ended = agent("agent-ended");
    assert_eq!(ended.line(LOOKING), None);
    assert!(!is_shown(), "nothing can be resumed");
}

#[test]
fn without_a_desktop_bus_the_window_works_and_tells_of_no_icon() {
    let desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    assert_eq!(window.line(LOOKING), None);
    desk.xdotool(&["key", "ctrl+alt+shift+e"]);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"));
}

/// No bus, no host of icons, and Xvfb has no GPU: the operator's window comes, hears keys and shows his screen's bar.
#[test]
fn the_operators_window_needs_no_bus_no_tray_and_no_gpu() {
    let desk = Desk::start();
    let mut program = quiet(OPERATOR, &desk.display);
    program.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("SLINT_BACKEND");
    let window = Mock::start_with(program, "operator-share");
    let bar = || desk.xdotool(&["search", "--onlyvisible", "--name", "^Your screen is shown"]);
    until("the bar and the frame", || bar().lines().count() == 5);
    press_until(&desk, &window, "operator-show-paused", |desk| {
        desk.xdotool(&["search", "--onlyvisible", "--name", "operators", "windowfocus"]);
        desk.xdotool(&["key", "F6"]);
    });
}

fn panel(home: &Path, display: &str, bus: &str) -> Running {
    let folder = home.join("config/xfce4/xfconf/xfce-perchannel-xml");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("xfce4-panel.xml"), PANEL).unwrap();
    let mut command = quiet("xfce4-panel", display);
    command.arg("--disable-wm-check").env("DBUS_SESSION_BUS_ADDRESS", bus);
    command.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config"));
    let panel = Running(command.spawn().expect("xfce4-panel starts"));
    until("the panel shows icons", || ask(bus, "IsStatusNotifierHostRegistered").contains("true"));
    panel
}

/// A property of whoever keeps the icons, as dbus-send prints it.
fn ask(bus: &str, property: &str) -> String {
    let mut command = Command::new("dbus-send");
    command.args([
        "--session",
        "--print-reply",
        &format!("--dest={WATCHER}"),
        "/StatusNotifierWatcher",
    ]);
    command.arg("org.freedesktop.DBus.Properties.Get");
    command.args([format!("string:{WATCHER}"), format!("string:{property}")]);
    let output = command.env("DBUS_SESSION_BUS_ADDRESS", bus).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A panel that has just come up takes no press yet.
fn press_until(desk: &Desk, window: &Mock, word: &str, press: impl Fn(&Desk)) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        press(desk);
        let end = Instant::now() + Duration::from_secs(2);
        while let Some(line) = window.line(end.saturating_duration_since(Instant::now())) {
            if line == word {
                return;
            }
        }
    }
    panic!("the icon never said {word:?}");
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
