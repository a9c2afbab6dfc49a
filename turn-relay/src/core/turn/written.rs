//! Messages that go out (RFC 8489 §5, RFC 8656 §12.4), in bytes that never leave the stack.
//!
//! It writes what it is told; what an answer says is decided elsewhere.

use std::net::SocketAddr;

use tasuki_protocol::stun::{COOKIE, HEADER_BYTES, Transaction, mask_address};

use super::message::attribute;

/// The most bytes of an answer, and of what stands in front of forwarded data.
pub const MOST_WRITTEN_BYTES: usize = 128;

/// Bytes written here: a whole answer, or the head in front of data.
#[derive(Clone, Copy)]
pub struct Written {
    bytes: [u8; MOST_WRITTEN_BYTES],
    length: u8,
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Written").field(&self.as_slice()).finish()
    }
}

impl Written {
    /// An answer or an indication, with no attribute yet.
    pub(crate) fn message(kind: u16, transaction: &Transaction) -> Self {
        let mut written = Self { bytes: [0; MOST_WRITTEN_BYTES], length: 0 };
        written.push(&kind.to_be_bytes());
        written.push(&[0, 0]);
        written.push(&COOKIE);
        written.push(transaction);
        written
    }

    pub(crate) fn channel(number: u16, length: u16) -> Self {
        let mut written = Self { bytes: [0; MOST_WRITTEN_BYTES], length: 0 };
        written.push(&number.to_be_bytes());
        written.push(&length.to_be_bytes());
        written
    }

    /// Bytes that others wrote; `None` where they are too many.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        let mut written = Self { bytes: [0; MOST_WRITTEN_BYTES], length: 0 };
        (bytes.len() <= MOST_WRITTEN_BYTES).then(|| {
            written.push(bytes);
            written
        })
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Appends what fits; every message of this crate does, which a test of each shows.
    fn push(&mut self, bytes: &[u8]) {
        let at = usize::from(self.length);
        let room = &mut self.bytes[at..];
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.length += taken as u8;
    }

    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.push(&kind.to_be_bytes());
        self.push(&(value.len() as u16).to_be_bytes());
        self.push(value);
        self.push(&[0; 3][..value.len().next_multiple_of(4) - value.len()]);
        self.set_length(usize::from(self.length) - HEADER_BYTES);
    }

    pub(crate) fn address(&mut self, kind: u16, address: SocketAddr) {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.bytes[8..HEADER_BYTES]);
        self.attribute(kind, &mask_address(address, &transaction));
    }

    /// The head of a DATA attribute of `length` bytes, which follow it with their padding.
    pub(crate) fn data_follows(&mut self, length: usize) {
        self.push(&attribute::DATA.to_be_bytes());
        self.push(&(length as u16).to_be_bytes());
        self.set_length(usize::from(self.length) - HEADER_BYTES + length.next_multiple_of(4));
    }

    /// What a reader of the header believes: a hash covers it with the attribute that holds the hash.
    pub(crate) fn set_length(&mut self, length: usize) {
        self.bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    }
}
