//! A session from either end: pairing, rights, links, picture, input, consent.
//!
//! [`core`] decides and touches nothing; [`shell`] touches and decides nothing
//! that a test would want to see.

pub mod core;
pub mod programs;
pub mod shell;
