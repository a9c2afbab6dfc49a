//! libvpx's encoder behind a safe face.
//!
//! Decides the settings that a desktop needs (realtime, constant bitrate, one
//! thread, screen content, activity map).

use std::ffi::{c_int, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;

use vpx_sys as vpx;

use super::libvpx::{check, view};
use super::memory::TokenSpace;
use super::{Bitrate, CodecError, Coding, FrameKind, Packet, Quantizer, Speed, size_is_sane};
use crate::i420::{I420, I420View};

const FRAMES_A_SECOND: c_int = 30;
/// A frame of more bytes leaves some megabytes of tokens behind.
const LARGE_FRAME: usize = 128 * 1024;
/// What frames of fewer bytes leave is not worth a system call.
const SMALL_FRAME: usize = 16 * 1024;

/// Encodes pictures of one size. Each call makes exactly one frame: libvpx is
/// told never to drop any, because pacing is the caller's.
pub struct Encoder {
    context: Box<vpx::vpx_codec_ctx_t>,
    config: vpx::vpx_codec_enc_cfg_t,
    speed: Speed,
    next_pts: i64,
    marks: Vec<u8>,
    tokens: Option<TokenSpace>,
    /// Bytes of the largest frame since the tokens' memory was given back.
    largest: usize,
}

// SAFETY: libvpx keeps no thread-local state; the context is only reached through `&mut self`.
unsafe impl Send for Encoder {}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encoder({}x{})", self.config.g_w, self.config.g_h)
    }
}

impl Encoder {
    /// # Errors
    /// [`CodecError::BadSize`], or libvpx has no memory.
    pub fn new(width: u16, height: u16, bitrate: Bitrate) -> Result<Self, CodecError> {
        if !size_is_sane(width, height) {
            return Err(CodecError::BadSize);
        }
        let mut config = MaybeUninit::uninit();
        // SAFETY: on success the call fills all of `config`; the interface pointer is libvpx's static.
        let mut config = unsafe {
            check(vpx::vpx_codec_enc_config_default(vpx::vpx_codec_vp8_cx(), config.as_mut_ptr(), 0))?;
            config.assume_init()
        };
        describe(&mut config, width, height, bitrate);
        let mut context = Box::new(MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed());
        // SAFETY: an all-zero context is what libvpx expects to initialise, and it stays boxed:
        // libvpx keeps pointers into it.
        let context = unsafe {
            check(vpx::vpx_codec_enc_init_ver(
                context.as_mut_ptr(),
                vpx::vpx_codec_vp8_cx(),
                &raw const config,
                0,
                vpx::VPX_ENCODER_ABI_VERSION as c_int,
            ))?;
            Box::from_raw(Box::into_raw(context).cast::<vpx::vpx_codec_ctx_t>())
        };
        let mut encoder = Self {
            context,
            config,
            speed: Speed::Careful,
            next_pts: 0,
            marks: Vec::new(),
            tokens: None,
            largest: 0,
        };
        encoder.note_tokens();
        encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_CPUUSED, Speed::Careful.cpu_used())?;
        encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_SCREEN_CONTENT_MODE, 1)?;
        encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_STATIC_THRESHOLD, 1)?;
        Ok(encoder)
    }

    pub fn width(&self) -> u16 {
        self.config.g_w as u16
    }

    pub fn height(&self) -> u16 {
        self.config.g_h as u16
    }

    /// From the next frame on; needs no key frame.
    ///
    /// # Errors
    /// Only when libvpx refuses, which it has no reason to.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), CodecError> {
        if self.config.rc_target_bitrate == bitrate.kilobits() {
            return Ok(());
        }
        self.config.rc_target_bitrate = bitrate.kilobits();
        self.apply()
    }

    /// The coarsest quantiser of the next frames: low makes sharp, whatever it costs.
    ///
    /// # Errors
    /// Only when libvpx refuses, which it has no reason to.
    pub fn set_coarsest(&mut self, quantizer: Quantizer) -> Result<(), CodecError> {
        let coarsest = u32::from(quantizer.0.min(63)).max(self.config.rc_min_quantizer);
        if self.config.rc_max_quantizer == coarsest {
            return Ok(());
        }
        self.config.rc_max_quantizer = coarsest;
        self.apply()
    }

    /// # Errors
    /// Only when libvpx refuses, which it has no reason to.
    pub fn set_speed(&mut self, speed: Speed) -> Result<(), CodecError> {
        if self.speed == speed {
            return Ok(());
        }
        self.speed = speed;
        self.control(vpx::vp8e_enc_control_id::VP8E_SET_CPUUSED, speed.cpu_used())
    }

    /// # Errors
    /// [`CodecError::SizeChanged`] when the picture or its blocks are of another size.
    pub fn encode(&mut self, picture: &I420, coding: Coding<'_>) -> Result<Packet, CodecError> {
        if (picture.width(), picture.height()) != (self.width(), self.height()) {
            return Err(CodecError::SizeChanged);
        }
        let flags = match coding {
            Coding::Key => vpx::VPX_EFLAG_FORCE_KF as vpx::vpx_enc_frame_flags_t,
            Coding::Delta(_) => 0,
        };
        self.set_active(coding)?;
        let image = borrowed_image(&picture.view())?;
        // SAFETY: `image` points into `picture`, which outlives the call; libvpx only reads it.
        unsafe {
            check(vpx::vpx_codec_encode(
                &raw mut *self.context,
                &raw const image,
                self.next_pts,
                1,
                flags,
                c_ulong::from(vpx::VPX_DL_REALTIME),
            ))?;
        }
        self.next_pts += 1;
        self.note_tokens();
        let packet = self.packet()?;
        self.give_back(packet.bytes.len());
        Ok(packet)
    }

    /// What a decoder of all packets so far would show, bit for bit.
    pub fn preview(&mut self) -> Option<I420View<'_>> {
        // SAFETY: the image stays valid until the next call on the context, which needs `&mut self`.
        unsafe { view(vpx::vpx_codec_get_preview_frame(&raw mut *self.context)) }
    }

    fn set_active(&mut self, coding: Coding<'_>) -> Result<(), CodecError> {
        let (cols, rows) = (self.width().div_ceil(16), self.height().div_ceil(16));
        self.marks.clear();
        match coding {
            Coding::Key => self.marks.resize(usize::from(cols) * usize::from(rows), 1),
            Coding::Delta(active) => self.marks.extend_from_slice(active.marks()),
        }
        if self.marks.len() != usize::from(cols) * usize::from(rows) {
            return Err(CodecError::SizeChanged);
        }
        let mut map = vpx::vpx_active_map_t {
            active_map: self.marks.as_mut_ptr(),
            rows: rows.into(),
            cols: cols.into(),
        };
        // SAFETY: libvpx copies rows x cols bytes out of the map during the call.
        unsafe {
            check(vpx::vpx_codec_control_(
                &raw mut *self.context,
                vpx::vp8e_enc_control_id::VP8E_SET_ACTIVEMAP as c_int,
                &raw mut map,
            ))
        }
    }

    fn packet(&mut self) -> Result<Packet, CodecError> {
        let mut iter = ptr::null();
        let mut packet =
            Packet { bytes: Vec::new(), kind: FrameKind::Delta, quantizer: self.quantizer()? };
        let context = &raw mut *self.context;
        // SAFETY: the context lives; the packet is valid until the next call on it.
        while let Some(raw) = unsafe { vpx::vpx_codec_get_cx_data(context, &raw mut iter).as_ref() } {
            if raw.kind != vpx::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: a packet of this kind carries a frame of `sz` bytes.
            let (bytes, flags) = unsafe {
                let frame = raw.data.frame;
                (std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz as usize), frame.flags)
            };
            packet.bytes.extend_from_slice(bytes);
            if flags & vpx::VPX_FRAME_IS_KEY != 0 {
                packet.kind = FrameKind::Key;
            }
        }
        if packet.bytes.is_empty() {
            return Err(CodecError::Libvpx { reason: "no frame came out".to_owned() });
        }
        Ok(packet)
    }

    fn quantizer(&mut self) -> Result<Quantizer, CodecError> {
        let mut index: c_int = 0;
        // SAFETY: this control writes one int through the pointer.
        unsafe {
            check(vpx::vpx_codec_control_(
                &raw mut *self.context,
                vpx::vp8e_enc_control_id::VP8E_GET_LAST_QUANTIZER_64 as c_int,
                &raw mut index,
            ))?;
        }
        Ok(Quantizer(index.clamp(0, 63) as u8))
    }

    fn control(&mut self, control: vpx::vp8e_enc_control_id, value: c_int) -> Result<(), CodecError> {
        // SAFETY: every control used here takes one int by value.
        unsafe { check(vpx::vpx_codec_control_(&raw mut *self.context, control as c_int, value)) }
    }

    fn apply(&mut self) -> Result<(), CodecError> {
        // SAFETY: both pointers are valid for the call; libvpx copies the configuration.
        let applied = unsafe {
            check(vpx::vpx_codec_enc_config_set(&raw mut *self.context, &raw const self.config))
        };
        self.note_tokens();
        applied
    }

    /// Gives the tokens' memory back after a large frame, and once frames have become smaller;
    /// not after each of a film, which would take it again at once.
    fn give_back(&mut self, bytes: usize) {
        self.largest = self.largest.max(bytes);
        let shrank = self.largest > SMALL_FRAME && bytes < self.largest / 2;
        if let Some(tokens) = self.tokens.filter(|_| bytes > LARGE_FRAME || shrank) {
            // SAFETY: this encoder's own, and it is not at work.
            unsafe { tokens.let_go() };
            self.largest = 0;
        }
    }

    fn note_tokens(&mut self) {
        let macroblocks =
            usize::from(self.width().div_ceil(16)) * usize::from(self.height().div_ceil(16));
        self.tokens = TokenSpace::just_asked(macroblocks).or(self.tokens);
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the context was initialised by `new` and is destroyed once.
        unsafe { vpx::vpx_codec_destroy(&raw mut *self.context) };
    }
}

fn describe(config: &mut vpx::vpx_codec_enc_cfg_t, width: u16, height: u16, bitrate: Bitrate) {
    config.g_w = width.into();
    config.g_h = height.into();
    // Two threads spin for each other on shared cores: five times the CPU time.
    config.g_threads = 1;
    config.g_timebase = vpx::vpx_rational { num: 1, den: FRAMES_A_SECOND };
    config.g_error_resilient = 0;
    config.g_lag_in_frames = 0;
    config.g_pass = vpx::vpx_enc_pass::VPX_RC_ONE_PASS;
    config.rc_end_usage = vpx::vpx_rc_mode::VPX_CBR;
    config.rc_target_bitrate = bitrate.kilobits();
    config.rc_dropframe_thresh = 0;
    config.rc_resize_allowed = 0;
    config.rc_min_quantizer = Quantizer::FINEST.0.into();
    config.rc_max_quantizer = Quantizer::COARSEST.0.into();
    config.rc_undershoot_pct = 100;
    config.rc_overshoot_pct = 15;
    config.rc_buf_initial_sz = 500;
    config.rc_buf_optimal_sz = 600;
    config.rc_buf_sz = 1000;
    config.kf_mode = vpx::vpx_kf_mode::VPX_KF_DISABLED;
}

/// # Errors
/// Only when libvpx refuses the size.
fn borrowed_image(picture: &I420View<'_>) -> Result<vpx::vpx_image_t, CodecError> {
    let mut image = MaybeUninit::<vpx::vpx_image_t>::zeroed();
    // SAFETY: with a given data pointer libvpx only fills in the description; the planes and
    // strides that it guesses are replaced below before anybody reads through them.
    let mut image = unsafe {
        let wrapped = vpx::vpx_img_wrap(
            image.as_mut_ptr(),
            vpx::vpx_img_fmt::VPX_IMG_FMT_I420,
            picture.width.into(),
            picture.height.into(),
            1,
            picture.y.as_ptr().cast_mut(),
        );
        if wrapped.is_null() {
            return Err(CodecError::BadSize);
        }
        image.assume_init()
    };
    image.planes = [
        picture.y.as_ptr().cast_mut(),
        picture.u.as_ptr().cast_mut(),
        picture.v.as_ptr().cast_mut(),
        ptr::null_mut(),
    ];
    image.stride =
        [picture.y_stride as c_int, picture.uv_stride as c_int, picture.uv_stride as c_int, 0];
    Ok(image)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use super::*;
    use crate::blocks::ChangedBlocks;
    use crate::i420::I420;
    use crate::screen::Pixels;
    use crate::vp8::Decoder;

    /// How many of the pages of `space` are in memory, as the kernel counts them.
    fn resident(space: TokenSpace) -> usize {
        const PRESENT: u64 = 1 << 63;
        let (start, bytes) = space.place();
        let mut map = std::fs::File::open("/proc/self/pagemap").unwrap();
        map.seek(SeekFrom::Start((start / 4096 * 8) as u64)).unwrap();
        let mut entries = vec![0; bytes / 4096 * 8];
        map.read_exact(&mut entries).unwrap();
        let entry = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
        entries.chunks_exact(8).filter(|bytes| entry(bytes) & PRESENT != 0).count()
    }

    fn noise(seed: u32) -> I420 {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let bytes: Vec<u8> = (0..1920 * 1080 * 4).map(|_| next()).collect();
        let mut picture = I420::new(1920, 1080);
        let changed = &ChangedBlocks::all(1920, 1080);
        let (stride, width, height) = (1920 * 4, 1920, 1080);
        picture.update(&Pixels { bgra: &bytes, stride, width, height, changed });
        picture
    }

    #[test]
    #[cfg_attr(not(libvpx_archive), ignore = "a shared libvpx has its own allocator")]
    fn a_frame_full_of_tokens_leaves_no_memory_behind_and_the_next_decodes_as_before() {
        let mut encoder = Encoder::new(1920, 1080, Bitrate(400_000_000)).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let key = encoder.encode(&noise(1), Coding::Key).unwrap();
        assert!(key.bytes.len() > 1_000_000, "{}", key.bytes.len());
        let space = encoder.tokens.unwrap();
        assert!(resident(space) < 64, "{} pages", resident(space));
        decoder.decode(&key.bytes).unwrap();
        let all = ChangedBlocks::all(1920, 1080);
        let next = encoder.encode(&noise(2), Coding::Delta(&all)).unwrap();
        let shown = decoder.decode(&next.bytes).unwrap().y.to_vec();
        assert!(shown == encoder.preview().unwrap().y, "the decoder shows something else");
    }
}
