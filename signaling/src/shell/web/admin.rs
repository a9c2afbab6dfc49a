//! What administrators ask.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{
    ADMIN_HEADER, AddOperator, ChangeOperator, EnrolAdmin, OperatorChange, ProblemCode,
};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::policy::MAX_POLICY_BYTES;
use tasuki_protocol::policy::exchange::POLICY_PATH;
use tasuki_protocol::signal::MAX_EARLY_MESSAGE;

use super::{Shared, Site, event, json, not_here, problem, read, read_up_to, store_problem};
use crate::core::rooms::OperatorId;
use crate::shell::admins::{AdminRefused, Signed};

/// A signed policy grows by a third in its envelope.
const MAX_POLICY_BODY: usize = MAX_POLICY_BYTES + MAX_POLICY_BYTES / 2;

/// Exists until the first administrator has come (T57).
pub(super) async fn enrol(State(site): Shared, request: Request) -> Response {
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

pub(super) async fn list_operators(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = admin_body(&site, request).await {
        return refused;
    }
    match site.accounts.operators().await {
        Ok(list) => json(StatusCode::OK, &list),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn add_operator(State(site): Shared, request: Request) -> Response {
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

pub(super) async fn change_operator(State(site): Shared, request: Request) -> Response {
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

/// The body of an administrator's signed request.
pub(super) async fn admin_body(site: &Site, request: Request) -> Result<Bytes, Response> {
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path() == POLICY_PATH { MAX_POLICY_BODY } else { MAX_EARLY_MESSAGE };
    let body = read_up_to(site, body, most).await?;
    let header = parts.headers.get(ADMIN_HEADER).and_then(|value| value.to_str().ok());
    let Some(header) = header else { return Err(problem(ProblemCode::Unauthorised)) };
    let signed = Signed { header, method: parts.method.as_str(), path: parts.uri.path(), body: &body };
    site.accounts.authorise(signed).await.map_err(refuse_admin)?;
    Ok(body)
}

pub(super) async fn admin_json<T: DeserializeOwned>(
    site: &Site,
    request: Request,
) -> Result<T, Response> {
    let body = admin_body(site, request).await?;
    strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))
}

pub(super) async fn read_json<T: DeserializeOwned>(site: &Site, body: Body) -> Result<T, Response> {
    let body = read(site, body).await?;
    strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))
}

pub(super) fn refuse_admin(refused: AdminRefused) -> Response {
    match refused {
        AdminRefused::Problem(code) => problem(code),
        AdminRefused::Store(error) => store_problem(&error),
    }
}
