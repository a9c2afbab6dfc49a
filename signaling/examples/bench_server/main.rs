//! `./dev bench server`: what a company's server carries, over real TLS and with real passwords.
//!
//! Prints the page and writes it where told. A figure that misses its aim is printed as missed, and is why this
//! ends with 1: figures are for people, and so is what became of them. The server is a process of its own, so that its CPU time
//! and memory are its own; everybody else lives in this one.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement, not a product"
)]

#[path = "../../tests/live/client.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod client;
mod crowd;
#[path = "../../tests/live/http.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod http;
mod logins;
#[path = "../../tests/live/organisation.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod organisation;
#[path = "../../tests/live/pairing.rs"]
#[allow(dead_code, unused_imports, reason = "tests use the rest")]
mod pairing;
mod records;
mod server;
#[path = "../../tests/live/signed.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod signed;
#[path = "../../../turn-relay/tests/support/turn.rs"]
mod turn;
mod verifying;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use client::World;
use server::{AS_SERVER, Server};

#[derive(Debug, Parser)]
struct Wishes {
    /// Also write the page here.
    #[arg(long)]
    out: Option<PathBuf>,
    /// How long logins are counted, and how long idle agents are watched.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Agents in sessions, whose lines say nothing but that they live.
    #[arg(long, default_value_t = 10_000)]
    agents: usize,
    /// Records that are verified.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
}

/// One figure, and what was aimed at.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) measured: String,
    pub(crate) aim: &'static str,
    pub(crate) is_met: Option<bool>,
}

impl Figure {
    pub(crate) fn plain(what: &str, measured: String) -> Self {
        Self { what: what.to_owned(), measured, aim: "", is_met: None }
    }

    pub(crate) fn aimed(what: &str, measured: String, aim: &'static str, is_met: bool) -> Self {
        Self { what: what.to_owned(), measured, aim, is_met: Some(is_met) }
    }

    fn line(&self) -> String {
        let verdict = match self.is_met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        format!("| {} | {} | {} | {verdict} |\n", self.what, self.measured, self.aim)
    }
}

fn main() -> ExitCode {
    if std::env::var_os(AS_SERVER).is_some() {
        return tasuki_signaling::shell::program::run();
    }
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
    let wishes = Wishes::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let figures = runtime.block_on(measure(&wishes));
    let page = figures.iter().fold(head(), |page, figure| page + &figure.line());
    println!("{page}");
    if let Some(out) = &wishes.out {
        std::fs::write(out, page).unwrap();
    }
    let missed = figures.iter().filter(|figure| figure.is_met == Some(false)).count();
    if missed == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("{missed} of the figures missed what was aimed at.");
    ExitCode::FAILURE
}

async fn measure(wishes: &Wishes) -> Vec<Figure> {
    // Set up with cheap passwords, then run as it comes but for the limits of one address.
    let mut world = World::start().await;
    world.stop().await;
    let server = Server::start(&world);
    let mut figures = logins::measure(&world, &server, wishes.seconds).await;
    let (of_crowd, mut crowd) = crowd::measure(&world, &server, wishes).await;
    figures.extend(of_crowd);
    figures.extend(records::appended(&world, &server, &mut crowd).await);
    drop(crowd);
    drop(server);
    figures.extend(verifying::verified(wishes.records));
    figures
}

/// What was measured, as git names it; of a tree that was changed since, that it was.
fn commit() -> String {
    let named = said("git", &["describe", "--always", "--dirty=, and changed since"]);
    named.unwrap_or_else(|| "that git does not know".to_owned())
}

/// The line that another program says.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(line)
}

fn head() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (day, commit) = (said("date", &["+%F"]).unwrap_or_default(), commit());
    format!(
        "# What a company's server carries\n\n\
         Measured by `./dev bench server` on {day}, of commit {commit}, on {cores} shared cores, Debian 12, over loopback\n\
         with TLS 1.3; it ends with 1 where an aim is missed. The server is a process of its own; whoever asks it lives on\n\
         the same cores, so that figures by the clock are what is left to it. CPU time is the server's own, user and\n\
         system, from `/proc/PID/stat`. Where another program does the same part of the work, the figure beside it is of\n\
         the same run; no packaged program pairs two ends by a number for accounts of its own, so that pairings and idle\n\
         agents stand beside their aims alone.\n\n\
         | | measured | aim | |\n|---|---|---|---|\n"
    )
}
