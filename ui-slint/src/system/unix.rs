//! A socket file in a folder that only its owner can enter.

use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(crate) type Visitor = UnixStream;

/// Where another program is met.
#[derive(Debug)]
pub(crate) struct Meeting(UnixListener);

/// Makes the folder for its owner alone.
pub(crate) fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

impl Meeting {
    pub(crate) fn at(place: &Path) -> std::io::Result<Self> {
        UnixListener::bind(place).map(Self)
    }

    /// Until nobody can come any more.
    pub(crate) fn visitors(&self) -> impl Iterator<Item = Visitor> + '_ {
        self.0.incoming().flatten()
    }
}

/// The program that waits there.
pub(crate) fn visit(place: &Path, patience: Duration) -> std::io::Result<Visitor> {
    let visitor = UnixStream::connect(place)?;
    visitor.set_write_timeout(Some(patience))?;
    visitor.set_read_timeout(Some(patience))?;
    Ok(visitor)
}

/// What this thread has cost so far.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanos)
}
