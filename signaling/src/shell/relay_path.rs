//! The relay behind a path of the web server, for networks that let nothing through but
//! what browsers speak (S84): HTTP's Upgrade, and then the same bytes as under ALPN.
//!
//! Decides which request is meant for the relay. Knows nothing of tickets.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, ORIGIN, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tasuki_protocol::ticket::{RELAY_PATH, RELAY_UPGRADE};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// One connection that may yet become a relay's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switch(Arc<Mutex<Option<OnUpgrade>>>);

impl Switch {
    /// The answer, if the request is meant for the relay. A browser's never is (T58).
    pub(crate) fn answer(&self, request: &mut Request<Incoming>) -> Option<Response<Body>> {
        let wanted = request.headers().get(UPGRADE).is_some_and(|wanted| wanted == RELAY_UPGRADE);
        let native = !request.headers().contains_key(ORIGIN);
        if request.method() != Method::GET || request.uri().path() != RELAY_PATH || !wanted || !native {
            return None;
        }
        let upgrade = hyper::upgrade::on(request);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
        let answer = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(CONNECTION, "upgrade")
            .header(UPGRADE, RELAY_UPGRADE);
        answer.body(Body::empty()).ok()
    }

    /// The stream, once HTTP is done with it; `None` if nobody asked, or said more than that.
    pub(crate) async fn stream(self) -> Option<TlsStream<TcpStream>> {
        let upgrade = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let parts = upgrade.await.ok()?.downcast::<TokioIo<TlsStream<TcpStream>>>().ok()?;
        parts.read_buf.is_empty().then(|| parts.io.into_inner())
    }
}
