//! A real server over TLS, and what good and bad clients get from it.

mod client;
mod pairing;
