//! What an end user's window shares with `tasuki-agentd`: a number, dialled, becomes a session.
//!
//! Decides nothing of how people are spoken to. Consent comes from the surface alone.

use ed25519_dalek::SigningKey;
use tasuki_protocol::ids::Role;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::Mode;
use tokio::task::JoinHandle;

use super::start;
use crate::core::Peer;
use crate::core::setup::{AgentSetup, CONSENT_TIME_OUT};
use crate::shell::clock::Clock;
use crate::shell::fault::Fault;
use crate::shell::paths::{PathNeeds, Paths};
use crate::shell::run::{Front, Run};
use crate::shell::server::{Entrance, ServerLink};
use crate::shell::settings::Settings;
use crate::shell::trust::Trust;

/// The desktop that a session may show, when there is one that can be reached.
///
/// # Errors
/// [`Fault::NoDisplay`], [`Fault::Desktop`] or [`Fault::OtherSystem`].
pub fn display() -> Result<String, Fault> {
    start::display()
}

/// Knocks with a number. `display` is shown in modes that show this computer; without one only
/// sessions in which the operator shows a screen can be. `failed_before` as in [`AgentSetup`] (T4).
/// The loop runs until the session is over, or until the surface drops its end.
///
/// # Errors
/// The server is not reached, or the system gives no randomness.
pub async fn begin(
    number: &SessionNumber,
    failed_before: u8,
    trust: &Trust,
    settings: &Settings,
    display: Option<String>,
) -> Result<(Front, JoinHandle<()>), Fault> {
    let server = ServerLink::connect(trust.clone(), settings.proxies.clone(), Entrance::Agent).await?;
    let key = SigningKey::from_bytes(&start::fresh_seed()?.derive("run key"));
    // What is looked at needs no desktop here, and what this end may not use it does not take.
    let most = if display.is_some() { Mode::Manage } else { Mode::Share };
    let local = most.ceiling();
    let (end, needs) = start::end_setup(Role::Agent, trust, settings, key, local)?;
    let peer = Peer::agent(AgentSetup {
        end,
        number: number.clone(),
        failed_before,
        consent_time_out: CONSENT_TIME_OUT,
    });
    let paths = Paths::new(PathNeeds { stun: server.places(), ..needs });
    let scribe = start::scribe(start::desk(trust, settings), Role::Agent);
    let (run, front) = Run::prepare(peer, Clock::start(), server, paths, display, scribe);
    Ok((front, tokio::spawn(run.run())))
}
