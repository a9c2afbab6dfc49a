//! What the server tells a monitoring system: counts and sizes, and no person's data.
//!
//! Prometheus' text format 0.0.4, on a plain listener of its own that is the loopback unless
//! told otherwise. Names of events are counted, never whom they concern.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tasuki_protocol::policy::exchange::SessionStage;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::certificate;
use super::health::{self, Health};
use super::listen;

/// Scrapers at a time.
const SCRAPERS: usize = 8;
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counters of this run.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
    events: Mutex<BTreeMap<&'static str, u64>>,
    responses: [AtomicU64; 6],
    pub(crate) turned_away: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) too_often: AtomicU64,
    pub(crate) rows_lost: AtomicU64,
    pub(crate) orders_failed: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            events: Mutex::default(),
            responses: Default::default(),
            turned_away: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
            too_often: AtomicU64::new(0),
            rows_lost: AtomicU64::new(0),
            orders_failed: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(crate) fn happened(&self, kind: &'static str) {
        *self.events.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    pub(crate) fn answered(&self, status: u16) {
        if let Some(class) = self.responses.get(usize::from(status / 100)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Answers so far whose status begins with `class`.
    #[cfg(test)]
    pub(crate) fn answers(&self, class: usize) -> u64 {
        self.responses[class].load(Ordering::Relaxed)
    }

    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Everything that one answer is made of.
#[derive(Debug)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let _infallible = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }
}

/// The page as of now.
fn page(health: &Health, ready: bool) -> String {
    let mut page = Page(String::new());
    counters(&mut page, &health.metrics);
    let sessions = health.desk.sessions();
    let at = |stage| sessions.iter().filter(|entry| entry.stage == stage).count();
    page.family("tasuki_sessions", "gauge", "Numbers and sessions, by stage");
    for (stage, name) in [
        (SessionStage::Waiting, "waiting"),
        (SessionStage::Meeting, "meeting"),
        (SessionStage::Paired, "paired"),
    ] {
        page.sample("tasuki_sessions", &format!("{{stage=\"{name}\"}}"), number(at(stage)));
    }
    let inside = number(health.guests.inside());
    page.one("tasuki_connections", "gauge", "Connections that are open", inside);
    let uptime = health.metrics.started.elapsed().as_secs();
    page.one("tasuki_uptime_seconds", "counter", "Seconds since the start", uptime);
    page.one("tasuki_ready", "gauge", "1 where a session could begin", u64::from(ready));
    let free = health::free_bytes(&health.data).unwrap_or(0);
    page.one("tasuki_data_free_bytes", "gauge", "Free space where the data folder is", free);
    let resident = resident_bytes().unwrap_or(0);
    page.one("process_resident_memory_bytes", "gauge", "Memory in use", resident);
    let certificate = std::fs::read(&health.certificate).unwrap_or_default();
    let until = certificate::facts(&certificate).and_then(|facts| u64::try_from(facts.ends).ok());
    let until = until.unwrap_or(0);
    page.one(
        "tasuki_certificate_expiry_seconds",
        "gauge",
        "When the certificate ends, unix time",
        until,
    );
    page.0
}

fn counters(page: &mut Page, metrics: &Metrics) {
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.family("tasuki_events_total", "counter", "What happened, by kind");
    let events = metrics.events.lock().unwrap_or_else(PoisonError::into_inner);
    for (kind, times) in events.iter() {
        page.sample("tasuki_events_total", &format!("{{kind=\"{kind}\"}}"), *times);
    }
    drop(events);
    page.family("tasuki_http_responses_total", "counter", "Answers, by class of status");
    for (class, counter) in metrics.responses.iter().enumerate().skip(1) {
        let labels = format!("{{class=\"{class}xx\"}}");
        page.sample("tasuki_http_responses_total", &labels, count(counter));
    }
    for (name, help, counter) in [
        ("tasuki_turned_away_total", "Connections closed at accept: too many", &metrics.turned_away),
        ("tasuki_tls_failures_total", "TLS handshakes that failed", &metrics.handshakes_failed),
        ("tasuki_requests_refused_total", "Requests too many from one address", &metrics.too_often),
        (
            "tasuki_certificate_failures_total",
            "Certificates that an ACME authority did not give",
            &metrics.orders_failed,
        ),
        ("tasuki_rows_lost_total", "Rows that the database did not take", &metrics.rows_lost),
    ] {
        page.one(name, "counter", help, count(counter));
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Pages that are in memory, as Linux tells.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * number(rustix::param::page_size()))
}

async fn answer(State(health): State<Arc<Health>>) -> Response {
    // Also where nobody asks for readiness itself: the alert rules look here alone.
    let ready = health.is_ready().await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page(&health, ready)).into_response()
}

/// Serves `/metrics`, `/healthz` and `/readyz`, the latter with its reasons, until dropped.
pub(crate) async fn serve(listener: TcpListener, health: Arc<Health>, patience: Duration) {
    let router = Router::new()
        .route("/metrics", get(answer))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready_in_detail))
        .with_state(health);
    let seats = Arc::new(Semaphore::new(SCRAPERS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
        let router = router.clone();
        tokio::spawn(async move {
            let over =
                tokio::time::timeout(10 * patience, listen::plain_http(stream, router, patience));
            over.await.ok();
            drop(seat);
        });
    }
}
