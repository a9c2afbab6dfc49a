//! What operators do about their own sign-in.

use std::net::IpAddr;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::ledger::event::Entry;
use tasuki_protocol::ledger::words::LockedOut;
use tasuki_protocol::login::{
    ChangePassword, Confirmation, LoginAnswer, LoginRequest, LoginResponse, SignOut,
};
use tasuki_protocol::policy::decide::Subject;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::signal;
use tasuki_protocol::terms::Requirement;

use super::pacing::later;
use super::seen::Seen;
use super::{Shared, Site, event, json, problem, read, read_json, store_problem};
use crate::core::admission::Outside;
use crate::core::heads;
use crate::core::rooms::OperatorId;
use crate::shell::accounts::{Login, LoginRefused, Origin, Wrong};
use crate::shell::acts::Step;
use crate::shell::clock;
use crate::shell::devices::Asked;
use crate::shell::kept;
use crate::shell::kinds::Kind;
use crate::shell::listen::Guest;
use crate::shell::store::Event;
use crate::shell::tokens::Bearer;

pub(super) async fn login(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    if let Some(refused) = site.not_yet() {
        return refused;
    }
    let address = site.address(&guest, request.headers());
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
    let origin = Origin { address, exporter: guest.exporter };
    let account = match site.accounts.by_name(&request.operator).await {
        Ok(account) => account,
        Err(error) => return store_problem(&error),
    };
    let own_name = account.as_ref().map_or(&request.operator, |account| &account.person.name);
    let seen = Seen::of(own_name, &request, address);
    match site.accounts.login(account, request, origin).await {
        Ok(Login { operator, answer: LoginAnswer::SignedIn(response), .. }) => {
            let (reason, modes) = match under_the_policy(&site, operator, &response.modes).await {
                Ok(told) => told,
                Err(why) => {
                    // Nobody is told of the token: it is none.
                    site.accounts.take_token_back(&response.token).await.ok();
                    return store_problem(&why);
                }
            };
            sign_in(&site, seen, LoginResponse { reason, modes, ..response }).await
        }
        Ok(Login { operator, answer, asked }) => {
            let (kind, entries) = told(&answer, asked, (seen, operator));
            site.desk.count(kind);
            match site.witnessed(entries).await {
                Ok(()) => json(StatusCode::OK, &answer),
                Err(refused) => refused,
            }
        }
        Err(LoginRefused::SignIn(operator, wrong, locked)) => {
            refuse_known(&site, seen, operator, wrong, locked).await
        }
        Err(LoginRefused::TooManyWrong(wait)) => {
            site.strangers_refused(address).await;
            later(ProblemCode::TooManyWrong, wait)
        }
        Err(refused @ (LoginRefused::Busy | LoginRefused::Store(_))) => refuse(refused),
    }
}

/// What the metrics and the ledger have of a sign-in that has opened nothing.
fn told(
    answer: &LoginAnswer,
    asked: Option<Asked>,
    (seen, operator): (Seen, i64),
) -> (&'static str, Vec<Entry>) {
    // The steps of a sign-in that goes on are none of the ledger's, nor is waiting.
    match answer {
        LoginAnswer::SignedIn(_) => ("login.done", Vec::new()),
        LoginAnswer::NeedsTotp => ("login.digits", Vec::new()),
        LoginAnswer::TotpSetup { .. } => ("login.authenticator", Vec::new()),
        LoginAnswer::DevicePending if asked == Some(Asked::Now) => {
            ("login.pending", seen.asked_for_device())
        }
        LoginAnswer::DevicePending => ("login.pending", Vec::new()),
        LoginAnswer::DeviceRevoked => {
            ("login.revoked", seen.failed(Some(operator), Wrong::Device, None))
        }
        LoginAnswer::Locked { .. } => {
            ("login.suspended", seen.failed(Some(operator), Wrong::Suspended, None))
        }
        LoginAnswer::OutsideHours { .. } => outside(seen, operator, Outside::Hours),
        LoginAnswer::OutsideAddresses => outside(seen, operator, Outside::Address),
        LoginAnswer::OutsideHardware => outside(seen, operator, Outside::Mac),
        LoginAnswer::LimitsUnreadable => outside(seen, operator, Outside::Unreadable),
    }
}

/// Nobody failed, and somebody was kept out: the ledger is told of it with its cause (S55, S63).
fn outside(seen: Seen, operator: i64, outside: Outside) -> (&'static str, Vec<Entry>) {
    let wrong = Wrong::Outside(outside);
    tracing::info!(operator, wrong = wrong.name());
    ("login.outside", seen.failed(Some(operator), wrong, None))
}

/// What the policy in force wants of him before each number, and in which of his account's `modes` it gives him one;
/// a policy that does not hold gives no numbers at all.
async fn under_the_policy(
    site: &Site,
    operator: i64,
    modes: &[Mode],
) -> Result<(Requirement, Vec<Mode>), sqlx::Error> {
    let (policy, account) = (site.policies.current().await?, site.accounts.by_id(operator).await?);
    let (Some(policy), Some(account)) = (policy, account) else {
        return Ok((Requirement::default(), modes.to_vec()));
    };
    let groups = site.accounts.groups_of(operator).await?;
    let (operator, certified) = (account.person.name.as_str(), Rights::NONE);
    let subject = Subject { operator, groups: &groups, modes, certified };
    Ok((policy.reason(&subject), policy.modes(&subject)))
}

/// Nobody is signed in unrecorded (T65).
async fn sign_in(site: &Site, seen: Seen, response: LoginResponse) -> Response {
    if site.ledger.append(seen.signed_in()).await.is_ok() {
        site.desk.count("login.done");
        return json(StatusCode::OK, &LoginAnswer::SignedIn(response));
    }
    // Nobody was told of it, and it ends by itself should this fail too: not waited for (F4).
    let (accounts, token) = (site.accounts.clone(), response.token);
    tokio::spawn(async move { accounts.take_token_back(&token).await });
    problem(ProblemCode::Busy)
}

pub(super) async fn logout(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    // He goes: at whatever hour.
    let address = site.address(&guest, request.headers());
    let bearer = match bearer_at_any_hour(&site, address, request.headers()).await {
        Ok(bearer) => bearer,
        Err(refused) => return refused,
    };
    let asked: SignOut = match read_json(&site, request.into_body()).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let end = match site.accounts.sign_out(&bearer, &guest.exporter, &asked) {
        Ok(end) => end,
        Err(refused) => return refuse_bearer(&site, &bearer, address, refused).await,
    };
    done(&site, event(Kind::SignedOut, Some(bearer.operator.0)), vec![end], bearer.operator).await
}

pub(super) async fn confirm(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let (bearer, address, asked): (_, _, Confirmation) = match asked(&site, &guest, request).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    match site.accounts.confirm(&bearer, &guest.exporter, asked).await {
        Ok(()) => {
            site.desk.confirmed(bearer.device, site.accounts.rules.confirm_for);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_bearer(&site, &bearer, address, refused).await,
    }
}

pub(super) async fn change_password(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let (bearer, address, asked): (_, _, ChangePassword) = match asked(&site, &guest, request).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    match site.accounts.change_password(&bearer, &guest.exporter, asked).await {
        Ok(Ok(steps)) => {
            let changed = event(Kind::PasswordChanged, Some(bearer.operator.0));
            done(&site, changed, steps, bearer.operator).await
        }
        Ok(Err(code)) => problem(code),
        Err(refused) => refuse_bearer(&site, &bearer, address, refused).await,
    }
}

/// Rows with their record, and what they end of what lives.
async fn done(site: &Site, what: Event, mut steps: Vec<Step>, whose: OperatorId) -> Response {
    steps.push(kept::end_all_of(whose.0));
    match site.act(what, steps).await {
        Ok(()) => {
            site.desk.withdraw(whose);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refused.into(),
    }
}

/// Who asks, from where, for what. What he sends is looked at first: whoever has the token alone is refused
/// for it at any hour, or for his proof, and sees not what hour it is (T52).
async fn asked<T: DeserializeOwned>(
    site: &Site,
    guest: &Guest,
    request: Request,
) -> Result<(Bearer, IpAddr, T), Response> {
    let address = site.address(guest, request.headers());
    let (head, body) = request.into_parts();
    let what = read_json(site, body).await?;
    Ok((bearer(site, address, &head.headers).await?, address, what))
}

/// One answer for whatever was wrong (T52); the ledger is told what it was (S55, S64).
pub(super) async fn refuse_known(
    site: &Site,
    seen: Seen,
    known: Option<i64>,
    wrong: Wrong,
    locked: Option<LockedOut>,
) -> Response {
    tracing::info!(operator = known, wrong = wrong.name());
    site.desk.count(if locked.is_some() { "account.suspended" } else { "login.refused" });
    let until = clock::unix() + site.accounts.rules.lock_for.as_secs();
    let entries = seen.failed(known, wrong, locked.map(|who| (who, until)));
    match site.witnessed(entries).await {
        // Nobody comes so far but with the right password on a device that has proven itself.
        Ok(()) if wrong == Wrong::UsedDigits => problem(ProblemCode::DigitsUsed),
        Ok(()) => problem(ProblemCode::SignIn),
        Err(refused) => refused,
    }
}

/// As [`refuse_known`], of somebody who is signed in and did not show again that it is he.
async fn refuse_bearer(
    site: &Site,
    bearer: &Bearer,
    address: IpAddr,
    refused: LoginRefused,
) -> Response {
    let LoginRefused::SignIn(operator, wrong, locked) = refused else { return refuse(refused) };
    // Neither is counted, and he who has nothing but the token asks as often as he likes.
    if matches!(wrong, Wrong::Device | Wrong::Suspended) {
        site.bearer_refused(bearer, address, wrong).await;
        return problem(ProblemCode::SignIn);
    }
    let account = match site.accounts.by_id(bearer.operator.0).await {
        Ok(account) => account.map(|account| account.person.name).unwrap_or_default(),
        Err(error) => return store_problem(&error),
    };
    let seen = Seen::again(account, address, bearer.device);
    refuse_known(site, seen, operator, wrong, locked).await
}

/// What was wrong with the server, and not with who asked.
pub(super) fn refuse(refused: LoginRefused) -> Response {
    match refused {
        LoginRefused::SignIn(..) => problem(ProblemCode::SignIn),
        LoginRefused::TooManyWrong(wait) => later(ProblemCode::TooManyWrong, wait),
        LoginRefused::Busy => problem(ProblemCode::Busy),
        LoginRefused::Store(error) => store_problem(&error),
    }
}

/// Whose token came with the request, from a place and at a time where it counts (T54).
async fn bearer(site: &Site, address: IpAddr, headers: &HeaderMap) -> Result<Bearer, Response> {
    let (bearer, outside) = known(site, address, headers).await?;
    kept_in(site, bearer, address, outside).await
}

/// As [`bearer`], for a door at which the device proves itself next, and for what is no use of the account: whoever
/// nothing but the hours keeps out is told so behind that proof, and nobody else sees what hour it is (T52).
pub(super) async fn bearer_at_any_hour(
    site: &Site,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<Bearer, Response> {
    let (bearer, outside) = known(site, address, headers).await?;
    kept_in(site, bearer, address, outside.filter(|outside| *outside != Outside::Hours)).await
}

/// Whoever nothing keeps out.
async fn kept_in(
    site: &Site,
    bearer: Bearer,
    address: IpAddr,
    outside: Option<Outside>,
) -> Result<Bearer, Response> {
    let Some(outside) = outside else { return Ok(bearer) };
    site.bearer_refused(&bearer, address, Wrong::Outside(outside)).await;
    Err(problem(ProblemCode::SignIn))
}

/// Whose token came with the request, and what keeps him out there and then.
async fn known(
    site: &Site,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<(Bearer, Option<Outside>), Response> {
    if let Some(refused) = site.not_yet() {
        return Err(refused);
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(heads::bearer);
    let Some(token) = token else { return Err(problem(ProblemCode::SignIn)) };
    let found = async {
        let Some(bearer) = site.accounts.bearer(token).await? else { return Ok(None) };
        let admitted = site.accounts.still_admits(bearer.operator, address).await?;
        Ok(Some((bearer, admitted.err())))
    };
    match found.await {
        Ok(Some(known)) => Ok(known),
        Ok(None) => {
            site.pretender_refused(address).await;
            Err(problem(ProblemCode::SignIn))
        }
        Err(error) => Err(store_problem(&error)),
    }
}
