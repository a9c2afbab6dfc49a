//! The tenant's keys: what the server shows of its own, and what it is given.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::keys::{PrepareKey, PublishBundle, WrappedLogKeys};

use super::admin::{refuse_admin, signed_in, signed_in_json};
use super::{Shared, Site, event, json, problem, store_problem, unwritten};
use crate::shell::details;
use crate::shell::fault::Fault;
use crate::shell::kinds::Kind;
use crate::shell::operators::Concerned;

pub(super) async fn server_keys(State(site): Shared, request: Request) -> Response {
    match signed_in(&site, request).await {
        Ok(_) => show(&site),
        Err(refused) => refused,
    }
}

pub(super) async fn prepare(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, PrepareKey) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if let Err(fault) = site.trust.prepare(order.kind) {
        return unable(&fault);
    }
    let prepared = event(Kind::KeyPrepared, None).by(admin.0).telling(details::of_key(order.kind));
    if let Err(refused) = site.recorded(prepared).await {
        return refused;
    }
    show(&site)
}

pub(super) async fn publish(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, PublishBundle) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    if let Err(refused) = site.accounts.recently_confirmed(admin).await {
        return refuse_admin(refused);
    }
    let adopted = site.trust.publish(&order, async |before, bundle, steps| {
        let published = event(Kind::BundlePublished, None).by(admin.0);
        let published = published.on(&format!("version {}", bundle.version));
        site.act(published.telling(&details::of_bundle(before, bundle)), steps).await
    });
    let adopted = match adopted.await {
        Ok(adopted) => adopted,
        Err(refused) => return refuse_admin(refused),
    };
    let mut checkpoint_key = None;
    if let Some(keys) = adopted.keys {
        checkpoint_key = Some(Box::new(keys.checkpoint));
        site.desk.sign_with(keys.manifest);
    }
    // Whoever is here by a lock key that counts no more is out, and his sessions end (T17).
    site.renew_all(Concerned::Everybody).await;
    if let Some(bundle) = site.trust.bundle() {
        let log_keys = bundle.log_keys.clone();
        if site.ledger.change_keys(log_keys, checkpoint_key).await.is_err() {
            return problem(ProblemCode::Busy);
        }
    }
    if let Some(tls) = adopted.tls {
        site.tls.replace(tls);
    }
    if adopted.is_first
        && let Err(why) = site.ledger.tell_of_beginning().await
    {
        return unwritten(why);
    }
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn log_keys(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.trust.log_keys().await {
        Ok(log_keys) => json(StatusCode::OK, &WrappedLogKeys { log_keys }),
        Err(error) => store_problem(&error),
    }
}

fn show(site: &Site) -> Response {
    match site.trust.server_keys() {
        Ok(keys) => json(StatusCode::OK, &keys),
        Err(fault) => unable(&fault),
    }
}

fn unable(fault: &Fault) -> Response {
    tracing::error!(%fault, "the server's own keys");
    let is_own = matches!(fault, Fault::OwnCertificate | Fault::CertificateUnusable { .. });
    problem(if is_own { ProblemCode::OwnCertificate } else { ProblemCode::Busy })
}
