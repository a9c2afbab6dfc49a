//! What the administrator's program and the server say to each other: JSON over HTTPS.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::blob::Blob;
use crate::ids::{DeviceKey, Digest};
use crate::rights::Mode;

/// `POST` [`EnrolAdmin`]; works once, with the token that `setup` printed (T57).
pub const ENROL_PATH: &str = "/v1/admin/enrol";
/// `GET` → [`OperatorList`]; `POST` [`AddOperator`] → [`OperatorAdded`].
pub const OPERATORS_PATH: &str = "/v1/admin/operators";
/// `POST` [`ChangeOperator`] → nothing, or [`OperatorAdded`] for a new code.
pub const OPERATOR_CHANGES_PATH: &str = "/v1/admin/operators/changes";
/// `GET` → the tenant's signed bundle, for agents and operators' programs.
pub const BUNDLE_PATH: &str = "/v1/bundle";

/// Header of every administrator's request but enrolment: unix seconds, `.`, a
/// random nonce in hexadecimal, `.`, base64 of Ed25519 over [`ADMIN_PROOF`], the
/// two, method, path and SHA-256 of the body in hexadecimal, separated by newlines: see
/// [`request_proof`].
pub const ADMIN_HEADER: &str = "tasuki-admin";
pub const ADMIN_PROOF: &str = "tasuki-admin-request-v1";

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolAdmin {
    pub token: String,
    pub name: String,
    pub key: DeviceKey,
    /// Ed25519 by `key` over [`ADMIN_PROOF`], newline, token.
    pub proof: Blob,
}

impl std::fmt::Debug for EnrolAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolAdmin").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddOperator {
    pub operator: String,
    pub display_name: String,
    pub password: String,
    pub modes: Vec<Mode>,
}

impl std::fmt::Debug for AddOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddOperator").field("operator", &self.operator).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorAdded {
    /// One-time code for the operator's first device.
    pub enrolment: String,
    pub expires_in: u64,
}

impl std::fmt::Debug for OperatorAdded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorAdded(..)")
    }
}

/// What an administrator's signature covers.
pub fn request_proof(unix: u64, nonce: &str, method: &str, path: &str, body: &[u8]) -> String {
    let digest = Digest(Sha256::digest(body).into());
    format!("{ADMIN_PROOF}\n{unix}\n{nonce}\n{method}\n{path}\n{digest}")
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeOperator {
    pub operator: String,
    pub change: OperatorChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorChange {
    /// Ends the operator's sessions, numbers and tokens too (S65).
    Disable,
    Enable,
    /// As `Disable`, for good.
    Remove,
    /// A one-time code for one more device.
    NewCode,
    /// Ends a suspension after failed logins (S64).
    Unlock,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorList {
    pub operators: Vec<OperatorEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorEntry {
    pub operator: String,
    pub display_name: String,
    pub modes: Vec<Mode>,
    pub state: OperatorState,
    pub devices: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorState {
    Enabled,
    Disabled,
}

/// What an HTTP request is refused with; the status says the class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    pub code: ProblemCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Name, password, code or device: not said which (T52).
    SignIn,
    /// Not an administrator's valid signature, or one seen before.
    Unauthorised,
    /// The body is not what this path takes.
    Malformed,
    /// The name is taken.
    Taken,
    /// The name or password cannot be used: too short, too long, or deceptive.
    Unusable,
    NotFound,
    /// Another version was published meanwhile.
    Conflict,
    /// The policy does not hold: its signer, its form, or a rule that widens another.
    Policy,
    /// Try again later.
    Busy,
    Version,
}
