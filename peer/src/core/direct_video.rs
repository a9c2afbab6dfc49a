//! The video of a direct path: one VP8 stream over RTP, agreed by constants.
//!
//! Plain RFC 7741 payloads; a frame's number travels as its RTP timestamp and its
//! kind is read from the VP8 payload header, so any WebRTC receiver can show the
//! stream. Decides when the next frame has room and when the picture is lost;
//! knows nothing of codecs beyond the key-frame bit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::bwe::Bitrate;
use str0m::media::{KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid, Pt};
use str0m::rtp::Ssrc;
use tasuki_protocol::leg::{FrameKind, VideoHeader};

use super::path::{VideoFrame, VideoRole};

/// RFC 8843 §9: the media's name, never told in SDP.
pub const MID: &str = "video";
/// The estimate to start from, before any feedback.
pub(super) const FIRST_ESTIMATE: Bitrate = Bitrate::mbps(3);
/// RFC 3550 §3: the stream's source.
pub const SSRC: u32 = 0x7461_7375;
/// RFC 4588 §5: of packets sent again.
pub const RTX_SSRC: u32 = 0x7461_7376;
/// The payload type that the library gives to VP8.
pub const VP8: u8 = 96;
/// The most bits a second worth probing for: beyond it a screen gains nothing.
const WORTH_PROBING: Bitrate = Bitrate::mbps(20);
/// A lost picture is asked for again this often.
const ASK_AGAIN: Duration = Duration::from_millis(400);
/// After so long without a frame the estimator rests: else the library pads the line
/// with 50 kbit/s and probes it for ever.
const REST_AFTER: Duration = Duration::from_secs(2);
/// What a resting estimator believes, so that padding has no room.
const AT_REST: Bitrate = Bitrate::bps(1);
/// How soon the queue of a frame just written is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(4);

#[derive(Debug)]
pub(super) enum Video {
    Sends(Sending),
    Receives(Receiving),
}

impl Video {
    pub(super) fn declare(rtc: &mut Rtc, role: VideoRole) -> Self {
        let mut api = rtc.direct_api();
        api.declare_media(Mid::from(MID), MediaKind::Video);
        match role {
            VideoRole::Sends => {
                api.declare_stream_tx(SSRC.into(), Some(RTX_SSRC.into()), Mid::from(MID), None);
                rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::ZERO);
                rtc.bwe().reset(AT_REST);
                Self::Sends(Sending {
                    room: Room::NotYet,
                    estimate: FIRST_ESTIMATE,
                    effort: Effort::Resting,
                })
            }
            VideoRole::Receives => {
                api.expect_stream_rx(SSRC.into(), Some(RTX_SSRC.into()), Mid::from(MID), None);
                api.enable_twcc_feedback();
                Self::Receives(Receiving { picture: Picture::Whole })
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Sending {
    room: Room,
    /// The last one while frames went.
    estimate: Bitrate,
    effort: Effort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    Resting,
    /// Since the last frame.
    Working(Instant),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// The path is not up.
    NotYet,
    Offered,
    /// A frame written then may still wait in the pacer.
    TakenAt(Instant),
}

impl Sending {
    /// A frame without room is dropped: newer ones come.
    ///
    /// Returns whether it was taken.
    #[must_use]
    pub(super) fn send(&mut self, rtc: &mut Rtc, frame: &VideoFrame, now: Instant) -> Taken {
        let Room::Offered = self.room else { return Taken::Dropped };
        self.work(rtc, now);
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

    fn work(&mut self, rtc: &mut Rtc, now: Instant) {
        if self.effort == Effort::Resting {
            rtc.bwe().reset(self.estimate);
            rtc.bwe().set_bitrate(Bitrate::ZERO, WORTH_PROBING);
        }
        self.effort = Effort::Working(now);
    }

    /// To be called as time passes.
    pub(super) fn rest_if_idle(&mut self, rtc: &mut Rtc, now: Instant) {
        if let Effort::Working(since) = self.effort
            && now >= since + REST_AFTER
        {
            self.effort = Effort::Resting;
            rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::ZERO);
            rtc.bwe().reset(AT_REST);
        }
    }

    /// The estimate in bits per second, if it is one: a resting estimator knows nothing.
    pub(super) fn learn(&mut self, estimate: Bitrate) -> Option<u64> {
        let Effort::Working(_) = self.effort else { return None };
        self.estimate = estimate;
        Some(estimate.as_u64())
    }

    /// Whether room for a frame has just come about.
    pub(super) fn has_new_room(&mut self, rtc: &mut Rtc, now: Instant) -> bool {
        let free = match self.room {
            Room::NotYet => true,
            Room::Offered => false,
            Room::TakenAt(then) => now >= then + LOOK_AGAIN && is_queue_empty(rtc, then),
        };
        if free {
            self.room = Room::Offered;
        }
        free
    }

    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let rest = match self.effort {
            Effort::Resting => None,
            Effort::Working(since) => Some(since + REST_AFTER),
        };
        match self.room {
            Room::NotYet | Room::Offered => rest,
            Room::TakenAt(then) => Some((then + LOOK_AGAIN).max(now + LOOK_AGAIN)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Written,
    Dropped,
}

fn is_queue_empty(rtc: &mut Rtc, written: Instant) -> bool {
    let mut api = rtc.direct_api();
    let Some(stream) = api.stream_tx(&SSRC.into()) else { return false };
    stream.queue_info().is_none_or(|queue| queue.created_at() > written && queue.packet_count() == 0)
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
