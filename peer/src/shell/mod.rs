//! The touching half: sockets, desktops, clocks, terminals.

pub mod direct;
pub mod relay;
mod stun;
pub mod tls;
