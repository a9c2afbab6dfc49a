//! The relay's own listener: accept, TLS, then [`Relay::serve_admitted`], or TURN by its name in ALPN.
//!
//! Used by `tasuki-relay`; a server that shares its port owns its listener and
//! calls [`Relay::serve_connection`]. It accepts and never connects (T49).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tasuki_protocol::ticket::RELAY_ALPN;
use tasuki_protocol::turn::TURN_ALPN;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::relay::{Admission, Relay};
use super::turn::{TurnServer, serve_stream};

/// How long to leave the listener alone when the system has no more sockets.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts until the future is dropped, which closes every connection. `most`
/// bounds the sockets open at once, whatever their stage; further ones are
/// closed at accept.
pub async fn serve(
    relay: Arc<Relay>,
    turn: Option<Arc<TurnServer>>,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    most: usize,
) {
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(most));
    let mut serving = JoinSet::new();
    loop {
        while serving.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::debug!("too many sockets: closed at accept");
            continue;
        };
        let admission = relay.admit(peer);
        let (relay, turn, acceptor) = (Arc::clone(&relay), turn.clone(), acceptor.clone());
        serving.spawn(async move {
            if let Some(stream) = handshake(&relay, admission, &acceptor, stream, peer).await
                && let Some(turn) = turn
            {
                serve_stream(turn, stream, peer).await;
            }
            drop(place);
        });
    }
}

/// Serves a relay connection to its end; gives a TURN connection back.
async fn handshake(
    relay: &Arc<Relay>,
    mut admission: Admission,
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<TlsStream<TcpStream>> {
    let accepted = tokio::select! {
        accepted = acceptor.accept(stream) => accepted,
        () = admission.dropped() => return None,
    };
    match accepted {
        Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(RELAY_ALPN) => {
            relay.serve_admitted(admission, stream).await;
        }
        // The lobby's place is given back: a TURN connection is counted by its own server.
        Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(TURN_ALPN) => return Some(stream),
        Ok(_) => tracing::debug!(%peer, "closed: no tasuki-relay/1 in ALPN"),
        Err(error) => tracing::debug!(%peer, %error, "the TLS handshake failed"),
    }
    None
}
