//! Requests to the server: one connection each, signed, under the pinned key.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{
    ADMIN_HEADER, ADMIN_SESSION_HEADER, ENROL_PATH, MAX_CLOCK_S, Problem, ProblemCode, request_proof,
};
use tasuki_protocol::ledger::wire::{OPEN_LEDGER_PATH, READ_ROWS_PATH};
use tasuki_protocol::signal;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::pin;
use crate::profile::{Place, Profile};

const PATIENCE: Duration = Duration::from_secs(30);
/// The largest is the list of devices, some 2 KB of each that is approved: room for 30,000.
const MAX_LIST: usize = 64 * 1024 * 1024;
/// To an order, and of every refusal.
const MAX_ANSWER: usize = 1024 * 1024;

struct Answered {
    status: StatusCode,
    text: String,
    /// By the server's own clock, in seconds since 1970.
    at: Option<i64>,
}

/// One server, and the key that signs requests to it, once there is one.
#[derive(Debug)]
pub struct Client<'a> {
    pub place: &'a Place,
    pub key: Option<&'a SigningKey>,
    /// Where the sign-in is kept in which the key's owner asks.
    pub sign_in: Option<&'a Profile>,
}

impl Client<'_> {
    /// # Errors
    /// The server cannot be reached, is another, or refuses.
    pub async fn fetch<A: DeserializeOwned>(&self, path: &str) -> Result<A, Fault> {
        self.answer(Method::GET, path, String::new()).await
    }

    /// # Errors
    /// As [`Self::fetch`].
    pub async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Fault> {
        self.answer(Method::POST, path, signal::encode(body)).await
    }

    /// A body that is JSON already.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub async fn post_text<A: DeserializeOwned>(&self, path: &str, body: String) -> Result<A, Fault> {
        self.answer(Method::POST, path, body).await
    }

    async fn answer<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<A, Fault> {
        let late = |_| self.unreachable("it does not answer");
        let most = most_of(&method, path);
        let session = self.sign_in.map(Profile::session).transpose()?.flatten();
        let request = self.request(method, path, body, session.as_ref())?;
        let Answered { status, text, at } =
            tokio::time::timeout(PATIENCE, self.exchange(request, most)).await.map_err(late)??;
        if status.is_success() {
            let text = if text.is_empty() { "null" } else { &text };
            return serde_json::from_str(text)
                .map_err(|_| Fault::NotTasuki { address: self.address() });
        }
        match signal::decode::<Problem>(&text) {
            Ok(Problem { code: ProblemCode::Unauthorised, .. }) if self.key.is_some() => {
                let off = at.map(|at| unix() - at).filter(|off| off.unsigned_abs() > MAX_CLOCK_S);
                let unauthorised = Fault::Refused(ProblemCode::Unauthorised);
                Err(off.map_or(unauthorised, |ahead_s| Fault::ClockOff { ahead_s }))
            }
            Ok(problem) => {
                if problem.code == ProblemCode::AdminSignIn
                    && let (Some(kept), Some(over)) = (self.sign_in, &session)
                {
                    kept.forget_session(over);
                }
                Err(Fault::Refused(problem.code))
            }
            // Once the token is used the path is gone, as if it had never been (T57).
            Err(_) if path == ENROL_PATH && status == StatusCode::NOT_FOUND && text.is_empty() => {
                Err(Fault::Refused(ProblemCode::Unauthorised))
            }
            Err(_) => Err(Fault::NotTasuki { address: self.address() }),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: String,
        session: Option<&Zeroizing<String>>,
    ) -> Result<Request<Full<Bytes>>, Fault> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header("host", self.address())
            .header("connection", "close");
        if method == Method::POST {
            request = request.header("content-type", "application/json");
        }
        if let Some(key) = self.key {
            let session = session.map(|session| session.as_str());
            request = request.header(ADMIN_HEADER, proof(key, (&method, path, &body), session)?);
            if let Some(session) = session {
                request = request.header(ADMIN_SESSION_HEADER, session);
            }
        }
        request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| self.unreachable("the server's host name cannot be used"))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, most: usize) -> Result<Answered, Fault> {
        let strange = |_| Fault::NotTasuki { address: self.address() };
        let stream = TokioIo::new(self.connect().await?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(strange)?;
        let driver = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(strange)?;
        let (status, at) = (response.status(), server_time(response.headers()));
        let most = if status.is_success() { most } else { MAX_ANSWER };
        let body = Limited::new(response.into_body(), most).collect().await;
        driver.abort();
        let bytes = body.map_err(|_| Fault::NotTasuki { address: self.address() })?.to_bytes();
        Ok(Answered { status, text: String::from_utf8_lossy(&bytes).into_owned(), at })
    }

    async fn connect(&self) -> Result<TlsStream<TcpStream>, Fault> {
        let config = pin::client_config(self.place.pins.clone())
            .map_err(|error| self.unreachable(&error.to_string()))?;
        let name = rustls_pki_types::ServerName::try_from(self.place.host.clone())
            .map_err(|_| self.unreachable("the server's host name cannot be used"))?;
        let stream = TcpStream::connect((self.place.host.as_str(), self.place.port))
            .await
            .map_err(|error| self.unreachable(&error.to_string()))?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
            if pin::is_other_server(&error) {
                Fault::OtherServer { address: self.address() }
            } else {
                self.unreachable(&error.to_string())
            }
        })
    }

    fn address(&self) -> String {
        self.place.address()
    }

    fn unreachable(&self, why: &str) -> Fault {
        Fault::Unreachable { address: self.address(), why: why.to_owned() }
    }
}

/// How long an answer may be: what is asked for may be a list of everything, and an order is only taken.
fn most_of(method: &Method, path: &str) -> usize {
    let is_list = method == Method::GET || [OPEN_LEDGER_PATH, READ_ROWS_PATH].contains(&path);
    if is_list { MAX_LIST } else { MAX_ANSWER }
}

/// RFC 9110 §6.6.1; it came under the pinned key, so that nobody else can say it.
fn server_time(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(hyper::header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(date.timestamp().as_second())
}

fn unix() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

fn proof(
    key: &SigningKey,
    (method, path, body): (&Method, &str, &str),
    session: Option<&str>,
) -> Result<String, Fault> {
    let failed = |_| Fault::Unreachable { address: String::new(), why: "no randomness".into() };
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(failed)?;
    let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let now = unix();
    let asked = (method.as_str(), path, body.as_bytes());
    let signed = request_proof((now.unsigned_abs(), &nonce), asked, session);
    let signature = STANDARD.encode(key.sign(signed.as_bytes()).to_bytes());
    Ok(format!("{now}.{nonce}.{signature}"))
}
