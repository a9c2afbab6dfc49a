//! The binary form (postcard) of whatever the protocol says in bytes.
//!
//! Knows no message; a failure to encode is a fault of this crate, and never empty bytes.

use serde::Serialize;

/// Encodes any of the protocol's binary messages.
pub(crate) fn encode<M: Serialize>(message: &M) -> Vec<u8> {
    let Ok(bytes) = postcard::to_stdvec(message) else {
        unreachable!("every list of the protocol knows its length")
    };
    bytes
}
