//! Which of the machine's ports a server takes, and what it says where one is not to be had.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, UdpSocket};

use super::config::Stun;
use super::fault::Fault;

/// Where a server stands that shares its machine with nobody's tests.
const HTTPS_PORT: u16 = 443;
/// RFC 8489 §17.3.
const STUN_PORT: u16 = 3478;

pub(super) async fn listen(
    asked: Option<SocketAddr>,
    port: u16,
) -> Result<(TcpListener, SocketAddr), Fault> {
    let listener = bind(asked, port).await?;
    let address = listener.local_addr().map_err(|error| cannot(port, &error))?;
    Ok((listener, address))
}

async fn bind(asked: Option<SocketAddr>, port: u16) -> Result<TcpListener, Fault> {
    if let Some(address) = asked {
        return TcpListener::bind(address).await.map_err(|error| cannot_at(address, &error));
    }
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match TcpListener::bind(everywhere).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(cannot(port, &error)),
        // A machine without IPv6.
        Err(_) => {
            let address = SocketAddr::from(([0, 0, 0, 0], port));
            TcpListener::bind(address).await.map_err(|error| cannot(port, &error))
        }
    }
}

/// An address that was asked for must be had; the server's own is a bonus, and so is
/// STUN's registered port beside it, by which an end learns its kind of translation.
pub(super) async fn stun_sockets(stun: Stun, server: SocketAddr) -> Result<Vec<UdpSocket>, Fault> {
    match stun {
        Stun::At(address) => {
            let bound = UdpSocket::bind(address).await.map_err(|error| cannot_at(address, &error))?;
            Ok(vec![bound])
        }
        Stun::BesideTheServer => {
            let bound = UdpSocket::bind(server).await;
            if let Err(error) = &bound {
                tracing::warn!(%server, %error, "no STUN here: sessions may be relayed more often");
            }
            let mut sockets: Vec<UdpSocket> = bound.into_iter().collect();
            if server.port() == HTTPS_PORT {
                let registered = SocketAddr::new(server.ip(), STUN_PORT);
                let bound = UdpSocket::bind(registered).await;
                if let Err(error) = &bound {
                    tracing::warn!(%registered, %error, "no STUN here: doctor tells networks apart less well");
                }
                sockets.extend(bound);
            }
            Ok(sockets)
        }
        Stun::Off => Ok(Vec::new()),
    }
}

fn cannot(port: u16, error: &std::io::Error) -> Fault {
    cannot_at(SocketAddr::from(([0, 0, 0, 0], port)), error)
}

fn cannot_at(address: SocketAddr, error: &std::io::Error) -> Fault {
    if error.kind() == ErrorKind::AddrInUse {
        return Fault::AddressTaken(address);
    }
    Fault::CannotListen { address, kind: error.kind() }
}
