//! What administrators ask about the policy and about what runs.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::policy::exchange::{
    EndSession, PolicyHistory, PolicyPublished, PolicyState, SessionList,
};
use tasuki_protocol::policy::told_sections;

use super::admin::{refuse_admin, signed_in, signed_in_json};
use super::{Shared, Site, event, json, problem, store_problem};
use crate::shell::kinds::Kind;

pub(super) async fn current(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    state(&site, None).await
}

pub(super) async fn version(
    State(site): Shared,
    Path(version): Path<u64>,
    request: Request,
) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    state(&site, Some(version)).await
}

async fn state(site: &Site, version: Option<u64>) -> Response {
    let found = match site.policies.envelope_of(version).await {
        Ok(found) => found,
        Err(error) => return store_problem(&error),
    };
    if found.is_none() && version.is_some() {
        return problem(ProblemCode::NotFound);
    }
    let (version, envelope) = found.map_or((0, None), |(v, envelope)| (v, Some(Blob(envelope))));
    let limits = site.limits;
    let (address_disclosure, length_s) = (limits.address_disclosure, limits.length_s);
    json(StatusCode::OK, &PolicyState { version, envelope, address_disclosure, length_s })
}

pub(super) async fn publish(State(site): Shared, request: Request) -> Response {
    let (admin, envelope) = match signed_in(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if let Err(refused) = site.accounts.recently_confirmed(admin).await {
        return refuse_admin(refused);
    }
    let published = async {
        let before = site.policies.current().await?.map(|policy| policy.rules).unwrap_or_default();
        let (policy, step) = site.policies.next(&envelope).await?;
        let target = format!("version {}", policy.version);
        let mut published = event(Kind::PolicyPublished, None).by(admin.0).on(&target);
        published.detail = told_sections(&policy.rules.changed_from(&before));
        site.act(published, vec![step]).await.map(|()| policy)
    };
    let policy = match published.await {
        Ok(policy) => policy,
        Err(refused) => return refuse_admin(refused),
    };
    let version = policy.version;
    let ended = site.desk.adopt(policy);
    json(StatusCode::CREATED, &PolicyPublished { version, ended })
}

pub(super) async fn history(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.policies.history().await {
        Ok(versions) => json(StatusCode::OK, &PolicyHistory { versions }),
        Err(error) => store_problem(&error),
    }
}

pub(super) async fn sessions(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    json(StatusCode::OK, &SessionList { sessions: site.desk.sessions() })
}

pub(super) async fn end_session(State(site): Shared, request: Request) -> Response {
    let (admin, EndSession { session }): (_, EndSession) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if !site.desk.end(session) {
        return problem(ProblemCode::NotFound);
    }
    let ended = event(Kind::SessionEnded, None).by(admin.0).on(&session.to_string());
    if let Err(refused) = site.recorded(ended).await {
        return refused;
    }
    StatusCode::NO_CONTENT.into_response()
}
