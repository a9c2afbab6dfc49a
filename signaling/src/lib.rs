//! The server: accounts, rooms, manifests, tickets; HTTP and WebSocket over TLS.
//!
//! What it does not do: it never sees the secret half of a number (T3), cannot
//! read what two ends say to each other, touches no pixel, starts no process
//! (T60) and connects to nobody (T49) but an authority that its own settings name.

pub mod core;
pub mod shell;
