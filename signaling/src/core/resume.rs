//! By what an end is known that comes back: enough to compare with what it says, and of no use to whoever reads it.
//!
//! A row of a running session lies on a disk and in copies of it; the token itself is its end's alone (T55).

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::signal::ResumeToken;

/// SHA-256 of a [`ResumeToken`], which has 256 bits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeSum(Digest);

impl ResumeSum {
    pub fn of(token: ResumeToken) -> Self {
        Self(Digest(Sha256::digest(token.0.0).into()))
    }

    pub(crate) fn is_of(self, token: ResumeToken) -> bool {
        Self::of(token).0.0.ct_eq(&self.0.0).into()
    }
}
