//! What administrators do with operators, and how their requests are recognised.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{
    ADMIN_HEADER, AddOperator, ChangeGroup, ChangeOperator, GroupChange, LimitOperator, NameOperator,
    OperatorChange, ProblemCode, ResetPassword,
};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::policy::MAX_POLICY_BYTES;
use tasuki_protocol::policy::exchange::POLICY_PATH;
use tasuki_protocol::signal::MAX_REQUEST;

use super::refusals::Signer;
use super::{Shared, Site, event, json, problem, read_up_to, store_problem};
use crate::core::rooms::OperatorId;
use crate::shell::admins::{AdminId, AdminRefused, Signed};
use crate::shell::details;
use crate::shell::kept;
use crate::shell::kinds::Kind;
use crate::shell::operators::Concerned;

/// A signed policy grows by a third in its envelope.
const MAX_POLICY_BODY: usize = MAX_POLICY_BYTES + MAX_POLICY_BYTES / 2;

pub(super) async fn list_operators(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.accounts.operators().await {
        Ok(list) => json(StatusCode::OK, &list),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn add_operator(State(site): Shared, request: Request) -> Response {
    let (admin, new): (_, AddOperator) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let told = details::of_account(&new);
    let added_now = event(Kind::OperatorAdded, None).by(admin.0).on(&new.operator).telling(&told);
    let added = async {
        let (steps, added) = site.accounts.add_operator(new).await?;
        site.act(added_now, steps).await.map(|()| added)
    };
    match added.await {
        Ok(added) => json(StatusCode::CREATED, &added),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn change_operator(State(site): Shared, request: Request) -> Response {
    let (admin, change): (_, ChangeOperator) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let (kind, ends) = match change.change {
        OperatorChange::Disable => (Kind::OperatorDisabled, true),
        OperatorChange::Enable => (Kind::OperatorEnabled, false),
        OperatorChange::Remove => (Kind::OperatorRemoved, true),
        OperatorChange::NewCode => (Kind::OperatorCode, false),
        OperatorChange::Unlock => (Kind::OperatorUnlocked, false),
        OperatorChange::ForgetAuthenticator => (Kind::AuthenticatorForgotten, true),
    };
    let changed = async {
        let (id, mut steps, code) = site.accounts.change_operator(&change).await?;
        steps.extend(ends.then(|| kept::end_all_of(id)));
        let changed = event(kind, Some(id)).by(admin.0).on(&change.operator);
        site.act(changed, steps).await.map(|()| (id, code))
    };
    let (id, code) = match changed.await {
        Ok(changed) => changed,
        Err(refused) => return refuse_admin(refused),
    };
    if ends {
        site.desk.withdraw(OperatorId(id));
    }
    match code {
        Some(code) => json(StatusCode::CREATED, &code),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

pub(super) async fn reset_password(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, ResetPassword) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let done = async {
        let target = order.operator.clone();
        let (id, mut steps) = site.accounts.reset_password(order).await?;
        let reset = event(Kind::OperatorPassword, Some(id)).by(admin.0).on(&target);
        steps.push(kept::end_all_of(id));
        site.act(reset, steps).await.map(|()| OperatorId(id))
    };
    match done.await {
        Ok(operator) => {
            site.desk.withdraw(operator);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}

/// What of it is narrower acts at once on what lives; what is wider waits for a certificate.
pub(super) async fn name_operator(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, NameOperator) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let named = async {
        let (id, steps) = site.accounts.name_operator(&order).await?;
        let named = event(Kind::OperatorNamed, Some(id)).by(admin.0).on(&order.operator);
        site.act(named.telling(&details::of_naming(&order)), steps).await?;
        Ok(Concerned::One(OperatorId(id)))
    };
    match named.await {
        Ok(concerned) => {
            site.renew_all(concerned).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}

/// Acts at once on what lives: who is outside the new limits is out, and nobody else. T54.
pub(super) async fn limit_operator(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, LimitOperator) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let limited = async {
        let (id, before, step) = site.accounts.limit_operator(&order).await?;
        let limited = event(Kind::OperatorLimited, Some(id)).by(admin.0).on(&order.operator);
        let limited = limited.telling(&details::of_limits(&order.limits));
        let operator = OperatorId(id);
        let stays = site.stays(operator, &before, &order.limits);
        let over = (!stays).then(|| kept::end_all_of(id));
        site.act(limited, [step].into_iter().chain(over).collect()).await?;
        // Who came meanwhile came under those of before.
        Ok((operator, stays && site.stays(operator, &before, &order.limits)))
    };
    match limited.await {
        Ok((operator, stays)) => {
            site.admit_anew(operator, stays).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn list_groups(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.accounts.groups().await {
        Ok(list) => json(StatusCode::OK, &list),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn change_group(State(site): Shared, request: Request) -> Response {
    let (admin, change): (_, ChangeGroup) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let told = details::of_group(&change.change);
    let (kind, who) = match &change.change {
        GroupChange::Add => (Kind::GroupAdded, None),
        GroupChange::Remove => (Kind::GroupRemoved, None),
        GroupChange::Join { operator } => (Kind::GroupJoined, Some(operator)),
        GroupChange::Leave { operator } => (Kind::GroupLeft, Some(operator)),
    };
    let target = who.map_or_else(|| change.group.clone(), |who| format!("{}: {who}", change.group));
    let changed = async {
        let (concerned, steps) = site.accounts.change_group(&change).await?;
        let changed = event(kind, None).by(admin.0).on(&target).telling(told);
        site.act(changed, steps).await.map(|()| concerned)
    };
    match changed.await {
        Ok(concerned) => {
            site.renew_all(concerned).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}

/// Who signed the request, and its body. Not yet: whether he is signed in.
pub(super) async fn signed(site: &Site, request: Request) -> Result<(AdminId, Bytes), Response> {
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path() == POLICY_PATH { MAX_POLICY_BODY } else { MAX_REQUEST };
    let body = read_up_to(site, body, most).await?;
    let header = parts.headers.get(ADMIN_HEADER).and_then(|value| value.to_str().ok());
    let Some(header) = header else { return Err(problem(ProblemCode::Unauthorised)) };
    // With its query, so that nobody on the way adds or changes one.
    let path = parts.uri.path_and_query().map_or("/", |whole| whole.as_str());
    let signed = Signed { header, method: parts.method.as_str(), path, body: &body };
    let admin = site.accounts.authorise(signed).await.map_err(refuse_admin)?;
    parts.extensions.get::<Signer>().inspect(|signer| signer.is(admin));
    Ok((admin, body))
}

pub(super) async fn signed_json<T: DeserializeOwned>(
    site: &Site,
    request: Request,
) -> Result<(AdminId, T), Response> {
    let (admin, body) = signed(site, request).await?;
    let parsed = strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))?;
    Ok((admin, parsed))
}

/// A signed request of an administrator who is signed in.
pub(super) async fn signed_in(site: &Site, request: Request) -> Result<(AdminId, Bytes), Response> {
    let (admin, body) = signed(site, request).await?;
    site.accounts.admin_session(admin).await.map_err(refuse_admin)?;
    Ok((admin, body))
}

pub(super) async fn signed_in_json<T: DeserializeOwned>(
    site: &Site,
    request: Request,
) -> Result<(AdminId, T), Response> {
    let (admin, body) = signed_in(site, request).await?;
    let parsed = strict_json(&body).map_err(|_| problem(ProblemCode::Malformed))?;
    Ok((admin, parsed))
}

pub(super) fn refuse_admin(refused: AdminRefused) -> Response {
    match refused {
        AdminRefused::Problem(code) => problem(code),
        AdminRefused::Store(error) => store_problem(&error),
    }
}
