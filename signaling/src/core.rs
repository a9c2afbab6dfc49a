//! The server's decisions: rooms, attempts, limits, manifests, tickets.
//!
//! Told the time, one seed and what arrived; gives back what is to be done. It
//! refuses to know sockets, files, databases and clocks.

pub mod admission;
pub mod agenda;
pub mod agents;
pub mod anchor;
pub mod decoy;
mod distances;
mod endings;
pub mod guesses;
pub mod heads;
pub mod issue;
pub mod kept;
pub mod ledger;
pub mod listing;
pub mod notes;
mod objections;
pub mod operators;
pub mod pace;
pub mod policy;
pub mod requests;
pub mod resume;
pub mod room;
pub mod rooms;
pub mod settings;
