//! Which of the machine's ports a server takes, and what it says where one is not to be had.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, UdpSocket};

use super::config::Stun;
use super::fault::Fault;

/// Where a server stands that shares its machine with nobody's tests.
const HTTPS_PORT: u16 = 443;
/// RFC 8489 §17.3.
const STUN_PORT: u16 = 3478;

/// How many may have knocked and not been let in yet. Whoever finds no room here is not told, and
/// knocks again after 1, 3 and 7 s: too late for who signs in while everybody comes back (F14).
/// The system has a limit of its own (`net.core.somaxconn`, 4096).
const KNOCKING: u32 = 4096;

pub(super) fn listen(asked: Option<SocketAddr>, port: u16) -> Result<(TcpListener, SocketAddr), Fault> {
    let listener = bind(asked, port)?;
    let address = listener.local_addr().map_err(|error| cannot(port, &error))?;
    Ok((listener, address))
}

fn bind(asked: Option<SocketAddr>, port: u16) -> Result<TcpListener, Fault> {
    if let Some(address) = asked {
        return listen_at(address).map_err(|error| cannot_at(address, &error));
    }
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match listen_at(everywhere) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(cannot(port, &error)),
        // A machine without IPv6.
        Err(_) => {
            let address = SocketAddr::from(([0, 0, 0, 0], port));
            listen_at(address).map_err(|error| cannot(port, &error))
        }
    }
}

fn listen_at(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that was stopped a moment ago does not keep its port from the next one.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(KNOCKING)
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
