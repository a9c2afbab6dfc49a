//! The screen bench's parts: marks, scenarios, contenders, figures.

mod contender;
mod ending;
mod figures;
mod mark;
mod scenario;

pub use self::{
    contender::{Contender, Pair, Ring, Totals},
    ending::{Others, ending, letting_go},
    figures::{Figures, measure, ratios, table},
    mark::{Drawn, Marker, Micros, Seen, latencies, percentile},
    scenario::{SIZE, Scenario},
};
