//! All that a surface shows of a session at a moment: plain values, no authority.
//!
//! Decides nothing and cannot be acted on; what may be done is asked of the core
//! each time.

use std::time::{Duration, Instant};

use tasuki_protocol::grant::Stand;
use tasuki_protocol::ids::{DeviceKey, Role, SessionId};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::message::Asked;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::Requirement;

use super::path::{Ciphers, PathKind};

/// What a stats line says of a session at this moment.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct SessionStats {
    pub mode: Option<Mode>,
    pub path: Option<PathKind>,
    pub ciphers: Option<Ciphers>,
    pub round_trip_ms: Option<u32>,
    pub frames: u64,
    pub video_bytes: u64,
    pub violations: u64,
    pub last_path_end: Option<String>,
}

/// Who, what, since when, until when, and how it goes.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Snapshot {
    /// From the signed bundle; never from the server (T8).
    pub organisation: String,
    pub stage: StageName,
    /// Whom the manifest names, once it was verified.
    pub who: Option<Who>,
    /// The end whose screen is shown.
    pub host: Option<Role>,
    /// Seconds since 1970 at the consent, by this end's wall clock.
    pub began_unix_s: Option<u64>,
    pub lasted_s: Option<u64>,
    /// Seconds until every right ends.
    pub ends_in_s: Option<u64>,
    /// Every right that mode and manifest allow, and how it stands.
    pub rights: Vec<RightLine>,
    pub not_direct: Option<NotDirect>,
    /// For how many seconds nothing was heard, once the person was told of it.
    pub reconnecting_for_s: Option<u64>,
    /// Over the last two seconds.
    pub frames_per_second: u32,
    pub bits_per_second: u64,
    pub recording: Recording,
    pub input: InputState,
    pub asking: Option<AskingLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// The number is on its way, or waits for somebody.
    Door,
    /// The end user is asked.
    Question,
    Session,
    /// Ended; the receipt is being signed.
    Parting,
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Who {
    pub session: SessionId,
    pub operator: String,
    pub operator_name: String,
    pub operator_key: DeviceKey,
    pub agent_key: DeviceKey,
    pub policy_version: u64,
}

impl Who {
    pub(super) fn of(manifest: &Manifest) -> Self {
        Self {
            session: manifest.session,
            operator: manifest.operator.clone(),
            operator_name: manifest.operator_name.clone(),
            operator_key: manifest.operator_key,
            agent_key: manifest.agent_key,
            policy_version: manifest.policy_version,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RightLine {
    pub right: Capability,
    pub stand: RightStand,
    /// Of a right for a time.
    pub ends_in_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RightStand {
    Granted,
    /// Granted, and taken away for now by the host's person.
    TakenAway,
    /// Not granted; the viewer may ask.
    CanBeAsked,
    /// Allowed by the manifest and not by this machine or program.
    NotHere,
}

impl RightLine {
    pub(super) fn of(right: Capability, stand: Stand, grantable: Rights, now: Instant) -> Self {
        let (stand, ends_in_s) = match stand {
            _ if !grantable.has(right) => (RightStand::NotHere, None),
            Stand::Granted => (RightStand::Granted, None),
            Stand::GrantedUntil(until) => (RightStand::Granted, Some(seconds(until, now))),
            Stand::Withheld => (RightStand::TakenAway, None),
            Stand::None => (RightStand::CanBeAsked, None),
        };
        Self { right, stand, ends_in_s }
    }
}

/// Why the session is not on a direct path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NotDirect {
    /// The manifest keeps the operator's addresses to itself (R1).
    ByPolicy,
    /// This program was told so.
    BySetting,
    BeingTried,
    /// The two ends' networks let no datagram pass straight; a relay forwards them.
    OnlyByRelay,
    /// The last attempt, or the last direct path, ended so.
    Failed {
        end: String,
    },
}

impl NotDirect {
    /// The rule that keeps it so, in the words of a reason; `None`: no rule does.
    pub fn rule(&self) -> Option<&'static str> {
        match self {
            Self::ByPolicy => Some("the organisation lets the two computers meet at the relay alone"),
            Self::BySetting => Some("this program was started for the relay alone"),
            Self::BeingTried | Self::OnlyByRelay | Self::Failed { .. } => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    Off,
    On,
}

impl From<Requirement> for Recording {
    /// Nothing is recorded unless it must be: an optional recording waits for somebody to start it.
    fn from(requirement: Requirement) -> Self {
        match requirement {
            Requirement::Off | Requirement::Optional => Self::Off,
            Requirement::Required => Self::On,
        }
    }
}

/// Whether the viewer's hand has an effect at the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum InputState {
    /// No session, or no right to it.
    Off,
    Free,
    /// The host's person uses his own hand (T32).
    Paused {
        for_ms: u64,
    },
    /// The host's person is asked something.
    Asking,
    /// The host's person holds the picture.
    PicturePaused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct AskingLine {
    pub what: Asked,
    pub seconds_left: u64,
}

impl Snapshot {
    /// Before a session, and after it.
    pub(super) fn bare(organisation: &str, stage: StageName) -> Self {
        Self {
            organisation: organisation.to_owned(),
            stage,
            who: None,
            host: None,
            began_unix_s: None,
            lasted_s: None,
            ends_in_s: None,
            rights: Vec::new(),
            not_direct: None,
            reconnecting_for_s: None,
            frames_per_second: 0,
            bits_per_second: 0,
            recording: Recording::Off,
            input: InputState::Off,
            asking: None,
        }
    }
}

/// Whole seconds until `until`, rounded up: a countdown shows 0 when it is over.
pub(super) fn seconds(until: Instant, now: Instant) -> u64 {
    let left = until.saturating_duration_since(now);
    left.as_secs() + u64::from(left > Duration::from_secs(left.as_secs()))
}
