//! The administrator's program: accounts on the company's own server.
//!
//! It trusts the server that the tenant bundle names, under the bundle's key, and
//! nothing else. It never touches a session.

pub mod client;
pub mod command;
pub mod fault;
pub mod pin;
mod policy_words;
pub mod profile;
pub mod prompt;
pub mod texts;
