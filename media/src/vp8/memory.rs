//! The memory that libvpx asks for, in place of libvpx's own allocator.
//!
//! That one writes zeros over all it gives, and so makes 50 MB resident for the
//! tokens of a 1080p frame, of which a frame uses a few. The system's `calloc` gives
//! pages that are zero without having been touched. Only linked where libvpx is an
//! archive; knows nothing of what the memory is for.

use std::ffi::c_void;
use std::ptr;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn posix_memalign(memory: *mut *mut c_void, alignment: usize, size: usize) -> i32;
    fn free(memory: *mut c_void);
}

/// # Safety
/// `alignment` is a power of two and a multiple of a pointer's size, as everywhere in libvpx.
#[unsafe(no_mangle)]
unsafe extern "C" fn vpx_memalign(alignment: usize, size: usize) -> *mut c_void {
    let mut memory = ptr::null_mut();
    // SAFETY: the pointer is a local; the rest is the caller's promise.
    match unsafe { posix_memalign(&raw mut memory, alignment, size) } {
        0 => memory,
        _ => ptr::null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn vpx_malloc(size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    unsafe { malloc(size) }
}

#[unsafe(no_mangle)]
extern "C" fn vpx_calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for; a product too large is refused by the system.
    unsafe { calloc(count, size) }
}

/// # Safety
/// `memory` is null or comes from one of the functions above and is not used any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn vpx_free(memory: *mut c_void) {
    // SAFETY: all of them give what the system's `free` takes; the rest is the caller's promise.
    unsafe { free(memory) }
}
