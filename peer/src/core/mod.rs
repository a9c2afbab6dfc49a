//! The deciding half: told the time, the seed and the bytes; returns what to do.
//!
//! No sockets, files, clocks, threads or operating-system randomness in here:
//! the same code runs in a simulated world on a virtual clock.

mod arq;
mod authority;
mod consent;
pub mod door;
pub mod io;
pub mod line;
mod outbox;
pub mod path;
mod paths;
mod peer;
mod session;
pub mod setup;

pub use peer::{Peer, Turn};
pub use setup::{AgentSetup, EndSetup, OperatorSetup, PathPolicy, Permission};
