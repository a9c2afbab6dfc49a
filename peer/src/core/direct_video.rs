//! The video of a direct path: one VP8 stream over RTP, agreed by constants.
//!
//! Plain RFC 7741 payloads; a frame's number travels as its RTP timestamp and its
//! kind is read from the VP8 payload header, so any WebRTC receiver can show the
//! stream. Decides when the next frame has room and when the picture is lost;
//! knows nothing of codecs beyond the key-frame bit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::{KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid, Pt};
use str0m::rtp::rtcp::{Rtcp, Twcc};
use str0m::rtp::{RawPacket, Ssrc};
use tasuki_protocol::leg::{FrameKind, VideoHeader};

use super::direct_address::Transmit;
use super::direct_pace::Pace;
use super::direct_rate::Rate;
use super::path::{VideoFrame, VideoRole};

/// RFC 8843 §9: the media's name, never told in SDP.
pub const MID: &str = "video";
/// RFC 3550 §3: the stream's source.
pub const SSRC: u32 = 0x7461_7375;
/// RFC 4588 §5: of packets sent again.
pub const RTX_SSRC: u32 = 0x7461_7376;
/// The payload type that the library gives to VP8.
pub const VP8: u8 = 96;
/// A lost picture is asked for again this often.
const ASK_AGAIN: Duration = Duration::from_millis(400);
/// A frame may be made while so much of the one before has yet to leave.
const OVERLAP: Duration = Duration::from_millis(10);
/// A written frame of which the library made nothing is waited for no longer.
const NOTHING_CAME: Duration = Duration::from_millis(100);
/// An estimate that differs by less than a twentieth is not worth telling.
const WORTH_TELLING: u64 = 20;
/// Packets are kept for so long to be sent again: for what is asked for later a new picture is cheaper.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// At 6 Mbit/s those of one second, at the most that motion takes those of 400 ms; 1 MB.
const KEPT_PACKETS: usize = 600;
/// Of all that is sent, so much may be sent again before the rest is given up.
const AGAIN_AT_MOST: f32 = 0.15;

#[derive(Debug)]
pub(super) enum Video {
    Sends(Box<Sending>),
    Receives(Receiving),
}

impl Video {
    pub(super) fn declare(rtc: &mut Rtc, role: VideoRole, now: Instant) -> Self {
        let mut api = rtc.direct_api();
        api.declare_media(Mid::from(MID), MediaKind::Video);
        match role {
            VideoRole::Sends => {
                let (main, again) = (SSRC.into(), Some(RTX_SSRC.into()));
                api.declare_stream_tx(main, again, Mid::from(MID), None).set_rtx_cache(
                    KEPT_PACKETS,
                    KEPT_FOR,
                    Some(AGAIN_AT_MOST),
                );
                Self::Sends(Box::new(Sending::new(now)))
            }
            VideoRole::Receives => {
                api.expect_stream_rx(SSRC.into(), Some(RTX_SSRC.into()), Mid::from(MID), None);
                api.enable_twcc_feedback();
                Self::Receives(Receiving { picture: Picture::Whole })
            }
        }
    }

    /// Keeps a datagram of video, which leaves in its turn; gives back any other.
    pub(super) fn hold(&mut self, transmit: Transmit) -> Option<Transmit> {
        match self {
            Self::Sends(sending) if is_video(&transmit.bytes) => {
                sending.hold(transmit);
                None
            }
            Self::Sends(_) | Self::Receives(_) => Some(transmit),
        }
    }

    /// Of all RTP and RTCP that passes, transport-wide feedback matters.
    pub(super) fn heed(&mut self, packet: RawPacket, now: Instant) {
        if let (RawPacket::RtcpRx(Rtcp::Twcc(feedback)), Self::Sends(sending)) = (packet, self) {
            sending.heed(feedback, now);
        }
    }
}

#[derive(Debug)]
pub(super) struct Sending {
    room: Room,
    pace: Pace,
    rate: Rate,
    told: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// The path is not up.
    NotYet,
    Offered,
    /// A frame was written then; the library has yet to cut it into datagrams.
    TakenAt(Instant),
    /// Its datagrams leave one after another.
    Leaving,
}

impl Sending {
    fn new(now: Instant) -> Self {
        Self { room: Room::NotYet, pace: Pace::new(now), rate: Rate::new(now), told: 0 }
    }

    /// A frame without room is dropped: newer ones come.
    ///
    /// Returns whether it was taken.
    #[must_use]
    pub(super) fn send(&mut self, rtc: &mut Rtc, frame: &VideoFrame, now: Instant) -> Taken {
        let Room::Offered = self.room else { return Taken::Dropped };
        let time = MediaTime::from_90khz(u64::from(frame.header.number));
        let data: Arc<[u8]> = frame.vp8.as_slice().into();
        let written = rtc
            .writer(Mid::from(MID))
            .is_some_and(|writer| writer.write(Pt::new_with_value(VP8), now, time, data).is_ok());
        if !written {
            return Taken::Dropped;
        }
        self.room = Room::TakenAt(now);
        Taken::Written
    }

    fn hold(&mut self, transmit: Transmit) {
        self.pace.push(transmit);
        if let Room::TakenAt(_) = self.room {
            self.room = Room::Leaving;
        }
    }

    /// The next one that leaves now.
    pub(super) fn release(&mut self, now: Instant) -> Option<Transmit> {
        let next = self.pace.pop(self.rate.estimate(), now)?;
        self.rate.sent(next.number, next.transmit.bytes.len(), now);
        Some(next.transmit)
    }

    /// What the other end says of the datagrams that left.
    fn heed(&mut self, feedback: Twcc, now: Instant) {
        let newest = self.pace.next_number().into();
        let arrivals = feedback.into_iter(self.rate.zero(), newest);
        self.rate.report(arrivals.map(|(number, _, arrived)| (*number, arrived)), now);
    }

    /// The estimate in bits per second, when it has changed.
    pub(super) fn new_estimate(&mut self) -> Option<u64> {
        let estimate = self.rate.estimate();
        let differs = estimate.abs_diff(self.told) > self.told / WORTH_TELLING;
        differs.then(|| {
            self.told = estimate;
            estimate
        })
    }

    /// Whether room for a frame has just come about.
    pub(super) fn has_new_room(&mut self, now: Instant) -> bool {
        let free = match self.room {
            Room::NotYet => true,
            Room::Offered => false,
            Room::TakenAt(then) => now >= then + NOTHING_CAME,
            Room::Leaving => {
                self.pace.drains_within(OVERLAP, self.rate.estimate()) && !self.rate.is_blind(now)
            }
        };
        if free {
            self.room = Room::Offered;
        }
        free
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let room = match self.room {
            Room::NotYet | Room::Offered => None,
            Room::TakenAt(then) => Some(then + NOTHING_CAME),
            Room::Leaving => self.rate.sees_again_at(),
        };
        let leaves = self.pace.deadline(self.rate.estimate());
        [room, leaves].into_iter().flatten().min()
    }
}

/// SRTP, as RFC 7983 §7 tells it from the rest, and not SRTCP (RFC 5761 §4).
fn is_video(datagram: &[u8]) -> bool {
    let mut bytes = datagram.iter();
    bytes.next().is_some_and(|first| (128..=191).contains(first))
        && bytes.next().is_some_and(|second| !(192..=223).contains(second))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Written,
    Dropped,
}

#[derive(Debug)]
pub(super) struct Receiving {
    picture: Picture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    Whole,
    /// Frames were lost; what builds on them is useless. Last asked for at this time.
    LostAskedAt(Instant),
}

impl Receiving {
    /// The frame, unless it builds on one that never came; then a key frame is asked for.
    pub(super) fn receive(
        &mut self,
        rtc: &mut Rtc,
        data: MediaData,
        now: Instant,
    ) -> Option<VideoFrame> {
        let kind = frame_kind(&data.data)?;
        match (kind, self.picture) {
            (FrameKind::Key, _) => self.picture = Picture::Whole,
            (FrameKind::Delta, Picture::Whole) if data.contiguous => {}
            (FrameKind::Delta, Picture::Whole) => {
                self.ask(rtc, now);
                return None;
            }
            (FrameKind::Delta, Picture::LostAskedAt(then)) => {
                if now >= then + ASK_AGAIN {
                    self.ask(rtc, now);
                }
                return None;
            }
        }
        let number = u32::try_from(data.time.numer() & u64::from(u32::MAX)).unwrap_or_default();
        Some(VideoFrame { header: VideoHeader { number, kind }, vp8: data.data.to_vec() })
    }

    fn ask(&mut self, rtc: &mut Rtc, now: Instant) {
        self.picture = Picture::LostAskedAt(now);
        ask_key_frame(rtc);
    }
}

/// RTCP Picture Loss Indication (RFC 4585 §6.3.1).
pub(super) fn ask_key_frame(rtc: &mut Rtc) {
    if let Some(stream) = rtc.direct_api().stream_rx(&Ssrc::from(SSRC)) {
        stream.request_keyframe(KeyframeRequestKind::Pli);
    }
}

/// RFC 6386 §9.1: the lowest bit of a frame's first byte is clear in a key frame.
fn frame_kind(vp8: &[u8]) -> Option<FrameKind> {
    let kind = if vp8.first()? & 1 == 0 { FrameKind::Key } else { FrameKind::Delta };
    Some(kind)
}
