//! The relay: joins two connections that hold matching tickets, forwards what it
//! cannot read, answers STUN Binding requests, and is a TURN server between the ends of one session.
//!
//! What it does not do: it never dials out (T49), reads no byte behind a
//! ticket (T44), and knows no manifest, mode, right or person. A server and a relay
//! share one ticket key and nothing else.

pub mod core;
pub mod shell;

pub use crate::core::limits::Limits;
pub use crate::shell::listen::serve;
pub use crate::shell::relay::{Relay, Settings, Stats};
pub use crate::shell::stun::{StunRate, serve_stun};
pub use crate::shell::turn::{
    NoOwnAddresses, OwnAddresses, TurnLimits, TurnServer, TurnSettings, serve_datagrams, serve_stream,
    serve_streams,
};
