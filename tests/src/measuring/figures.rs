//! What a scenario cost and how quick it was, and the table of it.

use std::{fmt::Write, thread, time::Duration};

use anyhow::{Context, Result};

use super::{
    contender::{Contender, Pair},
    mark::{latencies, percentile},
    scenario::Scenario,
};
use crate::{desktop::Desktop, running::resident_of};

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Figures {
    pub scenario: Scenario,
    pub contender: Contender,
    /// Different pictures shown, a second.
    pub shown_a_second: f64,
    /// Shares of one core, in percent.
    pub host_cpu: f64,
    pub viewer_cpu: f64,
    pub server_cpu: f64,
    /// Received by the viewer, a second.
    pub kilobytes_a_second: f64,
    /// From drawn to decoded, in milliseconds.
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub drawn: usize,
    pub host_memory_mb: f64,
}

/// Measures one scenario.
///
/// # Errors
/// A program is gone.
pub fn measure(
    scenario: Scenario,
    contender: Contender,
    pair: &mut Pair,
    desktop: &Desktop,
    length: Duration,
) -> Result<Figures> {
    let length = scenario.lasts(length);
    let x = desktop.server().context("the desktop is somebody else's")?;
    let totals = pair.totals()?;
    let mark = pair.viewer().log().mark();
    let before = [pair.host().cpu()?, pair.viewer().cpu()?, x.cpu()?];
    let drawn = scenario.play(desktop, length)?;
    let after = [pair.host().cpu()?, pair.viewer().cpu()?, x.cpu()?];
    // What was drawn last may still be on its way.
    thread::sleep(Duration::from_millis(500));
    let seen = pair.seen(mark);
    let now = pair.totals()?;
    let seconds = length.as_secs_f64();
    let share = |i: usize| 100.0 * (after[i] - before[i]).as_secs_f64() / seconds;
    let waited = latencies(&drawn, &seen);
    // Where nothing is drawn, every picture is one too many and counts.
    let idle = usize::try_from(now.pictures - totals.pictures)?;
    let shown = if scenario == Scenario::Idle { idle } else { waited.len() };
    Ok(Figures {
        scenario,
        contender,
        shown_a_second: shown as f64 / seconds,
        host_cpu: share(0),
        viewer_cpu: share(1),
        server_cpu: share(2),
        kilobytes_a_second: (now.bytes - totals.bytes) as f64 / 1000.0 / seconds,
        p50: percentile(&waited, 0.5),
        p95: percentile(&waited, 0.95),
        drawn: drawn.len(),
        host_memory_mb: resident_of(pair.host().id())? as f64 / 1e6,
    })
}

/// The table in Markdown, with the ratio of each figure to the best other program's.
pub fn table(all: &[Figures]) -> String {
    let mut text = String::from(
        "| scenario | program | pictures/s | host CPU | viewer CPU | X server CPU | kB/s | p50 | p95 | host memory |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for figures in all {
        let _ = writeln!(text, "{}", line(figures));
    }
    text
}

fn line(f: &Figures) -> String {
    let ms = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.1} ms"));
    format!(
        "| {} | {} | {:.1} | {:.1} % | {:.1} % | {:.1} % | {:.0} | {} | {} | {:.0} MB |",
        f.scenario.name(),
        f.contender.name(),
        f.shown_a_second,
        f.host_cpu,
        f.viewer_cpu,
        f.server_cpu,
        f.kilobytes_a_second,
        ms(f.p50),
        ms(f.p95),
        f.host_memory_mb
    )
}

/// `ours` against `theirs` per scenario: below 1 is less.
pub fn ratios(all: &[Figures], ours: Contender, theirs: Contender) -> String {
    let mut text = format!(
        "| {} / {} | pictures/s | host CPU | viewer CPU | kB/s | p50 |\n|---|---:|---:|---:|---:|---:|\n",
        ours.name(),
        theirs.name()
    );
    for scenario in Scenario::ALL {
        let of = |who| all.iter().find(|f| f.scenario == scenario && f.contender == who);
        let (Some(a), Some(b)) = (of(ours), of(theirs)) else { continue };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            scenario.name(),
            ratio(Some(a.shown_a_second), Some(b.shown_a_second)),
            ratio(Some(a.host_cpu), Some(b.host_cpu)),
            ratio(Some(a.viewer_cpu), Some(b.viewer_cpu)),
            ratio(Some(a.kilobytes_a_second), Some(b.kilobytes_a_second)),
            ratio(a.p50, b.p50),
        );
    }
    text
}

fn ratio(a: Option<f64>, b: Option<f64>) -> String {
    match (a, b) {
        (Some(a), Some(b)) if b > 0.0 => format!("{:.2}", a / b),
        (_, _) => "-".to_owned(),
    }
}
