//! The charts of a report, as SVG; drawn by `plotters`, whose text is escaped there.

use plotters::coord::ranged1d::SegmentValue;
use plotters::prelude::*;

use super::rows_of_sessions::known;
use super::tally::{Counts, Grouping, Tally};
use super::words;
use crate::audit::neutral;
use crate::texts::Language;

const SIZE: (u32, u32) = (560, 260);
/// Bars of one chart; of more, the largest are shown, or the newest of periods.
const BARS: usize = 24;
const NAME_CHARS: usize = 14;

/// Each with its caption. Nothing to show gives no chart.
pub(super) fn charts(tally: &Tally, language: Language) -> Vec<(String, String)> {
    let [periods, operators, modes, troubles] = words::charts(language);
    let sessions = |counts: &Counts| counts.sessions;
    let trouble = |counts: &Counts| counts.login_failures + counts.lockouts + counts.violations;
    let drawn = [
        (periods, bars(tally, (Grouping::Period, language), sessions), RGBColor(38, 101, 166)),
        (operators, bars(tally, (Grouping::Operator, language), sessions), RGBColor(38, 101, 166)),
        (modes, bars(tally, (Grouping::Mode, language), sessions), RGBColor(38, 101, 166)),
        (troubles, bars(tally, (Grouping::Period, language), trouble), RGBColor(190, 60, 50)),
    ];
    let drawn = drawn.into_iter().filter(|(_, bars, _)| !bars.is_empty());
    drawn.filter_map(|(caption, bars, colour)| Some((caption, draw(&bars, colour)?))).collect()
}

fn bars(
    tally: &Tally,
    (by, language): (Grouping, Language),
    count: impl Fn(&Counts) -> u64,
) -> Vec<(String, u64)> {
    let called = |name: &String| match by {
        Grouping::Mode if !name.is_empty() => {
            short(&words::cell(&known("paired", "mode", name), language))
        }
        Grouping::Operator | Grouping::Customer | Grouping::Period | Grouping::Mode => short(name),
    };
    let groups = tally.groups.get(&by).into_iter().flatten();
    let mut bars: Vec<(String, u64)> =
        groups.map(|(name, counts)| (called(name), count(counts))).filter(|bar| bar.1 > 0).collect();
    if by == Grouping::Period {
        bars.drain(..bars.len().saturating_sub(BARS));
    } else {
        bars.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        bars.truncate(BARS);
    }
    bars
}

fn short(name: &str) -> String {
    let name = neutral::line(name);
    let mut short: String = name.chars().take(NAME_CHARS).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    if short.is_empty() { "-".to_owned() } else { short }
}

fn draw(bars: &[(String, u64)], colour: RGBColor) -> Option<String> {
    let mut svg = String::new();
    // A drawing that fails leaves a report without it; the numbers stand in the tables.
    paint(&mut svg, bars, colour)?;
    // Its place is in a page: an XML declaration would end that.
    svg.find("<svg").map(|start| svg[start..].to_owned())
}

fn paint(svg: &mut String, bars: &[(String, u64)], colour: RGBColor) -> Option<()> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let most = bars.iter().map(|bar| bar.1).max().unwrap_or(1);
    let count = bars.len();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(44)
        .build_cartesian_2d((0..count).into_segmented(), 0..most + most.div_ceil(8))
        .ok()?;
    let name = |at: &SegmentValue<usize>| match at {
        SegmentValue::CenterOf(at) => bars.get(*at).map(|bar| bar.0.clone()).unwrap_or_default(),
        SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(count.min(6))
        .x_label_formatter(&name)
        .label_style(("sans-serif", 12))
        .draw()
        .ok()?;
    chart
        .draw_series(bars.iter().enumerate().map(|(at, (_, count))| {
            let (left, right) = (SegmentValue::Exact(at), SegmentValue::Exact(at + 1));
            let mut bar = Rectangle::new([(left, 0), (right, *count)], colour.filled());
            bar.set_margin(0, 0, 3, 3);
            bar
        }))
        .ok()?;
    area.present().ok()
}
