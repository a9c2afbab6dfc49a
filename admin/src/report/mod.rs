//! Reports: what was done in a period, counted from the records themselves (S54).

pub mod csv;
pub mod tally;
