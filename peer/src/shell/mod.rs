//! The touching half: sockets, desktops, clocks, terminals.

pub mod direct;
mod pin;
pub mod relay;
mod stun;
pub mod tls;
