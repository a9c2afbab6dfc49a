//! A server that was updated when these programs were not: what both windows say, and the way on.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tasuki_peer::shell::{fault::Fault, texts::Lang};
use tasuki_protocol::{
    admin::{Problem, ProblemCode},
    ids::PROTOCOL_VERSION,
    login::LOGIN_PATH,
    signal::{self, RefusalReason, ServerToAgent},
};
use tasuki_tests::{
    desktop::{Desktop, Reader, Size, role},
    stack::{AgentWindow, House, OperatorWindow},
};
use tokio_tungstenite::tungstenite::{
    Message, WebSocket, handshake::derive_accept_key, protocol::Role,
};

use super::{OPERATOR, USER, beside_others, entering};

const NEWER: u16 = PROTOCOL_VERSION + 1;
/// With a right check digit, and nobody's.
const NUMBER: &str = "4829 1530 6126";

/// T70: by name and in one sentence, also for whom it is not to mend; and once the server is the right one, the window
/// that was told so goes on with what was typed.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t70_both_windows_tell_a_server_of_another_version_and_go_on_with_the_right_one() {
    let _turn = beside_others();
    let mut house = House::set_up().unwrap();
    let operator = Desktop::start(Size::new(OPERATOR.0, OPERATOR.1)).unwrap();
    let (user, mut hand) = Desktop::start_with_hand(Size::new(USER.0, USER.1)).unwrap();
    house.server.kill();
    let newer = Newer::in_the_place_of(&house);
    let (his, hers) = (Reader::start().unwrap(), Reader::start().unwrap());
    let profile = house.folder().join("new-computer");
    let window = OperatorWindow::open_anew(&house, &operator, &profile, &his).unwrap();
    let agent = AgentWindow::open_read(&house, &user, (&hers, &[])).unwrap();

    his.wait_for(role::LABEL, "Remote support: sign in as an operator").unwrap();
    let [_, password, _] = house.secrets();
    for line in [entering::NAME, password] {
        entering::enter(&window, line);
    }
    his.wait_for(role::LABEL, &Fault::StrangeVersion.sentence(Lang::En)).unwrap();
    agent.enter(&mut hand, NUMBER).unwrap();
    let told = Fault::OtherVersion { theirs: NEWER }.sentence(Lang::En);
    hers.wait_for(role::LABEL, &told).unwrap();

    drop(newer);
    house.restart_server().unwrap();
    his.press(role::BUTTON, "Sign in").unwrap();
    his.wait_for(role::LABEL, "This computer is new here. Enter the code").unwrap();
    hers.press(role::BUTTON, "Try again").unwrap();
    hers.wait_for(role::LABEL, "This number does not open a session.").unwrap();
}

/// Has the server's key and port, and speaks another version: each is told so as the server tells it.
struct Newer {
    over: Arc<AtomicBool>,
    listens: Option<JoinHandle<()>>,
}

type Line = StreamOwned<ServerConnection, TcpStream>;

impl Newer {
    fn in_the_place_of(house: &House) -> Self {
        let file = |name: &str| house.folder().join("server").join(name);
        let chain = CertificateDer::pem_file_iter(file("server.crt")).unwrap();
        let chain: Vec<_> = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut config = config.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, house.port())).unwrap();
        listener.set_nonblocking(true).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let listens = thread::spawn(move || {
            while !ends.load(Ordering::SeqCst) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(20));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                thread::spawn(move || answer(StreamOwned::new(connection, stream)));
            }
        });
        Self { over, listens: Some(listens) }
    }
}

impl Drop for Newer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(listens) = self.listens.take() {
            listens.join().unwrap();
        }
    }
}

/// `None`: whoever asked is gone.
fn answer(mut line: Line) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        line.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?;
    let field = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
    };
    if let Some(key) = field("sec-websocket-key") {
        return refuse(line, &derive_accept_key(key.as_bytes()));
    }
    let asked: usize = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    line.read_exact(&mut vec![0; asked]).ok()?;
    let (status, problem) = match head.starts_with(&format!("POST {LOGIN_PATH} ")) {
        true => ("400 Bad Request", signal::encode(&Problem { code: ProblemCode::Version })),
        false => ("404 Not Found", String::new()),
    };
    let length = problem.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    line.write_all((head + &problem).as_bytes()).ok()?;
    line.conn.send_close_notify();
    line.flush().ok()
}

/// Whatever is said first.
fn refuse(mut line: Line, accept: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    line.write_all(head.as_bytes()).ok()?;
    let mut socket = WebSocket::from_raw_socket(line, Role::Server, None);
    socket.read().ok()?;
    let refused = ServerToAgent::Refused { reason: RefusalReason::Version { server: NEWER } };
    socket.send(Message::text(signal::encode(&refused))).ok()?;
    while socket.read().is_ok() {}
    Some(())
}
