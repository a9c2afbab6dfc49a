//! The screen bench's parts: marks, scenarios, contenders, figures; and what a window costs meanwhile.

mod contender;
mod ending;
mod figures;
mod mark;
mod scenario;
mod window;

pub use self::{
    contender::{Contender, Pair, Ring, Totals},
    ending::{Others, ending, letting_go},
    figures::{Figures, measure, ratios, table},
    mark::{Drawn, Marker, Micros, Seen, latencies, percentile},
    scenario::{SIZE, Scenario},
    window::{Held, window_in_session},
};
