//! Where a house stands. Knows nothing of what runs in it.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use anyhow::Result;

use super::places::free_port;
use crate::running::program;

/// Where a house stands: under which name its server is reached, and how its programs are started.
#[derive(Debug, Clone)]
pub struct Site {
    pub host: String,
    pub listen: SocketAddr,
    pub port: u16,
    /// Words in front of every program, which put it into a network; none for this one.
    pub inside: Vec<String>,
}

impl Site {
    /// On this computer, at a port that is free.
    ///
    /// # Errors
    /// None is.
    pub fn here() -> Result<Self> {
        let port = free_port()?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { host: "127.0.0.1".to_owned(), listen, port, inside: Vec::new() })
    }

    pub(super) fn command(&self, name: &str) -> Result<Command> {
        Ok(inside(&self.inside, program(name)?))
    }
}

/// A program with words in front of it, which put it into a network; none for this one.
pub(crate) fn inside(words: &[String], program: impl AsRef<OsStr>) -> Command {
    let Some((first, more)) = words.split_first() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(more).arg(program);
    command
}
