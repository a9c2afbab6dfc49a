//! What policies, certificates and manifests say of one thing: the words of their rules.

use serde::{Deserialize, Serialize};

use crate::rights::{Capability, Rights};

/// Whether something may, must or must not be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requirement {
    Off,
    #[default]
    Optional,
    Required,
}

/// Whether files may go one way. S32, T25.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    #[default]
    Never,
    /// Each time the person at the host is asked, by name and size.
    Ask,
    Allow,
}

impl Approval {
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Ask, _) | (_, Self::Ask) => Self::Ask,
            (Self::Allow, Self::Allow) => Self::Allow,
        }
    }
}

/// How files may go: from the host to the viewer, and from the viewer to the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRules {
    pub fetch: Approval,
    pub send: Approval,
}

impl FileRules {
    /// `approval` in each direction for which `capabilities` has the right.
    pub fn of(capabilities: Rights, approval: Approval) -> Self {
        let rule = |capability| if capabilities.has(capability) { approval } else { Approval::Never };
        Self { fetch: rule(Capability::FetchFiles), send: rule(Capability::SendFiles) }
    }

    pub(crate) fn are_closed(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn agree(self, capabilities: Rights) -> bool {
        (self.fetch != Approval::Never) == capabilities.has(Capability::FetchFiles)
            && (self.send != Approval::Never) == capabilities.has(Capability::SendFiles)
    }
}

/// Which of the operator's addresses the other end may learn. R1, T24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressDisclosure {
    RelayOnly,
    Public,
    All,
}
