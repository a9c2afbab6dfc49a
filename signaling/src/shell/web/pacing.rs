//! How often one address may ask (T59): what is too often is refused before any of it is read.
//!
//! The refusal takes its time, so that who asks again at once on all of his connections is not answered as often
//! as the machine can refuse.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::signal::SPEED_PATH;

use super::{Site, problem};
use crate::core::guesses::Place;
use crate::core::requests::Requests;
use crate::shell::config::SocketRules;
use crate::shell::listen::Guest;
use crate::shell::metrics::Metrics;

const MINUTE: Duration = Duration::from_secs(60);
/// The longest that a refusal is held back.
const HELD: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pacing {
    site: Arc<Site>,
    metrics: Arc<Metrics>,
    /// Of all paths but [`SPEED_PATH`], which gives more than it takes.
    requests: Mutex<Requests>,
    speed: Mutex<Requests>,
}

impl Pacing {
    pub(super) fn new(site: Arc<Site>, metrics: Arc<Metrics>) -> Arc<Self> {
        let SocketRules { requests_per_address, speed_per_address, .. } = site.rules;
        let paced = |per_minute| Mutex::new(Requests::new(per_minute, MINUTE, Instant::now()));
        let (requests, speed) = (paced(requests_per_address), paced(speed_per_address));
        Arc::new(Self { site, metrics, requests, speed })
    }

    fn admit(&self, place: Place, path: &str) -> Result<(), Duration> {
        let requests = if path == SPEED_PATH { &self.speed } else { &self.requests };
        requests.lock().unwrap_or_else(PoisonError::into_inner).admit(place, Instant::now())
    }
}

pub(super) async fn pace(
    State(pacing): State<Arc<Pacing>>,
    Extension(guest): Extension<Guest>,
    request: Request,
    next: Next,
) -> Response {
    let place = Place::from(pacing.site.address(&guest, request.headers()));
    let Err(wait) = pacing.admit(place, request.uri().path()) else { return next.run(request).await };
    Metrics::add(&pacing.metrics.too_often);
    tokio::time::sleep(wait.min(HELD)).await;
    later(ProblemCode::TooMany, wait)
}

/// A refusal of whoever may ask again after so long.
pub(super) fn later(code: ProblemCode, wait: Duration) -> Response {
    let mut response = problem(code);
    let seconds = wait.as_secs() + 1;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
