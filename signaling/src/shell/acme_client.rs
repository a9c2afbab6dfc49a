//! One request at a time to an ACME authority: HTTPS, with the system's roots or one of its own.
//!
//! It refuses to know any other host than the one that the server's settings name, whatever the
//! authority answers (T49).

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Limited;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::acme_fault::AcmeFault;
use super::fault::Fault;
use super::folder::read;

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer: a chain of certificates is a few thousand bytes.
const ANSWER_BYTES: usize = 256 * 1024;
const HTTPS_PORT: u16 = 443;

pub(super) struct Outward {
    tls: TlsConnector,
    authority: Option<Authority>,
}

impl Outward {
    /// # Errors
    /// `root` cannot be read, or holds no certificate.
    pub(super) fn new(directory: &str, root: Option<&Path>) -> Result<Self, Fault> {
        let authority = directory.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
        let mut roots = RootCertStore::empty();
        match root {
            Some(file) => {
                let damaged = |_| AcmeFault::Root(file.to_owned());
                for certificate in CertificateDer::pem_slice_iter(&read(file)?) {
                    roots
                        .add(certificate.map_err(damaged)?)
                        .map_err(|_| AcmeFault::Root(file.to_owned()))?;
                }
                if roots.is_empty() {
                    return Err(AcmeFault::Root(file.to_owned()).into());
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| Fault::NoRandomness)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), authority })
    }
}

impl HttpClient for Outward {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        if request.uri().authority() != self.authority.as_ref() {
            return Box::pin(async { Err(Error::Unsupported("requests to one host alone")) });
        }
        let asked = ask(self.tls.clone(), request);
        Box::pin(async move {
            timeout(PATIENCE, asked).await.map_err(|_| Error::Str("an answer within 30 seconds"))?
        })
    }
}

async fn ask(
    tls: TlsConnector,
    mut request: Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, Error> {
    let uri = request.uri().clone();
    let (Some("https"), Some(authority), Some(host)) = (uri.scheme_str(), uri.authority(), uri.host())
    else {
        return Err(Error::Unsupported("anything but https"));
    };
    let port = uri.port_u16().unwrap_or(HTTPS_PORT);
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare.clone()).map_err(other)?;
    let stream = TcpStream::connect((bare, port)).await.map_err(other)?;
    let stream = tls.connect(name, stream).await.map_err(other)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(other)?;
    // Ends with the sender, or with what the other side does; the answer says which.
    tokio::spawn(connection);
    let host = HeaderValue::from_str(authority.as_str()).map_err(other)?;
    request.headers_mut().insert(HOST, host);
    *request.uri_mut() = uri.path_and_query().map_or_else(Uri::default, |path| path.clone().into());
    let answer = sender.send_request(request).await.map_err(other)?;
    Ok(answer.map(|body| Limited::new(body, ANSWER_BYTES)).into())
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T49: an authority cannot send the server to anybody else, nor off TLS.
    #[tokio::test]
    async fn t49_only_the_host_that_the_settings_name_is_asked() {
        let outward = Outward::new("https://ca.example/dir", None).unwrap();
        for elsewhere in ["https://127.0.0.1:9/", "https://ca.example:8443/", "https://ca.example.org/"]
        {
            let request = Request::get(elsewhere).body(BodyWrapper::default()).unwrap();
            let refused = outward.request(request).await.err().unwrap().to_string();
            assert!(refused.contains("one host"), "{elsewhere}: {refused}");
        }
        let request = Request::get("http://ca.example/").body(BodyWrapper::default()).unwrap();
        let refused = outward.request(request).await.err().unwrap().to_string();
        assert!(refused.contains("https"), "{refused}");
    }
}
