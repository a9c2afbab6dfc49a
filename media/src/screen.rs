//! What a screen can be asked: its monitors, and what changed on the shown one.
//!
//! Says nothing of how pixels are fetched (X11, a portable back end, a drawing
//! of the tests) and nothing of what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout, MonitorId};

use crate::blocks::ChangedBlocks;

/// A source of pictures of one monitor at a time.
pub trait Screen: Send + std::fmt::Debug {
    /// The monitors as of the last [`Grab`]; sane by [`Layout::is_sane`].
    fn layout(&self) -> &Layout;

    /// Turns to another monitor; the next grab brings its whole picture.
    ///
    /// # Errors
    /// [`ScreenError::UnknownMonitor`] when the layout does not name it.
    fn show(&mut self, monitor: MonitorId) -> Result<(), ScreenError>;

    /// Waits, without polling, up to `patience` until something changed. The
    /// first grab brings the whole picture and the cursor. A late caller gets
    /// the sum of what changed, never a queue.
    ///
    /// # Errors
    /// See [`ScreenError`]; after [`ScreenError::Lost`] the screen is of no more use.
    fn grab(&mut self, patience: Duration) -> Result<Grab<'_>, ScreenError>;

    /// Waits out `patience` without looking at the screen, so that what changes
    /// meanwhile costs one look.
    ///
    /// # Errors
    /// [`ScreenError::Lost`].
    fn pause(&mut self, patience: Duration) -> Result<Paused, ScreenError>;

    /// Ends a [`Screen::grab`] or [`Screen::pause`] in another thread, at once.
    fn waker(&self) -> Waker;
}

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Paused {
    Over,
    Woken,
}

/// What a grab found; all `None` when nothing changed.
#[derive(Debug, Default)]
#[must_use]
pub struct Grab<'a> {
    /// Monitors came, went or changed size, or another one is shown: a whole picture comes with it.
    pub layout: Option<Layout>,
    pub cursor_shape: Option<CursorShape>,
    pub cursor_position: Option<CursorPosition>,
    pub picture: Option<Pixels<'a>>,
}

impl Grab<'_> {
    pub fn is_unchanged(&self) -> bool {
        self.layout.is_none()
            && self.cursor_shape.is_none()
            && self.cursor_position.is_none()
            && self.picture.is_none()
    }
}

/// The shown monitor's whole picture, and which blocks of it are new.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// Blue, green, red, undefined: 4 bytes a pixel, without the cursor.
    pub bgra: &'a [u8],
    /// Bytes from one row to the next, at least `width * 4`.
    pub stride: usize,
    pub width: u16,
    pub height: u16,
    pub changed: &'a ChangedBlocks,
}

/// Ends another thread's wait. Cheap to clone; may be rung at any time.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(ring))
    }

    /// The wait that goes on now ends at once; if there is none, the next one does.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}

/// Why there is no picture. Each sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    #[error("there is no desktop here: DISPLAY is not set; start this from inside the desktop session")]
    NoDisplay,
    #[error(
        "the desktop {display} does not answer: check that it runs and that this user may use it (XAUTHORITY)"
    )]
    Unreachable { display: String },
    #[error("the X server lacks the {name} extension: enable it, or use another X server")]
    MissingExtension { name: &'static str },
    #[error(
        "the desktop runs on Wayland, where no program sees all of it: sign in to an Xorg (X11) session"
    )]
    Wayland,
    #[error(
        "the screen of this system cannot be shown yet: use a computer with Linux and an X11 desktop"
    )]
    OtherSystem,
    #[error("the desktop has {depth} bits of colour: set it to 24 (millions of colours)")]
    UnsupportedDepth { depth: u8 },
    #[error("the desktop of {width}x{height} is larger than 7680x4320: choose a smaller resolution")]
    TooLarge { width: u32, height: u32 },
    #[error("the desktop has no monitor: switch one on")]
    NoMonitor,
    #[error("there is no monitor {}: choose one of the layout", .0.0)]
    UnknownMonitor(MonitorId),
    #[error("the desktop ended, or closed the connection: log in again and start a new session")]
    Lost,
    #[error("no memory to share with the desktop: free some and try again")]
    NoSharedMemory,
    #[error("the system starts no more threads: end some programs and try again")]
    NoThread,
    #[error("the desktop refused a request ({request}): restart the desktop session")]
    Refused { request: &'static str },
}
