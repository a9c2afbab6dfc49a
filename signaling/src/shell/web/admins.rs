//! Administrators' own accounts: the first one, the others, signing in and out.

use std::net::IpAddr;

use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tasuki_protocol::admin::{
    AddAdmin, AdminChange, AdminLogin, AdminLoginAnswer, ChangeAdmin, ChangeAdminPassword, CheckToken,
    EnrolAdmin, ProblemCode, RECOVER_PATH, RecoverAdmin, TokenOf, WithdrawInvitations,
};
use tasuki_protocol::ledger::{self, event::Entry};

use super::admin::{refuse_admin, signed_in, signed_in_json, signed_json};
use super::seen::Seen;
use super::{
    Shared, Site, accounts, event, json, not_here, problem, read_json, store_problem, unwritten,
};
use crate::shell::accounts::{Accounts, LoginRefused, Wrong};
use crate::shell::admins::{AdminId, AdminRefused, Coming};
use crate::shell::kinds::Kind;
use crate::shell::listen::Guest;

/// Exists until the first administrator has come (T57).
pub(super) async fn enrol(State(site): Shared, request: Request) -> Response {
    match site.accounts.expects_admin().await {
        Ok(true) if request.method() == Method::POST => take_in(&site, request, Coming::First).await,
        Ok(_) => not_here(),
        Err(error) => store_problem(&error),
    }
}

pub(super) async fn join(State(site): Shared, request: Request) -> Response {
    take_in(&site, request, Coming::Invited).await
}

/// Whether a token still holds, before its bearer chooses a password. The joining tells the same.
pub(super) async fn token(State(site): Shared, request: Request) -> Response {
    let body: CheckToken = match read_json(&site, request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let coming = match body.by {
        TokenOf::Setup => Coming::First,
        TokenOf::Administrator => Coming::Invited,
    };
    match site.accounts.admin_token_holds(&body.token, coming).await {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => problem(ProblemCode::SignIn),
        Err(error) => store_problem(&error),
    }
}

/// Back with the machine's token and the root's word. Who has the one and not the other is told of in
/// the ledger: he stood at the server's machine.
pub(super) async fn recover(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let from = site.address(&guest, request.headers()).to_string();
    let body: RecoverAdmin = match read_json(&site, request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let Some(bundle) = site.trust.bundle() else { return problem(ProblemCode::NotInitialised) };
    // No token is good for anything before the ledger knows of it.
    if let Err(why) = site.ledger.tell_of_recoveries().await {
        return unwritten(why);
    }
    let recovered = async {
        let steps = site.accounts.recover_admin(&body, &bundle).await?;
        site.act(event(Kind::AdminRecovered, None).on(&body.enrol.name), steps).await
    };
    match recovered.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(AdminRefused::Problem(ProblemCode::Document)) => {
            tracing::warn!("a recovery token came without the root's word");
            let path = RECOVER_PATH.to_owned();
            let refused = Entry::server(ledger::event::Event::AdminRefused { from, path, admin: None });
            let written = site.witnessed(vec![refused]).await;
            let mut answer =
                written.map_or_else(|unwritten| unwritten, |()| problem(ProblemCode::Document));
            // Recorded, and not only where strangers' refusals have room: who has a token is none.
            answer.extensions_mut().remove::<ProblemCode>();
            answer
        }
        Err(refused) => refuse_admin(refused),
    }
}

async fn take_in(site: &Site, request: Request, coming: Coming) -> Response {
    let body: EnrolAdmin = match read_json(site, request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let enrolled = async {
        let steps = site.accounts.enrol_admin(&body, coming).await?;
        site.act(event(Kind::AdminEnrolled, None).on(&body.name), steps).await
    };
    match enrolled.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn login(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let address = site.address(&guest, request.headers());
    let (admin, body): (_, AdminLogin) = match signed_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    match site.accounts.log_admin_in(admin, body).await {
        Ok((answer, opened)) => {
            let written = match &answer {
                AdminLoginAnswer::SignedIn { .. } => {
                    let entered = event(Kind::AdminLogin, None).by(admin.0).telling(&from(address));
                    let entered = site.act(entered, opened.into_iter().collect()).await;
                    entered.map_err(refuse_admin)
                }
                // Steps of a sign-in that goes on are none of the ledger's.
                AdminLoginAnswer::NeedsTotp | AdminLoginAnswer::TotpSetup { .. } => Ok(()),
                AdminLoginAnswer::Locked { .. } => {
                    site.desk.count("admin.suspended");
                    let seen = seen_of(&site, admin, address).await;
                    site.witnessed(seen.failed(Some(admin.0), Wrong::Suspended, None)).await
                }
            };
            written.map_or_else(|refused| refused, |()| json(StatusCode::OK, &answer))
        }
        Err(LoginRefused::SignIn(_, wrong, locked)) => {
            let seen = seen_of(&site, admin, address).await;
            accounts::refuse_known(&site, seen, Some(admin.0), wrong, locked).await
        }
        Err(refused) => accounts::refuse(refused),
    }
}

async fn seen_of(site: &Site, admin: AdminId, address: IpAddr) -> Seen {
    Seen::of_admin(site.accounts.admin_name(admin).await.unwrap_or_default(), address)
}

/// S52: as an operator's has.
fn from(address: IpAddr) -> String {
    format!("from={}", address.to_canonical())
}

pub(super) async fn logout(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let address = site.address(&guest, request.headers());
    let (admin, _) = match signed_in(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let left = event(Kind::AdminLogout, None).by(admin.0).telling(&from(address));
    match site.act(left, vec![Accounts::log_admin_out(admin)]).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn list(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.accounts.admins().await {
        Ok(list) => json(StatusCode::OK, &list),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn invite(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, AddAdmin) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if let Err(refused) = site.accounts.recently_confirmed(admin).await {
        return refuse_admin(refused);
    }
    let invited = async {
        let (step, added) = site.accounts.invite_admin(admin, &order).await?;
        let invited = event(Kind::AdminInvited, None).by(admin.0).on(&order.name);
        site.act(invited, vec![step]).await.map(|()| added)
    };
    match invited.await {
        Ok(added) => json(StatusCode::CREATED, &added),
        Err(refused) => refuse_admin(refused),
    }
}

/// Those that nobody has used yet.
pub(super) async fn invitations(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.accounts.invitations().await {
        Ok(list) => json(StatusCode::OK, &list),
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn withdraw(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, WithdrawInvitations) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let withdrawn = event(Kind::InvitationWithdrawn, None).by(admin.0).on(&order.name);
    match site.act(withdrawn, vec![site.accounts.withdraw_invitations(&order.name)]).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refuse_admin(refused),
    }
}

/// An administrator's own: who has only his terminal does not have the old one.
pub(super) async fn change_password(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let address = site.address(&guest, request.headers());
    let (admin, asked): (_, ChangeAdminPassword) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if let Err(refused) = site.accounts.recently_confirmed(admin).await {
        return refuse_admin(refused);
    }
    match site.accounts.change_admin_password(admin, asked).await {
        Ok(Ok(step)) => {
            let name = site.accounts.admin_name(admin).await.unwrap_or_default();
            let changed = event(Kind::AdminPassword, None).by(admin.0).on(&name);
            // A copy of his key would go on with his sign-in (T17).
            match site.act(changed, vec![step, Accounts::log_admin_out(admin)]).await {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(refused) => refuse_admin(refused),
            }
        }
        Ok(Err(code)) => problem(code),
        Err(LoginRefused::SignIn(_, wrong, locked)) => {
            let seen = seen_of(&site, admin, address).await;
            accounts::refuse_known(&site, seen, Some(admin.0), wrong, locked).await
        }
        Err(refused) => accounts::refuse(refused),
    }
}

pub(super) async fn change(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, ChangeAdmin) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if let Err(refused) = site.accounts.recently_confirmed(admin).await {
        return refuse_admin(refused);
    }
    let kind = match order.change {
        AdminChange::Disable => Kind::AdminDisabled,
        AdminChange::Enable => Kind::AdminEnabled,
        AdminChange::Remove => Kind::AdminRemoved,
        AdminChange::Unlock => Kind::AdminUnlocked,
    };
    let changed = async {
        let steps = site.accounts.change_admin(admin, &order).await?;
        site.act(event(kind, None).by(admin.0).on(&order.name), steps).await
    };
    match changed.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refuse_admin(refused),
    }
}
