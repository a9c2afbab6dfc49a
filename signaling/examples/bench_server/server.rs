//! The server that is measured: this very program in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::client::World;

/// Makes this program the server instead, so that both are built in one way.
pub(crate) const AS_SERVER: &str = "TASUKI_BENCH_AS_SERVER";

/// Everybody comes from one address here; each limit is a setting that a company has, too.
const LIMITS: [&str; 7] = [
    "connections=40000",
    "connections_per_address=40000",
    "joins_per_address=1000000",
    "joins_per_minute=1000000",
    "open_numbers=1000000",
    "openings_burst=1000000",
    "requests_per_address=1000000",
];

/// Killed when dropped.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(world: &World) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(AS_SERVER, "yes").env("RUST_LOG", "warn");
        command.args(["run", "--json", "--listen", &world.address.to_string(), "--data"]);
        command.arg(world.data()).args(["--set", "metrics=off"]);
        for limit in LIMITS {
            command.args(["--set", limit]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        Self(child)
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        seconds_of(self.0.id())
    }

    pub(crate) fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1000.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// CPU time of a process so far, user and system, in seconds.
pub(crate) fn seconds_of(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}

/// CPU time of this process, in seconds.
pub(crate) fn process_cpu_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// CPU time of this thread, in seconds.
pub(crate) fn own_cpu_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
