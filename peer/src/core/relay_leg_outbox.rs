//! What of a relayed leg waits to be sent, and in which order: packets before
//! video, so that a key stroke never waits behind a picture. Bounded: what finds
//! no room is lost, as on any path.

use std::collections::VecDeque;
use std::mem::discriminant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::leg::{Continuation, LegRecord, MAX_PIECE_BYTES, PAD_TO};
use tasuki_protocol::message::MAX_PACKET_BYTES;

use super::path::VideoFrame;

/// The most bytes of packets waiting.
const MAX_WAITING_BYTES: usize = 2 * MAX_PACKET_BYTES;
/// The longest packet whose length is hidden.
const MAX_PADDED_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The newest of each kind: it says all that the ones before it said.
    signals: VecDeque<LegRecord>,
    urgent: VecDeque<LegRecord>,
    urgent_bytes: usize,
    video: Option<Outgoing>,
}

#[derive(Debug)]
struct Outgoing {
    frame: VideoFrame,
    written: usize,
}

impl Outbox {
    pub(super) fn packet(&mut self, packet: &[u8]) {
        if packet.len() > MAX_PACKET_BYTES || self.urgent_bytes + packet.len() > MAX_WAITING_BYTES {
            return;
        }
        let pieces = packet.len().div_ceil(MAX_PIECE_BYTES);
        for (index, piece) in packet.chunks(MAX_PIECE_BYTES).enumerate() {
            let last = if index + 1 == pieces { Continuation::Last } else { Continuation::More };
            self.urgent_bytes += piece.len();
            self.urgent.push_back(packet_record(piece, last));
        }
    }

    /// An empty packet says nothing and shows that its sender lives.
    pub(super) fn keep_alive(&mut self) {
        if self.urgent.is_empty() && self.signals.is_empty() {
            self.urgent.push_back(packet_record(&[], Continuation::Last));
        }
    }

    /// However many the other end calls forth while it reads nothing (F17).
    pub(super) fn signal(&mut self, record: LegRecord) {
        self.signals.retain(|waiting| discriminant(waiting) != discriminant(&record));
        self.signals.push_back(record);
    }

    pub(super) fn video(&mut self, frame: VideoFrame) {
        self.video = Some(Outgoing { frame, written: 0 });
    }

    pub(super) fn has_video(&self) -> bool {
        self.video.is_some()
    }

    /// Nothing else is said after this.
    pub(super) fn close(&mut self) {
        *self = Self::default();
        self.urgent.push_back(LegRecord::Close);
    }

    pub(super) fn next(&mut self) -> Option<LegRecord> {
        if let Some(signal) = self.signals.pop_front() {
            return Some(signal);
        }
        if let Some(record) = self.urgent.pop_front() {
            if let LegRecord::Packet { piece, .. } = &record {
                self.urgent_bytes -= piece.0.len();
            }
            return Some(record);
        }
        let outgoing = self.video.as_mut()?;
        let rest = &outgoing.frame.vp8[outgoing.written..];
        let piece = Blob(rest[..rest.len().min(MAX_PIECE_BYTES)].to_vec());
        let frame = outgoing.frame.header;
        outgoing.written += piece.0.len();
        let last = if outgoing.written == outgoing.frame.vp8.len() {
            self.video = None;
            Continuation::Last
        } else {
            Continuation::More
        };
        Some(LegRecord::Video { frame, piece, last })
    }
}

fn packet_record(piece: &[u8], last: Continuation) -> LegRecord {
    let padding = Blob(vec![0; padding(piece.len())]);
    LegRecord::Packet { piece: Blob(piece.to_vec()), last, padding }
}

/// What brings the encoded record of a small packet to a multiple of [`PAD_TO`].
fn padding(piece: usize) -> usize {
    if piece > MAX_PADDED_BYTES {
        return 0;
    }
    let length_bytes = if piece < 128 { 1 } else { 2 };
    let around = 3 + length_bytes;
    (PAD_TO - (piece + around) % PAD_TO) % PAD_TO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_packet_is_as_long_as_others_of_its_step() {
        for bytes in 1..=MAX_PADDED_BYTES {
            let record = packet_record(&vec![7; bytes], Continuation::Last);
            let encoded = tasuki_protocol::message::encode(&record).len();
            assert_eq!(encoded % PAD_TO, 0, "{bytes}");
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut outbox = Outbox::default();
        for _ in 0..100 {
            outbox.packet(&vec![1; MAX_PACKET_BYTES]);
        }
        let mut bytes = 0;
        while let Some(record) = outbox.next() {
            if let LegRecord::Packet { piece, .. } = record {
                bytes += piece.0.len();
            }
        }
        assert_eq!(bytes, MAX_WAITING_BYTES);
    }

    #[test]
    fn f17_who_sends_frames_and_reads_nothing_makes_nobody_keep_an_answer_for_each() {
        let mut outbox = Outbox::default();
        outbox.packet(&[1]);
        for frame in 0..100_000 {
            outbox.signal(LegRecord::Seen { frame });
            outbox.signal(LegRecord::NeedKeyFrame);
        }
        let waiting: Vec<LegRecord> = std::iter::from_fn(|| outbox.next()).collect();
        let newest = [LegRecord::Seen { frame: 99_999 }, LegRecord::NeedKeyFrame];
        assert_eq!((&waiting[..2], waiting.len()), (&newest[..], 3), "and the packet is there");
    }
}
