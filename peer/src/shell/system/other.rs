//! Windows, and whatever else has no files by mode and no terminals by termios. What needs a call of the system
//! itself is refused with its name.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, IsTerminal};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::signal::windows::{CtrlC, CtrlClose, CtrlShutdown, ctrl_c, ctrl_close, ctrl_shutdown};

use super::Wish;

/// A user's own folders are hers alone there by what they inherit.
pub(crate) fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Files inherit the rights of their folder, which this cannot read: `GetNamedSecurityInfoW` would tell.
pub(crate) fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// Nothing else can take its name while it is open.
pub(crate) fn has_name(_: &File, _: &Path) -> bool {
    true
}

/// The file system keeps the order of renames by itself.
pub(crate) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// What keeps a dump of a crash there (`WerAddExcludedApplication`) is a person's own setting.
pub(crate) fn leave_no_core_dump() {}

/// Since the first call; the counter behind [`Instant`] goes on in the machine's sleep there.
pub(crate) fn since_boot() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

/// Microseconds since the first call.
pub(crate) fn monotonic_us() -> u64 {
    u64::try_from(since_boot().as_micros()).unwrap_or_default()
}

/// `FlushConsoleInputBuffer` is not called here, so nobody is asked at a terminal (T2).
pub(crate) const CAN_DISCARD: bool = false;

pub(crate) fn discard_typed() {}

pub(crate) struct Quiet(());

impl Quiet {
    /// # Errors
    /// Standard input is a terminal, whose echo `SetConsoleMode` would turn off.
    pub(crate) fn start() -> std::io::Result<Self> {
        if std::io::stdin().is_terminal() {
            let why = "this system's SetConsoleMode is not used, and a secret would be seen; give it by a pipe";
            return Err(Error::new(ErrorKind::Unsupported, why));
        }
        Ok(Self(()))
    }
}

/// There is no X server of this machine.
pub(crate) fn display_answers(_: &str) -> bool {
    false
}

/// The kernel knows no such bound and holds more; nothing breaks.
pub(crate) fn keep_little_unsent(_: &TcpStream, _: u32) {}

#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: CtrlC,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// # Errors
    /// The system gives no signal handlers.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// Cancel-safe.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::Person,
            _ = self.close.recv() => Wish::System,
            _ = self.shutdown.recv() => Wish::System,
        }
    }
}
