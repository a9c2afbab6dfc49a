//! `./dev bench relay`: what a relayed byte and a relayed packet cost, beside HAProxy and coturn.
//!
//! Prints the page and writes it where told. Asserts nothing: figures are for people. All programs run in
//! one run on one machine over loopback; what counts is their own CPU time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement, not a product"
)]

#[path = "../../tests/support/turn.rs"]
mod client;
mod contender;
mod datagrams;
mod sealed;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tasuki_protocol::ids::Role;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ticket::{Ticket, TicketKey};
use tasuki_protocol::turn::TurnCredential;

use contender::{AS_RELAY, Contender, Folder};
use datagrams::Crowd;
use sealed::{Ends, push, soon};

#[derive(Debug, Parser)]
struct Wishes {
    /// Also write the page here.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Through each sealed pair.
    #[arg(long, default_value_t = 1500)]
    megabytes: usize,
    /// Through each TURN server, for each number of clients.
    #[arg(long, default_value_t = 400_000)]
    packets: usize,
    /// Pairs that stand and say nothing.
    #[arg(long, default_value_t = 1000)]
    idle: usize,
}

fn main() -> ExitCode {
    if std::env::var_os(AS_RELAY).is_some() {
        let command = ["tasuki-relay".to_owned(), "run".to_owned()];
        return ExitCode::from(tasuki_turn_relay::shell::program::run::program(&command));
    }
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
    match measure(&Wishes::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The bench failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(wishes: &Wishes) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Folder::new(folder.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut page = head(wishes);
    page.push_str(&runtime.block_on(sealed_table(&folder, wishes.megabytes))?);
    page.push_str(&packets_table(&folder, wishes.packets)?);
    page.push_str(&runtime.block_on(memory_table(&folder, wishes.idle))?);
    println!("{page}");
    if let Some(out) = &wishes.out {
        std::fs::write(out, page)?;
    }
    Ok(())
}

fn head(wishes: &Wishes) -> String {
    format!(
        "# What relaying costs\n\n\
         Measured by `./dev bench relay` on 2 shared cores, Debian 12, all programs in one run over loopback.\n\
         CPU time is each program's own, user and system, from `/proc/PID/stat`; clocks on the wall are not used.\n\
         {} MB through each connection, {} packets through each TURN server, {} idle pairs.\n\n",
        wishes.megabytes, wishes.packets, wishes.idle
    )
}

async fn sealed_table(folder: &Folder, megabytes: usize) -> Result<String> {
    let mut ends = Ends::new(folder).await?;
    let relay = Contender::tasuki(folder, 0)?;
    let haproxy = Contender::haproxy(folder, ends.behind()?)?;
    let mut table = "## The sealed relay: TLS in, TLS out, AES-256-GCM\n\n\
                     Both ends of a session write at most 16 KiB at a time.\n\n\
                     | MB per CPU-second, writes of | 1,200 B | 16 KiB | 64 KiB |\n|---|---|---|---|\n"
        .to_owned();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for write in [1200, 16 * 1024, 64 * 1024] {
        let (operator, agent) = ends.join(&relay).await?;
        let before = relay.cpu_seconds()?;
        push(operator, agent, megabytes, write).await?;
        ours.push(megabytes as f64 / (relay.cpu_seconds()? - before));
        let (outside, inside) = ends.through(&haproxy).await?;
        let before = haproxy.cpu_seconds()?;
        push(outside, inside, megabytes, write).await?;
        theirs.push(megabytes as f64 / (haproxy.cpu_seconds()? - before));
        eprintln!("writes of {write}: {:.0} and {:.0}", ours[ours.len() - 1], theirs[theirs.len() - 1]);
    }
    row(&mut table, "Tasuki", &ours, 0);
    row(&mut table, "HAProxy", &theirs, 0);
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    row(&mut table, "Tasuki / HAProxy", &ratios, 2);
    Ok(table + "\n")
}

fn packets_table(folder: &Folder, packets: usize) -> Result<String> {
    let mut table = "## TURN over UDP: packets of 1,150 bytes by channels\n\n\
                     | thousand packets per CPU-second, clients | 10 | 60 |\n|---|---|---|\n"
        .to_owned();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for clients in [10, 60] {
        let port = contender::free_port()?.port();
        let relay = Contender::tasuki(folder, port)?;
        let address = format!("127.0.0.1:{port}").parse()?;
        ours.push(per_cpu_second(&relay, Crowd::new(address, clients, own_credential)?, packets)?);
        let (name, password) = ("bench", "a-password-of-the-bench");
        let coturn = Contender::coturn(folder, name, password)?;
        let credential = |_| TurnCredential { name: name.into(), password: password.into() };
        let crowd = Crowd::new(coturn.address, clients, credential)?;
        theirs.push(per_cpu_second(&coturn, crowd, packets)?);
        eprintln!("{clients} clients: {:.0} and {:.0}", ours[ours.len() - 1], theirs[theirs.len() - 1]);
    }
    row(&mut table, "Tasuki", &ours, 0);
    row(&mut table, "coturn", &theirs, 0);
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    row(&mut table, "Tasuki / coturn", &ratios, 2);
    Ok(table + "\n")
}

/// In thousands.
fn per_cpu_second(server: &Contender, crowd: Crowd, packets: usize) -> Result<f64> {
    let before = server.cpu_seconds()?;
    let (arrived, stalls) = crowd.run(packets)?;
    if stalls > 0 {
        eprintln!("packets were lost {stalls} times");
    }
    Ok(arrived as f64 / (server.cpu_seconds()? - before) / 1000.0)
}

/// A session for each two clients.
fn own_credential(number: usize) -> TurnCredential {
    let role = if number.is_multiple_of(2) { Role::Operator } else { Role::Agent };
    let session = SessionId([number as u8 / 2; 16]);
    let ticket = Ticket { session, leg: 0, role, expires: soon().unwrap(), nonce: [number as u8; 16] };
    TurnCredential::of(&TicketKey::from_bytes([7; 32]).seal(&ticket)).unwrap()
}

async fn memory_table(folder: &Folder, idle: usize) -> Result<String> {
    const BUSY: usize = 20;
    let mut ends = Ends::new(folder).await?;
    let relay = Contender::tasuki(folder, 0)?;
    let haproxy = Contender::haproxy(folder, ends.behind()?)?;
    let (before, theirs_before) = (relay.resident_kb()?, haproxy.resident_kb()?);
    let (mut pairs, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..idle {
        pairs.push(ends.join(&relay).await?);
        theirs.push(ends.through(&haproxy).await?);
    }
    let per_idle = (relay.resident_kb()? - before) / idle as f64;
    let theirs_idle = (haproxy.resident_kb()? - theirs_before) / idle as f64;
    let (before, theirs_before) = (relay.resident_kb()?, haproxy.resident_kb()?);
    let busy = pairs.drain(..BUSY.min(idle)).map(|(one, other)| push(one, other, 20, 16 * 1024));
    let busy: Vec<_> = futures(busy).await?;
    let theirs_busy =
        theirs.drain(..BUSY.min(idle)).map(|(one, other)| push(one, other, 20, 16 * 1024));
    let theirs_kept: Vec<_> = futures(theirs_busy).await?;
    let per_busy = per_idle + (relay.resident_kb()? - before) / busy.len() as f64;
    let theirs_busy = theirs_idle + (haproxy.resident_kb()? - theirs_before) / theirs_kept.len() as f64;
    let mut table = format!(
        "## Memory with {idle} pairs\n\n| kB resident per pair | idle | busy |\n|---|---|---|\n"
    );
    row(&mut table, "Tasuki", &[per_idle, per_busy], 1);
    row(&mut table, "HAProxy", &[theirs_idle, theirs_busy], 1);
    Ok(table)
}

/// All of them side by side.
async fn futures<T: Send + 'static>(
    all: impl Iterator<Item = impl Future<Output = Result<T>> + Send + 'static>,
) -> Result<Vec<T>> {
    let mut running = tokio::task::JoinSet::new();
    all.for_each(|one| drop(running.spawn(one)));
    running.join_all().await.into_iter().collect()
}

fn row(table: &mut String, name: &str, figures: &[f64], digits: usize) {
    write!(table, "| {name} |").ok();
    for figure in figures {
        write!(table, " {figure:.digits$} |").ok();
    }
    table.push('\n');
}
