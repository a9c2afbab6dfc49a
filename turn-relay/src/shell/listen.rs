//! The relay's own listener: accept, TLS, then [`Relay::serve_admitted`].
//!
//! Used by `tasuki-relay`; a server that shares its port owns its listener and
//! calls [`Relay::serve_connection`]. It accepts and never connects (T49).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tasuki_protocol::ticket::RELAY_ALPN;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::relay::{Admission, Relay};

/// How long to leave the listener alone when the system has no more sockets.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts until the future is dropped, which closes every connection. `most`
/// bounds the sockets open at once, whatever their stage; further ones are
/// closed at accept.
pub async fn serve(relay: Arc<Relay>, listener: TcpListener, tls: Arc<ServerConfig>, most: usize) {
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
        let (relay, acceptor) = (Arc::clone(&relay), acceptor.clone());
        serving.spawn(async move {
            handshake(&relay, admission, &acceptor, stream, peer).await;
            drop(place);
        });
    }
}

async fn handshake(
    relay: &Arc<Relay>,
    mut admission: Admission,
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let accepted = tokio::select! {
        accepted = acceptor.accept(stream) => accepted,
        () = admission.dropped() => return,
    };
    match accepted {
        Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(RELAY_ALPN) => {
            relay.serve_admitted(admission, stream).await;
        }
        Ok(_) => tracing::debug!(%peer, "closed: no tasuki-relay/1 in ALPN"),
        Err(error) => tracing::debug!(%peer, %error, "the TLS handshake failed"),
    }
}
