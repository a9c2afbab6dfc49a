//! The host's picture in the operator's window goes past the toolkit while nothing lies over it; by either way it looks
//! the same.

use std::{collections::HashMap, thread, time::Duration};

use anyhow::Result;
use tasuki_tests::{
    desktop::{Desktop, Picture, Rgb},
    running::until,
    stack::OperatorWindow,
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
/// the message shades it.
pub(super) fn by_either_way_it_looks_the_same(operator: &Desktop, window: &OperatorWindow<'_>) {
    until("the picture to go past the toolkit", || Ok(goes_past(operator)?.then_some(()))).unwrap();
    window.open_texts().unwrap();
    until("the toolkit to show the picture", || Ok((!goes_past(operator)?).then_some(()))).unwrap();
    let below = settled(operator);
    window.key("Escape").unwrap();
    until("the picture to go past the toolkit", || Ok(goes_past(operator)?.then_some(()))).unwrap();
    let past = settled(operator);

    let [(left, top), (right, bottom)] =
        [(4, 4), (1276, 796)].map(|place| window.place_of_host(USER, place));
    let (width, height) = (usize::from(right - left), usize::from(bottom - top));
    let mut shades: HashMap<Rgb, Rgb> = HashMap::new();
    for y in usize::from(top)..usize::from(bottom) {
        for x in usize::from(left)..usize::from(right) {
            let (across, down) = (x - usize::from(left), y - usize::from(top));
            let is_messages = (width / 4..width * 3 / 4).contains(&across)
                && (height / 8..height * 7 / 8).contains(&down);
            if !is_messages {
                let (plain, shaded) = (past.at(x, y), below.at(x, y));
                assert_ne!(plain, shaded, "the message is not over the picture at {x}, {y}");
                assert_eq!(*shades.entry(plain).or_insert(shaded), shaded, "{plain:?} at {x}, {y}");
            }
        }
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

/// What was sent of it at first is made better for a while.
fn settled(operator: &Desktop) -> Picture {
    let mut last = operator.picture().unwrap();
    until("the picture to settle", || {
        thread::sleep(Duration::from_millis(700));
        let now = operator.picture()?;
        let is_still = now == last;
        last = now;
        Ok(is_still.then_some(()))
    })
    .unwrap();
    last
}
