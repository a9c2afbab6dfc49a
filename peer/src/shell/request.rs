//! One HTTPS request to the server under its pinned key. Knows nothing of what is asked.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tasuki_protocol::login::LOGIN_EXPORTER;
use tasuki_protocol::signal::MAX_MESSAGE;

use super::dial::{self, Stream};
use super::fault::Fault;
use super::proxy::Proxies;
use super::trust::Trust;

/// # Errors
/// As for any connection; a refusal is a status and no error.
pub(super) async fn fetch(
    trust: &Trust,
    proxies: &Proxies,
    path: &str,
) -> Result<(StatusCode, String), Fault> {
    let stream = dial::open_for_a_person(trust, proxies).await?.stream;
    send(trust, stream, Method::GET, path, &[], String::new()).await
}

/// Posts what `body` makes of the bytes that only the two ends of this connection know.
///
/// # Errors
/// As [`fetch`].
pub(super) async fn post(
    (trust, proxies): (&Trust, &Proxies),
    path: &str,
    headers: &[(&'static str, &str)],
    body: impl FnOnce(&[u8; 32]) -> String,
) -> Result<(StatusCode, String), Fault> {
    let stream = dial::open_for_a_person(trust, proxies).await?.stream;
    let exporter = stream.get_ref().1.export_keying_material([0; 32], LOGIN_EXPORTER, None);
    let exporter = exporter.map_err(|_| Fault::NotTasuki { address: dial::address(trust) })?;
    let body = body(&exporter);
    send(trust, stream, Method::POST, path, headers, body).await
}

async fn send(
    trust: &Trust,
    stream: Stream,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: String,
) -> Result<(StatusCode, String), Fault> {
    let strange = |_| Fault::NotTasuki { address: dial::address(trust) };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(strange)?;
    let driver = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", dial::address(trust))
        .header("content-type", "application/json")
        .header("connection", "close");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Fault::UnknownHost { host: trust.bundle.host.clone() })?;
    let response = sender.send_request(request).await.map_err(strange)?;
    let status = response.status();
    let bytes = Limited::new(response.into_body(), MAX_MESSAGE)
        .collect()
        .await
        .map_err(|_| Fault::Misunderstood)?
        .to_bytes();
    driver.abort();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}
