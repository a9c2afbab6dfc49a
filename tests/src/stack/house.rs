//! A server with its relay, an administrator and an operator, set up in a temporary folder with
//! nothing but the commands that anybody has; its passphrase alone is made cheap to try.
//!
//! Refuses to know sessions.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::Value;
use tasuki_admin::vault::{Cost, Master, Passphrase};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::keys::Vault;
use tempfile::TempDir;

use super::site::Site;
use crate::running::{COMPUTED, Line, Mark, PATIENCE, Process, Voice, program, run, until};

const OPERATOR: &str = "hanako";
const DISPLAY_NAME: &str = "Hanako Sato";
/// Of an account that lives as long as its temporary folder.
pub(super) const PASSWORD: &str = "correct horse battery staple";

const ADMIN_PASSWORD: &str = "seven lemons under a tin roof";

/// All ends of a test sit at one address, which is no public one, and join more often than one person
/// would; nobody is there to be asked again for his password after ten minutes.
const SETTINGS: [&str; 4] =
    ["joins_per_address=1000", "openings_burst=1000", "confirm_s=86400", "address_disclosure=all"];

/// Everything that runs without a desktop. Dropped, it ends, and its folder goes.
#[derive(Debug)]
pub struct House {
    pub server: Process,
    pub(super) site: Site,
    folder: TempDir,
    /// Of the organisation's keys.
    passphrase: String,
    /// Any two of which bring the keys back.
    shares: Vec<String>,
    /// What this house's server is told beside [`SETTINGS`].
    settings: Vec<String>,
}

impl House {
    /// Sets up a server, starts it, enrols an administrator, adds an operator and signs him in.
    ///
    /// # Errors
    /// Any of the programs refused; its words are in the error.
    pub fn set_up() -> Result<Self> {
        Self::set_up_at(Site::here()?)
    }

    /// As [`Self::set_up`], in a place of its own.
    ///
    /// # Errors
    /// As [`Self::set_up`].
    pub fn set_up_at(site: Site) -> Result<Self> {
        let (mut house, [token, fingerprint]) = Self::begin_at(site)?;
        house.initialise(&token, &fingerprint)?;
        house.cheapen_passphrase()?;
        let code = house.add_operator()?;
        let words = house.ask_for_device(&code)?;
        house.administrate(&["device", "approve", OPERATOR, "--words", &words])?;
        house.sign_in()?;
        Ok(house)
    }

    /// A server that runs and has no organisation's keys yet; with its administrator's token, and its
    /// fingerprint.
    ///
    /// # Errors
    /// As [`Self::set_up`].
    pub fn begin_at(site: Site) -> Result<(Self, [String; 2])> {
        let folder = tempfile::Builder::new().prefix("tasuki-tests-").tempdir()?;
        let data = folder.path().join("server");
        let (token, fingerprint) = set_up_server(&data, &site)?;
        let server = start_server(&data, &site, &[])?;
        let (passphrase, shares, settings) = (String::new(), Vec::new(), Vec::new());
        let house = Self { server, site, folder, passphrase, shares, settings };
        Ok((house, [token, fingerprint]))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn port(&self) -> u16 {
        self.site.port
    }

    /// The document that agents and operators' programs trust.
    pub fn bundle(&self) -> PathBuf {
        self.folder().join("admin").join("tenant.json")
    }

    /// The operator's profile: his device key and who he is.
    pub fn profile(&self) -> PathBuf {
        self.folder().join("operator")
    }

    fn data(&self) -> PathBuf {
        self.folder().join("server")
    }

    /// Starts the server again on its folder and port, after it was killed.
    ///
    /// # Errors
    /// It did not come up.
    pub fn restart_server(&mut self) -> Result<()> {
        self.server.kill();
        self.server = start_server(&self.data(), &self.site, &self.settings)?;
        Ok(())
    }

    /// Asks the server to stop, which signs all that its ledger has, and starts it again.
    ///
    /// # Errors
    /// It did not stop or come up.
    pub fn reopen_server(&mut self) -> Result<()> {
        self.server.signal(Signal::TERM)?;
        self.server.wait_end()?;
        self.restart_server()
    }

    /// Starts the server again, saying in its log all that it can.
    ///
    /// # Errors
    /// It did not come up.
    pub fn restart_talkative_server(&mut self) -> Result<()> {
        self.server.kill();
        let mut command = server_command(&self.data(), &self.site, &self.settings)?;
        command.env("RUST_LOG", "trace");
        self.server = listening(command)?;
        Ok(())
    }

    /// The words that open this house's log keys; the passwords of its people are in this file.
    pub fn secrets(&self) -> [&str; 3] {
        [&self.passphrase, PASSWORD, ADMIN_PASSWORD]
    }

    /// Starts the server again with these settings beside those that it has.
    ///
    /// # Errors
    /// It did not come up.
    pub fn set(&mut self, settings: &[&str]) -> Result<()> {
        self.settings.extend(settings.iter().copied().map(str::to_owned));
        self.restart_server()
    }

    /// Starts the server again with its relay in a program of its own at `port`.
    ///
    /// # Errors
    /// One of the two did not come up.
    pub fn move_relay_out(&mut self, port: u16) -> Result<Process> {
        let [relay] = self.move_relays_out([port])?;
        Ok(relay)
    }

    /// As [`Self::move_relay_out`], with several that the server uses in turn.
    ///
    /// # Errors
    /// As [`Self::move_relay_out`].
    pub fn move_relays_out<const N: usize>(&mut self, ports: [u16; N]) -> Result<[Process; N]> {
        let mut relays = Vec::new();
        for port in ports {
            relays.push(self.start_relay(port)?);
        }
        let bundle = fs::read(self.bundle())?;
        let bundle = Bundle::open_first(&bundle)?;
        let pin = bundle.server_pins.first().context("a bundle without a pin")?;
        let places = ports.map(|port| format!("127.0.0.1:{port}/{pin}/{port}"));
        self.set(&[&format!("relay={}", places.join(","))])?;
        relays.try_into().map_err(|_| anyhow::anyhow!("a relay was lost"))
    }

    /// A relay that shows the server's own certificate, takes its tickets and speaks TURN at the
    /// same port.
    ///
    /// # Errors
    /// It did not come up.
    pub fn start_relay(&self, port: u16) -> Result<Process> {
        let file = |name: &str| self.data().join(name).display().to_string();
        let config = format!(
            "listen = [\"127.0.0.1:{port}\"]\nstun_listen = [\"127.0.0.1:{port}\"]\nturn_listen = []\n\
             turn_address = \"127.0.0.1\"\ncertificate = {:?}\nkey = {:?}\nticket_key = {:?}\n",
            file("server.crt"),
            file("server.key"),
            file("ticket.key"),
        );
        let path = self.folder().join(format!("relay-{port}.toml"));
        fs::write(&path, config)?;
        let mut command = Command::new(program("tasuki-relay")?);
        command.args(["run", "--config"]).arg(path);
        let process = Process::start("tasuki-relay", command)?;
        until("the relay to listen", || {
            Ok(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())
        })?;
        Ok(process)
    }

    pub(super) fn admin(&self) -> Result<Command> {
        let mut command = self.site.command("tasuki-admin")?;
        command.arg("--profile").arg(self.folder().join("admin")).arg("--json");
        Ok(command)
    }

    /// What was printed to bring the keys back from.
    pub fn shares(&self) -> &[String] {
        &self.shares
    }

    /// Makes the organisation's keys; keeps their passphrase and recovery shares.
    fn initialise(&mut self, token: &str, fingerprint: &str) -> Result<()> {
        let mut command = self.admin()?;
        command.args(["--server", &format!("https://{}:{}", self.site.host, self.site.port)]);
        command.args(["init", "--fingerprint", fingerprint]);
        let made = answered(command, &format!("{token}\n{ADMIN_PASSWORD}"))?;
        self.passphrase = text_of(&made, "passphrase")?;
        let shares = made["shares"].as_array().context("no shares")?;
        self.shares = shares.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(())
    }

    /// Each use of it would cost more than a second; what `init` makes it cost is asked of houses that begin by
    /// themselves ([`Self::begin_at`]).
    fn cheapen_passphrase(&self) -> Result<()> {
        let file = self.folder().join("admin").join("vault.json");
        let vault: Vault = serde_json::from_slice(&fs::read(&file)?)?;
        let passphrase = Passphrase::entered(&self.passphrase);
        let cost = Cost { memory_kib: 19 * 1024, passes: 1, lanes: 1 };
        let cheap = Master::unwrap(&vault, &passphrase)?.wrap_at(vault.tenant, &passphrase, cost)?;
        Ok(fs::write(file, serde_json::to_vec(&cheap)?)?)
    }

    /// Gives the code for the operator's first device.
    fn add_operator(&self) -> Result<String> {
        let mut command = self.admin()?;
        command.args(["operator", "add", OPERATOR, "--display-name", DISPLAY_NAME]);
        command.args(["--modes", "manage,control,view,share,show", "--password-stdin"]);
        text_of(&answered(command, PASSWORD)?, "enrolment")
    }

    /// The operator's first login, which only asks; gives the words of his device.
    fn ask_for_device(&self, code: &str) -> Result<String> {
        let mut command = self.login()?;
        command.arg("--enrolment-stdin");
        let mut process = Process::start("tasuki", command)?;
        process.say(&format!("{PASSWORD}\n{code}"))?;
        process.close_input();
        let (event, _) =
            process.event(Mark::default(), "device", |e| e["event"] == "device_pending")?;
        process.wait_end()?;
        text_of(&event, "words")
    }

    /// What `tasuki-admin` answers, given the passphrase if it asks for it.
    ///
    /// # Errors
    /// It refused; its words are in the error.
    pub fn administrate(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = self.admin()?;
        command.args(arguments);
        answered(command, &self.passphrase)
    }

    /// The administrator shows again that it is he.
    ///
    /// # Errors
    /// As [`Self::administrate`].
    pub fn sign_in_administrator(&self) -> Result<Value> {
        let mut command = self.admin()?;
        command.arg("login");
        answered(command, ADMIN_PASSWORD)
    }

    /// What `tasuki-server VERB` prints of this house's folder and `file`.
    ///
    /// # Errors
    /// It refused; its words are in the error.
    pub fn keep(&self, verb: &str, file: &Path) -> Result<String> {
        let mut command = self.site.command("tasuki-server")?;
        command.args([verb, "--json", "--data"]).arg(self.data()).arg(file);
        run(command)
    }

    /// The server comes back at `backup`, and the administrator signs in there.
    ///
    /// # Errors
    /// As [`Self::keep`], or it did not come up.
    pub fn restore(&mut self, backup: &Path) -> Result<()> {
        self.server.kill();
        for end in ["", "-wal", "-shm"] {
            // After a kill the log is there as a rule.
            fs::remove_file(self.data().join(format!("tasuki.db{end}"))).ok();
        }
        self.keep("restore", backup)?;
        self.restart_server()?;
        self.sign_in_administrator().map(drop)
    }

    /// What the server's own machine gives to whom the organisation's keys are lost.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn recovery_token(&self) -> Result<Value> {
        let mut command = self.site.command("tasuki-server")?;
        command.args(["recovery-token", "--json", "--data"]).arg(self.data());
        Ok(serde_json::from_str(run(command)?.trim())?)
    }

    /// The operator signs in, as in [`Self::set_up`].
    ///
    /// # Errors
    /// He was refused.
    pub fn sign_in(&self) -> Result<()> {
        answered(self.login()?, PASSWORD).map(drop)
    }

    fn login(&self) -> Result<Command> {
        let mut command = self.site.command("tasuki")?;
        command.args(["login", "--tenant"]).arg(self.bundle());
        command.args(["--operator", OPERATOR, "--password-stdin"]);
        command.arg("--profile").arg(self.profile());
        command.arg("--json");
        Ok(command)
    }
}

/// Gives the administrator's one-time token and the server's fingerprint.
fn set_up_server(data: &Path, site: &Site) -> Result<(String, String)> {
    let mut command = site.command("tasuki-server")?;
    command.args(["setup", "--host", &site.host, "--organisation", "Example Help"]);
    command.args(["--port", &site.port.to_string(), "--json", "--data"]).arg(data);
    let printed = run(command)?;
    let facts: Value = serde_json::from_str(printed.trim())
        .with_context(|| format!("reading what setup printed: {printed}"))?;
    Ok((text_of(&facts, "admin_token")?, text_of(&facts, "fingerprint")?))
}

fn start_server(data: &Path, site: &Site, more: &[String]) -> Result<Process> {
    listening(server_command(data, site, more)?)
}

fn server_command(data: &Path, site: &Site, more: &[String]) -> Result<Command> {
    let mut command = site.command("tasuki-server")?;
    command.args(["run", "--json", "--listen", &site.listen.to_string()]);
    for setting in SETTINGS.into_iter().chain(more.iter().map(String::as_str)) {
        command.args(["--set", setting]);
    }
    command.arg("--data").arg(data);
    Ok(command)
}

fn listening(command: Command) -> Result<Process> {
    let process = Process::start("tasuki-server", command)?;
    process.event(Mark::default(), "listening event", |e| e["event"] == "listening")?;
    Ok(process)
}

/// Runs a command to its end, with lines for it to read; gives the object it prints.
pub(super) fn answered(command: Command, lines: &str) -> Result<Value> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut process = Process::start(&name, command)?;
    // A verb that asks for nothing may have ended by now; how it ended is what counts.
    let unread = process.say(lines).err();
    process.close_input();
    let status = process.wait_end_within(COMPUTED)?;
    if !status.success() {
        // It always says why; that may still be on its way from the pipe.
        let complaint = |line: &Line| (line.voice == Voice::Error).then_some(());
        process.log().wait(Mark::default(), "complaint", PATIENCE, complaint)?;
        let unread = unread.map(|error| format!("\n{error:#}")).unwrap_or_default();
        anyhow::bail!("{name} ended with {status}:\n{}{unread}", process.log().tail(20));
    }
    process.event(Mark::default(), "answer", |_| true).map(|(value, _)| value)
}

pub(super) fn text_of(value: &Value, key: &str) -> Result<String> {
    let text = value[key].as_str().with_context(|| format!("no {key:?} in {value}"))?;
    Ok(text.to_owned())
}
