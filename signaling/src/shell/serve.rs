//! Puts a server together from its folder and configuration, and runs it.
//!
//! Also the way for tests to have a real server in their own process.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest};
use tasuki_protocol::ledger::wire::EndTicketKey;
use tasuki_protocol::seed::Seed;
use tasuki_turn_relay::{Relay, StunRate, serve_stun};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::accounts::Accounts;
use super::clock;
use super::config::{Config, Relaying, Stun};
use super::desk::Desk;
use super::fault::Fault;
use super::folder::{Folder, Keys};
use super::ledger::{Ledger, Opening};
use super::listen::{Door, Guests, accept};
use super::names::Names;
use super::passwords::Passwords;
use super::store::Store;
use super::tls;
use super::web::{Readings, Site, router};
use crate::core::issue::Issuer;
use crate::core::rooms::Rooms;

/// How long connections may take to hear that the server stops.
const FAREWELL: Duration = Duration::from_secs(3);
/// Where a server stands that shares its machine with nobody's tests.
const HTTPS_PORT: u16 = 443;
/// RFC 8489 §17.3.
const STUN_PORT: u16 = 3478;

/// A server that runs until [`Running::shut_down`], or until this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stun: Option<SocketAddr>,
    fingerprint: Digest,
    desk: Arc<Desk>,
    guests: Arc<Guests>,
    store: Store,
    tasks: Vec<JoinHandle<()>>,
    _folder: Folder,
}

impl Running {
    /// Where it listens; the port is the real one also if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn stun_address(&self) -> Option<SocketAddr> {
        self.stun
    }

    /// SHA-256 of the certificate's public key.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Stops listening, hangs up on everybody, closes the database.
    pub async fn shut_down(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.desk.close();
        self.guests.all_gone(FAREWELL).await;
        self.store.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.desk.close();
    }
}

/// Starts the server of the folder `data`. Must be called inside a tokio runtime.
///
/// # Errors
/// See [`Fault`]; nothing runs then.
pub async fn serve(data: &Path, config: Config) -> Result<Running, Fault> {
    let folder = Folder::open(data)?;
    let keys = folder.keys()?;
    let (bundle, envelope) = folder.bundle(&keys)?;
    let tls = tls::load(&folder)?;
    let store = Store::open(&folder.database()).await?;
    let relay_key = (config.relay == Relaying::Embedded).then(|| keys.ticket.clone());
    let elsewhere = match &config.relay {
        Relaying::Elsewhere(relays) => relays.clone(),
        Relaying::Embedded | Relaying::Nowhere => Vec::new(),
    };
    let issuer = Issuer {
        tenant: bundle.tenant,
        manifest_key: keys.manifest.clone(),
        ticket_key: (config.relay != Relaying::Nowhere).then(|| keys.ticket.clone()),
        relays: elsewhere,
        address_disclosure: config.address_disclosure,
        length_s: config.session_length.as_secs(),
        end_tickets: EndTicketKey::new(&Seed::from_bytes(keys.manifest.to_bytes())),
    };
    let listener = listen(config.listen, bundle.port).await?;
    let address = listener.local_addr().map_err(|error| cannot(bundle.port, &error))?;
    let stun = stun_sockets(config.stun, address).await?;
    let (ledger, scribe) = Ledger::open(store.clone(), opening(&keys, &bundle, &envelope)).await?;
    let rooms = rooms(&config, issuer, &store, &folder).await?;
    let desk = Desk::start(rooms, ledger.clone(), scribe);
    let accounts = accounts(&config, &keys, &store, &bundle)?;
    let site = Arc::new(Site {
        desk: Arc::clone(&desk),
        accounts,
        ledger,
        readings: Readings::default(),
        rules: config.sockets,
        bundle: envelope.into(),
    });
    let guests = Guests::new(&config.sockets);
    let door = Arc::new(Door {
        rules: config.sockets,
        tls: TlsAcceptor::from(tls.config),
        router: router(site),
        relay: relay_key.map(|key| Relay::new(tasuki_turn_relay::Settings::default(), key)),
        guests: Arc::clone(&guests),
    });
    let mut tasks =
        vec![tokio::spawn(accept(listener, door)), tokio::spawn(tls.certificate.keep_fresh())];
    let stun_address = stun.first().and_then(|socket| socket.local_addr().ok());
    let answering = stun.into_iter().map(|socket| serve_stun(socket, StunRate::default()));
    tasks.extend(answering.map(tokio::spawn));
    let fingerprint = tls.fingerprint;
    Ok(Running {
        address,
        stun: stun_address,
        fingerprint,
        desk,
        guests,
        store,
        tasks,
        _folder: folder,
    })
}

fn opening(keys: &Keys, bundle: &Bundle, envelope: &[u8]) -> Opening {
    Opening {
        tenant: bundle.tenant,
        root: dsse::open_self_signed::<Bundle>(envelope).map_or(DeviceKey([0; 32]), |(_, root)| root),
        log_keys: Vec::new(),
        checkpoint_key: keys.manifest.clone(),
        names: Names::new(&keys.names),
    }
}

async fn rooms(
    config: &Config,
    issuer: Issuer,
    store: &Store,
    folder: &Folder,
) -> Result<Rooms, Fault> {
    let damaged = |_| Fault::DatabaseDamaged(folder.database());
    let now = clock::now();
    let resting = store.resting().await.map_err(damaged)?;
    let resting = resting.into_iter().map(|(locator, until)| {
        (locator, now.instant + Duration::from_secs(until.saturating_sub(now.unix)))
    });
    Ok(Rooms::new(config.rooms.clone(), issuer, clock::seed()?, resting))
}

fn accounts(config: &Config, keys: &Keys, store: &Store, bundle: &Bundle) -> Result<Accounts, Fault> {
    let decoy = clock::random()?;
    Ok(Accounts {
        store: store.clone(),
        names: Names::new(&keys.names),
        passwords: Passwords::new(keys.pepper.clone(), config.accounts.cost, &decoy),
        rules: config.accounts,
        tenant: bundle.tenant,
        organisation: bundle.organisation.clone(),
    })
}

async fn listen(asked: Option<SocketAddr>, port: u16) -> Result<TcpListener, Fault> {
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
async fn stun_sockets(stun: Stun, server: SocketAddr) -> Result<Vec<UdpSocket>, Fault> {
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
                sockets.extend(UdpSocket::bind(registered).await);
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
