//! A program under supervision: its lines are kept, and it is gone when its owner is dropped.
//!
//! Decides where the workspace's programs are found. Refuses to know what they do.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{
    log::{Log, Mark, Voice},
    pty::Pty,
};

/// How long anything may take on a machine that is busy with other work.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Waited for the end of what opens and makes vaults: three seconds of Argon2id over 256 MiB took 21 beside a
/// dozen others.
pub const COMPUTED: Duration = Duration::from_secs(240);

/// The folder that this workspace's programs were built into: that of the running one.
///
/// # Errors
/// The program was not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("asking where this program is")?;
    let folder = own.ancestors().skip(1).find(|folder| folder.join(name).is_file());
    match folder {
        Some(folder) => Ok(folder.join(name)),
        None => bail!("{name} is not built: run `cargo build --workspace --bins` first"),
    }
}

#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    input: Option<Input>,
    log: Log,
}

#[derive(Debug)]
enum Input {
    Pipe(ChildStdin),
    Terminal(Pty),
}

impl Process {
    /// Starts `command` with pipes for its standard streams.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(name: &str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let mut process = Self::of(name, child);
        process.input = process.child.stdin.take().map(Input::Pipe);
        Ok(process)
    }

    /// Starts `command` with a terminal for input and complaints; its output stays a pipe, so that
    /// events and what a person is shown do not mix.
    ///
    /// # Errors
    /// There is no terminal to be had, or the program cannot be started.
    pub fn start_at_terminal(name: &str, command: &Command) -> Result<Self> {
        let pty = Pty::open()?;
        // setsid gives the program a session of its own, led from the new terminal.
        let mut leader = Command::new("setsid");
        leader.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => leader.env(key, value),
                None => leader.env_remove(key),
            };
        }
        leader.stdin(pty.far_end()?).stdout(Stdio::piped()).stderr(pty.far_end()?);
        let child = leader.spawn().with_context(|| format!("starting {name} at a terminal"))?;
        let mut process = Self::of(name, child);
        process.log.follow(Voice::Terminal, pty.reader()?);
        process.input = Some(Input::Terminal(pty));
        Ok(process)
    }

    fn of(name: &str, mut child: Child) -> Self {
        let log = Log::default();
        if let Some(output) = child.stdout.take() {
            log.follow(Voice::Output, output);
        }
        if let Some(errors) = child.stderr.take() {
            log.follow(Voice::Error, errors);
        }
        Self { name: name.to_owned(), child, input: None, log }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line to its input.
    ///
    /// # Errors
    /// It no longer reads.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let text = format!("{line}\n");
        let written = match &mut self.input {
            Some(Input::Pipe(pipe)) => pipe.write_all(text.as_bytes()),
            Some(Input::Terminal(pty)) => pty.write(text.as_bytes()),
            None => bail!("the input of {} is closed", self.name),
        };
        written
            .with_context(|| format!("{} no longer reads; it said:\n{}", self.name, self.log.tail(20)))
    }

    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// The first JSON object after `mark` on its output that `wanted` accepts, and when it came.
    ///
    /// # Errors
    /// None within [`PATIENCE`].
    pub fn event(
        &self,
        mark: Mark,
        awaited: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<(Value, Instant)> {
        self.log
            .wait(mark, awaited, PATIENCE, |line| {
                let value = json_of(line.voice, &line.text)?;
                wanted(&value).then_some((value, line.at))
            })
            .with_context(|| self.name.clone())
    }

    /// # Errors
    /// Nobody said `words` after `mark` within [`PATIENCE`].
    pub fn wait_for(&self, mark: Mark, words: &str) -> Result<Instant> {
        self.log
            .wait(mark, words, PATIENCE, |line| line.text.contains(words).then_some(line.at))
            .with_context(|| self.name.clone())
    }

    /// Every JSON object on its output after `mark`.
    pub fn events(&self, mark: Mark) -> Vec<Value> {
        self.log.since(mark).iter().filter_map(|l| json_of(l.voice, &l.text)).collect()
    }

    /// # Errors
    /// It did not end within [`PATIENCE`].
    pub fn wait_end(&mut self) -> Result<ExitStatus> {
        self.wait_end_within(PATIENCE)
    }

    /// # Errors
    /// It did not end in so long.
    pub fn wait_end_within(&mut self, patience: Duration) -> Result<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > until {
                bail!("{} did not end; it said:\n{}", self.name, self.log.tail(30));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// # Errors
    /// It is gone already.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).with_context(|| format!("sending {signal:?} to {}", self.name))
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Time on a processor so far, its own and the kernel's for it (proc(5): utime + stime, in
    /// hundredths of a second).
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu(&self) -> Result<Duration> {
        cpu_of(self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            // A failed test shows what its programs said.
            let _ = writeln!(std::io::stderr(), "--- {} said:\n{}", self.name, self.log.tail(60));
        }
    }
}

fn json_of(voice: Voice, text: &str) -> Option<Value> {
    if voice != Voice::Output {
        return None;
    }
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

/// As [`Process::cpu`], of any process.
///
/// # Errors
/// It is gone.
pub fn cpu_of(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?;
    let after_name = stat.rsplit_once(") ").context("reading stat")?.1;
    let field = |n: usize| -> Result<u64> {
        Ok(after_name.split(' ').nth(n).context("reading stat")?.parse()?)
    };
    // utime and stime are fields 14 and 15; the first two went with the name.
    Ok(Duration::from_millis((field(11)? + field(12)?) * 10))
}

/// Resident memory now, in bytes (proc(5): VmRSS).
///
/// # Errors
/// It is gone.
pub fn resident_of(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("reading status")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

/// Names of a process's threads now (proc(5): comm); none once it is gone.
pub fn threads_of(pid: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")) else {
        return Vec::new();
    };
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
    tasks.flatten().filter_map(name).map(|name| name.trim().to_owned()).collect()
}

/// Runs a command to its end and gives what it printed.
///
/// # Errors
/// It cannot be started, or did not end well; says what it printed.
pub fn run(mut command: Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("starting {shown}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{shown} ended with {}:\n{printed}{complaint}", output.status);
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_at_a_terminal_is_answered_there() {
        let mut command = Command::new("sh");
        command.args(["-c", "test -t 0 && read word && echo \"{\\\"word\\\":\\\"$word\\\"}\""]);
        let mut process = Process::start_at_terminal("sh", &command).unwrap();
        process.say("yes").unwrap();
        let (event, _) = process.event(Mark::default(), "word", |e| e["word"] == "yes").unwrap();
        assert_eq!(event["word"], "yes");
        assert!(process.wait_end().unwrap().success());
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let process = Process::start("sleep", command).unwrap();
        let pid = process.id();
        assert!(cpu_of(pid).is_ok());
        drop(process);
        assert!(cpu_of(pid).is_err());
    }
}
