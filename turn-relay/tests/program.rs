//! The program `tasuki-relay` from outside: settings, sentences, exit codes, signals.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

fn relay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-relay"));
    command.env_clear().env("LANG", "en_US.UTF-8");
    command
}

fn run(arguments: &[&str]) -> Output {
    relay().args(arguments).output().unwrap()
}

fn sentence(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "one sentence: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// A folder with a certificate, keys and a configuration that works.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()]).unwrap();
        folder.write("cert.pem", &made.cert.pem());
        folder.write("key.pem", &made.signing_key.serialize_pem());
        folder.write("ticket.key", &format!("{}\n", "07".repeat(32)));
        folder.write(
            "relay.toml",
            "listen = [\"127.0.0.1:0\"]\nstun_listen = \"127.0.0.1:0\"\ncertificate = \"cert.pem\"\n\
             key = \"key.pem\"\nticket_key = \"ticket.key\"\n[limits]\npairs = 10\n",
        );
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, more: &[&str]) -> Output {
        let config = self.path("relay.toml");
        let mut arguments = vec!["run", "--config", config.to_str().unwrap()];
        arguments.extend_from_slice(more);
        run(&arguments)
    }
}

struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Running {
    fn start(config: &Path) -> Self {
        let mut child =
            relay().arg("run").arg("--config").arg(config).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// The address in the next log line that says `what`.
    fn address(&mut self, what: &str) -> SocketAddr {
        let mut line = String::new();
        while self.stderr.read_line(&mut line).unwrap() > 0 {
            if line.contains(what) {
                let after = line.split("127.0.0.1:").nth(1).expect("an address");
                let port: String = after.chars().take_while(char::is_ascii_digit).collect();
                return format!("127.0.0.1:{port}").parse().unwrap();
            }
            line.clear();
        }
        panic!("the relay ended before it was {what}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn it_serves_and_ends_with_0_when_told_to_terminate() {
    let folder = Folder::new();
    let mut running = Running::start(&folder.path("relay.toml"));
    let tcp = running.address("listening for relay connections");
    let udp = running.address("listening for STUN");
    std::net::TcpStream::connect(tcp).unwrap();

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(support::PATIENCE)).unwrap();
    client.send_to(b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl", udp).unwrap();
    let mut reply = [0; 100];
    assert_eq!(answer(&client, &mut reply), (32, udp));

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");

    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    running.stderr.read_to_string(&mut log).unwrap();
    assert!(!log.contains("0707") && !log.contains("[7, 7"), "the log holds the key: {log}");
}

/// A wait with an end is never taken up again by the system where the process was stopped and goes on (signal(7)).
fn answer(client: &UdpSocket, reply: &mut [u8]) -> (usize, SocketAddr) {
    loop {
        match client.recv_from(reply) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other.unwrap(),
        }
    }
}

#[test]
fn s84_with_its_public_address_it_speaks_turn_on_the_sockets_of_stun_and_on_tcp() {
    let folder = Folder::new();
    let config = std::fs::read_to_string(folder.path("relay.toml")).unwrap();
    let more = "turn_address = [\"127.0.0.1\", \"::1\"]\nturn_listen = \"127.0.0.1:0\"\n";
    folder.write("relay.toml", &format!("{more}{config}"));
    let mut running = Running::start(&folder.path("relay.toml"));
    let udp = running.address("listening for STUN and TURN");
    let tcp = running.address("listening for TURN connections");
    let allocate = b"\0\x03\0\x08\x21\x12\xa4\x42abcdefghijkl\0\x19\0\x04\x11\0\0\0";
    let is_challenge =
        |reply: &[u8]| reply[..2] == [0x01, 0x13] && reply[20..28] == [0, 9, 0, 4, 0, 0, 4, 1];

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(support::PATIENCE)).unwrap();
    client.send_to(allocate, udp).unwrap();
    let mut reply = [0; 100];
    assert_eq!(answer(&client, &mut reply), (64, udp));
    assert!(is_challenge(&reply));

    let mut client = std::net::TcpStream::connect(tcp).unwrap();
    client.set_read_timeout(Some(support::PATIENCE)).unwrap();
    client.write_all(allocate).unwrap();
    client.read_exact(&mut reply[..64]).unwrap();
    assert!(is_challenge(&reply));
}

#[test]
fn a_taken_port_ends_with_4_and_names_the_address() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = folder.run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(4));
    assert!(sentence_after_log(&output).contains(&address));

    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = folder.run(&["--stun-listen", &address]);
    assert_eq!(output.status.code(), Some(4));
}

fn sentence_after_log(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    text.lines().last().unwrap().to_owned()
}

#[test]
fn an_address_of_another_machine_ends_with_6() {
    let output = Folder::new().run(&["--listen", "192.0.2.1:4000"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(sentence_after_log(&output).contains("192.0.2.1:4000"));
}

#[test]
fn missing_and_damaged_keys_end_with_5_and_name_the_file() {
    for (file, text) in [
        ("cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("cert.pem", "hello"),
        ("key.pem", "hello"),
        ("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("ticket.key", "0707"),
        ("ticket.key", ""),
    ] {
        let folder = Folder::new();
        folder.write(file, text);
        let output = folder.run(&[]);
        assert_eq!(output.status.code(), Some(5), "{file}: {text}");
        assert!(sentence(&output).contains(file), "{file}: {text}");
    }
    for file in ["cert.pem", "key.pem", "ticket.key"] {
        let folder = Folder::new();
        std::fs::remove_file(folder.path(file)).unwrap();
        let output = folder.run(&[]);
        assert_eq!(output.status.code(), Some(5), "{file}");
        assert!(sentence(&output).contains("does not exist"), "{file}");
    }
}

#[test]
fn a_key_of_another_certificate_ends_with_5() {
    let folder = Folder::new();
    let other = rcgen::generate_simple_self_signed(vec!["other.test".into()]).unwrap();
    folder.write("key.pem", &other.signing_key.serialize_pem());
    let output = folder.run(&[]);
    assert_eq!(output.status.code(), Some(5));
    assert!(sentence(&output).contains("does not belong"));
}

#[test]
fn bad_configuration_ends_with_3_and_says_where() {
    let folder = Folder::new();
    for (text, expected) in [
        ("listen = [", "Line 1"),
        ("\n\nlisten = = 3\n", "Line 3"),
        ("listne = \"0.0.0.0:1\"", "`listne`"),
        ("[limits]\npears = 3", "`limits.pears`"),
        ("[limits]\npairs = 0", "from 1 to"),
        ("[limits]\npairs = \"many\"", "`many`"),
        ("listen = \"localhost\"", "numeric addresses"),
        ("listen = \"127.0.0.1:0\"", "`certificate` is missing"),
        ("log = \"loud\"", "`log`"),
        ("turn_address = \"relay.example.com\"", "own public IP addresses"),
        ("turn_address = \"0.0.0.0\"", "own public IP addresses"),
    ] {
        folder.write("relay.toml", text);
        let output = folder.run(&[]);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(sentence(&output).contains(expected), "{text}: {}", sentence(&output));
    }
    let output = run(&["run", "--config", "/nowhere/relay.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(sentence(&output).contains("/nowhere/relay.toml does not exist"));
}

#[test]
fn an_unknown_flag_or_no_command_ends_with_2() {
    for arguments in [&["run", "--fast"][..], &[], &["walk"], &["run", "--lang", "fr"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(sentence(&output).contains("--help"), "{arguments:?}");
    }
}

#[test]
fn config_says_where_each_value_came_from() {
    let folder = Folder::new();
    let output = relay()
        .arg("config")
        .arg("--config")
        .arg(folder.path("relay.toml"))
        .args(["--stun-listen", "127.0.0.1:9"])
        .args(["--set", "limits.waiting=77"])
        .env("TASUKI_RELAY_LISTEN", "127.0.0.1:8")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "listen = \"127.0.0.1:8\"  # environment TASUKI_RELAY_LISTEN".to_owned(),
        "stun_listen = \"127.0.0.1:9\"  # flag".to_owned(),
        "limits.waiting = \"77\"  # flag".to_owned(),
        "limits.wait_seconds = \"30\"  # default".to_owned(),
        format!("limits.pairs = \"10\"  # file {}", folder.path("relay.toml").display()),
        format!(
            "key = \"{}\"  # file {}",
            folder.path("key.pem").display(),
            folder.path("relay.toml").display()
        ),
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} not in\n{printed}");
    }

    let output = run(&["config", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows[0]["name"], "listen");
    assert_eq!(rows[0]["source"], "default");
}

#[test]
fn japanese_is_spoken_by_lang_and_by_flag() {
    let output = relay().args(["run"]).env("LANG", "ja_JP.UTF-8").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(sentence(&output).contains("がありません"));

    let output = run(&["run", "--lang", "ja"]);
    assert!(sentence(&output).contains("がありません"));
    let output = relay().args(["run", "--lang=en"]).env("LANG", "ja_JP.UTF-8").output().unwrap();
    assert!(sentence(&output).contains("is missing"));

    let help = run(&["--help", "--lang", "ja"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("終了コード"));
    let help = run(&["--help"]);
    assert!(String::from_utf8(help.stdout).unwrap().contains("Exit codes"));
}
