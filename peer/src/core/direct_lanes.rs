//! How packets travel over the two data channels of a direct path.
//!
//! Small packets go unordered and never again (SCTP's retransmission waits a whole
//! second): the session resends in newer packets what matters. Packets of many
//! datagrams would hardly ever arrive whole that way, and go in pieces on a
//! reliable channel, whose first message is the path's proof. Decides the framing
//! and its bounds; knows nothing of what a packet says.

use std::collections::VecDeque;

use str0m::Rtc;
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use tasuki_protocol::message::MAX_PACKET_BYTES;

/// SCTP stream of packets that are sent once.
const SWIFT_STREAM: u16 = 0;
/// SCTP stream of the proof and of large packets.
const SURE_STREAM: u16 = 1;
/// The most bytes of a packet that travels unreliably: three datagrams.
const MAX_SWIFT_BYTES: usize = 3 * 1024;
/// The most bytes of one message on the reliable channel, below what any peer takes.
const MAX_PIECE_BYTES: usize = 16 * 1024;
/// The most bytes waiting for room on the reliable channel.
const MAX_WAITING_BYTES: usize = 2 * MAX_PACKET_BYTES;
/// Bytes in flight below which more is written.
const LOW_WATER: usize = 64 * 1024;

const MORE: u8 = 0;
const LAST: u8 = 1;

#[derive(Debug)]
pub(super) struct Lanes {
    swift: ChannelId,
    sure: ChannelId,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    partial: Vec<u8>,
}

/// What a message on a channel means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Packet(Vec<u8>),
    Incomplete,
    TooLong,
}

/// The swift channel and the sure one, which both ends open by themselves (RFC 8831 §6.5).
pub fn channels() -> [ChannelConfig; 2] {
    let swift = ChannelConfig {
        label: "swift".into(),
        ordered: false,
        reliability: Reliability::MaxRetransmits { retransmits: 0 },
        negotiated: Some(SWIFT_STREAM),
        protocol: String::new(),
    };
    let sure = ChannelConfig {
        label: "sure".into(),
        negotiated: Some(SURE_STREAM),
        ..ChannelConfig::default()
    };
    [swift, sure]
}

impl Lanes {
    pub(super) fn open(rtc: &mut Rtc) -> Self {
        let [swift, sure] = channels();
        let mut api = rtc.direct_api();
        Self {
            swift: api.create_data_channel(swift),
            sure: api.create_data_channel(sure),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            partial: Vec::new(),
        }
    }

    pub(super) fn is_sure(&self, id: ChannelId) -> bool {
        id == self.sure
    }

    /// Sends the proof, which must be the first message of the reliable channel.
    pub(super) fn prove(&mut self, rtc: &mut Rtc, proof: &[u8; 32]) {
        if let Some(mut channel) = rtc.channel(self.sure) {
            channel.set_buffered_amount_low_threshold(LOW_WATER);
        }
        self.enqueue(proof.to_vec());
        self.flush(rtc);
    }

    /// Sends or queues; where there is no room the packet is lost, as on any path.
    pub(super) fn send(&mut self, rtc: &mut Rtc, packet: &[u8]) {
        if packet.len() <= MAX_SWIFT_BYTES {
            if let Some(mut channel) = rtc.channel(self.swift) {
                // Full or failing alike: the session resends what is not acknowledged.
                channel.write(true, packet).ok();
            }
            return;
        }
        if packet.len() > MAX_PACKET_BYTES || self.waiting_bytes + packet.len() > MAX_WAITING_BYTES {
            return;
        }
        let pieces = packet.len().div_ceil(MAX_PIECE_BYTES);
        for (index, piece) in packet.chunks(MAX_PIECE_BYTES).enumerate() {
            let mark = if index + 1 == pieces { LAST } else { MORE };
            self.enqueue([&[mark], piece].concat());
        }
        self.flush(rtc);
    }

    fn enqueue(&mut self, message: Vec<u8>) {
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
    }

    /// Writes what fits.
    pub(super) fn flush(&mut self, rtc: &mut Rtc) {
        while let Some(message) = self.waiting.front() {
            let Some(mut channel) = rtc.channel(self.sure) else { return };
            let Ok(true) = channel.write(true, message) else { return };
            self.waiting_bytes -= message.len();
            self.waiting.pop_front();
        }
    }

    pub(super) fn receive(&mut self, id: ChannelId, mut message: Vec<u8>) -> Received {
        if id == self.swift {
            return Received::Packet(message);
        }
        let mark = message.first().copied();
        if self.partial.len() + message.len() > MAX_PACKET_BYTES + 1 {
            return Received::TooLong;
        }
        self.partial.extend(message.drain(..).skip(1));
        match mark {
            Some(LAST) => Received::Packet(std::mem::take(&mut self.partial)),
            Some(MORE) => Received::Incomplete,
            Some(_) | None => Received::TooLong,
        }
    }
}
