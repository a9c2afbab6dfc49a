//! In which order the keys go through a window.

use std::collections::BTreeSet;

use super::Stop;

/// The bar of places at the left.
const RAIL: f32 = 84.0;
/// The tabs at the top.
const TABS: f32 = 39.0;

/// In one column, and in a row from left to right. The first is wherever it is.
pub(crate) fn is_read_from_top_to_bottom(state: &str, order: &[Stop]) {
    let turns: Vec<_> = steps(order).filter(|(one, other)| !follows(one, other)).collect();
    // What is told in passing comes last.
    let many = if state == "agent-live-message" { 2 } else { 1 };
    assert!(turns.len() <= many, "{state}: the keys jump: {turns:#?}");
}

/// The places, the tabs and the page, each of them whole; a page column by column.
pub(crate) fn is_read_part_by_part(state: &str, order: &[Stop]) {
    let parts = order.iter().map(part).collect::<BTreeSet<_>>().len();
    let goes_on = steps(order).filter(|(one, other)| part(one) != part(other)).count();
    let within: Vec<_> = steps(order).filter(|(one, other)| part(one) == part(other)).collect();
    let turns = within.into_iter().filter(|(one, other)| !follows(one, other));
    let (columns, jumps): (Vec<_>, Vec<_>) =
        turns.partition(|(one, other)| part(one) == Part::Page && other.edges.0 >= one.edges.1);
    // From the end the way goes on at the beginning.
    let is_whole = if parts > 1 { goes_on == parts && jumps.is_empty() } else { jumps.len() <= 1 };
    assert!(
        is_whole && columns.len() <= 2,
        "{state}: {goes_on} times to another of {parts} parts, the keys jump: {jumps:#?}, {columns:#?}"
    );
}

/// From each to the next, and from the last to the first.
fn steps(order: &[Stop]) -> impl Iterator<Item = (&Stop, &Stop)> {
    order.iter().zip(order.iter().cycle().skip(1))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Places,
    Tabs,
    Page,
}

fn part(stop: &Stop) -> Part {
    match stop.middle {
        (x, _) if x < RAIL => Part::Places,
        (_, y) if y < TABS => Part::Tabs,
        _ => Part::Page,
    }
}

fn follows(one: &Stop, other: &Stop) -> bool {
    let is_row = (one.middle.1 - other.middle.1).abs() < 12.0;
    if is_row { one.middle.0 <= other.middle.0 } else { one.middle.1 <= other.middle.1 }
}
