//! The first bytes of a relay connection: where the sealed ticket ends.
//!
//! `u16` big-endian length, then the ticket. Whether the ticket is any good is
//! not asked here; a length that no ticket can have is refused before its bytes arrive.

use tasuki_protocol::ticket::MAX_TICKET_BYTES;

const LENGTH_BYTES: usize = 2;
/// The most bytes that a ticket frame can have.
pub const MAX_FRAME_BYTES: usize = LENGTH_BYTES + MAX_TICKET_BYTES;

/// A ticket frame that has wholly arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketFrame<'a> {
    pub sealed: &'a [u8],
    /// What came behind the ticket: already the other end's, not ours.
    pub rest: &'a [u8],
}

/// The connection does not begin with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ticket has 1 to {MAX_TICKET_BYTES} bytes, not {0}")]
pub struct NoTicket(pub u16);

/// `Ok(None)` while more bytes are needed.
///
/// # Errors
/// The announced length is zero or above [`MAX_TICKET_BYTES`].
pub fn ticket_frame(bytes: &[u8]) -> Result<Option<TicketFrame<'_>>, NoTicket> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = u16::from_be_bytes(*length);
    if length == 0 || usize::from(length) > MAX_TICKET_BYTES {
        return Err(NoTicket(length));
    }
    let frame = rest.split_at_checked(usize::from(length));
    Ok(frame.map(|(sealed, rest)| TicketFrame { sealed, rest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_big_endian_length_and_the_ticket() {
        let bytes = [0x00, 0x03, 0xaa, 0xbb, 0xcc, 0x01, 0x02];
        let frame = ticket_frame(&bytes).unwrap().unwrap();
        assert_eq!(frame.sealed, [0xaa, 0xbb, 0xcc]);
        assert_eq!(frame.rest, [0x01, 0x02]);
    }

    #[test]
    fn every_cut_of_a_frame_asks_for_more() {
        let bytes = [0x00, 0x03, 0xaa, 0xbb, 0xcc];
        for end in 0..bytes.len() {
            assert_eq!(ticket_frame(&bytes[..end]), Ok(None), "cut at {end}");
        }
    }

    #[test]
    fn an_impossible_length_is_refused_before_its_bytes_arrive() {
        assert_eq!(ticket_frame(&[0, 0]), Err(NoTicket(0)));
        assert_eq!(ticket_frame(&[1, 1]), Err(NoTicket(257)));
        assert_eq!(ticket_frame(&[0xff, 0xff]), Err(NoTicket(0xffff)));
        assert_eq!(ticket_frame(&[1, 0]), Ok(None), "256 is possible");
    }
}
