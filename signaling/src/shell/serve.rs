//! Puts a server together from its folder and configuration, and runs it.
//!
//! Also the way for tests to have a real server in their own process.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::wire::EndTicketKey;
use tasuki_protocol::seed::Seed;
use tasuki_turn_relay::{Relay, StunRate, serve_stun};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use super::accounts::Accounts;
use super::clock;
use super::config::{Config, Relaying, Stun};
use super::desk::Desk;
use super::fault::Fault;
use super::folder::{DATABASE, Facts, Folder, Keys};
use super::ledger::{Ledger, Opening};
use super::listen::{Door, Guests, SharedTls, accept};
use super::names::Names;
use super::passwords::Passwords;
use super::store::Store;
use super::tls;
use super::trust::Trust;
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
    ledger: Ledger,
    passwords: Passwords,
    trust: Arc<Trust>,
    tasks: Vec<JoinHandle<()>>,
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

    /// Whether the tenant's keys are here; until then no session is served.
    pub fn is_initialised(&self) -> bool {
        self.trust.bundle().is_some()
    }

    /// Password hashes computed since the start: each login costs exactly one (T52).
    pub fn hashes(&self) -> u64 {
        self.passwords.hashes()
    }

    /// Stops listening, hangs up on everybody, closes the database.
    pub async fn shut_down(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.desk.close();
        self.guests.all_gone(FAREWELL).await;
        note(&self.ledger, Entry::server(Event::ServerStopped)).await;
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
    let folder = Arc::new(Folder::open(data)?);
    let facts = folder.facts()?;
    let store = Store::open(&folder.database()).await?;
    let trust = Arc::new(Trust::load(Arc::clone(&folder), facts.clone(), store.clone()).await?);
    let keys = keys_of(&folder, trust.bundle().as_deref())?;
    let tls = tls::load(&folder)?;
    let relay_key = (config.relay == Relaying::Embedded).then(|| keys.ticket.clone());
    let issuer = issuer(&config, &keys, &facts);
    let listener = listen(config.listen, facts.port).await?;
    let address = listener.local_addr().map_err(|error| cannot(facts.port, &error))?;
    let stun = stun_sockets(config.stun, address).await?;
    let opening = opening(&keys, &facts, trust.bundle().as_deref());
    let (ledger, scribe) = Ledger::open(store.clone(), opening).await?;
    let rooms = rooms(&config, issuer, &store, &folder).await?;
    let desk = Desk::start(rooms, ledger.clone(), scribe);
    note(&ledger, started()).await;
    let accounts = accounts(&config, &keys, &store, &facts).await?;
    let passwords = accounts.passwords.clone();
    let shared_tls = SharedTls::new(tls.config);
    let site = Arc::new(Site {
        desk: Arc::clone(&desk),
        accounts,
        ledger: ledger.clone(),
        readings: Readings::default(),
        trust: Arc::clone(&trust),
        tls: shared_tls.clone(),
        rules: config.sockets,
        proxies: config.proxies,
    });
    let guests = Guests::new(&config.sockets);
    let door = Arc::new(Door {
        rules: config.sockets,
        tls: shared_tls,
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
        ledger,
        passwords,
        trust,
        tasks,
    })
}

/// The server's keys, once those are in use that `bundle` names: a stop between a bundle and
/// its keys is made good here.
fn keys_of(folder: &Folder, bundle: Option<&Bundle>) -> Result<Keys, Fault> {
    let Some(bundle) = bundle else { return folder.keys() };
    folder.adopt(bundle, &folder.prepared()?)?;
    let keys = folder.keys()?;
    if bundle.manifest_keys.contains(&keys.manifest_key()) {
        Ok(keys)
    } else {
        Err(Fault::KeyDamaged(folder.file("manifest.key")))
    }
}

fn issuer(config: &Config, keys: &Keys, facts: &Facts) -> Issuer {
    let elsewhere = match &config.relay {
        Relaying::Elsewhere(relays) => relays.clone(),
        Relaying::Embedded | Relaying::Nowhere => Vec::new(),
    };
    Issuer {
        tenant: facts.tenant,
        manifest_key: keys.manifest.clone(),
        ticket_key: (config.relay != Relaying::Nowhere).then(|| keys.ticket.clone()),
        relays: elsewhere,
        address_disclosure: config.address_disclosure,
        length_s: config.session_length.as_secs(),
        end_tickets: EndTicketKey::new(&ticket_seed(keys)),
    }
}

fn opening(keys: &Keys, facts: &Facts, bundle: Option<&Bundle>) -> Opening {
    Opening {
        tenant: facts.tenant,
        log_keys: bundle.map(|bundle| bundle.log_keys.clone()).unwrap_or_default(),
        checkpoint_key: keys.checkpoint.clone(),
        ticket_seed: ticket_seed(keys),
        names: Names::new(&keys.names),
    }
}

/// Of a key that is never rotated, so that ends can deliver what an earlier run let them.
fn ticket_seed(keys: &Keys) -> Seed {
    Seed::from_bytes(keys.names.0).child("ledger tickets")
}

fn started() -> Entry {
    Entry::server(Event::ServerStarted { version: env!("CARGO_PKG_VERSION").to_owned() })
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

/// A ledger that cannot be written starts no session; it keeps no server from running.
async fn note(ledger: &Ledger, entry: Entry) {
    if let Err(why) = ledger.append(entry).await {
        tracing::error!(?why, "the ledger took no record of the server's start or stop");
    }
}

async fn accounts(
    config: &Config,
    keys: &Keys,
    store: &Store,
    facts: &Facts,
) -> Result<Accounts, Fault> {
    let decoy = clock::random()?;
    let damaged = |_| Fault::DatabaseDamaged(PathBuf::from(DATABASE));
    Ok(Accounts {
        store: store.clone(),
        names: Names::new(&keys.names),
        passwords: Passwords::new(keys.pepper.clone(), config.accounts.cost, &decoy)?,
        rules: config.accounts.clone(),
        clock: store.steady().await.map_err(damaged)?,
        tenant: facts.tenant,
        organisation: facts.organisation.clone(),
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
