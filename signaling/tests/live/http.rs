//! HTTP over TLS, by a client with no manners of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tasuki_protocol::admin::request_proof;
use tasuki_protocol::login::{LOGIN_EXPORTER, LoginAnswer, LoginResponse};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn login(&self) -> LoginAnswer {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[track_caller]
    pub(crate) fn signed_in(&self) -> LoginResponse {
        match self.login() {
            LoginAnswer::SignedIn(response) => response,
            other @ (LoginAnswer::NeedsTotp
            | LoginAnswer::TotpSetup { .. }
            | LoginAnswer::DevicePending
            | LoginAnswer::DeviceRevoked
            | LoginAnswer::Locked { .. }
            | LoginAnswer::OutsideHours { .. }
            | LoginAnswer::OutsideAddresses
            | LoginAnswer::OutsideHardware
            | LoginAnswer::LimitsUnreadable) => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn tls(
    address: SocketAddr,
    ca: &Path,
    alpn: &[&[u8]],
    provider: CryptoProvider,
) -> std::io::Result<TlsStream<TcpStream>> {
    tls_over(TcpStream::connect(address).await?, ca, alpn, provider).await
}

pub(crate) async fn tls_over(
    stream: TcpStream,
    ca: &Path,
    alpn: &[&[u8]],
    provider: CryptoProvider,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|alpn| alpn.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

pub(crate) fn exporter(stream: &TlsStream<TcpStream>) -> [u8; 32] {
    stream.get_ref().1.export_keying_material([0; 32], LOGIN_EXPORTER, None).unwrap()
}

pub(crate) async fn request_over(
    stream: TlsStream<TcpStream>,
    method: &str,
    path: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> Answer {
    try_request_over(stream, method, path, body, headers).await.unwrap()
}

/// As [`request_over`], of a server that may be gone before it has answered.
pub(crate) async fn try_request_over(
    stream: TlsStream<TcpStream>,
    method: &str,
    path: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> Result<Answer, hyper::Error> {
    use http_body_util::{BodyExt, Full};
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let driver = tokio::spawn(connection);
    let mut request = hyper::Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = hyper::body::Bytes::from(body);
    #[cfg(test)]
    let asked = body.clone();
    let request = request.body(Full::new(body)).unwrap();
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    driver.abort();
    let mut headers: Vec<String> = parts.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    #[cfg(test)]
    crate::described::hold((method, path, &asked), &parts, &body);
    Ok(Answer { status: parts.status.as_u16(), headers, body })
}

pub(crate) fn unix() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Of who is signed in nowhere.
pub(crate) fn admin_header(
    key: &SigningKey,
    unix: u64,
    method: &str,
    path: &str,
    body: &[u8],
) -> String {
    admin_header_in(None, key, unix, method, path, body)
}

pub(crate) fn admin_header_in(
    session: Option<&str>,
    key: &SigningKey,
    unix: u64,
    method: &str,
    path: &str,
    body: &[u8],
) -> String {
    use base64::Engine;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).unwrap();
    let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let proof = request_proof((unix, &nonce), (method, path, body), session);
    let signature = key.sign(proof.as_bytes()).to_bytes();
    format!("{unix}.{nonce}.{}", base64::engine::general_purpose::STANDARD.encode(signature))
}
