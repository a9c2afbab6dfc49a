//! What the house's programs share at a terminal: a command line that also speaks Japanese, the
//! pages made from it, and a QR code.
//!
//! Stands on no other crate of the house and knows no program's verbs: each hands in its own words.

pub mod pages;
pub mod qr;
pub mod usage;
