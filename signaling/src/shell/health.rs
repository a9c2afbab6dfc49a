//! Whether the server lives, and whether it can do its work: database writable, room on
//! the disk, the writer keeping up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
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
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("data", &self.data).finish_non_exhaustive()
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
        Arc::new(Self { desk, guests, metrics, store, data, certificate, last: Mutex::new(None) })
    }

    pub(crate) async fn is_ready(&self) -> bool {
        self.checks().await.iter().all(|check| check.ok)
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
        tell_changes(last.as_ref().map(|(_, checks)| checks.as_slice()).unwrap_or_default(), &checks);
        *last = Some((Instant::now(), checks.clone()));
        checks
    }
}

/// Into the log, once for each change: whoever looks there need not ask.
fn tell_changes(before: &[Check], now: &[Check]) {
    for check in now.iter().filter(|check| !before.contains(check)) {
        match check.why {
            Some(why) => tracing::warn!(check = check.name, why, "no session can begin"),
            None if before.is_empty() => {}
            None => tracing::info!(check = check.name, "it is well again"),
        }
    }
}

/// The process answers.
pub(crate) async fn alive() -> Response {
    std::future::ready((StatusCode::OK, "ok\n").into_response()).await
}

/// For everybody: 200 where a session could begin, 503 otherwise. What ails a server is a hint to
/// whoever means it ill.
pub(crate) async fn ready(State(health): State<Arc<Health>>) -> Response {
    let ready = health.is_ready().await;
    answer(ready, serde_json::json!({ "ready": ready }))
}

/// For who runs the server: what was looked at, too, and what is wrong with it.
pub(crate) async fn ready_in_detail(State(health): State<Arc<Health>>) -> Response {
    let checks = health.checks().await;
    let ready = checks.iter().all(|check| check.ok);
    answer(ready, serde_json::json!({ "ready": ready, "checks": checks }))
}

fn answer(ready: bool, body: serde_json::Value) -> Response {
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Bytes that this process may still write where `folder` is.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}
