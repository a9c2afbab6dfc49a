//! Systems whose desktop Tasuki does not reach yet: Windows, macOS.
//!
//! Opens nothing, says so, and holds nothing.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tasuki_protocol::input::InputEvent;
use tasuki_protocol::screen::{Layout, MonitorId};

use super::{Alarm, Deed, Judged, Standing, Touched};
use crate::input::{InjectError, Injector, Interrupt, Leave};
use crate::screen::{Grab, Paused, Screen, ScreenError, Waker};

/// # Errors
/// [`ScreenError::OtherSystem`].
pub fn named() -> Result<String, ScreenError> {
    Err(ScreenError::OtherSystem)
}

/// # Errors
/// [`ScreenError::OtherSystem`].
pub fn check(_: &str) -> Result<(), ScreenError> {
    Err(ScreenError::OtherSystem)
}

/// # Errors
/// [`ScreenError::OtherSystem`].
pub fn monitors(_: Option<&str>) -> Result<Layout, ScreenError> {
    Err(ScreenError::OtherSystem)
}

/// Nothing is injected, so nothing is left held, and there is no watchdog to be.
pub fn serve_when_asked() -> Option<ExitCode> {
    None
}

/// No hand of this program's is ever at work.
pub fn hands_were_at_rest(_: Instant) -> bool {
    true
}

/// Of hands that are never opened.
#[derive(Debug)]
pub struct Echo(());

#[derive(Debug)]
pub enum OwnScreen {}

impl OwnScreen {
    /// # Errors
    /// [`ScreenError::OtherSystem`].
    pub fn open(_: Option<&str>) -> Result<Self, ScreenError> {
        Err(ScreenError::OtherSystem)
    }
}

impl Screen for OwnScreen {
    fn layout(&self) -> &Layout {
        match *self {}
    }

    fn show(&mut self, _: MonitorId) -> Result<(), ScreenError> {
        match *self {}
    }

    fn grab(&mut self, _: Duration) -> Result<Grab<'_>, ScreenError> {
        match *self {}
    }

    fn pause(&mut self, _: Duration) -> Result<Paused, ScreenError> {
        match *self {}
    }

    fn waker(&self) -> Waker {
        match *self {}
    }
}

#[derive(Debug)]
pub enum Hands {}

impl Hands {
    /// # Errors
    /// [`ScreenError::OtherSystem`].
    pub fn open(_: Option<&str>) -> Result<Self, ScreenError> {
        Err(ScreenError::OtherSystem)
    }

    pub fn echo(&self) -> Echo {
        match *self {}
    }
}

impl Injector for Hands {
    fn inject_with(&mut self, _: &InputEvent, _: &Leave) -> Result<(), InjectError> {
        match *self {}
    }

    fn release_all(&mut self) {
        match *self {}
    }

    fn interrupt(&self) -> Interrupt {
        match *self {}
    }
}

#[derive(Debug)]
pub enum LocalInput {}

impl LocalInput {
    /// # Errors
    /// [`ScreenError::OtherSystem`].
    pub fn open(_: Option<&str>, _: Echo) -> Result<Self, ScreenError> {
        Err(ScreenError::OtherSystem)
    }

    /// # Errors
    /// None.
    pub fn wait(&mut self, _: Duration) -> Result<Option<Touched>, ScreenError> {
        match *self {}
    }

    pub fn waker(&self) -> Waker {
        match *self {}
    }
}

#[derive(Debug)]
pub enum Sentinel {}

impl Sentinel {
    /// # Errors
    /// [`ScreenError::OtherSystem`].
    pub fn open(_: Option<&str>, _: &[Standing]) -> Result<Self, ScreenError> {
        Err(ScreenError::OtherSystem)
    }

    pub fn waker(&self) -> Waker {
        match *self {}
    }

    /// # Errors
    /// None.
    pub fn watch(&mut self) -> Result<Option<Alarm>, ScreenError> {
        match *self {}
    }
}

#[derive(Debug)]
pub enum Witness {}

impl Witness {
    /// # Errors
    /// [`ScreenError::OtherSystem`].
    pub fn open(_: Option<&str>, _: u32) -> Result<Self, ScreenError> {
        Err(ScreenError::OtherSystem)
    }

    pub fn is_of(&self, _: u32) -> bool {
        match *self {}
    }

    /// # Errors
    /// None.
    pub fn is_pointed_at(&self) -> Result<bool, ScreenError> {
        match *self {}
    }

    /// # Errors
    /// None.
    pub fn catch_up(&mut self) -> Result<(), ScreenError> {
        match *self {}
    }

    pub fn comes_late(&mut self) {
        match *self {}
    }

    pub fn question_stands(&mut self, _: bool) {
        match *self {}
    }

    /// # Errors
    /// None.
    pub fn key_received(&mut self, _: Option<u8>) -> Result<(), ScreenError> {
        match *self {}
    }

    /// # Errors
    /// None.
    pub fn ask(&mut self, _: Deed) -> Result<Judged, ScreenError> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_desktop_is_reached_everything_that_is_opened_says_so() {
        let standing = Standing { window: 1, left: 0, top: 0, width: 1, height: 1 };
        let refusals = [
            named().err(),
            check(":0").err(),
            monitors(None).err(),
            OwnScreen::open(None).err(),
            Hands::open(None).err(),
            LocalInput::open(None, Echo(())).err(),
            Sentinel::open(None, &[standing]).err(),
            Witness::open(None, 1).err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal, Some(ScreenError::OtherSystem));
        }
        assert!(hands_were_at_rest(Instant::now()) && serve_when_asked().is_none());
    }
}
