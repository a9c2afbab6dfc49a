//! Socket options that keep a relayed picture fresh.
//!
//! Video that waits in a kernel queue is latency: 4 MB of default send buffer in
//! front of a 4 Mbit/s link are eight seconds of old screen. So the relay bounds
//! each place where bytes can wait:
//!
//! - `TCP_NOTSENT_LOWAT`: the kernel takes from us only [`NOT_SENT`] bytes more than the
//!   network has in flight. What is in flight is the congestion window's
//!   business, which needs it; the rest stays with the sender, who can still
//!   throw an old frame away.
//! - `SO_RCVBUF`: the window offered to a sender whose other end reads slowly.
//!   It bounds the speed too: `receive_buffer / round trip`.
//! - `TCP_NODELAY`: a key press does not wait for the acknowledgement of the last.
//! - Keep-alive and `TCP_USER_TIMEOUT`: an end whose network has vanished is
//!   noticed in about half a minute, though nobody sends.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Bytes that may wait in the kernel unsent, in each direction.
pub const NOT_SENT: u32 = 64 * 1024;
const VANISHED_AFTER: Duration = Duration::from_secs(30);

/// Prepares an accepted connection. `receive_buffer` in bytes; the kernel may
/// allow less (`net.core.rmem_max`).
///
/// # Errors
/// The socket is already dead.
pub fn prepare(stream: &TcpStream, receive_buffer: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_recv_buffer_size(receive_buffer)?;
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(15)).with_interval(Duration::from_secs(5));
    socket.set_tcp_keepalive(&keepalive)?;
    bound_unsent(&socket)
}

#[cfg(target_os = "linux")]
fn bound_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(VANISHED_AFTER))?;
    socket.set_tcp_notsent_lowat(NOT_SENT)
}

#[cfg(not(target_os = "linux"))]
fn bound_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_send_buffer_size(4 * NOT_SENT as usize)
}
