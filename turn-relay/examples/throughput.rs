//! Measures the relay: plain megabytes forwarded per CPU-second of the relay,
//! TLS in and TLS out over loopback, and memory per idle pair.
//!
//! `cargo run --release -p tasuki-turn-relay --example throughput [-- MEGABYTES PAIRS]`.
//! The relay is a child process of its own, so that its CPU time and memory are its alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a product")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ticket::{RELAY_ALPN, Ticket, TicketKey};
use tasuki_turn_relay::shell::tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Client = TlsStream<TcpStream>;

struct Ground {
    relay: Child,
    address: SocketAddr,
    connector: TlsConnector,
    tickets: u64,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().unwrap());
    if std::env::var_os("TASUKI_RELAY_LISTEN").is_some() {
        let command = ["tasuki-relay".to_owned(), "run".to_owned()];
        tokio::task::block_in_place(|| tasuki_turn_relay::shell::program::run::program(&command));
        return;
    }
    let megabytes = arguments.next().unwrap_or(2000);
    let pairs = arguments.next().unwrap_or(200);
    let folder = tempfile::tempdir().unwrap();
    let mut ground = ground(folder.path());

    let before = ground.resident_kb();
    let mut idle = Vec::new();
    for _ in 0..pairs {
        idle.push(ground.join().await);
    }
    let after = ground.resident_kb();
    println!("idle pair: {:.1} kB resident ({pairs} pairs)", (after - before) as f64 / pairs as f64);
    drop(idle);

    for write in [1_200, 16 * 1024, 64 * 1024] {
        let (operator, agent) = ground.join().await;
        let (cpu, clock) = (ground.cpu_seconds(), Instant::now());
        pass(operator, agent, megabytes, write).await;
        let (cpu, clock) = (ground.cpu_seconds() - cpu, clock.elapsed().as_secs_f64());
        println!(
            "writes of {write:>5} B: {:.0} MB per CPU-second, {:.0} MB/s on the clock",
            megabytes as f64 / cpu,
            megabytes as f64 / clock
        );
    }
    ground.relay.kill().unwrap();
    ground.relay.wait().unwrap();
}

fn ground(folder: &std::path::Path) -> Ground {
    let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()]).unwrap();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("ticket.key"), [7; 32]).unwrap();
    let mut relay = Command::new(std::env::current_exe().unwrap())
        .env("TASUKI_RELAY_LISTEN", "127.0.0.1:0")
        .env("TASUKI_RELAY_STUN_LISTEN", "")
        .env("TASUKI_RELAY_CERTIFICATE", path("cert.pem"))
        .env("TASUKI_RELAY_KEY", path("key.pem"))
        .env("TASUKI_RELAY_TICKET_KEY", path("ticket.key"))
        .env("TASUKI_RELAY_LIMITS_CONNECTIONS_PER_ADDRESS", "100000")
        .env("TASUKI_RELAY_LIMITS_PAIRS", "50000")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(relay.stderr.take().unwrap()).lines();
    let line = log.find_map(|line| line.ok().filter(|line| line.contains("listening"))).unwrap();
    std::thread::spawn(move || log.for_each(drop));
    let port: String =
        line.split("127.0.0.1:").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path("cert.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![RELAY_ALPN.to_vec()];
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    Ground { relay, address, connector: TlsConnector::from(Arc::new(config)), tickets: 0 }
}

impl Ground {
    async fn join(&mut self) -> (Client, Client) {
        self.tickets += 1;
        let mut operator = self.present(Role::Operator).await;
        let mut agent = self.present(Role::Agent).await;
        assert_eq!((operator.read_u8().await.unwrap(), agent.read_u8().await.unwrap()), (1, 1));
        (operator, agent)
    }

    async fn present(&self, role: Role) -> Client {
        let mut session = [0; 16];
        session[..8].copy_from_slice(&self.tickets.to_le_bytes());
        let mut nonce = session;
        nonce[15] = 1 + u8::from(role == Role::Agent);
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 50;
        let ticket = Ticket { session: SessionId(session), leg: 0, role, expires, nonce };
        let sealed = TicketKey::from_bytes([7; 32]).seal(&ticket);
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("relay.test").unwrap();
        let mut client = self.connector.connect(name, tcp).await.unwrap();
        client.write_u16(sealed.len() as u16).await.unwrap();
        client.write_all(&sealed).await.unwrap();
        client.flush().await.unwrap();
        client
    }

    fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.relay.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        ticks as f64 / 100.0
    }

    fn resident_kb(&self) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.relay.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

async fn pass(mut operator: Client, mut agent: Client, megabytes: usize, write: usize) {
    let total = megabytes * 1_000_000;
    let sending = tokio::spawn(async move {
        let chunk = vec![9; write];
        let mut left = total;
        while left > 0 {
            let now = left.min(write);
            operator.write_all(&chunk[..now]).await.unwrap();
            left -= now;
        }
        operator.flush().await.unwrap();
        operator
    });
    let mut chunk = vec![0; 256 * 1024];
    let mut heard = 0;
    while heard < total {
        heard += agent.read(&mut chunk).await.unwrap();
    }
    sending.await.unwrap();
}
