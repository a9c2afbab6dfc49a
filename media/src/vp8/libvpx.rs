//! What libvpx's encoder and decoder have in common: failures and pictures.

use std::ffi::CStr;

use vpx_sys as vpx;

use super::CodecError;
use crate::i420::I420View;

/// # Safety
/// `image` is null or libvpx's, with planes valid for the lifetime the caller picks.
pub(super) unsafe fn view<'a>(image: *const vpx::vpx_image_t) -> Option<I420View<'a>> {
    // SAFETY: promised by the caller.
    let image = unsafe { image.as_ref()? };
    let (width, height) = (u16::try_from(image.d_w).ok()?, u16::try_from(image.d_h).ok()?);
    if image.fmt != vpx::vpx_img_fmt::VPX_IMG_FMT_I420 || width == 0 || height == 0 {
        return None;
    }
    let plane = |index: usize, width: usize, height: usize| {
        let stride = usize::try_from(image.stride[index]).ok()?;
        // SAFETY: libvpx's planes hold `height` rows of `stride` bytes, the last one at least `width`.
        Some(unsafe { std::slice::from_raw_parts(image.planes[index], stride * (height - 1) + width) })
    };
    let (w, h) = (usize::from(width), usize::from(height));
    Some(I420View {
        width,
        height,
        y: plane(0, w, h)?,
        y_stride: usize::try_from(image.stride[0]).ok()?,
        u: plane(1, w.div_ceil(2), h.div_ceil(2))?,
        v: plane(2, w.div_ceil(2), h.div_ceil(2))?,
        uv_stride: usize::try_from(image.stride[1]).ok()?,
    })
}

pub(super) fn check(status: vpx::vpx_codec_err_t) -> Result<(), CodecError> {
    if status == vpx::vpx_codec_err_t::VPX_CODEC_OK {
        return Ok(());
    }
    // SAFETY: libvpx returns a static, terminated text for every status.
    let reason = unsafe { CStr::from_ptr(vpx::vpx_codec_err_to_string(status)) };
    Err(CodecError::Libvpx { reason: reason.to_string_lossy().into_owned() })
}
