//! The tenant's keys: what the server shows of its own, and what it is given.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::keys::{PrepareKey, PublishBundle, WrappedLogKeys};

use super::admin::{Answered, acknowledged, confirmed_json, signed_in, signed_in_json};
use super::ledger::hands_all_on;
use super::{Shared, event, json, problem, store_problem, unwritten};
use crate::shell::details;
use crate::shell::fault::Fault;
use crate::shell::kinds::Kind;
use crate::shell::operators::Concerned;

pub(super) async fn server_keys(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    let keys = site.trust.server_keys().map_err(|fault| unable(&fault))?;
    Ok(json(StatusCode::OK, &keys))
}

pub(super) async fn prepare(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, PrepareKey) = signed_in_json(&site, request).await?;
    site.trust.prepare(order.kind).map_err(|fault| unable(&fault))?;
    let prepared = event(Kind::KeyPrepared, None).by(&present).telling(details::of_key(order.kind));
    site.recorded(prepared).await?;
    let keys = site.trust.server_keys().map_err(|fault| unable(&fault))?;
    Ok(json(StatusCode::OK, &keys))
}

pub(super) async fn publish(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, PublishBundle) = confirmed_json(&site, request).await?;
    // A server that was led on has lost more than it can ask for.
    let is_led = !order.handovers.is_empty();
    let adopted = site.trust.publish(&order, async |before, bundle, steps| {
        let other_root = before.filter(|before| before.root != bundle.root && !is_led);
        if let Some(before) = other_root {
            hands_all_on(&site, (before, bundle)).await?;
        }
        let published = event(Kind::BundlePublished, None).by(&present);
        let published = published.on(&format!("version {}", bundle.version));
        site.act(published.telling(&details::of_bundle(before, bundle)), steps).await
    });
    let adopted = adopted.await?;
    let mut checkpoint_key = None;
    if let Some(keys) = adopted.keys {
        checkpoint_key = Some(Box::new(keys.checkpoint));
        site.desk.sign_with(keys.manifest);
    }
    // Whoever is here by a lock key that counts no more is out, and his sessions end (T17).
    site.renew_all(Concerned::Everybody).await;
    if let Some(bundle) = site.trust.bundle() {
        let log_keys = bundle.log_keys.clone();
        let changed = site.ledger.change_keys(log_keys, checkpoint_key).await;
        changed.map_err(|_| problem(ProblemCode::Busy))?;
    }
    if let Some(tls) = adopted.tls {
        site.tls.replace(tls);
    }
    if adopted.is_first {
        site.ledger.tell_of_beginning().await.map_err(unwritten)?;
    }
    Ok(acknowledged())
}

pub(super) async fn log_keys(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    let log_keys = site.trust.log_keys().await.map_err(|error| store_problem(&error))?;
    Ok(json(StatusCode::OK, &WrappedLogKeys { log_keys }))
}

fn unable(fault: &Fault) -> Response {
    tracing::error!(%fault, "the server's own keys");
    let is_own = matches!(fault, Fault::OwnCertificate | Fault::CertificateUnusable { .. });
    problem(if is_own { ProblemCode::OwnCertificate } else { ProblemCode::Busy })
}
