//! A person's hand: a mouse and a keyboard that are devices of their own to the display.
//!
//! Xvnc takes what a VNC client does for the acts of its devices, and XTEST (xdotool) for what it is, so
//! that this hand can press what only a hand may press (T2). Speaks RFC 6143 as far as a hand needs it.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::running::until;

/// X11's names of keys; letters and digits are their own.
pub const RETURN: u32 = 0xff0d;
pub const TAB: u32 = 0xff09;
pub const SPACE: u32 = 0x20;
/// A hand's pause between two acts.
const PAUSE: Duration = Duration::from_millis(60);

#[derive(Debug)]
pub struct Hand {
    display: TcpStream,
}

impl Hand {
    /// Takes the devices of the Xvnc that listens at `port`, without a password (RFC 6143 §7.1 to 7.3).
    ///
    /// # Errors
    /// Nobody listens there, or wants a password.
    pub(super) fn take(port: u16) -> Result<Self> {
        let mut display =
            until("Xvnc to listen", || Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()))?;
        display.set_nodelay(true)?;
        let mut version = [0; 12];
        display.read_exact(&mut version)?;
        display.write_all(b"RFB 003.008\n")?;
        let mut count = [0; 1];
        display.read_exact(&mut count)?;
        let mut kinds = vec![0; usize::from(count[0])];
        display.read_exact(&mut kinds)?;
        display.write_all(&[1])?;
        let mut result = [0; 4];
        display.read_exact(&mut result)?;
        ensure!(result == [0; 4], "Xvnc wants a password");
        display.write_all(&[1])?;
        let mut beginning = [0; 24];
        display.read_exact(&mut beginning)?;
        Ok(Self { display })
    }

    /// Comes back as soon as the button is let go.
    ///
    /// # Errors
    /// The display is gone.
    pub fn click(&mut self, (x, y): (u16, u16)) -> Result<()> {
        // A hand comes from somewhere, also where another has put the pointer already.
        for (buttons, x) in [(0, x.saturating_sub(1)), (0, x), (1, x), (0, x)] {
            thread::sleep(PAUSE);
            let [x1, x2] = x.to_be_bytes();
            let [y1, y2] = y.to_be_bytes();
            self.display.write_all(&[5, buttons, x1, x2, y1, y2])?;
        }
        Ok(())
    }

    /// Types a line of small letters and spaces, and Return.
    ///
    /// # Errors
    /// The display is gone.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        for letter in line.chars() {
            self.key(u32::from(letter))?;
        }
        self.key(RETURN)
    }

    /// Presses a key and lets it go; letters and digits are their own names.
    ///
    /// # Errors
    /// The display is gone.
    pub fn key(&mut self, name: u32) -> Result<()> {
        for down in [1, 0] {
            let [a, b, c, d] = name.to_be_bytes();
            self.display.write_all(&[4, down, 0, 0, a, b, c, d])?;
            thread::sleep(PAUSE / 3);
        }
        Ok(())
    }
}
