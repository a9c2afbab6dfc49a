//! Operators' devices, as administrators judge them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::devices::{ApproveDevice, DeviceList, DeviceState, RevokeDevices};
use tasuki_protocol::ids::DeviceKey;

use super::admin::{refuse_admin, signed_in, signed_in_json};
use super::{Shared, event, json, problem};
use crate::core::rooms::OperatorId;
use crate::shell::details;
use crate::shell::devices::revocation;
use crate::shell::kinds::Kind;
use crate::shell::operators::Concerned;

pub(super) async fn list(State(site): Shared, request: Request) -> Response {
    if let Err(refused) = signed_in(&site, request).await {
        return refused;
    }
    match site.accounts.devices().await {
        Ok(devices) => {
            let list = DeviceList { devices, revocations: site.trust.revocations() };
            json(StatusCode::OK, &list)
        }
        Err(refused) => refuse_admin(refused),
    }
}

pub(super) async fn approve(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, ApproveDevice) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let Some(bundle) = site.trust.bundle() else { return problem(ProblemCode::NotInitialised) };
    let approved = async {
        let certificate = &order.certificate.0;
        let (operator, certificate, step) = site.accounts.approve_device(certificate, &bundle).await?;
        let event = event(Kind::DeviceApproved, Some(operator)).by(admin.0);
        let event = event.telling(&details::of_certificate(&certificate));
        site.act(event, vec![step]).await.map(|()| Concerned::One(OperatorId(operator)))
    };
    match approved.await {
        Ok(concerned) => {
            site.renew_all(concerned).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}

/// Ends what the devices have running at once. T17.
pub(super) async fn revoke(State(site): Shared, request: Request) -> Response {
    let (admin, order): (_, RevokeDevices) = match signed_in_json(&site, request).await {
        Ok(signed) => signed,
        Err(refused) => return refused,
    };
    let known = match site.accounts.devices().await {
        Ok(known) => known,
        Err(refused) => return refuse_admin(refused),
    };
    let revoked = site.trust.revoke(&order, async |list, documents| {
        // The list has all that ever were: whose are new on it is for the ledger to say.
        let now = known.iter().filter(|entry| entry.state != DeviceState::Revoked);
        let now = now.filter(|entry| list.devices.contains(&entry.device));
        let (whose, devices): (Vec<&str>, Vec<DeviceKey>) =
            now.map(|entry| (entry.operator.as_str(), entry.device)).unzip();
        let revoked = event(Kind::DeviceRevoked, None).by(admin.0).on(&whose.join(", "));
        let revoked = revoked.telling(&details::of_devices(&devices));
        let steps = documents.into_iter().chain(revocation(list)).collect();
        site.act(revoked, steps).await
    });
    match revoked.await {
        Ok(list) => {
            for device in list.devices {
                site.desk.withdraw_device(device);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => refuse_admin(refused),
    }
}
