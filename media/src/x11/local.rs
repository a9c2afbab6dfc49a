//! The person at the desk: whether a hand touched this display's own mouse or keyboard.
//!
//! Only tells; what remote input has to give way to, and for how long (T32), is
//! decided elsewhere. Asks for raw events, which reach it whatever window has
//! the focus or a grab, and reads no more of them than which device acted: what
//! was typed does not leave this file.

use std::time::{Duration, Instant};

use x11rb::protocol::Event;
use x11rb::protocol::xinput;

use super::connection::{Desktop, Woken};
use super::devices::{Devices, Holder};
use super::echo::{Act, Echo};
use crate::desktop::Touched;
use crate::screen::{ScreenError, Waker};

/// Watches one display for input that did not come from the injector of `echo`.
#[derive(Debug)]
pub struct LocalInput {
    desktop: Desktop,
    echo: Echo,
    devices: Devices,
}

impl LocalInput {
    /// `echo` is that of the injector of the same display.
    ///
    /// # Errors
    /// [`ScreenError`]: no display, or no XInput 2.
    pub fn open(display: Option<&str>, echo: Echo) -> Result<Self, ScreenError> {
        let desktop = Desktop::connect(display)?;
        let devices = Devices::watch(&desktop)?;
        Ok(Self { desktop, echo, devices })
    }

    /// Waits up to `patience`; `None` when nobody touched anything, or when woken.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone.
    pub fn wait(&mut self, patience: Duration) -> Result<Option<Touched>, ScreenError> {
        let deadline = Instant::now() + patience;
        loop {
            while let Some(event) = self.desktop.arrived()? {
                if self.devices.heed(&self.desktop, &event)? {
                    continue;
                }
                if let Some(touched) = self.judge(&event) {
                    return Ok(Some(touched));
                }
            }
            match self.desktop.sleep(deadline)? {
                Woken::Desktop => {}
                Woken::Bell | Woken::Time => return Ok(None),
            }
        }
    }

    /// Ends a [`LocalInput::wait`] in another thread.
    pub fn waker(&self) -> Waker {
        self.desktop.waker()
    }

    fn judge(&self, event: &Event) -> Option<Touched> {
        let (touched, source, act) = read(event)?;
        let ours = self.devices.holder(source) == Holder::Program
            && act.is_some_and(|act| self.echo.recognise(act, Instant::now()));
        (!ours).then_some(touched)
    }
}

/// Who acted and how; an act is `None` where no injector of ours could have done it.
fn read(event: &Event) -> Option<(Touched, xinput::DeviceId, Option<Act>)> {
    let number = |detail: u32| u8::try_from(detail).ok();
    if let Event::XinputRawKeyPress(key) = event {
        return Some((Touched::Keyboard, key.sourceid, number(key.detail).map(Act::KeyPress)));
    }
    if let Event::XinputRawButtonPress(button) = event {
        return Some((Touched::Mouse, button.sourceid, number(button.detail).map(Act::ButtonPress)));
    }
    if let Event::XinputRawMotion(motion) = event {
        return Some((Touched::Mouse, motion.sourceid, Some(Act::Motion)));
    }
    if let Event::XinputRawTouchBegin(touch) = event {
        return Some((Touched::Mouse, touch.sourceid, None));
    }
    None
}
