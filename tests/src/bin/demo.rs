//! `./dev demo`: one session per mode, direct and relayed, between two real desktops.
//!
//! Leaves pictures, events and a summary. Whatever it claims was measured in this run; it ends
//! with 1 and says what did not happen.

#![allow(clippy::print_stdout)]

use std::{env, fs, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result};
use clap::Parser;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    showing::{Run, Scene, both_sides, hold, hold_in_windows, page},
    stack::{House, Way},
};

/// Runs one session per mode, direct and relayed, between two real desktops.
#[derive(Debug, Parser)]
struct Wishes {
    /// The folder that is left: pictures, events.jsonl, summary.md, summary.json.
    #[arg(long, default_value = "out/demo")]
    out: PathBuf,
    /// The operator sits at this machine's own display (DISPLAY) instead of one made for him.
    #[arg(long)]
    here: bool,
    /// Afterwards one session per mode between the two windows, by clicks and keys.
    #[arg(long)]
    windows: bool,
}

fn main() -> ExitCode {
    match demonstrate(&Wishes::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(wishes: &Wishes) -> Result<()> {
    let began = Instant::now();
    fs::create_dir_all(&wishes.out).with_context(|| format!("making {}", wishes.out.display()))?;
    let here = wishes.here.then(|| env::var("DISPLAY").context("--here needs DISPLAY")).transpose()?;
    let house = House::set_up()?;
    let scene = Scene::set(house.folder(), here.as_deref())?;
    println!("A server on port {}, two desktops; ten sessions:", house.port());
    let mut events = Vec::new();
    let runs = all_runs(&house, &scene, wishes, &mut events);
    // What happened until a failure is what helps to understand it.
    fs::write(wishes.out.join("events.jsonl"), events.join("\n") + "\n")?;
    let runs = runs?;
    let windows = match wishes.windows {
        true => {
            println!("The same between the two windows, by clicks and keys:");
            hold_in_windows(&house, &wishes.out)?
        }
        false => Vec::new(),
    };
    for run in &windows {
        println!("  {:8} received {:?}, {}", run.mode.name(), run.received, run.operator_png);
    }
    both_sides(&runs, &wishes.out)?;
    fs::write(wishes.out.join("summary.json"), serde_json::to_string_pretty(&runs)? + "\n")?;
    fs::write(wishes.out.join("summary.md"), page(&runs, &windows, began.elapsed().as_secs()))?;
    println!("All of it happened. Read {}", wishes.out.join("summary.md").display());
    Ok(())
}

fn all_runs(
    house: &House,
    scene: &Scene,
    wishes: &Wishes,
    events: &mut Vec<String>,
) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for mode in Mode::ALL {
        for way in [Way::Direct, Way::Relayed] {
            let run = hold(house, scene, (mode, way), &wishes.out, events)?;
            println!(
                "  {:8} {:8} first frame {:4} ms, {:3} frames, {:4} kB, {:.1} dB, received {:?}",
                run.mode.name(),
                run.path,
                run.first_frame_ms,
                run.frames,
                run.bytes / 1000,
                run.likeness_db,
                run.received
            );
            runs.push(run);
        }
    }
    Ok(runs)
}
