//! How an administrator signs in, and what he has then beside his key.

use serde::{Deserialize, Serialize};

use crate::login::Authenticator;

/// An administrator signs in; the key that signs the request stands for the device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminLogin {
    pub password: String,
    pub totp: Option<String>,
    pub authenticator: Authenticator,
    /// As [`crate::login::LoginRequest::macs`].
    pub macs: Vec<String>,
}

impl std::fmt::Debug for AdminLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminLogin(..)")
    }
}

/// One sign-in of an administrator's. His key alone is worth nothing: with it goes what only who signed in has (T55).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSignIn {
    /// 256 random bits, base64url, for [`crate::admin::ADMIN_SESSION_HEADER`]; the server keeps its SHA-256.
    pub session: String,
    /// In seconds, however much it is used.
    pub expires_in: u64,
}

impl std::fmt::Debug for AdminSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminSignIn(..)")
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminLoginAnswer {
    SignedIn(AdminSignIn),
    NeedsTotp,
    TotpSetup {
        uri: String,
    },
    Locked {
        seconds: u64,
    },
    /// As [`crate::login::LoginAnswer::OutsideHours`]: key, password and second factor are right.
    OutsideHours {
        opens: Option<u64>,
        zone: String,
    },
    OutsideAddresses,
    OutsideHardware,
    LimitsUnreadable,
}

impl std::fmt::Debug for AdminLoginAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminLoginAnswer(..)")
    }
}
