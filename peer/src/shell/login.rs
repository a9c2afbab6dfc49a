//! Signing in, and showing again that it is the same person: HTTPS requests to the server
//! under its pinned key.
//!
//! Decides what is signed and how an answer is told. Keeps nothing.

use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use hyper::StatusCode;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{Problem, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
pub use tasuki_protocol::login::Authenticator;
use tasuki_protocol::login::{
    CONFIRM_PATH, ChangePassword, Confirmation, LOGIN_PATH, LOGOUT_PATH, LoginAnswer, LoginRequest,
    LoginResponse, PASSWORD_PATH, SignOut,
};
use tasuki_protocol::policy::hours::on_the_clock;
use tasuki_protocol::signal::{self, DEVICE_PROOF};
use tasuki_protocol::words;

use super::dial;
use super::fault::Fault;
use super::profile::SignIn;
use super::proxy::Proxies;
use super::request;
use super::trust::Trust;

/// A login waits for others' password checks at a busy server.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a person types to sign in.
pub struct Credentials {
    pub operator: String,
    pub password: String,
    /// The one-time code that lets a new device ask.
    pub enrolment: Option<String>,
    /// The authenticator's six digits, once [`LoginOutcome::NeedsTotp`] or
    /// [`LoginOutcome::TotpSetup`] has asked for them.
    pub totp: Option<String>,
    pub authenticator: Authenticator,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("operator", &self.operator).finish_non_exhaustive()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.password.zeroize();
        self.enrolment.zeroize();
        self.totp.zeroize();
    }
}

/// Where a login leads. What hinders every connection is a [`Fault`] instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginOutcome {
    /// [`super::profile::Profile::keep_sign_in`] keeps it.
    SignedIn(LoginResponse),
    /// Ask for the authenticator's digits, and log in once more with them.
    NeedsTotp,
    /// Show this `otpauth:` address as a QR code, ask for the digits, and log in once more
    /// with them and [`Authenticator::SetUp`].
    TotpSetup { uri: String },
    /// Show these words; an administrator compares them by voice and approves the device.
    /// Afterwards the same login, without a code, goes on.
    DevicePending { words: String },
    /// Too many wrong tries on this device: nothing is looked at for so long.
    Locked { seconds: u64 },
    /// Name, password, code or digits: the server does not say which (T52).
    Refused,
    /// Try again in a minute.
    Busy,
}

/// # Errors
/// As for any connection, and for a server that is not ready or of another version; and where all that was typed is
/// right, and the account may not be used from here or now, or this computer's registration was revoked.
pub async fn login(
    trust: &Trust,
    proxies: &Proxies,
    device: &SigningKey,
    credentials: &Credentials,
) -> Result<LoginOutcome, Fault> {
    let asked = request::post((trust, proxies), LOGIN_PATH, &[], |exporter| {
        signal::encode(&login_request(device, credentials, exporter))
    });
    let (status, answer) = in_time(trust, asked).await?;
    if status != StatusCode::OK {
        return match refusal(trust, status, &answer)? {
            ProblemCode::SignIn | ProblemCode::Unauthorised => Ok(LoginOutcome::Refused),
            ProblemCode::Busy => Ok(LoginOutcome::Busy),
            other @ (ProblemCode::Version
            | ProblemCode::DigitsUsed
            | ProblemCode::TooMany
            | ProblemCode::TooManyWrong
            | ProblemCode::OtherName
            | ProblemCode::NotInitialised
            | ProblemCode::Unusable
            | ProblemCode::Breached
            | ProblemCode::Malformed
            | ProblemCode::Taken
            | ProblemCode::NotFound
            | ProblemCode::Yourself
            | ProblemCode::Certified
            | ProblemCode::AdminSignIn
            | ProblemCode::Confirm
            | ProblemCode::Conflict
            | ProblemCode::Policy
            | ProblemCode::Document
            | ProblemCode::OwnCertificate) => Err(fault(other)),
        };
    }
    let answer = serde_json::from_str(&answer).map_err(|_| Fault::Misunderstood)?;
    Ok(match answer {
        LoginAnswer::SignedIn(response) => LoginOutcome::SignedIn(response),
        LoginAnswer::NeedsTotp => LoginOutcome::NeedsTotp,
        LoginAnswer::TotpSetup { uri } => LoginOutcome::TotpSetup { uri },
        LoginAnswer::DevicePending => LoginOutcome::DevicePending { words: device_words(device) },
        LoginAnswer::DeviceRevoked => return Err(Fault::DeviceRevoked),
        LoginAnswer::Locked { seconds } => LoginOutcome::Locked { seconds },
        LoginAnswer::OutsideHours { opens, zone } => return Err(outside_hours(opens, &zone)),
        LoginAnswer::OutsideAddresses => return Err(Fault::OutsideAddresses),
        LoginAnswer::OutsideHardware => return Err(Fault::OutsideHardware),
        LoginAnswer::LimitsUnreadable => return Err(Fault::LimitsUnreadable),
    })
}

fn outside_hours(opens: Option<u64>, zone: &str) -> Fault {
    match opens.and_then(|unix| on_the_clock(unix, zone)) {
        Some((opens, zone)) => Fault::OutsideAccountHours { opens, zone },
        None => Fault::OutsideHours,
    }
}

/// As [`outside_hours`], told to a sign-in of before.
pub(super) fn hours_over(opens: Option<u64>, zone: &str) -> Fault {
    match opens.and_then(|unix| on_the_clock(unix, zone)) {
        Some((opens, zone)) => Fault::HoursOver { opens, zone },
        None => Fault::SignInOver,
    }
}

/// What the person reads out to the administrator.
pub fn device_words(device: &SigningKey) -> String {
    words::fingerprint(&DeviceKey(device.verifying_key().to_bytes()))
}

/// Shows again that it is the same person, with the password or, where there is an
/// authenticator, its digits: mode Manage asks for it.
///
/// # Errors
/// [`Fault::WrongPassword`], [`Fault::SignInOver`], and as for any connection.
pub async fn confirm(
    bearer: &Bearer<'_>,
    password: Option<String>,
    totp: Option<String>,
) -> Result<(), Fault> {
    send(bearer, CONFIRM_PATH, |proof| Confirmation { password, totp, proof }).await
}

/// # Errors
/// [`Fault::WrongPassword`] for the old one, [`Fault::PasswordUnusable`] or [`Fault::PasswordBreached`] for the
/// new one, and as for any connection.
pub async fn change_password(bearer: &Bearer<'_>, (old, new): (String, String)) -> Result<(), Fault> {
    send(bearer, PASSWORD_PATH, |proof| ChangePassword { old, new, proof }).await
}

/// Ends the sign-in at the server, with its numbers and sessions.
///
/// # Errors
/// [`Fault::SignInOver`] if it was over already, and as for any connection.
pub async fn log_out(bearer: &Bearer<'_>) -> Result<(), Fault> {
    match send(bearer, LOGOUT_PATH, |proof| SignOut { proof }).await {
        // Nothing was typed that could be wrong.
        Err(Fault::WrongPassword) => Err(Fault::SignInOver),
        done => done,
    }
}

/// Somebody who is signed in, at his device.
#[derive(Debug, Clone, Copy)]
pub struct Bearer<'a> {
    pub trust: &'a Trust,
    pub proxies: &'a Proxies,
    pub device: &'a SigningKey,
    pub sign_in: &'a SignIn,
}

async fn send<T: Serialize>(
    bearer: &Bearer<'_>,
    path: &str,
    body: impl FnOnce(Blob) -> T,
) -> Result<(), Fault> {
    let Bearer { trust, proxies, device, sign_in } = *bearer;
    let token = format!("Bearer {}", sign_in.token);
    let headers = [("authorization", token.as_str())];
    let asked = request::post((trust, proxies), path, &headers, |exporter| {
        let digest = Sha256::digest(sign_in.token.as_bytes());
        let signed = [DEVICE_PROOF, exporter, digest.as_slice()].concat();
        signal::encode(&body(Blob(device.sign(&signed).to_bytes().to_vec())))
    });
    let (status, answer) = in_time(trust, asked).await?;
    if status.is_success() { Ok(()) } else { Err(fault(refusal(trust, status, &answer)?)) }
}

async fn in_time(
    trust: &Trust,
    asked: impl Future<Output = Result<(StatusCode, String), Fault>>,
) -> Result<(StatusCode, String), Fault> {
    let late =
        |_| Fault::Unreachable { address: dial::address(trust), why: "it does not answer".into() };
    tokio::time::timeout(PATIENCE, asked).await.map_err(late)?
}

fn login_request(device: &SigningKey, credentials: &Credentials, exporter: &[u8; 32]) -> LoginRequest {
    let enrolment = credentials.enrolment.as_deref().unwrap_or_default().as_bytes();
    let signed = [DEVICE_PROOF, exporter, enrolment, credentials.operator.as_bytes()].concat();
    LoginRequest {
        version: PROTOCOL_VERSION,
        operator: credentials.operator.clone(),
        password: credentials.password.clone(),
        device: DeviceKey(device.verifying_key().to_bytes()),
        proof: Blob(device.sign(&signed).to_bytes().to_vec()),
        enrolment: credentials.enrolment.clone(),
        totp: credentials.totp.clone(),
        authenticator: credentials.authenticator,
        macs: tasuki_terminal::hardware::addresses(),
    }
}

/// Why the server refused; a [`Fault`] if what answers is no server.
fn refusal(trust: &Trust, status: StatusCode, answer: &str) -> Result<ProblemCode, Fault> {
    match signal::decode::<Problem>(answer) {
        Ok(problem) => Ok(problem.code),
        Err(_) => Err(match status.as_u16() {
            429 => Fault::TooOften,
            503 => Fault::Unavailable,
            _ => Fault::NotTasuki { address: dial::address(trust) },
        }),
    }
}

fn fault(code: ProblemCode) -> Fault {
    match code {
        ProblemCode::SignIn | ProblemCode::Unauthorised => Fault::WrongPassword,
        ProblemCode::DigitsUsed => Fault::DigitsUsed,
        ProblemCode::Busy => Fault::SlowDown,
        ProblemCode::TooMany => Fault::TooOften,
        ProblemCode::TooManyWrong => Fault::TooManyWrong,
        ProblemCode::Version => Fault::StrangeVersion,
        ProblemCode::NotInitialised => Fault::Unavailable,
        ProblemCode::Unusable => Fault::PasswordUnusable,
        ProblemCode::Breached => Fault::PasswordBreached,
        ProblemCode::Malformed
        | ProblemCode::Taken
        | ProblemCode::OtherName
        | ProblemCode::NotFound
        | ProblemCode::AdminSignIn
        | ProblemCode::Confirm
        | ProblemCode::Conflict
        | ProblemCode::Yourself
        | ProblemCode::Certified
        | ProblemCode::Policy
        | ProblemCode::Document
        | ProblemCode::OwnCertificate => Fault::Misunderstood,
    }
}
