//! The programs that are measured, each a child process, so that its CPU time and memory are its own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Makes this program the relay instead, so that both are built in one way.
pub(crate) const AS_RELAY: &str = "TASUKI_RELAY_LISTEN";

/// Certificate, key and ticket key of the run.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()])?;
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        std::fs::write(path.join("both.pem"), format!("{certificate}{key}"))?;
        std::fs::write(path.join("cert.pem"), certificate)?;
        std::fs::write(path.join("key.pem"), key)?;
        std::fs::write(path.join("ticket.key"), [7; 32])?;
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

/// A running program; killed when dropped.
pub(crate) struct Contender {
    child: Child,
    /// Where it takes connections, or datagrams.
    pub(crate) address: SocketAddr,
}

impl Contender {
    pub(crate) fn tasuki(folder: &Folder, udp: u16) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(AS_RELAY, "127.0.0.1:0")
            .env("TASUKI_RELAY_STUN_LISTEN", format!("127.0.0.1:{udp}"))
            .env("TASUKI_RELAY_TURN_LISTEN", "")
            .env("TASUKI_RELAY_TURN_ADDRESS", "127.0.0.1")
            .env("TASUKI_RELAY_CERTIFICATE", folder.file("cert.pem"))
            .env("TASUKI_RELAY_KEY", folder.file("key.pem"))
            .env("TASUKI_RELAY_TICKET_KEY", folder.file("ticket.key"))
            .env("TASUKI_RELAY_LIMITS_CONNECTIONS_PER_ADDRESS", "100000")
            .env("TASUKI_RELAY_LIMITS_PAIRS", "50000")
            .env("TASUKI_RELAY_LIMITS_STUN_PER_SECOND", "100000")
            .env("TASUKI_RELAY_LIMITS_STUN_BURST", "100000")
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("its log")?;
        let mut log = BufReader::new(stderr).lines();
        let line = log.find_map(|line| line.ok().filter(|line| line.contains("relay connections")));
        let line = line.context("the relay did not start")?;
        std::thread::spawn(move || log.for_each(drop));
        let port = line.split("127.0.0.1:").nth(1).context("an address")?;
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        Ok(Self { child, address: format!("127.0.0.1:{port}").parse()? })
    }

    /// TLS in, TLS out, both AES-256-GCM, to `behind`.
    pub(crate) fn haproxy(folder: &Folder, behind: SocketAddr) -> Result<Self> {
        let address = free_port()?;
        let config = format!(
            "global\n  maxconn 8000\n  ssl-default-bind-ciphersuites TLS_AES_256_GCM_SHA384\n  \
             ssl-default-server-ciphersuites TLS_AES_256_GCM_SHA384\ndefaults\n  mode tcp\n  \
             timeout connect 10s\n  timeout client 300s\n  timeout server 300s\nfrontend f\n  \
             bind {address} ssl crt {} ssl-min-ver TLSv1.3\n  default_backend b\nbackend b\n  \
             server s {behind} ssl verify none ssl-min-ver TLSv1.3\n",
            folder.file("both.pem")
        );
        std::fs::write(folder.file("haproxy.cfg"), config)?;
        let mut command = Command::new("haproxy");
        command.args(["-db", "-q", "-f", &folder.file("haproxy.cfg")]);
        Self::started(command, address)
    }

    /// One user with that name and password; peers on loopback, as here all are.
    pub(crate) fn coturn(folder: &Folder, name: &str, password: &str) -> Result<Self> {
        let address = free_port()?;
        let mut command = Command::new("turnserver");
        command
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers", "-a"])
            .args(["-L", "127.0.0.1", "-E", "127.0.0.1", "-p", &address.port().to_string()])
            .args(["-r", tasuki_protocol::turn::TURN_REALM, "-u", &format!("{name}:{password}")])
            .args(["--userdb", &folder.file("turn.db"), "--pidfile", &folder.file("turn.pid")])
            .args(["-l", &folder.file("turn.log"), "--simple-log"]);
        Self::started(command, address)
    }

    fn started(mut command: Command, address: SocketAddr) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.with_context(|| format!("{program} does not start"))?;
        let contender = Self { child, address };
        let patience = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            if Instant::now() > patience {
                bail!("{program} does not listen");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(contender)
    }

    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(ticks as f64 / 100.0)
    }

    pub(crate) fn resident_kb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).context("VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("a number")?.parse()?)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
