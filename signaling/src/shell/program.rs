//! The command line of `tasuki-server`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::json;
use tasuki_terminal::pages::{self, Shell};
use tokio::signal::unix::{SignalKind, signal};

use super::backup_program::{BackupArguments, backup_command, restore_command};
use super::config::Configured;
use super::doctor::{Grade, examine, own_port};
use super::doctor_hardening::{UNIT, harden};
use super::doctor_ports::ports;
use super::fault::{EXIT_CODES, Fault, Language};
use super::folder::{FACTS, is_there};
use super::in_force::in_force;
use super::log::{self, LogFormat};
use super::recovery_program::{RecoveryArguments, recovery_command};
use super::serve::serve;
use super::setup::{OwnCertificate, SetUp, SetUpDone, set_up};
use super::usage;

#[derive(Debug, Parser)]
#[command(name = "tasuki-server", version, about = "The server of Tasuki.", after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// Language of messages; that of the environment if not given.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    lang: Option<Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a server's folder: keys, certificate, database. Once.
    Setup(SetupArguments),
    /// Runs the server of a folder.
    Run(RunArguments),
    /// Prints every setting, its value, and where it came from.
    Config(ConfigArguments),
    /// Looks at files, certificate, database, disk, clock and ports; changes nothing.
    Doctor(DoctorArguments),
    /// Writes all of the database to one file, also while the server runs. Its keys are not in it.
    Backup(BackupArguments),
    /// Puts a backup into a folder that has the keys and no database.
    Restore(BackupArguments),
    /// Makes a token for an administrator whose computer is lost, also while the server runs. It needs
    /// the organisation's recovery shares besides, and works once within 15 minutes.
    RecoveryToken(RecoveryArguments),
    /// Prints a script that completes commands in a shell.
    Completion {
        /// For which shell
        shell: Shell,
    },
    /// Writes manual pages, one for each command, into a folder.
    Manual {
        /// The folder; made if it is not there.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
struct SetupArguments {
    /// The folder: new or empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// DNS name or IP address by which everybody reaches the server.
    #[arg(long, value_name = "NAME")]
    host: String,
    /// The TCP port, 1 to 65535, at which everybody reaches it.
    #[arg(long, default_value_t = 443, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The organisation's name as people see it; the host's name if not given.
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// A certificate chain of your own, PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RunArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// How the log is written to standard error: lines for people, or JSON objects, one a line.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log_format: LogFormat,
}

#[derive(Debug, Args)]
struct DoctorArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Also whether settings and unit file are as strict as they should be.
    #[arg(long)]
    hardening: bool,
    /// The unit file that runs the server.
    #[arg(long, value_name = "FILE", default_value = UNIT)]
    unit: PathBuf,
}

#[derive(Debug, Args)]
struct ConfigArguments {
    /// The folder of the server's data.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address and port; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Do not run the relay inside the server.
    #[arg(long)]
    no_relay: bool,
    /// UDP address and port that answers STUN.
    #[arg(long, value_name = "ADDR")]
    stun: Option<SocketAddr>,
    /// Any setting: see `tasuki-server config`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print JSON objects, one a line.
    #[arg(long)]
    json: bool,
}

/// Runs the program to its end.
pub fn run() -> ExitCode {
    let arguments = match usage::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    // Keys in memory must not land in a core dump (T68).
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let Ok(runtime) = runtime else {
        say_error("The system gives no threads. Close other programs and try again.");
        return ExitCode::from(1);
    };
    let language = arguments.lang.unwrap_or_else(language_of_environment);
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Setup(arguments) => setup_command(arguments, language).await,
            Command::Run(arguments) => run_command(arguments, language).await,
            Command::Config(arguments) => config_command(&arguments),
            Command::Doctor(arguments) => doctor_command(&arguments, language).await,
            Command::Backup(arguments) => backup_command(&arguments, language).await,
            Command::Restore(arguments) => restore_command(&arguments, language).await,
            Command::RecoveryToken(arguments) => recovery_command(&arguments, language).await,
            Command::Completion { shell } => {
                say(&pages::completion(usage::command(language), shell));
                Ok(())
            }
            Command::Manual { folder } => {
                pages::manual(usage::command(language), &folder).map_err(Fault::unreadable(&folder))
            }
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say_error(&fault.sentence(language));
            ExitCode::from(fault.exit_code())
        }
    }
}

async fn setup_command(arguments: SetupArguments, language: Language) -> Result<(), Fault> {
    let certificate = arguments.cert.zip(arguments.key).map(|(cert, key)| OwnCertificate { cert, key });
    let order = SetUp {
        data: arguments.data.clone(),
        host: arguments.host,
        port: arguments.port,
        organisation: arguments.organisation,
        certificate,
    };
    let done = set_up(order).await?;
    if arguments.json {
        say(&json!({
            "event": "set_up",
            "tenant": done.tenant.to_string(),
            "fingerprint": done.fingerprint.to_string(),
            "admin_token": done.admin_token,
            "url": done.url,
        })
        .to_string());
        return Ok(());
    }
    say(&told(&arguments.data.display().to_string(), &done, language));
    Ok(())
}

fn told(data: &str, done: &SetUpDone, language: Language) -> String {
    let SetUpDone { fingerprint, admin_token, url, .. } = done;
    match language {
        Language::English => format!(
            "The server's own keys are made in {data}.

SHA-256 of the server's public key (`tasuki-admin init` asks for it):
  {fingerprint}
Token for the first administrator (works once, is shown once):
  {admin_token}

Next: `tasuki-server run --data {data}`, then on the administrator's own machine
`tasuki-admin --server {url} init`. The organisation's keys are made there;
until that is done the server serves no sessions."
        ),
        Language::Japanese => format!(
            "サーバー自身の鍵を {data} に作りました。

サーバー公開鍵の SHA-256 (`tasuki-admin init` が尋ねます):
  {fingerprint}
最初の管理者の登録トークン (一度だけ使え、一度だけ表示されます):
  {admin_token}

次に `tasuki-server run --data {data}` を実行し、管理者自身のコンピュータで
`tasuki-admin --server {url} init` を実行してください。組織の鍵はそこで作られます。
それが済むまで、サーバーはセッションを提供しません。"
        ),
    }
}

async fn run_command(
    RunArguments { config: arguments, log_format }: RunArguments,
    language: Language,
) -> Result<(), Fault> {
    log::begin(log_format);
    let configured = gather(&arguments)?;
    let given = configured.given();
    // Heard from now on: whoever stops it as soon as it listens does not cut it short.
    let mut asked_to_end = std::pin::pin!(asked_to_end());
    let running = tokio::select! {
        running = serve(&arguments.data, configured.config) => running?,
        () = &mut asked_to_end => return Ok(()),
    };
    running.tell_settings(&given);
    // Whoever limits how large files grow gets refusals, as from a full disk, and no end.
    let _limit = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).ok();
    let (address, fingerprint) = (running.address(), running.fingerprint());
    if arguments.json {
        let address = address.to_string();
        let stun = running.stun_address().map(|stun| stun.to_string());
        let fingerprint = fingerprint.to_string();
        let initialised = running.is_initialised();
        say(&json!({
            "event": "listening", "address": address, "stun": stun, "fingerprint": fingerprint,
            "initialised": initialised,
        })
        .to_string());
    } else {
        say(&match language {
            Language::English => format!("Listening on {address}."),
            Language::Japanese => format!("{address} で待ち受けています。"),
        });
        if !running.is_initialised() {
            let url = running.url();
            say(&match language {
                Language::English => format!(
                    "No sessions yet: run `tasuki-admin --server {url} init` on the administrator's \
                     machine. This server's key has the SHA-256 {fingerprint}."
                ),
                Language::Japanese => format!(
                    "まだセッションは提供しません。管理者のコンピュータで `tasuki-admin --server {url} init` を\
                     実行してください。このサーバーの鍵の SHA-256 は {fingerprint} です。"
                ),
            });
        }
    }
    asked_to_end.await;
    running.shut_down().await;
    Ok(())
}

fn config_command(arguments: &ConfigArguments) -> Result<(), Fault> {
    let configured = gather(arguments)?;
    if !is_there(&arguments.data.join(FACTS))? {
        return Err(Fault::NotSetUp(arguments.data.clone()));
    }
    for (key, value, source) in configured.effective() {
        if arguments.json {
            let line =
                json!({"key": key.name, "value": value, "source": source.name(), "help": key.help});
            say(&line.to_string());
        } else {
            say(&format!("{} = {value:?}  # {}; {}", key.name, source.name(), key.help));
        }
    }
    Ok(())
}

async fn doctor_command(arguments: &DoctorArguments, language: Language) -> Result<(), Fault> {
    let data = &arguments.config.data;
    let config = gather(&arguments.config)?.config;
    let mut seen = examine(data, &config).await;
    if arguments.hardening {
        // What a server that runs was told in its own environment and flags counts, too.
        let given = in_force(data).unwrap_or_default().into_iter();
        let config = gather_beside(&arguments.config, given.collect())?.config;
        seen.extend(harden(data, &config, &arguments.unit));
        seen.extend(own_port(data, &config).and_then(|own| ports(data, own)));
    }
    for one in &seen {
        let (grade, sentence) = (one.grade, one.sentence(language));
        if arguments.config.json {
            let line = json!({"code": one.code, "grade": grade, "sentence": sentence});
            say(&line.to_string());
        } else {
            let mark = match grade {
                Grade::Well => "ok  ",
                Grade::Warning => "warn",
                Grade::Ill => "ILL ",
            };
            say(&format!("{mark} {} {sentence}", one.code));
        }
    }
    let ill = seen.iter().filter(|one| one.grade == Grade::Ill).count();
    if ill > 0 { Err(Fault::Ill(ill)) } else { Ok(()) }
}

fn gather(arguments: &ConfigArguments) -> Result<Configured, Fault> {
    gather_beside(arguments, Vec::new())
}

/// As [`gather`], with settings that the flags of this call come after.
fn gather_beside(
    arguments: &ConfigArguments,
    mut flags: Vec<(String, String)>,
) -> Result<Configured, Fault> {
    for set in &arguments.set {
        // Without a value it is told what that may be.
        let (key, value) = set.split_once('=').unwrap_or((set, ""));
        flags.push((key.to_owned(), value.to_owned()));
    }
    let address = |key: &str, address: Option<SocketAddr>| {
        address.map(|address| (key.to_owned(), address.to_string()))
    };
    flags.extend(address("listen", arguments.listen));
    flags.extend(address("stun", arguments.stun));
    if arguments.no_relay {
        flags.push(("relay".to_owned(), "none".to_owned()));
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Configured::gather(&arguments.data, environment, &flags)
}

pub(super) fn language_of_environment() -> Language {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let first = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find(set);
    Language::of_locale(first.and_then(|name| std::env::var(name).ok()).as_deref())
}

/// Hears the signals from when it is called.
fn asked_to_end() -> impl Future<Output = ()> {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// A reader that has gone away is no reason to stop.
pub(super) fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).ok();
}

pub(super) fn say_error(text: &str) {
    use std::io::Write;
    writeln!(std::io::stderr().lock(), "{text}").ok();
}
