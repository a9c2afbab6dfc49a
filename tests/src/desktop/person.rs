//! The person who sits at a desktop, and an ear at its input.
//!
//! The person acts through XTEST from another client than the product's, as xdotool does; the ear
//! hears every key, button and motion that reaches the server, whoever made it.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xinput::{ConnectionExt as _, Device, EventMask, XIEventMask},
        xproto::{ConnectionExt as _, MOTION_NOTIFY_EVENT},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use super::xvfb::Desktop;

/// Moves the pointer as the local person.
///
/// # Errors
/// The server is gone.
pub fn nudge_pointer(desktop: &Desktop, x: i16, y: i16) -> Result<()> {
    let connection = desktop.connect()?;
    let root = connection.setup().roots[0].root;
    connection.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, root, x, y, 0)?;
    connection.sync()?;
    Ok(())
}

/// # Errors
/// The server is gone.
pub fn pointer(desktop: &Desktop) -> Result<(i16, i16)> {
    let connection = desktop.connect()?;
    let root = connection.setup().roots[0].root;
    let at = connection.query_pointer(root)?.reply()?;
    Ok((at.root_x, at.root_y))
}

/// Hears all input of a server (XInput 2 raw events).
#[derive(Debug)]
pub struct Ear {
    connection: RustConnection,
}

impl Ear {
    /// # Errors
    /// The server is gone or has no XInput 2.
    pub fn open(desktop: &Desktop) -> Result<Self> {
        let connection = desktop.connect()?;
        let version = connection.xinput_xi_query_version(2, 2)?.reply()?;
        ensure!(version.major_version == 2, "the X server has no XInput 2");
        let mask = XIEventMask::RAW_KEY_PRESS | XIEventMask::RAW_BUTTON_PRESS | XIEventMask::RAW_MOTION;
        let all = EventMask { deviceid: Device::ALL_MASTER.into(), mask: vec![mask] };
        connection.xinput_xi_select_events(connection.setup().roots[0].root, &[all])?;
        connection.sync()?;
        Ok(Self { connection })
    }

    /// When the next key went down, if one does within `patience`.
    ///
    /// # Errors
    /// The server is gone.
    pub fn next_key(&self, patience: Duration) -> Result<Option<Instant>> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            match self.connection.poll_for_event()? {
                Some(Event::XinputRawKeyPress(_)) => return Ok(Some(Instant::now())),
                Some(_) => {}
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
        Ok(None)
    }

    /// How many events came since the last time, after waiting a moment for late ones.
    ///
    /// # Errors
    /// The server is gone.
    pub fn heard(&self) -> Result<usize> {
        thread::sleep(Duration::from_millis(300));
        self.connection.sync()?;
        let mut count = 0;
        while let Some(event) = self.connection.poll_for_event()? {
            count += usize::from(matches!(
                event,
                Event::XinputRawKeyPress(_)
                    | Event::XinputRawButtonPress(_)
                    | Event::XinputRawMotion(_)
            ));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::Size;

    #[test]
    fn an_ear_hears_what_is_done_and_nothing_else() {
        let desktop = Desktop::start_bare(Size::new(320, 200)).unwrap();
        let ear = Ear::open(&desktop).unwrap();
        assert_eq!(ear.heard().unwrap(), 0);
        nudge_pointer(&desktop, 30, 40).unwrap();
        assert!(ear.heard().unwrap() > 0);
        assert_eq!(pointer(&desktop).unwrap(), (30, 40));
    }
}
