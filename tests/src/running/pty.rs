//! A terminal for a program that answers only to a person at one.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
};

use anyhow::{Context, Result};
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

/// The near end, where the person would sit.
#[derive(Debug)]
pub struct Pty {
    near: OwnedFd,
    /// Held open so that the terminal outlives the moment before the program opens it.
    far: File,
}

impl Pty {
    /// # Errors
    /// The system has no pseudo-terminals left.
    pub fn open() -> Result<Self> {
        // Who inherits the near end is taken for the one who draws this terminal.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let near = openpt(flags).context("opening a terminal")?;
        grantpt(&near)?;
        unlockpt(&near)?;
        let path = ptsname(&near, Vec::new())?;
        // setsid makes it the program's controlling terminal, never ours.
        let far =
            open(path.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { near, far: far.into() })
    }

    /// # Errors
    /// Too many open files.
    pub fn far_end(&self) -> io::Result<File> {
        self.far.try_clone()
    }

    /// # Errors
    /// Too many open files.
    pub fn reader(&self) -> io::Result<File> {
        self.near.try_clone().map(File::from)
    }

    /// Types.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn write(&self, text: &[u8]) -> io::Result<()> {
        File::from(self.near.try_clone()?).write_all(text)
    }
}
