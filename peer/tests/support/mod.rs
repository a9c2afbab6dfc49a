//! Programs under test: started with a clean environment, at a pipe or a terminal.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod news;
pub(crate) mod server;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Generous: the machine may be busy with other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agentd");
pub(crate) const OPERATOR: &str = env!("CARGO_BIN_EXE_tasuki");

/// A program of this crate with nothing of the tester's own environment.
pub(crate) fn program(path: &str, profile: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().env("LANG", "C.UTF-8").env("HOME", profile).arg("--profile").arg(profile);
    command
}

/// What a program said on both its mouths, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs to the end with `input` on a pipe.
pub(crate) fn run(mut command: Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// One plain sentence (or two), no panic and no trace of a stack.
pub(crate) fn assert_plain(ended: &Ended, code: i32, part: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.err.contains(part), "{part:?} is not in {ended:?}");
    for ugly in ["panicked", "RUST_BACKTRACE", "stack backtrace", "Error {", "Os {"] {
        assert!(!ended.err.contains(ugly), "{ended:?}");
    }
    let last = ended.err.trim_end().lines().last().unwrap_or_default();
    assert!(
        last.ends_with(['.', '。']) || last.contains("chmod") || last.contains("tasuki login"),
        "{last}"
    );
}

#[derive(Debug, Clone, Default)]
struct Said(Arc<(Mutex<String>, Condvar)>);

impl Said {
    fn follow(&self, mut source: impl Read + Send + 'static) {
        let said = self.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = source.read(&mut buffer) {
                said.0.0.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
                said.0.1.notify_all();
            }
        });
    }

    fn wait(&self, part: &str) {
        let until = Instant::now() + PATIENCE;
        let mut said = self.0.0.lock().unwrap();
        while !said.contains(part) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{part:?} was never said, only:\n{said}");
            said = self.0.1.wait_timeout(said, left).unwrap().0;
        }
    }
}

/// A running program: its input, and both mouths in one record.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    input: Box<dyn Input>,
    said: Said,
}

trait Input: Write + std::fmt::Debug {}
impl<T: Write + std::fmt::Debug> Input for T {}

impl Running {
    pub(crate) fn at_pipe(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Said::default();
        said.follow(child.stdout.take().unwrap());
        said.follow(child.stderr.take().unwrap());
        let input = Box::new(child.stdin.take().unwrap());
        Self { child, input, said }
    }

    /// Standard input and complaints are a terminal, as for a person.
    pub(crate) fn at_terminal(mut command: Command) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let path = ptsname(&near, Vec::new()).unwrap();
        let far =
            || File::from(open(path.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        command.stdin(far()).stdout(Stdio::piped()).stderr(far());
        let mut child = command.spawn().unwrap();
        drop(command);
        let said = Said::default();
        let near = File::from(near);
        said.follow(near.try_clone().unwrap());
        said.follow(child.stdout.take().unwrap());
        Self { child, input: Box::new(near), said }
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Types without Enter.
    pub(crate) fn type_in(&mut self, text: &str) {
        write!(self.input, "{text}").unwrap();
    }

    pub(crate) fn wait_for(&self, part: &str) {
        self.said.wait(part);
    }

    pub(crate) fn all(&self) -> String {
        self.said.0.0.lock().unwrap().clone()
    }

    /// Waits until nothing more comes of what an ended program said.
    pub(crate) fn settle(&self) {
        let mut last = String::new();
        while last.is_empty() || self.all() != last {
            last = self.all();
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn close_input(&mut self) {
        self.input = Box::new(std::io::sink());
    }

    pub(crate) fn interrupt(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    pub(crate) fn code(&mut self) -> i32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return ExitStatus::code(&status).unwrap_or(-1);
            }
            assert!(Instant::now() < until, "it never ended: {}", self.all());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number in an operator's first event.
pub(crate) fn number_of(operator: &Running) -> String {
    operator.wait_for("\"event\":\"number\"");
    let said = operator.all();
    let line = said.lines().find(|line| line.contains("\"event\":\"number\"")).unwrap();
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    event["number"].as_str().unwrap().to_owned()
}
