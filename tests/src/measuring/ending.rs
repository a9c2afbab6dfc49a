//! How long a screen is still shown after its person has ended the session (S31).

use std::{thread, time::Duration};

use anyhow::{Result, bail};

use super::{
    contender::{Contender, Pair, Ring},
    mark::{Drawn, Micros, Seen, now},
    scenario::Scenario,
};
use crate::running::Mark;

const PLAYED: Duration = Duration::from_secs(3);
const ORDERED_AFTER: Duration = Duration::from_secs(2);

/// From the person's order, while the whole screen moves, to the drawing of the last picture
/// that still left his computer; in milliseconds. Below nought: none that was drawn later did.
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
