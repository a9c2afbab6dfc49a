//! The administrator's program: the organisation's keys, and accounts on its own server.
//!
//! It trusts the server that the tenant bundle names, under the bundle's key, and
//! nothing else. It is the only program that ever holds a private half of the
//! organisation's keys. It never touches a session.

mod account_words;
mod asking_texts;
pub mod audit;
mod authenticator;
pub mod certified;
pub mod client;
pub mod command;
pub mod desk;
pub mod fault;
mod fault_texts;
pub mod limits;
mod list_words;
pub mod missing;
pub mod naming;
pub mod pending;
pub mod pin;
pub mod policy_file;
pub mod policy_file_fault;
mod policy_names;
mod policy_unmet;
mod policy_words;
pub mod printed;
mod problem_texts;
pub mod profile;
pub mod prompt;
pub mod random;
pub mod report;
pub mod revoked;
pub mod settings;
pub mod shares;
mod slip;
mod table;
pub mod texts;
pub mod usage;
mod usage_words;
pub mod vault;
pub mod vouched;
