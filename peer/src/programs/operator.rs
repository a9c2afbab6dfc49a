//! `tasuki`: the operator's side, for terminals and scripts.
//!
//! Signs in, opens a number, and reads commands a line. Decides nothing that a
//! server or a host decides.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Mode;

use super::commands;
use super::console::{Console, Manner, OwnDesktop};
use super::examining;
use super::say::{self, Form};
use super::sign_in::{self, ConfirmOptions, LoginOptions, PasswordOptions};
use super::start::{self, Shared, Signals};
use super::surface;
use crate::shell::fault::Fault;
use crate::shell::settings::Settings;
use crate::shell::terminal::Lines;
use crate::shell::texts::Text;

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
42 mode not allowed, 43 digits needed, 44 device waits for approval, 45 suspended after wrong
tries, 46 new password unusable, 47 confirm first, 48 outside the allowed hours, 49 a reason is
needed, 52 number expired, 53 number burnt by wrong tries, 54 connection altered,
55 permission does not hold, 60 refused, 61 nobody answered, 62 connection lost, 63 time over,
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
    /// Shows again that it is you: mode Manage asks for it some minutes after a sign-in.
    Confirm(ConfirmOptions),
    /// Changes your password; your other sign-ins end.
    Password(PasswordOptions),
    /// Ends the sign-in at the server, with its numbers and sessions.
    Logout,
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

/// The program.
pub fn main() -> ExitCode {
    let options = Options::parse();
    let form = options.shared.form();
    start::run(&options.shared, async |settings| match &options.command {
        Command::Login(login) => sign_in::login(login, settings, form).await,
        Command::Confirm(options) => sign_in::confirm(options, settings, form).await,
        Command::Password(options) => sign_in::password(options, settings, form).await,
        Command::Logout => sign_in::logout(settings, form).await,
        Command::Open { mode, reason } => open(*mode, reason.clone(), settings, form).await,
        Command::Doctor => examining::doctor(settings, form).await,
        Command::Config => {
            start::print_settings(settings, form);
            Ok(())
        }
    })
}

async fn open(
    mode: Mode,
    reason: Option<String>,
    settings: &Settings,
    form: Form,
) -> Result<(), Fault> {
    let mut signals = Signals::listen()?;
    let (front, running) = tokio::select! {
        begun = surface::begin(mode, reason, settings) => begun?,
        _ = signals.next() => return Err(Fault::Interrupted),
    };
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
