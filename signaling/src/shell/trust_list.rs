//! The bundle that comes with a list of revoked devices, and nothing of how either is kept.

use std::sync::Arc;

use axum::body::Bytes;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, BundleRefused, ListMark};
use tasuki_protocol::revoked::in_force;

/// The bundle that comes with a list: it asks for that list, and changes nothing else.
///
/// # Errors
/// [`ProblemCode::Conflict`] for one that does not go on from the newest, [`ProblemCode::Document`] for any other.
pub(super) fn asks_for(
    asking: &Blob,
    list: &Blob,
    newest: &Bundle,
) -> Result<(Arc<Bundle>, Bytes), ProblemCode> {
    let bundle = match Bundle::open(&asking.0, &newest.known()) {
        Ok(bundle) => bundle,
        Err(BundleRefused::Rollback { .. }) => return Err(ProblemCode::Conflict),
        Err(_) => return Err(ProblemCode::Document),
    };
    if bundle.version == newest.version {
        return Err(ProblemCode::Conflict);
    }
    let (list, by) = in_force(list, newest).ok_or(ProblemCode::Document)?;
    let expected = Bundle {
        version: bundle.version,
        least_list: Some(ListMark { version: list.version, by }),
        issued_at: bundle.issued_at,
        expires_at: bundle.expires_at,
        ..newest.clone()
    };
    if bundle != expected {
        return Err(ProblemCode::Conflict);
    }
    Ok((Arc::new(bundle), Bytes::from(asking.0.clone())))
}
