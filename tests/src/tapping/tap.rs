//! tcpdump on the machine's own network, and its file put together to streams and datagrams.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::running::{Mark, Process};

/// Of a file that this machine's tcpdump writes: the number in front of it, in this machine's order
/// (draft-ietf-opsawg-pcap §4), and the lengths of its header and of each packet's.
const PCAP: u32 = 0xa1b2_c3d4;
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;
const ETHERNET_HEADER: usize = 14;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Dropped, it ends and its file goes.
#[derive(Debug)]
pub struct Tap {
    process: Process,
    folder: TempDir,
}

/// What one end said to the other on one connection, from its first byte to its last.
#[derive(Debug, Clone)]
pub struct Stream {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Taken {
    pub streams: Vec<Stream>,
    pub datagrams: Vec<Vec<u8>>,
}

impl Tap {
    /// Whether this process may listen to the machine's network.
    pub fn is_possible() -> bool {
        geteuid().is_root()
    }

    /// Takes all that passes `filter` (pcap-filter(7)) from now on.
    ///
    /// # Errors
    /// tcpdump does not run.
    pub fn start(filter: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tasuki-tap-").tempdir()?;
        let mut command = Command::new("tcpdump");
        command.args([
            "-i",
            "lo",
            "-n",
            "-U",
            "--immediate-mode",
            "-B",
            "65536",
            "-s",
            "0",
            "-Z",
            "root",
        ]);
        command.arg("-w").arg(file_in(&folder)).arg(filter);
        let process = Process::start("tcpdump", command)?;
        process.wait_for(Mark::default(), "listening on lo")?;
        Ok(Self { process, folder })
    }

    /// Everything until now.
    ///
    /// # Errors
    /// tcpdump lost packets, or its file is not whole.
    pub fn finish(mut self) -> Result<Taken> {
        self.process.signal(Signal::INT)?;
        self.process.wait_for(Mark::default(), "0 packets dropped by kernel")?;
        self.process.wait_end()?;
        read(&fs::read(file_in(&self.folder))?)
    }
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("taken.pcap")
}

fn read(file: &[u8]) -> Result<Taken> {
    ensure!(number_at(file, 0)? == PCAP, "this is not what tcpdump writes here");
    let mut taken = Taken::default();
    let mut conversations = Conversations::default();
    let mut at = FILE_HEADER;
    while at < file.len() {
        let (kept, sent) = (number_at(file, at + 8)? as usize, number_at(file, at + 12)? as usize);
        ensure!(kept == sent, "a packet was cut at {kept} of {sent} bytes");
        at += PACKET_HEADER;
        let packet = file.get(at..at + kept).context("the file ends within a packet")?;
        at += kept;
        match parse(packet).context("a packet that is no packet")? {
            Packet::Segment(segment) => conversations.add(segment),
            Packet::Datagram(bytes) => taken.datagrams.push(bytes.to_vec()),
            Packet::Other => {}
        }
    }
    taken.streams = conversations.streams()?;
    Ok(taken)
}

fn number_at(file: &[u8], at: usize) -> Result<u32> {
    let bytes = file.get(at..at + 4).context("the file ends too soon")?;
    Ok(u32::from_ne_bytes(bytes.try_into()?))
}

enum Packet<'a> {
    Segment(Segment<'a>),
    Datagram(&'a [u8]),
    Other,
}

struct Segment<'a> {
    from: SocketAddr,
    to: SocketAddr,
    number: u32,
    is_first: bool,
    bytes: &'a [u8],
}

/// One Ethernet frame (as the machine's own network has them too). None: it is cut.
fn parse(frame: &[u8]) -> Option<Packet<'_>> {
    let inner = frame.get(ETHERNET_HEADER..)?;
    let (protocol, from, to, inner) = match inner.first()? >> 4 {
        4 => {
            let length = usize::from(inner[0] & 0xf) * 4;
            let whole = usize::from(short_at(inner, 2)?);
            let address = |at| {
                Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(inner.get(at..at + 4)?).ok()?)))
            };
            (*inner.get(9)?, address(12)?, address(16)?, inner.get(length..whole)?)
        }
        6 => {
            let address = |at| {
                Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(inner.get(at..at + 16)?).ok()?)))
            };
            (*inner.get(6)?, address(8)?, address(24)?, inner.get(40..)?)
        }
        _ => return Some(Packet::Other),
    };
    if protocol == UDP {
        return Some(Packet::Datagram(inner.get(8..)?));
    }
    if protocol != TCP {
        return Some(Packet::Other);
    }
    let bytes = inner.get(usize::from(inner.get(12)? >> 4) * 4..)?;
    let number = u32::from_be_bytes(inner.get(4..8)?.try_into().ok()?);
    let is_first = inner.get(13)? & 0b10 != 0;
    let (from, to) =
        (SocketAddr::new(from, short_at(inner, 0)?), SocketAddr::new(to, short_at(inner, 2)?));
    Some(Packet::Segment(Segment { from, to, number, is_first, bytes }))
}

fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Each direction of each connection that began while the tap was on.
#[derive(Default)]
struct Conversations {
    begun: Vec<Conversation>,
    /// Where the newest of two ends' stands.
    newest: HashMap<(SocketAddr, SocketAddr), usize>,
}

struct Conversation {
    from: SocketAddr,
    to: SocketAddr,
    /// The number of its first byte.
    first: u32,
    pieces: BTreeMap<u32, Vec<u8>>,
}

impl Conversations {
    fn add(&mut self, segment: Segment<'_>) {
        let ends = (segment.from, segment.to);
        if segment.is_first {
            let first = segment.number.wrapping_add(1);
            let (from, to) = ends;
            self.newest.insert(ends, self.begun.len());
            self.begun.push(Conversation { from, to, first, pieces: BTreeMap::new() });
        } else if let Some(at) = self.newest.get(&ends)
            && !segment.bytes.is_empty()
        {
            let conversation = &mut self.begun[*at];
            let place = segment.number.wrapping_sub(conversation.first);
            conversation.pieces.insert(place, segment.bytes.to_vec());
        }
    }

    fn streams(self) -> Result<Vec<Stream>> {
        self.begun.into_iter().map(Conversation::stream).collect()
    }
}

impl Conversation {
    fn stream(self) -> Result<Stream> {
        let mut bytes = Vec::new();
        for (place, piece) in self.pieces {
            let place = place as usize;
            if place > bytes.len() {
                bail!("{} bytes of {} to {} were not taken", place - bytes.len(), self.from, self.to);
            }
            // What was sent twice is taken once.
            bytes.extend(piece.get(bytes.len() - place..).unwrap_or_default());
        }
        Ok(Stream { from: self.from, to: self.to, bytes })
    }
}
