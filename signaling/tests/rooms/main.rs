//! The rooms under a virtual clock: every rule about numbers, without a socket.

#![allow(clippy::unwrap_used)]

mod away;
mod drawn;
mod explained;
mod guessing;
mod hall;
mod kept;
mod life;
mod objections;
mod policy;
mod random;
mod relays;
