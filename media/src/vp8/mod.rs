//! VP8: what a desktop asks of it, in types, and what can be read of a frame without decoding.
//!
//! The codec itself is libvpx, behind `encoder` and `decoder`. Knows no screen and no link: what
//! is active and how much it may cost is handed in.

mod decoder;
mod encoder;
mod libvpx;
mod memory;

use tasuki_protocol::screen::{MAX_HEIGHT, MAX_WIDTH};

use crate::blocks::ChangedBlocks;

pub use decoder::Decoder;
pub use encoder::Encoder;

/// Bits a second. The encoder takes 30 kbit/s to 1 Gbit/s and bends others to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bitrate(pub u32);

impl Bitrate {
    fn kilobits(self) -> u32 {
        (self.0 / 1000).clamp(30, 1_000_000)
    }
}

/// How hard the encoder tries: libvpx's `cpu-used`, always negative (a positive
/// one lets libvpx adapt by its own clock).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// `-6`: the knee of quality against time, for small changes.
    Careful,
    /// `-12`: for large areas in motion.
    Fast,
}

impl Speed {
    fn cpu_used(self) -> i32 {
        match self {
            Self::Careful => -6,
            Self::Fast => -12,
        }
    }
}

/// VP8's quantiser index: 0 (finest) to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantizer(pub u8);

impl Quantizer {
    pub const FINEST: Self = Self(0);
    /// The coarsest that moving pictures are allowed.
    pub const COARSEST: Self = Self(60);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Decodes by itself.
    Key,
    /// Needs every frame since the last key frame.
    Delta,
}

/// What to make of the picture handed in.
#[derive(Debug, Clone, Copy)]
pub enum Coding<'a> {
    /// The whole picture, decodable by itself.
    Key,
    /// These blocks; all others stay as the viewer has them.
    Delta(&'a ChangedBlocks),
}

/// One encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub bytes: Vec<u8>,
    pub kind: FrameKind,
    /// What this frame's blocks were quantised with.
    pub quantizer: Quantizer,
}

/// Whose fault a codec's failure is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("the picture is empty or larger than 7680x4320: choose a smaller resolution")]
    BadSize,
    #[error("the picture's size is not the encoder's: make a new encoder")]
    SizeChanged,
    #[error("the peer sent something that is no VP8 frame")]
    NotVp8,
    #[error("the peer's picture starts in the middle: ask for a key frame")]
    NoKeyFrame,
    #[error("libvpx failed: {reason}")]
    Libvpx { reason: String },
}

/// Reads a frame's kind, and a key frame's size (RFC 6386, section 9.1).
///
/// # Errors
/// [`CodecError::NotVp8`] or [`CodecError::BadSize`].
pub fn inspect(frame: &[u8]) -> Result<FrameKind, CodecError> {
    let Some(&[first, ..]) = frame.get(..3) else {
        return Err(CodecError::NotVp8);
    };
    if first & 1 == 1 {
        return Ok(FrameKind::Delta);
    }
    let Some(&[0x9D, 0x01, 0x2A, w0, w1, h0, h1]) = frame.get(3..10) else {
        return Err(CodecError::NotVp8);
    };
    let size = |low, high| u16::from_le_bytes([low, high]) & 0x3FFF;
    if !size_is_sane(size(w0, w1), size(h0, h1)) {
        return Err(CodecError::BadSize);
    }
    Ok(FrameKind::Key)
}

pub(crate) fn size_is_sane(width: u16, height: u16) -> bool {
    (1..=MAX_WIDTH).contains(&width) && (1..=MAX_HEIGHT).contains(&height)
}
