//! What an operator's window shares with `tasuki`: signing in, and a session that begins.
//!
//! Decides nothing of how people are spoken to.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use tasuki_protocol::bundle::BUNDLE_FILE;
use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Mode;
use tokio::task::JoinHandle;

use super::start;
use crate::core::Peer;
use crate::core::setup::OperatorSetup;
use crate::shell::clock::Clock;
use crate::shell::fault::Fault;
use crate::shell::login::{self, Credentials};
use crate::shell::paths::{PathNeeds, Paths};
use crate::shell::profile::SignIn;
use crate::shell::run::{Front, Run};
use crate::shell::server::{Entrance, ServerLink};
use crate::shell::settings::Settings;
use crate::shell::trust::Trust;

/// Signs in, and keeps the sign-in and the organisation's file in the profile.
///
/// # Errors
/// As [`login::login`], or the profile cannot be written.
pub async fn sign_in(
    settings: &Settings,
    trust: &Trust,
    credentials: &Credentials,
) -> Result<SignIn, Fault> {
    let device = settings.profile.device_key()?;
    let answer = login::login(trust, &settings.proxies, &device, credentials).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let sign_in = SignIn {
        operator: credentials.operator.clone(),
        token: answer.token,
        expires_at: now.saturating_add(answer.expires_in),
        tenant: answer.tenant,
        organisation: answer.organisation,
        display_name: answer.display_name,
        modes: answer.modes,
    };
    settings.profile.keep_sign_in(&sign_in)?;
    keep_bundle(trust, settings)?;
    Ok(sign_in)
}

/// # Errors
/// [`Fault::Profile`] when the file stays.
pub fn forget_sign_in(settings: &Settings) -> Result<(), Fault> {
    settings.profile.forget_sign_in()
}

/// Starts the log on standard error.
///
/// # Errors
/// [`Fault::Setting`] for a filter that cannot be read.
pub fn start_log(filter: &str) -> Result<(), Fault> {
    start::start_log(filter)
}

/// The next start finds it without being told.
fn keep_bundle(trust: &Trust, settings: &Settings) -> Result<(), Fault> {
    let bytes = std::fs::read(&trust.file)
        .map_err(|why| Fault::Bundle { file: trust.file.clone(), why: why.to_string() })?;
    let kept: PathBuf = settings.profile.state.join(BUNDLE_FILE);
    if kept == trust.file { Ok(()) } else { settings.profile.write(BUNDLE_FILE, &bytes) }
}

/// Asks the server for a number. The loop runs until the session is over, or until
/// the surface drops its end.
///
/// # Errors
/// Not signed in, no desktop to show in a mode that shows it, or the server is not reached.
pub async fn begin(mode: Mode, settings: &Settings) -> Result<(Front, JoinHandle<()>), Fault> {
    let trust = Trust::load(settings.tenant.as_deref(), &settings.profile)?;
    let sign_in = settings.profile.sign_in()?;
    let device = settings.profile.device_key()?;
    let display = match mode.host() {
        Role::Operator => Some(start::display()?),
        Role::Agent => None,
    };
    let entrance = Entrance::Operator { sign_in, device: Box::new(device.clone()) };
    let server = ServerLink::connect(trust.clone(), settings.proxies.clone(), entrance).await?;
    let (end, needs) = start::end_setup(Role::Operator, &trust, settings, device, mode.ceiling())?;
    let peer = Peer::operator(OperatorSetup { end, mode });
    let paths = Paths::new(PathNeeds { stun: server.places(), ..needs });
    let (run, front) = Run::prepare(peer, Clock::start(), server, paths, display);
    Ok((front, tokio::spawn(run.run())))
}
