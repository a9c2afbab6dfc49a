//! What the demo leaves for people: a page, and one picture of both sides.

use std::{fmt::Write, path::Path};

use anyhow::{Context, Result};
use tasuki_protocol::rights::Mode;

use super::run::{Run, may_type};
use super::windowed::Windowed;
use crate::desktop::Picture;

const GAP: usize = 16;

/// The page that a person reads first.
pub fn page(runs: &[Run], windows: &[Windowed], seconds: u64) -> String {
    let mut page = String::from("# What the demo did\n\n");
    let _ = writeln!(
        page,
        "Two desktops, a server with its relay, and {} sessions in {seconds} s, each through number,\n\
         pairing, consent and real input. Every figure was measured in this run, and the demo fails\n\
         if one of these lines did not happen.\n",
        runs.len()
    );
    page.push_str("![left: the host's screen; right: what the viewer sees](demo.png)\n\n");
    page.push_str(
        "| mode | path | first frame | frames | kB | like the host | typed arrived | ciphers |\n",
    );
    page.push_str("|---|---|---:|---:|---:|---:|---|---|\n");
    for run in runs {
        let _ = writeln!(page, "{}", row(run));
    }
    page.push_str("\nBoth sides at the end of each run:\n\n");
    page.push_str("| | host's screen | viewer's picture |\n|---|---|---|\n");
    for run in runs {
        let Run { mode, path, host_png, viewer_png, .. } = run;
        let _ = writeln!(page, "| {mode}, {path} | ![host]({host_png}) | ![viewer]({viewer_png}) |");
    }
    if !windows.is_empty() {
        page.push_str("\nEach mode once more between the two windows, by clicks and keys:\n\n");
        page.push_str(
            "| mode | the operator's screen | the end user's | typed into the window, arrived |\n\
             |---|---|---|---|\n",
        );
    }
    for Windowed { mode, operator_png, user_png, received } in windows {
        let arrived = if received.is_empty() { "nothing, as it should" } else { received.as_str() };
        let _ = writeln!(
            page,
            "| {mode} | ![operator]({operator_png}) | ![end user]({user_png}) | {arrived} |"
        );
    }
    page.push_str("\n`summary.json` has the same for programs, `events.jsonl` what both ends said.\n");
    page
}

fn row(run: &Run) -> String {
    let typed = match (may_type(run.mode), run.received.is_empty()) {
        (true, _) => "yes, Japanese too",
        (false, true) => "tried, nothing arrived",
        (false, false) => "ARRIVED",
    };
    let ciphers = [&run.dtls, &run.srtp, &run.relay_cipher];
    let ciphers: Vec<String> = ciphers.into_iter().flatten().map(|c| format!("`{c}`")).collect();
    format!(
        "| {} | {} | {} ms | {} | {} | {:.1} dB | {typed} | {} |",
        run.mode,
        run.path,
        run.first_frame_ms,
        run.frames,
        run.bytes / 1000,
        run.likeness_db,
        ciphers.join(", ")
    )
}

/// One picture of both sides of the first Control session.
///
/// # Errors
/// Its pictures cannot be read, or the file not written.
pub fn both_sides(runs: &[Run], out: &Path) -> Result<()> {
    let run = runs.iter().find(|r| r.mode == Mode::Control).context("no Control session")?;
    let host = Picture::load(&out.join(&run.host_png))?.half();
    let viewer = Picture::load(&out.join(&run.viewer_png))?.half();
    let (width, height) =
        (host.width + viewer.width + 3 * GAP, host.height.max(viewer.height) + 2 * GAP);
    let mut both = Picture::plain(width, height, [240, 236, 228]);
    both.lay(&host, (GAP, GAP));
    both.lay(&viewer, (host.width + 2 * GAP, GAP));
    both.save(&out.join("demo.png"))
}
