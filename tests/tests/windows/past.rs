//! The host's picture in the operator's window goes past the toolkit while nothing lies over it; by either way it looks
//! the same.

use std::{collections::HashMap, thread, time::Duration};

use anyhow::Result;
use rustix::process::Signal;
use tasuki_tests::{
    desktop::{Desktop, Picture, Reader, Rgb, role},
    running::until,
    stack::{AgentWindow, OperatorWindow},
};
use x11rb::{
    connection::Connection as _,
    protocol::{
        shape::{ConnectionExt as _, SK},
        xproto::{ConnectionExt as _, MapState, Window},
    },
};

use super::USER;

/// A message comes over it and goes, and of both pictures each colour of one is one colour of the other: the veil below
/// the message shades it. The host stands still meanwhile: it goes on to make its picture better, for long where the
/// machine is busy, and two pictures of different moments tell nothing.
pub(super) fn by_either_way_it_looks_the_same(
    operator: &Desktop,
    (window, his): (&OperatorWindow<'_>, &Reader),
    agent: &AgentWindow<'_>,
) {
    let (past, below) = until("the picture to stand still below a message", || {
        until("the picture to go past the toolkit", || Ok(goes_past(operator)?.then_some(())))?;
        agent.process.signal(Signal::STOP)?;
        let before = settled(operator, window)?;
        window.click_at(his, role::BUTTON, "Type a text")?;
        until("the toolkit to show the picture", || Ok((!goes_past(operator)?).then_some(())))?;
        let below = settled(operator, window)?;
        window.key("Escape")?;
        until("the picture to go past the toolkit", || Ok(goes_past(operator)?.then_some(())))?;
        let after = settled(operator, window)?;
        agent.process.signal(Signal::CONT)?;
        // Where all of that took long, the window tells by now that nothing comes.
        Ok((after == before).then_some((before, below)))
    })
    .unwrap();

    let mut shades: HashMap<Rgb, Rgb> = HashMap::new();
    for (plain, shaded) in past.into_iter().zip(below) {
        assert_ne!(plain, shaded, "the message is not over the picture");
        assert_eq!(*shades.entry(plain).or_insert(shaded), shaded, "{plain:?} is not one colour below");
    }
    assert!(shades.len() > 20, "of {} colours", shades.len());
}

/// Whether a window of which no pointer knows lies in another one.
fn goes_past(operator: &Desktop) -> Result<bool> {
    let c = operator.connect()?;
    let mut asked: Vec<Window> = vec![c.setup().roots[0].root];
    while let Some(window) = asked.pop() {
        let Ok(facts) = c.get_window_attributes(window)?.reply() else { continue };
        let Ok(input) = c.shape_get_rectangles(window, SK::INPUT)?.reply() else { continue };
        if facts.map_state == MapState::VIEWABLE && input.rectangles.is_empty() {
            return Ok(true);
        }
        let Ok(tree) = c.query_tree(window)?.reply() else { continue };
        asked.extend(tree.children);
    }
    Ok(false)
}

/// What was on its way at first is drawn.
fn settled(operator: &Desktop, window: &OperatorWindow<'_>) -> Result<Vec<Rgb>> {
    let mut last = Vec::new();
    until("the picture to settle", || {
        thread::sleep(Duration::from_millis(200));
        let now = beside_a_message(window, &operator.picture()?);
        let is_still = now == last;
        last = now;
        Ok(is_still.then_some(()))
    })?;
    Ok(last)
}

/// The pixels of the host's picture where no message lies, and below its bar, which tells the time.
fn beside_a_message(window: &OperatorWindow<'_>, picture: &Picture) -> Vec<Rgb> {
    let [(left, top), (right, bottom)] = [(4, 64), (1276, 796)].map(|place| {
        let (x, y) = window.place_of_host(USER, place);
        (usize::from(x), usize::from(y))
    });
    let middle = |first: usize, end: usize, at: usize| {
        (first + (end - first) / 8..end - (end - first) / 8).contains(&at)
    };
    let places = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
    let beside = places.filter(|(x, y)| !(middle(left, right, *x) && middle(top, bottom, *y)));
    beside.map(|(x, y)| picture.at(x, y)).collect()
}
