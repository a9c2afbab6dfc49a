//! The way to the server: name, proxy, port, key, WebSocket, relay, UDP, clock.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::AGENT_PATH;
use tasuki_protocol::turn::TurnCredential;
use tokio::io::AsyncReadExt as _;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::super::dial::{self, Callee, HTTP_ALPN, Stream};
use super::super::fault::Fault;
use super::super::proxy::Proxies;
use super::super::stun::Binding;
use super::super::tls;
use super::super::trust::Trust;
use super::words::Words;
use super::{Chart, line};
use crate::core::doctor::{CLOCK_TOLERANCE_S, Carries, Mapping, clock_ahead, mapping};
use crate::core::turn::{Place, TurnClient, TurnSetup};

/// The registered port of STUN (RFC 8489 §17.3), beside the server's own.
const STUN_PORT: u16 = 3478;
const UPGRADE: Duration = Duration::from_secs(10);
/// Each question is asked so often, so far apart.
const STUN_TRIES: u32 = 4;
const STUN_WAIT: Duration = Duration::from_millis(400);
/// How soon a server that has no relay inside ends such a connection.
const HANGS_UP: Duration = Duration::from_millis(500);
/// STUN has answered at the same port already.
const TURN_WAIT: Duration = Duration::from_secs(2);

pub(super) async fn examine(trust: &Trust, proxies: &Proxies, chart: &mut Chart<'_>) {
    let callee = Callee::of(trust);
    let proxy = proxies.towards(&callee.host, callee.port).await;
    let places = dial::resolve(&callee).await;
    match (&places, &proxy) {
        (Ok(places), _) => {
            let list: Vec<String> = places.iter().map(|place| place.ip().to_string()).collect();
            chart.fine(Words::NameFound, &[callee.host.clone(), list.join(", ")]);
        }
        (Err(_), Some(_)) => chart.note(Words::NameByProxy, std::slice::from_ref(&callee.host)),
        (Err(why), None) => return chart.obstacle(why.clone()),
    }
    let begun = Instant::now();
    let tcp = match dial::reach(&callee, proxies).await {
        Ok(tcp) => tcp,
        Err(why) => return chart.obstacle(why),
    };
    match proxy {
        Some(proxy) => chart.fine(Words::ProxyServes, &[proxy.to_string()]),
        None => chart.fine(Words::NoProxy, &[callee.address()]),
    }
    chart.fine(Words::PortOpen, &[callee.address(), since(begun)]);
    match dial::secure(&callee, tcp, HTTP_ALPN).await {
        Ok(stream) => secured(&callee, stream, chart).await,
        Err(why) => return chart.obstacle(why),
    }
    let inside = relay(&callee, proxies, chart).await;
    speed(&callee, proxies, chart).await;
    udp(&callee, &places.unwrap_or_default(), inside, chart).await;
}

async fn secured(callee: &Callee, stream: Stream, chart: &mut Chart<'_>) {
    let suite = stream.get_ref().1.negotiated_cipher_suite().map(tls::suite_name);
    chart.fine(Words::KeyRight, &[callee.address(), suite.unwrap_or_default()]);
    match upgrade(callee, stream).await {
        Ok(date) => {
            chart.fine(Words::WebSocketOpen, &[callee.address()]);
            clock(&date, chart);
        }
        Err(why) => {
            let fault = Fault::NotTasuki { address: callee.address() };
            chart.obstacle_as(Words::WebSocketBlocked, &[callee.address(), why], fault);
        }
    }
}

/// Gives the answer's `Date`.
async fn upgrade(callee: &Callee, stream: Stream) -> Result<String, String> {
    let request = format!("wss://{}{AGENT_PATH}", callee.address()).into_client_request();
    let request = request.map_err(|why| why.to_string())?;
    let upgraded = timeout(UPGRADE, client_async(request, stream)).await;
    let (mut socket, answer) = match upgraded {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(tungstenite::Error::Http(answer))) => return Err(answer.status().to_string()),
        Ok(Err(why)) => return Err(why.to_string()),
        Err(_) => return Err("no answer".to_owned()),
    };
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.unwrap_or_default().to_owned();
    // The server hears that nobody will come, or finds out.
    timeout(Duration::from_secs(1), socket.close(None)).await.ok();
    Ok(date)
}

fn clock(date: &str, chart: &mut Chart<'_>) {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let Some(ahead) = clock_ahead(date, unix) else { return };
    if ahead.unsigned_abs() <= CLOCK_TOLERANCE_S {
        chart.fine(Words::ClockRight, &[ahead.to_string()]);
    } else {
        chart.note(Words::ClockOff, &[ahead.to_string()]);
    }
}

/// Whether the relay stands inside the server: one that does waits for a ticket, and a server
/// without one hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelayIs {
    Here,
    Elsewhere,
}

async fn relay(callee: &Callee, proxies: &Proxies, chart: &mut Chart<'_>) -> RelayIs {
    let begun = Instant::now();
    match super::super::relay::connect(callee, proxies).await {
        Ok(mut stream) => {
            let taken = since(begun);
            if timeout(HANGS_UP, stream.read_u8()).await.is_ok() {
                chart.note(Words::RelayElsewhere, &[callee.address()]);
                return RelayIs::Elsewhere;
            }
            chart.fine(Words::RelayReached, &[callee.address(), taken]);
        }
        Err(why) => chart.obstacle(why),
    }
    RelayIs::Here
}

async fn speed(callee: &Callee, proxies: &Proxies, chart: &mut Chart<'_>) {
    let secured = match dial::reach(callee, proxies).await {
        Ok(tcp) => dial::secure(callee, tcp, HTTP_ALPN).await,
        Err(why) => Err(why),
    };
    let measured = match secured {
        Ok(stream) => line::measure(callee, stream).await,
        Err(why) => Err(why.code()),
    };
    match measured {
        Err(why) => chart.note(Words::LineUnmeasured, &[callee.address(), why]),
        Ok(line) => {
            let kilobits = [line.down, line.up].map(|bits| (bits / 1000).to_string());
            let [down, up] = kilobits;
            let values = [line.round_trip.as_millis().to_string(), down, up, callee.address()];
            match line.carries() {
                Carries::Well => chart.fine(Words::LineFine, &values),
                Carries::Slowly => chart.note(Words::LineSlow, &values),
                Carries::FromFar => chart.note(Words::LineFar, &values),
            }
        }
    }
}

/// What one address of the server told of the way there.
struct Udp {
    place: SocketAddr,
    own: IpAddr,
    seen: [Option<SocketAddr>; 2],
    mapping: Mapping,
}

async fn udp(callee: &Callee, places: &[SocketAddr], relay: RelayIs, chart: &mut Chart<'_>) {
    let families = [true, false].map(|is_v4| places.iter().find(|place| place.is_ipv4() == is_v4));
    let mut found = Vec::new();
    for place in families.into_iter().flatten() {
        if let Some((own, seen)) = ask(*place).await {
            found.push(Udp { place: *place, own, seen, mapping: mapping(own, seen) });
        }
    }
    let best = found.iter().reduce(
        |best, next| {
            if next.mapping.is_better_than(best.mapping) { next } else { best }
        },
    );
    match best {
        None => chart.note(Words::UdpBlocked, &[callee.address()]),
        Some(best) => tell_udp(best, callee, chart),
    }
    let heard = found.iter().find(|udp| udp.seen[0].is_some()).map(|udp| udp.place);
    if let Some(place) = heard.filter(|_| relay == RelayIs::Here) {
        let words = if speaks_turn(place).await { Words::TurnOpen } else { Words::TurnAbsent };
        chart.fine(words, &[place.to_string()]);
    }
}

fn tell_udp(udp: &Udp, callee: &Callee, chart: &mut Chart<'_>) {
    let public = udp.seen[0].or(udp.seen[1]).map(|seen| seen.ip().to_string());
    let values = [udp.own.to_string(), public.unwrap_or_default()];
    match udp.mapping {
        Mapping::Blocked => chart.note(Words::UdpBlocked, &[callee.address()]),
        Mapping::PortBlocked => chart.note(Words::UdpPortBlocked, &[udp.place.to_string()]),
        Mapping::PerDestination => chart.note(Words::UdpPerDestination, &values),
        Mapping::Open => chart.fine(Words::UdpOpen, &values),
        Mapping::SameForAll => chart.fine(Words::UdpSameForAll, &values),
        Mapping::Translated => chart.fine(Words::UdpTranslated, &values),
    }
}

/// Whether a request for an address at the relay is answered with a challenge. No ticket is shown,
/// and nothing is held there.
async fn speaks_turn(server: SocketAddr) -> bool {
    let asking = async {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await.ok()?;
        socket.connect(server).await.ok()?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        let credential = TurnCredential { name: "doctor".to_owned(), password: "none".to_owned() };
        let place = Place { local: socket.local_addr().ok()?, server };
        let setup = TurnSetup { place, credential, own: Vec::new(), seed: Seed::from_bytes(seed) };
        let mut client = TurnClient::new(setup, Instant::now())?;
        let mut buffer = [0; 1024];
        while !client.is_answered() {
            while let Some(bytes) = client.poll_transmit() {
                socket.send(&bytes).await.ok()?;
            }
            let rest = client.deadline()?.saturating_duration_since(Instant::now());
            match timeout(rest, socket.recv(&mut buffer)).await {
                Ok(length) => drop(client.handle_datagram(&buffer[..length.ok()?], Instant::now())),
                Err(_) => client.handle_timeout(Instant::now()),
            }
        }
        Some(())
    };
    matches!(timeout(TURN_WAIT, asking).await, Ok(Some(())))
}

/// This end's own address towards `server`, and what two of its ports saw of one socket.
async fn ask(server: SocketAddr) -> Option<(IpAddr, [Option<SocketAddr>; 2])> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let probe = UdpSocket::bind((any, 0)).await.ok()?;
    probe.connect(server).await.ok()?;
    let own = probe.local_addr().ok()?.ip();
    let socket = UdpSocket::bind((own, 0)).await.ok()?;
    let servers = [server, SocketAddr::new(server.ip(), STUN_PORT)];
    let mut questions = Vec::new();
    for place in servers {
        let mut transaction = [0; 12];
        getrandom::fill(&mut transaction).ok()?;
        questions.push((place, Binding::new(transaction)?));
    }
    let mut seen = [None, None];
    for _ in 0..STUN_TRIES {
        for (index, (place, question)) in questions.iter().enumerate() {
            if seen[index].is_none() {
                // A network that refuses is one that does not answer.
                socket.send_to(&question.bytes, place).await.ok();
            }
        }
        timeout(STUN_WAIT, hear(&socket, &questions, &mut seen)).await.ok();
        if seen.iter().all(Option::is_some) {
            break;
        }
    }
    Some((own, seen))
}

/// Until both have answered.
async fn hear(
    socket: &UdpSocket,
    questions: &[(SocketAddr, Binding)],
    seen: &mut [Option<SocketAddr>; 2],
) {
    let mut buffer = [0; 1024];
    while seen.iter().any(Option::is_none) {
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            // A refusal of one port is told here; the other may still answer.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        for (index, (place, question)) in questions.iter().enumerate() {
            if *place == source {
                seen[index] = seen[index].or(question.answer(&buffer[..length]));
            }
        }
    }
}

fn since(begun: Instant) -> String {
    begun.elapsed().as_millis().to_string()
}
