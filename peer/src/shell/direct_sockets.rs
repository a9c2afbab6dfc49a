//! The sockets of a direct path: one for each address of this machine that leads outward.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::interfaces;

/// What a burst of key frame needs while the other side is not scheduled.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
const MAX_SOCKETS: usize = 8;

pub(super) struct Bound {
    pub(super) address: SocketAddr,
    pub(super) socket: UdpSocket,
}

pub(super) fn bind_all() -> Vec<Bound> {
    let addresses = interface_addresses();
    addresses.into_iter().filter_map(|ip| bind(SocketAddr::new(ip, 0)).ok()).take(MAX_SOCKETS).collect()
}

/// Without any other address, loopback: both ends may be on this machine.
fn interface_addresses() -> Vec<IpAddr> {
    let all: Vec<IpAddr> = interfaces::addresses()
        .into_iter()
        .filter(|interface| !interface.is_link_local())
        .map(|interface| interface.ip())
        .collect();
    let outward: Vec<IpAddr> = all.iter().copied().filter(|ip| !ip.is_loopback()).collect();
    if outward.is_empty() { all } else { outward }
}

fn bind(address: SocketAddr) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel may give less; a small buffer costs throughput only.
    socket.set_recv_buffer_size(SOCKET_BUFFER).ok();
    socket.set_send_buffer_size(SOCKET_BUFFER).ok();
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    let address = socket.local_addr()?;
    let buffers = socket2::SockRef::from(&socket);
    tracing::debug!(
        receive = buffers.recv_buffer_size().unwrap_or_default(),
        send = buffers.send_buffer_size().unwrap_or_default(),
        "a socket for a direct path"
    );
    Ok(Bound { address, socket })
}

/// The first socket with something to read. Cancel-safe.
pub(super) async fn readable(sockets: &[Bound]) -> usize {
    poll_fn(|context| {
        for (index, bound) in sockets.iter().enumerate() {
            if bound.socket.poll_recv_ready(context).is_ready() {
                return Poll::Ready(index);
            }
        }
        Poll::Pending
    })
    .await
}
