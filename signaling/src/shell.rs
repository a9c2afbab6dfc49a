//! The server's hands: files, database, sockets, clocks. Decides nothing that a
//! test of the core would want to see.

mod accounts;
mod admins;
mod certificate;
mod clock;
pub mod config;
mod config_values;
mod desk;
mod devices;
mod doctor;
pub mod doctor_hardening;
pub mod fault;
pub mod folder;
mod health;
mod ledger;
mod ledger_rows;
mod ledger_scribe;
mod ledger_words;
mod listen;
mod metrics;
mod names;
mod operators;
mod passwords;
mod policies;
pub mod program;
mod relay_path;
mod renewal;
pub mod rules;
mod second;
pub mod serve;
pub mod setup;
mod sockets;
mod store;
mod tls;
mod tokens;
mod trust;
mod web;
