//! The description of the API, kept by hand beside the routes and served as it is.
//!
//! `signaling/tests/live/api.rs` compares it with the routes: what is missing in either fails.

use axum::http::header;
use axum::response::{IntoResponse, Response};

pub(super) async fn document() -> Response {
    let text = include_str!("openapi.json");
    std::future::ready(([(header::CONTENT_TYPE, "application/json")], text).into_response()).await
}
