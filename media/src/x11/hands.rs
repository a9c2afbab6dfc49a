//! XTEST: pressing and letting go, each act noted for the watcher of local input.

use std::time::Instant;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT,
};
use x11rb::protocol::xtest::{self, ConnectionExt as _};
use x11rb::wrapper::ConnectionExt as _;

use super::connection::{Desktop, refused};
use super::deeds;
use super::echo::{Act, Echo};
use super::watchdog::Watchdog;
use crate::input::InjectError;
use crate::screen::ScreenError;

#[derive(Debug)]
pub(super) struct Hands {
    pub(super) desktop: Desktop,
    pub(super) echo: Echo,
    watchdog: Watchdog,
}

impl Hands {
    pub(super) fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        desktop.require(xtest::X11_EXTENSION_NAME, "XTEST")?;
        let version = desktop.connection.xtest_get_version(2, 2).map_err(|_| ScreenError::Lost)?;
        version.reply().map_err(refused("XTEST version"))?;
        Ok(Self { desktop, echo: Echo::default(), watchdog: Watchdog::start(display) })
    }

    pub(super) fn press_key(&self, keycode: u8) -> Result<(), InjectError> {
        self.echo.expect(Act::KeyPress(keycode), Instant::now());
        self.act(KEY_PRESS_EVENT, keycode, (0, 0))
    }

    pub(super) fn release_key(&self, keycode: u8) -> Result<(), InjectError> {
        self.act(KEY_RELEASE_EVENT, keycode, (0, 0))
    }

    pub(super) fn press_button(&self, button: u8) -> Result<(), InjectError> {
        self.echo.expect(Act::ButtonPress(button), Instant::now());
        self.act(BUTTON_PRESS_EVENT, button, (0, 0))
    }

    pub(super) fn release_button(&self, button: u8) -> Result<(), InjectError> {
        self.act(BUTTON_RELEASE_EVENT, button, (0, 0))
    }

    /// To a place of the desktop, in pixels.
    pub(super) fn move_to(&self, x: i16, y: i16) -> Result<(), InjectError> {
        self.echo.expect(Act::Motion, Instant::now());
        self.act(MOTION_NOTIFY_EVENT, 0, (x, y))
    }

    pub(super) fn flush(&self) -> Result<(), InjectError> {
        self.desktop.connection.flush().map_err(|_| InjectError::Lost)
    }

    /// Waits until the server has done all that it was asked: of a connection that closes with an
    /// event unread it hears an error and throws away what it has not yet read.
    pub(super) fn finish(&self) -> Result<(), InjectError> {
        self.desktop.connection.sync().map_err(|_| InjectError::Lost)
    }

    /// Nothing is held any more, and the display has heard so.
    pub(super) fn retire(&self) {
        if self.finish().is_ok() {
            self.watchdog.dismiss();
        }
    }

    fn act(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<(), InjectError> {
        self.watchdog.note(kind, detail);
        deeds::note(kind, detail);
        let c = &self.desktop.connection;
        c.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, self.desktop.root, x, y, 0)
            .map_err(|_| InjectError::Lost)?
            .ignore_error();
        Ok(())
    }
}

/// An injector's view of a failure that a screen would tell alike.
pub(super) fn as_inject_error(fault: ScreenError) -> InjectError {
    match fault {
        ScreenError::Refused { request } => InjectError::Refused { request },
        ScreenError::MissingExtension { name } => InjectError::Refused { request: name },
        ScreenError::UnknownMonitor(monitor) => InjectError::UnknownMonitor(monitor),
        ScreenError::NoDisplay
        | ScreenError::Unreachable { .. }
        | ScreenError::UnsupportedDepth { .. }
        | ScreenError::TooLarge { .. }
        | ScreenError::NoMonitor
        | ScreenError::Wayland
        | ScreenError::OtherSystem
        | ScreenError::Lost
        | ScreenError::NoSharedMemory
        | ScreenError::NoThread => InjectError::Lost,
    }
}
