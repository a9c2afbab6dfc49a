//! The tenant bundle: which server, which keys. What an agent and an operator's
//! program trust, in one document signed by the tenant's root key.
//!
//! Nothing unsigned (a file's name, the environment, a link) changes what stands
//! here once a bundle is present (T70).

use serde::{Deserialize, Serialize};

use crate::dsse::Document;
use crate::ids::{DeviceKey, Digest, TenantId};

/// The file name by which programs look for it in their configuration folder.
pub const BUNDLE_FILE: &str = "tenant.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    pub v: u16,
    pub tenant: TenantId,
    /// Shown to people as the organisation's name. T8.
    pub organisation: String,
    pub host: String,
    pub port: u16,
    /// SHA-256 of the server certificate's SubjectPublicKeyInfo (RFC 7469's pin). S72.
    pub server_pin: Digest,
    /// Keys that may sign manifests.
    pub manifest_keys: Vec<DeviceKey>,
}

impl Document for Bundle {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.bundle.v1+json";
}
