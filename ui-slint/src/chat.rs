//! The lines of a chat as they are typed, in both windows.
//!
//! Decides how long one may be before it is sent; the peer and the other end decide anew.

use slint::SharedString;
use tasuki_protocol::message::MAX_CHAT_BYTES;

pub(crate) fn is_too_long(line: SharedString) -> bool {
    line.len() > MAX_CHAT_BYTES
}
