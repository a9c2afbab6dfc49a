//! The UDP socket of the STUN server, and who may ask how often.
//!
//! It answers only to the address that a datagram came from, and never queues:
//! an answer that the socket cannot take now is lost, as UDP may lose it anyway.

use std::hash::RandomState;
use std::io;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use crate::core::bucket::AddressRate;
use crate::core::stun::{MAX_REQUEST_BYTES, answer};

/// How many answers one IPv4 address or IPv6 /64 gets.
#[derive(Debug, Clone, Copy)]
pub struct StunRate {
    pub per_second: u64,
    pub burst: u64,
}

impl Default for StunRate {
    fn default() -> Self {
        Self { per_second: 20, burst: 60 }
    }
}

const BREATH: Duration = Duration::from_millis(10);

/// Answers Binding requests until the future is dropped.
pub async fn serve_stun(socket: UdpSocket, rate: StunRate) {
    let mut rates = AddressRate::new(RandomState::new(), rate.per_second, rate.burst, Instant::now());
    let mut datagram = [0; MAX_REQUEST_BYTES + 1];
    loop {
        if let Err(error) = serve_one(&socket, &mut datagram, &mut rates).await {
            tracing::debug!(%error, "STUN socket");
            tokio::time::sleep(BREATH).await;
        }
    }
}

async fn serve_one(
    socket: &UdpSocket,
    datagram: &mut [u8],
    rates: &mut AddressRate<RandomState>,
) -> io::Result<()> {
    let (length, from) = socket.recv_from(datagram).await?;
    let Some(reply) = answer(&datagram[..length], from) else {
        return Ok(());
    };
    if !rates.allows(from.ip().into(), Instant::now()) {
        return Ok(());
    }
    match socket.try_send_to(&reply, from) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}
