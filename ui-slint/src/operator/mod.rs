//! The operator's window.

pub mod program;
