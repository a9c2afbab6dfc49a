//! From the bundle's address to a TLS stream under the pinned key (S72).
//!
//! Decides which failure of name, port or key is told as what.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::fault::Fault;
use super::tls;
use super::trust::Trust;

/// What every conversation with the server runs over.
pub(super) type Stream = TlsStream<TcpStream>;

const HTTP_ALPN: &[u8] = b"http/1.1";
const CONNECT: Duration = Duration::from_secs(10);

/// Where `stream` leads.
pub(super) fn place(stream: &Stream) -> Option<SocketAddr> {
    stream.get_ref().0.peer_addr().ok()
}

/// `host:port`, an IPv6 host in brackets.
pub(super) fn address(trust: &Trust) -> String {
    let (host, port) = (&trust.bundle.host, trust.bundle.port);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// # Errors
/// See [`Fault`]: unknown host, closed port, no answer, wrong key, no TLS.
pub(super) async fn open(trust: &Trust) -> Result<Stream, Fault> {
    let late = |_| Fault::Unreachable { address: address(trust), why: "it does not answer".to_owned() };
    let tcp = tokio::time::timeout(CONNECT, connect(trust)).await.map_err(late)??;
    tokio::time::timeout(CONNECT, secure(trust, tcp)).await.map_err(late)?
}

async fn connect(trust: &Trust) -> Result<TcpStream, Fault> {
    let bundle = &trust.bundle;
    let found = tokio::net::lookup_host((bundle.host.as_str(), bundle.port)).await;
    let unknown = |_| Fault::UnknownHost { host: bundle.host.clone() };
    let mut last = Fault::UnknownHost { host: bundle.host.clone() };
    for place in found.map_err(unknown)? {
        match TcpStream::connect(place).await {
            Ok(tcp) => {
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(why) if why.kind() == ErrorKind::ConnectionRefused => {
                last = Fault::PortClosed { address: address(trust) };
            }
            Err(why) => last = Fault::Unreachable { address: address(trust), why: why.to_string() },
        }
    }
    Err(last)
}

async fn secure(trust: &Trust, tcp: TcpStream) -> Result<Stream, Fault> {
    let host = &trust.bundle.host;
    let name =
        ServerName::try_from(host.clone()).map_err(|_| Fault::UnknownHost { host: host.clone() })?;
    let config = tls::client_config(&trust.bundle.server_pins, HTTP_ALPN);
    TlsConnector::from(config).connect(name, tcp).await.map_err(|why| tls_fault(trust, &why))
}

fn tls_fault(trust: &Trust, why: &std::io::Error) -> Fault {
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        _ if tls::is_other_server_key(why) => Fault::WrongServerKey { host: trust.bundle.host.clone() },
        Some(_) => Fault::NotTasuki { address: address(trust) },
        None if why.kind() == ErrorKind::UnexpectedEof => Fault::NotTasuki { address: address(trust) },
        None => Fault::Unreachable { address: address(trust), why: why.to_string() },
    }
}
