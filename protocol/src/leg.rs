//! The records of a relayed leg, inside Noise, inside TLS. Threats B4.
//!
//! On the wire each record is its length (u16, big-endian) and a Noise transport
//! message of at most [`MAX_RECORD_BYTES`]. Video frames go in pieces, so that a
//! key stroke never waits behind a whole picture.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;

/// The Noise protocol of every relayed leg.
pub const NOISE_PATTERN: &str = "Noise_NNpsk0_25519_AESGCM_SHA256";
/// The most bytes of one Noise message.
pub const MAX_RECORD_BYTES: usize = 16 * 1024;
/// The most plain bytes of one record: what Noise and the encoding leave of it.
pub const MAX_PIECE_BYTES: usize = MAX_RECORD_BYTES - 64;
/// The most bytes of one video frame.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;
/// Records of one direction after which its key is renewed.
pub const REKEY_AFTER: u64 = 1 << 16;
/// Small records are padded to a multiple of this, to hide lengths of key strokes.
pub const PAD_TO: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegRecord {
    /// A piece of an encoded [`crate::message::Packet`]; `last` ends it.
    Packet { piece: Blob, last: Continuation, padding: Blob },
    /// A piece of one video frame.
    Video { frame: VideoHeader, piece: Blob, last: Continuation },
    /// The sender's next record is under a renewed key.
    Rekey,
    /// The leg ends in order; its absence is logged as a cut.
    Close,
    /// The whole frame of this number has come: lets its sender see what waits on the way.
    Seen { frame: u32 },
    /// The receiver wants a frame that stands alone.
    NeedKeyFrame,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Continuation {
    More,
    Last,
}

/// What a viewer must know of a frame before it decodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoHeader {
    /// Counts the frames of a session, across paths.
    pub number: u32,
    pub kind: FrameKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameKind {
    /// Stands alone.
    Key,
    /// Needs the frame before it.
    Delta,
}
