//! Every byte of Tasuki that leaves a process: its type, its encoding, its checks.
//!
//! If bytes cross a wire, fill a database row or stand in a signed document,
//! their type lives here; otherwise it does not. Nothing here does IO, asks a
//! clock or draws randomness: times, seeds and bytes are handed in.

pub mod admin;
mod admin_login;
pub mod backup;
mod binary;
pub mod blob;
pub mod bundle;
pub mod certificate;
pub mod consent;
pub mod devices;
pub mod dsse;
pub mod grant;
pub mod hello;
pub mod http_answer;
pub mod ids;
pub mod input;
pub mod keys;
pub mod ledger;
pub mod leg;
pub mod likeness;
pub mod link;
pub mod log_key;
pub mod login;
pub mod manifest;
mod mending;
pub mod message;
pub mod number;
pub mod objection;
pub mod pairing;
pub mod pake;
pub mod policy;
pub mod receipt;
pub mod revoked;
pub mod rights;
pub mod screen;
pub mod sealing;
pub mod seed;
pub mod session_keys;
pub mod showable;
pub mod signal;
pub mod stun;
pub mod terms;
pub mod ticket;
pub mod turn;
pub mod words;
