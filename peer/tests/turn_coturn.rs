//! The TURN client at another's server: coturn, as Debian has it, over UDP on loopback.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tasuki_peer::core::turn::{Place, TurnClient, TurnEnd, TurnEvent, TurnSetup};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::turn::{TURN_REALM, TurnCredential};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// After how many seconds this coturn calls its nonces stale.
const FRESH: u64 = 1;

#[test]
fn s28_two_ends_meet_at_coturn_and_a_nonce_that_it_calls_stale_is_taken_anew() {
    let coturn = Coturn::start();
    let mut ends = [coturn.end("operator", "gift"), coturn.end("agent", "gift")];
    let both = |ends: &[End; 2]| ends.iter().all(|end| end.client.relayed().is_some());
    until(&mut ends, "addresses", both);
    exchange(&mut ends, b"before");

    // What an end asks whenever nothing was heard for a while, with a nonce from before.
    std::thread::sleep(Duration::from_secs(FRESH + 1));
    for end in &mut ends {
        end.ahead += Duration::from_secs(6);
        end.asked = 0;
    }
    until(&mut ends, "the refresh and its second asking", |ends| ends.iter().all(|end| end.asked >= 2));
    exchange(&mut ends, b"after");
    assert!(ends.iter().all(|end| end.gone.is_none()));
}

#[test]
fn a_password_that_coturn_does_not_know_is_refused() {
    let coturn = Coturn::start();
    let mut ends = [coturn.end("operator", "stolen"), coturn.end("agent", "gift")];
    until(&mut ends, "an end", |ends| ends[0].gone.is_some() && ends[1].client.relayed().is_some());
    assert_eq!(ends[0].gone, Some(TurnEnd::Refused(401)));
}

/// Each tells the other where it is found, and says one thing.
fn exchange(ends: &mut [End; 2], word: &[u8]) {
    let [operator, agent] = [&ends[0], &ends[1]].map(|end| end.client.relayed().unwrap());
    for (end, peer) in ends.iter_mut().zip([agent, operator]) {
        end.client.heed(peer, end.now());
        end.heard.clear();
    }
    until(ends, "what the other said", |ends| {
        for (end, peer) in ends.iter().zip([agent, operator]) {
            if let Some(bytes) = end.client.wrap(peer, word) {
                end.socket.send(&bytes).unwrap();
            }
        }
        ends.iter().all(|end| !end.heard.is_empty())
    });
    assert_eq!(ends[0].heard[0], (agent, word.to_vec()));
    assert_eq!(ends[1].heard[0], (operator, word.to_vec()));
}

fn until(ends: &mut [End; 2], what: &str, done: impl Fn(&[End; 2]) -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done(ends) {
        assert!(Instant::now() < patience, "{what} did not come");
        ends.iter_mut().for_each(End::step);
    }
}

/// One end: a client and its socket.
struct End {
    client: TurnClient,
    socket: UdpSocket,
    heard: Vec<(SocketAddr, Vec<u8>)>,
    gone: Option<TurnEnd>,
    /// Requests sent.
    asked: usize,
    /// By how much its clock runs ahead of the real one.
    ahead: Duration,
}

impl End {
    fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    fn step(&mut self) {
        let now = self.now();
        self.client.handle_timeout(now);
        while let Some(bytes) = self.client.poll_transmit() {
            self.asked += 1;
            self.socket.send(&bytes).unwrap();
        }
        let mut buffer = [0; 2048];
        if let Ok(length) = self.socket.recv(&mut buffer)
            && let Some((peer, data)) = self.client.handle_datagram(&buffer[..length], now)
        {
            self.heard.push((peer, data.to_vec()));
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::Gone(why) => self.gone = Some(why),
                TurnEvent::Allocated(_) => {}
            }
        }
    }
}

/// A server with two users; killed when dropped.
struct Coturn {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Coturn {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers", "-a"])
            .args(["-L", "127.0.0.1", "-E", "127.0.0.1", "-p", &address.port().to_string()])
            .args(["-r", TURN_REALM, "-u", "operator:gift", "-u", "agent:gift"])
            .args([
                &format!("--stale-nonce={FRESH}"),
                "--userdb",
                &file("db"),
                "--pidfile",
                &file("pid"),
            ])
            .args(["-l", &file("log"), "--simple-log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coturn is installed; `./dev test` sees to it");
        let patience = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < patience, "coturn does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, address, _folder: folder }
    }

    fn end(&self, name: &str, password: &str) -> End {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let place = Place { local: socket.local_addr().unwrap(), server: self.address };
        let credential = TurnCredential { name: name.to_owned(), password: password.to_owned() };
        let setup = TurnSetup { place, credential, seed: Seed::from_bytes([name.len() as u8; 32]) };
        let client = TurnClient::new(setup, Instant::now()).unwrap();
        let (heard, gone, asked, ahead) = (Vec::new(), None, 0, Duration::ZERO);
        End { client, socket, heard, gone, asked, ahead }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
