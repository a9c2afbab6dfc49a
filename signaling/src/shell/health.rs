//! Whether the server lives, and whether it can do its work: database writable, room on
//! the disk, the writer keeping up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use super::desk::Desk;
use super::listen::Guests;
use super::metrics::Metrics;
use super::store::Store;
use super::store_fault;

/// A verdict holds so long, so that asking often costs nothing.
const HOLDS: Duration = Duration::from_secs(2);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The least room on the disk: the write-ahead log, and an hour of records.
pub(crate) const LEAST_FREE: u64 = 64 * 1024 * 1024;

pub(crate) struct Health {
    pub(crate) desk: Arc<Desk>,
    pub(crate) guests: Arc<Guests>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) store: Store,
    pub(crate) data: PathBuf,
    /// Read at every look, for it is renewed while the server runs.
    pub(crate) certificate: PathBuf,
    last: Mutex<Option<(Instant, Vec<Check>)>>,
    verdict: AtomicBool,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Check {
    name: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

impl Check {
    fn new(name: &'static str, why: Option<&'static str>) -> Self {
        Self { name, ok: why.is_none(), why }
    }
}

impl Health {
    pub(crate) fn new(
        (desk, guests, metrics): (Arc<Desk>, Arc<Guests>, Arc<Metrics>),
        store: Store,
        data: PathBuf,
        certificate: PathBuf,
    ) -> Arc<Self> {
        let (last, verdict) = (Mutex::new(None), AtomicBool::new(true));
        Arc::new(Self { desk, guests, metrics, store, data, certificate, last, verdict })
    }

    pub(crate) fn last_verdict(&self) -> bool {
        self.verdict.load(Ordering::Relaxed)
    }

    async fn checks(&self) -> Vec<Check> {
        let mut last = self.last.lock().await;
        if let Some((_, checks)) = last.as_ref().filter(|(at, _)| at.elapsed() < HOLDS) {
            return checks.clone();
        }
        let written = tokio::time::timeout(PATIENCE, self.store.probe()).await;
        let room = free_bytes(&self.data).is_some_and(|free| free >= LEAST_FREE);
        let database = match &written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(store_fault::words(error)),
            Err(_) => Some("the database does not answer"),
        };
        let checks = vec![
            Check::new("database", database),
            Check::new("writer", self.desk.why_unwritten()),
            Check::new("disk", (!room).then_some("less than 64 MiB are free")),
        ];
        self.verdict.store(checks.iter().all(|check| check.ok), Ordering::Relaxed);
        *last = Some((Instant::now(), checks.clone()));
        checks
    }
}

/// The process answers.
pub(crate) async fn alive() -> Response {
    std::future::ready((StatusCode::OK, "ok\n").into_response()).await
}

/// 200 where a session could begin, 503 and what is wrong otherwise.
pub(crate) async fn ready(State(health): State<Arc<Health>>) -> Response {
    let checks = health.checks().await;
    let ok = checks.iter().all(|check| check.ok);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": ok, "checks": checks }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Bytes that this process may still write where `folder` is.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}
