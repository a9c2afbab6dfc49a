//! The policy manifest: what the server allows in one session, signed.
//!
//! It is bound to tenant, session, both ends' keys and the agent's challenge, so
//! that it serves no other session, and is refused whole if it is wider than its
//! mode (T11-T18). Times are spans from the moment of receipt: a wrong wall
//! clock at an end neither shortens nor prolongs a right (F12).

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::blob::Blob;
use crate::certificate::{Authorities, Certificate, CertificateRefused};
use crate::consent::{Answer, Consent};
use crate::dsse::{self, Document, DocumentRefused};
use crate::grant::Standing;
use crate::ids::{Challenge, DeviceKey, Digest, SessionId, TenantId};
use crate::policy::local::LocalMaximum;
use crate::rights::{EffectiveRights, Mode, Rights};
use crate::showable::{is_showable_name, is_showable_reason};
use crate::terms::{AddressDisclosure, FileRules, Requirement};

/// The longest span between issue and start. T12.
pub const MAX_START: Duration = Duration::from_secs(15 * 60);
/// The longest session. T12.
pub const MAX_LENGTH: Duration = Duration::from_secs(8 * 3600);

/// The document that the server signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub v: u16,
    pub tenant: TenantId,
    pub session: SessionId,
    pub operator: String,
    pub operator_name: String,
    pub operator_key: DeviceKey,
    pub agent_key: DeviceKey,
    pub challenge: Challenge,
    pub mode: Mode,
    pub capabilities: Rights,
    /// How files may go, each way; agrees with `capabilities`. S32, S37.
    #[serde(default, skip_serializing_if = "FileRules::are_closed")]
    pub files: FileRules,
    pub application_selection: Requirement,
    pub recording: Requirement,
    pub address_disclosure: AddressDisclosure,
    /// Seconds since 1970 on the server's clock; for the record, not for decisions.
    pub issued_at: u64,
    /// Seconds from receipt within which the session must be accepted.
    pub start_within: u64,
    /// Seconds from receipt after which every right ends.
    pub length: u64,
    pub policy_version: u64,
    /// Why the operator says he does it, for the person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The envelope of the operator's [`Certificate`]: who he is and the most he may do,
    /// by the administrator's word and not the server's.
    pub certificate: Blob,
}

impl Document for Manifest {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.manifest.v1+json";
}

/// What a manifest must be bound to, as this end knows it from the pairing.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub tenant: TenantId,
    pub session: SessionId,
    pub operator_key: DeviceKey,
    pub agent_key: DeviceKey,
    pub challenge: Challenge,
}

/// What the program at this end is able to honour. A manifest that demands more
/// is refused whole: a demand is never dropped in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    pub application_selection: bool,
    pub recording: bool,
}

impl Abilities {
    /// Those of the programs of this version: what an end is given, and what an administrator is told of a policy.
    pub const OF_THIS_VERSION: Self = Self { application_selection: false, recording: false };

    /// Of two demands those that are made and cannot be met, by their names in a policy.
    pub fn lacking(
        self,
        recording: Option<Requirement>,
        selection: Option<Requirement>,
    ) -> Vec<&'static str> {
        let made = [
            ("recording", recording, self.recording),
            ("application_selection", selection, self.application_selection),
        ];
        let lacks = |(_, demand, is_able): &(&str, Option<Requirement>, bool)| {
            *demand == Some(Requirement::Required) && !is_able
        };
        made.into_iter().filter(lacks).map(|(name, ..)| name).collect()
    }
}

/// A manifest that was checked, with its end on this machine's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedManifest {
    manifest: Manifest,
    certificate: Certificate,
    digest: Digest,
    start_by: Instant,
    ends: Instant,
}

impl VerifiedManifest {
    /// Checks `envelope` in the order signature, form, binding, certificate, times, width.
    ///
    /// `now` must come from a clock that counts time spent suspended (T12).
    ///
    /// # Errors
    /// See [`ManifestRefused`]; each is final for this session.
    pub fn verify(
        envelope: &[u8],
        authorities: &Authorities,
        binding: &Binding,
        abilities: Abilities,
        now: Instant,
    ) -> Result<Self, ManifestRefused> {
        let manifest: Manifest = dsse::open(envelope, &authorities.manifest_keys)?;
        check_binding(&manifest, binding)?;
        check_names(&manifest)?;
        let certificate =
            Certificate::open(&manifest.certificate.0, authorities, &binding.operator_key)?;
        check_certified(&manifest, &certificate)?;
        let start_within = Duration::from_secs(manifest.start_within);
        let length = Duration::from_secs(manifest.length);
        if start_within.is_zero() || start_within > MAX_START || length.is_zero() || length > MAX_LENGTH
        {
            return Err(ManifestRefused::Times);
        }
        let agreed = manifest.files.agree(manifest.capabilities);
        if !agreed || !manifest.capabilities.is_within(manifest.mode.ceiling()) {
            return Err(ManifestRefused::TooWide);
        }
        check_demands(&manifest, abilities)?;
        let digest = Digest(Sha256::digest(envelope).into());
        let (start_by, ends) = (now + start_within, now + length);
        Ok(Self { manifest, certificate, digest, start_by, ends })
    }

    /// As narrow as this computer's own maximum, too; what it takes away is gone from the
    /// manifest, as if it had never been offered.
    ///
    /// # Errors
    /// [`ManifestRefused::Local`] where nothing would be left, [`ManifestRefused::Demand`].
    pub fn under(
        mut self,
        maximum: &LocalMaximum,
        abilities: Abilities,
    ) -> Result<Self, ManifestRefused> {
        if !maximum.admits(self.manifest.mode, self.manifest.recording) {
            return Err(ManifestRefused::Local);
        }
        let manifest = &mut self.manifest;
        manifest.files = maximum.files(manifest.files);
        manifest.capabilities = manifest.capabilities.and(maximum.rights(manifest.mode));
        manifest.application_selection = maximum.application_selection(manifest.application_selection);
        check_demands(manifest, abilities)?;
        Ok(self)
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who the operator is, by the administrator's word.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// SHA-256 of the envelope as received.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The last moment at which the session may be accepted.
    pub fn start_by(&self) -> Instant {
        self.start_by
    }

    /// The moment at which every right ends.
    pub fn ends(&self) -> Instant {
        self.ends
    }

    /// What the viewer may do at `now`: mode's ceiling, certificate, manifest, the machine's own
    /// maximum and what stands of the person's word, whichever is least. T16-T18.
    pub fn effective(
        &self,
        local: Rights,
        consent: &Consent,
        standing: &Standing,
        now: Instant,
    ) -> EffectiveRights {
        let accepted = consent.answer == Answer::Accepted && consent.manifest == self.digest;
        if !accepted || now >= self.ends {
            return EffectiveRights::mint(Rights::NONE);
        }
        let ceiling = self.manifest.mode.ceiling().and(self.certificate.rights);
        let allowed = ceiling.and(self.manifest.capabilities);
        EffectiveRights::mint(allowed.and(local).and(standing.at(now)))
    }
}

/// Why a manifest, and the session with it, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ManifestRefused {
    #[error(transparent)]
    Document(#[from] DocumentRefused),
    #[error("the manifest is of another protocol version")]
    Version,
    #[error(transparent)]
    Certificate(#[from] CertificateRefused),
    #[error("the manifest allows more than the operator's certificate, or names another operator")]
    NotCertified,
    #[error("the manifest was made for another organisation, session, computer or operator")]
    Binding,
    #[error("the manifest carries a name that cannot be shown")]
    Name,
    #[error("the manifest's times are out of bounds")]
    Times,
    #[error("the manifest allows more than its mode can")]
    TooWide,
    #[error("the manifest demands what this program cannot do")]
    Demand,
    #[error("this computer's own maximum does not allow such a session")]
    Local,
}

fn check_binding(manifest: &Manifest, binding: &Binding) -> Result<(), ManifestRefused> {
    if manifest.v != crate::ids::PROTOCOL_VERSION {
        return Err(ManifestRefused::Version);
    }
    let same = manifest.tenant == binding.tenant
        && manifest.session == binding.session
        && manifest.operator_key == binding.operator_key
        && manifest.agent_key == binding.agent_key
        && manifest.challenge == binding.challenge;
    if same { Ok(()) } else { Err(ManifestRefused::Binding) }
}

fn check_names(manifest: &Manifest) -> Result<(), ManifestRefused> {
    let shown = [&manifest.operator, &manifest.operator_name];
    let reason = manifest.reason.as_deref().is_none_or(is_showable_reason);
    if reason && shown.into_iter().all(|name| is_showable_name(name)) {
        Ok(())
    } else {
        Err(ManifestRefused::Name)
    }
}

/// A manifest wider than its certificate is refused whole, not clipped (T16).
fn check_certified(manifest: &Manifest, certificate: &Certificate) -> Result<(), ManifestRefused> {
    let certified = manifest.operator == certificate.operator
        && manifest.operator_name == certificate.display_name
        && certificate.modes.contains(&manifest.mode)
        && manifest.capabilities.is_within(certificate.rights);
    if certified { Ok(()) } else { Err(ManifestRefused::NotCertified) }
}

fn check_demands(manifest: &Manifest, abilities: Abilities) -> Result<(), ManifestRefused> {
    let lacking = abilities.lacking(Some(manifest.recording), Some(manifest.application_selection));
    if lacking.is_empty() { Ok(()) } else { Err(ManifestRefused::Demand) }
}
