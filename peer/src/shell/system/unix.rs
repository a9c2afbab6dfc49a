//! Linux, macOS and their kind.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Wish;

/// Makes the folder, and what lies above it, for its owner alone.
pub(crate) fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What is made by these options is its owner's alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Whether others than its owner can read or write it.
pub(crate) fn is_open_to_others(facts: &Metadata) -> bool {
    facts.mode() & 0o077 != 0
}

/// Whether it is this file that lies under `name`; a link to it does not.
pub(crate) fn has_name(opened: &File, name: &Path) -> bool {
    let file = |it: &Metadata| (it.dev(), it.ino());
    let named = std::fs::symlink_metadata(name);
    named.is_ok_and(|named| opened.metadata().is_ok_and(|it| file(&it) == file(&named)))
}

/// What was renamed in the folder outlives a loss of power.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Also for what this program starts.
pub(crate) fn leave_no_core_dump() {
    // Lowering one's own limit is refused to nobody.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
}

/// Since the machine was started, its sleep among it.
pub(crate) fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    // Counts sleep there.
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    read(clock)
}

/// Microseconds since any fixed moment; the same for every program of this machine.
pub(crate) fn monotonic_us() -> u64 {
    u64::try_from(read(ClockId::Monotonic).as_micros()).unwrap_or_default()
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanos)
}

/// Whether what was typed too early can be thrown away here: without that nobody is asked at a terminal (T2).
pub(crate) const CAN_DISCARD: bool = true;

/// Throws away what was typed and not yet read.
pub(crate) fn discard_typed() {
    let _ = tcflush(std::io::stdin(), QueueSelector::IFlush);
}

/// The terminal's echo is off while this lives.
pub(crate) struct Quiet(Option<Termios>);

impl Quiet {
    /// # Errors
    /// This system cannot do it. Where standard input is no terminal, there is nothing to do.
    pub(crate) fn start() -> std::io::Result<Self> {
        let Ok(before) = tcgetattr(std::io::stdin()) else { return Ok(Self(None)) };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let changed = tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet);
        Ok(Self(changed.is_ok().then_some(before)))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Whether an X server of this machine answers under `number`.
#[cfg(target_os = "linux")]
pub(crate) fn display_answers(number: &str) -> bool {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream};
    let path = format!("/tmp/.X11-unix/X{number}");
    let hidden = SocketAddr::from_abstract_name(path.as_bytes());
    UnixStream::connect(&path).is_ok()
        || hidden.is_ok_and(|address| UnixStream::connect_addr(&address).is_ok())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn display_answers(number: &str) -> bool {
    std::os::unix::net::UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).is_ok()
}

/// Of what is written to the stream only so many bytes wait in the kernel. One that knows no such bound holds more;
/// nothing breaks.
#[cfg(target_os = "linux")]
pub(crate) fn keep_little_unsent(stream: &TcpStream, bytes: u32) {
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(bytes).ok();
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_little_unsent(_: &TcpStream, _: u32) {}

#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// # Errors
    /// The system gives no signal handlers.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Cancel-safe.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::Person,
            _ = self.terminate.recv() => Wish::System,
            _ = self.hang_up.recv() => Wish::System,
        }
    }
}
