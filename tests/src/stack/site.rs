//! Where a house stands. Knows nothing of what runs in it.

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
        let program = program(name)?;
        let Some((first, more)) = self.inside.split_first() else { return Ok(Command::new(program)) };
        let mut command = Command::new(first);
        command.args(more).arg(program);
        Ok(command)
    }
}
