//! The server killed while it writes over what stands in its database file: pages that come home from the log (F20).

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{QUICK, World};
use crate::faults::{assert_sound, copied, people, started, steps, stop, taken};
use crate::older::grow_younger;

const SERVER: &str = env!("CARGO_BIN_EXE_tasuki-server");

/// How the program ended, which was asked to once it listened: dead at its `nth` write into the file itself, if a thread
/// comes to so many.
fn ended(data: &Path, nth: usize) -> ExitStatus {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(data.join("tasuki.db"));
    command.args(["-e", "trace=pwrite64", "-e", &format!("inject=pwrite64:signal=KILL:when={nth}")]);
    command.args([SERVER, "run", "--json", "--listen", "127.0.0.1:0", "--set", "metrics=off"]);
    for (key, value) in QUICK {
        command.args(["--set", &format!("{key}={value}")]);
    }
    command.arg("--data").arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut strace = command.spawn().expect("strace");
    let mut line = String::new();
    BufReader::new(strace.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pid = strace.id();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let server = children.split_whitespace().next().and_then(|child| child.parse().ok());
    if let Some(server) = server.and_then(Pid::from_raw) {
        // One that is dead already needs no word.
        kill_process(server, Signal::TERM).ok();
    }
    strace.wait().unwrap()
}

/// F20: at its end the server brings home what the steps of an older database have become. Killed at any of those writes
/// it has lost nothing, and the next start has all.
#[tokio::test]
async fn f20_a_server_that_is_killed_while_it_writes_over_its_database_has_lost_nothing() {
    let mut world = World::start().await;
    for name in ["hanako", "taro"] {
        drop(world.operator(name).await);
    }
    world.stop().await;
    grow_younger(&world.data(), 5).await;
    let every: Vec<i64> = steps().iter().map(|step| step.version).collect();
    let (before, who) = (taken(&world.data()).await, people(&world.data()).await);
    assert!(who.len() == 2 && before.len() == 5);
    let tried = world.folder.path().join("tried");
    let mut killed = 0;
    for nth in (1..4).chain((8..).step_by(7)) {
        copied(&world.data(), &tried);
        let status = ended(&tried, nth);
        if status.success() {
            break;
        }
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
        killed += 1;
        assert_sound(&tried).await;
        let steps = taken(&tried).await;
        assert!(every.starts_with(&steps) && steps.starts_with(&before), "{nth}: {steps:?}");
        stop(started(&tried, None).unwrap_or_else(|status| panic!("killed at {nth}: {status}")));
        assert_eq!(taken(&tried).await, every, "killed at {nth}");
        assert_eq!(people(&tried).await, who, "killed at {nth}");
    }
    assert!(killed > 3, "it was killed {killed} times");
}
