//! From the bytes of a relayed leg's stream to messages, and from pieces to whole
//! packets and frames: the bounds of both. Knows nothing of keys.

use std::time::{Duration, Instant};

use tasuki_protocol::leg::{Continuation, MAX_FRAME_BYTES, MAX_RECORD_BYTES, VideoHeader};
use tasuki_protocol::message::MAX_PACKET_BYTES;

use super::path::VideoFrame;
use super::relay_leg_noise::Broken;

/// How long a record may take from its first byte to its last (T44).
const RECORD_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    read: usize,
    /// When the first byte of an incomplete record came.
    incomplete_since: Option<Instant>,
    packet: Vec<u8>,
    frame: Option<VideoFrame>,
}

impl Inbox {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, without its length.
    pub(super) fn next_message(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let rest = &self.bytes[self.read..];
        let Some(length) = rest.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))
        else {
            return Ok(None);
        };
        if length == 0 || length > MAX_RECORD_BYTES {
            return Err(Broken("a record of a length that none may have"));
        }
        let message = rest.get(2..2 + length).map(<[u8]>::to_vec);
        if message.is_some() {
            self.read += 2 + length;
            self.incomplete_since = None;
        }
        Ok(message)
    }

    /// To be called once no whole message is left.
    pub(super) fn settle(&mut self, now: Instant) {
        self.bytes.drain(..self.read);
        self.read = 0;
        if !self.bytes.is_empty() {
            self.incomplete_since.get_or_insert(now);
        }
    }

    /// When an incomplete record counts as cut.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.incomplete_since.map(|since| since + RECORD_WITHIN)
    }

    /// The packet that this piece completes. An empty one says nothing.
    pub(super) fn packet(
        &mut self,
        piece: &[u8],
        last: Continuation,
    ) -> Result<Option<Vec<u8>>, Broken> {
        if self.packet.len() + piece.len() > MAX_PACKET_BYTES {
            return Err(Broken("a packet was longer than any may be"));
        }
        self.packet.extend_from_slice(piece);
        let whole = last == Continuation::Last && !self.packet.is_empty();
        Ok(whole.then(|| std::mem::take(&mut self.packet)))
    }

    /// The frame that this piece completes.
    pub(super) fn video(
        &mut self,
        header: VideoHeader,
        piece: Vec<u8>,
        last: Continuation,
    ) -> Result<Option<VideoFrame>, Broken> {
        let frame = match self.frame.take() {
            None => VideoFrame { header, vp8: piece },
            Some(mut frame) if frame.header == header => {
                frame.vp8.extend(piece);
                frame
            }
            Some(_) => return Err(Broken("a frame was left unfinished")),
        };
        if frame.vp8.len() > MAX_FRAME_BYTES {
            return Err(Broken("a frame was longer than any may be"));
        }
        match last {
            Continuation::Last => Ok(Some(frame)),
            Continuation::More => {
                self.frame = Some(frame);
                Ok(None)
            }
        }
    }
}
