//! Puts a server together from its folder and configuration, and runs it.
//!
//! Also the way for tests to have a real server in their own process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ledger::wire::EndTicketKey;
use tasuki_protocol::policy::decide::ServerLimits;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::ticket::TicketKey;
use tasuki_turn_relay::{
    OwnAddresses, Relay, StunRate, TurnServer, TurnSettings, serve_datagrams, serve_stun,
};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accounts::Accounts;
use super::acme::{Acme, Challenge};
use super::clock;
use super::config::{Config, Metering, Relaying};
use super::desk::Desk;
use super::fault::Fault;
use super::folder::{DATABASE, Facts, Folder, Keys};
use super::health::Health;
use super::in_force::Given;
use super::kept;
use super::ledger::{Ledger, Opening};
use super::ledger_cut::is_cut;
use super::listen::{Door, Guests, SharedTls, accept};
use super::metrics::Metrics;
use super::names::Names;
use super::passwords::Passwords;
use super::policies::Policies;
use super::ports::{listen, stun_sockets};
use super::store::Store;
use super::store_fault;
use super::strangers::Strangers;
use super::tls::{self, Pair, Tls};
use super::trust::Trust;
use super::web::{Readings, Refusals, Site, router};
use crate::core::issue::{Issuer, RelayPlace};
use crate::core::rooms::Rooms;

/// How long connections may take to hear that the server stops.
const FAREWELL: Duration = Duration::from_secs(3);
/// A server that runs until [`Running::shut_down`], or until this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stun: Option<SocketAddr>,
    fingerprint: Digest,
    url: String,
    desk: Arc<Desk>,
    guests: Arc<Guests>,
    store: Store,
    ledger: Ledger,
    accounts: Accounts,
    trust: Arc<Trust>,
    tasks: Vec<JoinHandle<()>>,
    accepting: JoinHandle<()>,
    metrics: Option<SocketAddr>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Where it listens; the port is the real one also if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn stun_address(&self) -> Option<SocketAddr> {
        self.stun
    }

    /// Where metrics are offered, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// SHA-256 of the certificate's public key.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// By which everybody reaches it, if it stands where `setup` was told that it would.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leaves in the folder what this server runs with, for `doctor`.
    pub(crate) fn tell_settings(&self, given: &Given) {
        if let Err(fault) = self.trust.folder.keep_in_force(given) {
            tracing::warn!(%fault, "doctor will not know this server's settings");
        }
    }

    /// Whether the tenant's keys are here; until then no session is served.
    pub fn is_initialised(&self) -> bool {
        self.trust.bundle().is_some()
    }

    /// Password hashes computed since the start: each login costs exactly one (T52).
    pub fn hashes(&self) -> u64 {
        self.accounts.passwords.hashes()
    }

    /// Stops listening, answers what was asked, hangs up on everybody, closes the database;
    /// takes a few seconds at most. Sessions whose ends have a path of their own go on.
    pub async fn shut_down(mut self) {
        self.stop.send(true).ok();
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.desk.close();
        self.guests.all_gone(FAREWELL).await;
        self.accepting.abort();
        self.ledger.close().await;
        self.store.keep_steady(&self.accounts.clock).await.ok();
        self.store.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.accepting.abort();
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
    let store = open_store(folder.database()).await?;
    let trust = Arc::new(Trust::load(Arc::clone(&folder), facts.clone(), store.clone()).await?);
    let keys = trust.keys()?;
    let (tls, policies) = (tls::load(&folder)?, policies(&store, &keys, &facts));
    let (relay_key, turn_key) = keys_of_relay(&config, &keys);
    let mut issuer = issuer(&config, &keys, &policies, &folder).await?;
    let (listener, address) = listen(config.listen, facts.port)?;
    let stun = stun_sockets(config.stun, address).await?;
    let stun_address = stun.first().and_then(|socket| socket.local_addr().ok());
    let (turn, answering) = answering(stun, turn_key, config.turn_address, &mut issuer.relays)?;
    let opening = opening(&keys, &facts, trust.bundle().as_deref());
    let (ledger, scribe) = Ledger::open(store.clone(), opening).await?;
    let (limits, rooms) = (issuer.limits, rooms(&config, issuer, &store, &folder).await?);
    let (metrics, refusals) = (Arc::new(Metrics::default()), Refusals::default());
    let desk = Desk::start(rooms, ledger.clone(), scribe, Arc::clone(&metrics));
    ledger.begin().await;
    let accounts = accounts(&config, &keys, &store, (&facts, &trust)).await?;
    kept::remember(&desk, &accounts).await?;
    let (fingerprint, kept) = (tls.fingerprint, accounts.clone());
    let (tls, challenge, mut tasks) = certificates(tls, &config, (&folder, &facts, &metrics))?;
    let site = Site {
        desk: Arc::clone(&desk),
        accounts,
        ledger: ledger.clone(),
        readings: Readings::default(),
        refusals,
        policies,
        limits,
        trust: Arc::clone(&trust),
        tls: tls.clone(),
        rules: config.sockets,
        proxies: config.proxies.clone(),
        renewing: tokio::sync::Mutex::new(()),
    };
    let (guests, (stop, stopping)) = (Guests::new(&config.sockets), watch::channel(false));
    let health = health_of((&desk, &guests, &metrics), &store, &folder);
    let door = Door {
        rules: config.sockets,
        tls,
        challenge,
        router: router(Arc::new(site), Arc::clone(&health)),
        relay: relay_key.map(|key| Relay::new(tasuki_turn_relay::Settings::default(), key)),
        guests: Arc::clone(&guests),
        turn,
        metrics,
        stopping,
    };
    let accepting = tokio::spawn(accept(listener, Arc::new(door)));
    let (metrics, measuring) = measure(&config, health).await.unzip();
    tasks.extend(measuring.into_iter().chain(answering).chain(upkeep(&kept, &ledger)));
    #[rustfmt::skip]
    let running = Running {
        address, stun: stun_address, fingerprint, url: facts.url(), desk, guests, store, ledger, accounts: kept, trust, tasks,
        accepting, metrics, stop,
    };
    Ok(running)
}

/// What comes round as long as the server runs.
fn upkeep(accounts: &Accounts, ledger: &Ledger) -> [JoinHandle<()>; 2] {
    let counting = accounts.store.clone().keep_steady_going(accounts.clock.clone());
    [tokio::spawn(ledger.clone().watch_machine()), tokio::spawn(counting)]
}

/// Newer certificates are taken from their file, and asked for where the settings name an authority.
fn certificates(
    tls: Tls,
    config: &Config,
    (folder, facts, metrics): (&Arc<Folder>, &Facts, &Arc<Metrics>),
) -> Result<(SharedTls, Challenge, Tasks), Fault> {
    let (tls, challenge) = (SharedTls::new(tls), Challenge::default());
    let acme = config.acme.rules().map(|rules| Acme {
        rules,
        host: facts.host.clone(),
        folder: Arc::clone(folder),
        tls: tls.clone(),
        challenge: challenge.clone(),
        metrics: Arc::clone(metrics),
    });
    acme.as_ref().map_or(Ok(()), Acme::check)?;
    let mut tasks = vec![tokio::spawn(tls.clone().keep_fresh())];
    tasks.extend(acme.map(|acme| tokio::spawn(acme.keep_certified())));
    Ok((tls, challenge, tasks))
}

/// A ledger that lost records takes no new ones: whatever it said would be refused by who saw more.
async fn open_store(database: PathBuf) -> Result<Store, Fault> {
    let store = Store::open(&database).await?;
    match is_cut(&store.pool).await {
        Ok(false) => Ok(store),
        Ok(true) => Err(Fault::LedgerCut(database)),
        Err(error) => Err(store_fault::of_database(&error, &database)),
    }
}

/// Of the relay inside, if there is one, and of TURN, if it may answer.
fn keys_of_relay(config: &Config, keys: &Keys) -> (Option<TicketKey>, Option<TicketKey>) {
    let relay = (config.relay == Relaying::Embedded).then(|| keys.ticket.clone());
    let turn = relay.clone().filter(|_| !config.turn_address.is_empty());
    (relay, turn)
}

fn health_of(
    (desk, guests, metrics): (&Arc<Desk>, &Arc<Guests>, &Arc<Metrics>),
    store: &Store,
    folder: &Folder,
) -> Arc<Health> {
    let certificate = folder.file(Pair::IN_USE.certificate);
    let around = (Arc::clone(desk), Arc::clone(guests), Arc::clone(metrics));
    Health::new(around, store.clone(), folder.path().to_owned(), certificate)
}

async fn issuer(
    config: &Config,
    keys: &Keys,
    policies: &Policies,
    folder: &Folder,
) -> Result<Issuer, Fault> {
    let damaged = || Fault::DatabaseDamaged(folder.database());
    let policy = policies.current().await.map_err(|_| damaged())?.ok_or_else(damaged)?;
    let relays = match &config.relay {
        Relaying::Elsewhere(relays) => relays.clone(),
        Relaying::Embedded | Relaying::Nowhere => Vec::new(),
    };
    Ok(Issuer {
        tenant: policies.tenant,
        manifest_key: keys.manifest.clone(),
        ticket_key: (config.relay != Relaying::Nowhere).then(|| keys.ticket.clone()),
        relays,
        limits: ServerLimits {
            address_disclosure: config.address_disclosure,
            length_s: config.session_length.as_secs(),
        },
        policy,
        end_tickets: EndTicketKey::new(&ticket_seed(keys)),
    })
}

fn policies(store: &Store, keys: &Keys, facts: &Facts) -> Policies {
    Policies { store: store.clone(), names: Names::new(&keys.names), tenant: facts.tenant }
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

async fn accounts(
    config: &Config,
    keys: &Keys,
    store: &Store,
    (facts, trust): (&Facts, &Arc<Trust>),
) -> Result<Accounts, Fault> {
    let decoy = clock::random()?;
    let damaged = |_| Fault::DatabaseDamaged(PathBuf::from(DATABASE));
    let names = Names::new(&keys.names);
    store.fill_looks(&names).await.map_err(damaged)?;
    Ok(Accounts {
        store: store.clone(),
        names,
        passwords: Passwords::new(keys.pepper.clone(), config.accounts.cost, &decoy)?,
        strangers: Strangers::new(&config.accounts),
        rules: config.accounts.clone(),
        clock: store.steady().await.map_err(damaged)?,
        trust: Arc::clone(trust),
        tenant: facts.tenant,
        organisation: facts.organisation.clone(),
    })
}

/// Metrics are a bonus: where their port is taken, the server works without them.
async fn measure(config: &Config, health: Arc<Health>) -> Option<(SocketAddr, JoinHandle<()>)> {
    let Metering::At(address) = config.metrics else { return None };
    let bound = TcpListener::bind(address).await;
    if let Err(error) = &bound {
        tracing::warn!(%address, %error, "no metrics here: set `metrics` to a free address, or off");
    }
    let listener = bound.ok()?;
    let address = listener.local_addr().ok()?;
    let serving = super::metrics::serve(listener, health, config.sockets.first_message);
    Some((address, tokio::spawn(serving)))
}

type Tasks = Vec<JoinHandle<()>>;

/// STUN alone, or TURN with it where the relay is inside and knows its own address; legs say so.
fn answering(
    sockets: Vec<UdpSocket>,
    turn_key: Option<TicketKey>,
    own: OwnAddresses,
    places: &mut Vec<RelayPlace>,
) -> Result<(Option<Arc<TurnServer>>, Tasks), Fault> {
    let Some(key) = turn_key else {
        let answering = sockets.into_iter().map(|socket| serve_stun(socket, StunRate::default()));
        return Ok((None, answering.map(tokio::spawn).collect()));
    };
    let port = sockets.first().and_then(|socket| socket.local_addr().ok());
    places.extend(port.map(|stun| RelayPlace::inside(stun.port())));
    let sockets: Vec<_> = sockets.into_iter().filter_map(|socket| socket.into_std().ok()).collect();
    let numbers = 0..sockets.len() as u16;
    let settings = TurnSettings { own, ..TurnSettings::default() };
    let turn = TurnServer::new(settings, key, sockets).map_err(|_| Fault::NoRandomness)?;
    let serving = numbers.map(|number| tokio::spawn(serve_datagrams(Arc::clone(&turn), number)));
    let serving = serving.collect();
    Ok((Some(turn), serving))
}
