//! `./dev bench screen`: what a shared screen costs and how quick it is, beside VNC. `bench window`: what the end user's window
//! costs in a session, as rows of the page of `./dev bench windows`.
//!
//! Prints a table and writes it where told. Asserts nothing: figures are for people.

#![allow(clippy::print_stdout)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tasuki_tests::measuring::{
    Contender, Figures, Held, Others, Ring, Scenario, ending, letting_go, measure, percentile, ratios,
    table, window_in_session,
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
        /// Measure only these; may be said several times.
        #[arg(long)]
        only: Vec<Contender>,
    },
    /// The end user's window in a real session at 1920x1080; the windows are to be built in the same way.
    Window {
        /// Seconds for each scenario.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    let done = match Wishes::parse().bench {
        Bench::Screen { out, seconds, only } => {
            let wanted = if only.is_empty() { Contender::ALL.to_vec() } else { only };
            screen(&wanted, out, Duration::from_secs(seconds))
        }
        Bench::Window { seconds } => window(Duration::from_secs(seconds)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The bench failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn screen(wanted: &[Contender], out: Option<PathBuf>, length: Duration) -> Result<()> {
    let all = measure_all(wanted, length)?;
    let mut page = format!("{}\n", table(&all));
    for ours in [Contender::Direct, Contender::Relayed] {
        for theirs in [Contender::Tigervnc, Contender::X11vnc] {
            page.push_str(&ratios(&all, ours, theirs));
            page.push('\n');
        }
    }
    page.push_str(&endings(wanted)?);
    println!("{page}");
    match out {
        Some(out) => write_page(&out, &page, length),
        None => Ok(()),
    }
}

fn window(length: Duration) -> Result<()> {
    println!(
        "| `tasuki-agent` in a real session, 1920x1080 seen | resident, MB | of a core, % |\n|---|---:|---:|"
    );
    for Held { scenario, resident_mb, cpu } in window_in_session(length)? {
        println!("| {} | {resident_mb:.1} | {cpu:.1} |", scenario.name());
    }
    Ok(())
}

fn measure_all(wanted: &[Contender], length: Duration) -> Result<Vec<Figures>> {
    let ring = Ring::set_up()?;
    let mut all = Vec::new();
    for contender in wanted {
        let mut pair = ring.enter(*contender)?;
        for scenario in Scenario::ALL {
            // Whatever the last scenario left to send goes out first.
            thread::sleep(Duration::from_secs(2));
            all.push(measure(scenario, *contender, &mut pair, &ring.desks.user, length)?);
            eprintln!("{}: {} measured", contender.name(), scenario.name());
        }
    }
    Ok(all)
}

/// S31: how long after the person's order pictures still left, in five sessions a path.
fn endings(wanted: &[Contender]) -> Result<String> {
    let mut text = String::from(
        "| ended by the person shown, in full-screen motion | last picture seen was drawn, p50 | worst of 5 | \
         capture and hands gone, p50 | worst of 5 | the same, all others frozen, p50 | worst of 5 |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for contender in [Contender::Direct, Contender::Relayed] {
        if !wanted.contains(&contender) {
            continue;
        }
        let ring = Ring::set_up()?;
        text.push_str(&format!("| {} |", contender.name()));
        let ways: [&dyn Fn() -> Result<f64>; 3] =
            [&|| ending(&ring, contender), &|| letting_go(&ring, contender, Others::There), &|| {
                letting_go(&ring, contender, Others::Frozen)
            }];
        for way in ways {
            let mut after = (0..5).map(|_| way()).collect::<Result<Vec<_>>>()?;
            after.sort_by(f64::total_cmp);
            let ms = |share| percentile(&after, share).map_or("-".to_owned(), |v| format!("{v:.0} ms"));
            text.push_str(&format!(" {} | {} |", ms(0.5), ms(1.0)));
        }
        text.push('\n');
    }
    Ok(text)
}

fn write_page(out: &Path, tables: &str, length: Duration) -> Result<()> {
    let page = format!(
        "# What a shared screen costs\n\n\
         Measured by `./dev bench screen` on 2 cores, Debian 12, no GPU: a virtual X server of 1920x1080,\n\
         {} s for each scenario, six times as long where nothing happens, all programs in the same run, host\n\
         and viewer on one machine over loopback.\n\
         CPU is a share of one core, from `/proc/PID/stat`; wall-clock figures of a shared machine vary.\n\n\
         Every viewer decodes into memory: Tasuki's `tasuki open`, and for VNC a libvncclient probe that\n\
         takes Tight, ZRLE and the rest. Latency is from the request to the X server that draws a mark to\n\
         that mark in the decoded pixels, on one clock. VNC travels without encryption here, Tasuki with\n\
         AES-256-GCM. kB/s is what VNC's socket received, and for Tasuki the encoded pictures. A drawing that\n\
         was replaced before it could be seen is missing from pictures/s and left out of latency.\n\n\
         The aims: idle at most 0.5 % of a core and no picture; typing p50 at most 15 ms; motion at 25 pictures/s\n\
         for at most 60 % of a core on the host; 60 MB resident there. The last table counts from the person's\n\
         order to end the session to the drawing of the last picture that the operator saw (below nought:\n\
         nothing drawn after the order), and until his program has no thread that captures or operates; once\n\
         more with the server, its relay and the operator's program frozen. S31 allows 200 ms.\n\n\
         {tables}",
        length.as_secs()
    );
    fs::write(out, page).with_context(|| format!("writing {}", out.display()))
}
