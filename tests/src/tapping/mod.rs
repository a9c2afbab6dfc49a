//! A third party on the line: what passes on this machine's own network, read as tcpdump took it,
//! and what of TLS is readable by anybody.

mod canary;
mod hello;
mod tap;

pub use self::{
    canary::encodings,
    hello::{Hellos, TLS_13, hellos},
    tap::{Stream, Taken, Tap},
};
