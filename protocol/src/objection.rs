//! Why an end turns away at the door: what only its own program can see, and the server writes down (T7, T16).
//!
//! A closed list without a word of anybody's: the end is a stranger yet.

use serde::{Deserialize, Serialize};

use crate::manifest::ManifestRefused;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objection {
    /// What passed between the ends was altered on the way (T7).
    TranscriptMismatch,
    /// The manifest is not signed by who may, or not one at all.
    ManifestForged,
    ManifestVersion,
    /// The operator's certificate beside it does not hold.
    ManifestCertificate,
    /// Wider than that certificate, or another operator's (T16).
    ManifestNotCertified,
    /// Made for others than these two ends and this session.
    ManifestBinding,
    ManifestName,
    ManifestTimes,
    /// Wider than its mode (T16).
    ManifestTooWide,
    /// It demands what the program cannot do.
    ManifestDemand,
    /// The computer's own maximum leaves nothing of it.
    ManifestLocal,
}

impl Objection {
    /// Somebody altered or forged something, rather than that two programs do not suit each other.
    #[must_use]
    pub fn is_violation(self) -> bool {
        match self {
            Self::TranscriptMismatch
            | Self::ManifestForged
            | Self::ManifestCertificate
            | Self::ManifestNotCertified
            | Self::ManifestBinding
            | Self::ManifestName
            | Self::ManifestTimes
            | Self::ManifestTooWide => true,
            Self::ManifestVersion | Self::ManifestDemand | Self::ManifestLocal => false,
        }
    }
}

impl From<ManifestRefused> for Objection {
    fn from(refused: ManifestRefused) -> Self {
        match refused {
            ManifestRefused::Document(_) => Self::ManifestForged,
            ManifestRefused::Version => Self::ManifestVersion,
            ManifestRefused::Certificate(_) => Self::ManifestCertificate,
            ManifestRefused::NotCertified => Self::ManifestNotCertified,
            ManifestRefused::Binding => Self::ManifestBinding,
            ManifestRefused::Name => Self::ManifestName,
            ManifestRefused::Times => Self::ManifestTimes,
            ManifestRefused::TooWide => Self::ManifestTooWide,
            ManifestRefused::Demand => Self::ManifestDemand,
            ManifestRefused::Local => Self::ManifestLocal,
        }
    }
}
