//! Operators' devices as administrators see them: asked for, approved, revoked.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::DeviceKey;
use crate::rights::Mode;

/// `GET` → [`DeviceList`].
pub const DEVICES_PATH: &str = "/v1/admin/devices";
/// `POST` [`ApproveDevice`] → nothing.
pub const APPROVE_PATH: &str = "/v1/admin/devices/approve";
/// `POST` [`RevokeDevices`] → nothing: the devices' sessions, numbers and tokens end.
pub const REVOKE_PATH: &str = "/v1/admin/devices/revoke";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceList {
    pub devices: Vec<DeviceEntry>,
    /// The newest [`crate::certificate::Revocations`], if there ever was one.
    pub revocations: Option<Blob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    pub operator: String,
    pub display_name: String,
    /// The account's modes.
    pub modes: Vec<Mode>,
    pub device: DeviceKey,
    pub state: DeviceState,
    /// Unix seconds.
    pub added: u64,
    /// Unix seconds; of an approved device.
    pub not_after: Option<u64>,
    /// The [`crate::certificate::Certificate`]'s envelope of an approved device: what the server issues
    /// manifests by.
    pub certificate: Option<Blob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceState {
    /// Came with a right password and a right code; an administrator must compare its words.
    Pending,
    Approved,
    /// The certificate is over; approve it again.
    Expired,
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveDevice {
    /// A [`crate::certificate::Certificate`]'s envelope.
    pub certificate: Blob,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeDevices {
    /// A [`crate::certificate::Revocations`]'s envelope, of a higher version than the one before.
    pub revocations: Blob,
    /// The bundle's envelope that asks everybody for this list, and is the one before in all else: both are in force
    /// together or neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Blob>,
}
