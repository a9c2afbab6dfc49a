//! `./dev lab`: every pair of networks, real programs, and which path they came to.
//!
//! Fails if a pair has no session or another path than it must.

#![allow(clippy::print_stdout)]

use std::{fs, net::SocketAddr, net::TcpListener, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use tasuki_tests::lab::{Kind, Lab, expected, is_possible, page, serve_proxy};

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
    /// The lab's own HTTP proxy.
    #[command(hide = true)]
    Proxy { listen: SocketAddr, sign_in: String },
}

fn main() -> ExitCode {
    let done = match Wishes::parse().wish {
        Wish::Run { out } => everything(&out),
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
    let mut lab = Lab::set_up()?;
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

fn proxy(listen: SocketAddr, sign_in: &str) -> Result<()> {
    let listener = TcpListener::bind(listen)?;
    println!("listening");
    Ok(serve_proxy(&listener, sign_in)?)
}
