//! One run of the demo: a session in one mode on one path, with real input, measured.
//!
//! Fails if anything that its [`Run`] claims did not happen.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use tasuki_protocol::rights::{Capability, Mode};

use super::scene::Scene;
use crate::{
    desktop::{Ear, Picture},
    running::{Mark, Voice},
    stack::{House, Session, Way, assert_aes_256},
};

/// Brightness of the viewer's picture against the host's screen, in decibels: alike to the eye.
const ALIKE: f64 = 30.0;

/// What `summary.json` says of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    pub mode: Mode,
    pub path: &'static str,
    pub dtls: Option<String>,
    pub srtp: Option<String>,
    pub relay_cipher: Option<String>,
    /// From the user's yes to the viewer's first decoded frame.
    pub first_frame_ms: u64,
    /// Decoded by the viewer.
    pub frames: u64,
    /// Of the picture, as encoded.
    pub bytes: u64,
    /// What the viewer typed, or tried to.
    pub typed: String,
    /// What the program on the host's screen got of it.
    pub received: String,
    pub host_png: String,
    pub viewer_png: String,
    /// How like the two pictures are, in decibels of brightness.
    pub likeness_db: f64,
}

/// Whether the viewer of this mode may type.
pub fn may_type(mode: Mode) -> bool {
    mode.ceiling().has(Capability::Operate)
}

/// Holds a session, writes its pictures to `out` and adds both ends' events to `events`.
///
/// # Errors
/// Anything claimed did not happen.
pub fn hold(
    house: &House,
    scene: &Scene,
    (mode, way): (Mode, Way),
    out: &Path,
    events: &mut Vec<String>,
) -> Result<Run> {
    let name = format!("{mode}-{}", way.name());
    let mut session = Session::ring(house, &scene.desks, mode, way)?;
    let held = use_session(&mut session, scene, way, out, &name);
    let noted = session.end();
    note_events(&session, &name, events);
    let run = held.with_context(|| complaint(&session, &name))?;
    noted.with_context(|| complaint(&session, &name))?;
    Ok(run)
}

fn complaint(session: &Session, name: &str) -> String {
    let (operator, agent) = (session.operator.log().tail(25), session.agent.log().tail(25));
    format!("{name}\n  the operator's program said:\n{operator}  the agent said:\n{agent}")
}

fn use_session(session: &mut Session, scene: &Scene, way: Way, out: &Path, name: &str) -> Result<Run> {
    let mode = session.mode();
    let nothing_yet = session.viewer().events(Mark::default());
    ensure!(
        nothing_yet.iter().all(|e| e["event"] != "first_frame"),
        "a frame came before the user said yes"
    );
    session.answer("yes")?;
    let first_frame = session.first_frame()?;
    let typed = format!("{} 日本語 {mode} over the {} path", greeting(mode), way.name());
    let received = type_and_read(session, scene, &typed)?;
    let (host_png, viewer_png) = (format!("{name}-host.png"), format!("{name}-viewer.png"));
    let (host, seen) = session.alike(&scene.desks, &out.join(&viewer_png), ALIKE)?;
    ensure!(host.colours() > 50, "the host's screen shows next to nothing");
    host.save(&out.join(&host_png))?;
    let stats = session.stats()?;
    let mut run = Run {
        mode,
        path: way.name(),
        dtls: None,
        srtp: None,
        relay_cipher: None,
        first_frame_ms: u64::try_from(first_frame.as_millis())?,
        frames: count(&stats, "decoded")?,
        bytes: count(&stats, "bytes")?,
        typed,
        received,
        host_png,
        viewer_png,
        likeness_db: round(likeness(&host, &seen)?),
    };
    note_ciphers(&mut run, &stats, way)?;
    Ok(run)
}

fn greeting(mode: Mode) -> &'static str {
    if may_type(mode) { "Hello from Tasuki," } else { "This must not arrive," }
}

fn likeness(host: &Picture, seen: &Picture) -> Result<f64> {
    host.likeness(seen)
}

fn round(decibels: f64) -> f64 {
    (decibels * 10.0).round() / 10.0
}

/// What a real program on the host's screen got of what the viewer typed.
fn type_and_read(session: &mut Session, scene: &Scene, typed: &str) -> Result<String> {
    let mode = session.mode();
    let notes = scene.notes(mode.host());
    let before = notes.text()?;
    let ear = Ear::open(scene.desks.of(mode.host()))?;
    session.type_line(notes.middle, typed)?;
    if may_type(mode) {
        notes.wait_for(typed)?;
        ensure!(ear.heard()? > 0, "the line arrived by another way than the keyboard");
    } else {
        // Chat goes the same way behind the forbidden input: once it is there, so was the input.
        session.viewer_mut().say("chat did that arrive?")?;
        session.host().wait_for(Mark::default(), "did that arrive?")?;
        let heard = ear.heard()?;
        ensure!(heard == 0, "{heard} input events reached the host in {mode} mode");
    }
    let after = notes.text()?;
    let received = after.strip_prefix(&before).context("the notes were changed")?.trim_end();
    let wanted = if may_type(mode) { typed } else { "" };
    ensure!(received == wanted, "the host's program got {received:?}, {wanted:?} was due");
    Ok(received.to_owned())
}

fn count(stats: &Value, key: &str) -> Result<u64> {
    let number = stats[key].as_u64().with_context(|| format!("no {key:?} in {stats}"))?;
    ensure!(number > 0, "{key} is 0");
    Ok(number)
}

fn note_ciphers(run: &mut Run, stats: &Value, way: Way) -> Result<()> {
    ensure!(stats["path"] == way.name(), "told to go {}, went {}", way.name(), stats["path"]);
    let cipher = |key: &str| -> Result<Option<String>> {
        let name = stats[key].as_str();
        let name = name.with_context(|| format!("no cipher {key:?} in {stats}"))?;
        assert_aes_256(name)?;
        Ok(Some(name.to_owned()))
    };
    match way {
        Way::Direct => {
            run.dtls = cipher("dtls")?;
            run.srtp = cipher("srtp")?;
        }
        Way::Relayed => {
            run.relay_cipher = cipher("relay_cipher")?;
            cipher("relay_tls")?;
        }
        Way::Auto => {}
    }
    Ok(())
}

/// Both ends' events in the order of their coming, each as one JSON object with the run, the end
/// it belongs to, and milliseconds since the first one.
fn note_events(session: &Session, name: &str, events: &mut Vec<String>) {
    let ends = [("operator", &session.operator), ("agent", &session.agent)];
    let said = ends.iter().flat_map(|(end, process)| {
        let lines = process.log().since(Mark::default());
        lines.into_iter().filter(|l| l.voice == Voice::Output).map(move |line| (*end, line))
    });
    let mut said: Vec<_> = said.collect();
    said.sort_by_key(|(_, line)| line.at);
    let Some(first) = said.first().map(|(_, line)| line.at) else { return };
    for (end, line) in said {
        let Ok(words) = serde_json::from_str::<Value>(&line.text) else { continue };
        let ms = u64::try_from((line.at - first).as_millis()).unwrap_or_default();
        let whole = serde_json::json!({ "run": name, "ms": ms, "end": end, "said": words });
        events.push(whole.to_string());
    }
}
