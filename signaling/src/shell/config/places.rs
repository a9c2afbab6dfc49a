//! Where what stands beside the server's own port answers: its relay, STUN, metrics. It refuses to know of what.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::core::issue::RelayPlace;

/// Where Prometheus finds the metrics, unless told otherwise.
pub const METRICS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9464));

/// Where address discovery is answered. Programs ask at the server's own address
/// and port; without an answer they go relayed more often, and no worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stun {
    BesideTheServer,
    At(SocketAddr),
    Off,
}

/// Where metrics are offered, without encryption and without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metering {
    At(SocketAddr),
    Off,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relaying {
    Embedded,
    /// Each a `tasuki-relay` that holds this folder's ticket key.
    Elsewhere(Vec<RelayPlace>),
    Nowhere,
}
