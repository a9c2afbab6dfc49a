//! How long a screen is still shown after its person has ended the session (S31).

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rustix::process::Signal;

use super::{
    contender::{Contender, Pair, Ring},
    mark::{Drawn, Micros, Seen, now},
    scenario::Scenario,
};
use crate::running::{Mark, PATIENCE, threads_of};

/// The threads of a host at work.
const HOLDING: [&str; 2] = ["tasuki-capture", "tasuki-hands"];
const PLAYED: Duration = Duration::from_secs(3);
const ORDERED_AFTER: Duration = Duration::from_secs(2);

/// Who else is there when the person ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Everybody.
    There,
    /// Nobody: the server, with its relay, and the operator's program stand still.
    Frozen,
}

/// From the person's order, while the whole screen moves, until his program has no thread left
/// that captures his desktop or operates it; in milliseconds.
///
/// # Errors
/// A program is gone too early, or such a thread stays.
pub fn letting_go(ring: &Ring, contender: Contender, others: Others) -> Result<f64> {
    let pair = ring.enter(contender)?;
    let Pair::Tasuki(mut session) = pair else { bail!("VNC has nobody who ends it") };
    let frozen = [&ring.house.server, &session.operator];
    let signal = |signal| match others {
        Others::There => Ok(()),
        Others::Frozen => frozen.iter().try_for_each(|process| process.signal(signal)),
    };
    let holds = |pid| threads_of(pid).iter().any(|name| HOLDING.contains(&name.as_str()));
    let pid = session.agent.id();
    if !holds(pid) {
        bail!("nothing captures, so nothing can end");
    }
    let took = thread::scope(|scope| {
        let player = scope.spawn(|| Scenario::Motion.play(&ring.desks.user, PLAYED));
        thread::sleep(ORDERED_AFTER);
        signal(Signal::STOP)?;
        let ordered = Instant::now();
        session.agent.say("end")?;
        let end = ordered + PATIENCE;
        while holds(pid) {
            if Instant::now() > end {
                bail!("it still captures");
            }
            thread::sleep(Duration::from_micros(500));
        }
        let took = ordered.elapsed();
        player.join().unwrap_or_else(|_| bail!("the painter is gone"))?;
        Ok(took)
    });
    let frozen = [&ring.house.server, &session.operator];
    if others == Others::Frozen {
        frozen.iter().try_for_each(|process| process.signal(Signal::CONT))?;
    }
    session.agent.event(Mark::default(), "end", |event| event["event"] == "ended")?;
    Ok(took?.as_secs_f64() * 1000.0)
}

/// From the person's order, while the whole screen moves, to the drawing of the last picture
/// that his operator still saw; in milliseconds. Below nought: none that was drawn later.
///
/// # Errors
/// A program is gone, or nothing was seen.
pub fn ending(ring: &Ring, contender: Contender) -> Result<f64> {
    let mut pair = ring.enter(contender)?;
    let Pair::Tasuki(session) = &mut pair else { bail!("VNC has nobody who ends it") };
    let mark = session.operator.log().mark();
    let (ordered, drawn) = thread::scope(|scope| {
        let player = scope.spawn(|| Scenario::Motion.play(&ring.desks.user, PLAYED));
        thread::sleep(ORDERED_AFTER);
        let ordered = now();
        session.agent.say("end")?;
        let drawn = player.join().unwrap_or_else(|_| bail!("the painter is gone"))?;
        Ok::<_, anyhow::Error>((ordered, drawn))
    })?;
    session.operator.event(Mark::default(), "end", |event| event["event"] == "ended")?;
    match last_shown(&drawn, &pair.seen(mark)) {
        Some(at) => Ok((at - ordered) as f64 / 1000.0),
        None => bail!("the viewer saw nothing of it"),
    }
}

/// When that was drawn which was seen last.
fn last_shown(drawn: &[Drawn], seen: &[Seen]) -> Option<Micros> {
    let last = seen.last()?;
    let shown = drawn.iter().rev().find(|d| d.code == last.code && d.at <= last.at)?;
    Some(shown.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_picture_is_dated_by_when_it_was_drawn() {
        let drawn = [(1, 0), (2, 33), (3, 66), (1, 99)];
        let drawn = drawn.map(|(code, at)| Drawn { code, at });
        let seen = [(40, 2), (80, 1)].map(|(at, code)| Seen { at, code });
        assert_eq!(last_shown(&drawn, &seen), Some(0));
        assert_eq!(last_shown(&drawn, &[]), None);
    }
}
