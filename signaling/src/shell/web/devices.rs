//! Operators' devices, as administrators judge them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::devices::{ApproveDevice, DeviceList, DeviceState, RevokeDevices};
use tasuki_protocol::ids::DeviceKey;

use super::admin::{Answered, acknowledged, signed_in, signed_in_json};
use super::{Shared, event, json, problem};
use crate::core::rooms::OperatorId;
use crate::shell::details;
use crate::shell::devices::revocation;
use crate::shell::kinds::Kind;
use crate::shell::operators::Concerned;

pub(super) async fn list(State(site): Shared, request: Request) -> Answered {
    signed_in(&site, request).await?;
    let devices = site.accounts.devices().await?;
    let list = DeviceList { devices, revocations: site.trust.revocations() };
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn approve(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, ApproveDevice) = signed_in_json(&site, request).await?;
    let bundle = site.trust.bundle().ok_or_else(|| problem(ProblemCode::NotInitialised))?;
    let certificate = &order.certificate.0;
    let (operator, certificate, step) = site.accounts.approve_device(certificate, &bundle).await?;
    let approved = event(Kind::DeviceApproved, Some(operator)).by(&present);
    site.act(approved.telling(&details::of_certificate(&certificate)), vec![step]).await?;
    site.renew_all(Concerned::One(OperatorId(operator))).await;
    Ok(acknowledged())
}

/// Ends what the devices have running at once. T17.
pub(super) async fn revoke(State(site): Shared, request: Request) -> Answered {
    let (present, order): (_, RevokeDevices) = signed_in_json(&site, request).await?;
    let known = site.accounts.devices().await?;
    let revoked = site.trust.revoke(&order, async |list, bundle, documents| {
        // The list has all that ever were: whose are new on it is for the ledger to say.
        let now = known.iter().filter(|entry| entry.state != DeviceState::Revoked);
        let now = now.filter(|entry| list.devices.contains(&entry.device));
        let (whose, devices): (Vec<&str>, Vec<DeviceKey>) =
            now.map(|entry| (entry.operator.as_str(), entry.device)).unzip();
        let revoked = event(Kind::DeviceRevoked, None).by(&present).on(&whose.join(", "));
        let revoked = revoked.telling(&details::of_revoked(bundle, &devices));
        let steps = documents.into_iter().chain(revocation(list)).collect();
        site.act(revoked, steps).await
    });
    for device in revoked.await?.devices {
        site.desk.withdraw_device(device);
    }
    Ok(acknowledged())
}
