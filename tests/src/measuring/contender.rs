//! The remote-desktop programs that are measured, each with a viewer that decodes.
//!
//! Decides how each is started and how its viewer tells what it decoded.

use std::{
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::Value;
use tasuki_protocol::rights::Mode;

use super::{
    mark::{LOOK_AT, Seen, code_of, colour_from_hex},
    scenario::SIZE,
};
use crate::{
    desktop::{Desktop, open_terminal},
    running::{Line, Mark, PATIENCE, Process, run, until},
    stack::{Desks, House, Session, Way, free_port, stats_of},
};

/// In the order of the table; VNC is Debian's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Contender {
    Direct,
    Relayed,
    X11vnc,
    Tigervnc,
}

impl Contender {
    pub const ALL: [Self; 4] = [Self::Direct, Self::Relayed, Self::X11vnc, Self::Tigervnc];

    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "Tasuki, direct",
            Self::Relayed => "Tasuki, relayed",
            Self::X11vnc => "x11vnc",
            Self::Tigervnc => "TigerVNC",
        }
    }
}

fn x11vnc(desktop: &Desktop, port: u16) -> Command {
    let mut command = desktop.command("x11vnc");
    command.args(["-display", desktop.display(), "-rfbport", &port.to_string()]);
    command.args(["-localhost", "-nopw", "-forever", "-shared", "-noipv6", "-quiet"]);
    command
}

fn tigervnc(desktop: &Desktop, port: u16) -> Command {
    let mut command = desktop.command("X0tigervnc");
    command.args(["-display", desktop.display(), "-rfbport", &port.to_string()]);
    command.args(["-localhost", "-SecurityTypes", "None"]);
    command
}

/// Where all of them compete.
#[derive(Debug)]
pub struct Ring {
    pub house: House,
    pub desks: Desks,
}

impl Ring {
    /// # Errors
    /// A program that is needed is not installed.
    pub fn set_up() -> Result<Self> {
        let house = House::set_up()?;
        let mut user = Desktop::start(SIZE)?;
        open_terminal(&mut user, "Terminal", "80x24+1100+500", "echo ready")?;
        let desks = Desks { operator: Desktop::start_bare(SIZE)?, user };
        Ok(Self { house, desks })
    }

    /// # Errors
    /// The host or its viewer does not start.
    pub fn enter(&self, contender: Contender) -> Result<Pair> {
        let user = &self.desks.user;
        let port = free_port()?;
        match contender {
            Contender::Direct => Pair::of_tasuki(&self.house, &self.desks, Way::Direct),
            Contender::Relayed => Pair::of_tasuki(&self.house, &self.desks, Way::Relayed),
            Contender::X11vnc => Pair::of_vnc(x11vnc(user, port), port, &self.probe()?),
            Contender::Tigervnc => Pair::of_vnc(tigervnc(user, port), port, &self.probe()?),
        }
    }
}

impl Ring {
    /// Built when the first VNC host comes: our own programs are measured without it.
    fn probe(&self) -> Result<PathBuf> {
        let probe = self.house.folder().join("vnc_probe");
        if !probe.exists() {
            build_probe(&probe)?;
        }
        Ok(probe)
    }
}

/// A host and its viewer at work.
#[derive(Debug)]
pub enum Pair {
    /// The probe says `update MICROSECONDS RRGGBB BYTES` after every update.
    Vnc { host: Process, viewer: Process },
    /// The operator's program says a `pixel` event at every new colour of the mark.
    Tasuki(Box<Session>),
}

/// All that a viewer decoded so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub pictures: u64,
    pub bytes: u64,
}

impl Pair {
    fn of_vnc(host: Command, port: u16, probe: &Path) -> Result<Self> {
        let host = Process::start("the VNC host", host)?;
        until("the VNC host to listen", || {
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop))
        })?;
        let mut command = Command::new(probe);
        command.arg(port.to_string());
        let viewer = Process::start("vnc_probe", command)?;
        let first = |line: &Line| Update::of(&line.text).map(drop);
        viewer.log().wait(Mark::default(), "decoded picture", PATIENCE, first)?;
        Ok(Self::Vnc { host, viewer })
    }

    fn of_tasuki(house: &House, desks: &Desks, way: Way) -> Result<Self> {
        let mut session = Session::start(house, desks, Mode::Control, way)?;
        session.operator.say(&format!("watch {} {}", LOOK_AT.0, LOOK_AT.1))?;
        Ok(Self::Tasuki(Box::new(session)))
    }

    pub fn host(&self) -> &Process {
        match self {
            Self::Vnc { host, .. } => host,
            Self::Tasuki(session) => &session.agent,
        }
    }

    pub fn viewer(&self) -> &Process {
        match self {
            Self::Vnc { viewer, .. } => viewer,
            Self::Tasuki(session) => &session.operator,
        }
    }

    /// The marks that the viewer saw since `mark`.
    pub fn seen(&self, mark: Mark) -> Vec<Seen> {
        let read = match self {
            Self::Vnc { .. } => |line: &Line| Update::of(&line.text).map(|update| update.seen),
            Self::Tasuki(_) => |line: &Line| pixel(&line.text),
        };
        self.viewer().log().since(mark).iter().filter_map(read).collect()
    }

    /// # Errors
    /// The viewer is gone.
    pub fn totals(&mut self) -> Result<Totals> {
        match self {
            Self::Vnc { viewer, .. } => {
                let lines = viewer.log().since(Mark::default());
                let updates: Vec<Update> = lines.iter().filter_map(|l| Update::of(&l.text)).collect();
                let bytes = updates.last().map(|u| u.bytes).unwrap_or_default();
                Ok(Totals { pictures: u64::try_from(updates.len())?, bytes })
            }
            Self::Tasuki(session) => {
                let stats = stats_of(&mut session.operator)?;
                let count =
                    |key: &str| stats[key].as_u64().with_context(|| format!("no {key} in {stats}"));
                Ok(Totals { pictures: count("decoded")?, bytes: count("bytes")? })
            }
        }
    }
}

/// A line of the VNC probe.
struct Update {
    seen: Seen,
    bytes: u64,
}

impl Update {
    fn of(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("update ")?.split(' ');
        let at = words.next()?.parse().ok()?;
        let code = code_of(colour_from_hex(words.next()?)?);
        let bytes = words.next()?.parse().ok()?;
        Some(Self { seen: Seen { at, code }, bytes })
    }
}

/// A `pixel` event of the operator's program.
fn pixel(line: &str) -> Option<Seen> {
    let event: Value = serde_json::from_str(line).ok()?;
    let code = code_of(colour_from_hex(event["colour"].as_str()?)?);
    Some(Seen { at: event["at_us"].as_i64()?, code })
}

/// Compiles the VNC viewer without a window.
fn build_probe(probe: &Path) -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/vnc_probe.c");
    let mut command = Command::new("cc");
    command.args(["-O2", "-o"]).arg(probe).arg(source).arg("-lvncclient");
    run(command).context("building the VNC viewer; it needs libvncserver-dev")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_viewers_say_is_read_and_nothing_else() {
        let update = Update::of("update 12 e81818 4").unwrap();
        assert_eq!((update.seen, update.bytes), (Seen { at: 12, code: 18 }, 4));
        assert!(Update::of("update 12 3").is_none());
        let event = r##"{"event":"pixel","x":1,"y":1,"colour":"#e81818","frame":3,"at_us":12}"##;
        assert_eq!(pixel(event), Some(Seen { at: 12, code: 18 }));
        assert_eq!(pixel(r#"{"event":"stats"}"#), None);
    }
}
