//! What the administrator's program and the server say to each other about the policy and
//! about what runs: JSON over HTTPS.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::{DeviceKey, SessionId};
use crate::rights::Mode;
use crate::terms::AddressDisclosure;

/// `GET` → [`PolicyState`]; `POST` the signed envelope of the next [`super::Policy`] → [`PolicyPublished`].
pub const POLICY_PATH: &str = "/v1/admin/policy";
/// `GET` → [`PolicyHistory`].
pub const POLICY_HISTORY_PATH: &str = "/v1/admin/policy/history";
/// `GET` with a version's number in place of `{version}` → [`PolicyState`].
pub const POLICY_VERSION_PATH: &str = "/v1/admin/policy/versions/{version}";
/// `GET` → [`SessionList`]; `POST` [`EndSession`] → nothing.
pub const SESSIONS_PATH: &str = "/v1/admin/sessions";

/// `GET`: the OpenAPI 3.1 document of everything that this server answers.
pub const API_PATH: &str = "/v1/openapi.json";
/// `GET`: 200 while the process answers.
pub const HEALTH_PATH: &str = "/healthz";
/// `GET`: 200 where a session could begin, 503 otherwise.
pub const READY_PATH: &str = "/readyz";

/// A policy as an administrator signed it, and what else decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyState {
    /// 0: none was published yet.
    pub version: u64,
    pub envelope: Option<Blob>,
    /// The server's own setting, where no rule speaks of it.
    pub address_disclosure: AddressDisclosure,
    /// The server's own limit, in seconds.
    pub length_s: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyPublished {
    pub version: u64,
    /// Sessions and numbers that were wider and have ended.
    pub ended: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyHistory {
    /// The newest first.
    pub versions: Vec<PolicyVersion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyVersion {
    pub version: u64,
    /// Seconds since 1970, on the server's clock.
    pub published_at: u64,
    pub signer: DeviceKey,
    /// Nobody, where the administrator is no more.
    pub signer_name: Option<String>,
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    pub sessions: Vec<SessionEntry>,
}

/// A number that waits or a session that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionEntry {
    pub session: SessionId,
    pub operator: String,
    pub display_name: String,
    pub mode: Mode,
    pub stage: SessionStage,
    /// Seconds since the number was asked for.
    pub age_s: u64,
    /// Seconds until the server ends it.
    pub left_s: u64,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStage {
    /// Its number was given out.
    Waiting,
    /// Somebody has entered the number.
    Meeting,
    /// The two ends have met. What they do then, the server does not know.
    Paired,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    pub session: SessionId,
}
