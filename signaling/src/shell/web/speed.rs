//! Bytes that mean nothing, each way, by which an end times its line. Open to everybody, and no
//! more than anybody may have of the server otherwise: one answer or one body of the common size.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tasuki_protocol::signal::MAX_REQUEST;

use super::Shared;

static NOTHING: [u8; MAX_REQUEST] = [0; MAX_REQUEST];

pub(super) async fn down() -> Response {
    let kind =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    std::future::ready((kind, Bytes::from_static(&NOTHING)).into_response()).await
}

pub(super) async fn up(State(site): Shared, body: Body) -> Response {
    match super::read(&site, body).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused,
    }
}
