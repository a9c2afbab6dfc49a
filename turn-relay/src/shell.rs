//! What a relay touches: sockets, TLS, clocks and files. It decides nothing
//! that a test would want to see; that is in [`crate::core`].

mod arrival;
mod clock;
pub mod listen;
pub mod pair;
pub mod program;
pub mod relay;
pub mod sockets;
pub mod stun;
pub mod tls;
pub mod turn;
