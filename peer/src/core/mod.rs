//! The deciding half: told the time, the seed and the bytes; returns what to do.
//!
//! No sockets, files, clocks, threads or operating-system randomness in here:
//! the same code runs in a simulated world on a virtual clock.

mod arq;
pub(crate) mod authority;
mod consent;
pub mod direct;
mod direct_address;
mod direct_early;
pub mod direct_identity;
mod direct_lanes;
mod direct_pace;
mod direct_rate;
pub mod direct_setup;
mod direct_video;
pub mod doctor;
pub mod door;
mod dtls;
pub mod exposure;
pub mod io;
pub mod line;
mod outbox;
pub mod path;
mod paths;
mod peer;
pub mod relay_leg;
mod relay_leg_inbox;
mod relay_leg_noise;
mod relay_leg_outbox;
mod relay_leg_pace;
mod session;
pub mod setup;
pub mod snapshot;
pub mod testimony;
pub mod turn;

pub use authority::able;
pub use peer::{Peer, Turn};
pub use setup::{
    AgentSetup, EndSetup, OperatorSetup, PathPolicy, Permission, RecordFacts, SessionTimes,
};
