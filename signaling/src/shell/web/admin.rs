//! What administrators do with operators, and how their requests are recognised.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::{
    ADMIN_HEADER, ADMIN_SESSION_HEADER, AddOperator, ChangeGroup, ChangeOperator, GroupChange,
    LimitOperator, NameOperator, OperatorChange, Outcome, ProblemCode, ResetPassword,
};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::policy::MAX_POLICY_BYTES;
use tasuki_protocol::policy::exchange::POLICY_PATH;
use tasuki_protocol::signal::MAX_REQUEST;

use super::{Shared, Site, event, json, problem, read_up_to, refusals, store_problem};
use crate::core::admission::declares_anew;
use crate::core::rooms::OperatorId;
use crate::shell::accounts::{Account, Accounts};
use crate::shell::admin_sign_ins::{Present, Shown};
use crate::shell::admins::{AdminId, AdminRefused, Signed};
use crate::shell::details;
use crate::shell::kept;
use crate::shell::kinds::Kind;
use crate::shell::listen::Guest;
use crate::shell::operators::Concerned;
use crate::shell::store::Event;

/// A signed policy grows by a third in its envelope.
const MAX_POLICY_BODY: usize = MAX_POLICY_BYTES + MAX_POLICY_BYTES / 2;

pub(super) async fn list_operators(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    Ok(json(StatusCode::OK, &site.accounts.operators().await?))
}

pub(super) async fn add_operator(State(site): Shared, request: Request) -> Answered {
    let (present, new): (_, AddOperator) = confirmed_json(&site, request).await?;
    let told = details::of_account(&new);
    let added_now = event(Kind::OperatorAdded, None).by(&present).on(&new.operator).telling(&told);
    let (steps, added) = site.accounts.add_operator(new).await?;
    site.act(added_now, steps).await?;
    Ok(json(StatusCode::CREATED, &added))
}

/// To take away waits for nothing; what lets somebody in asks who it is (S62).
pub(super) async fn change_operator(State(site): Shared, request: Request) -> Answered {
    let (present, body) = signed_in(&site, request).await?;
    let change: ChangeOperator = parsed(&body)?;
    match change.change {
        OperatorChange::Disable | OperatorChange::Remove => {}
        OperatorChange::Enable
        | OperatorChange::NewCode
        | OperatorChange::Unlock
        | OperatorChange::ForgetAuthenticator => site.accounts.recently_confirmed(present.by).await?,
    }
    let (kind, ends) = match change.change {
        OperatorChange::Disable => (Kind::OperatorDisabled, true),
        OperatorChange::Enable => (Kind::OperatorEnabled, false),
        OperatorChange::Remove => (Kind::OperatorRemoved, true),
        OperatorChange::NewCode => (Kind::OperatorCode, false),
        OperatorChange::Unlock => (Kind::OperatorUnlocked, false),
        OperatorChange::ForgetAuthenticator => (Kind::AuthenticatorForgotten, true),
    };
    let (account, mut steps, code) = site.accounts.change_operator(&change).await?;
    steps.extend(ends.then(|| kept::end_all_of(account.id)));
    site.act(on(kind, &account).by(&present), steps).await?;
    if ends {
        site.desk.withdraw(OperatorId(account.id));
    }
    Ok(code.map_or_else(acknowledged, |code| json(StatusCode::CREATED, &code)))
}

pub(super) async fn reset_password(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, ResetPassword) = confirmed_json(&site, request).await?;
    let (account, mut steps) = site.accounts.reset_password(order).await?;
    steps.push(kept::end_all_of(account.id));
    site.act(on(Kind::OperatorPassword, &account).by(&present), steps).await?;
    site.desk.withdraw(OperatorId(account.id));
    Ok(acknowledged())
}

/// What of it is narrower acts at once on what lives; what is wider waits for a certificate.
pub(super) async fn name_operator(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, NameOperator) = confirmed_json(&site, request).await?;
    let (account, steps) = site.accounts.name_operator(&order).await?;
    let named = on(Kind::OperatorNamed, &account).by(&present);
    site.act(named.telling(&details::of_naming(&order)), steps).await?;
    site.renew_all(Concerned::One(OperatorId(account.id))).await;
    Ok(acknowledged())
}

/// Acts at once on what lives: who is outside the new limits is out, and nobody else. T54.
pub(super) async fn limit_operator(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, LimitOperator) = confirmed_json(&site, request).await?;
    let (account, step) = site.accounts.limit_operator(&order).await?;
    let limited = on(Kind::OperatorLimited, &account).by(&present);
    let limited = limited.telling(&details::of_limits(&order.limits));
    let (operator, before) = (OperatorId(account.id), account.limits.unwrap_or_default());
    let outside = || site.outside(operator, &before, &order.limits);
    let stays = !outside().iter().any(|placed| placed.runs);
    let over = (!stays).then(|| kept::end_all_of(operator.0));
    // A token stands for the addresses that its sign-in declared.
    let out = declares_anew(&before, &order.limits).then(|| Accounts::log_operator_out(operator));
    site.act(limited, [step].into_iter().chain(over).chain(out).collect()).await?;
    // Who came meanwhile came under those of before.
    let outside = outside();
    let stays = stays && !outside.iter().any(|placed| placed.runs);
    site.admit_anew(operator, &outside, stays).await;
    Ok(acknowledged())
}

/// Under its own name, however it was typed (S56).
fn on(kind: Kind, account: &Account) -> Event {
    event(kind, Some(account.id)).on(&account.person.name)
}

pub(super) async fn list_groups(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    Ok(json(StatusCode::OK, &site.accounts.groups().await?))
}

pub(super) async fn change_group(State(site): Shared, request: Request) -> Answered {
    let (present, change): (_, ChangeGroup) = confirmed_json(&site, request).await?;
    let told = details::of_group(&change.change);
    let (kind, many) = match &change.change {
        GroupChange::Add => (Kind::GroupAdded, Concerned::Nobody),
        GroupChange::Remove => (Kind::GroupRemoved, Concerned::Everybody),
        GroupChange::Join { .. } => (Kind::GroupJoined, Concerned::Nobody),
        GroupChange::Leave { .. } => (Kind::GroupLeft, Concerned::Nobody),
    };
    let (who, steps) = site.accounts.change_group(&change).await?;
    let (target, id, concerned) = match who {
        Some(account) => {
            let target = format!("{}: {}", change.group, account.person.name);
            (target, Some(account.id), Concerned::One(OperatorId(account.id)))
        }
        None => (change.group.clone(), None, many),
    };
    site.act(event(kind, id).by(&present).on(&target).telling(told), steps).await?;
    site.renew_all(concerned).await;
    Ok(acknowledged())
}

/// Who signed a request, and what it shows of a sign-in. Not yet: whether he is signed in.
pub(super) type Signer = (AdminId, Option<Shown>);

async fn signed(site: &Site, request: Request) -> Result<(Signer, Bytes), Response> {
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path() == POLICY_PATH { MAX_POLICY_BODY } else { MAX_REQUEST };
    let body = read_up_to(site, body, most).await?;
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let session = header(ADMIN_SESSION_HEADER);
    let Some(header) = header(ADMIN_HEADER) else { return Err(problem(ProblemCode::Unauthorised)) };
    // With its query, so that nobody on the way adds or changes one.
    let path = parts.uri.path_and_query().map_or("/", |whole| whole.as_str());
    let signed = Signed { header, session, method: parts.method.as_str(), path, body: &body };
    let admin = site.accounts.authorise(signed).await?;
    parts.extensions.get::<refusals::Signer>().inspect(|signer| signer.is(admin));
    Ok(((admin, session.map(Shown::by)), body))
}

pub(super) async fn signed_json<T: DeserializeOwned>(
    site: &Site,
    request: Request,
) -> Result<(Signer, T), Response> {
    let (signer, body) = signed(site, request).await?;
    Ok((signer, parsed(&body)?))
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, AdminRefused> {
    strict_json(body).map_err(|_| ProblemCode::Malformed.into())
}

/// A signed request of an administrator who is signed in, from a place and at a time where he may act (T54).
pub(super) async fn signed_in(site: &Site, request: Request) -> Result<(Present, Bytes), Response> {
    let guest = request.extensions().get::<Guest>();
    let address = guest.map(|guest| site.address(guest, request.headers()));
    let ((admin, shown), body) = signed(site, request).await?;
    let Some(address) = address else { return Err(problem(ProblemCode::Unauthorised)) };
    let Some(by) = shown else { return Err(problem(ProblemCode::AdminSignIn)) };
    let present = site.accounts.admin_session((admin, by), address).await?;
    Ok((present, body))
}

pub(super) async fn signed_in_json<T: DeserializeOwned>(
    site: &Site,
    request: Request,
) -> Result<(Present, T), Response> {
    let (present, body) = signed_in(site, request).await?;
    Ok((present, parsed(&body)?))
}

/// Of who has shown within the last minutes that it is he: what changes somebody's rights waits for that (S62).
pub(super) async fn confirmed_json<T: DeserializeOwned>(
    site: &Site,
    request: Request,
) -> Result<(Present, T), Response> {
    let (present, body) = signed_in(site, request).await?;
    let parsed = parsed(&body)?;
    site.accounts.recently_confirmed(present.by).await?;
    Ok((present, parsed))
}

/// What an administrator's request is answered; a refusal ends it where it stands.
pub(super) type Answered = Result<Response, Response>;

/// It is done, and there is nothing to tell.
pub(super) fn acknowledged() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

impl From<AdminRefused> for Response {
    fn from(refused: AdminRefused) -> Self {
        match refused {
            AdminRefused::Problem(code) => problem(code),
            AdminRefused::Unchanged => json(StatusCode::OK, &Outcome { changed: false }),
            AdminRefused::Store(error) => store_problem(&error),
        }
    }
}
