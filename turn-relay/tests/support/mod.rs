//! A relay on loopback with real TLS, and clients that bring tickets to it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ticket::{RELAY_ALPN, RelayAnswer, Ticket, TicketKey};
use tasuki_turn_relay::shell::tls;
use tasuki_turn_relay::{Relay, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const PATIENCE: Duration = Duration::from_secs(60);
pub type Client = TlsStream<TcpStream>;

pub fn key() -> TicketKey {
    TicketKey::from_bytes([7; 32])
}

pub fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

static NONCE: AtomicU64 = AtomicU64::new(1);

pub fn ticket(session: u8, leg: u32, role: Role) -> Ticket {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    Ticket { session: SessionId([session; 16]), leg, role, expires: unix() + 50, nonce }
}

pub fn sealed(session: u8, leg: u32, role: Role) -> Vec<u8> {
    key().seal(&ticket(session, leg, role))
}

/// Where to knock, and the certificate to expect.
pub struct Door {
    pub address: SocketAddr,
    pub certificate: CertificateDer<'static>,
}

/// A relay inside the test.
pub struct House {
    pub relay: Arc<Relay>,
    door: Door,
}

impl std::ops::Deref for House {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// A server's TLS with a fresh certificate for `relay.test`.
pub fn tls_of_server() -> (ServerConfig, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()]).unwrap();
    let certificate = made.cert.der().clone();
    let private = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    (tls::server_config(vec![certificate.clone()], private).unwrap(), certificate)
}

pub async fn house(settings: Settings) -> House {
    house_with_sockets(settings, 4096).await
}

pub async fn house_with_sockets(settings: Settings, most: usize) -> House {
    let (config, certificate) = tls_of_server();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let relay = Relay::new(settings, key());
    tokio::spawn(tasuki_turn_relay::serve(Arc::clone(&relay), None, listener, Arc::new(config), most));
    House { relay, door: Door { address, certificate } }
}

impl Door {
    pub fn client_config(&self, provider: Arc<CryptoProvider>) -> ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![RELAY_ALPN.to_vec()];
        config
    }

    pub async fn connect_with(&self, config: ClientConfig) -> std::io::Result<Client> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("relay.test").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    }

    pub async fn connect(&self) -> Client {
        self.connect_with(self.client_config(tls::provider())).await.unwrap()
    }

    /// Connects and shows `sealed`, not waiting for the answer.
    pub async fn present(&self, sealed: &[u8]) -> Client {
        let mut client = self.connect().await;
        client.write_all(&(sealed.len() as u16).to_be_bytes()).await.unwrap();
        client.write_all(sealed).await.unwrap();
        client.flush().await.unwrap();
        client
    }

    pub async fn join(&self, session: u8, leg: u32) -> (Client, Client) {
        let mut operator = self.present(&sealed(session, leg, Role::Operator)).await;
        let mut agent = self.present(&sealed(session, leg, Role::Agent)).await;
        assert_eq!(answer(&mut operator).await, Some(RelayAnswer::Joined));
        assert_eq!(answer(&mut agent).await, Some(RelayAnswer::Joined));
        (operator, agent)
    }
}

impl House {
    /// Waits until `met` holds for the relay's stats.
    pub async fn until(&self, met: impl Fn(&tasuki_turn_relay::Stats) -> bool) {
        let waiting = async {
            while !met(&self.relay.stats()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("never reached: {:?}", self.relay.stats());
        }
    }
}

/// The relay's byte; `None` when it closed without one.
pub async fn answer(client: &mut Client) -> Option<RelayAnswer> {
    let mut byte = [0];
    let read = tokio::time::timeout(PATIENCE, client.read(&mut byte)).await.expect("no answer");
    match read {
        Ok(1) => Some(RelayAnswer::try_from(byte[0]).expect("an answer byte")),
        Ok(_) | Err(_) => None,
    }
}

pub async fn is_closed(client: &mut Client) -> bool {
    let mut byte = [0];
    let read = tokio::time::timeout(PATIENCE, client.read(&mut byte)).await.expect("still open");
    matches!(read, Ok(0) | Err(_))
}

/// Bytes that repeat nowhere within a buffer: position-dependent.
pub fn pattern(salt: u64, offset: usize, into: &mut [u8]) {
    for (i, byte) in into.iter_mut().enumerate() {
        let x = ((offset + i) as u64 ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *byte = (x >> 56) as u8;
    }
}
