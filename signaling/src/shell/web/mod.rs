//! HTTP: which path takes what. Everything that is not named here does not exist.
//!
//! No cookie, no CORS; whoever sends an `Origin` is a browser and is refused on
//! every path (T58). Until the tenant's keys are here, only administrators' paths serve.

mod accounts;
mod admin;
mod admins;
mod api;
mod devices;
mod keys;
mod ledger;
mod limits;
mod pacing;
mod policy;
mod refusals;
mod rooms;
mod seen;
mod speed;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use ipnet::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_LIMITS_PATH, ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, ADMIN_PASSWORD_PATH,
    ADMINS_PATH, BUNDLE_PATH, ENROL_PATH, GROUPS_PATH, INVITATIONS_PATH, JOIN_PATH,
    OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH, OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH,
    OPERATORS_PATH, Problem, ProblemCode, RECOVER_PATH, TOKEN_PATH,
};
use tasuki_protocol::bundle::TRUST_PATH;
use tasuki_protocol::devices::{APPROVE_PATH, DEVICES_PATH, REVOKE_PATH};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::keys::{LOG_KEYS_PATH, PREPARE_KEY_PATH, PUBLISH_PATH, SERVER_KEYS_PATH};
use tasuki_protocol::ledger::event::Entry;
use tasuki_protocol::ledger::wire::{
    ACKNOWLEDGE_PATH, ADMIN_CHECKPOINT_PATH, CHECKPOINT_PATH, END_ROWS_PATH, OPEN_LEDGER_PATH,
    PRUNE_PATH, READ_ROWS_PATH, REVIEW_PATH,
};
use tasuki_protocol::login::{CONFIRM_PATH, LOGIN_PATH, LOGOUT_PATH, PASSWORD_PATH};
use tasuki_protocol::policy::decide::ServerLimits;
use tasuki_protocol::policy::exchange::{
    API_PATH, HEALTH_PATH, POLICY_HISTORY_PATH, POLICY_PATH, POLICY_VERSION_PATH, READY_PATH,
    SESSIONS_PATH,
};
use tasuki_protocol::signal::{AGENT_PATH, MAX_REQUEST, OPERATOR_PATH, SPEED_PATH};

use super::accounts::Accounts;
use super::acts::Step;
use super::admins::AdminRefused;
use super::config::SocketRules;
use super::desk::Desk;
use super::health::{self, Health};
use super::kinds::Kind;
use super::ledger::{Job, Ledger, Then, Unwritten, Work};
use super::listen::{Guest, SharedTls};
use super::metrics::Metrics;
use super::operators::Concerned;
use super::policies::Policies;
use super::store::Event;
use super::trust::Trust;
use crate::core::admission::client_address;
use crate::core::rooms::OperatorId;
pub(crate) use ledger::Readings;
pub(crate) use refusals::Refusals;

/// What the paths have at hand.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) desk: Arc<Desk>,
    pub(crate) accounts: Accounts,
    pub(crate) policies: Policies,
    pub(crate) limits: ServerLimits,
    pub(crate) trust: Arc<Trust>,
    pub(crate) tls: SharedTls,
    pub(crate) ledger: Ledger,
    pub(crate) readings: Readings,
    pub(crate) refusals: Refusals,
    pub(crate) rules: SocketRules,
    /// Whose forwarding headers count. T54.
    pub(crate) proxies: Vec<IpNet>,
    /// What was read first is also put in force first.
    pub(crate) renewing: tokio::sync::Mutex<()>,
}

pub(crate) fn router(site: Arc<Site>, health: Arc<Health>) -> Router {
    let metrics = Arc::clone(&health.metrics);
    let around = Router::new()
        .route(HEALTH_PATH, get(health::alive))
        .route(READY_PATH, get(health::ready))
        .with_state(health);
    let pacing = pacing::Pacing::new(Arc::clone(&site), Arc::clone(&metrics));
    let paths = Router::new()
        .route(BUNDLE_PATH, get(bundle))
        .route(TRUST_PATH, get(trust))
        .route(LOGIN_PATH, post(accounts::login))
        .route(LOGOUT_PATH, post(accounts::logout))
        .route(CONFIRM_PATH, post(accounts::confirm))
        .route(PASSWORD_PATH, post(accounts::change_password))
        .route(AGENT_PATH, get(rooms::agent))
        .route(OPERATOR_PATH, get(rooms::operator))
        .route(END_ROWS_PATH, post(ledger::end_rows))
        .route(CHECKPOINT_PATH, post(ledger::operators_checkpoint))
        .route(API_PATH, get(api::document))
        .route(SPEED_PATH, get(speed::down).post(speed::up))
        .merge(administration(&site))
        .fallback(nothing)
        .with_state(site)
        .merge(around);
    let paced = axum::middleware::from_fn_with_state(pacing, pacing::pace);
    layered(paths, |paths| paths.layer(paced), metrics)
}

/// What stands around every path, the innermost first.
fn layered(paths: Router, paced: impl FnOnce(Router) -> Router, metrics: Arc<Metrics>) -> Router {
    let whole = paths.layer(axum::middleware::from_fn(to_its_end));
    let whole = whole.layer(axum::middleware::from_fn(refuse_early));
    paced(whole).layer(axum::middleware::from_fn_with_state(metrics, count))
}

/// Where every refusal is recorded.
fn administration(site: &Arc<Site>) -> Router<Arc<Site>> {
    let told = axum::middleware::from_fn_with_state(Arc::clone(site), refusals::told);
    Router::new()
        .route(ENROL_PATH, any(admins::enrol))
        .route(JOIN_PATH, post(admins::join))
        .route(TOKEN_PATH, post(admins::token))
        .route(RECOVER_PATH, post(admins::recover))
        .route(ADMIN_LOGIN_PATH, post(admins::login))
        .route(ADMIN_LOGOUT_PATH, post(admins::logout))
        .route(ADMINS_PATH, get(admins::list).post(admins::invite))
        .route(ADMIN_CHANGES_PATH, post(admins::change))
        .route(ADMIN_LIMITS_PATH, post(admins::limit))
        .route(ADMIN_PASSWORD_PATH, post(admins::change_password))
        .route(INVITATIONS_PATH, get(admins::invitations).post(admins::withdraw))
        .route(OPERATORS_PATH, get(admin::list_operators).post(admin::add_operator))
        .route(OPERATOR_CHANGES_PATH, post(admin::change_operator))
        .route(OPERATOR_LIMITS_PATH, post(admin::limit_operator))
        .route(OPERATOR_PASSWORD_PATH, post(admin::reset_password))
        .route(OPERATOR_NAMING_PATH, post(admin::name_operator))
        .route(GROUPS_PATH, get(admin::list_groups).post(admin::change_group))
        .route(POLICY_PATH, get(policy::current).post(policy::publish))
        .route(POLICY_HISTORY_PATH, get(policy::history))
        .route(POLICY_VERSION_PATH, get(policy::version))
        .route(SESSIONS_PATH, get(policy::sessions).post(policy::end_session))
        .route(SERVER_KEYS_PATH, get(keys::server_keys))
        .route(PREPARE_KEY_PATH, post(keys::prepare))
        .route(PUBLISH_PATH, post(keys::publish))
        .route(LOG_KEYS_PATH, get(keys::log_keys))
        .route(DEVICES_PATH, get(devices::list))
        .route(APPROVE_PATH, post(devices::approve))
        .route(REVOKE_PATH, post(devices::revoke))
        .route(ADMIN_CHECKPOINT_PATH, post(ledger::admins_checkpoint))
        .route(OPEN_LEDGER_PATH, post(ledger::open))
        .route(READ_ROWS_PATH, post(ledger::rows))
        .route(REVIEW_PATH, post(ledger::review))
        .route(PRUNE_PATH, post(ledger::prune))
        .route(ACKNOWLEDGE_PATH, post(ledger::acknowledge))
        .route_layer(told)
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    metrics.answered(response.status().as_u16());
    response
}

type Shared = State<Arc<Site>>;

/// Until when everybody is what he is now or out; what ends then has its time to arrive.
const RENEWED_WITHIN: Duration = Duration::from_secs(3);

impl Site {
    /// Where a request really comes from. T54.
    fn address(&self, guest: &Guest, headers: &HeaderMap) -> IpAddr {
        // A proxy may add a line of its own below the asker's: together they are one list (RFC 9110 5.3).
        let lines = headers.get_all("x-forwarded-for").iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let forwarded = (!lines.is_empty()).then(|| lines.join(","));
        client_address(guest.peer.ip(), forwarded.as_deref(), &self.proxies)
    }

    /// What lives goes on under the groups and certificates of now, and ends where they allow no more (T17).
    ///
    /// # Errors
    /// They cannot be looked up: what lives is as it was.
    pub(crate) async fn renew(
        &self,
        operator: OperatorId,
        device: &DeviceKey,
    ) -> Result<(), sqlx::Error> {
        let _one = self.renewing.lock().await;
        match self.accounts.at_device(operator, device).await? {
            Some(now) => self.desk.renew(now),
            None => self.desk.withdraw_device(*device),
        }
        Ok(())
    }

    /// Who cannot be looked up when it was his turn, nor a second time, or whose turn does not come in time
    /// (T17), is out: he comes back as what he is.
    async fn renew_all(&self, concerned: Concerned) {
        let present = self.desk.to_renew().into_iter();
        let concerned = present.filter(|(operator, _)| concerned.has(*operator));
        let renew = |(operator, device)| async move { self.renew(operator, &device).await.is_ok() };
        each_in_time(concerned, RENEWED_WITHIN, renew, |(_, device)| self.desk.withdraw_device(device))
            .await;
    }

    /// Waits until an act and its record are on disk, or refuses both.
    async fn act(&self, event: Event, steps: Vec<Step>) -> Result<(), AdminRefused> {
        self.ledger.act(event.clone(), steps).await?;
        self.desk.witness(&event);
        Ok(())
    }

    /// Waits until what was done is on disk: else it is not acknowledged (T65).
    async fn recorded(&self, event: Event) -> Result<(), Response> {
        self.desk.witness(&event);
        let written = self.ledger.ask(Work::Happened(event.clone())).await;
        written.map(|_| ()).map_err(|why| {
            // It has happened all the same, and is written as soon as anything can be.
            self.desk.put(Job { work: Work::Happened(event), then: Then::Nobody });
            unwritten(why)
        })
    }

    /// As [`Self::recorded`], of entries that are in the ledger's words already.
    async fn witnessed(&self, entries: Vec<Entry>) -> Result<(), Response> {
        if entries.is_empty() {
            return Ok(());
        }
        self.ledger.ask(Work::Records(entries)).await.map(|_| ()).map_err(unwritten)
    }

    /// The refusal until `tasuki-admin init` is done.
    fn not_yet(&self) -> Option<Response> {
        self.trust.bundle().is_none().then(|| problem(ProblemCode::NotInitialised))
    }
}

/// Each of `all` twice at most, one after the other and within one span for all; `out` has who was not done then.
async fn each_in_time<T: Copy, F: Future<Output = bool>>(
    all: impl Iterator<Item = T>,
    within: Duration,
    act: impl Fn(T) -> F,
    out: impl Fn(T),
) {
    let by = tokio::time::Instant::now() + within;
    for one in all {
        let done = tokio::time::timeout_at(by, async { act(one).await || act(one).await }).await;
        if !done.unwrap_or(false) {
            out(one);
        }
    }
}

/// Who asked for something may hang up: what was begun is done to its end, and recorded. What breaks while it
/// is done breaks nothing else, and is answered and counted as that (F18).
async fn to_its_end(request: Request, next: Next) -> Response {
    // Whose seat it takes until then.
    let guest = request.extensions().get::<Guest>().cloned();
    let doing = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(guest);
        response
    });
    doing.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request was not answered: this is a fault of the server's");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

async fn refuse_early(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Two lengths are how requests are smuggled past a proxy (T59): a Content-Length, or no body.
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        return (StatusCode::LENGTH_REQUIRED, [(header::CONNECTION, "close")]).into_response();
    }
    next.run(request).await
}

fn not_here() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

async fn nothing() -> Response {
    std::future::ready(not_here()).await
}

async fn bundle(State(site): Shared) -> Response {
    let answer = match site.trust.envelope() {
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => problem(ProblemCode::NotInitialised),
    };
    std::future::ready(answer).await
}

async fn trust(State(site): Shared) -> Response {
    let answer = match site.trust.news() {
        Some(news) => json(StatusCode::OK, &news),
        None => problem(ProblemCode::NotInitialised),
    };
    std::future::ready(answer).await
}

async fn read_json<T: DeserializeOwned>(site: &Site, body: Body) -> Result<T, Response> {
    let body = read(site, body).await?;
    strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))
}

async fn read(site: &Site, body: Body) -> Result<Bytes, Response> {
    read_up_to(site, body, MAX_REQUEST).await
}

async fn read_up_to(site: &Site, body: Body, most: usize) -> Result<Bytes, Response> {
    // What says that it is too much is not waited for.
    if body.size_hint().exact().is_some_and(|announced| announced > most as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    }
    let patience: Duration = site.rules.first_message;
    match tokio::time::timeout(patience, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

fn event(kind: Kind, operator: Option<i64>) -> Event {
    Event { operator, ..Event::new(kind) }
}

fn store_problem(error: &sqlx::Error) -> Response {
    tracing::error!(%error, "the database does not answer");
    problem(ProblemCode::Busy)
}

/// What cannot be recorded is not done (T65).
fn unwritten(why: Unwritten) -> Response {
    problem(why.code())
}

fn problem(code: ProblemCode) -> Response {
    let mut response = json(refusals::status(code), &Problem { code });
    response.extensions_mut().insert(code);
    response
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let text = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tower_service::Service as _;

    use super::*;

    /// F18: what panics is one answer, which is counted as an error; others are answered as before.
    #[tokio::test]
    async fn f18_a_panic_while_one_request_is_answered_is_an_error_of_that_one_alone() {
        let metrics = Arc::new(Metrics::default());
        let breaks = async || -> &'static str { panic!("of a test") };
        let paths = Router::new()
            .route("/breaks", get(breaks).post(breaks))
            .route("/well", get(async || "well"));
        let router = layered(paths, |unpaced| unpaced, Arc::clone(&metrics));
        let mut statuses = Vec::new();
        for (method, path) in [("GET", "/breaks"), ("POST", "/breaks"), ("GET", "/well")] {
            let asked = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            statuses.push(router.clone().call(asked).await.unwrap().status().as_u16());
        }
        assert_eq!(statuses, [500, 500, 200]);
        assert_eq!(metrics.answers(5), 2, "counted");
    }

    /// T17: a database that answers nobody keeps nobody as he was for longer than this.
    #[tokio::test]
    async fn t17_who_cannot_be_looked_up_in_time_or_twice_is_out_and_nobody_else() {
        let (tries, out) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let renew = async |who: &'static str| {
            tries.borrow_mut().push(who);
            let tried = tries.borrow().iter().filter(|other| **other == who).count();
            match who {
                "fails once" => tried > 1,
                "fails" => false,
                "hangs" | "comes after" => std::future::pending().await,
                _ => true,
            }
        };
        let all = ["well", "fails once", "fails", "hangs", "comes after"].into_iter();
        let renewing =
            each_in_time(all, Duration::from_millis(200), renew, |who| out.borrow_mut().push(who));
        tokio::time::timeout(RENEWED_WITHIN, renewing).await.expect("one span for all of them");
        assert_eq!(*out.borrow(), ["fails", "hangs", "comes after"]);
    }
}
