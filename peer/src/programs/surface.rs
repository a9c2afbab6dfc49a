//! What an operator's window shares with `tasuki`: signing in, and a session that begins.
//!
//! Decides nothing of how people are spoken to.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use tasuki_protocol::ids::Role;
use tasuki_protocol::login::LoginResponse;
use tasuki_protocol::rights::Mode;
pub use tasuki_terminal::usage::{Manual, Words};
use tokio::task::JoinHandle;

use super::start;
use crate::core::Peer;
use crate::core::setup::OperatorSetup;
use crate::shell::checkpoint;
use crate::shell::clock::Clock;
use crate::shell::fault::Fault;
use crate::shell::login::{self, Bearer, Credentials, LoginOutcome};
use crate::shell::paths::{PathNeeds, Paths};
use crate::shell::profile::SignIn;
use crate::shell::run::{Front, Run};
use crate::shell::server::{Entrance, ServerLink};
use crate::shell::settings::Settings;
use crate::shell::trust::Trust;

/// The options that a window's program was given, with help and complaints in the language that was asked for (S100).
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub fn options<P: Parser>(manual: &Manual) -> Result<P, ExitCode> {
    super::usage::parse(manual)
}

/// Signs in; keeps the sign-in in the profile once it led there.
///
/// # Errors
/// As [`login::login`], or the profile cannot be written.
pub async fn sign_in(
    settings: &Settings,
    trust: &Trust,
    credentials: &Credentials,
) -> Result<LoginOutcome, Fault> {
    let device = settings.profile.device_key()?;
    let outcome = login::login(trust, &settings.proxies, &device, credentials).await?;
    if let LoginOutcome::SignedIn(answer) = &outcome {
        keep(settings, &credentials.operator, answer)?;
    }
    Ok(outcome)
}

/// What the next start finds: who is signed in.
pub(super) fn keep(settings: &Settings, operator: &str, answer: &LoginResponse) -> Result<(), Fault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    settings.profile.keep_sign_in(&SignIn {
        operator: operator.to_owned(),
        token: answer.token.clone(),
        expires_at: now.saturating_add(answer.expires_in),
        tenant: answer.tenant,
        organisation: answer.organisation.clone(),
        display_name: answer.display_name.clone(),
        modes: answer.modes.clone(),
        reason: answer.reason,
        certified_until: answer.certified_until,
    })
}

/// Ends the sign-in: here at once, and at the server, where numbers and sessions end with it.
///
/// # Errors
/// [`Fault::Profile`] when the file stays, or as [`login::log_out`]: the server's own record then ends
/// with its time.
pub async fn sign_out(settings: &Settings) -> Result<(), Fault> {
    let (device, sign_in) = (settings.profile.device_key()?, settings.profile.sign_in()?);
    settings.profile.forget_sign_in()?;
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let bearer =
        Bearer { trust: &trust, proxies: &settings.proxies, device: &device, sign_in: &sign_in };
    login::log_out(&bearer).await
}

/// Gives the account another password. The server ends what runs under the old one: sessions, and sign-ins elsewhere.
///
/// # Errors
/// As [`login::change_password`], and [`Fault::NotSignedIn`].
pub async fn change_password(settings: &Settings, old: String, new: String) -> Result<(), Fault> {
    let (device, sign_in) = (settings.profile.device_key()?, settings.profile.sign_in()?);
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let bearer =
        Bearer { trust: &trust, proxies: &settings.proxies, device: &device, sign_in: &sign_in };
    login::change_password(&bearer, (old, new)).await
}

/// Shows again that it is the same person, as [`login::confirm`] does.
///
/// # Errors
/// As there, and [`Fault::NotSignedIn`].
pub async fn confirm(
    settings: &Settings,
    password: Option<String>,
    totp: Option<String>,
) -> Result<(), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let (device, sign_in) = (settings.profile.device_key()?, settings.profile.sign_in()?);
    let bearer =
        Bearer { trust: &trust, proxies: &settings.proxies, device: &device, sign_in: &sign_in };
    login::confirm(&bearer, password, totp).await
}

/// Starts the log on standard error.
///
/// # Errors
/// [`Fault::Setting`] for a filter that cannot be read.
pub fn start_log(filter: &str) -> Result<(), Fault> {
    start::start_log(filter)
}

/// Asks the server for a number; `reason` is for the end user to read, and a policy may
/// want it. The loop runs until the session is over, or until the surface drops its end.
///
/// # Errors
/// Not signed in, no desktop to show in a mode that shows it, or the server is not reached.
pub async fn begin(
    mode: Mode,
    reason: Option<String>,
    settings: &Settings,
) -> Result<(Front, JoinHandle<()>), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let sign_in = settings.profile.sign_in()?;
    let device = settings.profile.device_key()?;
    let display = match mode.host() {
        Role::Operator => Some(start::display()?),
        Role::Agent => None,
    };
    let desk = start::desk(&trust, settings);
    // First, because there alone somebody is told of hours.
    let entrance = Entrance::Operator { sign_in: sign_in.clone(), device: Box::new(device.clone()) };
    let server = ServerLink::connect(trust.clone(), settings.proxies.clone(), entrance).await?;
    checkpoint::follow(&desk, &sign_in).await?;
    let (end, needs) = start::end_setup(Role::Operator, &trust, settings, device, mode.ceiling())?;
    let peer = Peer::operator(OperatorSetup { end, mode, reason });
    let paths = Paths::new(PathNeeds { stun: server.places(), ..needs });
    let scribe = start::scribe(desk, Role::Operator);
    let (run, front) = Run::prepare(peer, Clock::start(), server, paths, display, scribe);
    Ok((front, tokio::spawn(run.run())))
}
