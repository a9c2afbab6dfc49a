//! The touching half: sockets, desktops, clocks, terminals.

pub mod clock;
pub mod desktop;
pub mod dial;
pub mod direct;
pub mod doctor;
pub mod fault;
mod interfaces;
mod issuer;
pub mod ledger;
pub mod login;
pub mod paths;
mod pin;
pub mod profile;
pub mod proxy;
pub mod reasons;
pub mod receipt;
pub mod relay;
mod request;
pub mod run;
pub mod server;
pub mod settings;
mod stun;
pub mod terminal;
pub mod texts;
pub mod tls;
pub mod trust;
pub mod verdict;
