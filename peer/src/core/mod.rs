//! The deciding half: told the time, the seed and the bytes; returns what to do.
//!
//! No sockets, files, clocks, threads or operating-system randomness in here:
//! the same code runs in a simulated world on a virtual clock.

pub mod direct;
pub mod direct_identity;
mod direct_lanes;
mod direct_video;
mod dtls;
pub mod io;
pub mod path;
pub mod relay_leg;
mod relay_leg_noise;
mod relay_leg_pace;
