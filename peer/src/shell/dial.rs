//! From a host's name to a TLS stream under the pinned key (S72), straight or
//! through a proxy (S84).
//!
//! Decides which failure of name, port, proxy or key is told as what.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::select_all;
use rustls_pki_types::ServerName;
use tasuki_protocol::ids::Digest;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::fault::Fault;
use super::proxy::{self, Proxies, Proxy, Refusal};
use super::reasons::of_io;
use super::tls;
use super::trust::Trust;

/// What every conversation with the server runs over.
pub(super) type Stream = TlsStream<TcpStream>;

pub(super) const HTTP_ALPN: &[u8] = b"http/1.1";
const CONNECT: Duration = Duration::from_secs(10);
/// When somebody who waits for an answer knocks, and knocks again while no connection came of it: of a
/// crowd the newest comes in first (F14).
const KNOCKS: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(1500), Duration::from_millis(4500)];
/// How long one address may be alone in being tried (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried; a name with more hides something.
const MOST_ADDRESSES: usize = 8;

/// Who is dialled: a name, a port, and the SHA-256 of the key that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callee {
    pub host: String,
    pub port: u16,
    /// Two while the server's key is changed.
    pub pins: Vec<Digest>,
}

impl Callee {
    pub fn of(trust: &Trust) -> Self {
        let bundle = &trust.bundle;
        Self { host: bundle.host.clone(), port: bundle.port, pins: bundle.server_pins.clone() }
    }

    /// `host:port`, an IPv6 host in brackets.
    pub fn address(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    fn unreachable(&self, why: &str) -> Fault {
        Fault::Unreachable { address: self.address(), why: why.to_owned() }
    }
}

/// As [`Callee::address`], of the bundle's server.
pub(super) fn address(trust: &Trust) -> String {
    Callee::of(trust).address()
}

/// A connection to the server, and where the server is as far as this end knows.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) places: Places,
}

/// Where a host is, at most once in each family: what STUN is asked of (RFC 8445 §5.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places {
    v4: Option<SocketAddr>,
    v6: Option<SocketAddr>,
}

impl Places {
    /// The one that a socket bound to `local` can reach.
    pub fn of_family(&self, local: SocketAddr) -> Option<SocketAddr> {
        if local.is_ipv4() { self.v4 } else { self.v6 }
    }

    /// The same host at another port.
    pub fn at_port(self, port: u16) -> Self {
        let at = |place: Option<SocketAddr>| place.map(|place| SocketAddr::new(place.ip(), port));
        Self { v4: at(self.v4), v6: at(self.v6) }
    }

    pub fn contains(&self, place: SocketAddr) -> bool {
        self.v4 == Some(place) || self.v6 == Some(place)
    }
}

impl FromIterator<SocketAddr> for Places {
    fn from_iter<I: IntoIterator<Item = SocketAddr>>(found: I) -> Self {
        let mut places = Self::default();
        for place in found {
            let seat = if place.is_ipv4() { &mut places.v4 } else { &mut places.v6 };
            seat.get_or_insert(place);
        }
        places
    }
}

/// The server of the bundle, ready for HTTP.
///
/// # Errors
/// See [`Fault`]: unknown host, closed port, no answer, wrong key, no TLS, and
/// whatever a proxy does.
pub(super) async fn open(trust: &Trust, proxies: &Proxies) -> Result<Connection, Fault> {
    let callee = Callee::of(trust);
    let tcp = reach(&callee, proxies).await?;
    let stream = secure(&callee, tcp, HTTP_ALPN).await?;
    // Behind a proxy this machine's own resolver need not know the name.
    let places = resolve(&callee).await.unwrap_or_default().into_iter().collect();
    Ok(Connection { stream, places })
}

/// As [`open`], for what a person waits for: at a server that a crowd besets he knocks again, and
/// whichever connection comes in first is the one.
///
/// # Errors
/// As [`open`].
pub(super) async fn open_for_a_person(trust: &Trust, proxies: &Proxies) -> Result<Connection, Fault> {
    first_to_come_in(|| open(trust, proxies)).await
}

/// What the first try that comes in gives. A no ends it where no other try is under way: a later knock may be
/// turned away while an earlier one waits inside.
async fn first_to_come_in<T, E, F: Future<Output = Result<T, E>>>(
    begin: impl Fn() -> F,
) -> Result<T, E> {
    let (begin, begun) = (&begin, &AtomicUsize::new(0));
    let knocks = KNOCKS.map(|wait| {
        Box::pin(async move {
            sleep(wait).await;
            begun.fetch_add(1, Ordering::Relaxed);
            begin().await
        })
    });
    let (mut waiting, mut ended) = (Vec::from(knocks), 0);
    loop {
        let (came, _, others) = select_all(waiting).await;
        ended += 1;
        if came.is_ok() || ended >= begun.load(Ordering::Relaxed) {
            return came;
        }
        waiting = others;
    }
}

/// A TCP stream to `callee`, before TLS.
///
/// # Errors
/// As [`open`], without those of TLS.
pub(super) async fn reach(callee: &Callee, proxies: &Proxies) -> Result<TcpStream, Fault> {
    let late = |_| callee.unreachable("it does not answer");
    match proxies.towards(&callee.host, callee.port).await {
        None => timeout(CONNECT, straight(callee)).await.map_err(late)?,
        Some(proxy) => through(&proxy, callee).await,
    }
}

/// TLS over what [`reach`] gave.
///
/// # Errors
/// Another key, an inspected connection, or no TLS.
pub(super) async fn secure(callee: &Callee, tcp: TcpStream, alpn: &[u8]) -> Result<Stream, Fault> {
    let unknown = |_| Fault::UnknownHost { host: callee.host.clone() };
    let name = ServerName::try_from(callee.host.clone()).map_err(unknown)?;
    let connector = TlsConnector::from(tls::client_config(&callee.pins, alpn));
    let late = |_| callee.unreachable("it does not answer");
    let secured = timeout(CONNECT, connector.connect(name, tcp)).await.map_err(late)?;
    secured.map_err(|why| tls_fault(callee, &why))
}

async fn straight(callee: &Callee) -> Result<TcpStream, Fault> {
    let places = resolve(callee).await?;
    match first_to_answer(alternating(places)).await {
        Ok(tcp) => Ok(tcp),
        Err(why) if why.kind() == ErrorKind::ConnectionRefused => {
            Err(Fault::PortClosed { address: callee.address() })
        }
        Err(why) => Err(callee.unreachable(of_io(&why))),
    }
}

/// What the resolver says; nothing is believed of it but where to try.
pub(super) async fn resolve(callee: &Callee) -> Result<Vec<SocketAddr>, Fault> {
    let unknown = || Fault::UnknownHost { host: callee.host.clone() };
    let found = timeout(CONNECT, tokio::net::lookup_host((callee.host.as_str(), callee.port))).await;
    let found = found.map_err(|_| unknown())?.map_err(|_| unknown())?;
    let places: Vec<SocketAddr> = found.take(MOST_ADDRESSES).collect();
    if places.is_empty() { Err(unknown()) } else { Ok(places) }
}

async fn through(proxy: &Proxy, callee: &Callee) -> Result<TcpStream, Fault> {
    let named = || proxy.to_string();
    let unreachable = |why: &str| Fault::ProxyUnreachable { proxy: named(), why: why.to_owned() };
    let tunnelled = async {
        let found = tokio::net::lookup_host((proxy.host.as_str(), proxy.port)).await;
        let places = found.map_err(|_| unreachable("its name is unknown"))?;
        let places = alternating(places.take(MOST_ADDRESSES).collect());
        let mut tcp = first_to_answer(places).await.map_err(|why| unreachable(of_io(&why)))?;
        let opened = proxy::open_tunnel(&mut tcp, proxy, &callee.address()).await;
        opened.map_err(|why| match why {
            Refusal::Password => Fault::ProxyPassword { proxy: named() },
            Refusal::OtherSignIn => Fault::ProxySignIn { proxy: named() },
            Refusal::Status(status) => {
                Fault::ProxyRefused { proxy: named(), address: callee.address(), status }
            }
            Refusal::Nonsense => Fault::ProxyNonsense { proxy: named() },
        })?;
        Ok(tcp)
    };
    let late = |_| unreachable("it does not answer");
    timeout(CONNECT, tunnelled).await.map_err(late)?
}

/// The resolver's order, with the two families in turn (RFC 8305 §4).
fn alternating(places: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = places.first().is_some_and(SocketAddr::is_ipv4);
    let (mut own, mut other): (Vec<_>, Vec<_>) =
        places.into_iter().rev().partition(|place| place.is_ipv4() == first);
    let mut order = Vec::new();
    while !own.is_empty() || !other.is_empty() {
        order.extend(own.pop());
        order.extend(other.pop());
    }
    order
}

/// Each address gets a head start; the first that answers wins, so that a
/// family which goes nowhere costs a moment and not the connection.
async fn first_to_answer(places: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = places.into_iter();
    let mut tries = JoinSet::new();
    let mut last = io::Error::from(ErrorKind::HostUnreachable);
    loop {
        match waiting.next() {
            Some(place) => drop(tries.spawn(TcpStream::connect(place))),
            None if tries.is_empty() => return Err(last),
            None => {}
        }
        let ended = tokio::select! {
            ended = tries.join_next() => ended,
            () = sleep(HEAD_START), if waiting.len() > 0 => continue,
        };
        match ended {
            Some(Ok(Ok(tcp))) => {
                tcp.set_nodelay(true).ok();
                return Ok(tcp);
            }
            Some(Ok(Err(why))) if last.kind() != ErrorKind::ConnectionRefused => last = why,
            Some(Ok(Err(_)) | Err(_)) | None => {}
        }
    }
}

fn tls_fault(callee: &Callee, why: &io::Error) -> Fault {
    let host = callee.host.clone();
    if let Some(other) = tls::other_server_key(why) {
        return match &other.inspector {
            Some(issuer) => Fault::Inspected { host, issuer: issuer.clone() },
            None => Fault::WrongServerKey { host },
        };
    }
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(_) => Fault::NotTasuki { address: callee.address() },
        None if why.kind() == ErrorKind::UnexpectedEof => {
            Fault::NotTasuki { address: callee.address() }
        }
        None => callee.unreachable(of_io(why)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    fn places(text: &str) -> Vec<SocketAddr> {
        text.split(' ').map(|place| place.parse().unwrap()).collect()
    }

    #[test]
    fn the_two_families_are_tried_in_turn() {
        let resolved = places("[2001:db8::1]:1 [2001:db8::2]:1 [2001:db8::3]:1 192.0.2.1:1");
        let order = places("[2001:db8::1]:1 192.0.2.1:1 [2001:db8::2]:1 [2001:db8::3]:1");
        assert_eq!(alternating(resolved), order);
    }

    #[tokio::test]
    async fn a_closed_port_is_told_as_closed_and_an_open_one_beside_it_is_taken() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = first_to_answer(vec![closed]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        assert_eq!(first_to_answer(vec![closed, good]).await.unwrap().peer_addr().unwrap(), good);
    }

    #[tokio::test(start_paused = true)]
    async fn f14_who_waits_knocks_again_and_the_first_connection_to_come_in_is_taken() {
        // Of each knock how long it takes, and whether it comes in.
        let knock = async |knocks: [(u64, bool); 3]| {
            let knocked = Cell::new(0);
            let began = Instant::now();
            let came = first_to_come_in(|| {
                let number = knocked.replace(knocked.get() + 1);
                let (seconds, comes_in) = knocks[number];
                async move {
                    sleep(Duration::from_secs(seconds)).await;
                    if comes_in { Ok(number) } else { Err(number) }
                }
            });
            (came.await, began.elapsed().as_millis(), knocked.get())
        };
        // The first stands still.
        assert_eq!(knock([(8, true), (1, true), (0, true)]).await, (Ok(1), 2500, 2));
        // The first waits inside while the second is turned away.
        assert_eq!(knock([(3, true), (0, false), (0, true)]).await, (Ok(0), 3000, 2));
        // Nobody knocks twice where the first knock is answered, with a yes or a no.
        assert_eq!(knock([(0, false), (0, true), (0, true)]).await, (Err(0), 0, 1));
        assert_eq!(knock([(9, false), (9, false), (9, false)]).await, (Err(2), 13_500, 3));
    }
}
