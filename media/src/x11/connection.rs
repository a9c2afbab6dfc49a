//! One connection to an X display, and waiting on it without polling.
//!
//! Decides what failure of X is called what. Knows no extension's meaning.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::Window;
use x11rb::protocol::{damage, record, xfixes, xinput, xtest};
use x11rb::rust_connection::RustConnection;

use crate::screen::{ScreenError, Waker};

/// The display of the environment (DISPLAY).
///
/// # Errors
/// [`ScreenError::NoDisplay`].
pub fn named() -> Result<String, ScreenError> {
    std::env::var("DISPLAY").ok().filter(|name| !name.is_empty()).ok_or(ScreenError::NoDisplay)
}

/// Whether `display` lets this user in and can be shown and operated. Looks at nothing on it.
///
/// # Errors
/// [`ScreenError::Unreachable`], [`ScreenError::MissingExtension`], or [`ScreenError::Wayland`] for the X server
/// inside a Wayland desktop (Xwayland), where nothing is seen but its own clients.
pub fn check(display: &str) -> Result<(), ScreenError> {
    let desktop = Desktop::connect(Some(display))?;
    desktop.require(xfixes::X11_EXTENSION_NAME, "XFIXES")?;
    desktop.require(damage::X11_EXTENSION_NAME, "DAMAGE")?;
    desktop.require(xtest::X11_EXTENSION_NAME, "XTEST")?;
    desktop.require(xinput::X11_EXTENSION_NAME, "XInput")?;
    // Without it nobody could ever consent (T2).
    desktop.require(record::X11_EXTENSION_NAME, "RECORD")?;
    if desktop.is_in_wayland()? { Err(ScreenError::Wayland) } else { Ok(()) }
}

#[derive(Debug)]
pub(super) struct Desktop {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
    pub(super) depth: u8,
    bell: Arc<OwnedFd>,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    Desktop,
    Bell,
    Time,
}

impl Desktop {
    /// `display` as in DISPLAY; `None` takes the environment's.
    pub(super) fn connect(display: Option<&str>) -> Result<Self, ScreenError> {
        let named = match display {
            Some(name) => name.to_owned(),
            None => named()?,
        };
        if named.is_empty() {
            return Err(ScreenError::NoDisplay);
        }
        if !is_sane(&named) {
            return Err(ScreenError::Unreachable { display: named });
        }
        let Ok((connection, number)) = RustConnection::connect(Some(&named)) else {
            return Err(ScreenError::Unreachable { display: named });
        };
        let screen = &connection.setup().roots[number];
        let (root, depth) = (screen.root, screen.root_depth);
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)
            .map_err(|_| ScreenError::NoSharedMemory)?;
        Ok(Self { connection, root, depth, bell: Arc::new(bell) })
    }

    pub(super) fn has(&self, extension: &'static str) -> Result<bool, ScreenError> {
        Ok(self.connection.extension_information(extension).map_err(lost)?.is_some())
    }

    /// Xwayland says so by an extension from version 23 on; before, by the names of its outputs.
    fn is_in_wayland(&self) -> Result<bool, ScreenError> {
        if self.has("XWAYLAND")? {
            return Ok(true);
        }
        if !self.has(randr::X11_EXTENSION_NAME)? {
            return Ok(false);
        }
        let c = &self.connection;
        let found = c.randr_get_screen_resources_current(self.root).map_err(lost)?.reply();
        for output in found.map(|found| found.outputs).unwrap_or_default() {
            let told = c.randr_get_output_info(output, 0).map_err(lost)?.reply();
            if told.is_ok_and(|told| told.name.starts_with(b"XWAYLAND")) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn require(
        &self,
        extension: &'static str,
        name: &'static str,
    ) -> Result<(), ScreenError> {
        if self.has(extension)? { Ok(()) } else { Err(ScreenError::MissingExtension { name }) }
    }

    pub(super) fn waker(&self) -> Waker {
        let bell = Arc::clone(&self.bell);
        Waker::new(move || {
            // A full counter is rung already.
            let _ = rustix::io::write(&bell, &1u64.to_ne_bytes());
        })
    }

    /// The next event that has arrived, without waiting.
    pub(super) fn arrived(&self) -> Result<Option<Event>, ScreenError> {
        self.connection.poll_for_event().map_err(lost)
    }

    /// Sleeps until the display says something, the bell rings, or `until`.
    pub(super) fn sleep(&self, until: Instant) -> Result<Woken, ScreenError> {
        self.connection.flush().map_err(lost)?;
        let patience = until.saturating_duration_since(Instant::now());
        let mut fds = [
            PollFd::from_borrowed_fd(self.connection.stream().as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN),
        ];
        wait(&mut fds, patience)?;
        let desktop_spoke = !fds[0].revents().is_empty();
        if !fds[1].revents().is_empty() {
            self.silence();
            return Ok(Woken::Bell);
        }
        Ok(if desktop_spoke { Woken::Desktop } else { Woken::Time })
    }

    /// Sleeps until the bell rings or `until`, whatever the display says.
    pub(super) fn rest(&self, until: Instant) -> Result<Woken, ScreenError> {
        let patience = until.saturating_duration_since(Instant::now());
        let mut bell = [PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN)];
        wait(&mut bell, patience)?;
        if bell[0].revents().is_empty() {
            return Ok(Woken::Time);
        }
        self.silence();
        Ok(Woken::Bell)
    }

    fn silence(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&*self.bell, &mut count);
    }
}

/// x11rb adds 6000 to a display's number for its port, and panics where that overflows.
fn is_sane(display: &str) -> bool {
    let Some((_, number)) = display.rsplit_once(':') else {
        return false;
    };
    let number = number.split('.').next().unwrap_or_default();
    number.parse::<u16>().is_ok_and(|number| number < u16::MAX - 6000)
}

fn wait(fds: &mut [PollFd<'_>], patience: Duration) -> Result<(), ScreenError> {
    match poll(fds, Some(&timespec(patience))) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(_) => Err(ScreenError::Lost),
    }
}

fn timespec(patience: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(patience.subsec_nanos()),
    }
}

pub(super) fn lost(_: ConnectionError) -> ScreenError {
    ScreenError::Lost
}

/// What a failed reply to `request` means.
pub(super) fn refused(request: &'static str) -> impl Fn(ReplyError) -> ScreenError {
    move |fault| match fault {
        ReplyError::ConnectionError(_) => ScreenError::Lost,
        ReplyError::X11Error(_) => ScreenError::Refused { request },
    }
}

pub(super) fn no_id(_: ReplyOrIdError) -> ScreenError {
    ScreenError::Lost
}
