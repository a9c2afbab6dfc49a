//! What an end is given once, at its birth, and never asks for again.

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::certificate::Authorities;
use tasuki_protocol::manifest::Abilities;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::seed::Seed;

/// How long the end user has for an answer, unless told otherwise.
pub const CONSENT_TIME_OUT: Duration = Duration::from_secs(120);

/// What either end brings.
#[derive(Clone)]
pub struct EndSetup {
    /// The organisation's name from the signed bundle; never from the server (T8).
    pub organisation: String,
    /// Whose manifests and certificates count. T14.
    pub authorities: Authorities,
    /// The operator's enrolled device, or the agent's fresh key of this run.
    pub device: SigningKey,
    /// Fresh for each peer; every secret of the session grows from it.
    pub seed: Seed,
    /// Tenant, DTLS fingerprint and ICE credentials of this end.
    pub facts: Facts,
    /// The most that this machine lets a viewer do, whatever a manifest says.
    pub local: Rights,
    /// Demands of a manifest that this program can honour.
    pub abilities: Abilities,
    pub paths: PathPolicy,
    pub times: SessionTimes,
    pub record: RecordFacts,
}

/// How long this end's person is left alone, and has for an answer. Each end's
/// own: nothing that the other says changes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    /// Between two questions whether to go on; not asked in Manage (T34).
    pub continue_every: Duration,
    /// Silence for this long ends the session (T34).
    pub continue_answer: Duration,
    /// Silence for this long refuses more rights.
    pub rights_answer: Duration,
    /// Nobody can be met and no answer can reach anybody while the server is away:
    /// after so long an end that has no session yet gives up (F2).
    pub without_server: Duration,
    /// No path has carried anything for so long: the session ends (F3, F9).
    pub without_path: Duration,
}

impl Default for SessionTimes {
    fn default() -> Self {
        Self {
            continue_every: Duration::from_secs(30 * 60),
            continue_answer: Duration::from_secs(5 * 60),
            rights_answer: Duration::from_secs(60),
            without_server: Duration::from_secs(60),
            without_path: Duration::from_secs(60),
        }
    }
}

/// What the receipt says of this end beside the session itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFacts {
    /// The program and its version, as in `tasuki 0.1.0`.
    pub software: String,
    /// One moment on both clocks: the wall clock, in seconds since 1970, is for
    /// people to read and decides nothing.
    pub moment: Instant,
    pub unix_s: u64,
}

impl RecordFacts {
    /// The wall clock's time at `now`.
    pub fn unix_at(&self, now: Instant) -> u64 {
        self.unix_s.saturating_add(now.saturating_duration_since(self.moment).as_secs())
    }
}

impl std::fmt::Debug for EndSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndSetup").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// The operator's end, which asks for a number.
#[derive(Debug, Clone)]
pub struct OperatorSetup {
    pub end: EndSetup,
    pub mode: Mode,
}

/// The agent's end, to which a number was read.
#[derive(Debug, Clone)]
pub struct AgentSetup {
    pub end: EndSetup,
    pub number: SessionNumber,
    /// Numbers with this locator that failed before in this program. T4; see
    /// [`super::door::TriedNumbers`].
    pub failed_before: u8,
    /// Silence for this long is a refusal.
    pub consent_time_out: Duration,
}

/// Which kinds of path may be tried. Narrows only: it gives no right and no
/// address that the manifest does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathPolicy {
    pub direct: Permission,
    pub relay: Permission,
}

impl Default for PathPolicy {
    fn default() -> Self {
        Self { direct: Permission::Allowed, relay: Permission::Allowed }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Allowed,
    Forbidden,
}
