//! UDP in batches: one system call takes in up to [`BATCH`] datagrams, one sends what they became.
//!
//! A thread of its own for each socket: under load a batch costs two calls and no wake-up of a
//! scheduler. What a socket cannot take now is lost, as UDP may lose it anyway.

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use rustix::event::{PollFd, PollFlags, poll};
use socket2::SockRef;

use super::{TurnServer, clock};
use crate::core::turn::Outgoing;
use crate::core::turn::table::{Client, Path};

const BATCH: usize = 64;
/// More than any path carries in one piece; what is longer is cut, and then no message.
const DATAGRAM_BYTES: usize = 2048;
/// Of each socket, where the system allows it: a burst of all clients at once waits there.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
const BREATH: Duration = Duration::from_millis(10);

/// Serves the server's socket of that number until the future is dropped.
pub async fn serve_datagrams(server: Arc<TurnServer>, number: u16) {
    let started = server.sockets.get(usize::from(number)).map(UdpSocket::try_clone);
    let (Some(Ok(socket)), Ok((stop, stopped))) = (started, UnixStream::pair()) else {
        tracing::warn!("no TURN over UDP: the system has no more files");
        return;
    };
    let buffers = SockRef::from(&socket);
    buffers.set_recv_buffer_size(SOCKET_BUFFER_BYTES).ok();
    buffers.set_send_buffer_size(SOCKET_BUFFER_BYTES).ok();
    let serving = std::thread::Builder::new().name("turn".into()).spawn(move || {
        Listener { server, number, socket, stopped }.run();
    });
    if let Err(error) = serving {
        tracing::warn!(%error, "no TURN over UDP");
    }
    // Its other end is closed when this future is dropped, which the thread sees.
    let _stop = stop;
    std::future::pending::<()>().await;
}

struct Listener {
    server: Arc<TurnServer>,
    number: u16,
    socket: UdpSocket,
    stopped: UnixStream,
}

impl Listener {
    fn run(self) {
        let mut incoming = Incoming::new();
        let mut sending = MultiHeaders::preallocate(BATCH, None);
        let mut outgoing = Vec::with_capacity(BATCH);
        while self.wait() {
            loop {
                match incoming.receive(&self.socket) {
                    Ok(()) => {}
                    Err(Errno::EAGAIN) => break,
                    // An ICMP error of an earlier answer, or a signal: the next call is another.
                    Err(Errno::EINTR | Errno::ECONNREFUSED) => continue,
                    Err(error) => {
                        tracing::debug!(%error, "TURN socket");
                        std::thread::sleep(BREATH);
                        break;
                    }
                }
                self.decide(&incoming, &mut outgoing);
                self.send(&incoming, &outgoing, &mut sending);
                outgoing.clear();
                if !incoming.is_full() {
                    break;
                }
            }
        }
    }

    /// Until a datagram is there; false when it is over.
    fn wait(&self) -> bool {
        let mut files =
            [PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&self.stopped, PollFlags::IN)];
        poll(&mut files, None).ok();
        files[1].revents().is_empty()
    }

    fn decide(&self, incoming: &Incoming, outgoing: &mut Vec<(usize, Outgoing)>) {
        let now = clock::now();
        let mut core = self.server.core();
        for (index, (address, bytes)) in incoming.datagrams().enumerate() {
            let from = Client { path: Path::Datagram(self.number), address };
            outgoing.extend(core.receive(from, bytes, now).map(|out| (index, out)));
        }
    }

    fn send(
        &self,
        incoming: &Incoming,
        outgoing: &[(usize, Outgoing)],
        headers: &mut MultiHeaders<SockaddrStorage>,
    ) {
        let here = Path::Datagram(self.number);
        let mut slices = Vec::with_capacity(outgoing.len());
        let mut addresses = Vec::with_capacity(outgoing.len());
        for (index, out) in outgoing {
            let received = incoming.bytes(*index);
            if out.to.path == here {
                slices.push([
                    IoSlice::new(out.head.as_slice()),
                    IoSlice::new(&received[out.body.clone()]),
                    IoSlice::new(&[0; 3][..out.padding]),
                ]);
                addresses.push(Some(SockaddrStorage::from(out.to.address)));
            } else {
                self.server.send(out, received);
            }
        }
        let mut sent = 0;
        while sent < slices.len() {
            let flags = MsgFlags::MSG_DONTWAIT;
            let result = sendmmsg(
                self.socket.as_raw_fd(),
                headers,
                &slices[sent..],
                &addresses[sent..],
                [],
                flags,
            );
            match result.map(Iterator::count) {
                Ok(count) => sent += count.max(1),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                // That one address cannot be reached; the others can.
                Err(_) => sent += 1,
            }
        }
    }
}

/// A batch of received datagrams, in memory that is used again.
struct Incoming {
    headers: MultiHeaders<SockaddrStorage>,
    memory: Vec<u8>,
    received: Vec<(SocketAddr, usize)>,
}

impl Incoming {
    fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(BATCH, None),
            memory: vec![0; BATCH * DATAGRAM_BYTES],
            received: Vec::with_capacity(BATCH),
        }
    }

    fn receive(&mut self, socket: &UdpSocket) -> Result<(), Errno> {
        self.received.clear();
        let mut pieces = self.memory.chunks_exact_mut(DATAGRAM_BYTES);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(pieces.next().unwrap_or_default())]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let messages = recvmmsg(socket.as_raw_fd(), &mut self.headers, &mut slices, flags, None)?;
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        self.received
            .extend(messages.map(|m| (m.address.as_ref().and_then(plain).unwrap_or(unknown), m.bytes)));
        Ok(())
    }

    /// Whether more may wait; otherwise the next call would find nothing.
    fn is_full(&self) -> bool {
        self.received.len() == BATCH
    }

    fn bytes(&self, index: usize) -> &[u8] {
        let start = index * DATAGRAM_BYTES;
        &self.memory[start..start + self.received[index].1]
    }

    fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let numbered = self.received.iter().enumerate();
        numbered.map(|(index, (address, _))| (*address, self.bytes(index)))
    }
}

fn plain(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
