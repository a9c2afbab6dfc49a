//! Signing in and out.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::signal::{self, LoginRequest};

use super::{Shared, Site, event, json, problem, read, store_problem};
use crate::shell::accounts::{Bearer, LoginRefused};

pub(super) async fn login(State(site): Shared, request: Request) -> Response {
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

pub(super) async fn logout(State(site): Shared, headers: HeaderMap) -> Response {
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

pub(super) async fn bearer(site: &Site, headers: &HeaderMap) -> Result<Bearer, Response> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else { return Err(problem(ProblemCode::SignIn)) };
    match site.accounts.bearer(token).await {
        Ok(Some(bearer)) => Ok(bearer),
        Ok(None) => Err(problem(ProblemCode::SignIn)),
        Err(error) => Err(store_problem(&error)),
    }
}
