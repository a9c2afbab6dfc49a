//! The memory that libvpx asks for, in place of libvpx's own allocator.
//!
//! That one writes zeros over all it gives, and so makes 50 MB resident for the
//! tokens of a 1080p frame, of which a frame uses a few. The system's `calloc` gives
//! pages that are zero without having been touched, and after a frame that used many
//! of them they go back to the system. Where libvpx is a shared library its own
//! allocator serves and nothing is given back.

use std::cell::Cell;
use std::ffi::c_void;
#[cfg(libvpx_archive)]
use std::ptr;

/// What libvpx asks for, for each macroblock of the largest frame: 16 bytes for each
/// of 16 tokens in 24 blocks (vp8/encoder/onyx_if.c). Nothing else is asked for so.
const TOKEN_BYTES: usize = 16;
const TOKENS_A_MACROBLOCK: usize = 16 * 24;
const LARGEST_PAGE: usize = 64 * 1024;

thread_local! {
    /// The newest token space that this thread's calls of libvpx asked for.
    static ASKED: Cell<Option<TokenSpace>> = const { Cell::new(None) };
}

/// Where one encoder writes a frame's tokens before it packs them. Dead between frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenSpace {
    start: *mut c_void,
    bytes: usize,
}

impl TokenSpace {
    /// What the last call of libvpx on this thread asked for, if it did and if it is what
    /// an encoder of `macroblocks` needs: nobody else's memory is ever given back.
    pub(super) fn just_asked(macroblocks: usize) -> Option<Self> {
        let bytes = macroblocks * TOKENS_A_MACROBLOCK * TOKEN_BYTES;
        ASKED.take().filter(|asked| asked.bytes == bytes)
    }

    #[cfg(test)]
    pub(super) fn place(self) -> (usize, usize) {
        (self.start as usize, self.bytes)
    }

    /// Gives the pages back that earlier frames have touched.
    ///
    /// # Safety
    /// The encoder lives, and is not at work.
    pub(super) unsafe fn let_go(self) {
        let start = (self.start as usize).next_multiple_of(LARGEST_PAGE);
        let end = (self.start as usize + self.bytes) / LARGEST_PAGE * LARGEST_PAGE;
        if start < end {
            // SAFETY: whole pages within the encoder's own space; what it reads there it wrote
            // for the same frame.
            unsafe { empty(start as *mut c_void, end - start) };
        }
    }
}

/// # Safety
/// Whole pages, of which nothing is needed any more.
#[cfg(target_os = "linux")]
unsafe fn empty(pages: *mut c_void, bytes: usize) {
    use rustix::mm::{Advice, madvise};
    // SAFETY: promised by the caller. A refusal costs memory alone.
    let _ = unsafe { madvise(pages, bytes, Advice::LinuxDontNeed) };
}

/// libvpx has its own allocator there, which nobody asks for token space.
#[cfg(not(target_os = "linux"))]
unsafe fn empty(_: *mut c_void, _: usize) {}

#[cfg(libvpx_archive)]
unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn posix_memalign(memory: *mut *mut c_void, alignment: usize, size: usize) -> i32;
    fn free(memory: *mut c_void);
}

/// # Safety
/// `alignment` is a power of two and a multiple of a pointer's size, as everywhere in libvpx.
#[cfg(libvpx_archive)]
#[unsafe(no_mangle)]
unsafe extern "C" fn vpx_memalign(alignment: usize, size: usize) -> *mut c_void {
    let mut memory = ptr::null_mut();
    // SAFETY: the pointer is a local; the rest is the caller's promise.
    match unsafe { posix_memalign(&raw mut memory, alignment, size) } {
        0 => memory,
        _ => ptr::null_mut(),
    }
}

#[cfg(libvpx_archive)]
#[unsafe(no_mangle)]
extern "C" fn vpx_malloc(size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    unsafe { malloc(size) }
}

#[cfg(libvpx_archive)]
#[unsafe(no_mangle)]
extern "C" fn vpx_calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for; a product too large is refused by the system.
    let start = unsafe { calloc(count, size) };
    if size == TOKEN_BYTES && count.is_multiple_of(TOKENS_A_MACROBLOCK) && !start.is_null() {
        ASKED.set(Some(TokenSpace { start, bytes: count * size }));
    }
    start
}

/// # Safety
/// `memory` is null or comes from one of the functions above and is not used any more.
#[cfg(libvpx_archive)]
#[unsafe(no_mangle)]
unsafe extern "C" fn vpx_free(memory: *mut c_void) {
    // SAFETY: all of them give what the system's `free` takes; the rest is the caller's promise.
    unsafe { free(memory) }
}
