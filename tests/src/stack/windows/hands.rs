//! What hands do in the operator's window: clicks, keys, the pointer over the picture.

use std::{thread, time::Duration};

use anyhow::Result;

use super::{Frame, OperatorWindow, operator::VIEW, xdotool};
use crate::running::until;

/// A hand's pause between two acts.
const PAUSE: Duration = Duration::from_millis(120);

impl OperatorWindow<'_> {
    /// # Errors
    /// xdotool failed.
    pub fn click(&self, x: i32, y: i32) -> Result<()> {
        self.point((x.into(), y.into()))?;
        // No hand presses in the moment in which it arrives.
        thread::sleep(PAUSE);
        self.xdotool(&["click", "1"])?;
        thread::sleep(PAUSE);
        Ok(())
    }

    /// Clicks at a pixel of the host's screen, as it is seen in the window.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn click_at_host(&self, host: (u16, u16), (x, y): (i16, i16)) -> Result<()> {
        let (x, y) = VIEW.place_of(host, (f64::from(x), f64::from(y)));
        self.click(x.round() as i32, y.round() as i32)
    }

    /// Moves the pointer to a pixel of the host's screen.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn point_at_host(&self, host: (u16, u16), (x, y): (i16, i16)) -> Result<()> {
        self.point(VIEW.place_of(host, (f64::from(x), f64::from(y))))
    }

    /// Leads the pointer into the corner of the view that is nearest to a pixel of the host's screen, which is seen at full
    /// size there and not whole, and clicks where the pixel stands once the corner of the picture is there.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn click_in_corner(&self, host: (u16, u16), (x, y): (i16, i16)) -> Result<()> {
        let along = |start: f64, room: f64, length: u16, at: i16| {
            let (length, at) = (f64::from(length), f64::from(at));
            if at * 2.0 < length { start + at } else { start + room - (length - at) }
        };
        let (x, y) = (along(VIEW.left, VIEW.width, host.0, x), along(VIEW.top, VIEW.height, host.1, y));
        self.click(x as i32, y as i32)
    }

    /// Waits until the window fills the screen.
    ///
    /// # Errors
    /// It never did.
    pub fn wait_to_fill(&mut self) -> Result<()> {
        let screen = self.picture()?;
        let size = (u16::try_from(screen.width)?, u16::try_from(screen.height)?);
        self.frame = until("the window to fill the screen", || {
            let frame = Frame::named(self.desk, "Tasuki")?;
            Ok(frame.filter(|frame| (frame.width, frame.height) == size))
        })?;
        Ok(())
    }

    /// Where on the operator's screen a pixel of the host's stands.
    pub fn place_of_host(&self, host: (u16, u16), (x, y): (i16, i16)) -> (u16, u16) {
        self.frame.at(VIEW.place_of(host, (f64::from(x), f64::from(y))))
    }

    fn point(&self, place: (f64, f64)) -> Result<()> {
        let (x, y) = self.frame.at(place);
        self.xdotool(&["mousemove", "--sync", &x.to_string(), &y.to_string()]).map(drop)
    }

    /// "Send Ctrl+Alt+Del", of a host with one monitor.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn send_ctrl_alt_del(&self) -> Result<()> {
        self.click(997, 67)
    }

    /// # Errors
    /// xdotool failed.
    pub fn type_text(&self, text: &str) -> Result<()> {
        self.xdotool(&["type", "--delay", "25", text]).map(drop)
    }

    /// # Errors
    /// xdotool failed.
    pub fn key(&self, chord: &str) -> Result<()> {
        self.strokes(&format!("key {chord}"))
    }

    /// Strokes as xdotool takes them: `keydown 50 key 38 keyup 50`, by X's numbers of the places.
    ///
    /// # Errors
    /// xdotool failed.
    pub fn strokes(&self, words: &str) -> Result<()> {
        self.xdotool(&words.split(' ').collect::<Vec<_>>()).map(drop)
    }

    /// Keys go to this window.
    ///
    /// # Errors
    /// It is gone.
    pub fn focus(&self) -> Result<()> {
        self.xdotool(&["windowfocus", "--sync", &self.frame.id.to_string()]).map(drop)
    }

    /// # Errors
    /// The display is gone.
    pub fn is_in_front(&self) -> Result<bool> {
        self.frame.is_in_front(self.desk)
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<String> {
        xdotool(self.desk, arguments)
    }
}
