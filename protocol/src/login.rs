//! Signing in: what an operator's program asks, and where that leads.
//!
//! Whoever is not known to be right gets one answer, [`crate::admin::ProblemCode::SignIn`],
//! whatever was wrong (T52).

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::{DeviceKey, TenantId};
use crate::rights::Mode;
use crate::terms::Requirement;

/// `POST` [`LoginRequest`] → [`LoginAnswer`].
pub const LOGIN_PATH: &str = "/v1/login";
/// `POST` [`Confirmation`] with the bearer's token → nothing: for a few minutes, acts that ask
/// for a second look (mode Manage) are open.
pub const CONFIRM_PATH: &str = "/v1/confirm";
/// `POST` [`ChangePassword`] with the bearer's token → nothing; other sign-ins of the account end.
pub const PASSWORD_PATH: &str = "/v1/password";
/// `POST` [`SignOut`] with the bearer's token → nothing; the token, its connections and numbers end.
pub const LOGOUT_PATH: &str = "/v1/logout";
/// Label of the 32 bytes that both ends of a TLS connection export for a login's proof (RFC 5705).
pub const LOGIN_EXPORTER: &[u8] = b"EXPORTER-tasuki-login-v1";

/// An operator signs in. The device proves itself on each connection afterwards.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    pub version: u16,
    pub operator: String,
    pub password: String,
    pub device: DeviceKey,
    /// Ed25519 by `device` over [`crate::signal::DEVICE_PROOF`], the connection's [`LOGIN_EXPORTER`],
    /// `enrolment` (or nothing) and the operator's name: worth nothing on another connection.
    pub proof: Blob,
    /// The one-time code by which an administrator lets a new device in.
    pub enrolment: Option<String>,
    /// The authenticator's six digits.
    pub totp: Option<String>,
    /// What to do about an authenticator.
    pub authenticator: Authenticator,
    /// Hardware addresses as this computer says, lower case with colons. R4: can be forged.
    pub macs: Vec<String>,
}

/// Whether a login is to set an authenticator up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authenticator {
    /// Use the one that there is, if there is one.
    Keep,
    /// Asks for [`LoginAnswer::TotpSetup`]; with `totp`, confirms it.
    SetUp,
}

/// Where a login with the right name and password leads. Everything else is
/// [`crate::admin::ProblemCode::SignIn`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LoginAnswer {
    SignedIn(LoginResponse),
    /// Said to an approved device only.
    NeedsTotp,
    /// A new authenticator's `otpauth:` address; it counts once a login brings its digits.
    TotpSetup {
        uri: String,
    },
    /// An administrator must compare the device's words and approve it.
    DevicePending,
    /// Name and password are right, and the device is one of this account's that an administrator revoked: it stays out.
    /// Said to whoever has shown that he has its key, alone (T52); no failure.
    DeviceRevoked,
    /// Said to an approved device only, whether or not the password was right (T52, T53).
    Locked {
        seconds: u64,
    },
    /// Name, password, device and second factor are right, and the account's own hours are others: when they
    /// begin next, in unix seconds, and by which zone. This answer and the three that follow are no failure of
    /// who asked, and whoever has not proven all of it never gets one (S63, T52).
    OutsideHours {
        opens: Option<u64>,
        zone: String,
    },
    /// As [`Self::OutsideHours`]: the account may not be used from the address that this came from.
    OutsideAddresses,
    /// As [`Self::OutsideHours`]: of the hardware addresses that the computer named none is the account's.
    OutsideHardware,
    /// As [`Self::OutsideHours`]: what the account's limits are cannot be read, and they let nobody in until an
    /// administrator has set them anew.
    LimitsUnreadable,
}

impl std::fmt::Debug for LoginAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SignedIn(response) => response.fmt(f),
            Self::NeedsTotp => f.write_str("NeedsTotp"),
            Self::TotpSetup { .. } => f.write_str("TotpSetup(..)"),
            Self::DevicePending => f.write_str("DevicePending"),
            Self::DeviceRevoked => f.write_str("DeviceRevoked"),
            Self::Locked { seconds } => write!(f, "Locked({seconds} s)"),
            Self::OutsideHours { .. } => f.write_str("OutsideHours(..)"),
            Self::OutsideAddresses => f.write_str("OutsideAddresses"),
            Self::OutsideHardware => f.write_str("OutsideHardware"),
            Self::LimitsUnreadable => f.write_str("LimitsUnreadable"),
        }
    }
}

impl std::fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRequest").field("operator", &self.operator).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginResponse {
    /// 256 random bits, base64url; the server keeps its SHA-256.
    pub token: String,
    /// Seconds until it ends whatever happens.
    pub expires_in: u64,
    pub tenant: TenantId,
    pub organisation: String,
    pub display_name: String,
    pub modes: Vec<Mode>,
    /// Whether the policy wants a reason before it gives a number; at the sign-in, and the server has the last
    /// word (S69). Not written where it is as usual.
    #[serde(default, skip_serializing_if = "is_as_usual")]
    pub reason: Requirement,
    /// When the device's certificate ends, in unix seconds: from then on the device waits for an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified_until: Option<u64>,
}

fn is_as_usual(reason: &Requirement) -> bool {
    *reason == Requirement::default()
}

impl std::fmt::Debug for LoginResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginResponse").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// That the person is still the one who signed in: the authenticator's digits, or the
/// password where there is no authenticator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    pub password: Option<String>,
    pub totp: Option<String>,
    /// Ed25519 by the token's device over [`crate::signal::DEVICE_PROOF`], [`LOGIN_EXPORTER`]'s bytes and the
    /// token's SHA-256.
    pub proof: Blob,
}

impl std::fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Confirmation(..)")
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    pub old: String,
    pub new: String,
    /// As [`Confirmation::proof`].
    pub proof: Blob,
}

impl std::fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangePassword(..)")
    }
}

/// The token's device ends it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOut {
    /// As [`Confirmation::proof`].
    pub proof: Blob,
}

impl std::fmt::Debug for SignOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignOut(..)")
    }
}
