//! TURN over TCP and TLS, told apart by the first byte of a connection.
//!
//! A connection without an allocation lives for the owner's patience at most, whatever it says; one that
//! does not take what is sent to it is closed, and its allocation with it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tasuki_protocol::turn::TURN_ALPN;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Place, TurnServer, clock};
use crate::core::turn::stream::{MOST_MESSAGE_BYTES, message_length};
use crate::shell::sockets;

/// How long a connection may take to take in one message.
const SLOWEST_WRITE: Duration = Duration::from_secs(10);
const BREATH: Duration = Duration::from_millis(100);
/// The window offered to a sender, in bytes.
const RECEIVE_BUFFER: usize = 128 * 1024;
/// Of a TLS record that begins a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Accepts until the future is dropped, which closes every connection.
pub async fn serve_streams(server: Arc<TurnServer>, listener: TcpListener, tls: Arc<ServerConfig>) {
    let mut tls = (*tls).clone();
    tls.alpn_protocols = vec![TURN_ALPN.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let mut serving = JoinSet::new();
    loop {
        while serving.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a TURN connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Some(place) = server.place(peer) else {
            tracing::debug!("too many TURN connections: closed at accept");
            continue;
        };
        serving.spawn(greet(place, acceptor.clone(), stream));
    }
}

async fn greet(place: Place, acceptor: TlsAcceptor, stream: TcpStream) {
    if sockets::prepare(&stream, RECEIVE_BUFFER).is_err() {
        return;
    }
    let mut first = [0];
    let patience = place.server.patience;
    match tokio::time::timeout(patience, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == TLS_HANDSHAKE => {
            if let Ok(Ok(stream)) = tokio::time::timeout(patience, acceptor.accept(stream)).await {
                serve_placed(place, stream).await;
            }
        }
        Ok(Ok(1)) => serve_placed(place, stream).await,
        Ok(Ok(_) | Err(_)) | Err(_) => {}
    }
}

/// Serves one connection whose owner has seen that ALPN chose `stun.turn`.
pub async fn serve_stream<S>(server: Arc<TurnServer>, stream: S, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(place) = server.place(peer) {
        serve_placed(place, stream).await;
    }
}

async fn serve_placed<S: AsyncRead + AsyncWrite + Unpin>(mut place: Place, mut stream: S) {
    let mut bytes = vec![0; MOST_MESSAGE_BYTES];
    let mut filled = 0;
    let mut look = tokio::time::interval(place.server.patience);
    look.reset();
    loop {
        tokio::select! {
            read = stream.read(&mut bytes[filled..]) => match read {
                Ok(read) if read > 0 => {
                    filled += read;
                    let Some(taken) = take(&place, &bytes[..filled]) else { return };
                    bytes.copy_within(taken..filled, 0);
                    filled -= taken;
                }
                Ok(_) | Err(_) => return,
            },
            Some(message) = place.outgoing.recv() => {
                let written = write(&mut stream, &mut place, message);
                // The other direction is read in between, however much waits.
                if !matches!(tokio::time::timeout(SLOWEST_WRITE, written).await, Ok(Ok(()))) {
                    return;
                }
            }
            _ = look.tick() => {
                if !place.server.core().holds(&place.client, clock::now().instant) {
                    return;
                }
            }
        }
    }
}

/// Every whole message; gives how many bytes they had, `None` where the stream is no TURN.
fn take(place: &Place, bytes: &[u8]) -> Option<usize> {
    let mut taken = 0;
    while let Some(length) = message_length(&bytes[taken..]).ok()?
        && let Some(message) = bytes[taken..].get(..length)
    {
        place.server.take(place.client, message);
        taken += length;
    }
    Some(taken)
}

/// What waits by now goes with it in one flush, each message as a TLS record of its own: there
/// are clients that take a record for a message.
async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    place: &mut Place,
    message: Vec<u8>,
) -> io::Result<()> {
    stream.write_all(&message).await?;
    for _ in 0..place.outgoing.len() {
        let Ok(more) = place.outgoing.try_recv() else { break };
        stream.write_all(&more).await?;
    }
    stream.flush().await
}
