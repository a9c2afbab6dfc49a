//! The server: accounts, rooms, manifests, tickets. It pairs two ends by number
//! and forwards between them what it cannot read.
//!
//! It never depends on `peer` or `media`: no pixel can reach it.

pub mod shell;
