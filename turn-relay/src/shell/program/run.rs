//! Runs `tasuki-relay`: settings, keys, listeners, and the end on a signal.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::error::ErrorKind as ClapKind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use tasuki_protocol::ticket::TicketKey;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::command::{command, flagged, language};
use super::failure::{Failure, Language};
use super::keys;
use super::settings::{Effective, Layers, Source};
use crate::shell::listen::serve;
use crate::shell::relay::Relay;
use crate::shell::stun::serve_stun;
use crate::shell::turn::{TurnServer, serve_datagrams, serve_streams};

/// Files that are no relay connections: logs, listeners, the runtime's own.
const SPARE_FILES: u64 = 64;

/// The whole program; gives its exit code.
pub fn program(arguments: &[String]) -> u8 {
    let variable = |name: &str| std::env::var(name).ok();
    let language = language(arguments, variable);
    match attempt(arguments, language) {
        Ok(()) => 0,
        Err(failure) => {
            writeln!(io::stderr(), "tasuki-relay: {}", failure.sentence(language)).ok();
            failure.exit_code()
        }
    }
}

fn attempt(arguments: &[String], language: Language) -> Result<(), Failure> {
    let matches = match command(language).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion) => {
            return write!(io::stdout(), "{error}").map_err(|error| system(&error));
        }
        Err(error) => {
            return Err(Failure::Usage { detail: usage_detail(&error) });
        }
    };
    let Some((subcommand, matches)) = matches.subcommand() else {
        return Err(Failure::Usage { detail: String::new() });
    };
    let mut layers = Layers::defaults();
    if let Some(file) = matches.get_one::<String>("config") {
        layers.read_file(Path::new(file))?;
    }
    layers.read_environment(|name| std::env::var(name).ok());
    for (name, value) in flagged(matches) {
        layers.set(&name, value, Source::Flag)?;
    }
    match subcommand {
        "config" => print_config(&layers, matches.get_flag("json")),
        _ => run(&layers),
    }
}

fn usage_detail(error: &clap::Error) -> String {
    let said = error.to_string();
    let first = said.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}

fn print_config(layers: &Layers, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = if json {
        let rows = layers.rows().map(|(name, value)| {
            let (value, source) = value.map(|(v, s)| (v.clone(), s.to_string())).unzip();
            serde_json::json!({ "name": name, "value": value, "source": source })
        });
        writeln!(out, "{}", serde_json::Value::from_iter(rows))
    } else {
        layers.rows().try_for_each(|(name, value)| match value {
            Some((value, source)) => writeln!(out, "{name} = {value:?}  # {source}"),
            None => writeln!(out, "# {name} is not set"),
        })
    };
    written.map_err(|error| system(&error))?;
    layers.check()
}

fn run(layers: &Layers) -> Result<(), Failure> {
    let effective = layers.effective()?;
    tracing_subscriber::fmt()
        .with_max_level(layers.log()?)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    // A core dump would hold the ticket key and both ends' ciphertext buffers.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|error| system(&error))?;
    let tls = keys::tls_config(&effective.certificate, &effective.key)?;
    let ticket_key = keys::ticket_key(&effective.ticket_key)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| system(&error))?;
    runtime.block_on(async {
        let relay = Relay::new(effective.relay.clone(), ticket_key.clone());
        let turn = turn(&effective, ticket_key)?;
        let mut serving = listen(&relay, turn.as_ref(), &effective, Arc::new(tls))?;
        let why = signalled().await.map_err(|error| system(&error))?;
        tracing::info!("{why}: closing every connection");
        serving.shutdown().await;
        let turned = turn.map(|turn| turn.tally());
        tracing::info!(stats = ?relay.stats(), turn = ?turned, "ended");
        Ok(())
    })
}

/// Where TURN is on, it answers STUN too, on the same sockets.
fn turn(effective: &Effective, ticket_key: TicketKey) -> Result<Option<Arc<TurnServer>>, Failure> {
    let Some(settings) = effective.turn.clone() else { return Ok(None) };
    let sockets = effective.stun_listen.iter().map(|&address| udp_std(address));
    let sockets = sockets.collect::<Result<Vec<_>, _>>()?;
    for socket in &sockets {
        tracing::info!(address = ?socket.local_addr().ok(), "listening for STUN and TURN");
    }
    TurnServer::new(settings, ticket_key, sockets).map(Some).map_err(|error| system(&error))
}

fn listen(
    relay: &Arc<Relay>,
    turn: Option<&Arc<TurnServer>>,
    effective: &Effective,
    tls: Arc<rustls::ServerConfig>,
) -> Result<JoinSet<()>, Failure> {
    let sockets =
        effective.listen.iter().map(|&address| tcp(address)).collect::<Result<Vec<_>, _>>()?;
    let limits = &effective.relay.limits;
    let turned = effective.turn.as_ref().map_or(0, |turn| turn.limits.allocations);
    let most = most_sockets(limits.arriving + 2 * limits.pairs + turned) / sockets.len().max(1);
    let mut serving = JoinSet::new();
    for listener in sockets {
        tracing::info!(address = ?listener.local_addr().ok(), most, "listening for relay connections");
        serving.spawn(serve(Arc::clone(relay), turn.cloned(), listener, Arc::clone(&tls), most));
    }
    let Some(turn) = turn else {
        for &address in &effective.stun_listen {
            let socket = udp(address)?;
            tracing::info!(address = ?socket.local_addr().ok(), "listening for STUN");
            serving.spawn(serve_stun(socket, effective.stun));
        }
        return Ok(serving);
    };
    for number in 0..effective.stun_listen.len() {
        serving.spawn(serve_datagrams(Arc::clone(turn), number as u16));
    }
    for &address in &effective.turn_listen {
        let listener = tcp(address)?;
        tracing::info!(address = ?listener.local_addr().ok(), "listening for TURN connections");
        serving.spawn(serve_streams(Arc::clone(turn), listener, Arc::clone(&tls)));
    }
    Ok(serving)
}

/// As many sockets as the limits need and the system's hard limit gives.
fn most_sockets(wanted: usize) -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
    let given = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let given = usize::try_from(given.saturating_sub(SPARE_FILES)).unwrap_or(usize::MAX);
    if given < wanted {
        tracing::warn!(given, wanted, "the open-file limit allows fewer connections than configured");
    }
    wanted.min(given).max(2)
}

fn tcp(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listening = || {
        let socket = bound(address, Type::STREAM, Protocol::TCP)?;
        socket.listen(1024)?;
        TcpListener::from_std(socket.into())
    };
    listening().map_err(|error| cannot_listen(address, &error))
}

fn udp(address: SocketAddr) -> Result<UdpSocket, Failure> {
    let socket = udp_std(address)?;
    UdpSocket::from_std(socket).map_err(|error| cannot_listen(address, &error))
}

fn udp_std(address: SocketAddr) -> Result<std::net::UdpSocket, Failure> {
    bound(address, Type::DGRAM, Protocol::UDP)
        .map(Into::into)
        .map_err(|error| cannot_listen(address, &error))
}

fn bound(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // So that 0.0.0.0 and [::] can be listened on side by side.
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AddrInUse {
        return Failure::PortTaken { address };
    }
    Failure::CannotListen { address, why: error.kind() }
}

async fn signalled() -> io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("told to terminate"),
        _ = interrupt.recv() => Ok("interrupted"),
    }
}

fn system(error: &impl ToString) -> Failure {
    Failure::System { what: error.to_string() }
}
