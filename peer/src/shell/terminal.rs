//! The terminal that a program runs in: lines with the moment of their coming,
//! hidden input, and throwing away what was typed too early.
//!
//! Decides nothing of what a line means. Consent needs what is here: a real
//! terminal, and a line that came after the question (T2).

use std::io::{BufRead, IsTerminal, Write};
use std::time::Instant;

use tokio::sync::mpsc;

use super::system::{self, Quiet};

/// Lines that may wait to be taken.
const QUEUE: usize = 64;
/// A longer line is cut.
const MAX_LINE_BYTES: u64 = 16 * 1024;

/// A line and when the program received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedLine {
    pub at: Instant,
    pub text: String,
}

/// Standard input, a line at a time, read by a thread of its own.
#[derive(Debug)]
pub struct Lines {
    lines: mpsc::Receiver<TypedLine>,
    ended: Ended,
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    NotYet,
    Yes,
}

impl Lines {
    pub fn of_stdin() -> Self {
        let (typed, lines) = mpsc::channel(QUEUE);
        let reader = std::thread::Builder::new().name("tasuki-stdin".to_owned());
        if let Err(why) = reader.spawn(move || read_all(&typed)) {
            tracing::error!(%why, "standard input cannot be read");
        }
        Self { lines, ended: Ended::NotYet }
    }

    /// The next line; `None` once, at the end of input, and silence afterwards. Cancel-safe.
    pub async fn next(&mut self) -> Option<TypedLine> {
        if self.ended == Ended::Yes {
            return std::future::pending().await;
        }
        let line = self.lines.recv().await;
        if line.is_none() {
            self.ended = Ended::Yes;
        }
        line
    }

    /// Throws away every line and every letter typed until now.
    pub fn discard(&mut self) {
        system::discard_typed();
        while self.lines.try_recv().is_ok() {}
    }
}

/// Whether a person can sit at standard input and be asked there: what was typed too early can be thrown away.
pub fn is_interactive() -> bool {
    system::CAN_DISCARD && std::io::stdin().is_terminal()
}

/// One line without showing it, when standard input is a terminal. Call before
/// [`Lines::of_stdin`].
///
/// # Errors
/// Standard input cannot be read or is at its end, or this system has no way here to hide what is typed.
pub fn hidden_line(prompt: &str) -> std::io::Result<String> {
    let mut err = std::io::stderr();
    write!(err, "{prompt} ")?;
    err.flush()?;
    let line = {
        let _quiet = Quiet::start()?;
        plain_line()
    };
    writeln!(err)?;
    line
}

/// One line as it stands.
///
/// # Errors
/// As [`hidden_line`].
pub fn plain_line() -> std::io::Result<String> {
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn read_all(typed: &mpsc::Sender<TypedLine>) {
    let stdin = std::io::stdin();
    loop {
        let mut bytes = Vec::new();
        let mut line = std::io::Read::take(stdin.lock(), MAX_LINE_BYTES);
        match line.read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&bytes);
                let text = text.trim_end_matches(['\r', '\n']).to_owned();
                if typed.blocking_send(TypedLine { at: Instant::now(), text }).is_err() {
                    return;
                }
            }
        }
    }
}
