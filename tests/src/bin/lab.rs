//! `./dev lab`: every pair of networks, real programs, and which path they came to.
//!
//! Fails if a pair has no session or another path than it must.

#![allow(clippy::print_stdout)]

use std::{fs, net::SocketAddr, net::TcpListener, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use tasuki_tests::{
    lab::{Kind, Lab, Line, carry, expected, far_page, is_possible, page, serve_proxy},
    stack::Way,
};

/// How long a line that loses nothing is watched.
const SHORT: Duration = Duration::from_secs(20);

#[derive(Debug, Parser)]
struct Wishes {
    #[command(subcommand)]
    wish: Wish,
}

#[derive(Debug, Subcommand)]
enum Wish {
    /// All pairs, and a page of what came of them.
    Run {
        /// The page.
        #[arg(long, default_value = "docs/network-lab.md")]
        out: PathBuf,
    },
    /// Long lines alone: set-up times over 100 ms, and a session that has to endure loss.
    Far {
        /// How long it has to endure, in seconds.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// The page.
        #[arg(long, default_value = "docs/long-lines.md")]
        out: PathBuf,
    },
    /// A long line between two namespaces.
    #[command(hide = true)]
    Line {
        near: String,
        far: String,
        #[arg(long)]
        delay_us: u64,
        #[arg(long)]
        loss_percent: u8,
        #[arg(long)]
        kilobits: Option<u32>,
    },
    /// The lab's own HTTP proxy.
    #[command(hide = true)]
    Proxy { listen: SocketAddr, sign_in: String },
}

fn main() -> ExitCode {
    let done = match Wishes::parse().wish {
        Wish::Run { out } => everything(&out),
        Wish::Far { seconds, out } => far(Duration::from_secs(seconds), &out),
        Wish::Line { near, far, delay_us, loss_percent, kilobits } => {
            let line = Line { delay: Duration::from_micros(delay_us), loss_percent, kilobits };
            carry(&near, &far, line, || println!("standing"))
        }
        Wish::Proxy { listen, sign_in } => proxy(listen, &sign_in),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The lab failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn everything(out: &PathBuf) -> Result<()> {
    ensure!(is_possible(), "making networks needs root");
    let mut lab = Lab::set_up_with_turn()?;
    let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
    for operator in Kind::ALL {
        for agent in Kind::ALL {
            let names = format!("{} with {}", operator.name(), agent.name());
            match lab.attempt(operator, agent) {
                Ok(outcome) => {
                    println!("{names}: {} after {:?}", outcome.path.name(), outcome.first_frame);
                    outcomes.push(outcome);
                }
                Err(error) => {
                    let wanted = expected(operator, agent).name();
                    println!("{names}: FAILED, {wanted} was to be expected: {error:#}");
                    failures.push(names);
                }
            }
        }
    }
    let mut said = Vec::new();
    for kind in Kind::ALL {
        match lab.diagnose(kind) {
            Ok(codes) => {
                println!("{}: {}", kind.name(), codes.join(", "));
                said.push((kind, codes));
            }
            Err(error) => {
                println!("{}: the doctor FAILED: {error:#}", kind.name());
                failures.push(format!("the doctor in {}", kind.name()));
            }
        }
    }
    fs::write(out, page(&outcomes, &said)).with_context(|| format!("writing {}", out.display()))?;
    ensure!(failures.is_empty(), "{} failed: {}", failures.len(), failures.join("; "));
    Ok(())
}

fn far(length: Duration, out: &PathBuf) -> Result<()> {
    ensure!(is_possible(), "making networks needs root");
    let mut lab = Lab::set_up()?;
    let line =
        |ms, loss_percent, kilobits| Line { delay: Duration::from_millis(ms), loss_percent, kilobits };
    let (long, lossy, narrow) = (line(50, 0, None), line(100, 5, None), line(20, 0, Some(1000)));
    let mut all = Vec::new();
    for (line, way, length) in [
        (long, Way::Direct, SHORT),
        (long, Way::Relayed, SHORT),
        (narrow, Way::Direct, SHORT),
        (narrow, Way::Relayed, SHORT),
        (lossy, Way::Relayed, SHORT),
        (lossy, Way::Auto, length),
    ] {
        let endured = lab.endure(line, way, length)?;
        println!("{line:?}, {}: {:.1} pictures/s", way.name(), endured.rate());
        all.push(endured);
    }
    fs::write(out, far_page(&all)).with_context(|| format!("writing {}", out.display()))
}

fn proxy(listen: SocketAddr, sign_in: &str) -> Result<()> {
    let listener = TcpListener::bind(listen)?;
    println!("listening");
    Ok(serve_proxy(&listener, sign_in)?)
}
