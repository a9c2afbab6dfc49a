//! HTTP: which path takes what. Everything that is not named here does not exist.
//!
//! No cookie, no CORS; whoever sends an `Origin` is a browser and is refused on
//! every path (T58).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{
    ADMIN_HEADER, AddOperator, BUNDLE_PATH, ChangeOperator, ENROL_PATH, EnrolAdmin,
    OPERATOR_CHANGES_PATH, OPERATORS_PATH, OperatorChange, Problem, ProblemCode,
};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::signal::{
    self, AGENT_PATH, LOGIN_PATH, LOGOUT_PATH, LoginRequest, MAX_EARLY_MESSAGE, MAX_MESSAGE,
    OPERATOR_PATH,
};

use super::accounts::{Accounts, Bearer, LoginRefused};
use super::admins::{AdminRefused, Signed};
use super::config::SocketRules;
use super::desk::Desk;
use super::listen::Guest;
use super::sockets;
use super::store::Event;
use crate::core::rooms::OperatorId;

/// What the paths have at hand.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) desk: Arc<Desk>,
    pub(crate) accounts: Accounts,
    pub(crate) rules: SocketRules,
    /// The tenant's signed bundle.
    pub(crate) bundle: Bytes,
}

pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route(BUNDLE_PATH, get(bundle))
        .route(LOGIN_PATH, post(login))
        .route(LOGOUT_PATH, post(logout))
        .route(ENROL_PATH, any(enrol))
        .route(OPERATORS_PATH, get(list_operators).post(add_operator))
        .route(OPERATOR_CHANGES_PATH, post(change_operator))
        .route(AGENT_PATH, get(agent))
        .route(OPERATOR_PATH, get(operator))
        .fallback(nothing)
        .layer(axum::middleware::from_fn(refuse_browsers))
        .with_state(site)
}

type Shared = State<Arc<Site>>;

async fn refuse_browsers(request: Request, next: axum::middleware::Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return StatusCode::FORBIDDEN.into_response();
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
    let body = site.bundle.clone();
    std::future::ready(([(header::CONTENT_TYPE, "application/json")], body).into_response()).await
}

async fn login(State(site): Shared, request: Request) -> Response {
    let body = match read(&site, request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let request: LoginRequest = match strict_json(&body) {
        Ok(request) => request,
        Err(_) if signal::version_of(&body).is_some_and(|v| v != PROTOCOL_VERSION) => {
            return problem(ProblemCode::Version);
        }
        Err(_) => return problem(ProblemCode::Malformed),
    };
    if request.version != PROTOCOL_VERSION {
        return problem(ProblemCode::Version);
    }
    match site.accounts.login(request).await {
        Ok((response, operator)) => {
            site.desk.record(event("login.done", Some(operator)));
            json(StatusCode::OK, &response)
        }
        Err(LoginRefused::SignIn) => {
            site.desk.record(event("login.refused", None));
            problem(ProblemCode::SignIn)
        }
        Err(LoginRefused::Busy) => problem(ProblemCode::Busy),
        Err(LoginRefused::Store(error)) => store_problem(&error),
    }
}

async fn logout(State(site): Shared, headers: HeaderMap) -> Response {
    let bearer = match bearer(&site, &headers).await {
        Ok(bearer) => bearer,
        Err(refused) => return refused,
    };
    if let Err(error) = site.accounts.sign_out(&bearer).await {
        return store_problem(&error);
    }
    site.desk.withdraw(bearer.operator);
    site.desk.record(event("logout", Some(bearer.operator.0)));
    StatusCode::NO_CONTENT.into_response()
}

/// Exists until the first administrator has come (T57).
async fn enrol(State(site): Shared, request: Request) -> Response {
    match site.accounts.expects_admin().await {
        Ok(true) if request.method() == Method::POST => {}
        Ok(_) => return not_here(),
        Err(error) => return store_problem(&error),
    }
    let body: EnrolAdmin = match read_json(&site, request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match site.accounts.enrol_admin(&body).await {
        Ok(()) => {
            site.desk.record(event("admin.enrolled", None));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}

async fn list_operators(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = admin_body(&site, request).await {
        return refused;
    }
    match site.accounts.operators().await {
        Ok(list) => json(StatusCode::OK, &list),
        Err(refused) => refuse_admin(refused),
    }
}

async fn add_operator(State(site): Shared, request: Request) -> Response {
    let new: AddOperator = match admin_json(&site, request).await {
        Ok(new) => new,
        Err(refused) => return refused,
    };
    match site.accounts.add_operator(new).await {
        Ok(added) => {
            site.desk.record(event("operator.added", None));
            json(StatusCode::CREATED, &added)
        }
        Err(refused) => refuse_admin(refused),
    }
}

async fn change_operator(State(site): Shared, request: Request) -> Response {
    let change: ChangeOperator = match admin_json(&site, request).await {
        Ok(change) => change,
        Err(refused) => return refused,
    };
    let (id, code) = match site.accounts.change_operator(&change).await {
        Ok(changed) => changed,
        Err(refused) => return refuse_admin(refused),
    };
    let kind = match change.change {
        OperatorChange::Disable => "operator.disabled",
        OperatorChange::Enable => "operator.enabled",
        OperatorChange::Remove => "operator.removed",
        OperatorChange::NewCode => "operator.code",
        OperatorChange::Unlock => "operator.unlocked",
    };
    if matches!(change.change, OperatorChange::Disable | OperatorChange::Remove) {
        site.desk.withdraw(OperatorId(id));
    }
    site.desk.record(event(kind, Some(id)));
    match code {
        Some(code) => json(StatusCode::CREATED, &code),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn agent(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    let response = upgrade.on_upgrade(move |socket| sockets::agent(site, guest, socket));
    std::future::ready(response).await
}

async fn operator(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let bearer = match bearer(&site, &headers).await {
        Ok(bearer) => bearer,
        Err(refused) => return refused,
    };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    upgrade.on_upgrade(move |socket| sockets::operator(site, guest, bearer, socket))
}

async fn bearer(site: &Site, headers: &HeaderMap) -> Result<Bearer, Response> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else { return Err(problem(ProblemCode::SignIn)) };
    match site.accounts.bearer(token).await {
        Ok(Some(bearer)) => Ok(bearer),
        Ok(None) => Err(problem(ProblemCode::SignIn)),
        Err(error) => Err(store_problem(&error)),
    }
}

/// The body of an administrator's signed request.
async fn admin_body(site: &Site, request: Request) -> Result<Bytes, Response> {
    let (parts, body) = request.into_parts();
    let body = read(site, body).await?;
    let header = parts.headers.get(ADMIN_HEADER).and_then(|value| value.to_str().ok());
    let Some(header) = header else { return Err(problem(ProblemCode::Unauthorised)) };
    let signed = Signed { header, method: parts.method.as_str(), path: parts.uri.path(), body: &body };
    site.accounts.authorise(signed).await.map_err(refuse_admin)?;
    Ok(body)
}

async fn admin_json<T: DeserializeOwned>(site: &Site, request: Request) -> Result<T, Response> {
    let body = admin_body(site, request).await?;
    strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))
}

async fn read_json<T: DeserializeOwned>(site: &Site, body: Body) -> Result<T, Response> {
    let body = read(site, body).await?;
    strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))
}

async fn read(site: &Site, body: Body) -> Result<Bytes, Response> {
    let patience: Duration = site.rules.first_message;
    match tokio::time::timeout(patience, to_bytes(body, MAX_EARLY_MESSAGE)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

fn event(kind: &'static str, operator: Option<i64>) -> Event {
    Event { kind, operator, detail: String::new() }
}

fn refuse_admin(refused: AdminRefused) -> Response {
    match refused {
        AdminRefused::Problem(code) => problem(code),
        AdminRefused::Store(error) => store_problem(&error),
    }
}

fn store_problem(error: &sqlx::Error) -> Response {
    tracing::error!(%error, "the database does not answer");
    problem(ProblemCode::Busy)
}

fn problem(code: ProblemCode) -> Response {
    let status = match code {
        ProblemCode::SignIn | ProblemCode::Unauthorised => StatusCode::UNAUTHORIZED,
        ProblemCode::Malformed | ProblemCode::Version => StatusCode::BAD_REQUEST,
        ProblemCode::Taken => StatusCode::CONFLICT,
        ProblemCode::Unusable => StatusCode::UNPROCESSABLE_ENTITY,
        ProblemCode::NotFound => StatusCode::NOT_FOUND,
        ProblemCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    json(status, &Problem { code })
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let text = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
