//! What an agent's program lets its server know before its person has answered anything (T61), read where the server
//! would read it: with the server's own key, in the server's place.

use std::io::{Cursor, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::signal::{self, AgentToServer};
use tasuki_tests::running::{Process, program, until};
use tasuki_tests::stack::House;
use tasuki_tests::tapping::encodings;
use tokio_tungstenite::tungstenite::{self, Message};

const USER: &str = "canary-user-of-hers";
const COMPUTER: &str = "canary-computer-of-hers";

/// Every request's head, and every message.
type Heard = Arc<Mutex<Vec<String>>>;

type Line = StreamOwned<ServerConnection, TcpStream>;

/// A connection of which some bytes were read already.
struct Begun {
    head: Cursor<Vec<u8>>,
    line: Line,
}

impl Read for Begun {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.head.read(into)? {
            0 => self.line.read(into),
            read => Ok(read),
        }
    }
}

impl Write for Begun {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.line.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.line.flush()
    }
}

/// Takes the server's port and key, writes down what is said there, and answers as little as it can.
fn in_the_place_of_the_server(house: &House) -> Heard {
    let file = |name: &str| house.folder().join("server").join(name);
    let chain = CertificateDer::pem_file_iter(file("server.crt")).expect("a certificate");
    let chain: Vec<_> = chain.map(|certificate| certificate.expect("whole")).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("its key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("TLS").with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.expect("a pair");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, house.port())).expect("its port");
    let heard = Heard::default();
    let all = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), heard) = (stream, Arc::clone(&all)) else { return };
            let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else { return };
            let line = StreamOwned::new(connection, stream);
            std::thread::spawn(move || listen(line, &heard));
        }
    });
    heard
}

fn listen(mut line: Line, heard: &Heard) {
    let write_down = |text: String| heard.lock().expect("nobody panicked").push(text);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        let Ok(1) = line.read(&mut byte) else { return };
        head.extend(byte);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let is_socket = text.to_lowercase().contains("upgrade: websocket");
    write_down(text);
    if !is_socket {
        let nothing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        // Who asked may have gone.
        drop(line.write_all(nothing));
        return;
    }
    let Ok(mut socket) = tungstenite::accept(Begun { head: Cursor::new(head), line }) else { return };
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            write_down(text.as_str().to_owned());
        }
    }
}

/// One with a right check digit.
fn any_number() -> String {
    let mut numbers = (0..10).map(|check| format!("12345678901{check}"));
    numbers.find(|number| number.parse::<SessionNumber>().is_ok()).expect("one of ten")
}

/// By which this computer would be known in the network that it is in.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}

/// A program with its own host name, where that may be set.
fn agent(house: &House, profile: &Path) -> Command {
    let program = program("tasuki-agentd").expect("the program");
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("unshare");
        let named = format!("hostname {COMPUTER}; exec \"$@\"");
        command.args(["--uts", "sh", "-c", &named, "sh"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.arg("--tenant").arg(house.bundle()).arg("--profile").arg(profile).arg("--json");
    command.args(["--no-desktop", "--proxy", "none"]);
    command
        .env("LC_ALL", "C")
        .env("USER", USER)
        .env("LOGNAME", USER)
        .env("HOSTNAME", COMPUTER)
        .env("HOME", profile);
    command
}

#[test]
fn t61_before_its_person_is_asked_an_agents_program_tells_the_server_nothing_of_her_or_her_computer() {
    let mut house = House::set_up().expect("a house");
    house.server.kill();
    let heard = in_the_place_of_the_server(&house);
    let profile = house.folder().join("canary-profile-of-hers");
    let command = agent(&house, &profile);
    let mut agent = Process::start_at_terminal("tasuki-agentd", &command).expect("it starts");
    agent.wait_for(tasuki_tests::running::Mark::default(), "Nothing is shared").expect("it asks");
    let number = any_number();
    agent.say(&number).expect("typed");
    let joined = until("a knock", || {
        let heard = heard.lock().expect("nobody panicked");
        Ok(heard.iter().any(|text| text.starts_with('{')).then(|| heard.clone()))
    });
    let heard = joined.expect("it knocks");
    let (said, heads): (Vec<&String>, Vec<&String>) =
        heard.iter().partition(|text| text.starts_with('{'));
    let [said] = said.as_slice() else { panic!("{said:?}") };
    let joined = signal::decode::<AgentToServer>(said).expect("a message");
    let AgentToServer::Join { version, locator, hello } = joined else { panic!("{joined:?}") };
    assert_eq!(version, PROTOCOL_VERSION);
    assert_eq!(locator, number.parse::<SessionNumber>().expect("a number").locator);
    Hello::decode(&hello.0).expect("keys, and nothing behind them");
    for head in heads {
        let mut lines = head.trim_end().lines();
        let asked = lines.next().expect("a request");
        assert!(asked.starts_with("GET /v1/trust ") || asked.starts_with("GET /v1/agent "), "{asked}");
        for line in lines {
            let name = line.split(':').next().unwrap_or_default().to_lowercase();
            let is_the_protocols = name.starts_with("sec-websocket-");
            let of_http = ["host", "connection", "upgrade", "content-type"];
            assert!(is_the_protocols || of_http.contains(&name.as_str()), "{line}");
        }
    }
    let all = heard.concat();
    let address = own_address();
    let secret = &number[5..];
    for canary in [USER, COMPUTER, "canary-profile", secret].into_iter().chain(address.as_deref()) {
        for part in encodings(canary.as_bytes()) {
            let is_told = all.as_bytes().windows(part.len()).any(|bytes| bytes == part);
            assert!(!is_told, "{canary} in {all}");
        }
        assert!(!all.contains(canary), "{canary} in {all}");
    }
}
