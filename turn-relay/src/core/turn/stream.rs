//! Where a message ends in a TCP or TLS stream (RFC 8489 §6.2.2, RFC 8656 §12.5).
//!
//! Both kinds say their length in the first four bytes; what is neither ends the stream.

use tasuki_protocol::stun::{CHANNEL_HEADER_BYTES, HEADER_BYTES};

/// Longer messages are no honest client's: a datagram is what is relayed.
pub const MOST_MESSAGE_BYTES: usize = 4096;

/// The stream holds no STUN, or a message that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a STUN message nor data of a channel, or longer than {MOST_MESSAGE_BYTES} bytes")]
pub struct NoMessage;

/// How many bytes the first message has, its padding included; `None` while that is not known.
///
/// # Errors
/// See [`NoMessage`].
pub fn message_length(bytes: &[u8]) -> Result<Option<usize>, NoMessage> {
    let Some(&[first, _, l1, l2]) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([l1, l2]));
    let whole = match first {
        0x00..=0x03 if length.is_multiple_of(4) => HEADER_BYTES + length,
        0x40..=0x7f => CHANNEL_HEADER_BYTES + length.next_multiple_of(4),
        _ => return Err(NoMessage),
    };
    if whole > MOST_MESSAGE_BYTES {
        return Err(NoMessage);
    }
    Ok(Some(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channels_data_are_padded_in_a_stream_and_a_message_has_its_length() {
        assert_eq!(message_length(&[0x40, 0, 0, 5]), Ok(Some(12)));
        assert_eq!(message_length(&[0, 3, 0, 8, 0x21]), Ok(Some(28)));
        assert_eq!(message_length(&[0, 3, 0]), Ok(None));
    }

    #[test]
    fn what_is_no_message_ends_the_stream_before_its_bytes_arrive() {
        for bad in [*b"GET ", [0, 3, 0, 7], [0x40, 0, 0xff, 0xff], [0x80, 0, 0, 4], [0x16, 3, 1, 2]] {
            assert_eq!(message_length(&bad), Err(NoMessage), "{bad:?}");
        }
    }
}
