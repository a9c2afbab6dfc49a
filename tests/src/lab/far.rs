//! A session over a long line: how soon it stands, what is seen, and whether every key arrives.
//!
//! Keys go one at a time, each after the one before was heard at the host's display, so that a lost,
//! doubled or late one shows.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tasuki_protocol::rights::Mode;
use x11rb::protocol::xproto::Rectangle;

use super::{Lab, Line, trial::Call};
use crate::{
    desktop::{Ear, Painter, nudge_pointer},
    running::Mark,
    stack::{Way, stats_of},
};

const MOVING: Rectangle = Rectangle { x: 640, y: 300, width: 400, height: 300 };
/// Twenty times a second.
const TICK: Duration = Duration::from_millis(50);
/// Between what was heard and the next key.
const PAUSE: Duration = Duration::from_millis(250);
/// A key that takes longer is lost.
const LOST: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Debug, Clone)]
pub struct Endured {
    pub line: Line,
    pub way: Way,
    /// From the typed number to the question on the other end's screen.
    pub paired_after: Duration,
    /// From the person's yes to the first decoded picture.
    pub first_frame: Duration,
    pub watched: Duration,
    pub pictures: u64,
    /// From the operator's order to the host's display, shortest first.
    pub keys: Vec<Duration>,
    /// Times that no path carried anything.
    pub gaps: usize,
}

impl Endured {
    /// Pictures a second.
    pub fn rate(&self) -> f64 {
        self.pictures as f64 / self.watched.as_secs_f64()
    }

    /// The time within which so many of a hundred keys arrived.
    pub fn key(&self, percent: usize) -> Duration {
        let last = self.keys.len().saturating_sub(1);
        self.keys.get(last * percent / 100).copied().unwrap_or_default()
    }
}

impl Lab {
    /// A session in Control over `line` at the end user's side, with something moving on his
    /// screen, for so long.
    ///
    /// # Errors
    /// It did not come about, a key was lost or doubled, or the session ended by itself.
    pub fn endure(&mut self, line: Line, way: Way, length: Duration) -> Result<Endured> {
        // This program draws the agent's terminal as well as what moves, and an operator's keys stop
        // at the windows of whoever draws that.
        nudge_pointer(self.desk(), 5, 5)?;
        let mut session = self.start_far(line, Call { mode: Mode::Control, way })?;
        let painter = Painter::open(self.desk(), MOVING)?;
        let (stop, over) = mpsc::sync_channel::<()>(1);
        let painting = thread::spawn(move || paint_until(&over, &painter));
        let ear = Ear::open(self.desk())?;
        let decoded = |stats: &serde_json::Value| stats["decoded"].as_u64().context("no number");
        let (began, before) = (Instant::now(), decoded(&stats_of(&mut session.operator)?)?);
        let mut keys = Vec::new();
        for letter in ('a'..='z').cycle() {
            if began.elapsed() > length {
                break;
            }
            thread::sleep(PAUSE);
            let said = Instant::now();
            session.operator.say(&format!("key {letter}"))?;
            let heard = ear.next_key(LOST)?;
            let heard = heard.with_context(|| format!("key {} was lost", keys.len()))?;
            keys.push(heard.saturating_duration_since(said));
        }
        let watched = began.elapsed();
        let pictures = decoded(&stats_of(&mut session.operator)?)?.saturating_sub(before);
        ensure!(ear.next_key(PAUSE)?.is_none(), "a key arrived twice");
        drop(stop);
        painting.join().map_err(|_| anyhow::anyhow!("the painter failed"))??;
        let events = session.operator.events(Mark::default());
        let gaps = events.iter().filter(|event| event["event"] == "reconnecting").count();
        session.end()?;
        keys.sort();
        let (paired_after, first_frame) = (session.paired_after, session.first_frame());
        Ok(Endured { line, way, paired_after, first_frame, watched, pictures, keys, gaps })
    }
}

fn paint_until(over: &mpsc::Receiver<()>, painter: &Painter) -> Result<()> {
    let all = Rectangle { x: 0, y: 0, ..MOVING };
    let mut red = false;
    while over.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
        red = !red;
        painter.fill(all, if red { [210, 40, 30] } else { [40, 60, 220] })?;
    }
    Ok(())
}
