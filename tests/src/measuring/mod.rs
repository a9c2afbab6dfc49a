//! The screen bench's parts: marks, scenarios, contenders, figures.

mod contender;
mod figures;
mod mark;
mod scenario;

pub use self::{
    contender::{Pair, Vnc, build_probe},
    figures::{Figures, measure, ratios, table},
    mark::{CELL, Drawn, Marker, Nanos, Seen, code_in, latencies, now, percentile},
    scenario::{SIZE, Scenario},
};
