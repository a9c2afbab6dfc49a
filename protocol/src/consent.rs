//! The end user's answer, signed by the agent over what it showed. T10.

use serde::{Deserialize, Serialize};

use crate::dsse::Document;
use crate::ids::Digest;
use crate::rights::Rights;

/// What the person was shown, and what he granted. A refusal grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The pairing's transcript.
    pub transcript: Digest,
    /// SHA-256 of the manifest's envelope.
    pub manifest: Digest,
    /// SHA-256 of the text as shown, UTF-8.
    pub shown: Digest,
    pub answer: Answer,
    /// At most what the manifest allows; empty for a refusal.
    pub granted: Rights,
}

impl Document for Consent {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.consent.v1+json";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Accepted,
    Refused,
    /// Nobody answered in time; counts as a refusal.
    Silent,
}
