//! Signing in: one HTTPS request to the server under its pinned key.
//!
//! Decides what is signed and how an answer is told. Keeps nothing.

use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tasuki_protocol::admin::{Problem, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
use tasuki_protocol::signal::{
    self, DEVICE_PROOF, LOGIN_PATH, LoginRequest, LoginResponse, MAX_EARLY_MESSAGE,
};

use super::dial;
use super::fault::Fault;
use super::proxy::Proxies;
use super::trust::Trust;

/// A login waits for others' password checks at a busy server.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a person types to sign in.
pub struct Credentials {
    pub operator: String,
    pub password: String,
    pub enrolment: Option<String>,
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
    }
}

/// # Errors
/// [`Fault::WrongPassword`] for anything wrong in name, password, code or device;
/// the others as for any connection.
pub async fn login(
    trust: &Trust,
    proxies: &Proxies,
    device: &SigningKey,
    credentials: &Credentials,
) -> Result<LoginResponse, Fault> {
    let body = signal::encode(&request(device, credentials));
    let late =
        |_| Fault::Unreachable { address: dial::address(trust), why: "it does not answer".into() };
    let (status, answer) =
        tokio::time::timeout(PATIENCE, post(trust, proxies, body)).await.map_err(late)??;
    if status == StatusCode::OK {
        return signal::decode(&answer).map_err(|_| Fault::Misunderstood);
    }
    Err(problem(trust, status, &answer))
}

fn request(device: &SigningKey, credentials: &Credentials) -> LoginRequest {
    let enrolment = credentials.enrolment.as_deref().unwrap_or_default();
    let signed = [DEVICE_PROOF, enrolment.as_bytes(), credentials.operator.as_bytes()].concat();
    LoginRequest {
        version: PROTOCOL_VERSION,
        operator: credentials.operator.clone(),
        password: credentials.password.clone(),
        device: DeviceKey(device.verifying_key().to_bytes()),
        proof: Blob(device.sign(&signed).to_bytes().to_vec()),
        enrolment: credentials.enrolment.clone(),
    }
}

async fn post(trust: &Trust, proxies: &Proxies, body: String) -> Result<(StatusCode, String), Fault> {
    let strange = |_| Fault::NotTasuki { address: dial::address(trust) };
    let stream = dial::open(trust, proxies).await?.stream;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(strange)?;
    let driver = tokio::spawn(connection);
    let request = Request::post(LOGIN_PATH)
        .header("host", dial::address(trust))
        .header("content-type", "application/json")
        .header("connection", "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Fault::UnknownHost { host: trust.bundle.host.clone() })?;
    let response = sender.send_request(request).await.map_err(strange)?;
    let status = response.status();
    let bytes = Limited::new(response.into_body(), MAX_EARLY_MESSAGE)
        .collect()
        .await
        .map_err(|_| Fault::Misunderstood)?
        .to_bytes();
    driver.abort();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

fn problem(trust: &Trust, status: StatusCode, answer: &str) -> Fault {
    let Ok(problem) = signal::decode::<Problem>(answer) else {
        return match status.as_u16() {
            429 => Fault::SlowDown,
            503 => Fault::Unavailable,
            _ => Fault::NotTasuki { address: dial::address(trust) },
        };
    };
    match problem.code {
        ProblemCode::SignIn | ProblemCode::Unauthorised => Fault::WrongPassword,
        ProblemCode::Busy => Fault::SlowDown,
        ProblemCode::Version => Fault::OtherVersion { theirs: 0 },
        ProblemCode::Malformed
        | ProblemCode::Taken
        | ProblemCode::Unusable
        | ProblemCode::NotFound
        | ProblemCode::Conflict
        | ProblemCode::Policy => Fault::Misunderstood,
    }
}
