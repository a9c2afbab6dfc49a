//! What the house's programs share at a terminal: a command line that also speaks Japanese, the
//! pages made from it, a QR code, and which hardware addresses the computer has at which a person signs in.
//!
//! Stands on no other crate of the house and knows no program's verbs: each hands in its own words.

pub mod hardware;
pub mod pages;
pub mod qr;
pub mod usage;
