//! Programs run by the tests: started, listened to, talked to, and gone at the end.

mod log;
mod ports;
mod process;
mod pty;

pub use self::{
    log::{Line, Log, Mark, Voice},
    ports::{connected_of, listening_of},
    process::{COMPUTED, PATIENCE, Process, cpu_of, program, resident_of, run, threads_of},
    pty::Pty,
};

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Asks `ask` every 20 ms until it answers.
///
/// # Errors
/// `ask` failed, or gave no answer within [`PATIENCE`].
pub fn until<T>(awaited: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() > end {
            bail!("{awaited}: did not happen within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
