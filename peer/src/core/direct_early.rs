//! What comes on a direct path a moment too early: DTLS from an address that ICE
//! is about to verify, video from an end that is about to prove itself.
//!
//! It is kept, bounded, and looked at again when more is known; dropping it would
//! cost the library's retransmission, a second or three. Nothing in here passes a
//! check that it would not have passed later by itself (T48).

use std::collections::VecDeque;
use std::net::SocketAddr;

use str0m::media::MediaData;

const MAX_DATAGRAMS: usize = 16;
const MAX_FRAMES: usize = 16;

#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) source: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Early {
    datagrams: VecDeque<Datagram>,
    frames: VecDeque<MediaData>,
}

impl Early {
    /// Keeps a DTLS record (RFC 7983 §7); the oldest gives way, so that a flood
    /// costs no more than the waiting.
    pub(super) fn keep_datagram(&mut self, source: SocketAddr, local: SocketAddr, bytes: &[u8]) {
        if !bytes.first().is_some_and(|first| (20..=63).contains(first)) {
            return;
        }
        if self.datagrams.len() == MAX_DATAGRAMS {
            self.datagrams.pop_front();
        }
        self.datagrams.push_back(Datagram { source, local, bytes: bytes.to_vec() });
    }

    pub(super) fn take_datagrams(&mut self) -> VecDeque<Datagram> {
        std::mem::take(&mut self.datagrams)
    }

    /// Keeps the stream's beginning; what finds no room is asked for again later.
    pub(super) fn keep_frame(&mut self, frame: MediaData) {
        if self.frames.len() < MAX_FRAMES {
            self.frames.push_back(frame);
        }
    }

    pub(super) fn take_frames(&mut self) -> VecDeque<MediaData> {
        std::mem::take(&mut self.frames)
    }
}
