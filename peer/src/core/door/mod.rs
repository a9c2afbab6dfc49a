//! The door: from a spoken number to two ends that share keys and a manifest.
//!
//! Nothing of either machine passes it: no screen, no input, no path exists
//! before the person at the agent's end has answered (T1, S29).

mod agent;
mod operator;
mod tried;

use std::time::Instant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, Role};
use tasuki_protocol::manifest::{Binding, ManifestRefused, VerifiedManifest};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::pairing::{Hello, Paired};
use tasuki_protocol::signal::{CloseReason, ResumeToken};

use super::io::{EndedBy, SessionEvent};
use super::line::Line;
use super::outbox::Outbox;
use super::paths::PathKeys;
use super::setup::EndSetup;

pub(super) use agent::AgentDoor;
pub(super) use operator::OperatorDoor;
pub use tried::TriedNumbers;

/// Both ends proved the number to each other, and the manifest held.
#[derive(Debug)]
pub(super) struct Introduced {
    pub(super) line: Line,
    pub(super) peer: Hello,
    pub(super) transcript: tasuki_protocol::ids::Digest,
    pub(super) manifest: VerifiedManifest,
    /// The manifest as it was signed, for the receipt.
    pub(super) envelope: Blob,
    pub(super) keys: PathKeys,
}

/// What became of a door after one input.
#[derive(Debug)]
pub(super) enum Step<D> {
    Waits(D),
    Through(Box<Introduced>),
    Over(EndReason, EndedBy),
}

/// Ends meet: the manifest is checked by each against what it saw itself (T11-T16).
fn introduce(
    role: Role,
    paired: Paired,
    manifest: VerifiedManifest,
    resume: ResumeToken,
    out: &mut Outbox,
) -> Introduced {
    out.tell(SessionEvent::Paired {
        session: paired.session,
        transcript: paired.transcript,
        peer_device: paired.peer.device,
    });
    let (outgoing, incoming) = (paired.keys.outgoing.clone(), paired.keys.incoming.clone());
    let line = Line::open(role, paired.session, resume, outgoing, incoming);
    let keys = PathKeys::new(role, &paired.peer, paired.keys);
    let (transcript, envelope) = (paired.transcript, Blob(paired.manifest));
    Introduced { line, peer: paired.peer, transcript, manifest, envelope, keys }
}

fn verify(
    setup: &EndSetup,
    envelope: &[u8],
    binding: &Binding,
    now: Instant,
) -> Result<VerifiedManifest, ManifestRefused> {
    VerifiedManifest::verify(envelope, &setup.authorities, binding, setup.abilities, now)?
        .under(&setup.maximum, setup.abilities)
}

fn own_key(setup: &EndSetup) -> DeviceKey {
    DeviceKey(setup.device.verifying_key().to_bytes())
}

/// A server's reason to close, as the end of a session.
pub(super) fn reason_of(reason: CloseReason) -> EndReason {
    match reason {
        CloseReason::Expired => EndReason::NobodyAnswered,
        CloseReason::TooManyAttempts => EndReason::Violation,
        CloseReason::OtherEnd | CloseReason::Lost => EndReason::ConnectionLost,
        CloseReason::Withdrawn => EndReason::Withdrawn,
        CloseReason::TimeOver => EndReason::TimeOver,
    }
}
