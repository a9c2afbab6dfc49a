//! `tasuki`: the operator's side, for terminals and scripts.
//!
//! Signs in, opens a number, and reads commands a line. Decides nothing that a
//! server or a host decides.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use tasuki_protocol::bundle::BUNDLE_FILE;
use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Mode;

use super::commands;
use super::console::{Console, Manner, OwnDesktop};
use super::examining;
use super::say::{self, Form};
use super::start::{self, Shared, Signals};
use crate::core::Peer;
use crate::core::setup::OperatorSetup;
use crate::shell::clock::Clock;
use crate::shell::fault::Fault;
use crate::shell::login::{self, Credentials};
use crate::shell::paths::{PathNeeds, Paths};
use crate::shell::profile::SignIn;
use crate::shell::run::Run;
use crate::shell::server::{Entrance, ServerLink};
use crate::shell::settings::Settings;
use crate::shell::terminal::{self, Lines};
use crate::shell::texts::Text;
use crate::shell::trust::Trust;

const AFTER_HELP: &str = "\
First:  tasuki login --tenant tenant.json --operator NAME
Then:   tasuki open --mode control
and read the number to the person who needs help.

Commands during a session, one a line of standard input (its end ends the session):
  move X Y                        click X Y [left|middle|right|back|forward]
  button press|release [BUTTON]   scroll DX DY
  key ctrl+a                      press KEY, release KEY
  type TEXT                       chat TEXT
  screenshot FILE.png             monitor N
  stats                           watch X Y, watch off
  wait session|frame [MS]         wait colour X Y RRGGBB [MS], wait MS
  end

Files: $XDG_CONFIG_HOME/tasuki/settings.toml (tenant, lang, path, proxy, log);
$XDG_STATE_HOME/tasuki: device.key, sign-in.json, root.pin, tenant.json.
Environment: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG,
DISPLAY; HTTPS_PROXY, ALL_PROXY and NO_PROXY where the proxy is auto.

Exit codes: 0 ended as wished, 1 system, 2 usage, 3 setting, 10 no DISPLAY (share, show),
11 desktop unusable, 20 not set up, 21 damaged tenant.json, 22 other organisation,
23 profile file unusable, 24 not signed in, 25 other server, 30 unknown host, 31 port closed,
32 unreachable, 33 wrong server key, 34 not a Tasuki server, 35 other protocol version,
36 server unavailable, 37 too many tries, 40 wrong name, password or code, 41 sign-in over,
42 mode not allowed, 48 outside the allowed hours, 49 a reason is needed, 52 number expired,
53 number burnt by wrong tries, 54 connection altered, 55 permission does not hold, 60 refused, 61 nobody answered, 62 connection lost, 63 time over,
64 ended at the server, 65 other side broke the rules, 66 desktop ended, 67 server gone,
70 proxy unreachable, 71 proxy wants a password, 72 proxy refuses, 73 encrypted connections
are opened on the way, 130 interrupted.";

/// The operator's side of a support session, for terminals and scripts.
#[derive(Debug, Parser)]
#[command(name = "tasuki", version, after_help = AFTER_HELP)]
struct Options {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Signs in and keeps the sign-in in the profile.
    Login(LoginOptions),
    /// Opens a session: prints its number, then what happens; reads commands.
    Open {
        /// manage, control, view, share or show.
        #[arg(long)]
        mode: Mode,
        /// Why, like a ticket's number; the end user reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Examines the way to the server and this desktop, and names the obstacle.
    Doctor,
    /// Prints the effective settings and where each came from.
    Config,
}

#[derive(Debug, Args)]
struct LoginOptions {
    /// Only a check: the server stands in the organisation's file.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Your name as an operator.
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Reads the password as a line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// The one-time code that lets this device in.
    #[arg(long, value_name = "CODE", conflicts_with = "enrolment_stdin")]
    enrolment: Option<String>,
    /// Reads the code as a line of standard input, after the password.
    #[arg(long)]
    enrolment_stdin: bool,
}

/// The program.
pub fn main() -> ExitCode {
    let options = Options::parse();
    let form = options.shared.form();
    start::run(&options.shared, async |settings| match &options.command {
        Command::Login(login) => sign_in(login, settings, form).await,
        Command::Open { mode, reason } => open(*mode, reason.clone(), settings, form).await,
        Command::Doctor => examining::doctor(settings, form).await,
        Command::Config => {
            start::print_settings(settings, form);
            Ok(())
        }
    })
}

async fn sign_in(options: &LoginOptions, settings: &Settings, form: Form) -> Result<(), Fault> {
    let trust = Trust::load(settings.tenant.as_deref(), &settings.profile)?;
    check_server(options.server.as_deref(), &trust)?;
    let device = settings.profile.device_key()?;
    let credentials = credentials(options, settings)?;
    let answer = login::login(&trust, &settings.proxies, &device, &credentials).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    settings.profile.keep_sign_in(&SignIn {
        operator: credentials.operator.clone(),
        token: answer.token,
        expires_at: now.saturating_add(answer.expires_in),
        tenant: answer.tenant,
        organisation: answer.organisation.clone(),
        display_name: answer.display_name.clone(),
        modes: answer.modes.clone(),
    })?;
    keep_bundle(&trust, settings)?;
    let modes: Vec<&str> = answer.modes.iter().map(|mode| mode.name()).collect();
    match form {
        Form::Plain => say::print(&Text::SignedIn.fill(
            settings.lang,
            &[&trust.bundle.organisation, &say::harmless(&answer.display_name), &modes.join(", ")],
        )),
        Form::Json => say::json(&serde_json::json!({
            "event": "signed_in", "organisation": trust.bundle.organisation,
            "operator": credentials.operator, "display_name": answer.display_name,
            "modes": modes, "expires_in": answer.expires_in,
        })),
    }
    Ok(())
}

/// The address is the bundle's whatever is asked (T70); another one is a mistake worth telling.
fn check_server(asked: Option<&str>, trust: &Trust) -> Result<(), Fault> {
    let Some(asked) = asked else { return Ok(()) };
    let plain = asked.trim_start_matches("https://").trim_end_matches('/');
    let (host, port) = (&trust.bundle.host, trust.bundle.port);
    let full = format!("{host}:{port}");
    if plain == full || (plain == host && port == 443) {
        return Ok(());
    }
    Err(Fault::OtherServer { asked: asked.to_owned(), bundle: full })
}

/// The next command finds it without being told.
fn keep_bundle(trust: &Trust, settings: &Settings) -> Result<(), Fault> {
    let bytes = std::fs::read(&trust.file)
        .map_err(|why| Fault::Bundle { file: trust.file.clone(), why: why.to_string() })?;
    let kept: PathBuf = settings.profile.state.join(BUNDLE_FILE);
    if kept == trust.file { Ok(()) } else { settings.profile.write(BUNDLE_FILE, &bytes) }
}

fn credentials(options: &LoginOptions, settings: &Settings) -> Result<Credentials, Fault> {
    let lang = settings.lang;
    let unread = |why: std::io::Error| Fault::System { what: "reading", why: why.to_string() };
    let password = if options.password_stdin {
        terminal::plain_line()
    } else {
        terminal::hidden_line(Text::AskPassword.say(lang))
    };
    let password = password.map_err(unread)?;
    let enrolment = match &options.enrolment {
        Some(code) => Some(code.clone()),
        None if options.enrolment_stdin => Some(terminal::plain_line().map_err(unread)?),
        None if !options.password_stdin && terminal::is_interactive() => {
            Some(terminal::hidden_line(Text::AskEnrolment.say(lang)).map_err(unread)?)
        }
        None => None,
    };
    let enrolment = enrolment.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    Ok(Credentials { operator: options.operator.clone(), password, enrolment })
}

async fn open(
    mode: Mode,
    reason: Option<String>,
    settings: &Settings,
    form: Form,
) -> Result<(), Fault> {
    let trust = Trust::load(settings.tenant.as_deref(), &settings.profile)?;
    let sign_in = settings.profile.sign_in()?;
    let device = settings.profile.device_key()?;
    let display = match mode.host() {
        Role::Operator => Some(start::display()?),
        Role::Agent => None,
    };
    let mut signals = Signals::listen()?;
    let entrance = Entrance::Operator { sign_in, device: Box::new(device.clone()) };
    let server = tokio::select! {
        server = ServerLink::connect(trust.clone(), settings.proxies.clone(), entrance) => server?,
        _ = signals.next() => return Err(Fault::Interrupted),
    };
    let (end, needs) = start::end_setup(Role::Operator, &trust, settings, device, mode.ceiling())?;
    let peer = Peer::operator(OperatorSetup { end, mode, reason });
    let paths = Paths::new(PathNeeds { stun: server.places(), ..needs });
    let (run, front) = Run::prepare(peer, Clock::start(), server, paths, display);
    let running = tokio::spawn(run.run());
    if form == Form::Plain {
        say::print(&Text::OperatorHint.fill(settings.lang, &[&commands::names()]));
    }
    let mut lines = Lines::of_stdin();
    let desktop = OwnDesktop::Here;
    let manner = Manner { role: Role::Operator, form, lang: settings.lang, desktop };
    let result = Console::new(manner, front, &mut lines, &mut signals).attend(|_| {}).await;
    let _ = running.await;
    result.map_err(|fault| {
        let is_mode = matches!(fault, Fault::ModeNotAllowed { .. });
        if is_mode { Fault::ModeNotAllowed { mode: mode.to_string() } } else { fault }
    })
}
