//! What a program said, line by line and when, for waiting on and for showing at a failure.
//!
//! Keeps everything: a test's programs say little. Refuses to know what a line means.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Which of a program's mouths spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Output,
    Error,
    Terminal,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub at: Instant,
    pub voice: Voice,
    pub text: String,
}

/// Shared between a program's readers and whoever waits for a line.
#[derive(Debug, Clone, Default)]
pub struct Log {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Vec<Line>>,
    changed: Condvar,
}

/// A place in a log: only lines after it count.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mark(usize);

impl Log {
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(&self, voice: Voice, text: &str) {
        self.lines().push(Line { at: Instant::now(), voice, text: text.to_owned() });
        self.shared.changed.notify_all();
    }

    /// Reads `source` to its end on a thread of its own.
    pub fn follow(&self, voice: Voice, source: impl Read + Send + 'static) {
        let log = self.clone();
        thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            // A terminal's other end answers EIO when its last program goes: the end as well.
            while matches!(source.read_until(b'\n', &mut line), Ok(n) if n > 0) {
                log.add(voice, String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
    }

    pub fn mark(&self) -> Mark {
        Mark(self.lines().len())
    }

    /// The first answer that `read` gives to a line after `mark`.
    ///
    /// # Errors
    /// None came within `patience`; says what was awaited and what was said instead.
    pub fn wait<T>(
        &self,
        mark: Mark,
        awaited: &str,
        patience: Duration,
        mut read: impl FnMut(&Line) -> Option<T>,
    ) -> Result<T> {
        let until = Instant::now() + patience;
        let mut lines = self.lines();
        let mut seen = mark.0;
        loop {
            while let Some(line) = lines.get(seen) {
                seen += 1;
                if let Some(found) = read(line) {
                    return Ok(found);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(lines);
                bail!("no {awaited} came within {patience:?}; what was said:\n{}", self.tail(30));
            }
            lines =
                self.shared.changed.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn since(&self, mark: Mark) -> Vec<Line> {
        self.lines().get(mark.0..).map(<[Line]>::to_vec).unwrap_or_default()
    }

    /// The last `count` lines, indented, for a person to read.
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lines();
        let shown = lines.iter().skip(lines.len().saturating_sub(count));
        shown.map(|l| format!("    {:8?} {}\n", l.voice, l.text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_before_the_mark_is_not_what_was_awaited() {
        let log = Log::default();
        log.add(Voice::Output, "early");
        let mark = log.mark();
        let early = |l: &Line| (l.text == "early").then_some(());
        assert!(log.wait(mark, "line", Duration::ZERO, early).is_err());
        assert!(log.wait(Mark::default(), "line", Duration::ZERO, early).is_ok());
    }

    #[test]
    fn what_was_said_stands_in_the_failure() {
        let log = Log::default();
        log.follow(Voice::Error, &b"the server's key is unknown\n"[..]);
        let found = log.wait(Mark::default(), "welcome", Duration::from_millis(300), |l| {
            l.text.contains("welcome").then_some(())
        });
        assert!(found.unwrap_err().to_string().contains("the server's key is unknown"));
    }
}
