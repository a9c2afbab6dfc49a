//! What administrators ask about the policy and about what runs.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::policy::exchange::{
    EndSession, PolicyHistory, PolicyPublished, PolicyState, SessionList,
};
use tasuki_protocol::policy::told_sections;

use super::admin::{Answered, acknowledged, signed_in, signed_in_json};
use super::{Shared, Site, event, json, problem, store_problem};
use crate::shell::kinds::Kind;

pub(super) async fn current(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    state(&site, None).await
}

pub(super) async fn version(
    State(site): Shared,
    Path(version): Path<u64>,
    request: Request,
) -> Answered {
    signed_in(&site, request).await?;
    state(&site, Some(version)).await
}

async fn state(site: &Site, version: Option<u64>) -> Answered {
    let found = site.policies.envelope_of(version).await.map_err(|error| store_problem(&error))?;
    if found.is_none() && version.is_some() {
        return Err(problem(ProblemCode::NotFound));
    }
    let (version, envelope) = found.map_or((0, None), |(v, envelope)| (v, Some(Blob(envelope))));
    let limits = site.limits;
    let (address_disclosure, length_s) = (limits.address_disclosure, limits.length_s);
    let state = PolicyState { version, envelope, address_disclosure, length_s };
    Ok(json(StatusCode::OK, &state))
}

pub(super) async fn publish(State(site): Shared, request: Request) -> Answered {
    let (present, envelope) = signed_in(&site, request).await?;
    site.accounts.recently_confirmed(present.by).await?;
    let before = site.policies.current().await.map_err(|error| store_problem(&error))?;
    let before = before.map(|policy| policy.rules).unwrap_or_default();
    let (policy, step) = site.policies.next(&envelope).await?;
    let version = policy.version;
    let target = format!("version {version}");
    let mut published = event(Kind::PolicyPublished, None).by(&present).on(&target);
    published.detail = told_sections(&policy.rules.changed_from(&before));
    site.act(published, vec![step]).await?;
    let ended = site.desk.adopt(policy);
    Ok(json(StatusCode::CREATED, &PolicyPublished { version, ended }))
}

pub(super) async fn history(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    let versions = site.policies.history().await.map_err(|error| store_problem(&error))?;
    Ok(json(StatusCode::OK, &PolicyHistory { versions }))
}

pub(super) async fn sessions(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    Ok(json(StatusCode::OK, &SessionList { sessions: site.desk.sessions() }))
}

pub(super) async fn end_session(State(site): Shared, request: Request) -> Answered {
    let (present, EndSession { session }): (_, EndSession) = signed_in_json(&site, request).await?;
    if !site.desk.end(session) {
        return Err(problem(ProblemCode::NotFound));
    }
    let ended = event(Kind::SessionEnded, None).by(&present).on(&session.to_string());
    site.recorded(ended).await?;
    Ok(acknowledged())
}
