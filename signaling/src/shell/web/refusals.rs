//! What the ledger is told of refusals: who was refused what, from where.
//!
//! Whoever is refused gains nothing by asking again: what is recorded of him is bounded, apart for
//! administrators, for each operator and for strangers, so that nobody fills the ledger and nobody
//! hides behind another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tasuki_protocol::admin::{ADMIN_LOGIN_PATH, ADMIN_PASSWORD_PATH, ProblemCode};
use tasuki_protocol::ledger::event::{Entry, Event, clipped};
use tasuki_protocol::signal::RefusalReason;

use super::seen::Seen;
use super::{Shared, Site};
use crate::core::pace::{Allowance, Pace};
use crate::shell::accounts::Wrong;
use crate::shell::admins::AdminId;
use crate::shell::ledger::{Job, Then, Work};
use crate::shell::listen::Guest;
use crate::shell::tokens::Bearer;

/// Of people whom the server knows by a key or a token.
const KNOWN: Allowance = Allowance { burst: 60, per_second: 1.0 / 60.0 };
/// Of everybody else together.
const STRANGERS: Allowance = Allowance { burst: 30, per_second: 1.0 / 60.0 };

/// How often refusals may still be recorded.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Refused, Pace>>);

/// Who was refused, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Refused {
    Administrator(i64),
    Operator(i64),
    Stranger,
    /// With a token or a ticket that is none.
    Pretender,
    /// From an address of too many wrong sign-ins.
    Guesser,
}

impl Refusals {
    fn may_be_told(&self, of: Refused) -> bool {
        let allowance = match of {
            Refused::Administrator(_) | Refused::Operator(_) => KNOWN,
            Refused::Stranger | Refused::Pretender | Refused::Guesser => STRANGERS,
        };
        let now = Instant::now();
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paces.entry(of).or_insert_with(|| Pace::new(allowance, now)).take(now)
    }
}

/// Whose key signed the request that is being answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Signer(Arc<OnceLock<AdminId>>);

impl Signer {
    pub(super) fn is(&self, admin: AdminId) {
        self.0.set(admin).ok();
    }
}

/// Around the administrators' paths: what is refused there is recorded before it is answered.
pub(super) async fn told(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    mut request: Request,
    next: Next,
) -> Response {
    let from = site.address(&guest, request.headers()).to_canonical().to_string();
    let path = clipped(request.uri().path());
    let signer = Signer::default();
    request.extensions_mut().insert(signer.clone());
    let response = next.run(request).await;
    let code = response.extensions().get::<ProblemCode>();
    if let Some(code) = code.filter(|code| is_refusal(**code, &path)) {
        let to_confirm = *code == ProblemCode::Confirm;
        site.admin_refused(signer.0.get().copied(), (from, path), to_confirm).await;
    }
    response
}

/// What a browser or a proxy makes of it; the code says more.
pub(super) fn status(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::SignIn
        | ProblemCode::Unauthorised
        | ProblemCode::AdminSignIn
        | ProblemCode::DigitsUsed => StatusCode::UNAUTHORIZED,
        ProblemCode::Confirm | ProblemCode::OtherName => StatusCode::FORBIDDEN,
        ProblemCode::TooMany | ProblemCode::TooManyWrong => StatusCode::TOO_MANY_REQUESTS,
        ProblemCode::Malformed | ProblemCode::Version => StatusCode::BAD_REQUEST,
        ProblemCode::Taken
        | ProblemCode::Conflict
        | ProblemCode::Yourself
        | ProblemCode::Certified
        | ProblemCode::OwnCertificate => StatusCode::CONFLICT,
        ProblemCode::Unusable | ProblemCode::Breached | ProblemCode::Document | ProblemCode::Policy => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ProblemCode::NotFound => StatusCode::NOT_FOUND,
        ProblemCode::Busy | ProblemCode::NotInitialised => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn is_refusal(code: ProblemCode, path: &str) -> bool {
    match code {
        ProblemCode::Unauthorised
        | ProblemCode::AdminSignIn
        | ProblemCode::Yourself
        | ProblemCode::Policy
        | ProblemCode::Document
        | ProblemCode::Unusable
        | ProblemCode::Breached
        | ProblemCode::Taken
        | ProblemCode::Conflict
        | ProblemCode::Certified
        | ProblemCode::OtherName
        | ProblemCode::NotFound => true,
        // A failed sign-in has a record of its own.
        ProblemCode::SignIn | ProblemCode::DigitsUsed => {
            !matches!(path, ADMIN_LOGIN_PATH | ADMIN_PASSWORD_PATH)
        }
        // He is asked who he is, and recorded as asked: whoever has but his key never answers.
        ProblemCode::Confirm => true,
        // The program's fault or the server's, and nobody's will.
        ProblemCode::Malformed
        | ProblemCode::Version
        | ProblemCode::TooMany
        | ProblemCode::TooManyWrong
        | ProblemCode::Busy
        | ProblemCode::OwnCertificate
        | ProblemCode::NotInitialised => false,
    }
}

impl Site {
    async fn admin_refused(
        &self,
        signer: Option<AdminId>,
        (from, path): (String, String),
        to_confirm: bool,
    ) {
        let of = signer.map_or(Refused::Stranger, |admin| Refused::Administrator(admin.0));
        self.desk.count("admin.refused");
        if !self.refusals.may_be_told(of) {
            return;
        }
        let admin = match signer {
            Some(admin) => self.accounts.admin_name(admin).await.ok(),
            None => None,
        };
        self.refused(Entry::server(Event::AdminRefused { from, path, admin, to_confirm })).await;
    }

    /// Somebody came with an operator's token whom it does not let in.
    pub(crate) async fn bearer_refused(&self, bearer: &Bearer, address: IpAddr, wrong: Wrong) {
        let operator = bearer.operator.0;
        self.desk.count("token.refused");
        if !self.refusals.may_be_told(Refused::Operator(operator)) {
            return;
        }
        let Ok(Some(account)) = self.accounts.by_id(operator).await else { return };
        let seen = Seen::again(account.person.name, address, bearer.device);
        for entry in seen.failed(Some(operator), wrong, None) {
            self.refused(entry).await;
        }
    }

    /// Somebody came with a token or a ticket that nobody has.
    pub(super) async fn pretender_refused(&self, address: IpAddr) {
        self.desk.count("token.refused");
        self.unknown_refused((Refused::Pretender, RefusalReason::SignIn), address).await;
    }

    /// Somebody whose device is not approved signs in where such were wrong too often (R5).
    pub(super) async fn strangers_refused(&self, address: IpAddr) {
        self.desk.count("login.too_many_wrong");
        self.unknown_refused((Refused::Guesser, RefusalReason::SlowDown), address).await;
    }

    async fn unknown_refused(&self, (who, reason): (Refused, RefusalReason), address: IpAddr) {
        if self.refusals.may_be_told(who) {
            let from = Some(address.to_canonical().to_string());
            self.refused(Entry::server(Event::RequestRefused { reason, from })).await;
        }
    }

    /// He stays refused where the disk takes nothing: it is written as soon as anything can be.
    async fn refused(&self, entry: Entry) {
        if self.ledger.append(entry.clone()).await.is_err() {
            self.desk.put(Job { work: Work::Records(vec![entry]), then: Then::Nobody });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_fills_the_ledger_with_refusals_nor_hides_anothers() {
        let refusals = Refusals::default();
        let told = |of| (0..1_000).filter(|_| refusals.may_be_told(of)).count();
        assert!((30..40).contains(&told(Refused::Stranger)));
        assert!((30..40).contains(&told(Refused::Pretender)));
        assert!((30..40).contains(&told(Refused::Guesser)));
        assert!((60..70).contains(&told(Refused::Operator(1))));
        assert!((60..70).contains(&told(Refused::Operator(2))));
        assert!((60..70).contains(&told(Refused::Administrator(1))));
    }
}
