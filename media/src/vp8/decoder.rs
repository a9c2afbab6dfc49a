//! libvpx's decoder behind a safe face.
//!
//! Decides what of a stranger's bytes is worth decoding. Knows nothing of where
//! frames come from.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use vpx_sys as vpx;

use super::libvpx::{check, view};
use super::{CodecError, FrameKind, inspect, size_is_sane};
use crate::i420::I420View;

/// Decodes frames of any sane size, which may change with each key frame.
pub struct Decoder {
    context: Box<vpx::vpx_codec_ctx_t>,
    started: Started,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Started {
    NotYet,
    ByKeyFrame,
}

// SAFETY: libvpx keeps no thread-local state; the context is only reached through `&mut self`.
unsafe impl Send for Decoder {}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({:?})", self.started)
    }
}

impl Decoder {
    /// # Errors
    /// Only when libvpx has no memory.
    pub fn new() -> Result<Self, CodecError> {
        let config = vpx::vpx_codec_dec_cfg_t { threads: 1, w: 0, h: 0 };
        let mut context = Box::new(MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed());
        // SAFETY: an all-zero context is what libvpx expects to initialise, and it stays boxed.
        let context = unsafe {
            check(vpx::vpx_codec_dec_init_ver(
                context.as_mut_ptr(),
                vpx::vpx_codec_vp8_dx(),
                &raw const config,
                0,
                vpx::VPX_DECODER_ABI_VERSION as c_int,
            ))?;
            Box::from_raw(Box::into_raw(context).cast::<vpx::vpx_codec_ctx_t>())
        };
        Ok(Self { context, started: Started::NotYet })
    }

    /// Decodes one frame. After an error only a key frame is worth decoding.
    ///
    /// # Errors
    /// The peer's fault: [`CodecError::NotVp8`], [`CodecError::NoKeyFrame`], or
    /// [`CodecError::BadSize`] beyond 7680x4320 (T68a), refused before a byte is decoded.
    pub fn decode(&mut self, frame: &[u8]) -> Result<I420View<'_>, CodecError> {
        let kind = inspect(frame)?;
        if kind == FrameKind::Delta && self.started == Started::NotYet {
            return Err(CodecError::NoKeyFrame);
        }
        let Ok(length) = u32::try_from(frame.len()) else {
            return Err(CodecError::NotVp8);
        };
        self.started = Started::NotYet;
        let mut iter = ptr::null();
        // SAFETY: `frame` outlives the call; the image stays valid until the next call on the
        // context, which needs `&mut self`.
        let picture = unsafe {
            let context = &raw mut *self.context;
            check(vpx::vpx_codec_decode(context, frame.as_ptr(), length, ptr::null_mut::<c_void>(), 0))
                .map_err(|_| CodecError::NotVp8)?;
            view(vpx::vpx_codec_get_frame(context, &raw mut iter))
        };
        let picture = picture.ok_or(CodecError::NotVp8)?;
        if !size_is_sane(picture.width, picture.height) {
            return Err(CodecError::BadSize);
        }
        self.started = Started::ByKeyFrame;
        Ok(picture)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the context was initialised by `new` and is destroyed once.
        unsafe { vpx::vpx_codec_destroy(&raw mut *self.context) };
    }
}
