//! Administrators' own accounts: the first one, the others, signing in and out.

use std::net::IpAddr;

use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tasuki_protocol::admin::{
    AddAdmin, AdminChange, AdminLogin, AdminLoginAnswer, ChangeAdmin, ChangeAdminPassword, CheckToken,
    EnrolAdmin, LimitAdmin, ProblemCode, RECOVER_PATH, RecoverAdmin, TokenOf, WithdrawInvitations,
};
use tasuki_protocol::ledger::{self, event::Entry};

use super::admin::{Answered, acknowledged, confirmed_json, signed_in, signed_in_json, signed_json};
use super::seen::{Seen, declared};
use super::{
    Shared, Site, accounts, event, json, not_here, problem, read_json, store_problem, unwritten,
};
use crate::core::admission::Outside;
use crate::shell::accounts::{Accounts, LoginRefused, Wrong};
use crate::shell::admins::{AdminId, AdminRefused, Coming};
use crate::shell::details;
use crate::shell::kinds::Kind;
use crate::shell::listen::Guest;

/// Exists until the first administrator has come (T57).
pub(super) async fn enrol(State(site): Shared, request: Request) -> Answered {
    match site.accounts.expects_admin().await {
        Ok(true) if request.method() == Method::POST => take_in(&site, request, Coming::First).await,
        Ok(_) => Err(not_here()),
        Err(error) => Err(store_problem(&error)),
    }
}

pub(super) async fn join(State(site): Shared, request: Request) -> Answered {
    take_in(&site, request, Coming::Invited).await
}

/// Whether a token still holds, before its bearer chooses a password. The joining tells the same.
pub(super) async fn token(State(site): Shared, request: Request) -> Answered {
    let body: CheckToken = read_json(&site, request.into_body()).await?;
    let coming = match body.by {
        TokenOf::Setup => Coming::First,
        TokenOf::Administrator => Coming::Invited,
    };
    match site.accounts.admin_token_holds(&body.token, coming).await {
        Ok(true) => Ok(acknowledged()),
        Ok(false) => Err(problem(ProblemCode::SignIn)),
        Err(error) => Err(store_problem(&error)),
    }
}

/// Back with the machine's token and the root's word. Who has the one and not the other is told of in
/// the ledger: he stood at the server's machine.
pub(super) async fn recover(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Answered {
    let from = site.address(&guest, request.headers()).to_string();
    let body: RecoverAdmin = read_json(&site, request.into_body()).await?;
    let bundle = site.trust.bundle().ok_or_else(|| problem(ProblemCode::NotInitialised))?;
    // No token is good for anything before the ledger knows of it.
    site.ledger.tell_of_recoveries().await.map_err(unwritten)?;
    let recovered = async {
        let (steps, sign_in) = site.accounts.recover_admin(&body, &bundle).await?;
        site.act(event(Kind::AdminRecovered, None).on(&body.enrol.name), steps).await?;
        Ok::<_, AdminRefused>(sign_in)
    };
    match recovered.await {
        Ok(sign_in) => Ok(json(StatusCode::CREATED, &sign_in)),
        Err(AdminRefused::Problem(ProblemCode::Document)) => {
            tracing::warn!("a recovery token came without the root's word");
            let path = RECOVER_PATH.to_owned();
            let refused = Entry::server(ledger::event::Event::AdminRefused {
                from,
                path,
                admin: None,
                to_confirm: false,
            });
            let written = site.witnessed(vec![refused]).await;
            let mut answer =
                written.map_or_else(|unwritten| unwritten, |()| problem(ProblemCode::Document));
            // Recorded, and not only where strangers' refusals have room: who has a token is none.
            answer.extensions_mut().remove::<ProblemCode>();
            Err(answer)
        }
        Err(refused) => Err(refused.into()),
    }
}

async fn take_in(site: &Site, request: Request, coming: Coming) -> Answered {
    let body: EnrolAdmin = read_json(site, request.into_body()).await?;
    let (steps, sign_in) = site.accounts.enrol_admin(&body, coming).await?;
    site.act(event(Kind::AdminEnrolled, None).on(&body.name), steps).await?;
    Ok(json(StatusCode::CREATED, &sign_in))
}

pub(super) async fn login(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Answered {
    let address = site.address(&guest, request.headers());
    let ((admin, shown), body): (_, AdminLogin) = signed_json(&site, request).await?;
    let macs = declared(&body.macs);
    let from = (admin, address, macs.as_deref());
    let (answer, opened) = match site.accounts.log_admin_in((admin, shown), body, address).await {
        Ok(judged) => judged,
        Err(refused) => return Err(refuse_login(&site, from, refused).await),
    };
    match &answer {
        AdminLoginAnswer::SignedIn { .. } => {
            let entered = event(Kind::AdminLogin, None)
                .by_admin(admin.0)
                .telling(&told(address, macs.as_deref()));
            site.act(entered, opened).await?;
        }
        // Steps of a sign-in that goes on are none of the ledger's.
        AdminLoginAnswer::NeedsTotp | AdminLoginAnswer::TotpSetup { .. } => {}
        AdminLoginAnswer::Locked { .. } => {
            site.desk.count("admin.suspended");
            let seen = seen_of(&site, from).await;
            site.witnessed(seen.failed(Some(admin.0), Wrong::Suspended, None)).await?;
        }
        AdminLoginAnswer::OutsideHours { .. } => outside(&site, from, Outside::Hours).await?,
        AdminLoginAnswer::OutsideAddresses => outside(&site, from, Outside::Address).await?,
        AdminLoginAnswer::OutsideHardware => outside(&site, from, Outside::Mac).await?,
        AdminLoginAnswer::LimitsUnreadable => outside(&site, from, Outside::Unreadable).await?,
    }
    Ok(json(StatusCode::OK, &answer))
}

/// Password or digits are wrong; the ledger is told which.
async fn refuse_login(site: &Site, from: Comer<'_>, refused: LoginRefused) -> Response {
    let LoginRefused::SignIn(_, wrong, locked) = refused else { return accounts::refuse(refused) };
    let seen = seen_of(site, from).await;
    accounts::refuse_known(site, seen, Some(from.0.0), wrong, locked).await
}

/// Nobody failed, and somebody was kept out: the ledger is told of it with its cause (S55, S63).
async fn outside(site: &Site, from: Comer<'_>, outside: Outside) -> Result<(), Response> {
    let (AdminId(admin), wrong) = (from.0, Wrong::Outside(outside));
    tracing::info!(admin, wrong = wrong.name());
    site.desk.count("admin.outside");
    let seen = seen_of(site, from).await;
    site.witnessed(seen.failed(Some(admin), wrong, None)).await
}

/// Who it is, from where, and with which hardware addresses as declared (R4).
type Comer<'a> = (AdminId, IpAddr, Option<&'a str>);

async fn seen_of(site: &Site, (admin, address, macs): Comer<'_>) -> Seen {
    let name = site.accounts.admin_name(admin).await.unwrap_or_default();
    Seen::of_admin(name, address, macs.map(str::to_owned))
}

/// S52: as an operator's has.
fn told(address: IpAddr, macs: Option<&str>) -> String {
    let mac = macs.map(|macs| format!(", mac={macs}"));
    format!("from={}{}", address.to_canonical(), mac.unwrap_or_default())
}

pub(super) async fn logout(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Answered {
    let address = site.address(&guest, request.headers());
    let (present, _) = signed_in(&site, request).await?;
    let left = event(Kind::AdminLogout, None).by(&present).telling(&told(address, None));
    site.act(left, vec![Accounts::end_admin_sign_in(present.admin, present.by)]).await?;
    Ok(acknowledged())
}

pub(super) async fn list(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    Ok(json(StatusCode::OK, &site.accounts.admins().await?))
}

pub(super) async fn invite(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, AddAdmin) = confirmed_json(&site, request).await?;
    let (step, added) = site.accounts.invite_admin(present.admin, &order).await?;
    let invited = event(Kind::AdminInvited, None).by(&present).on(&order.name);
    site.act(invited, vec![step]).await?;
    Ok(json(StatusCode::CREATED, &added))
}

/// Those that nobody has used yet.
pub(super) async fn invitations(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    Ok(json(StatusCode::OK, &site.accounts.invitations().await?))
}

pub(super) async fn withdraw(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, WithdrawInvitations) = signed_in_json(&site, request).await?;
    let withdrawn = event(Kind::InvitationWithdrawn, None).by(&present).on(&order.name);
    site.act(withdrawn, vec![site.accounts.withdraw_invitations(&order.name)]).await?;
    Ok(acknowledged())
}

/// An administrator's own: who has only his terminal does not have the old one.
pub(super) async fn change_password(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Answered {
    let address = site.address(&guest, request.headers());
    let (present, asked): (_, ChangeAdminPassword) = confirmed_json(&site, request).await?;
    let admin = present.admin;
    let step = match site.accounts.change_admin_password(admin, asked).await {
        Ok(changed) => changed.map_err(problem)?,
        Err(refused) => return Err(refuse_login(&site, (admin, address, None), refused).await),
    };
    let name = site.accounts.admin_name(admin).await.unwrap_or_default();
    let changed = event(Kind::AdminPassword, None).by(&present).on(&name);
    // Whoever else is signed in as him was so by the old one (T17).
    site.act(changed, vec![step, Accounts::log_admin_out(admin)]).await?;
    Ok(acknowledged())
}

pub(super) async fn change(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, ChangeAdmin) = confirmed_json(&site, request).await?;
    let kind = match order.change {
        AdminChange::Disable => Kind::AdminDisabled,
        AdminChange::Enable => Kind::AdminEnabled,
        AdminChange::Remove => Kind::AdminRemoved,
        AdminChange::Unlock => Kind::AdminUnlocked,
    };
    let steps = site.accounts.change_admin(present.admin, &order).await?;
    site.act(event(kind, None).by(&present).on(&order.name), steps).await?;
    Ok(acknowledged())
}

/// Acts at once on what he has open: whoever is outside of them is asked to sign in, and told (T54).
pub(super) async fn limit(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Answered {
    let address = site.address(&guest, request.headers());
    let (present, order): (_, LimitAdmin) = confirmed_json(&site, request).await?;
    let steps = site.accounts.limit_admin((present.admin, address), &order).await?;
    let limited = event(Kind::AdminLimited, None).by(&present).on(&order.name);
    site.act(limited.telling(&details::of_limits(&order.limits)), steps).await?;
    Ok(acknowledged())
}
