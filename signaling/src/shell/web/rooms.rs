//! The doors through which both ends come in.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tasuki_protocol::signal::MAX_REQUEST;

use super::Shared;
use super::accounts::bearer_at_any_hour;
use crate::shell::listen::Guest;
use crate::shell::sockets;

pub(super) async fn agent(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if let Some(refused) = site.not_yet() {
        return refused;
    }
    let address = site.address(&guest, &headers);
    let upgrade = sparing(upgrade);
    let response = upgrade.on_upgrade(move |socket| sockets::agent(site, guest, address, socket));
    std::future::ready(response).await
}

pub(super) async fn operator(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let address = site.address(&guest, &headers);
    let bearer = match bearer_at_any_hour(&site, address, &headers).await {
        Ok(bearer) => bearer,
        Err(refused) => return refused,
    };
    let upgrade = sparing(upgrade);
    upgrade.on_upgrade(move |socket| sockets::operator(site, guest, address, bearer, socket))
}

/// A line that rests for hours holds no more memory than a message of its kind needs: the library
/// would hold 128 KiB for each (F13).
fn sparing(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_REQUEST)
        .max_frame_size(MAX_REQUEST)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
}

/// Most messages fit, and larger ones grow it for a while.
const READ_BUFFER: usize = 4 * 1024;
