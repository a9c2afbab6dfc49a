//! Who an operator is: a certificate of his device, signed on the administrator's
//! machine by the tenant's lock key, and the list of those revoked.
//!
//! The server carries it and cannot make one. An agent's end takes the operator's
//! name and the most he may do from here and not from the server (T8, T9, T14, T16).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bundle::CLOCK_TOLERANCE_S;
use crate::dsse::{self, Document, DocumentRefused};
use crate::ids::{DeviceKey, PROTOCOL_VERSION, TenantId};
use crate::rights::{Mode, Rights};
use crate::showable::is_showable_name;

/// The longest life of a certificate.
pub const MAX_CERTIFICATE_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
/// The most entries of a [`Revocations`]; what has expired anyway is left out.
pub const MAX_REVOKED: usize = 100;

/// One device of one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pub v: u16,
    pub tenant: TenantId,
    pub operator: String,
    /// What end users see. T8.
    pub display_name: String,
    pub device: DeviceKey,
    /// The modes that a manifest for this device may have.
    pub modes: Vec<Mode>,
    /// The most that a manifest for this device may allow.
    pub rights: Rights,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds; at most [`MAX_CERTIFICATE_LIFE`] later.
    pub not_after: u64,
}

impl Document for Certificate {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.certificate.v1+json";
}

/// Devices whose certificates count no more, whatever they say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    pub v: u16,
    pub tenant: TenantId,
    /// Rises with every change; a reader never goes back to a lower one.
    pub version: u64,
    pub devices: Vec<DeviceKey>,
    /// Unix seconds.
    pub issued_at: u64,
}

impl Document for Revocations {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.revocations.v1+json";
}

/// Whose word counts at this end, and what time it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    pub tenant: TenantId,
    /// Keys that may sign manifests.
    pub manifest_keys: Vec<DeviceKey>,
    /// Keys that may sign device certificates.
    pub lock_keys: Vec<DeviceKey>,
    pub revoked: Vec<DeviceKey>,
    /// Unix seconds by this end's clock, which may be wrong by a day. F12.
    pub unix: u64,
}

impl Certificate {
    /// The certificate in `envelope`, if it holds now for `device`.
    ///
    /// # Errors
    /// See [`CertificateRefused`].
    pub fn open(
        envelope: &[u8],
        authorities: &Authorities,
        device: &DeviceKey,
    ) -> Result<Self, CertificateRefused> {
        let certificate: Self = dsse::open(envelope, &authorities.lock_keys)?;
        certificate.check(authorities, device).map(|()| certificate)
    }

    fn check(&self, authorities: &Authorities, device: &DeviceKey) -> Result<(), CertificateRefused> {
        let own =
            self.v == PROTOCOL_VERSION && self.tenant == authorities.tenant && self.device == *device;
        if !own {
            return Err(CertificateRefused::Binding);
        }
        if !is_showable_name(&self.operator) || !is_showable_name(&self.display_name) {
            return Err(CertificateRefused::Name);
        }
        if authorities.revoked.contains(device) {
            return Err(CertificateRefused::Revoked);
        }
        let life = self.not_after.checked_sub(self.not_before);
        if life.is_none_or(|life| life > MAX_CERTIFICATE_LIFE.as_secs()) {
            return Err(CertificateRefused::TooLong);
        }
        let early = authorities.unix.saturating_add(CLOCK_TOLERANCE_S) < self.not_before;
        let late = authorities.unix > self.not_after.saturating_add(CLOCK_TOLERANCE_S);
        if early || late { Err(CertificateRefused::Times) } else { Ok(()) }
    }
}

impl Revocations {
    /// The list in `envelope`, unless it is older than version `known`.
    ///
    /// # Errors
    /// See [`CertificateRefused`].
    pub fn open(
        envelope: &[u8],
        tenant: TenantId,
        lock_keys: &[DeviceKey],
        known: u64,
    ) -> Result<Self, CertificateRefused> {
        let list: Self = dsse::open(envelope, lock_keys)?;
        if list.v != PROTOCOL_VERSION || list.tenant != tenant || list.devices.len() > MAX_REVOKED {
            return Err(CertificateRefused::Binding);
        }
        if list.version < known { Err(CertificateRefused::Rollback) } else { Ok(list) }
    }
}

/// Why a certificate or a list of revoked ones counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CertificateRefused {
    #[error(transparent)]
    Document(#[from] DocumentRefused),
    #[error("the operator's certificate is of another organisation, device or version")]
    Binding,
    #[error("the operator's certificate carries a name that cannot be shown")]
    Name,
    #[error("the operator's device was revoked")]
    Revoked,
    #[error("the operator's certificate is made for longer than 90 days")]
    TooLong,
    #[error("the operator's certificate is not valid today; check this computer's date")]
    Times,
    #[error("the list of revoked devices is older than one seen before")]
    Rollback,
}
